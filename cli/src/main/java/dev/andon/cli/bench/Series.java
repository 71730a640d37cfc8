package dev.andon.cli.bench;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** One figure of a process over time, in the order in which it was looked at. */
record Series(List<Double> values) {
  private static final int PARTS_SHOWN = 10;
  private static final int QUARTERS = 4;

  Series {
    values = List.copyOf(values);
  }

  /** The median of the last quarter less that of the first: what a leak adds to, and noise not. */
  double growth() {
    return part(QUARTERS - 1, QUARTERS) - part(0, QUARTERS);
  }

  double most() {
    return values.stream().mapToDouble(Double::doubleValue).max().orElseThrow();
  }

  /** The median of each tenth of the time, as in {@code 151, 152, 152}. */
  String course() {
    int parts = Math.min(PARTS_SHOWN, values.size());
    return IntStream.range(0, parts)
        .mapToObj(i -> String.format(Locale.ROOT, "%.0f", part(i, parts)))
        .collect(Collectors.joining(", "));
  }

  private double part(int i, int of) {
    int size = values.size();
    if (size < of) {
      return values.get(Math.min(size - 1, i * size / of));
    }
    List<Double> part =
        values.subList(i * size / of, (i + 1) * size / of).stream().sorted().toList();
    return part.get(part.size() / 2);
  }
}
