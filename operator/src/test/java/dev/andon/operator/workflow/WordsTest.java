package dev.andon.operator.workflow;

import static dev.andon.operator.workflow.Scene.CALL;
import static dev.andon.operator.workflow.Scene.ONCE;
import static dev.andon.operator.workflow.Scene.STOPPED;
import static dev.andon.operator.workflow.Scene.T0;
import static dev.andon.operator.workflow.Scene.TYPE;
import static dev.andon.operator.workflow.Scene.block;
import static dev.andon.operator.workflow.Scene.job;
import static dev.andon.operator.workflow.Scene.key;
import static dev.andon.operator.workflow.Scene.range;
import static dev.andon.operator.workflow.Scene.sleep;
import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.JobTypeSpec;
import dev.andon.crds.WorkflowSpec;
import dev.andon.crds.WorkflowStatus.Failure;
import dev.andon.crds.WorkflowStatus.StoppedBy;
import dev.andon.operator.execution.Outcome;
import dev.andon.operator.ledger.LedgerView;
import dev.andon.operator.stop.StopView;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a workflow tells people: what happened, to which job, by whom, and what to do. */
class WordsTest {
  private static String ready(Scene scene) {
    return Conditions.find(scene.status.conditions(), "Ready").orElseThrow().message();
  }

  private static void pausedBySpec(Scene scene) {
    scene.spec =
        new WorkflowSpec(
            TYPE, null, null, null, null, null, true, null, null, null, scene.spec.blocks());
    scene.generation++;
  }

  @Test
  void while_it_runs_how_far_the_block_is() {
    var scene = new Scene(block("a", 1, job("x", CALL), job("y", CALL)));
    scene.step();
    scene.succeed(key("a", 0, 1));
    scene.step();

    assertThat(ready(scene)).isEqualTo("block a: 1 of 2 jobs ended");
    assertThat(scene.status.currentBlock()).isEqualTo("a (1/1)");
  }

  @Test
  void before_a_block_begins_that_none_of_its_jobs_has_ended() {
    var scene =
        new Scene(
            new WorkflowSpec.Block("a", 1, null, List.of(job("x", CALL)), null, 30),
            range("b", 1, 7, CALL));
    scene.step();
    scene.succeed(key("a", 0, 1));
    scene.step();

    assertThat(ready(scene)).isEqualTo("block b: 0 of 7 jobs ended");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "-",
      value = {
        "stop      | kubectl-patch | smoke | stopped: Erase is \"stop\" in ConfigMap emergency-stop, written by kubectl-patch: smoke",
        "stop      | -             | -     | stopped: Erase is \"stop\" in ConfigMap emergency-stop",
        "(missing) | -             | smoke | stopped: Erase (missing) in ConfigMap emergency-stop: smoke",
      })
  void who_stopped_it_and_why(String value, String manager, String reason, String expected) {
    var scene = new Scene(block("a", 1, job("x", CALL)));
    scene.step();
    scene.stop = new StopView.Stopped(new StoppedBy(TYPE, value, "11", manager, reason));
    scene.step();

    assertThat(ready(scene)).isEqualTo(expected + "; 1 attempts under way are being cancelled");

    scene.outcome(key("a", 0, 1), new Outcome.Cancelled());
    scene.step();
    assertThat(ready(scene)).isEqualTo(expected);
  }

  @Test
  void before_the_start_what_to_set_to_go() {
    var scene = new Scene(block("a", 1, job("x", CALL)));
    scene.stop = STOPPED;
    scene.step();

    assertThat(ready(scene))
        .isEqualTo(
            "not armed: Erase is \"stop\" in ConfigMap emergency-stop of namespace andon-stop; it"
                + " starts once a person sets Erase to go");
  }

  @Test
  void while_it_is_being_deleted_what_is_waited_for() {
    var scene = new Scene(range("a", 2, 4, ONCE));
    scene.step();
    scene.deleted = scene.now;
    scene.step();

    assertThat(ready(scene))
        .isEqualTo("the Workflow is being deleted; 2 attempts under way are being cancelled");
  }

