package dev.andon.cli.stop;

import dev.andon.operator.stop.EmergencyStop;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A workflow type as people type it, or everything. */
public final class TypeName {
  private static final Pattern VALID = Pattern.compile("[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?");
  private static final int LONGEST = 63;

  private TypeName() {}

  /**
   * The key in the ConfigMap. No type is called "all" in any case, so whoever says so means
   * everything.
   *
   * @param given null: everything
   * @throws IllegalArgumentException if there can be no such type; it says why
   */
  public static String key(@Nullable String given) {
    if (given == null || given.toLowerCase(Locale.ROOT).equals(EmergencyStop.ALL)) {
      return EmergencyStop.ALL;
    }
    if (given.length() > LONGEST || !VALID.matcher(given).matches()) {
      throw new IllegalArgumentException(
          "TYPE '%s': a workflow type has at most %d letters, digits, '-', '.', '_'; nothing was written. To stop everything: andon stop"
              .formatted(Printable.line(given, 100), LONGEST));
    }
    return given;
  }
}
