package dev.andon.operator.options;

import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A duration as an option gives it: {@code 15s}, {@code 1m30s} or {@code 500ms}. */
public final class DurationOption {
  private static final Pattern FORM =
      Pattern.compile("(?:(\\d{1,6})h)?(?:(\\d{1,6})m)?(?:(\\d{1,6})s)?(?:(\\d{1,6})ms)?");

  private DurationOption() {}

  /**
   * @param option its name, for the finding
   * @param wrong gets a finding where the value is no duration
   * @return null where it is none
   */
  public static @Nullable Duration parse(String option, String value, List<String> wrong) {
    Matcher parts = FORM.matcher(value);
    if (value.isEmpty() || !parts.matches()) {
      wrong.add(
          "%s %s: is no duration; write numbers with their units, as in 15s, 1m30s or 500ms"
              .formatted(option, value.isEmpty() ? "\"\"" : value));
      return null;
    }
    return Duration.ofHours(number(parts.group(1)))
        .plusMinutes(number(parts.group(2)))
        .plusSeconds(number(parts.group(3)))
        .plusMillis(number(parts.group(4)));
  }

  private static long number(@Nullable String digits) {
    return digits == null ? 0 : Long.parseLong(digits);
  }
}
