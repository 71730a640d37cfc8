package dev.andon.cli.stop;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** Text of others, fit for a terminal: it moves no cursor and hides no line. */
final class Printable {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss", Locale.ROOT)
          .withZone(ZoneId.systemDefault());

  private Printable() {}

  /** On one line, at most {@code max} characters, control characters escaped. */
  static String line(String text, int max) {
    StringBuilder out = new StringBuilder();
    text.strip()
        .codePoints()
        .forEach(
            c -> {
              int type = Character.getType(c);
              if (c == '\n' || c == '\r' || c == '\t') {
                out.append(' ');
              } else if (type == Character.CONTROL
                  || type == Character.FORMAT
                  || type == Character.SURROGATE
                  || type == Character.LINE_SEPARATOR
                  || type == Character.PARAGRAPH_SEPARATOR) {
                out.append(String.format(Locale.ROOT, "\\u%04x", c));
              } else {
                out.appendCodePoint(c);
              }
            });
    return out.length() <= max ? out.toString() : out.substring(0, max - 3) + "...";
  }

  /** {@code 3 s}, {@code 4 min}, {@code 5 h}, {@code 6 d}: one number, for people. */
  static String age(Duration age) {
    long seconds = Math.max(0, age.toSeconds());
    if (seconds < 120) {
      return seconds + " s";
    }
    if (seconds < 2 * 3_600) {
      return seconds / 60 + " min";
    }
    if (seconds < 2 * 86_400) {
      return seconds / 3_600 + " h";
    }
    return seconds / 86_400 + " d";
  }

  /** In this machine's time zone. */
  static String time(Instant time) {
    return TIME.format(time);
  }

  /** {@code 1 workflow}, {@code 2 workflows}. */
  static String count(int n, String what) {
    return n == 1 ? "1 " + what : n + " " + what + "s";
  }

  /** As a shell takes it. */
  static String quoted(String text) {
    return text.matches("[A-Za-z0-9_./:=,@%+-]+") ? text : "'" + text.replace("'", "'\\''") + "'";
  }
}
