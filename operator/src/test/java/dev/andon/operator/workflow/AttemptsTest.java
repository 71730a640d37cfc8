package dev.andon.operator.workflow;

import static dev.andon.operator.workflow.Scene.CALL;
import static dev.andon.operator.workflow.Scene.NOT_VISIBLE;
import static dev.andon.operator.workflow.Scene.ONCE;
import static dev.andon.operator.workflow.Scene.STOPPED;
import static dev.andon.operator.workflow.Scene.T0;
import static dev.andon.operator.workflow.Scene.TYPE;
import static dev.andon.operator.workflow.Scene.block;
import static dev.andon.operator.workflow.Scene.job;
import static dev.andon.operator.workflow.Scene.key;
import static dev.andon.operator.workflow.Scene.range;
import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.WorkflowSpec.Batch;
import dev.andon.crds.WorkflowSpec.Block;
import dev.andon.crds.WorkflowStatus.Active;
import dev.andon.crds.WorkflowStatus.Armed;
import dev.andon.crds.WorkflowStatus.BlockStatus;
import dev.andon.crds.WorkflowStatus.Failure;
import dev.andon.crds.WorkflowStatus.PinnedJobType;
import dev.andon.operator.execution.Attempt;
import dev.andon.operator.execution.Attempt.Work;
import dev.andon.operator.execution.AttemptKey;
import dev.andon.operator.execution.Outcome;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What becomes of attempts, and what follows from it for the jobs beside and after them. */
class AttemptsTest {
  private static List<AttemptKey> sends(Decision decision) {
    return decision.begin().stream()
        .filter(a -> a.work() instanceof Work.Send)
        .map(Attempt::key)
        .toList();
  }

  private static Block pausing(String type, String max) {
    Block b = range("a", 2, 2, type, null, max);
    return new Block(b.name(), b.concurrency(), b.maxFailures(), null, b.forEach(), 30);
  }

  @Test
  void an_attempt_knows_its_workflow_its_target_and_the_arming_it_runs_under() {
    var scene = new Scene(range("a", 1, 2, CALL));

    Attempt attempt = scene.step().begin().getFirst();

    assertThat(attempt.runner()).isEqualTo(new Attempt.Runner("erase", Scene.UID));
    assertThat(attempt.namespace()).isEqualTo("fleet");
    assertThat(attempt.workflowType()).isEqualTo(TYPE);
    assertThat(attempt.armed()).isEqualTo(new Armed("cm-1", ""));
    assertThat(attempt.jobType()).isEqualTo(CALL);
    assertThat(attempt.spec()).isEqualTo(scene.jobTypes.get(CALL));
    assertThat(attempt.deadline()).isEqualTo(T0.plusSeconds(600));
  }

  @Nested
  class Cancelled {
    @Test
    void by_nobody_here_is_a_failure_and_may_be_tried_again() {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.step();
      scene.outcome(key("a", 0, 1), new Outcome.Cancelled());
      scene.step();

      assertThat(scene.status.active()).singleElement().extracting(Active::attempt).isEqualTo(2);
    }

    @Test
    void by_nobody_here_is_the_end_of_a_job_without_another_attempt() {
      var scene = new Scene(block("a", 1, job("x", ONCE)));
      scene.step();
      scene.outcome(key("a", 0, 1), new Outcome.Cancelled());
      scene.step();

      assertThat(scene.condition("Ready")).isEqualTo("False/JobFailed");
      assertThat(scene.status.failures())
          .singleElement()
          .extracting(Failure::reason, Failure::message)
          .containsExactly("Cancelled", "it was cancelled");
    }

    @Test
    void since_the_workflow_is_being_deleted_is_no_failure() {
      var scene = new Scene(range("a", 2, 2, ONCE));
      scene.step();
      scene.deleted = scene.now;
      scene.step();
      scene.outcome(key("a", 0, 1), new Outcome.Cancelled());
      scene.step();

      assertThat(scene.status.jobs().failed()).isZero();
      assertThat(scene.status.failures()).isEmpty();
      assertThat(scene.status.active()).extracting(Active::index).containsExactly(1);
    }

    @Test
    void since_it_was_stopped_is_no_failure() {
      var scene = new Scene(range("a", 2, 2, ONCE));
      scene.step();
      scene.stop = STOPPED;
      scene.outcome(key("a", 0, 1), new Outcome.Cancelled());
      scene.step();

      assertThat(scene.status.jobs().failed()).isZero();
      assertThat(scene.status.phase()).isEqualTo("Stopping");
    }
  }

  @Nested
  class Repeats {
    @Test
    void what_may_have_been_sent_keeps_when_it_was_first() {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.step();
      scene.outcome(key("a", 0, 1), new Outcome.Unknown("dropped", true));
      scene.after(3);
      scene.step();

      assertThat(scene.status.active().getFirst().startTime()).isEqualTo(T0);
      assertThat(scene.status.active().getFirst().sends()).isEqualTo(1);
    }

