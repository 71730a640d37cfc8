package dev.andon.operator.workflow;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.Condition;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Condition Ready of policies and job types. */
class ReadyConditionTest {
  private static final Instant T0 = Instant.parse("2026-01-01T00:00:00Z");

  private static Clock at(Instant time) {
    return Clock.fixed(time, ZoneOffset.UTC);
  }

  @Test
  void says_whether_it_is_ready_of_which_generation_and_why() {
    assertThat(
            new ReadyCondition(true, "Ready", "the policy is applied")
                .after(List.of(), 3L, at(T0.plusNanos(1_999_999))))
        .isEqualTo(
            new Condition("Ready", "True", 3L, T0.plusMillis(1), "Ready", "the policy is applied"));
    assertThat(new ReadyCondition(false, "Vacuous", "x").after(List.of(), 3L, at(T0)).status())
        .isEqualTo("False");
  }

  @Test
  void its_transition_time_moves_only_when_it_becomes_another() {
    var ready = new ReadyCondition(true, "Ready", "");
    Condition before = ready.after(List.of(), 1L, at(T0));

    Condition same = ready.after(List.of(before), 2L, at(T0.plusSeconds(9)));
    Condition other =
        new ReadyCondition(false, "Vacuous", "").after(List.of(same), 3L, at(T0.plusSeconds(9)));

    assertThat(same.lastTransitionTime()).isEqualTo(T0);
    assertThat(same.observedGeneration()).isEqualTo(2);
    assertThat(other.lastTransitionTime()).isEqualTo(T0.plusSeconds(9));
  }

  @Test
  void one_without_a_transition_time_gets_one() {
    var before = new Condition("Ready", "True", 1L, null, "Ready", "");

    assertThat(
            new ReadyCondition(true, "Ready", "")
                .after(List.of(before), 1L, at(T0))
                .lastTransitionTime())
        .isEqualTo(T0);
  }
}
