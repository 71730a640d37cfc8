package dev.andon.cli.stop;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** What somebody in a hurry may have meant. */
final class NearMisses {
  private NearMisses() {}

  /** The known words that are like it, the likest first. */
  static List<String> of(String word, Collection<String> known) {
    return known.stream()
        .filter(candidate -> isNear(word, candidate))
        .sorted(Comparator.comparingInt(candidate -> distance(word, candidate)))
        .limit(3)
        .toList();
  }

  private static boolean isNear(String word, String candidate) {
    String a = word.toLowerCase(Locale.ROOT);
    String b = candidate.toLowerCase(Locale.ROOT);
    return distance(word, candidate) <= Math.max(2, candidate.length() / 4)
        || (a.length() >= 3 && b.contains(a))
        || (b.length() >= 3 && a.contains(b));
  }

  /** Levenshtein's, case aside. */
  private static int distance(String one, String other) {
    String a = one.toLowerCase(Locale.ROOT);
    String b = other.toLowerCase(Locale.ROOT);
    int[] previous = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      previous[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int[] current = new int[b.length() + 1];
      current[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        current[j] = Math.min(replaced, Math.min(previous[j], current[j - 1]) + 1);
      }
      previous = current;
    }
    return previous[b.length()];
  }
}