    @Test
    void what_never_began_has_no_start() {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.step();
      scene.outcome(
          key("a", 0, 1), new Outcome.NotBegun("RateLimited", "", scene.now.plusSeconds(9)));
      scene.step();

      assertThat(scene.status.active().getFirst().startTime()).isNull();
      assertThat(scene.status.active().getFirst().sends()).isZero();
      assertThat(scene.status.active().getFirst().nextAttemptTime()).isEqualTo(T0.plusSeconds(9));
    }

    @Test
    void five_sends_of_one_attempt_are_enough_and_then_a_person_is_asked() {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.step();
      for (int send = 1; send < 5; send++) {
        scene.outcome(key("a", 0, 1), new Outcome.Unknown("dropped", true));
        scene.step();
        scene.after(60);
        assertThat(sends(scene.step())).containsExactly(key("a", 0, 1));
        assertThat(scene.status.active().getFirst().sends()).isEqualTo(send + 1);
      }
      scene.outcome(key("a", 0, 1), new Outcome.Unknown("dropped", true));
      scene.step();

      assertThat(scene.condition("Ready")).isEqualTo("False/UnknownOutcome");
    }
  }

  @Nested
  class TheEndOfABlock {
    private static Instant end(Scene scene) {
      return scene.status.blocks().getFirst().endTime();
    }

    @Test
    void is_that_of_its_last_job_though_it_failed() {
      var scene = new Scene(pausing(ONCE, "50%"), block("b", 1, job("y", CALL)));
      scene.step();
      scene.after(5);
      scene.succeed(key("a", 0, 1));
      scene.step();
      scene.after(5);
      scene.fail(key("a", 1, 1));

      assertThat(scene.step().wakeUp()).isEqualTo(T0.plusSeconds(40));
      assertThat(end(scene)).isEqualTo(T0.plusSeconds(10));
    }

    @Test
    void is_when_a_person_resolved_the_last_of_it() {
      for (String outcome : new String[] {"Succeeded", "Failed"}) {
        var scene = new Scene(pausing(ONCE, "100%"), block("b", 1, job("y", CALL)));
        scene.step();
        scene.succeed(key("a", 0, 1));
        scene.outcome(key("a", 1, 1), new Outcome.Unknown("dropped", true));
        scene.step();
        scene.after(10);
        scene.ask("Resolve", "a", 1, outcome);

        assertThat(scene.step().wakeUp()).as(outcome).isEqualTo(T0.plusSeconds(40));
        assertThat(end(scene)).isEqualTo(T0.plusSeconds(10));
        scene.throughJson();
        scene.after(30);
        assertThat(sends(scene.step())).containsExactly(key("b", 0, 1));
      }
    }
  }

  @Nested
  class Batches {
    private static BlockStatus block(Scene scene) {
      return scene.status.blocks().getFirst();
    }

    @Test
    void each_waits_for_all_of_the_one_before_and_none_comes_after_the_last() {
      var scene = new Scene(range("a", 2, 5, CALL, new Batch(2, 30), null));
      scene.step();
      scene.succeed(key("a", 0, 1));
      scene.succeed(key("a", 1, 1));
      scene.step();
      assertThat(block(scene).nextBatchTime()).isEqualTo(T0.plusSeconds(30));
      scene.after(30);
      assertThat(sends(scene.step())).containsExactly(key("a", 2, 1), key("a", 3, 1));

      scene.after(1);
      scene.succeed(key("a", 3, 1));
      assertThat(sends(scene.step())).isEmpty();
      assertThat(block(scene).nextBatchTime()).as("2 runs").isEqualTo(T0.plusSeconds(30));
      scene.after(1);
      scene.succeed(key("a", 2, 1));
      scene.step();
      assertThat(block(scene).nextBatchTime()).isEqualTo(T0.plusSeconds(62));

      scene.after(30);
      assertThat(sends(scene.step())).containsExactly(key("a", 4, 1));
      scene.succeed(key("a", 4, 1));
      scene.step();
      assertThat(block(scene).nextBatchTime()).as("the last").isEqualTo(T0.plusSeconds(62));
      assertThat(scene.status.phase()).isEqualTo("Complete");
    }

    /** What was judged once goes on, retries included. */
    @Test
    void one_that_has_begun_is_not_judged_again_though_none_of_its_jobs_has_ended() {
      var scene = new Scene(range("a", 2, 4, CALL, new Batch(2, 0), null));
      scene.step();
      scene.fail(key("a", 0, 1));
      scene.fail(key("a", 1, 1));
      scene.step();
      scene.policies.clear();
      scene.after(2);

      assertThat(sends(scene.step())).containsExactly(key("a", 0, 2), key("a", 1, 2));
    }
  }

