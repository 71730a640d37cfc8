package dev.andon.operator.pacing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.operator.pacing.Breakers.Entry;
import dev.andon.operator.pacing.Breakers.Pass;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BreakersTest {
  private static final String TARGET = "http://fleet.example:80";

  private final Ticking clock = new Ticking();
  private final Breakers breakers = new Breakers(clock, clock::nanos);

  @Test
  void ten_failures_open_it_for_thirty_seconds() {
    fail(10);

    assertThat(breakers.enter("erase", TARGET))
        .isEqualTo(new Entry.Open(clock.instant().plusSeconds(30)));
    assertThat(breakers.openUntil("erase")).contains(clock.instant().plusSeconds(30));
  }

  @Test
  void nine_failures_do_not() {
    fail(9);

    assertThat(breakers.enter("erase", TARGET)).isInstanceOf(Entry.Passed.class);
    assertThat(breakers.openUntil("erase")).isEmpty();
  }

  @Test
  void another_target_is_not_held_back() {
    fail(10);

    assertThat(breakers.enter("check", "http://other.example:80")).isInstanceOf(Entry.Passed.class);
    assertThat(breakers.openUntil("check")).isEmpty();
  }

  @Test
  void job_types_with_one_target_share_its_breaker() {
    enter("check").unused();
    fail(10);

    assertThat(breakers.openUntil("check")).isPresent();
  }

  @Test
  void it_closes_when_three_trials_succeed() {
    fail(10);
    clock.advance(Duration.ofSeconds(31));
    assertThat(breakers.openUntil("erase")).isEmpty();

    Pass first = enter("erase");
    Pass second = enter("erase");
    Pass third = enter("erase");
    assertThat(breakers.enter("erase", TARGET))
        .isEqualTo(new Entry.Open(clock.instant().plusSeconds(1)));
    first.answered();
    second.answered();
    third.answered();

    for (int i = 0; i < 20; i++) {
      enter("erase").answered();
    }
  }

  @Test
  void it_opens_again_when_the_trials_fail() {
    fail(10);
    clock.advance(Duration.ofSeconds(31));

    fail(3);

    assertThat(breakers.enter("erase", TARGET))
        .isEqualTo(new Entry.Open(clock.instant().plusSeconds(30)));
  }

  @Test
  void trials_that_were_not_made_can_be_made_later() {
    fail(10);
    clock.advance(Duration.ofSeconds(31));
    for (int i = 0; i < 10; i++) {
      enter("erase").unused();
    }

    enter("erase").answered();
    enter("erase").answered();
    enter("erase").answered();

    assertThat(breakers.enter("erase", TARGET)).isInstanceOf(Entry.Passed.class);
  }

  @ParameterizedTest
  @ValueSource(longs = {-3, 3})
  void a_wall_clock_that_jumps_by_hours_changes_nothing(long hours) {
    fail(10);

    clock.jump(Duration.ofHours(hours));

    assertThat(breakers.enter("erase", TARGET))
        .isEqualTo(new Entry.Open(clock.instant().plusSeconds(30)));
    clock.advance(Duration.ofSeconds(31));
    assertThat(breakers.openUntil("erase")).isEmpty();
    assertThat(breakers.enter("erase", TARGET)).isInstanceOf(Entry.Passed.class);
  }

  @Test
  void only_the_first_word_on_a_send_counts() {
    for (int i = 0; i < 10; i++) {
      Pass pass = enter("erase");
      pass.answered();
      pass.failed();
      pass.unused();
    }

    assertThat(breakers.enter("erase", TARGET)).isInstanceOf(Entry.Passed.class);
  }

  private void fail(int times) {
    for (int i = 0; i < times; i++) {
      enter("erase").failed();
    }
  }

  private Pass enter(String jobType) {
    return ((Entry.Passed) breakers.enter(jobType, TARGET)).pass();
  }

  private static final class Ticking extends Clock {
    private Instant now = Instant.parse("2026-11-22T10:00:00Z");
    private long nanos;

    void advance(Duration by) {
      now = now.plus(by);
      nanos += by.toNanos();
    }

    /** Somebody sets the wall clock. */
    void jump(Duration by) {
      now = now.plus(by);
    }

    long nanos() {
      return nanos;
    }

    @Override
    public Instant instant() {
      return now;
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
}
