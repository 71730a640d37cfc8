package dev.andon.operator.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.crds.Condition;
import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowRecord;
import dev.andon.crds.WorkflowRecordSpec;
import dev.andon.crds.WorkflowRecordSpec.WorkflowRef;
import dev.andon.crds.WorkflowStatus;
import dev.andon.crds.WorkflowStatus.Action;
import dev.andon.crds.WorkflowStatus.JobCounts;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RecordCloserTest {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final String HASH = "v1:" + "0".repeat(64);
  private static final Instant T0 = Instant.parse("2026-01-01T00:00:00Z");

  private final FakeRecords records = new FakeRecords();
  private final Map<String, Workflow> unfinished = new HashMap<>();
  private final Map<String, Workflow> actual = new HashMap<>();
  private final AtomicBoolean stopping = new AtomicBoolean();
  private final RecordCloser closer =
      new RecordCloser(
          records,
          new RecordCloser.Workflows() {
            @Override
            public Optional<Workflow> unfinished(String namespace, String name) {
              return Optional.ofNullable(unfinished.get(namespace + "/" + name));
            }

            @Override
            public Optional<Workflow> read(String namespace, String name) {
              return Optional.ofNullable(actual.get(namespace + "/" + name));
            }
          },
          () -> true,
          stopping::get,
          Clock.fixed(T0.plusSeconds(60), ZoneOffset.UTC));

  @AfterEach
  void end() {
    closer.close();
  }

  private void record(String uid) {
    new Ledger(records).open(facts(uid), "7");
  }

  private void givenUp(String uid) {
    record(uid);
    new Ledger(records).giveUp(facts(uid), "7");
  }

  private static WorkflowRecordSpec facts(String uid) {
    return FakeRecords.running(new WorkflowRef("fleet", "erase", uid, "Erase"), HASH, null, T0);
  }

  private static Workflow workflow(String uid, Instant start, String finished) {
    var workflow = new Workflow();
    workflow.setMetadata(
        new ObjectMetaBuilder().withNamespace("fleet").withName("erase").withUid(uid).build());
    workflow.setStatus(
        new WorkflowStatus(
            1L,
            null,
            null,
            null,
            1,
            null,
            null,
            new JobCounts(3, 2, 1, 0, 0, 0),
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            HASH,
            start,
            finished == null ? null : T0.plusSeconds(9),
            null,
            finished == null
                ? List.of()
                : List.of(new Condition("Finished", "True", 1L, T0, finished, "")),
            null,
            null,
            List.of(
                new Action("p", "u", "Pause", "ann", "odd", "Applied", "", T0),
                new Action("q", "v", "Start", "ann", "odd", "Refused", "", T0)),
            null,
            List.of(),
            null));
    return workflow;
  }

  private WorkflowRecordSpec awaitClosed() {
    await().atMost(LONG).until(() -> records.only().getSpec().outcome() != null);
    assertThat(records.only().getMetadata().getLabels())
        .containsEntry(WorkflowRecord.STATE_LABEL, WorkflowRecord.CLOSED);
    return records.only().getSpec();
  }

  @Test
  void what_has_finished_is_closed_with_how_it_ended() {
    record("a");

    closer.finished(workflow("a", T0, "CompletedWithFailures"));

    WorkflowRecordSpec closed = awaitClosed();
    assertThat(closed.outcome()).isEqualTo("CompletedWithFailures");
    assertThat(closed.completionTime()).isEqualTo(T0.plusSeconds(9));
    assertThat(closed.jobs()).isEqualTo(new JobCounts(3, 2, 1, 0, 0, 0));
    assertThat(closed.startTime()).isEqualTo(T0);
    assertThat(closed.actions())
        .as("who acted on it")
        .containsExactly(new WorkflowRecordSpec.Action("p", "Pause", "ann", "odd", T0));
  }

  @Test
  void what_is_deleted_while_it_runs_is_closed_as_deleted() {
    record("a");

    closer.deleted(workflow("a", T0, null));

    assertThat(awaitClosed().outcome()).isEqualTo("Deleted");
  }

  @Test
  void nothing_is_closed_while_a_stop_is_written_down() {
    record("a");
    stopping.set(true);

    closer.finished(workflow("a", T0, "Complete"));
    assertThat(records.only().getSpec().outcome()).isNull();

    stopping.set(false);
    awaitClosed();
  }

  @Test
  void a_record_of_another_uid_stays_as_it_is() {
    record("a");
    closer.finished(workflow("b", T0, "Complete"));
    await().atMost(LONG).until(() -> records.calls.contains("close"));

    assertThat(records.only().getSpec().outcome()).isNull();
  }

  @Test
  void what_a_process_that_died_left_open_is_closed_by_the_next() {
    record("a");
    actual.put("fleet/erase", workflow("a", T0, "Complete"));

    closer.sweep();

    assertThat(awaitClosed().outcome()).isEqualTo("Complete");
  }

  @Test
  void what_still_runs_stays_open() {
    record("a");
    unfinished.put("fleet/erase", workflow("a", T0, null));

    closer.sweep();

    assertThat(records.calls).doesNotContain("close", "delete");
  }

  @Test
  void what_the_cache_does_not_know_is_looked_up_before_it_is_called_deleted() {
    record("a");
    actual.put("fleet/erase", workflow("a", T0, null));

    closer.sweep();
    assertThat(records.calls).doesNotContain("close", "delete");

    actual.put("fleet/erase", workflow("b", T0, null));
    closer.sweep();
    assertThat(awaitClosed().outcome()).isEqualTo("Deleted");
  }

  @Test
  void a_start_that_was_given_up_and_ended_without_one_leaves_the_spec_free() {
    givenUp("a");
    actual.put("fleet/erase", workflow("a", null, "StartDeadlineExceeded"));

    closer.sweep();

    assertThat(records.kept).isEmpty();
  }

  /** Its status may have been lost, and what ended it since knows nothing of what ran. */
  @ParameterizedTest
  @ValueSource(strings = {"InvalidSpec", "PolicyDenied", "StartDeadlineExceeded", "Cancelled"})
  void a_record_that_was_not_given_up_stays_however_it_ended(String reason) {
    record("a");
    actual.put("fleet/erase", workflow("a", null, reason));

    closer.sweep();

    assertThat(awaitClosed().outcome()).isEqualTo(reason);
  }

  @Test
  void a_record_that_could_not_be_trusted_stays() {
    givenUp("a");
    actual.put("fleet/erase", workflow("a", null, "DuplicateRun"));

    closer.sweep();

    assertThat(awaitClosed().outcome()).isEqualTo("DuplicateRun");
  }

  @Test
  void a_lost_status_keeps_its_record() {
    record("a");
    actual.put("fleet/erase", workflow("a", null, "CorruptStatus"));

    closer.sweep();

    assertThat(awaitClosed().outcome()).isEqualTo("CorruptStatus");
  }

  /** Without a look at what there is: that may be late, and say that it still runs. */
  @Test
  void a_close_that_failed_is_tried_again() {
    record("a");
    var failures = new AtomicInteger(2);
    var fault = records.fault;
    records.fault =
        new FakeRecords.Fault() {
          @Override
          public void before(String verb) {
            if (verb.equals("close") && failures.getAndDecrement() > 0) {
              throw new IllegalStateException("no");
            }
          }

          @Override
          public void after(String verb) {
            fault.after(verb);
          }
        };

    closer.finished(workflow("a", T0, "Complete"));

    assertThat(awaitClosed().outcome()).isEqualTo("Complete");
    assertThat(failures).hasNegativeValue();
  }

  @Test
  void what_ended_unseen_is_looked_for_soon() {
    closer.start();
    await().atMost(LONG).until(() -> records.calls.contains("list"));
    record("a");
    actual.put("fleet/erase", workflow("a", T0, "Complete"));

    closer.lookSoon();

    assertThat(awaitClosed().outcome()).isEqualTo("Complete");
  }
}
