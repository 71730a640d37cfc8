package dev.andon.examples.fleet;

import java.util.regex.Pattern;

/**
 * How long an erase takes, in milliseconds; each machine has its own duration between the two.
 *
 * @param from at least 0
 * @param to at least {@code from}, at most an hour
 */
public record EraseMillis(int from, int to) {
  private static final Pattern FORM = Pattern.compile("(\\d{1,7})\\.\\.(\\d{1,7})");
  private static final int HOUR = 3_600_000;

  /** A second or two. */
  public static final EraseMillis DEFAULT = new EraseMillis(1_000, 2_000);

  public EraseMillis {
    if (from < 0 || to < from || to > HOUR) {
      throw new IllegalArgumentException(
          "erase-millis: %d..%d: give FROM..TO with 0 <= FROM <= TO <= %d"
              .formatted(from, to, HOUR));
    }
  }

  /**
   * Reads {@code 50..100}.
   *
   * @throws IllegalArgumentException when it is not of that form or out of bounds
   */
  public static EraseMillis parse(String text) {
    var matcher = FORM.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "erase-millis: \"%s\": give FROM..TO in milliseconds, as in 50..100".formatted(text));
    }
    return new EraseMillis(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)));
  }

  @Override
  public String toString() {
    return from + ".." + to;
  }
}
