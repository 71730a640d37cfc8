package dev.andon.operator.pacing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.crds.JobTypeSpec.RateLimit;
import dev.andon.operator.pacing.RateLimits.Reservation;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RateLimitsTest {
  private static final Reservation NOW = new Reservation.Reserved(Duration.ZERO);

  private final RateLimits limits = new RateLimits(Clock.systemUTC());

  @Test
  void so_many_sends_and_no_more_in_an_interval() {
    limits.configure("erase", new RateLimit(3, 60));
    assertThat(limits.sendsLeft("erase")).isEqualTo(3);

    for (int i = 0; i < 3; i++) {
      assertThat(limits.reserve("erase")).isEqualTo(NOW);
    }

    assertThat(limits.sendsLeft("erase")).isZero();
    Reservation fourth = limits.reserve("erase");
    assertThat(fourth).isInstanceOf(Reservation.Full.class);
    assertThat(((Reservation.Full) fourth).retryAt())
        .isBetween(Instant.now(), Instant.now().plusSeconds(60));
    assertThat(limits.nextSend("erase").orElseThrow())
        .isBetween(Instant.now(), Instant.now().plusSeconds(60));
  }

  @Test
  void a_short_wait_is_reserved_and_a_long_one_is_not() {
    limits.configure("erase", new RateLimit(1, 1));
    limits.reserve("erase");

    Reservation next = limits.reserve("erase");

    assertThat(next).isInstanceOf(Reservation.Reserved.class);
    assertThat(((Reservation.Reserved) next).delay())
        .isBetween(Duration.ZERO, Duration.ofSeconds(1));
    limits.reserve("erase");
    assertThat(limits.reserve("erase")).isInstanceOf(Reservation.Full.class);
  }

  @Test
  void the_next_interval_lets_sends_pass_again() {
    limits.configure("erase", new RateLimit(1, 1));
    limits.reserve("erase");

    await().atMost(Duration.ofSeconds(60)).until(() -> limits.sendsLeft("erase") == 1);

    assertThat(limits.nextSend("erase")).isEmpty();
  }

  @Test
  void a_raised_limit_lets_more_pass_from_the_next_interval() {
    limits.configure("erase", new RateLimit(1, 1));

    limits.configure("erase", new RateLimit(5, 1));

    await().atMost(Duration.ofSeconds(60)).until(() -> limits.sendsLeft("erase") == 5);
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
