package dev.andon.proto;

import java.util.ArrayList;
import java.util.List;

/** All findings about one request, up to a number that a person reads and memory bears. */
final class Findings {
  static final int KEPT = 100;

  private final List<String> kept = new ArrayList<>();
  private int more;

  void add(String finding) {
    if (kept.size() < KEPT) {
      kept.add(finding);
    } else {
      more++;
    }
  }

  boolean isEmpty() {
    return kept.isEmpty();
  }

  List<String> list() {
    if (more == 0) {
      return List.copyOf(kept);
    }
    var list = new ArrayList<>(kept);
    list.add("request: " + more + " more findings like these");
    return list;
  }
}
