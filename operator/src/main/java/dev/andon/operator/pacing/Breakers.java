package dev.andon.operator.pacing;

import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;

/**
 * A circuit breaker for each target, that is for each origin ({@code http://fleet.example:80}): of
 * the last 20 sends, once there are 10, half must not have failed. Then nothing is sent there for
 * 30 s, and after that three sends try whether it is well again.
 *
 * <p>A breaker delays and never repeats; an attempt that it holds back is not used up.
 */
public final class Breakers {
  static final int WINDOW = 20;
  static final int MINIMUM_CALLS = 10;
  static final float FAILURE_PERCENT = 50;
  static final int HALF_OPEN_CALLS = 3;
  public static final Duration OPEN_FOR = Duration.ofSeconds(30);

  /** Asked again when all trial sends of a half-open breaker are taken. */
  private static final Duration HALF_OPEN_RETRY = Duration.ofSeconds(1);

  private final Clock clock;
  private final Clock steady;
  private final CircuitBreakerConfig config;
  private final ConcurrentHashMap<String, Breaker> byOrigin = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<String, String> originByJobType = new ConcurrentHashMap<>();

  /**
   * @param clock for the times that are told
   * @param nanoTime for how long a circuit stays open: a wall clock set back by hours would keep it
   *     open for as long
   */
  public Breakers(Clock clock, LongSupplier nanoTime) {
    this.clock = clock;
    this.steady = new SteadyClock(nanoTime);
    this.config =
        CircuitBreakerConfig.custom()
            .clock(steady)
            .slidingWindowType(SlidingWindowType.COUNT_BASED)
            .slidingWindowSize(WINDOW)
            .minimumNumberOfCalls(MINIMUM_CALLS)
            .failureRateThreshold(FAILURE_PERCENT)
            .permittedNumberOfCallsInHalfOpenState(HALF_OPEN_CALLS)
            .waitDurationInOpenState(OPEN_FOR)
            .build();
  }

  /** The answer to {@link #enter}. */
  public sealed interface Entry {
    /** One send may begin; {@code pass} must be told how it ended, whatever happens. */
    record Passed(Pass pass) implements Entry {}

    /** The circuit is open; ask again then. */
    record Open(Instant retryAt) implements Entry {}
  }

  /**
   * Leave of the breaker for one send. The first word on how it ended counts, later ones do
   * nothing.
   */
  public static final class Pass {
    private final CircuitBreaker breaker;
    private final long begun;
    private final AtomicBoolean told = new AtomicBoolean();

    private Pass(CircuitBreaker breaker) {
      this.breaker = breaker;
      this.begun = breaker.getCurrentTimestamp();
    }

    /** The target answered, and not that it is overloaded or broken. */
    public void answered() {
      if (told.compareAndSet(false, true)) {
        breaker.onSuccess(elapsed(), breaker.getTimestampUnit());
      }
    }

    /** No connection, no answer in time, 429 or 5xx. */
    public void failed() {
      if (told.compareAndSet(false, true)) {
        breaker.onError(elapsed(), breaker.getTimestampUnit(), new TargetFailed());
      }
    }

    /** Nothing was sent, or it was called off by us: says nothing about the target. */
    public void unused() {
      if (told.compareAndSet(false, true)) {
        breaker.releasePermission();
      }
    }

    private long elapsed() {
      return Math.max(0, breaker.getCurrentTimestamp() - begun);
    }
  }

  /** Asks for one send of the job type to the origin. */
  public Entry enter(String jobType, String origin) {
    originByJobType.put(jobType, origin);
    Breaker breaker = byOrigin.computeIfAbsent(origin, this::breaker);
    if (breaker.circuit().tryAcquirePermission()) {
      return new Entry.Passed(new Pass(breaker.circuit()));
    }
    return new Entry.Open(
        openUntil(breaker).orElseGet(() -> clock.instant().plus(HALF_OPEN_RETRY)));
  }

  /** Until when the circuit of the latest target of the job type is open, if it is. */
  public Optional<Instant> openUntil(String jobType) {
    return Optional.ofNullable(originByJobType.get(jobType))
        .map(byOrigin::get)
        .flatMap(this::openUntil);
  }

  /** In the wall clock's time, as it is set now. */
  private Optional<Instant> openUntil(Breaker breaker) {
    return breaker
        .reopens()
        .map(at -> Duration.between(steady.instant(), at))
        .filter(Duration::isPositive)
        .map(left -> clock.instant().plus(left));
  }

  private Breaker breaker(String origin) {
    var breaker = new Breaker(CircuitBreaker.of(origin, config));
    breaker
        .circuit()
        .getEventPublisher()
        .onStateTransition(
            event ->
                breaker.reopens =
                    event.getStateTransition().getToState() == CircuitBreaker.State.OPEN
                        ? Optional.of(
                            steady
                                .instant()
                                .plusMillis(config.getWaitIntervalFunctionInOpenState().apply(1)))
                        : Optional.empty());
    return breaker;
  }

  /** A circuit, and when it lets the next send try, in steady time: resilience4j does not tell. */
  private static final class Breaker {
    private final CircuitBreaker circuit;
    private volatile Optional<Instant> reopens = Optional.empty();

    Breaker(CircuitBreaker circuit) {
      this.circuit = circuit;
    }

    CircuitBreaker circuit() {
      return circuit;
    }

    Optional<Instant> reopens() {
      return reopens;
    }
  }

  /** Goes on evenly, from no time in particular. */
  private static final class SteadyClock extends Clock {
    private final LongSupplier nanoTime;
    private final long begun;

    SteadyClock(LongSupplier nanoTime) {
      this.nanoTime = nanoTime;
      this.begun = nanoTime.getAsLong();
    }

    @Override
    public Instant instant() {
      return Instant.EPOCH.plusNanos(nanoTime.getAsLong() - begun);
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }
  }

  private static final class TargetFailed extends RuntimeException {
    TargetFailed() {
      super("target failed", null, false, false);
    }
  }
}