  @Test
  void each_way_in_which_it_is_paused() {
    String told = "paused by ann (WorkflowAction a-0) at " + T0 + ": looks odd";
    String way = "; a WorkflowAction Resume lets it go on";
    var byAction = new Scene(block("a", 1, job("x", CALL)));
    byAction.ask("Pause");
    byAction.step();
    assertThat(ready(byAction)).isEqualTo(told + way);

    var bySpec = new Scene(block("a", 1, job("x", CALL)));
    pausedBySpec(bySpec);
    bySpec.step();
    assertThat(ready(bySpec)).isEqualTo("spec.paused is true");

    pausedBySpec(byAction);
    byAction.step();
    assertThat(ready(byAction)).isEqualTo("spec.paused is true; " + told + way);
  }

  @Test
  void what_policy_denies() {
    var scene = new Scene(block("a", 1, job("x", CALL)), block("b", 1, job("y", CALL)));
    scene.step();
    scene.policies.clear();
    scene.succeed(key("a", 0, 1));
    scene.step();

    assertThat(ready(scene)).startsWith("workflow type \"Erase\": no policy admits it");
  }

  @Test
  void which_jobs_nobody_knows_of_the_first_ten_of_them() {
    var ten = new Scene(range("a", 11, 11, ONCE));
    ten.step();
    for (int i = 0; i < 10; i++) {
      ten.outcome(key("a", i, 1), new Outcome.Unknown("dropped", true));
    }
    ten.step();
    String names = "a/m-001, a/m-002, a/m-003, a/m-004, a/m-005, a/m-006, a/m-007, a/m-008";
    assertThat(ready(ten))
        .endsWith("; unknown whether 10 jobs were done: " + names + ", a/m-009, a/m-010");

    ten.outcome(key("a", 10, 1), new Outcome.Unknown("dropped", true));
    ten.step();
    assertThat(ready(ten))
        .endsWith("; unknown whether 11 jobs were done: " + names + ", a/m-009, a/m-010, …");
  }

  /** Of four jobs, of which three are unknown. */
  private static Scene threeUnknown(String maxFailures) {
    var scene = new Scene(range("a", 4, 4, ONCE, null, maxFailures));
    scene.step();
    for (int i : List.of(0, 1, 3)) {
      scene.outcome(key("a", i, 1), new Outcome.Unknown("dropped", true));
    }
    scene.step();
    return scene;
  }

  private static final String HOW_TO_GO_ON =
      "; unknown whether 3 jobs were done: a/m-001, a/m-002, a/m-004"
          + "; to go on create a Workflow with continueFrom: erase; what is Unknown there and not repeated waits for a WorkflowAction Resolve, which can name many (block: a, indexes: \"0-1,3\")";

  @Test
  void how_a_person_says_what_became_of_unknown_jobs() {
    var scene = threeUnknown(null);

    assertThat(ready(scene))
        .startsWith(
            "nothing more is sent until a person has looked, and a WorkflowAction Resolve with block: a, indexes: \"0-1,3\" says what became of them"
                + "; unknown whether 3 jobs were done: a/m-001, ");
  }

  @Test
  void how_to_go_on_once_it_is_stopped_with_unknown_jobs() {
    var scene = threeUnknown(null);
    scene.succeed(key("a", 2, 1));
    scene.stop = STOPPED;
    scene.step();

    assertThat(scene.status.phase()).isEqualTo("Stopped");
    assertThat(ready(scene)).endsWith(HOW_TO_GO_ON);
  }

  @Test
  void how_to_go_on_once_it_is_cancelled_or_failed_with_unknown_jobs() {
    var cancelled = threeUnknown(null);
    cancelled.succeed(key("a", 2, 1));
    cancelled.ask("Cancel");
    cancelled.step();
    assertThat(cancelled.condition("Failed")).isEqualTo("True/Cancelled");
    assertThat(ready(cancelled)).endsWith(HOW_TO_GO_ON);

    var failed = threeUnknown("0");
    failed.fail(key("a", 2, 1));
    failed.step();
    assertThat(failed.condition("Failed")).isEqualTo("True/JobFailed");
    assertThat(ready(failed)).endsWith(HOW_TO_GO_ON);
  }

