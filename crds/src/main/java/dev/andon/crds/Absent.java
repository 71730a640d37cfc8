package dev.andon.crds;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What an absent field of an object stands for. */
final class Absent {
  private Absent() {}

  /** Without what is null; takes no more room than it needs, unlike what a parser makes. */
  static <T> List<T> orEmpty(@Nullable List<T> list) {
    return list == null ? List.of() : list.stream().filter(Objects::nonNull).toList();
  }

  /**
   * As compact, where it matters whether there is a list at all and at which index an entry is: a
   * hole stays, for validation to refuse.
   */
  static <T> @Nullable List<T> orNull(@Nullable List<T> list) {
    return list == null ? null : list.stream().toList();
  }

  /** Keeps the order of the object, so that findings come in the order of the request. */
  static <V> Map<String, V> orEmpty(@Nullable Map<String, V> map) {
    if (map == null) {
      return Map.of();
    }
    var copy = new LinkedHashMap<>(map);
    copy.values().removeIf(Objects::isNull);
    // Most have one entry or none, and there may be thousands in memory.
    return copy.size() <= 1 ? Map.copyOf(copy) : Collections.unmodifiableMap(copy);
  }
}
