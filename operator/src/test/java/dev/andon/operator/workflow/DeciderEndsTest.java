package dev.andon.operator.workflow;

import static dev.andon.operator.workflow.Scene.CALL;
import static dev.andon.operator.workflow.Scene.NOT_VISIBLE;
import static dev.andon.operator.workflow.Scene.ONCE;
import static dev.andon.operator.workflow.Scene.OPEN;
import static dev.andon.operator.workflow.Scene.STOPPED;
import static dev.andon.operator.workflow.Scene.TYPE;
import static dev.andon.operator.workflow.Scene.block;
import static dev.andon.operator.workflow.Scene.job;
import static dev.andon.operator.workflow.Scene.key;
import static dev.andon.operator.workflow.Scene.range;
import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.WorkflowSpec;
import dev.andon.crds.WorkflowStatus;
import dev.andon.crds.WorkflowStatus.PinnedJobType;
import dev.andon.crds.WorkflowStatus.StoppedBy;
import dev.andon.operator.execution.Attempt;
import dev.andon.operator.execution.Attempt.Work;
import dev.andon.operator.execution.Outcome;
import dev.andon.operator.stop.StopView;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Ends and holds that meet an operator that was away, a job type that went, or each other. */
class DeciderEndsTest {

  private static boolean sends(Decision decision) {
    return decision.begin().stream().anyMatch(a -> a.work() instanceof Work.Send);
  }

  private static void pause(Scene scene) {
    scene.spec =
        new WorkflowSpec(
            TYPE, null, null, null, null, null, true, null, null, null, scene.spec.blocks());
    scene.generation++;
  }

  @Test
  void a_retry_that_is_due_and_held_is_waited_for_and_not_spun_on() {
    var scene = new Scene(block("a", 1, job("x", CALL)));
    scene.step();
    scene.fail(key("a", 0, 1));
    scene.step();
    pause(scene);
    scene.after(30);

    assertThat(scene.step().wakeUp()).isAfter(scene.now);
  }

  @Test
  void a_stop_after_the_wall_clock_jumped_ahead_still_waits_for_what_is_under_way() {
    var scene = new Scene(block("a", 1, job("x", ONCE)));
    scene.step();
    scene.after(3 * 3_600);
    scene.stop = STOPPED;

    Decision stopping = scene.step();

    assertThat(stopping.cancel()).isTrue();
    assertThat(scene.status.phase()).isEqualTo("Stopping");
    scene.outcome(key("a", 0, 1), new Outcome.Cancelled());
    scene.step();
    assertThat(scene.status.phase()).isEqualTo("Stopped");
    assertThat(scene.status.jobs().unknown()).isZero();
  }

  @Test
  void a_stop_after_a_long_absence_cancels_what_was_left_running_and_then_waits_for_it() {
    var scene = new Scene(block("a", 1, job("x", ONCE)));
    scene.step();
    scene.outcome(key("a", 0, 1), new Outcome.Accepted("http://127.0.0.1:1/operations/7"));
    scene.step();
    scene.restart();
    scene.after(3_600);
    scene.stop = STOPPED;

    Decision back = scene.step();

    assertThat(back.cancel()).isTrue();
    assertThat(back.begin()).extracting(Attempt::key).containsExactly(key("a", 0, 1));
    assertThat(scene.status.phase()).isEqualTo("Stopping");
    scene.after(30);
    scene.step();
    assertThat(scene.status.phase()).isEqualTo("Stopping");
    scene.after(36);
    scene.step();
    assertThat(scene.status.phase()).as("but not for ever").isEqualTo("Stopped");
    assertThat(scene.status.jobs().unknown()).isEqualTo(1);
  }

  @Test
  void a_stop_that_was_written_before_the_operator_died_is_carried_out_by_the_next() {
    var scene = new Scene(block("a", 1, job("x", ONCE)));
    scene.step();
    scene.stop = STOPPED;
    scene.step();
    scene.restart();
    scene.after(600);

    Decision back = scene.step();

    assertThat(back.cancel()).isTrue();
    assertThat(back.begin()).hasSize(1);
    assertThat(scene.status.phase()).isEqualTo("Stopping");
  }

  @Test
  void a_deletion_while_no_operator_ran_cancels_what_was_left_running() {
    var scene = new Scene(block("a", 1, job("x", ONCE)));
    scene.step();
    scene.restart();
    scene.deleted = scene.now.plusSeconds(1);
    scene.after(3_600);

    Decision back = scene.step();

    assertThat(back.cancel()).isTrue();
    assertThat(back.begin()).hasSize(1);
    assertThat(back.status()).as("held back").isNotNull();
    scene.after(30);
    assertThat(scene.step().status()).as("a second look does not give up").isNotNull();
    scene.after(36);
    assertThat(scene.step().status()).as("but not for ever").isNull();
  }

