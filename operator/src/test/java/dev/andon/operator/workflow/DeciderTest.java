package dev.andon.operator.workflow;

import static dev.andon.operator.workflow.Scene.CALL;
import static dev.andon.operator.workflow.Scene.NOT_VISIBLE;
import static dev.andon.operator.workflow.Scene.ONCE;
import static dev.andon.operator.workflow.Scene.OPEN;
import static dev.andon.operator.workflow.Scene.STOPPED;
import static dev.andon.operator.workflow.Scene.T0;
import static dev.andon.operator.workflow.Scene.TYPE;
import static dev.andon.operator.workflow.Scene.block;
import static dev.andon.operator.workflow.Scene.job;
import static dev.andon.operator.workflow.Scene.key;
import static dev.andon.operator.workflow.Scene.range;
import static dev.andon.operator.workflow.Scene.sleep;
import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.Condition;
import dev.andon.crds.WorkflowRecordSpec;
import dev.andon.crds.WorkflowSpec;
import dev.andon.crds.WorkflowSpec.Batch;
import dev.andon.crds.WorkflowSpec.Block;
import dev.andon.crds.WorkflowStatus;
import dev.andon.crds.WorkflowStatus.Active;
import dev.andon.crds.WorkflowStatus.BlockStatus;
import dev.andon.crds.WorkflowStatus.PinnedJobType;
import dev.andon.operator.execution.Attempt;
import dev.andon.operator.execution.Attempt.Work;
import dev.andon.operator.execution.AttemptKey;
import dev.andon.operator.execution.Executions.Wait;
import dev.andon.operator.execution.Outcome;
import dev.andon.operator.ledger.LedgerView;
import dev.andon.operator.stop.StopView;
import dev.andon.plan.SpecHash;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class DeciderTest {
  private static final KubernetesSerialization JSON = new KubernetesSerialization();

  private static List<AttemptKey> sends(Decision decision) {
    return decision.begin().stream()
        .filter(a -> a.work() instanceof Work.Send)
        .map(Attempt::key)
        .toList();
  }

  @Nested
  class Start {
    @Test
    void a_valid_workflow_is_accepted_started_and_sent_in_one_decision() {
      var scene = new Scene(block("a", 2, job("x", CALL), job("y", CALL), job("z", CALL)));

      Decision decision = scene.step();

      assertThat(sends(decision)).containsExactly(key("a", 0, 1), key("a", 1, 1));
      assertThat(scene.status.phase()).isEqualTo("Running");
      assertThat(scene.status.starts()).isEqualTo(2);
      assertThat(scene.status.active()).hasSize(2);
      assertThat(scene.status.jobTypes()).containsExactly(new PinnedJobType(CALL, "call-uid", 1L));
      assertThat(scene.status.armed().configMapUID()).isEqualTo("cm-1");
      assertThat(scene.status.specHash()).isEqualTo(SpecHash.of(scene.spec));
      assertThat(scene.condition("Accepted")).isEqualTo("True/Accepted");
    }

    @Test
    void what_was_missing_of_the_stops_protections_at_the_start_is_told_from_then_on() {
      var scene = new Scene(block("a", 1, job("x", CALL), job("y", CALL)));
      scene.unprotected.add("andon-arming-ids");

      scene.step();

      assertThat(scene.condition("Protected")).isEqualTo("False/ProtectionMissing");
      assertThat(scene.status.conditions())
          .filteredOn(c -> c.type().equals("Protected"))
          .allSatisfy(c -> assertThat(c.message()).contains("andon-arming-ids"));

      scene.unprotected.clear();
      scene.throughJson();
      scene.succeed(key("a", 0, 1));
      scene.step();

      assertThat(scene.condition("Protected")).isEqualTo("False/ProtectionMissing");
    }

    @Test
    void a_protection_that_goes_missing_later_writes_no_status() {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.step();
      var before = Scene.json(scene.status);
      scene.unprotected.add("andon-stop-jobs");

      scene.step();

      assertThat(Scene.json(scene.status)).isEqualTo(before);
      assertThat(scene.condition("Protected")).isEqualTo("absent");
    }

    @Test
    void an_invalid_spec_is_rejected_with_all_findings() {
      var scene = new Scene(block("a", 1, job("x", "nosuch"), job("x", CALL)));

      Decision decision = scene.step();

      assertThat(scene.status.phase()).isEqualTo("Rejected");
      assertThat(decision.begin()).isEmpty();
      assertThat(decision.wakeUp()).isNull();
      assertThat(scene.status.conditions().getFirst().message())
          .contains("unknown job type \"nosuch\"", "is the name of another job too");
      assertThat(scene.condition("Accepted")).isEqualTo("False/InvalidSpec");
    }

    @Test
    void zero_blocks_are_rejected_and_do_not_panic() {
      var scene = new Scene();

      scene.step();

      assertThat(scene.condition("Ready")).isEqualTo("False/InvalidSpec");
    }

    @Test
    void without_a_policy_for_its_type_it_is_rejected() {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.policies.clear();

      scene.step();

      assertThat(scene.condition("Ready")).isEqualTo("False/PolicyDenied");
    }

    @Test
    void while_the_type_is_stopped_it_waits_and_starts_when_it_is_armed() {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.stop = STOPPED;

      Decision waiting = scene.step();
      assertThat(sends(waiting)).isEmpty();
      assertThat(scene.status.phase()).isEqualTo("Pending");
      assertThat(scene.condition("Ready")).isEqualTo("False/EmergencyStop");
      assertThat(scene.condition("Suspended")).isEqualTo("True/EmergencyStop");

      scene.stop = OPEN;
      assertThat(sends(scene.step())).hasSize(1);
    }

    @Test
    void the_wait_is_bounded_by_the_start_deadline() {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.spec =
          new WorkflowSpec(
              TYPE, null, null, null, 60, null, null, null, null, null, scene.spec.blocks());
      scene.stop = STOPPED;

      assertThat(scene.step().wakeUp()).isEqualTo(T0.plusSeconds(60));
      scene.after(60);
      scene.stop = OPEN;
      scene.step();

      assertThat(scene.condition("Ready")).isEqualTo("False/StartDeadlineExceeded");
    }

    @Test
    void a_manual_one_waits_an_hour_at_most() {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.spec =
          new WorkflowSpec(
              TYPE, null, null, "Manual", null, null, null, null, null, null, scene.spec.blocks());

      scene.step();
      assertThat(scene.condition("Ready")).isEqualTo("False/StartRequired");
      scene.after(3600);
      scene.step();
      assertThat(scene.condition("Ready")).isEqualTo("False/StartDeadlineExceeded");
    }
  }

  @Nested
  class TheLedger {
    @Test
    void a_start_comes_with_the_record_of_it() {
      var scene = new Scene(block("a", 1, job("x", CALL)));

      WorkflowRecordSpec record = scene.step().record();

      assertThat(record.workflow())
          .isEqualTo(new WorkflowRecordSpec.WorkflowRef("fleet", "erase", Scene.UID, TYPE));
      assertThat(record.specHash()).isEqualTo(SpecHash.of(scene.spec));
      assertThat(record.startTime()).isEqualTo(scene.status.startTime());
      assertThat(record.jobTypes()).isEqualTo(scene.status.jobTypes());
      assertThat(record.policies()).isEqualTo(scene.status.policies());
      assertThat(record.outcome()).isNull();
      scene.succeed(key("a", 0, 1));
      assertThat(scene.step().record()).as("once").isNull();
    }

    @Test
    void where_status_says_it_is_another_spec_there_is_no_start_and_no_record() {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.stop = STOPPED;
      scene.step();
      scene.status =
          JSON.unmarshal(
              JSON.asJson(scene.status).replaceAll("v1:[0-9a-f]{64}", "v1:" + "0".repeat(64)),
              WorkflowStatus.class);
      scene.stop = OPEN;

      assertThat(scene.step().record()).isNull();
      assertThat(scene.condition("Failed")).isEqualTo("True/CorruptStatus");
    }

    @Test
    void a_run_that_was_before_it_rejects_it_and_names_the_record_and_the_way_out() {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.ledger = new LedgerView.Taken("rec-1", "uid-0", T0, "Complete");

      Decision decision = scene.step();

      assertThat(decision.begin()).isEmpty();
      assertThat(decision.record()).isNull();
      assertThat(scene.status.phase()).isEqualTo("Rejected");
      assertThat(scene.condition("Ready")).isEqualTo("False/DuplicateRun");
      assertThat(scene.condition("Accepted")).isEqualTo("False/DuplicateRun");
      assertThat(scene.status.conditions().getFirst().message())
          .contains("rec-1", "uid-0", "Complete", "spec.runId");
    }

    @Test
    void it_is_rejected_while_it_waits_too() {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.stop = STOPPED;
      scene.ledger = new LedgerView.Taken("rec-1", "uid-0", null, null);

      scene.step();

      assertThat(scene.condition("Ready")).isEqualTo("False/DuplicateRun");
    }

    @Test
    void a_record_that_cannot_be_trusted_lets_nothing_run() {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.ledger = new LedgerView.Damaged("rec-1", "spec.specHash: is odd");

      assertThat(scene.step().begin()).isEmpty();

      assertThat(scene.condition("Ready")).isEqualTo("False/DuplicateRun");
      assertThat(scene.status.conditions().getFirst().message()).contains("rec-1", "is odd");
    }

    @Test
    void what_was_accepted_and_then_found_to_have_run_is_not_accepted() {
      for (LedgerView view :
          List.of(
              new LedgerView.Taken("rec-1", "uid-0", T0, "Complete"),
              new LedgerView.Damaged("rec-1", "spec.specHash: is odd"))) {
        var scene = new Scene(block("a", 1, job("x", CALL)));
        scene.stop = STOPPED;
        scene.step();
        assertThat(scene.condition("Accepted")).isEqualTo("True/Accepted");
        scene.ledger = view;
        scene.step();

        assertThat(scene.condition("Accepted")).isEqualTo("False/DuplicateRun");
      }
    }

    @Test
    void a_status_that_forgot_its_start_is_corrupt() {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.ledger = new LedgerView.Begun("rec-1");

      Decision decision = scene.step();

      assertThat(decision.begin()).isEmpty();
      assertThat(decision.strayJobs()).isTrue();
      assertThat(scene.condition("Failed")).isEqualTo("True/CorruptStatus");
      assertThat(scene.status.conditions().getFirst().message()).contains("rec-1");
    }

    @Test
    void without_the_record_nothing_starts_and_it_says_why() {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.ledger = new LedgerView.Unavailable("it could not be written: forbidden");

      Decision decision = scene.step();

      assertThat(decision.begin()).isEmpty();
      assertThat(decision.started()).isFalse();
      assertThat(decision.wakeUp()).isEqualTo(T0.plusSeconds(5));
      assertThat(scene.condition("Ready")).isEqualTo("False/LedgerUnavailable");
      assertThat(scene.status.phase()).isEqualTo("Pending");
      assertThat(scene.status.conditions().getFirst().message()).contains("forbidden");
    }

    @Test
    void what_runs_asks_the_ledger_nothing() {
      var scene = new Scene(block("a", 1, job("x", CALL), job("y", CALL)));
      scene.step();
      scene.ledger = new LedgerView.Taken("rec-1", "uid-0", T0, "Complete");
      scene.succeed(key("a", 0, 1));

      assertThat(sends(scene.step())).containsExactly(key("a", 1, 1));
    }
  }

  @Nested
  class Stop {
    @Test
    void stop_beats_pause() {
      var scene = new Scene(block("a", 1, job("x", CALL), job("y", CALL)));
      scene.step();
      scene.spec =
          new WorkflowSpec(
              TYPE, null, null, null, null, null, true, null, null, null, scene.spec.blocks());
      scene.generation = 2;
      scene.stop = STOPPED;

      Decision decision = scene.step();

      assertThat(decision.cancel()).isTrue();
      assertThat(scene.status.phase()).isEqualTo("Stopping");
      assertThat(scene.condition("Stopped")).isEqualTo("True/EmergencyStop");
    }

    @Test
    void it_ends_as_stopped_once_nothing_is_alive_and_names_who_stopped_it() {
      var scene = new Scene(block("a", 1, job("x", CALL), job("y", CALL)));
      scene.step();
      scene.stop = STOPPED;
      scene.step();
      scene.outcome(key("a", 0, 1), new Outcome.Cancelled());

      Decision decision = scene.step();

      assertThat(scene.status.phase()).isEqualTo("Stopped");
      assertThat(scene.status.stoppedBy()).isEqualTo(STOPPED.by());
      assertThat(scene.status.jobs().failed()).isZero();
      assertThat(decision.wakeUp()).isNull();
      assertThat(scene.condition("Failed")).isEqualTo("True/EmergencyStop");
    }

    @Test
    void go_again_resumes_nothing() {
      var scene = new Scene(block("a", 1, job("x", CALL), job("y", CALL)));
      scene.step();
      scene.stop = STOPPED;
      scene.step();
      scene.stop = OPEN;
      scene.outcome(key("a", 0, 1), new Outcome.Succeeded());

      Decision decision = scene.step();

      assertThat(sends(decision)).isEmpty();
      assertThat(scene.status.phase()).isEqualTo("Stopped");
      assertThat(scene.status.progress()).isEqualTo("1/2");
    }

    @Test
    void the_final_status_never_overwrites_the_stop() {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.step();
      scene.succeed(key("a", 0, 1));
      scene.stop = STOPPED;

      scene.step();

      assertThat(scene.status.phase()).isEqualTo("Stopped");
      assertThat(scene.status.progress()).isEqualTo("1/1");
    }

    @Test
    void a_stop_that_was_latched_counts_though_it_is_over() {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.step();
      scene.latched = STOPPED.by();

      assertThat(scene.step().cancel()).isTrue();
      assertThat(scene.status.phase()).isEqualTo("Stopping");
    }

    @ParameterizedTest
    @MethodSource("dev.andon.operator.workflow.DeciderTest#rearmed")
    void a_stop_nobody_saw_is_known_from_the_arming(StopView.Open later) {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.step();
      scene.restart();
      scene.stop = later;

      scene.step();

      assertThat(scene.status.stoppedBy().value()).isEqualTo("armed anew");
    }

    @Test
    void sent_twice_it_deadlocks_nothing() {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.step();
      scene.stop = STOPPED;
      scene.step();
      scene.step();
      scene.outcome(key("a", 0, 1), new Outcome.Cancelled());
      scene.step();
      scene.step();

      assertThat(scene.status.phase()).isEqualTo("Stopped");
    }

    @Test
    void what_does_not_end_in_time_is_unknown_and_named() {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.step();
      scene.stop = STOPPED;
      scene.step();
      scene.after(66);

      scene.step();

      assertThat(scene.status.phase()).isEqualTo("Stopped");
      assertThat(scene.status.blocks().getFirst().unknown()).isEqualTo("0");
      assertThat(scene.status.conditions().getFirst().message()).contains("a/x");
    }

    @Test
    void an_intent_that_got_no_permit_is_not_a_failure() {
      var scene = new Scene(block("a", 1, job("x", ONCE)));
      scene.step();
      scene.stop = STOPPED;
      scene.outcome(key("a", 0, 1), new Outcome.NotBegun("EmergencyStop", "", scene.now));

      scene.step();

      assertThat(scene.status.phase()).isEqualTo("Stopped");
      assertThat(scene.status.jobs().failed()).isZero();
      assertThat(scene.status.jobs().unknown()).isZero();
    }

    @Test
    void stop_under_backoff_takes_the_retry_back() {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.step();
      scene.fail(key("a", 0, 1));
      scene.step();
      scene.stop = STOPPED;

      Decision decision = scene.step();

      assertThat(sends(decision)).isEmpty();
      assertThat(scene.status.phase()).isEqualTo("Stopped");
      assertThat(scene.status.active()).isEmpty();
    }

    @Test
    void stop_during_a_batch_pause_ends_it() {
      var scene = new Scene(range("a", 1, 2, CALL, new Batch(1, 60), null));
      scene.step();
      scene.succeed(key("a", 0, 1));
      scene.step();
      scene.stop = STOPPED;

      scene.step();

      assertThat(scene.status.phase()).isEqualTo("Stopped");
      assertThat(scene.status.progress()).isEqualTo("1/2");
    }

    @Test
    void not_visible_is_not_stop_it_holds_and_goes_on() {
      var scene = new Scene(block("a", 1, job("x", CALL), job("y", CALL)));
      scene.step();
      scene.stop = NOT_VISIBLE;
      scene.succeed(key("a", 0, 1));

      Decision held = scene.step();
      assertThat(sends(held)).isEmpty();
      assertThat(scene.condition("Ready")).isEqualTo("False/StopUnknown");
      assertThat(scene.status.phase()).isEqualTo("Paused");
      assertThat(scene.status.progress()).isEqualTo("1/2");

      scene.stop = OPEN;
      assertThat(sends(scene.step())).containsExactly(key("a", 1, 1));
      assertThat(scene.status.phase()).isEqualTo("Running");
    }
  }

  static Stream<StopView.Open> rearmed() {
    return Stream.of(
        new StopView.Open("cm-1", "2026-01-01", "99"), new StopView.Open("cm-2", "", "99"));
  }

  @Nested
  class Attempts {
    @Test
    void a_failed_attempt_is_tried_again_after_its_backoff_under_the_next_number() {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.step();
      scene.fail(key("a", 0, 1));

      Decision decision = scene.step();
      Active waiting = scene.status.active().getFirst();
      assertThat(waiting.attempt()).isEqualTo(2);
      assertThat(waiting.nextAttemptTime()).isBetween(scene.now, scene.now.plusSeconds(1));
      assertThat(decision.wakeUp()).isEqualTo(waiting.nextAttemptTime());
      assertThat(sends(decision)).isEmpty();

      scene.after(1);
      assertThat(sends(scene.step())).containsExactly(key("a", 0, 2));
    }

    @Test
    void after_the_last_attempt_the_job_has_failed_and_over_the_budget_the_workflow() {
      var scene = new Scene(block("a", 1, job("x", ONCE), job("y", ONCE)));
      scene.step();
      scene.fail(key("a", 0, 1));

      Decision decision = scene.step();

      assertThat(sends(decision)).isEmpty();
      assertThat(scene.condition("Ready")).isEqualTo("False/JobFailed");
      assertThat(scene.status.failures()).singleElement().extracting("job").isEqualTo("x");
    }

    @Test
    void failures_within_the_budget_complete_with_failures() {
      var scene = new Scene(range("a", 1, 2, ONCE, null, "50%"));
      scene.step();
      scene.fail(key("a", 0, 1));
      scene.step();
      scene.succeed(key("a", 1, 1));

      scene.step();

      assertThat(scene.condition("Ready")).isEqualTo("True/CompletedWithFailures");
      assertThat(scene.status.phase()).isEqualTo("Complete");
    }

    @Test
    void over_the_budget_running_jobs_finish_and_nothing_new_starts() {
      var scene = new Scene(range("a", 2, 4, ONCE));
      scene.step();
      scene.fail(key("a", 0, 1));
      assertThat(sends(scene.step())).isEmpty();
      assertThat(scene.status.phase()).isEqualTo("Running");
      scene.succeed(key("a", 1, 1));
      scene.step();

      assertThat(scene.condition("Ready")).isEqualTo("False/JobFailed");
      assertThat(scene.status.jobs().succeeded()).isEqualTo(1);
    }

    @Test
    void a_fatal_failure_cancels_what_runs_whatever_the_budget() {
      var scene = new Scene(range("a", 2, 4, CALL, null, "100%"));
      scene.step();
      scene.outcome(
          key("a", 0, 1), new Outcome.Failed("HttpStatus", "409", Outcome.Failed.Reach.WORKFLOW));

      assertThat(scene.step().cancel()).isTrue();
      assertThat(scene.status.phase()).isEqualTo("Running");
      scene.restart();
      scene.step();
      scene.outcome(key("a", 1, 1), new Outcome.Cancelled());
      scene.step();

      assertThat(scene.condition("Ready")).isEqualTo("False/FatalFailure");
    }

    @Test
    void a_final_failure_is_not_tried_again_and_others_go_on() {
      var scene = new Scene(range("a", 1, 2, CALL, null, "50%"));
      scene.step();
      scene.outcome(
          key("a", 0, 1),
          new Outcome.Failed("HttpStatus422", "no such disk", Outcome.Failed.Reach.JOB));

      assertThat(sends(scene.step())).containsExactly(key("a", 1, 1));
      assertThat(scene.status.jobs().failed()).isEqualTo(1);
      scene.succeed(key("a", 1, 1));
      scene.step();

      assertThat(scene.condition("Ready")).isEqualTo("True/CompletedWithFailures");
    }

    @Test
    void what_was_not_begun_says_why_and_uses_no_attempt() {
      var scene = new Scene(range("a", 5, 5, ONCE));
      scene.step();
      for (int i = 0; i < 5; i++) {
        scene.waits.put(key("a", i, 1), new Wait(false, "ConnectFailed: no connection"));
        scene.outcome(
            key("a", i, 1),
            new Outcome.NotBegun("ConnectFailed", "no connection", scene.now.plusSeconds(5), true));
      }

      scene.step();

      assertThat(scene.status.jobs().failed()).isZero();
      assertThat(scene.status.active())
          .allSatisfy(active -> assertThat(active.attempt()).isEqualTo(1));
      assertThat(scene.message())
          .contains("5 jobs were not begun when last tried, and no attempt used: ")
          .contains(": ConnectFailed: no connection; ")
          .endsWith("; …");

      scene.waits.clear();
      scene.after(6);
      scene.step();
      assertThat(scene.message()).isEqualTo("block a: 0 of 5 jobs ended");
    }

    @Test
    void a_container_that_never_began_is_tried_again_as_another_job_of_the_same_attempt() {
      var scene = new Scene(block("a", 1, job("x", ONCE)));
      scene.isContainer(ONCE);
      assertThat(scene.step().begin()).extracting(Attempt::tries).containsExactly(1);
      assertThat(scene.status.active()).extracting(Active::tries).containsExactly(1);
      scene.outcome(
          key("a", 0, 1),
          new Outcome.NotBegun("OutOfcpu", "no", scene.now.plusSeconds(10), true, true));
      scene.step();
      assertThat(scene.status.active()).extracting(Active::tries).containsExactly(2);

      scene.after(11);
      Decision decision = scene.step();

      assertThat(decision.begin())
          .singleElement()
          .satisfies(
              attempt -> {
                assertThat(attempt.key()).isEqualTo(key("a", 0, 1));
                assertThat(attempt.tries()).isEqualTo(2);
                assertThat(attempt.work()).isEqualTo(new Work.Send(false));
              });
      scene.restart();
      assertThat(scene.step().begin()).extracting(Attempt::tries).containsExactly(2);
    }

    @Test
    void one_that_ended_nobody_knows_how_is_sent_again_under_its_key_as_another_job() {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.isContainer(CALL);
      scene.step();
      scene.outcome(key("a", 0, 1), new Outcome.Unknown("drained", true, true));
      scene.step();

      scene.after(60);
      Decision decision = scene.step();

      assertThat(decision.begin())
          .singleElement()
          .satisfies(
              attempt -> {
                assertThat(attempt.key()).isEqualTo(key("a", 0, 1));
                assertThat(attempt.tries()).isEqualTo(2);
                assertThat(attempt.work()).isEqualTo(new Work.Send(true));
              });
    }

    @Test
    void the_next_attempt_begins_with_its_first_try() {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.isContainer(CALL);
      scene.step();
      scene.outcome(key("a", 0, 1), new Outcome.NotBegun("OutOfcpu", "no", scene.now, true, true));
      scene.step();
      scene.step();
      scene.outcome(key("a", 0, 1), new Outcome.Failed("ExitCode3", "no disk"));
      scene.step();

      scene.after(60);

      assertThat(scene.step().begin())
          .extracting(Attempt::key, Attempt::tries)
          .containsExactly(org.assertj.core.groups.Tuple.tuple(key("a", 0, 2), 1));
    }

    @Test
    void what_does_not_get_on_says_why() {
      var scene = new Scene(block("a", 2, job("x", ONCE), job("y", ONCE)));
      scene.step();
      scene.waits.put(key("a", 0, 1), new Wait(true, "ImagePullBackOff: Job e-1: no image"));
      scene.waits.put(key("a", 1, 1), new Wait(false, "ConnectFailed: no connection"));

      scene.step();

      assertThat(scene.message())
          .isEqualTo(
              "block a: 0 of 2 jobs ended; 1 job was not begun when last tried, and no attempt used: y: ConnectFailed: no connection; 1 job does not get on: x: ImagePullBackOff: Job e-1: no image");
    }

    @Test
    void an_intent_without_outcome_is_observed_after_a_crash_and_never_sent() {
      var scene = new Scene(block("a", 1, job("x", ONCE)));
      scene.step();
      scene.restart();

      Decision decision = scene.step();

      assertThat(decision.begin())
          .singleElement()
          .extracting(Attempt::work)
          .isEqualTo(new Work.Observe());
      assertThat(scene.status.starts()).isEqualTo(1);
    }

    @Test
    void an_intent_left_over_when_it_is_stopped_is_asked_to_end() {
      var scene = new Scene(block("a", 1, job("x", ONCE)));
      scene.step();
      scene.restart();
      scene.stop = STOPPED;

      Decision decision = scene.step();

      assertThat(decision.begin())
          .singleElement()
          .extracting(Attempt::work)
          .isEqualTo(new Work.End(null));
      assertThat(scene.status.phase()).isEqualTo("Stopping");
    }

    @Test
    void an_accepted_operation_is_polled_after_a_crash() {
      var scene = new Scene(block("a", 1, job("x", ONCE)));
      scene.step();
      scene.outcome(key("a", 0, 1), new Outcome.Accepted("http://127.0.0.1:1/operations/7"));
      scene.step();
      scene.restart();

      assertThat(scene.step().begin())
          .singleElement()
          .extracting(Attempt::work)
          .isEqualTo(new Work.Poll("http://127.0.0.1:1/operations/7"));
    }

    @Test
    void unknown_and_not_retry_safe_waits_for_a_person() {
      var scene = new Scene(block("a", 1, job("x", ONCE), job("y", ONCE)));
      scene.step();
      scene.outcome(key("a", 0, 1), new Outcome.Unknown("connection dropped", true));

      Decision decision = scene.step();

      assertThat(sends(decision)).isEmpty();
      assertThat(scene.condition("Ready")).isEqualTo("False/UnknownOutcome");
      assertThat(scene.status.blocks().getFirst().unknown()).isEqualTo("0");
      assertThat(scene.status.jobs().failed()).isZero();
    }

    @Test
    void unknown_and_retry_safe_is_repeated_under_the_same_attempt() {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.step();
      scene.outcome(key("a", 0, 1), new Outcome.Unknown("connection dropped", true));
      scene.step();
      scene.after(2);

      assertThat(sends(scene.step())).containsExactly(key("a", 0, 1));
      assertThat(scene.status.starts()).isEqualTo(2);
      assertThat(scene.status.active().getFirst().sends()).isEqualTo(2);
    }

    @Test
    void a_repeat_knows_that_it_is_one() {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      assertThat(scene.step().begin())
          .extracting(Attempt::work)
          .containsExactly(new Work.Send(false));
      scene.outcome(key("a", 0, 1), new Outcome.Unknown("connection dropped", true));
      scene.step();
      scene.after(2);

      assertThat(scene.step().begin())
          .extracting(Attempt::work)
          .containsExactly(new Work.Send(true));
      scene.outcome(key("a", 0, 1), new Outcome.NotBegun("ConnectFailed", "", scene.now));

      assertThat(scene.step().begin())
          .extracting(Attempt::work)
          .containsExactly(new Work.Send(true));
    }

    @Test
    void a_repeat_that_never_began_does_not_forget_the_first_send() {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.step();
      scene.outcome(key("a", 0, 1), new Outcome.Unknown("connection dropped", true));
      scene.step();
      scene.after(2);
      scene.step();
      scene.outcome(key("a", 0, 1), new Outcome.NotBegun("EmergencyStop", "", scene.now));
      scene.stop = STOPPED;

      scene.step();

      assertThat(scene.status.phase()).isEqualTo("Stopped");
      assertThat(scene.status.jobs().unknown()).isEqualTo(1);
    }

    @Test
    void a_job_type_deleted_mid_run_holds_and_sends_nothing() {
      var scene = new Scene(block("a", 1, job("x", CALL), job("y", CALL)));
      scene.step();
      scene.jobTypes.remove(CALL);
      scene.versions.remove(CALL);
      scene.succeed(key("a", 0, 1));

      assertThat(sends(scene.step())).isEmpty();
      assertThat(scene.condition("Ready")).isEqualTo("False/JobTypeChanged");
    }

    @Test
    void the_active_deadline_counts_pauses_and_cancels_what_runs() {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.spec =
          new WorkflowSpec(
              TYPE, null, null, null, null, 30, null, null, null, null, scene.spec.blocks());
      scene.step();
      scene.after(30);

      assertThat(scene.step().cancel()).isTrue();
      scene.outcome(key("a", 0, 1), new Outcome.Cancelled());
      scene.step();
      assertThat(scene.condition("Ready")).isEqualTo("False/DeadlineExceeded");
    }
  }

  @Nested
  class Pacing {
    @Test
    void the_end_of_a_block_is_never_out_of_range_and_the_next_begins() {
      var scene = new Scene(block("a", 5, job("x", CALL)), block("b", 5, job("y", CALL)));
      scene.step();
      scene.succeed(key("a", 0, 1));

      assertThat(sends(scene.step())).containsExactly(key("b", 0, 1));
      assertThat(scene.status.currentBlock()).isEqualTo("b (2/2)");
    }

    @Test
    void a_pause_after_a_block_is_kept_from_the_end_of_its_last_job() {
      var first = new Block("a", 1, null, List.of(job("x", CALL)), null, 60);
      var scene = new Scene(first, block("b", 1, job("y", CALL)));
      scene.step();
      scene.after(10);
      scene.succeed(key("a", 0, 1));

      Decision pause = scene.step();
      assertThat(sends(pause)).isEmpty();
      assertThat(pause.wakeUp()).isEqualTo(T0.plusSeconds(70));
      scene.after(60);
      assertThat(sends(scene.step())).hasSize(1);
    }

    @Test
    void concurrency_does_not_span_batches_and_the_pause_counts_from_the_last_retry() {
      var scene = new Scene(range("a", 5, 4, CALL, new Batch(2, 60), null));
      assertThat(sends(scene.step())).containsExactly(key("a", 0, 1), key("a", 1, 1));
      scene.succeed(key("a", 0, 1));
      scene.fail(key("a", 1, 1));
      assertThat(sends(scene.step())).isEmpty();
      scene.after(5);
      assertThat(sends(scene.step())).containsExactly(key("a", 1, 2));
      scene.after(5);
      scene.succeed(key("a", 1, 2));

      Decision pause = scene.step();
      assertThat(sends(pause)).isEmpty();
      assertThat(pause.wakeUp()).isEqualTo(T0.plusSeconds(70));
      assertThat(scene.status.blocks().getFirst().nextBatchTime()).isEqualTo(T0.plusSeconds(70));
      scene.after(60);
      assertThat(sends(scene.step())).containsExactly(key("a", 2, 1), key("a", 3, 1));
    }

    @Test
    void ten_sleeps_of_no_time_take_one_decision() {
      var scene = new Scene(range("a", 1, 10, "sleep"));
      scene.spec =
          Scene.spec(
              block(
                  "a",
                  1,
                  Stream.iterate(0, i -> i + 1)
                      .limit(10)
                      .map(i -> sleep("s" + i, "0"))
                      .toArray(WorkflowSpec.Job[]::new)));

      Decision decision = scene.step();

      assertThat(scene.status.phase()).isEqualTo("Complete");
      assertThat(scene.status.progress()).isEqualTo("10/10");
      assertThat(scene.status.starts()).isEqualTo(10);
      assertThat(decision.begin()).isEmpty();
    }

    @Test
    void of_sleeps_side_by_side_the_one_that_is_over_has_ended_and_no_other() {
      var scene = new Scene(block("a", 3, sleep("s", "9"), sleep("t", "1"), sleep("u", "9")));
      scene.step();
      scene.after(1);

      scene.step();

      assertThat(scene.status.blocks().getFirst().succeeded()).isEqualTo("1");
      assertThat(scene.status.active()).extracting(Active::index).containsExactly(0, 2);
      assertThat(scene.status.starts()).isEqualTo(3);
    }

    @Test
    void a_sleep_follows_from_the_end_of_the_one_before_not_from_when_that_was_noticed() {
      var scene = new Scene(block("a", 1, sleep("s", "1"), sleep("t", "1")));
      scene.step();
      scene.now = T0.plusMillis(1_300);

      assertThat(scene.step().wakeUp()).isEqualTo(T0.plusSeconds(2));
    }

    @Test
    void a_sleep_does_not_make_up_for_an_operator_that_was_down() {
      var scene = new Scene(block("a", 1, sleep("s", "1"), sleep("t", "60")));
      scene.step();
      scene.after(600);
      scene.restart();

      assertThat(scene.step().wakeUp()).isEqualTo(T0.plusSeconds(660));
    }

    @Test
    void a_rate_limit_lets_through_what_it_has_and_wakes_up_for_the_next() {
      var scene = new Scene(range("a", 10, 10, CALL));
      scene.pace.put(CALL, new Snapshot.Pace(3, T0.plusSeconds(7), null));

      Decision decision = scene.step();

      assertThat(sends(decision)).hasSize(3);
      assertThat(decision.wakeUp()).isEqualTo(T0.plusSeconds(7));
    }

    @Test
    void an_open_circuit_holds_and_uses_no_attempt() {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.pace.put(CALL, new Snapshot.Pace(10, null, T0.plusSeconds(30)));

      assertThat(sends(scene.step())).isEmpty();
      assertThat(scene.condition("Ready")).isEqualTo("False/CircuitOpen");
      assertThat(scene.status.conditions().getFirst().message()).contains("job type call");
      scene.after(30);
      assertThat(sends(scene.step())).containsExactly(key("a", 0, 1));
    }

    @Test
    void a_policy_that_turns_holds_the_next_block_and_kills_nothing() {
      var scene = new Scene(block("a", 1, job("x", CALL)), block("b", 1, job("y", CALL)));
      scene.step();
      scene.policies.clear();
      scene.succeed(key("a", 0, 1));

      assertThat(sends(scene.step())).isEmpty();
      assertThat(scene.condition("Ready")).isEqualTo("False/PolicyDenied");
      assertThat(scene.status.phase()).isEqualTo("Paused");
      scene.policies.addAll(new Scene().policies);
      assertThat(sends(scene.step())).hasSize(1);
    }

    @Test
    void a_policy_that_turns_holds_the_next_batch() {
      var scene = new Scene(range("a", 2, 4, CALL, new Batch(2, 0), null));
      scene.step();
      scene.policies.clear();
      scene.succeed(key("a", 0, 1));
      assertThat(sends(scene.step())).isEmpty();
      assertThat(scene.status.phase()).as("a batch that has begun goes on").isEqualTo("Running");
      scene.succeed(key("a", 1, 1));

      assertThat(sends(scene.step())).isEmpty();
      assertThat(scene.condition("Ready")).isEqualTo("False/PolicyDenied");
      scene.policies.addAll(new Scene().policies);
      assertThat(sends(scene.step())).containsExactly(key("a", 2, 1), key("a", 3, 1));
    }

    @Test
    void paused_starts_nothing_and_lets_what_runs_finish() {
      var scene = new Scene(block("a", 1, job("x", CALL), job("y", CALL)));
      scene.step();
      scene.spec =
          new WorkflowSpec(
              TYPE, null, null, null, null, null, true, null, null, null, scene.spec.blocks());
      scene.generation = 2;
      scene.succeed(key("a", 0, 1));

      assertThat(sends(scene.step())).isEmpty();
      assertThat(scene.status.phase()).isEqualTo("Paused");
      assertThat(scene.status.progress()).isEqualTo("1/2");
      assertThat(scene.status.observedGeneration()).isEqualTo(2);
    }
  }

  @Nested
  class Deletion {
    @Test
    void it_cancels_what_runs_and_lets_the_object_go_when_nothing_does() {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.step();
      scene.deleted = scene.now;

      Decision cancelling = scene.step();
      assertThat(cancelling.cancel()).isTrue();
      assertThat(cancelling.status()).as("held back").isNotNull();
      scene.outcome(key("a", 0, 1), new Outcome.Cancelled());
      Decision gone = scene.step();
      assertThat(gone.status()).as("let go").isNull();
    }

    @Test
    void of_a_finished_workflow_is_let_through() {
      var scene = new Scene(block("a", 1, sleep("s", "0")));
      scene.step();
      scene.deleted = scene.now;

      assertThat(scene.step().status()).isNull();
    }
  }

  @Nested
  class Finished {
    @Test
    void nothing_changes_but_the_generation_observed() {
      var scene = new Scene(block("a", 1, sleep("s", "0")));
      scene.step();
      WorkflowStatus before = scene.status;
      scene.generation = 2;
      scene.stop = STOPPED;
      scene.after(100);

      scene.step();

      assertThat(scene.status.observedGeneration()).isEqualTo(2);
      assertThat(scene.status.conditions())
          .extracting(Condition::observedGeneration)
          .containsOnly(2L);
      assertThat(scene.status.phase()).isEqualTo("Complete");
      assertThat(scene.status.completionTime()).isEqualTo(before.completionTime());
      assertThat(scene.status.conditions())
          .extracting(Condition::lastTransitionTime)
          .isEqualTo(before.conditions().stream().map(Condition::lastTransitionTime).toList());
    }
  }

  static Stream<Arguments> corruptions() {
    return Stream.of(
        Arguments.of("0-1,1", "canonical ranges"),
        Arguments.of("1-0", "canonical ranges"),
        Arguments.of("all", "canonical ranges"),
        Arguments.of("0-5", "index 5, but the block has 4 jobs"),
        Arguments.of("1", "job 1 has ended already"));
  }

  @ParameterizedTest
  @MethodSource("corruptions")
  void a_corrupt_status_fails_and_never_runs_an_index_again(String succeeded, String finding) {
    var scene = new Scene(range("a", 2, 4, CALL));
    scene.step();
    scene.status = withSucceeded(scene.status, succeeded);

    Decision decision = scene.step();

    assertThat(decision.begin()).isEmpty();
    assertThat(scene.condition("Ready")).isEqualTo("False/CorruptStatus");
    assertThat(scene.status.conditions().getFirst().message()).contains(finding);
    assertThat(scene.status.blocks().getFirst().succeeded())
        .as("the evidence stays")
        .isEqualTo(succeeded);
  }

  @Test
  void a_status_without_starts_but_with_jobs_is_corrupt() {
    var scene = new Scene(range("a", 2, 4, CALL));
    scene.step();
    scene.status = Scene.with(scene.status, "starts", 0);

    scene.step();

    assertThat(scene.condition("Ready")).isEqualTo("False/CorruptStatus");
  }

  private static WorkflowStatus withSucceeded(WorkflowStatus s, String succeeded) {
    BlockStatus b = s.blocks().getFirst();
    var block =
        new BlockStatus(
            b.name(),
            b.total(),
            succeeded,
            b.failed(),
            b.skipped(),
            b.unknown(),
            b.startTime(),
            b.nextBatchTime(),
            Instant.EPOCH,
            b.unknownAttempts());
    return new WorkflowStatus(
        s.observedGeneration(),
        s.phase(),
        s.progress(),
        s.currentBlock(),
        s.starts(),
        s.armed(),
        s.paused(),
        s.jobs(),
        List.of(block),
        s.active(),
        s.failures(),
        s.policies(),
        s.jobTypes(),
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

  @Test
  void each_job_has_its_own_args() {
    var scene = new Scene(range("a", 3, 3, CALL));

    assertThat(scene.step().begin())
        .extracting(Attempt::args)
        .containsExactly(
            Map.of("machine", "m-001"), Map.of("machine", "m-002"), Map.of("machine", "m-003"));
  }
}