  @Test
  void nothing_of_how_to_resolve_where_nothing_is_unknown() {
    var scene = new Scene(block("a", 1, job("x", CALL)));
    scene.step();
    scene.outcome(key("a", 0, 1), new Outcome.Cancelled());
    scene.stop = STOPPED;
    scene.step();

    assertThat(scene.status.phase()).isEqualTo("Stopped");
    assertThat(ready(scene)).doesNotContain("Resolve", "continueFrom");
  }

  /** Ranges without end would hide all else that the message says. */
  @Test
  void of_many_scattered_jobs_the_first_ranges_and_where_the_others_are() {
    var scene = new Scene(range("a", 400, 400, ONCE));
    scene.step();
    for (int i = 0; i < 400; i += 2) {
      scene.outcome(key("a", i, 1), new Outcome.Unknown("dropped", true));
    }
    scene.step();

    assertThat(ready(scene))
        .containsPattern(
            "indexes: \"0,2,4,[0-9,]*[0-9],…\"; all of them are in status.blocks\\[\\].unknown")
        .hasSizeLessThan(1_000);
  }

  @Test
  void how_many_failed_how_many_may_and_the_first_of_them() {
    var scene = new Scene(range("a", 1, 4, ONCE, null, "1"));
    scene.step();
    scene.fail(key("a", 0, 1));
    scene.step();
    scene.outcome(key("a", 1, 1), new Outcome.Failed("HttpStatus", "501"));
    scene.step();

    assertThat(ready(scene))
        .isEqualTo("block a: 2 of 4 jobs failed, 1 may; first m-001: HttpStatus: 500");
  }

  @Test
  void of_the_budget_of_the_workflow_the_jobs_of_all_blocks() {
    var scene =
        new Scene(range("a", 1, 2, ONCE, null, "100%"), range("b", 1, 3, ONCE, null, "100%"));
    scene.mayFail("1");
    scene.step();
    scene.fail(key("a", 0, 1));
    scene.step();
    assertThat(scene.status.phase()).as("as many as may").isEqualTo("Running");
    scene.succeed(key("a", 1, 1));
    scene.step();
    scene.fail(key("b", 0, 1));
    scene.step();

    assertThat(ready(scene))
        .isEqualTo("spec.maxFailures: 2 of 5 jobs failed, 1 may; first m-001: HttpStatus: 500");
  }

  @Test
  void of_two_budgets_the_one_that_was_exceeded() {
    var scene = new Scene(range("a", 1, 3, ONCE, null, "1"));
    scene.mayFail("0");
    scene.step();
    scene.fail(key("a", 0, 1));
    scene.step();

    assertThat(ready(scene)).startsWith("spec.maxFailures: 1 of 3 jobs failed, 0 may");
  }

  @Test
  void that_running_jobs_finish_first() {
    var scene = new Scene(range("a", 2, 4, ONCE));
    scene.step();
    scene.fail(key("a", 0, 1));
    scene.step();

    assertThat(ready(scene))
        .isEqualTo(
            "block a: 1 of 4 jobs failed, 0 may; first m-001: HttpStatus: 500; 1 running jobs"
                + " finish first");
  }

  @Test
  void what_failed_within_the_budget() {
    var scene = new Scene(range("a", 2, 2, ONCE, null, "50%"));
    scene.step();
    scene.fail(key("a", 0, 1));
    scene.succeed(key("a", 1, 1));
    scene.step();

    assertThat(ready(scene))
        .isEqualTo("1 of 2 jobs failed, within the budget; first m-001: HttpStatus: 500");
  }

