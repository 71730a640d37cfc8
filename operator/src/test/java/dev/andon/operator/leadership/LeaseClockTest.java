package dev.andon.operator.leadership;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.operator.leadership.LeaseClock.Advice;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseSpec;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseSpecBuilder;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;

class LeaseClockTest {
  private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");
  private static final long START = Long.MAX_VALUE - 3; // nanoTime may overflow

  private final LeaseClock clock = new LeaseClock("me", Terms.DEFAULT);

  private static long at(double seconds) {
    return START + (long) (seconds * 1e9);
  }

  private static LeaseSpec heldBy(String holder, Instant renewed) {
    return new LeaseSpecBuilder()
        .withHolderIdentity(holder)
        .withLeaseDurationSeconds(15)
        .withRenewTime(renewed.atZone(ZoneOffset.UTC))
        .build();
  }

  @Test
  void where_there_has_never_been_one_it_is_made_at_once() {
    assertThat(clock.saw(null, at(0))).isEqualTo(Advice.CREATE);
  }

  @Test
  void one_that_was_given_back_is_taken_at_once() {
    clock.saw(heldBy("other", NOON), at(0));

    assertThat(clock.saw(heldBy(null, NOON), at(1))).isEqualTo(Advice.TAKE);
    assertThat(clock.saw(heldBy("", NOON), at(1))).isEqualTo(Advice.TAKE);
  }

  @Test
  void one_that_is_renewed_is_left_alone_whatever_the_times_in_it_say() {
    Instant longAgo = NOON.minus(Duration.ofDays(1));
    for (int second = 0; second < 60; second += 10) {
      assertThat(clock.saw(heldBy("other", longAgo.plusSeconds(second)), at(second)))
          .isEqualTo(Advice.WAIT);
    }
  }

  @Test
  void one_that_nobody_renews_is_taken_after_its_duration_and_no_sooner() {
    LeaseSpec far = heldBy("other", NOON.plus(Duration.ofDays(1)));
    clock.saw(far, at(0));

    assertThat(clock.saw(far, at(14.999))).isEqualTo(Advice.WAIT);
    assertThat(clock.saw(far, at(15))).isEqualTo(Advice.TAKE);
  }

  @Test
  void one_that_was_deleted_is_made_anew_only_when_its_holder_must_have_given_up() {
    clock.saw(heldBy("other", NOON), at(0));

    assertThat(clock.saw(null, at(2))).isEqualTo(Advice.WAIT);
    assertThat(clock.saw(null, at(14.9))).isEqualTo(Advice.WAIT);
    assertThat(clock.saw(null, at(15))).isEqualTo(Advice.CREATE);
  }

  @Test
  void one_that_was_given_back_and_deleted_is_made_anew_at_once() {
    clock.saw(heldBy("other", NOON), at(0));
    clock.saw(heldBy(null, NOON), at(1));

    assertThat(clock.saw(null, at(2))).isEqualTo(Advice.CREATE);
  }

  @Test
  void one_that_is_ours_because_only_the_answer_was_lost_is_taken() {
    assertThat(clock.saw(heldBy("me", NOON), at(0))).isEqualTo(Advice.TAKE);
  }

  @Test
  void a_leader_holds_it_until_the_renew_deadline_and_no_longer() {
    assertThat(clock.holds(at(0), NOON)).isFalse();

    clock.renewed(at(0), NOON);

    assertThat(clock.holds(at(0), NOON)).isTrue();
    assertThat(clock.holds(at(9.999), NOON.plusMillis(9_999))).isTrue();
    assertThat(clock.holds(at(10), NOON.plusSeconds(5))).isFalse();
    assertThat(clock.left(at(4))).isEqualTo(Duration.ofSeconds(6).toNanos());
    clock.renewed(at(11), NOON.plusSeconds(11));
    assertThat(clock.holds(at(20), NOON.plusSeconds(20))).isTrue();
  }

  @Test
  void a_machine_that_slept_holds_nothing_though_its_monotonic_clock_slept_too() {
    clock.renewed(at(0), NOON);

    assertThat(clock.holds(at(0.001), NOON.plusSeconds(3_600))).isFalse();
    assertThat(clock.left(at(0.001))).as("renewing may show that nothing happened").isPositive();
  }

  @Test
  void a_clock_that_is_set_back_gives_nothing() {
    clock.renewed(at(0), NOON);

    assertThat(clock.holds(at(9), NOON.minusSeconds(3_600))).isTrue();
    assertThat(clock.holds(at(10), NOON.minusSeconds(3_600))).isFalse();
  }

  @Test
  void one_that_was_renewed_under_longer_terms_is_left_alone_for_as_long_as_those_say() {
    var hasty = new LeaseClock("me", Terms.of("3s", "2s", "1s"));
    hasty.saw(heldBy("other", NOON), at(0));

    assertThat(hasty.saw(heldBy("other", NOON), at(14.999))).isEqualTo(Advice.WAIT);
    assertThat(hasty.saw(null, at(14.999))).isEqualTo(Advice.WAIT);
    assertThat(hasty.saw(heldBy("other", NOON), at(15))).isEqualTo(Advice.TAKE);
  }

  @Test
  void one_that_was_renewed_under_shorter_terms_is_left_alone_for_as_long_as_our_own_say() {
    LeaseSpec hasty = heldBy("other", NOON);
    hasty.setLeaseDurationSeconds(3);
    clock.saw(hasty, at(0));

    assertThat(clock.saw(hasty, at(14.999))).isEqualTo(Advice.WAIT);
    assertThat(clock.saw(hasty, at(15))).isEqualTo(Advice.TAKE);
  }

  @Test
  void one_that_is_to_last_for_ever_is_taken_after_the_longest_there_may_be() {
    LeaseSpec endless = heldBy("other", NOON);
    endless.setLeaseDurationSeconds(Integer.MAX_VALUE);
    clock.saw(endless, at(0));

    assertThat(clock.saw(endless, at(3_599))).isEqualTo(Advice.WAIT);
    assertThat(clock.saw(endless, at(3_600))).isEqualTo(Advice.TAKE);
  }
}
