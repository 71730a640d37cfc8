package dev.andon.operator.stop;

import java.time.Duration;

/**
 * When the next read may begin: at most 50 in any second, so that the stop's own reads never are
 * the load that delays a stop. The first few after a quiet moment follow each other at once (a send
 * then waits only for its read); under lasting demand they come 21 ms apart. Not thread-safe; times
 * are nanoseconds of one monotonic clock.
 *
 * <p>A leaky bucket as a single time (GCRA): a bucket of {@code BURST}, refilled {@code REFILL}
 * times a second, lets at most {@code BURST + REFILL} pass in any second.
 */
final class ReadPace {
  static final int MAX_PER_SECOND = 50;
  private static final int BURST = 3;
  private static final int REFILL = MAX_PER_SECOND - BURST;
  private static final long INTERVAL = Duration.ofSeconds(1).dividedBy(REFILL).toNanos() + 1;
  private static final long TOLERANCE = (BURST - 1) * INTERVAL;

  /** An API server that refuses or cannot be reached is not asked again in the same breath. */
  private static final long AFTER_FAILURE = Duration.ofMillis(100).toNanos();

  /** When the bucket will be full again. */
  private long full;

  private long notBefore;

  ReadPace(long now) {
    full = now;
    notBefore = now;
  }

  /** Nanoseconds until a read may begin; 0 if now. */
  long untilNext(long now) {
    return Math.max(0, Math.max(full - TOLERANCE - now, notBefore - now));
  }

  void begun(long now) {
    full = (full - now > 0 ? full : now) + INTERVAL;
  }

  void failed(long now) {
    notBefore = now + AFTER_FAILURE;
  }
}
