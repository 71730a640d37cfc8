package dev.andon.plan;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The format of a range: text with exactly one {@code %d} or {@code %0Nd}, N from 1 to 9.
 *
 * @param width digits to pad to with zeros; 0: none
 */
record RangeFormat(String before, int width, String after) {
  private static final Pattern FORMAT = Pattern.compile("([^%]*)%(?:0([1-9]))?d([^%]*)");

  /** Absent is {@code %d}; empty if the text has another form. */
  static Optional<RangeFormat> parse(@Nullable String text) {
    Matcher matcher = FORMAT.matcher(text == null ? "%d" : text);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    int width = matcher.group(2) == null ? 0 : Integer.parseInt(matcher.group(2));
    return Optional.of(new RangeFormat(matcher.group(1), width, matcher.group(3)));
  }

  String apply(int number) {
    String digits = Integer.toString(number);
    return before + "0".repeat(Math.max(0, width - digits.length())) + digits + after;
  }
}
