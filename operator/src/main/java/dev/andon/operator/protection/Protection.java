package dev.andon.operator.protection;

/**
 * One of the protections around the stop.
 *
 * @param name of the policy, which also is its binding's; {@code kind/name} for what is no policy
 * @param found what was found, in a few words
 * @param meaning what a user goes without as long as it is not in place, in a sentence
 * @param remedy what to do; "" where it is in place
 */
public record Protection(String name, State state, String found, String meaning, String remedy) {

  /** Whether it protects. */
  public enum State {
    /** As Andon installs it, in everything that is compared. */
    IN_PLACE,
    /** It is not there. */
    MISSING,
    /** It is there, and not as Andon installs it: it protects less, or not at all. */
    WEAKENED,
    /** Nobody could look: no right to, or no answer. */
    UNKNOWN
  }

  /** Looked at, and not in place. */
  public boolean isMissing() {
    return switch (state) {
      case MISSING, WEAKENED -> true;
      case IN_PLACE, UNKNOWN -> false;
    };
  }
}
