package dev.andon.policies;

import java.util.List;

/** Findings as one text of bounded length, for a field of status. */
final class Message {
  private Message() {}

  /** As many as fit, and how many more there are. {@code length} counts chars. */
  static String of(List<String> findings, int length) {
    var text = new StringBuilder();
    for (int i = 0; i < findings.size(); i++) {
      int left = findings.size() - i;
      String next = (i == 0 ? "" : "; ") + findings.get(i);
      int room = length - text.length() - (left == 1 ? 0 : more(left - 1).length());
      if (next.length() <= room) {
        text.append(next);
        continue;
      }
      if (i == 0) {
        // The first finding is cut rather than left out: a denial always says something.
        text.append(cut(next, room));
        left--;
      }
      return left == 0 ? text.toString() : text + more(left);
    }
    return text.toString();
  }

  private static String more(int findings) {
    return " (and " + findings + " more)";
  }

  /** At most {@code length} chars; never half a character. */
  static String cut(String text, int length) {
    if (text.length() <= length) {
      return text;
    }
    int end = length - 1;
    if (Character.isHighSurrogate(text.charAt(end - 1))) {
      end--;
    }
    return text.substring(0, end) + "…";
  }
}
