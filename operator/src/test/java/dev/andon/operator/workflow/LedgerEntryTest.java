package dev.andon.operator.workflow;

import static dev.andon.operator.workflow.Scene.CALL;
import static dev.andon.operator.workflow.Scene.block;
import static dev.andon.operator.workflow.Scene.job;
import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowRecord;
import dev.andon.crds.WorkflowStatus;
import dev.andon.operator.ledger.FakeRecords;
import dev.andon.operator.ledger.Ledger;
import dev.andon.operator.ledger.LedgerView;
import dev.andon.operator.ledger.Records;
import dev.andon.plan.SpecHash;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import org.junit.jupiter.api.Test;

/** What the ledger says before a status is written. */
class LedgerEntryTest {
  private final FakeRecords records = new FakeRecords();
  private final Ledger ledger = new Ledger(records);
  private final Scene scene = new Scene(block("a", 1, job("x", CALL)));

  private static Workflow workflow(Scene scene, WorkflowStatus status) {
    var workflow = new Workflow();
    workflow.setMetadata(
        new ObjectMetaBuilder()
            .withNamespace("fleet")
            .withName("erase")
            .withUid(scene.uid)
            .withResourceVersion("7")
            .build());
    workflow.setSpec(scene.spec);
    workflow.setStatus(status);
    return workflow;
  }

  /** Decides, and asks the ledger about the status of that. */
  private LedgerView before(LedgerView said, boolean differs) {
    WorkflowStatus was = scene.status;
    return LedgerEntry.before(ledger, scene.step(), workflow(scene, was), said, status -> differs);
  }

  private LedgerView before() {
    return before(LedgerView.NOT_ASKED, true);
  }

  /** It waits, accepted. */
  private void waiting() {
    scene.stop = Scene.STOPPED;
  }

  /** The record of a start by another object of the same name and spec. */
  private void recordOfAnother() {
    var other = new Scene(block("a", 1, job("x", CALL)));
    other.uid = "uid-0";
    new Ledger(records).open(other.step().record(), "3");
  }

  /** The record of a start of its own, that another process wrote and no status tells of. */
  private void recordOfItsOwn(String decidedFrom) {
    var same = new Scene(block("a", 1, job("x", CALL)));
    new Ledger(records).open(same.step().record(), decidedFrom);
  }

  @Test
  void a_start_is_in_the_ledger_before_its_status_may_be_written() {
    assertThat(before()).as("it may be written").isNull();

    assertThat(records.only().getSpec().workflow().uid()).isEqualTo(Scene.UID);
    assertThat(records.only().getSpec().decidedFrom()).isEqualTo("7");
  }

  @Test
  void a_start_of_what_ran_before_is_decided_again() {
    recordOfAnother();

    assertThat(before()).isInstanceOf(LedgerView.Taken.class);
  }

  @Test
  void what_waits_without_a_record_may_say_so() {
    waiting();

    assertThat(before()).isNull();
    assertThat(records.kept).isEmpty();
    assertThat(records.calls).containsExactly("read");
  }

  @Test
  void what_goes_on_waiting_for_something_else_is_asked_about_once() {
    waiting();
    before();
    scene.stop = Scene.NOT_VISIBLE;

    assertThat(before()).isNull();
    assertThat(records.calls).containsExactly("read");
    assertThat(ledger.known(Scene.UID)).isEqualTo(LedgerView.FREE);
  }

  @Test
  void what_waits_since_another_process_is_asked_about_anew() {
    waiting();
    scene.step();
    recordOfAnother();
    scene.stop = Scene.NOT_VISIBLE;

    assertThat(before()).isInstanceOf(LedgerView.Taken.class);
  }

  @Test
  void what_waits_though_it_ran_before_is_decided_again() {
    recordOfAnother();
    waiting();

    assertThat(before()).isInstanceOf(LedgerView.Taken.class);
  }

  @Test
  void before_it_waits_a_start_that_was_never_written_is_given_up_by_its_own_name() {
    recordOfItsOwn("7");
    waiting();

    assertThat(before()).isNull();

    WorkflowRecord given = records.only();
    assertThat(given.getSpec().decidedFrom()).as("no version any more").isEqualTo("none");
    assertThat(given.getSpec().workflow().uid()).isEqualTo(Scene.UID);
    assertThat(given.getSpec().workflow().namespace()).isEqualTo("fleet");
    assertThat(given.getSpec().workflow().name()).isEqualTo("erase");
    assertThat(given.getSpec().workflow().type()).isEqualTo(Scene.TYPE);
    assertThat(given.getSpec().specHash()).isEqualTo(SpecHash.of(scene.spec));
  }

  @Test
  void a_start_that_may_have_been_written_is_decided_again() {
    recordOfItsOwn("5");
    waiting();

    assertThat(before()).isInstanceOf(LedgerView.Begun.class);
  }

  @Test
  void once_that_is_decided_it_may_be_written() {
    recordOfItsOwn("5");
    LedgerView said = new LedgerView.Begun("rec");
    scene.ledger = said;

    assertThat(before(said, true)).isNull();
    assertThat(scene.condition("Ready")).isEqualTo("False/CorruptStatus");
  }

  /** There may be a record, and a status over the version it tells of would look like a loss. */
  @Test
  void without_an_answer_of_the_ledger_nothing_is_written() {
    waiting();
    records.fault = failing(new IllegalStateException("no answer"));

    assertThat(before()).isEqualTo(LedgerView.OPENED);
  }

  @Test
  void what_waits_for_a_ledger_that_refuses_may_say_so() {
    waiting();
    records.fault = failing(new Records.Refused("forbidden", new IllegalStateException()));

    assertThat(before()).isNull();
  }

  @Test
  void what_changes_nothing_asks_nothing() {
    waiting();

    assertThat(before(LedgerView.NOT_ASKED, false)).isNull();
    assertThat(records.calls).isEmpty();
  }

  @Test
  void what_has_started_asks_nothing() {
    scene.step();

    assertThat(before()).isNull();
    assertThat(records.calls).isEmpty();
  }

  @Test
  void what_has_finished_asks_nothing() {
    waiting();
    scene.ask("Cancel");
    scene.step();
    scene.generation = 2;

    assertThat(before()).isNull();
    assertThat(scene.condition("Failed")).isEqualTo("True/Cancelled");
    assertThat(records.calls).isEmpty();
  }

  @Test
  void what_was_rejected_has_nothing_to_give_up() {
    scene.policies.clear();

    assertThat(before()).isNull();
    assertThat(scene.condition("Accepted")).isEqualTo("False/PolicyDenied");
    assertThat(records.calls).isEmpty();
  }

  @Test
  void what_goes_has_nothing_to_give_up() {
    scene.deleted = scene.now;

    assertThat(before()).isNull();
    assertThat(records.calls).isEmpty();
  }

  private static FakeRecords.Fault failing(RuntimeException failure) {
    return new FakeRecords.Fault() {
      @Override
      public void before(String verb) {
        throw failure;
      }

      @Override
      public void after(String verb) {}
    };
  }
}
