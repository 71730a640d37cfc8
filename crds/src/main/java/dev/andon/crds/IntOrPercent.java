package dev.andon.crds;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.OptionalInt;
import java.util.regex.Pattern;

/**
 * A number, or a percentage of the jobs it is applied to, as the object spells it: {@code 3} or
 * {@code "2%"}.
 *
 * @param text the number in decimal, or the number followed by {@code %}; anything else is kept as
 *     it was written and is not {@linkplain #valid() valid}
 */
public record IntOrPercent(String text) {
  private static final Pattern VALID = Pattern.compile("[0-9]{1,9}|([0-9]|[1-9][0-9]|100)%");

  @JsonCreator
  static IntOrPercent read(Object value) {
    return new IntOrPercent(String.valueOf(value));
  }

  public static IntOrPercent of(int number) {
    return new IntOrPercent(Integer.toString(number));
  }

  /** Whether the text is a number of at most nine digits or a percentage from 0 to 100. */
  public boolean valid() {
    return VALID.matcher(text).matches();
  }

  /**
   * The number meant for {@code total} jobs; a percentage is rounded down. Empty if not {@linkplain
   * #valid() valid}.
   */
  public OptionalInt applyTo(long total) {
    if (!valid()) {
      return OptionalInt.empty();
    }
    if (text.endsWith("%")) {
      long percent = Long.parseLong(text.substring(0, text.length() - 1));
      return OptionalInt.of((int) (total * percent / 100));
    }
    return OptionalInt.of(Integer.parseInt(text));
  }

  @JsonValue
  Object json() {
    return valid() && !text.endsWith("%") ? (Object) Integer.valueOf(text) : text;
  }

  @Override
  public String toString() {
    return text;
  }
}