  @Test
  void deleting_takes_what_does_not_end_for_unknown_after_a_minute() {
    var scene = new Scene(block("a", 1, job("x", ONCE)));
    scene.step();
    scene.deleted = scene.now;
    scene.step();
    scene.after(64);
    assertThat(scene.step().status()).as("held back").isNotNull();
    scene.after(1);

    assertThat(scene.step().status()).as("let go").isNull();
  }

  @Test
  void a_corrupt_workflow_can_be_deleted() {
    var scene = new Scene(block("a", 1, job("x", ONCE)));
    scene.step();
    scene.status = withoutStarts(scene.status);
    scene.deleted = scene.now;

    Decision decision = scene.step();

    assertThat(decision.cancel()).isTrue();
    assertThat(decision.status()).as("let go").isNull();
  }

  @Test
  void over_the_budget_an_attempt_nobody_can_ask_about_is_not_waited_for_for_ever() {
    var scene = new Scene(range("a", 2, 4, ONCE));
    scene.step();
    scene.fail(key("a", 0, 1));
    scene.step();
    scene.restart();
    scene.jobTypes.remove(ONCE);
    scene.versions.remove(ONCE);
    scene.step();
    assertThat(scene.status.phase()).isEqualTo("Running");

    scene.after(606);
    scene.step();

    assertThat(scene.condition("Ready")).isEqualTo("False/JobFailed");
    assertThat(scene.status.jobs().unknown()).isEqualTo(1);
  }

  /** The write that told of an outcome went through, but its answer was lost. */
  @Test
  void an_outcome_that_is_told_already_counts_once() {
    var scene = new Scene(block("a", 1, job("x", CALL)));
    scene.step();
    scene.outcome(key("a", 0, 1), new Outcome.Unknown("connection dropped", true));
    scene.step();
    scene.after(2);
    scene.step();
    var notBegun = new Outcome.NotBegun("RateLimited", "", scene.now.plusSeconds(9));
    scene.outcome(key("a", 0, 1), notBegun);
    scene.step();
    scene.outcome(key("a", 0, 1), notBegun);

    scene.step();
    assertThat(scene.status.active().getFirst().sends()).isEqualTo(1);

    scene.stop = STOPPED;
    scene.step();
    assertThat(scene.status.jobs().unknown()).as("it was sent once").isEqualTo(1);
  }

  @Test
  void what_is_to_be_sent_again_may_run_and_is_asked_to_end_by_a_stop() {
    var scene = new Scene(block("a", 1, job("x", CALL)));
    scene.canBeCancelled(CALL);
    scene.step();
    scene.outcome(key("a", 0, 1), new Outcome.Unknown("connection dropped", true));
    scene.step();
    scene.stop = STOPPED;

    Decision stopping = scene.step();

    assertThat(stopping.begin())
        .singleElement()
        .satisfies(
            attempt -> {
              assertThat(attempt.key()).isEqualTo(key("a", 0, 1));
              assertThat(attempt.work()).isEqualTo(new Work.End(null));
            });
    assertThat(stopping.cancel()).isTrue();
    assertThat(scene.status.phase()).isEqualTo("Stopping");
    assertThat(scene.status.starts()).as("an end is no send").isEqualTo(1);
    scene.throughJson();
    assertThat(scene.step().begin()).as("once").isEmpty();
    scene.outcome(key("a", 0, 1), new Outcome.Cancelled());
    scene.step();
    assertThat(scene.status.phase()).isEqualTo("Stopped");
    assertThat(scene.status.jobs().unknown()).isZero();
  }

  @Test
  void what_became_of_its_last_send_is_told_before_it_is_asked_to_end() {
    var scene = new Scene(block("a", 1, job("x", CALL)));
    scene.canBeCancelled(CALL);
    scene.step();
    scene.outcome(key("a", 0, 1), new Outcome.Unknown("connection dropped", true));
    scene.stop = STOPPED;

    Decision first = scene.step();

    assertThat(first.begin()).isEmpty();
    assertThat(scene.status.phase()).isEqualTo("Stopping");
    assertThat(first.wakeUp()).isEqualTo(scene.now);
    assertThat(scene.step().begin()).extracting(Attempt::work).containsExactly(new Work.End(null));
    scene.outcome(key("a", 0, 1), new Outcome.Unknown("nobody knows how it ended", true));
    assertThat(scene.step().begin()).as("asked once").isEmpty();
    assertThat(scene.status.phase()).isEqualTo("Stopped");
    assertThat(scene.status.jobs().unknown()).isEqualTo(1);
  }

