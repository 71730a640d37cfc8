package dev.andon.operator.workflow;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.Condition;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The table of states and their conditions, a row a line. */
class ConditionsTest {
  private static final Instant T0 = Instant.parse("2026-01-01T00:00:00Z");

  @ParameterizedTest
  @CsvSource({
    // stage,  phase,    Ready, Reconciling, Stalled, Suspended, Finished, also
    "WAITING,  Pending,  False, True,  False, True,  False, ''",
    "RUNNING,  Running,  False, True,  False, False, False, ''",
    "HELD,     Paused,   False, True,  False, True,  False, ''",
    "STOPPING, Stopping, False, True,  False, False, False, Stopped",
    "STOPPED,  Stopped,  False, False, True,  False, True,  Failed Stopped",
    "FAILED,   Failed,   False, False, True,  False, True,  Failed",
    "REJECTED, Rejected, False, False, True,  False, True,  Failed",
    "COMPLETE, Complete, True,  False, False, False, True,  Complete",
  })
  void every_state_has_its_row(
      State.Stage stage,
      String phase,
      String ready,
      String reconciling,
      String stalled,
      String suspended,
      String finished,
      String also) {
    var conditions =
        Conditions.of(
            new State(stage, "Why", "because"),
            stage != State.Stage.REJECTED,
            null,
            null,
            List.of(),
            3,
            T0);

    Map<String, String> byType =
        conditions.stream().collect(Collectors.toMap(Condition::type, Condition::status));
    assertThat(stage.phase()).isEqualTo(phase);
    assertThat(byType)
        .containsEntry("Ready", ready)
        .containsEntry("Reconciling", reconciling)
        .containsEntry("Stalled", stalled)
        .containsEntry("Suspended", suspended)
        .containsEntry("Finished", finished)
        .containsEntry("Accepted", stage == State.Stage.REJECTED ? "False" : "True");
    assertThat(
            byType.keySet().stream()
                .filter(t -> List.of("Stopped", "Failed", "Complete").contains(t))
                .sorted()
                .collect(Collectors.joining(" ")))
        .isEqualTo(also);
    assertThat(conditions)
        .allSatisfy(
            c -> {
              assertThat(c.observedGeneration()).isEqualTo(3);
              assertThat(c.reason()).isNotEmpty();
              assertThat(c.lastTransitionTime()).isEqualTo(T0);
            });
  }

  @Test
  void why_it_was_not_accepted_is_said_and_of_one_that_was_nothing() {
    var rejected = State.rejected("InvalidSpec", "spec.blocks: there is none");

    assertThat(
            Conditions.find(
                    Conditions.of(rejected, false, null, null, List.of(), 1, T0), "Accepted")
                .orElseThrow()
                .message())
        .isEqualTo("spec.blocks: there is none");
    assertThat(
            Conditions.find(
                    Conditions.of(State.running("a"), true, null, null, List.of(), 1, T0),
                    "Accepted")
                .orElseThrow()
                .message())
        .isEmpty();
  }

  @Test
  void transition_time_moves_only_when_the_status_does() {
    var before = Conditions.of(State.running("a"), true, null, null, List.of(), 1, T0);
    var after =
        Conditions.of(State.held("Paused", "b"), true, null, null, before, 1, T0.plusSeconds(5));

    assertThat(Conditions.find(after, "Ready").orElseThrow().lastTransitionTime()).isEqualTo(T0);
    assertThat(Conditions.find(after, "Suspended").orElseThrow().lastTransitionTime())
        .isEqualTo(T0.plusSeconds(5));
  }
}
