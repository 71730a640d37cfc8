package dev.andon.cli.bench;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Locale;

/**
 * Durations, sorted; negative ones are allowed. Percentiles by nearest rank: always one of them.
 */
record Distribution(List<Duration> sorted) {
  Distribution {
    sorted = sorted.stream().sorted().toList();
  }

  static Distribution of(Collection<Duration> durations) {
    return new Distribution(List.copyOf(durations));
  }

  boolean isEmpty() {
    return sorted.isEmpty();
  }

  int size() {
    return sorted.size();
  }

  /**
   * @param percent above 0, at most 100
   * @throws IllegalStateException if there is none
   */
  Duration percentile(double percent) {
    if (sorted.isEmpty()) {
      throw new IllegalStateException("nothing was measured");
    }
    int rank = (int) Math.ceil(percent / 100 * sorted.size());
    return sorted.get(Math.clamp(rank, 1, sorted.size()) - 1);
  }

  Duration p50() {
    return percentile(50);
  }

  Duration p99() {
    return percentile(99);
  }

  Duration worst() {
    return percentile(100);
  }

  /** As in {@code p50 5.9 ms, p99 11 ms, worst 14 ms of 20}. */
  @Override
  public String toString() {
    return sorted.isEmpty()
        ? "nothing measured"
        : "p50 %s, p99 %s, worst %s of %,d"
            .formatted(millis(p50()), millis(p99()), millis(worst()), size());
  }

  /** As in {@code 5.9 ms}, {@code 148 ms}, {@code 2.31 s}. */
  static String millis(Duration duration) {
    double millis = duration.toNanos() / 1e6;
    double size = Math.abs(millis);
    return size < 10
        ? String.format(Locale.ROOT, "%.1f ms", millis)
        : size < 1000
            ? String.format(Locale.ROOT, "%.0f ms", millis)
            : String.format(Locale.ROOT, "%.2f s", millis / 1000);
  }
}
