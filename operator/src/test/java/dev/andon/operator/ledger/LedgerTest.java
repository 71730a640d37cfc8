package dev.andon.operator.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.WorkflowRecord;
import dev.andon.crds.WorkflowRecordSpec;
import dev.andon.crds.WorkflowRecordSpec.WorkflowRef;
import dev.andon.plan.RecordName;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class LedgerTest {
  private static final String HASH = "v1:" + "0".repeat(64);
  private static final Instant T0 = Instant.parse("2026-01-01T00:00:00Z");

  private final FakeRecords records = new FakeRecords();
  private Ledger ledger = new Ledger(records);

  private static WorkflowRecordSpec run(String uid) {
    return of(new WorkflowRef("fleet", "erase", uid, "Erase"), HASH, T0);
  }

  private static WorkflowRecordSpec of(WorkflowRef workflow, String hash, Instant start) {
    return FakeRecords.running(workflow, hash, "7", start);
  }

  private static WorkflowRecordSpec ended(String uid, String outcome) {
    return new WorkflowRecordSpec(
        new WorkflowRef("fleet", "erase", uid, "Erase"),
        HASH,
        null,
        "7",
        T0,
        T0.plusSeconds(1),
        outcome,
        null,
        null,
        null,
        List.of(),
        List.of(),
        List.of(),
        null);
  }

  private void anotherProcess() {
    ledger = new Ledger(records);
  }

  @Test
  void a_first_run_is_written_down_open_with_the_version_it_was_decided_from() {
    assertThat(ledger.open(run("a"), "7")).isEqualTo(LedgerView.OPENED);

    WorkflowRecord record = records.only();
    assertThat(record.getMetadata().getName()).isEqualTo(RecordName.of("fleet", "erase", HASH));
    assertThat(record.getMetadata().getLabels())
        .containsEntry(WorkflowRecord.STATE_LABEL, WorkflowRecord.OPEN);
    assertThat(record.getSpec()).isEqualTo(run("a").decidedFrom("7"));
    assertThat(records.calls).as("one write").containsExactly("create");
  }

  @Test
  void another_uid_of_the_same_run_is_a_duplicate() {
    ledger.open(run("a"), "7");
    ledger.forget("a");

    assertThat(ledger.open(run("b"), "9"))
        .isEqualTo(new LedgerView.Taken(records.only().getMetadata().getName(), "a", T0, null));
    assertThat(records.only().getSpec().workflow().uid()).isEqualTo("a");
  }

  @Test
  void two_that_start_at_once_get_one_start() {
    var other = new Ledger(records);

    LedgerView first = ledger.open(run("a"), "7");
    LedgerView second = other.open(run("b"), "8");

    assertThat(List.of(first, second)).containsOnlyOnce(LedgerView.OPENED);
  }

  @Test
  void a_process_that_died_before_the_status_is_followed_by_one_that_goes_on() {
    ledger.open(run("a"), "7");
    anotherProcess();

    assertThat(ledger.open(run("a"), "7")).isEqualTo(LedgerView.OPENED);
  }

  @Test
  void a_status_lost_after_the_start_never_runs_again() {
    ledger.open(run("a"), "7");
    anotherProcess();

    assertThat(ledger.open(run("a"), "9")).isInstanceOf(LedgerView.Begun.class);
    assertThat(ledger.giveUp(run("a"), "9")).isInstanceOf(LedgerView.Begun.class);
  }

  @Test
  void a_status_lost_in_the_process_that_wrote_it_never_runs_again() {
    ledger.open(run("a"), "7");
    ledger.forget("a"); // its start is in status

    assertThat(ledger.open(run("a"), "9")).isInstanceOf(LedgerView.Begun.class);
  }

  @Test
  void a_conflict_of_the_status_writes_the_new_version_down() {
    ledger.open(run("a"), "7");

    assertThat(ledger.open(run("a"), "8")).isEqualTo(LedgerView.OPENED);
    assertThat(records.only().getSpec().decidedFrom()).isEqualTo("8");
  }

  @Test
  void a_closed_record_of_its_own_lets_nothing_start() {
    ledger.open(run("a"), "7");
    records.tamper(ended("a", "Complete"));
    anotherProcess();

    assertThat(ledger.open(run("a"), "7")).isInstanceOf(LedgerView.Begun.class);
  }

  @Test
  void what_waits_has_its_start_given_up_first_and_may_start_at_any_version_then() {
    ledger.open(run("a"), "7");
    anotherProcess();

    assertThat(ledger.giveUp(run("a"), "7")).isEqualTo(LedgerView.FREE);
    assertThat(records.only().getSpec().decidedFrom()).isEqualTo("none");

    anotherProcess();
    assertThat(ledger.open(run("a"), "12")).isEqualTo(LedgerView.OPENED);
    assertThat(records.only().getSpec().decidedFrom()).isEqualTo("12");
    anotherProcess();
    assertThat(ledger.open(run("a"), "14")).isInstanceOf(LedgerView.Begun.class);
  }

  @Test
  void what_waits_is_asked_about_once() {
    ledger.giveUp(run("a"), "7");
    ledger.giveUp(run("a"), "8");

    assertThat(records.calls).containsExactly("read");
    assertThat(ledger.known("a")).isEqualTo(LedgerView.FREE);
  }

  @Test
  void what_waits_is_told_of_a_run_that_was_before_it() {
    ledger.open(run("a"), "7");

    assertThat(ledger.giveUp(run("b"), "9")).isInstanceOf(LedgerView.Taken.class);
  }

  @Test
  void a_refused_write_starts_nothing_and_is_tried_again() {
    records.fault = failing("create");

    assertThat(ledger.open(run("a"), "7"))
        .isInstanceOfSatisfying(
            LedgerView.Unavailable.class, u -> assertThat(u.why()).contains("written", "no"));

    records.fault = new FakeRecords().fault;
    assertThat(ledger.giveUp(run("a"), "7")).isEqualTo(LedgerView.FREE);
    assertThat(ledger.open(run("a"), "8")).isEqualTo(LedgerView.OPENED);
  }

  @Test
  void a_lost_answer_to_the_create_is_no_duplicate_of_itself() {
    records.fault = losingTheAnswerOf("create");
    assertThat(ledger.open(run("a"), "7")).isInstanceOf(LedgerView.Unavailable.class);
    records.fault = new FakeRecords().fault;

    // The status that tells so was written meanwhile.
    assertThat(ledger.open(run("a"), "8")).isEqualTo(LedgerView.OPENED);
    assertThat(records.only().getSpec().decidedFrom()).isEqualTo("8");
  }

  @Test
  void a_create_that_failed_makes_the_record_of_another_process_no_safer() {
    ledger.open(run("a"), "7");
    anotherProcess(); // and the status is lost
    records.fault = failing("create");
    ledger.open(run("a"), "9");
    records.fault = new FakeRecords().fault;

    assertThat(ledger.open(run("a"), "9")).isInstanceOf(LedgerView.Begun.class);
  }

  @Test
  void what_cannot_be_given_up_is_not_written_over() {
    ledger.open(run("a"), "7");
    anotherProcess();
    records.fault = failing("replace");

    assertThat(ledger.giveUp(run("a"), "7")).isEqualTo(LedgerView.OPENED);
  }

  @Test
  void what_cannot_be_given_up_and_is_of_another_version_may_be_told_of() {
    // Given a start whose status met another version, and a webhook that hangs since.
    ledger.open(run("a"), "7");
    records.fault = failing("replace");
    assertThat(ledger.open(run("a"), "8")).isInstanceOf(LedgerView.Unavailable.class);

    assertThat(ledger.giveUp(run("a"), "8")).isInstanceOf(LedgerView.Unavailable.class);

    // And once it is gone the start goes on.
    records.fault = new FakeRecords().fault;
    assertThat(ledger.open(run("a"), "9")).isEqualTo(LedgerView.OPENED);
    assertThat(records.only().getSpec().decidedFrom()).isEqualTo("9");
  }

  @ParameterizedTest
  @MethodSource
  void a_record_that_was_tampered_with_lets_nothing_start(WorkflowRecordSpec spec, String finding) {
    ledger.open(run("a"), "7");
    records.tamper(spec);
    anotherProcess();

    assertThat(ledger.open(run("a"), "7"))
        .isInstanceOfSatisfying(
            LedgerView.Damaged.class, d -> assertThat(d.why()).contains(finding));
    assertThat(ledger.open(run("b"), "7")).isInstanceOf(LedgerView.Damaged.class);
  }

  static Stream<Arguments> a_record_that_was_tampered_with_lets_nothing_start() {
    return Stream.of(
        Arguments.of(null, "spec.workflow"),
        Arguments.of(of(null, HASH, T0), "spec.workflow"),
        Arguments.of(
            of(new WorkflowRef("other", "erase", "a", "Erase"), HASH, T0),
            "spec.workflow.namespace"),
        Arguments.of(
            of(new WorkflowRef("fleet", "other", "a", "Erase"), HASH, T0), "spec.workflow.name"),
        Arguments.of(
            of(new WorkflowRef("fleet", "erase", "a", "Other"), HASH, T0), "spec.workflow.type"),
        Arguments.of(
            of(new WorkflowRef("fleet", "erase", null, "Erase"), HASH, T0), "spec.workflow.uid"),
        Arguments.of(
            of(new WorkflowRef("fleet", "erase", "a", "Erase"), "v1:" + "1".repeat(64), T0),
            "spec.specHash"),
        Arguments.of(
            of(
                new WorkflowRef("fleet", "erase", "a", "Erase"),
                HASH,
                dev.andon.crds.Timestamp.UNREADABLE),
            "no time"));
  }

  private static FakeRecords.Fault failing(String verb) {
    return fault(verb, null);
  }

  private static FakeRecords.Fault losingTheAnswerOf(String verb) {
    return fault(null, verb);
  }

  private static FakeRecords.Fault fault(String before, String after) {
    return new FakeRecords.Fault() {
      @Override
      public void before(String verb) {
        if (verb.equals(before)) {
          throw new IllegalStateException("no");
        }
      }

      @Override
      public void after(String verb) {
        if (verb.equals(after)) {
          throw new IllegalStateException("connection reset");
        }
      }
    };
  }
}