  @Test
  void of_failures_the_first_twenty_in_detail() {
    var scene = new Scene(range("a", 30, 30, ONCE, null, "100%"));
    scene.step();
    for (int i = 0; i < 21; i++) {
      scene.fail(key("a", i, 1));
    }
    scene.step();

    assertThat(scene.status.failures()).hasSize(20);
    assertThat(scene.status.failures()).extracting(Failure::job).last().isEqualTo("m-020");
    assertThat(scene.status.jobs().failed()).isEqualTo(21);
  }

  @Test
  void what_is_wrong_with_a_job_type_it_uses() {
    var scene = new Scene(block("a", 1, job("x", CALL), sleep("s", "1")));
    JobTypeSpec t = scene.jobTypes.get(CALL);
    scene.jobTypes.put(
        CALL,
        new JobTypeSpec(
            null,
            t.args(),
            t.timeoutSeconds(),
            t.retry(),
            t.retrySafe(),
            null,
            null,
            new JobTypeSpec.Executor(
                new JobTypeSpec.Http(
                    "POST", "nonsense", null, null, null, null, null, null, null, null),
                null,
                null,
                null)));

    assertThat(scene.step().begin()).isEmpty();

    assertThat(scene.condition("Ready")).isEqualTo("False/InvalidSpec");
    assertThat(ready(scene)).startsWith("JobType call: spec.executor.http.url: ");
  }

  @Test
  void before_the_start_that_job_types_it_was_accepted_with_are_gone() {
    var scene = new Scene(block("a", 1, job("x", ONCE)));
    scene.stop = STOPPED;
    scene.step();
    scene.jobTypes.remove(ONCE);
    scene.versions.remove(ONCE);
    scene.stop = Scene.OPEN;
    scene.step();

    assertThat(ready(scene))
        .startsWith(
            "since it was accepted job type once was deleted; the Workflow does not fit them any"
                + " more: ");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "-",
      value = {
        "2026-01-01T00:00:00Z | Complete | tells of uid uid-0, started 2026-01-01T00:00:00Z, ended Complete. To run",
        "-                    | -        | tells of uid uid-0; how it ended is not known. To run",
      })
  void what_ran_before_it(String started, String outcome, String expected) {
    var scene = new Scene(block("a", 1, job("x", CALL)));
    scene.ledger =
        new LedgerView.Taken(
            "rec-1", "uid-0", started == null ? null : java.time.Instant.parse(started), outcome);
    scene.step();

    assertThat(ready(scene)).contains(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0s",
    "59, 59s",
    "60, 1m0s",
    "61, 1m1s",
    "3599, 59m59s",
    "3600, 1h0m0s",
    "3660, 1h1m0s",
    "3723, 1h2m3s",
    "90000, 25h0m0s"
  })
  void how_long_it_took(long seconds, String duration) {
    var scene = new Scene(block("a", 1, job("x", CALL)));
    scene.step();
    scene.after(seconds);
    scene.succeed(key("a", 0, 1));
    scene.step();

    assertThat(scene.status.duration()).isEqualTo(duration);
    assertThat(scene.status.completionTime()).isEqualTo(scene.now);
  }

  @Test
  void of_what_never_started_no_duration() {
    var scene = new Scene(block("a", 1, job("x", CALL)));
    scene.stop = STOPPED;
    scene.ask("Cancel");
    scene.step();

    assertThat(scene.status.completionTime()).isEqualTo(T0);
    assertThat(scene.status.duration()).isNull();
  }

  @Test
  void no_more_than_a_condition_may_hold_and_no_half_of_a_character() {
    assertThat(Conditions.cut("abc", 3)).isEqualTo("abc");
    assertThat(Conditions.cut("abcd", 3)).isEqualTo("abc");
    assertThat(Conditions.cut("ab😀", 3)).isEqualTo("ab");
    assertThat(Conditions.cut("ab😀", 4)).isEqualTo("ab😀");
    assertThat(Conditions.cut("a😀b", 3)).isEqualTo("a😀");
  }
}
