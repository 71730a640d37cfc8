package dev.andon.operator.pacing;

import dev.andon.crds.JobTypeSpec.RateLimit;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import io.github.resilience4j.ratelimiter.internal.AtomicRateLimiter;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * At most so many sends of a job type in an interval: {@code JobType.spec.rateLimit}, by
 * resilience4j. Intervals are fixed windows that begin with the process; the leave to send is per
 * process, and a restart begins with a fresh window.
 *
 * <p>An {@code AtomicRateLimiter} is named here because only it can tell when the next send may
 * begin.
 */
public final class RateLimits {
  /**
   * A send that would have to wait longer is put off instead, so that its permit is not waited for.
   */
  static final Duration LONGEST_WAIT = Duration.ofSeconds(2);

  private final Clock clock;
  private final LongSupplier nanoTime;
  private final ConcurrentHashMap<String, Limited> byJobType = new ConcurrentHashMap<>();

  /**
   * @param clock for the times that are told
   * @param nanoTime by which intervals begin and end
   */
  public RateLimits(Clock clock, LongSupplier nanoTime) {
    this.clock = clock;
    this.nanoTime = nanoTime;
  }

  private record Limited(int sends, int intervalSeconds, AtomicRateLimiter limiter) {}

  /** The answer to {@link #reserve}. */
  public sealed interface Reservation {
    /** The send may begin after this delay, which may be zero. */
    record Reserved(Duration delay) implements Reservation {}

    /** Nothing is reserved; ask again then. */
    record Full(Instant retryAt) implements Reservation {}
  }

  /**
   * Takes over the limit of the job type as it is now. A limit that is the same keeps its window;
   * one with another number keeps its window too; one with another interval begins anew.
   *
   * @param limit null, or without a positive number of sends and seconds: no limit
   */
  public void configure(String jobType, @Nullable RateLimit limit) {
    if (limit == null
        || limit.sends() == null
        || limit.intervalSeconds() == null
        || limit.sends() < 1
        || limit.intervalSeconds() < 1) {
      byJobType.remove(jobType);
      return;
    }
    int sends = limit.sends();
    int seconds = limit.intervalSeconds();
    byJobType.compute(
        jobType,
        (name, old) -> {
          if (old == null || old.intervalSeconds() != seconds) {
            return new Limited(sends, seconds, limiter(name, sends, seconds));
          }
          if (old.sends() != sends) {
            old.limiter().changeLimitForPeriod(sends);
            return new Limited(sends, seconds, old.limiter());
          }
          return old;
        });
  }

  /** Reserves one send. A reservation cannot be given back. */
  public Reservation reserve(String jobType) {
    Limited limited = byJobType.get(jobType);
    if (limited == null) {
      return new Reservation.Reserved(Duration.ZERO);
    }
    long nanos = limited.limiter().reservePermission();
    return nanos < 0
        ? new Reservation.Full(clock.instant().plus(untilNext(limited)))
        : new Reservation.Reserved(Duration.ofNanos(nanos));
  }

  /** How many sends may begin now; {@link Integer#MAX_VALUE} without a limit. */
  public int sendsLeft(String jobType) {
    Limited limited = byJobType.get(jobType);
    return limited == null
        ? Integer.MAX_VALUE
        : Math.max(0, limited.limiter().getMetrics().getAvailablePermissions());
  }

  /** When the next send may begin, if none may now. */
  public Optional<Instant> nextSend(String jobType) {
    Limited limited = byJobType.get(jobType);
    if (limited == null || limited.limiter().getMetrics().getAvailablePermissions() > 0) {
      return Optional.empty();
    }
    return Optional.of(clock.instant().plus(untilNext(limited)));
  }

  private static Duration untilNext(Limited limited) {
    return Duration.ofNanos(Math.max(0, limited.limiter().getDetailedMetrics().getNanosToWait()));
  }

  private AtomicRateLimiter limiter(String name, int sends, int seconds) {
    return new AtomicRateLimiter(
        name,
        RateLimiterConfig.custom()
            .limitForPeriod(sends)
            .limitRefreshPeriod(Duration.ofSeconds(seconds))
            .timeoutDuration(LONGEST_WAIT)
            .build(),
        nanoTime::getAsLong);
  }
}
