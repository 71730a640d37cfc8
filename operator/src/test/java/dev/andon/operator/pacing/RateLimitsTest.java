package dev.andon.operator.pacing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.JobTypeSpec.RateLimit;
import dev.andon.operator.pacing.RateLimits.Reservation;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RateLimitsTest {
  private static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");
  private static final Reservation NOW = new Reservation.Reserved(Duration.ZERO);

  private long nanos = Long.MAX_VALUE - 3; // nanoTime may overflow
  private final RateLimits limits = new RateLimits(Clock.fixed(NOON, ZoneOffset.UTC), () -> nanos);

  private void pass(Duration time) {
    nanos += time.toNanos();
  }

  @Test
  void so_many_sends_and_no_more_in_an_interval() {
    limits.configure("erase", new RateLimit(3, 60));
    assertThat(limits.sendsLeft("erase")).isEqualTo(3);

    for (int i = 0; i < 3; i++) {
      assertThat(limits.reserve("erase")).isEqualTo(NOW);
      assertThat(limits.nextSend("erase").isPresent()).isEqualTo(i == 2);
    }

    assertThat(limits.sendsLeft("erase")).isZero();
    pass(Duration.ofSeconds(13));
    assertThat(limits.reserve("erase")).isEqualTo(new Reservation.Full(NOON.plusSeconds(47)));
    assertThat(limits.nextSend("erase")).contains(NOON.plusSeconds(47));
    assertThat(limits.sendsLeft("erase")).isZero();
  }

  @Test
  void a_short_wait_is_reserved_and_a_long_one_is_not() {
    limits.configure("erase", new RateLimit(1, 1));
    limits.reserve("erase");
    pass(Duration.ofMillis(300));

    assertThat(limits.reserve("erase")).isEqualTo(new Reservation.Reserved(Duration.ofMillis(700)));
    assertThat(limits.reserve("erase"))
        .isEqualTo(new Reservation.Reserved(Duration.ofMillis(1_700)));
    assertThat(limits.reserve("erase"))
        .as("the fourth would wait for more than two seconds")
        .isInstanceOf(Reservation.Full.class);
  }

  @Test
  void the_next_interval_lets_sends_pass_again() {
    limits.configure("erase", new RateLimit(1, 60));
    limits.reserve("erase");

    pass(Duration.ofSeconds(60).minusNanos(1));
    assertThat(limits.sendsLeft("erase")).isZero();
    pass(Duration.ofNanos(1));

    assertThat(limits.sendsLeft("erase")).isEqualTo(1);
    assertThat(limits.nextSend("erase")).isEmpty();
    assertThat(limits.reserve("erase")).isEqualTo(NOW);
    assertThat(limits.sendsLeft("erase")).isZero();
  }

  @Test
  void a_raised_limit_lets_more_pass_from_the_next_interval() {
    limits.configure("erase", new RateLimit(1, 60));
    limits.reserve("erase");

    limits.configure("erase", new RateLimit(5, 60));

    pass(Duration.ofSeconds(60));
    assertThat(limits.sendsLeft("erase")).isEqualTo(5);
  }

  /** Else who changes the limit again and again could send as fast as he does it. */
  @Test
  void a_changed_limit_keeps_its_interval_and_one_of_another_length_begins_anew() {
    limits.configure("erase", new RateLimit(1, 60));
    limits.reserve("erase");
    pass(Duration.ofSeconds(20));

    limits.configure("erase", new RateLimit(2, 60));
    limits.reserve("erase");
    limits.reserve("erase");
    assertThat(limits.nextSend("erase")).contains(NOON.plusSeconds(40));

    limits.configure("erase", new RateLimit(1, 30));
    assertThat(limits.reserve("erase")).isEqualTo(NOW);
    assertThat(limits.nextSend("erase")).contains(NOON.plusSeconds(30));
  }

  @Test
  void the_same_limit_told_again_gives_nothing_back() {
    limits.configure("erase", new RateLimit(2, 60));
    limits.reserve("erase");

    limits.configure("erase", new RateLimit(2, 60));

    assertThat(limits.sendsLeft("erase")).isEqualTo(1);
  }

  @Test
  void job_types_are_limited_apart() {
    limits.configure("erase", new RateLimit(1, 60));
    limits.reserve("erase");

    assertThat(limits.reserve("check")).isEqualTo(NOW);
    assertThat(limits.sendsLeft("check")).isEqualTo(Integer.MAX_VALUE);
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "-",
      value = {"-, 1", "1, -", "0, 1", "1, 0", "-1, 1"})
  void a_limit_that_is_none_is_no_limit(Integer sends, Integer seconds) {
    limits.configure("erase", new RateLimit(1, 60));

    limits.configure("erase", new RateLimit(sends, seconds));

    assertThat(limits.sendsLeft("erase")).isEqualTo(Integer.MAX_VALUE);
  }
}