  @Test
  void a_stop_asks_what_is_unknown_to_end_where_it_can_be_asked() {
    var scene = new Scene(block("a", 2, job("x", ONCE), job("y", CALL)));
    scene.canBeCancelled(ONCE);
    scene.jobType(CALL, 1, false);
    scene.step();
    scene.outcome(key("a", 0, 1), new Outcome.Unknown("connection dropped", true));
    scene.outcome(key("a", 1, 1), new Outcome.Unknown("connection dropped", true));
    scene.step();
    assertThat(scene.condition("Ready")).isEqualTo("False/UnknownOutcome");
    scene.stop = STOPPED;

    assertThat(scene.step().begin())
        .singleElement()
        .satisfies(
            attempt -> {
              assertThat(attempt.key()).isEqualTo(key("a", 0, 1));
              assertThat(attempt.work()).isEqualTo(new Work.End(null));
            });
    scene.throughJson();
    scene.outcome(key("a", 0, 1), new Outcome.Unknown("nobody knows how it ended", false));
    assertThat(scene.step().begin()).isEmpty();
    assertThat(scene.status.phase()).isEqualTo("Stopped");
    assertThat(scene.status.blocks().getFirst().unknown()).isEqualTo("0-1");
  }

  @Test
  void what_may_not_be_repeated_is_not() {
    var scene = new Scene(block("a", 1, job("x", CALL)));
    scene.step();
    scene.outcome(key("a", 0, 1), new Outcome.Unknown("Pod p is alive", false));

    scene.step();

    assertThat(scene.condition("Ready")).isEqualTo("False/UnknownOutcome");
  }

  @Test
  void a_stop_from_before_the_start_is_not_its_own_and_is_forgotten_before_it_starts() {
    var scene = new Scene(block("a", 1, job("x", CALL)));
    scene.latched = STOPPED.by();
    scene.stop = OPEN;

    Decision decision = scene.step();

    assertThat(sends(decision)).isFalse();
    assertThat(decision.started()).as("the latch lets go of what has not started").isFalse();
    assertThat(decision.wakeUp()).isBefore(scene.now.plusSeconds(2));
    scene.latched = null;
    assertThat(sends(scene.step())).isTrue();
    scene.step();
    assertThat(scene.status.phase()).isEqualTo("Running");
  }

  @Test
  void the_budget_that_was_exceeded_is_the_one_that_is_named() {
    var scene = new Scene(range("a", 1, 4, ONCE, null, "100%"));
    scene.mayFail("0");
    scene.step();
    scene.fail(key("a", 0, 1));

    scene.step();

    assertThat(scene.condition("Ready")).isEqualTo("False/JobFailed");
    assertThat(scene.status.conditions().getFirst().message())
        .startsWith("spec.maxFailures: 1 of 4 jobs failed, 0 may");
  }

  @Test
  void a_stop_by_an_empty_value_says_so_and_says_it_again_the_same() {
    var scene = new Scene(block("a", 1, job("x", CALL)));
    scene.step();
    scene.stop = new StopView.Stopped(new StoppedBy(TYPE, "", "11", null, null));

    scene.step();
    String first = scene.status.conditions().getFirst().message();
    scene.throughJson();
    scene.step();

    assertThat(first).startsWith("stopped: Erase is \"\" in ConfigMap");
    assertThat(scene.status.conditions().getFirst().message()).isEqualTo(first);
  }

  @Test
  void job_types_missing_from_the_status_of_a_started_workflow_are_corruption() {
    var scene = new Scene(block("a", 1, job("x", CALL), job("y", CALL)));
    scene.step();
    scene.status = withJobTypes(scene.status, List.of());
    scene.jobTypes.remove(CALL);
    scene.versions.remove(CALL);
    scene.succeed(key("a", 0, 1));

    scene.step();

    assertThat(scene.condition("Ready")).isEqualTo("False/CorruptStatus");
    assertThat(scene.status.conditions().getFirst().message()).contains("status.jobTypes", CALL);
  }

  @Test
  void a_stop_that_is_latched_ends_it_though_nobody_can_see_the_stop_any_more() {
    var scene = new Scene(block("a", 1, job("x", CALL)));
    scene.step();
    scene.stop = NOT_VISIBLE;
    scene.latched = STOPPED.by();

    assertThat(scene.step().cancel()).isTrue();
    assertThat(scene.status.phase()).isEqualTo("Stopping");
  }

  private static WorkflowStatus withoutStarts(WorkflowStatus s) {
    return changed(s, 0, s.jobTypes());
  }

  private static WorkflowStatus withJobTypes(WorkflowStatus s, List<PinnedJobType> jobTypes) {
    return changed(s, s.starts(), jobTypes);
  }

  private static WorkflowStatus changed(
      WorkflowStatus s, Integer starts, List<PinnedJobType> jobTypes) {
    return new WorkflowStatus(
        s.observedGeneration(),
        s.phase(),
        s.progress(),
        s.currentBlock(),
        starts,
        s.armed(),
        s.paused(),
        s.jobs(),
        s.blocks(),
        s.active(),
        s.failures(),
        s.policies(),
        jobTypes,
        s.specHash(),
        s.startTime(),
        s.completionTime(),
        s.stoppedBy(),
        s.conditions(),
        s.duration(),
        s.startedBy(),
        s.actions(),
        s.continued(),
        s.earlierAttempts(),
        null);
  }
}
