package dev.andon.operator.protection;

import java.math.BigInteger;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whether the API server itself refuses what a stop forbids, and judges by the stop as it is now.
 *
 * <p>Its admission policies take the ConfigMap from an informer that all of them share. That one
 * can stop following when the last policy that uses it goes (kubernetes #130887), and from then on
 * they judge by the past. So a Job is tried that is never allowed, and the refusal says which state
 * of the ConfigMap it was judged by.
 */
final class SecondLayer {
  /** As Andon names the state in its refusals. */
  private static final Pattern STATE =
      Pattern.compile("\\(emergency-stop at resourceVersion ([^)\\s]+)\\)");

  /** Words of the API server where a policy's parameter is missing. */
  private static final String NO_PARAMETER = "no params found";

  private static final Pattern POLICY = Pattern.compile("AdmissionPolicy '([^']+)'");

  private SecondLayer() {}

  /** What the API server said to the Job. */
  sealed interface Answer {
    /** It would have created it. */
    record Admitted() implements Answer {}

    /** Refused by the policy, judging by this state of the ConfigMap; "" for none. */
    record Refused(String resourceVersion) implements Answer {}

    /** The Job did not come as far as the policy, or nobody knows. */
    record Untold(String why) implements Answer {}
  }

  /** What that means. */
  sealed interface Verdict {
    /** It refuses, by the state the gate has read or a later one. */
    record Follows() implements Verdict {}

    /**
     * It refuses, by an earlier state than the gate has read: for milliseconds that is nothing.
     *
     * @param judgedBy a resourceVersion, "" for no ConfigMap
     * @param read by the gate before the Job was tried; "" for no ConfigMap
     */
    record Behind(String judgedBy, String read) implements Verdict {}

    /** It lets pass what a stop forbids. */
    record Open() implements Verdict {}

    record Unknown(String why) implements Verdict {}
  }

  /**
   * @param code of the HTTP answer
   * @param message of its Status
   */
  static Answer refusal(int code, String message) {
    Matcher policy = POLICY.matcher(message);
    if (!policy.find() || !policy.group(1).equals(ExpectedPolicy.STOP_JOBS)) {
      return new Answer.Untold("the API server answered %d: %s".formatted(code, message));
    }
    Matcher state = STATE.matcher(message);
    if (state.find()) {
      return new Answer.Refused(state.group(1));
    }
    return message.contains(NO_PARAMETER)
        ? new Answer.Refused("")
        : new Answer.Untold("it refuses without saying by which state of the stop: " + message);
  }

  /**
   * @param read what the gate had read when the Job was tried, or longer ago; "": no ConfigMap;
   *     empty: nothing, and every refusal is as good as another
   */
  static Verdict judge(Answer answer, Optional<String> read) {
    return switch (answer) {
      case Answer.Admitted() -> new Verdict.Open();
      case Answer.Untold(String why) -> new Verdict.Unknown(why);
      case Answer.Refused(String by) ->
          read.map(state -> compare(by, state)).orElseGet(Verdict.Follows::new);
    };
  }

  private static Verdict compare(String by, String read) {
    if (by.equals(read)) {
      return new Verdict.Follows();
    }
    if (by.isEmpty() || read.isEmpty()) {
      return new Verdict.Behind(by, read);
    }
    Optional<BigInteger> judged = number(by);
    Optional<BigInteger> seen = number(read);
    if (judged.isEmpty() || seen.isEmpty()) {
      return new Verdict.Unknown(
          "resourceVersions %s and %s cannot be compared".formatted(by, read));
    }
    return judged.get().compareTo(seen.get()) >= 0
        ? new Verdict.Follows()
        : new Verdict.Behind(by, read);
  }

  /** Since Kubernetes 1.35 an API promise (KEP-5504), and a number in all before. */
  private static Optional<BigInteger> number(String resourceVersion) {
    return resourceVersion.chars().allMatch(c -> c >= '0' && c <= '9')
        ? Optional.of(new BigInteger(resourceVersion))
        : Optional.empty();
  }
}
