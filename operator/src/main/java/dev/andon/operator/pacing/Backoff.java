package dev.andon.operator.pacing;

import dev.andon.operator.execution.AttemptKey;
import dev.andon.plan.AttemptRules;
import dev.andon.plan.Sha256;
import io.github.resilience4j.core.IntervalFunction;
import java.nio.ByteBuffer;
import java.time.Duration;

/**
 * How long a job waits between a failed attempt and the next: exponential with full jitter, as in
 * <a href="https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/">Exponential
 * Backoff And Jitter</a>.
 *
 * <p>The jitter comes from a hash of the attempt's key and not from a random number: deciding twice
 * from the same snapshot gives the same time, and jobs that failed together still spread.
 */
public final class Backoff {
  /** No cap grows after so many doublings; resilience4j would still count through every attempt. */
  private static final int CAP_REACHED = 64;

  private Backoff() {}

  /**
   * The delay after this attempt has failed: at least zero, less than or equal to {@code initial *
   * factor^(attempt - 1)}, and never more than {@code maxBackoff}. In milliseconds.
   */
  public static Duration delay(AttemptRules rules, AttemptKey failed) {
    return Duration.ofMillis((long) (cap(rules, failed.attempt()) * fraction(failed)));
  }

  /**
   * Resilience4j refuses a largest delay below the first one: the smaller of the two then holds.
   */
  private static long cap(AttemptRules rules, int attempt) {
    long max = Math.max(1, rules.maxBackoff().toMillis());
    long initial = Math.clamp(rules.initialBackoff().toMillis(), 1, max);
    return IntervalFunction.ofExponentialBackoff(initial, Math.max(1, rules.backoffFactor()), max)
        .apply(Math.clamp(attempt, 1, CAP_REACHED));
  }

  /** From 0 (included) to 1 (excluded), evenly spread over keys. */
  private static double fraction(AttemptKey key) {
    // The 53 bits that a double can hold exactly.
    return (ByteBuffer.wrap(Sha256.of(key.toString())).getLong() >>> 11) * 0x1.0p-53;
  }
}
