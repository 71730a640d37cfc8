package dev.andon.cli.prune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowRecord;
import dev.andon.plan.RecordName;
import dev.andon.plan.SpecHash;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PruningTest {
  private static final Instant BEFORE = Instant.parse("2026-02-01T00:00:00Z");

  private static Workflow workflow(String finished, String time) {
    return Serialization.unmarshal(
        """
        apiVersion: andon.dev/v1alpha1
        kind: Workflow
        metadata: {name: erase, namespace: fleet, uid: u1}
        spec:
          type: Erase
          blocks: [{name: a, jobs: [{name: x, type: sleep, args: {seconds: "1"}}]}]
        status:
          completionTime: %s
          conditions: [{type: Finished, status: "%s", reason: Complete}]
        """
            .formatted(time, finished),
        Workflow.class);
  }

  private static WorkflowRecord record(String uid, String outcome) {
    return Serialization.unmarshal(
        """
        apiVersion: andon.dev/v1alpha1
        kind: WorkflowRecord
        metadata: {name: r}
        spec:
          workflow: {namespace: fleet, name: erase, uid: %s, type: Erase}
          %s
        """
            .formatted(uid, outcome == null ? "" : "outcome: " + outcome),
        WorkflowRecord.class);
  }

  private static Pruning judge(Workflow workflow, WorkflowRecord record) {
    String name = RecordName.of("fleet", "erase", SpecHash.of(workflow.getSpec()));
    return Pruning.of(
        workflow,
        BEFORE,
        asked -> asked.equals(name) ? Optional.ofNullable(record) : Optional.empty());
  }

  @Test
  void what_finished_long_ago_and_is_recorded_goes() {
    assertThat(judge(workflow("True", "2026-01-01T00:00:00Z"), record("u1", "Complete")))
        .isInstanceOfSatisfying(
            Pruning.Goes.class, goes -> assertThat(goes.outcome()).isEqualTo("Complete"));
  }

  @Test
  void what_runs_or_finished_lately_is_not_looked_at() {
    assertThat(judge(workflow("False", "2026-01-01T00:00:00Z"), record("u1", "Complete")))
        .isEqualTo(new Pruning.NotYet());
    assertThat(judge(workflow("True", "2026-02-01T00:00:00Z"), record("u1", "Complete")))
        .isEqualTo(new Pruning.NotYet());
  }

  @Test
  void what_has_no_closed_record_of_its_own_stays() {
    Workflow old = workflow("True", "2026-01-01T00:00:00Z");

    assertThat(judge(old, null)).asInstanceOf(STAYS).contains("no record");
    assertThat(judge(old, record("u0", "Complete"))).asInstanceOf(STAYS).contains("another run");
    assertThat(judge(old, record("u1", null))).asInstanceOf(STAYS).contains("not closed");
    assertThat(judge(workflow("True", "yesterday"), record("u1", "Complete")))
        .asInstanceOf(STAYS)
        .contains("completionTime");
  }

  private static final org.assertj.core.api.InstanceOfAssertFactory<
          Pruning.Stays, org.assertj.core.api.AbstractStringAssert<?>>
      STAYS =
          new org.assertj.core.api.InstanceOfAssertFactory<>(
              Pruning.Stays.class, stays -> assertThat(stays.why()));

  @ParameterizedTest
  @CsvSource({"30d,PT720H", "12h,PT12H", "1d12h,PT36H", "90m,PT90M", "5s,PT5S", "0s,PT0S"})
  void an_age_is_read_as_people_write_it(String text, Duration age) {
    assertThat(Age.parse(text)).isEqualTo(age);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "30", "d", "-1d", "1w", "1h1d", "1.5h", "30 d"})
  void anything_else_is_refused_with_the_form(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Age.parse(text))
        .withMessageContaining("30d");
  }
}
