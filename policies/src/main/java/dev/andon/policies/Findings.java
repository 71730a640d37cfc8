package dev.andon.policies;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Collects findings about one thing; a fault repeated a thousand times is told a few times. */
final class Findings {
  private static final int KEPT = 10;
  private static final int VALUE_LENGTH = 64;

  private final String about;
  private final List<String> kept = new ArrayList<>();
  private int more;

  /**
   * @param about what each finding begins with
   */
  Findings(String about) {
    this.about = about;
  }

  /** Values, unlike the format, may hold anything, {@code %} too. */
  void add(String format, Object... values) {
    if (kept.size() < KEPT) {
      kept.add(about + String.format(Locale.ROOT, format, values));
    } else {
      more++;
    }
  }

  boolean isEmpty() {
    return kept.isEmpty();
  }

  List<String> all() {
    if (more == 0) {
      return List.copyOf(kept);
    }
    var all = new ArrayList<>(kept);
    all.add(about + "and " + more + " more");
    return List.copyOf(all);
  }

  /** A value of somebody's object, short enough to be read. */
  static String quote(String value) {
    return '"' + Message.cut(value, VALUE_LENGTH) + '"';
  }
}