  @Nested
  class OverTheBudget {
    @Test
    void a_retry_that_waits_is_taken_back() {
      var scene = new Scene(block("a", 2, job("x", ONCE), job("y", CALL)));
      scene.step();
      scene.fail(key("a", 1, 1));
      scene.step();
      assertThat(scene.status.active()).hasSize(2);
      scene.fail(key("a", 0, 1));
      scene.step();

      assertThat(scene.condition("Ready")).isEqualTo("False/JobFailed");
      assertThat(scene.status.active()).isEmpty();
      assertThat(scene.status.jobs().unknown()).isZero();
    }

    @Test
    void one_that_was_sent_is_unknown() {
      var scene = new Scene(block("a", 2, job("x", ONCE), job("y", CALL)));
      scene.step();
      scene.outcome(key("a", 1, 1), new Outcome.Unknown("dropped", true));
      scene.fail(key("a", 0, 1));
      scene.step();

      assertThat(scene.condition("Ready")).isEqualTo("False/JobFailed");
      assertThat(scene.status.blocks().getFirst().unknown()).isEqualTo("1");
    }

    @Test
    void what_another_process_left_running_is_asked_about() {
      var scene = new Scene(range("a", 2, 4, ONCE));
      scene.step();
      scene.fail(key("a", 0, 1));
      scene.step();
      scene.restart();

      assertThat(scene.step().begin())
          .singleElement()
          .extracting(Attempt::key, Attempt::work)
          .containsExactly(key("a", 1, 1), new Work.Observe());
    }

    @Test
    void as_many_failures_as_may_be_are_not_over_it() {
      var scene = new Scene(range("a", 1, 3, ONCE, null, "1"));
      scene.step();
      scene.fail(key("a", 0, 1));

      assertThat(sends(scene.step())).containsExactly(key("a", 1, 1));
    }
  }

  @Nested
  class LeftOver {
    private static Scene stoppedAfterARestart(String changed) {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.step();
      scene.restart();
      if (changed != null) {
        scene.versions.put(CALL, new PinnedJobType(CALL, changed, 1L));
      }
      scene.stop = STOPPED;
      return scene;
    }

    @Test
    void of_a_job_type_as_it_was_is_ended_by_it() {
      Scene scene = stoppedAfterARestart(null);

      assertThat(scene.step().begin())
          .singleElement()
          .satisfies(
              a -> {
                assertThat(a.work()).isEqualTo(new Work.End(null));
                assertThat(a.spec()).isEqualTo(scene.jobTypes.get(CALL));
              });
    }

    @Test
    void of_a_job_type_that_is_another_now_is_not_asked_of_its_target() {
      Scene scene = stoppedAfterARestart("another");

      assertThat(scene.step().begin())
          .singleElement()
          .satisfies(
              a -> {
                assertThat(a.work()).isEqualTo(new Work.End(null));
                assertThat(a.spec().executor().http()).isNull();
                assertThat(a.spec().executor().container()).isNotNull();
              });
    }
  }

  @Nested
  class JobTypesOfOthers {
    /** Two types side by side, of which the second changes. */
    private static Scene changed() {
      var scene = new Scene(block("a", 2, job("x", CALL), job("y", ONCE), job("z", CALL)));
      scene.step();
      scene.versions.put(ONCE, new PinnedJobType(ONCE, "once-uid", 2L));
      return scene;
    }

    @Test
    void that_did_not_change_are_not_waited_for() {
      Scene scene = changed();
      scene.succeed(key("a", 1, 1));
      scene.step();
      var resume = scene.ask("Resume");
      scene.step();

      assertThat(scene.answer(resume).message())
          .isEqualTo(
              "it goes on with job types as they are now: job type once changed (generation 1 to"
                  + " 2)");
    }

    @Test
    void that_did_not_change_keep_their_unknown_jobs_as_they_are() {
      var scene = new Scene(block("a", 2, job("x", ONCE), job("y", CALL), job("z", CALL)));
      scene.step();
      scene.outcome(key("a", 0, 1), new Outcome.Unknown("dropped", true));
      scene.succeed(key("a", 1, 1));
      scene.versions.put(CALL, new PinnedJobType(CALL, "call-uid", 2L));
      scene.step();
      var resume = scene.ask("Resume");
      scene.step();

      assertThat(scene.answer(resume).phase()).isEqualTo("Applied");
      assertThat(scene.status.earlierAttempts()).isEmpty();
    }
  }

  /** The second layer of the stop holds intents back: the same world, and nothing is sent. */
  @Test
  void what_is_decided_as_if_the_stop_were_not_visible_is_all_but_the_sends() {
    var scene = new Scene(block("a", 1, job("x", CALL), job("y", CALL)));
    scene.step();
    scene.succeed(key("a", 0, 1));
    Snapshot snapshot = scene.snapshot();

    Decision decision = scene.decider.decide(snapshot.seeing(NOT_VISIBLE));

    assertThat(sends(decision)).isEmpty();
    assertThat(decision.status().progress()).isEqualTo("1/2");
    assertThat(decision.settled()).isEqualTo(snapshot.outcomes());
    assertThat(sends(scene.decider.decide(snapshot))).containsExactly(key("a", 1, 1));
  }
}
