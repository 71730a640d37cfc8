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
import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.WorkflowActionSpec;
import dev.andon.crds.WorkflowSpec;
import dev.andon.operator.execution.Attempt;
import dev.andon.operator.execution.Attempt.Work;
import dev.andon.operator.execution.AttemptKey;
import dev.andon.operator.execution.Outcome;
import dev.andon.plan.SpecHash;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What people ask for: applied once, or refused with a reason. */
class ActionsTest {
  private static List<AttemptKey> sends(Decision decision) {
    return decision.begin().stream()
        .filter(a -> a.work() instanceof Work.Send)
        .map(Attempt::key)
        .toList();
  }

  private static Scene manual() {
    var scene = new Scene(block("a", 1, job("x", CALL)));
    scene.spec =
        new WorkflowSpec(
            TYPE, null, null, "Manual", null, null, null, null, null, null, scene.spec.blocks());
    return scene;
  }

  /** Two jobs one after the other, the first under way. */
  private static Scene running() {
    var scene = new Scene(block("a", 1, job("x", CALL), job("y", CALL)));
    scene.step();
    return scene;
  }

  /** Three jobs that may be sent once; the outcome of the first is unknown. */
  private static Scene unknown() {
    var scene = new Scene(range("a", 1, 3, ONCE));
    scene.step();
    scene.outcome(key("a", 0, 1), new Outcome.Unknown("connection dropped", true));
    scene.step();
    assertThat(scene.condition("Ready")).isEqualTo("False/UnknownOutcome");
    return scene;
  }

  private static void assertRefused(Scene scene, PendingAction action, String... says) {
    assertThat(scene.answer(action).phase()).isEqualTo("Refused");
    assertThat(scene.answer(action).message()).contains(says);
  }

  private static void assertApplied(Scene scene, PendingAction action) {
    assertThat(scene.answer(action).message()).isNotBlank();
    assertThat(scene.answer(action).phase())
        .as(scene.answer(action).message())
        .isEqualTo("Applied");
  }

  @Nested
  class Start {
    @Test
    void a_manual_one_starts_in_the_decision_that_sees_its_start() {
      var scene = manual();
      assertThat(sends(scene.step())).isEmpty();
      assertThat(scene.condition("Ready")).isEqualTo("False/StartRequired");

      var start = scene.ask("Start");

      assertThat(sends(scene.step())).containsExactly(key("a", 0, 1));
      assertApplied(scene, start);
      assertThat(scene.status.startedBy().by()).isEqualTo("ann");
      assertThat(scene.status.startedBy().action()).isEqualTo(start.name());
    }

    @Test
    void starts_nothing_while_the_type_is_stopped_and_is_remembered_until_it_is_armed() {
      var scene = manual();
      scene.stop = STOPPED;
      var start = scene.ask("Start");

      assertThat(sends(scene.step())).isEmpty();
      assertThat(scene.condition("Ready")).isEqualTo("False/EmergencyStop");
      assertApplied(scene, start);

      scene.tell(start);
      scene.stop = OPEN;
      assertThat(sends(scene.step())).hasSize(1);
    }

    @Test
    void is_refused_for_one_that_starts_by_itself() {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.stop = STOPPED;
      var start = scene.ask("Start");

      scene.step();

      assertRefused(scene, start, "spec.start", "Automatic");
    }

    @Test
    void is_refused_once_it_has_started() {
      var scene = manual();
      scene.ask("Start");
      scene.step();
      var again = scene.ask("Start");

      scene.step();

      assertRefused(scene, again, "started already", T0.toString());
    }

    @Test
    void a_second_one_is_refused_and_names_the_first() {
      var scene = manual();
      scene.stop = STOPPED;
      scene.ask("Start");
      var second = scene.ask("Start");

      scene.step();

      assertRefused(scene, second, "ann", "a-0");
    }

    @Test
    void is_refused_after_the_deadline() {
      var scene = manual();
      scene.after(3600);
      var start = scene.ask("Start");

      scene.step();

      assertRefused(scene, start, "startDeadlineSeconds");
      assertThat(scene.condition("Ready")).isEqualTo("False/StartDeadlineExceeded");
    }

    @Test
    void does_not_go_past_policy() {
      var scene = manual();
      scene.step();
      scene.policies.clear();
      scene.ask("Start");

      assertThat(sends(scene.step())).isEmpty();
      assertThat(scene.condition("Ready")).isEqualTo("False/PolicyDenied");
    }
  }

  @Nested
  class PauseAndResume {
    @Test
    void a_pause_begins_nothing_more_and_a_resume_goes_on() {
      var scene = running();
      var pause = scene.ask("Pause");
      scene.step();
      assertApplied(scene, pause);
      assertThat(scene.condition("Ready")).isEqualTo("False/Paused");
      assertThat(scene.status.paused().reason()).isEqualTo("looks odd");

      scene.succeed(key("a", 0, 1));
      assertThat(sends(scene.step())).isEmpty();
      assertThat(scene.status.progress()).isEqualTo("1/2");

      scene.tell(pause);
      var resume = scene.ask("Resume");
      assertThat(sends(scene.step())).containsExactly(key("a", 1, 1));
      assertApplied(scene, resume);
      assertThat(scene.status.paused()).isNull();
    }

    @Test
    void a_pause_seen_again_after_a_resume_does_not_pause_again() {
      var scene = running();
      scene.ask("Pause");
      scene.step();
      scene.ask("Resume");
      scene.step();

      // Neither action's own status was written: both look as if nobody had judged them.
      scene.restart();
      scene.throughJson();
      scene.after(5);
      scene.step();

      assertThat(scene.asked).hasSize(2);
      assertThat(scene.status.paused()).isNull();
      assertThat(scene.status.actions()).hasSize(2);
      assertThat(scene.status.phase()).isEqualTo("Running");
    }

    @Test
    void both_at_once_are_taken_in_the_order_of_their_creation() {
      var scene = running();
      var pause = scene.ask("Pause");
      scene.after(1);
      var resume = scene.ask("Resume");
      scene.asked.sort((a, b) -> b.created().compareTo(a.created()));

      scene.step();

      assertThat(scene.status.actions())
          .extracting(a -> a.name())
          .containsExactly(pause.name(), resume.name());
      assertThat(scene.status.paused()).isNull();
    }

    @Test
    void of_the_same_second_the_name_decides() {
      var scene = running();
      scene.ask("b", "Pause", null, null, null);
      scene.ask("a", "Resume", null, null, null);

      scene.step();

      assertThat(scene.status.actions()).extracting(a -> a.name()).containsExactly("a", "b");
      assertThat(scene.status.paused()).isNotNull();
    }

    @Test
    void a_second_pause_changes_nothing_and_says_who_paused_first() {
      var scene = running();
      scene.ask("Pause");
      scene.step();
      scene.after(60);
      var second = scene.ask("Pause");
      scene.step();

      assertApplied(scene, second);
      assertThat(scene.answer(second).message()).contains("already", "a-0");
      assertThat(scene.status.paused().action()).isEqualTo("a-0");
    }

    @Test
    void a_resume_while_the_spec_pauses_is_refused_and_names_the_field() {
      var scene = running();
      scene.ask("Pause");
      scene.step();
      scene.spec =
          new WorkflowSpec(
              TYPE, null, null, null, null, null, true, null, null, null, scene.spec.blocks());
      scene.generation = 2;
      var resume = scene.ask("Resume");
      scene.step();

      assertRefused(scene, resume, "spec.paused", "false");
      assertThat(scene.status.paused()).as("the Pause stays").isNotNull();
    }

    @Test
    void a_pause_by_action_outlives_that_of_the_spec() {
      var scene = running();
      scene.spec =
          new WorkflowSpec(
              TYPE, null, null, null, null, null, true, null, null, null, scene.spec.blocks());
      scene.ask("Pause");
      scene.step();
      scene.spec =
          new WorkflowSpec(
              TYPE, null, null, null, null, null, false, null, null, null, scene.spec.blocks());
      scene.step();

      assertThat(scene.condition("Ready")).isEqualTo("False/Paused");
    }

    @Test
    void a_resume_of_what_is_not_paused_is_refused() {
      var scene = running();
      var resume = scene.ask("Resume");
      scene.step();

      assertRefused(scene, resume, "not paused");
    }

    @Test
    void a_pause_before_the_start_keeps_it_from_starting() {
      var scene = new Scene(block("a", 1, job("x", CALL)));
      scene.ask("Pause");

      assertThat(sends(scene.step())).isEmpty();
      assertThat(scene.condition("Ready")).isEqualTo("False/Paused");
      scene.ask("Resume");
      assertThat(sends(scene.step())).hasSize(1);
    }
  }

  @Nested
  class TheAnswerToAResume {
    private static final String PAUSE = "ann (WorkflowAction a-0) at " + T0 + ": looks odd";

    @Test
    void whose_pause_is_over() {
      var scene = running();
      scene.ask("Pause");
      scene.step();
      var resume = scene.ask("Resume");
      scene.step();

      assertThat(scene.answer(resume).message()).isEqualTo("no longer paused by " + PAUSE);
    }

    @Test
    void both_whose_pause_is_over_and_which_job_types_it_takes() {
      var scene = running();
      scene.ask("Pause");
      scene.step();
      scene.succeed(key("a", 0, 1));
      scene.versions.put(
          CALL, new dev.andon.crds.WorkflowStatus.PinnedJobType(CALL, "call-uid", 2L));
      scene.step();
      var resume = scene.ask("Resume");
      scene.step();

      assertThat(scene.answer(resume).message())
          .isEqualTo(
              "no longer paused by "
                  + PAUSE
                  + "; it goes on with job types as they are now: job type call changed (generation"
                  + " 1 to 2)");
    }

    @Test
    void what_it_waits_for_if_it_is_not_paused() {
      var running = running();
      var resume = running.ask("Resume");
      running.step();
      assertRefused(running, resume, "not paused, and no job type has changed");

      var unknown = unknown();
      var early = unknown.ask("Resume");
      unknown.step();
      assertRefused(unknown, early, "it waits for a Resolve of the jobs");
    }
  }

  @Test
  void a_cancel_says_what_becomes_of_the_workflow() {
    var running = running();
    var cancel = running.ask("Cancel");
    running.step();
    assertThat(running.answer(cancel).message())
        .isEqualTo("what is under way is being cancelled; then the Workflow is Failed, for good");

    var waiting = manual();
    var never = waiting.ask("Cancel");
    waiting.step();
    assertThat(waiting.answer(never).message())
        .isEqualTo("the Workflow had not started, and never will");
  }

  @Test
  void what_ends_the_workflow_comes_first_then_the_oldest_then_by_name() {
    var scene = running();
    var late = scene.ask("b", "Pause", null, null, null);
    var first = scene.ask("a", "Resume", null, null, null);
    scene.after(1);
    var reject = scene.ask("z", "Reject", null, null, null);
    var cancel = scene.ask("y", "Cancel", null, null, null);

    assertThat(scene.asked.stream().sorted(Actions.order(java.util.function.Function.identity())))
        .containsExactly(cancel, reject, first, late);
  }

  @Nested
  class Cancel {
    @Test
    void cancels_what_runs_and_ends_it_for_good() {
      var scene = running();
      var cancel = scene.ask("Cancel");

      Decision decision = scene.step();
      assertThat(decision.cancel()).isTrue();
      assertThat(sends(decision)).isEmpty();
      assertApplied(scene, cancel);
      assertThat(scene.status.phase()).isEqualTo("Running");

      scene.throughJson();
      scene.outcome(key("a", 0, 1), new Outcome.Cancelled());
      scene.step();
      assertThat(scene.condition("Failed")).isEqualTo("True/Cancelled");
      assertThat(Conditions.find(scene.status.conditions(), "Ready").orElseThrow().message())
          .contains("ann", "looks odd", cancel.name());
      assertThat(scene.status.jobs().failed()).isZero();
    }

    @Test
    void ends_at_once_what_has_not_started() {
      var scene = manual();
      scene.step();
      scene.ask("Cancel");
      scene.step();

      assertThat(scene.condition("Failed")).isEqualTo("True/Cancelled");
      assertThat(scene.status.starts()).isZero();
    }

    @Test
    void comes_before_whatever_was_asked_before() {
      var scene = manual();
      var start = scene.ask("Start");
      scene.after(1);
      scene.ask("Cancel");

      assertThat(sends(scene.step())).isEmpty();
      assertRefused(scene, start, "ending", "Cancelled");
      assertThat(scene.condition("Failed")).isEqualTo("True/Cancelled");
    }

    @Test
    void ends_what_is_paused_or_cannot_see_the_stop() {
      var scene = running();
      scene.ask("Pause");
      scene.step();
      scene.stop = NOT_VISIBLE;
      scene.ask("Cancel");

      assertThat(scene.step().cancel()).isTrue();
      scene.outcome(key("a", 0, 1), new Outcome.Cancelled());
      scene.step();
      assertThat(scene.condition("Failed")).isEqualTo("True/Cancelled");
    }

    @Test
    void a_second_one_is_refused() {
      var scene = running();
      scene.ask("Cancel");
      scene.step();
      var second = scene.ask("Cancel");
      scene.step();

      assertRefused(scene, second, "ending already", "Cancelled");
    }
  }

  @Nested
  class Stop {
    @ParameterizedTest
    @ValueSource(strings = {"Start", "Pause", "Resume", "Cancel", "Resolve"})
    void comes_before_every_action(String verb) {
      var scene = running();
      scene.ask("Pause");
      scene.step();
      scene.stop = STOPPED;
      scene.ask(verb, "a", 0, "Retry");

      Decision decision = scene.step();

      assertThat(decision.cancel()).isTrue();
      assertThat(sends(decision)).isEmpty();
      assertThat(scene.status.phase()).isEqualTo("Stopping");
      assertThat(scene.status.actions()).as("nothing is applied any more").hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Start", "Resume", "Resolve"})
    void that_was_latched_is_not_undone_by_an_action(String verb) {
      var scene = running();
      scene.ask("Pause");
      scene.step();
      scene.latched = STOPPED.by();
      scene.outcome(key("a", 0, 1), new Outcome.Cancelled());
      scene.ask(verb, "a", 1, "Retry");

      assertThat(sends(scene.step())).isEmpty();
      assertThat(scene.status.phase()).isEqualTo("Stopped");
      scene.latched = null;
      assertThat(sends(scene.step())).isEmpty();
      assertThat(scene.status.phase()).isEqualTo("Stopped");
    }
  }

  @Nested
  class Resolve {
    @Test
    void as_succeeded_it_goes_on() {
      var scene = unknown();
      var resolve = scene.ask("Resolve", "a", 0, "Succeeded");

      assertThat(sends(scene.step())).containsExactly(key("a", 1, 1));
      assertApplied(scene, resolve);
      assertThat(scene.status.blocks().getFirst().succeeded()).isEqualTo("0");
      assertThat(scene.status.jobs().unknown()).isZero();
      assertThat(scene.status.failures()).as("it is told as unknown no more").isEmpty();
    }

    @Test
    void as_failed_it_counts_as_a_failure() {
      var scene = unknown();
      scene.ask("Resolve", "a", 0, "Failed");

      assertThat(sends(scene.step())).isEmpty();
      assertThat(scene.condition("Failed")).isEqualTo("True/JobFailed");
      assertThat(scene.status.failures().getFirst().reason()).isEqualTo("ResolvedAsFailed");
      assertThat(scene.status.failures().getFirst().message()).contains("looks odd");
    }

    @Test
    void as_failed_within_the_budget_it_goes_on() {
      var scene = new Scene(range("a", 1, 3, ONCE, null, "50%"));
      scene.step();
      scene.outcome(key("a", 0, 1), new Outcome.Unknown("connection dropped", true));
      scene.step();
      scene.ask("Resolve", "a", 0, "Failed");

      assertThat(sends(scene.step())).containsExactly(key("a", 1, 1));
      assertThat(scene.status.jobs().failed()).isEqualTo(1);
    }

    @Test
    void as_retry_it_takes_the_next_number() {
      var scene = unknown();
      scene.ask("Resolve", "a", 0, "Retry");

      assertThat(sends(scene.step())).containsExactly(key("a", 0, 2));
    }

    @Test
    void the_number_of_an_unknown_attempt_is_kept_and_every_retry_takes_the_one_after() {
      var scene = unknown();
      for (int attempt = 2; attempt < 5; attempt++) {
        scene.asked.clear();
        scene.ask("Resolve", "a", 0, "Retry");
        assertThat(sends(scene.step())).containsExactly(key("a", 0, attempt));
        scene.outcome(key("a", 0, attempt), new Outcome.Unknown("again", true));
        scene.step();
        scene.throughJson();
        // Details of failures are kept of the first 20 only: the number must not depend on them.
        scene.restart();
      }
      assertThat(scene.status.blocks().getFirst().unknownAttempts())
          .extracting(a -> a.attempt() + ":" + a.indexes())
          .containsExactly("4:0");
    }

    @Test
    void a_retry_that_fails_is_a_failure_once_attempts_are_used_up() {
      var scene = unknown();
      scene.ask("Resolve", "a", 0, "Retry");
      scene.step();
      scene.fail(key("a", 0, 2));
      scene.step();

      assertThat(scene.condition("Failed")).isEqualTo("True/JobFailed");
    }

    @Test
    void what_was_asked_about_an_earlier_attempt_is_refused() {
      var scene = unknown();
      scene.ask("Resolve", "a", 0, "Retry");
      var other = scene.ask("Resolve", "a", 0, "Succeeded");
      scene.asked.remove(other);
      scene.step();
      scene.after(5);
      scene.outcome(key("a", 0, 2), new Outcome.Unknown("again", true));
      scene.step();

      scene.asked.add(other);
      scene.step();

      assertRefused(scene, other, "after this was asked for");
      assertThat(scene.status.jobs().unknown()).isEqualTo(1);
    }

    @Test
    void it_waits_for_each() {
      var scene = new Scene(range("a", 2, 4, ONCE));
      scene.step();
      scene.outcome(key("a", 0, 1), new Outcome.Unknown("dropped", true));
      scene.outcome(key("a", 1, 1), new Outcome.Unknown("dropped", true));
      scene.step();
      scene.ask("Resolve", "a", 1, "Succeeded");

      assertThat(sends(scene.step())).isEmpty();
      assertThat(scene.condition("Ready")).isEqualTo("False/UnknownOutcome");
      scene.ask("Resolve", "a", 0, "Succeeded");
      assertThat(sends(scene.step())).hasSize(2);
    }

    static Stream<Arguments> nonsense() {
      return Stream.of(
          Arguments.of("b", 0, "Succeeded", "no block \"b\""),
          Arguments.of("a", 3, "Succeeded", "has 3 jobs"),
          Arguments.of("a", 1, "Succeeded", "has not begun"),
          Arguments.of("a", 0, "Perhaps", "must be Succeeded, Failed or Retry"));
    }

    @ParameterizedTest
    @MethodSource("nonsense")
    void of_anything_else_is_refused(String block, int index, String outcome, String says) {
      var scene = unknown();
      var resolve = scene.ask("Resolve", block, index, outcome);
      scene.step();

      assertRefused(scene, resolve, says);
      assertThat(scene.status.jobs().unknown()).isEqualTo(1);
    }

    /** Six jobs, of which a/1, a/2 and a/4 are unknown, a/0 succeeded, and a/3 and a/5 run. */
    private static Scene manyUnknown(String maxFailures) {
      var scene = new Scene(range("a", 6, 8, ONCE, null, maxFailures));
      scene.step();
      for (int i : List.of(1, 2, 4)) {
        scene.outcome(key("a", i, 1), new Outcome.Unknown("dropped", true));
      }
      scene.step();
      scene.succeed(key("a", 0, 1));
      scene.step();
      assertThat(scene.status.blocks().getFirst().unknown()).isEqualTo("1-2,4");
      return scene;
    }

    @Test
    void of_many_as_succeeded_it_goes_on() {
      var scene = manyUnknown(null);
      var resolve = scene.resolve("a", "1-2,4", "Succeeded");

      assertThat(sends(scene.step())).containsExactly(key("a", 6, 1), key("a", 7, 1));
      assertApplied(scene, resolve);
      assertThat(scene.answer(resolve).message())
          .isEqualTo("3 jobs count as succeeded: block a, indexes 1-2,4");
      assertThat(scene.status.blocks().getFirst().succeeded()).isEqualTo("0-2,4");
      assertThat(scene.status.jobs().unknown()).isZero();
      assertThat(scene.status.failures()).isEmpty();
    }

    @Test
    void of_some_leaves_the_others_unknown() {
      var scene = manyUnknown(null);
      scene.resolve("a", "1,4", "Succeeded");

      assertThat(sends(scene.step())).isEmpty();
      assertThat(scene.status.blocks().getFirst().succeeded()).isEqualTo("0-1,4");
      assertThat(scene.status.blocks().getFirst().unknown()).isEqualTo("2");
      assertThat(scene.condition("Ready")).isEqualTo("False/UnknownOutcome");
    }

    @Test
    void of_many_as_failed_each_counts_against_the_budget() {
      var over = manyUnknown("2");
      over.resolve("a", "1-2,4", "Failed");
      assertThat(sends(over.step())).isEmpty();
      assertThat(over.status.jobs().failed()).isEqualTo(3);
      assertThat(over.message()).contains("3 of 8 jobs failed, 2 may");
      over.succeed(key("a", 3, 1));
      over.succeed(key("a", 5, 1));
      over.step();
      assertThat(over.condition("Failed")).isEqualTo("True/JobFailed");
      assertThat(over.status.failures())
          .extracting(f -> f.index() + " " + f.reason())
          .containsExactly("1 ResolvedAsFailed", "2 ResolvedAsFailed", "4 ResolvedAsFailed");

      var within = manyUnknown("3");
      within.resolve("a", "1-2,4", "Failed");
      assertThat(sends(within.step())).containsExactly(key("a", 6, 1), key("a", 7, 1));
      assertThat(within.status.jobs().failed()).isEqualTo(3);
    }

    @Test
    void of_many_as_retry_each_takes_its_own_next_number() {
      var scene = manyUnknown(null);
      scene.ask("Resolve", "a", 4, "Retry");
      scene.resolve("a", "1-2", "Succeeded");
      scene.step();
      scene.outcome(key("a", 4, 2), new Outcome.Unknown("again", true));
      scene.outcome(key("a", 5, 1), new Outcome.Unknown("dropped", true));
      scene.step();
      var resolve = scene.resolve("a", "4-5", "Retry");

      assertThat(sends(scene.step())).contains(key("a", 4, 3), key("a", 5, 2));
      assertThat(scene.answer(resolve).message())
          .isEqualTo("2 jobs are tried again, each as its next attempt: block a, indexes 4-5");
    }

    @Test
    void of_many_is_applied_once() {
      var scene = manyUnknown(null);
      var resolve = scene.resolve("a", "1-2,4", "Retry");
      scene.step();
      for (int i : List.of(1, 2, 4)) {
        scene.outcome(key("a", i, 2), new Outcome.Unknown("again", true));
      }
      scene.step();

      assertThat(scene.asked).as("its own status was never written").contains(resolve);
      assertThat(sends(scene.step())).isEmpty();
      assertThat(scene.status.jobs().unknown()).isEqualTo(3);
    }

    static Stream<Arguments> nonsenseOfMany() {
      return Stream.of(
          Arguments.of("b", "1-2", "Failed", "spec.block: the Workflow has no block \"b\""),
          Arguments.of("a", "1-2,8", "Failed", "spec.indexes: 8: block a has 8 jobs, from 0"),
          Arguments.of("a", "2,1", "Failed", "spec.indexes: \"2,1\": not ascending ranges"),
          Arguments.of("a", "1,2", "Failed", "spec.indexes: \"1,2\": not ascending ranges"),
          Arguments.of("a", "", "Failed", "spec.indexes: \"\": not ascending ranges"),
          Arguments.of("a", null, "Failed", "spec.index, spec.indexes: exactly one"),
          Arguments.of("a", "1-2", "Perhaps", "must be Succeeded, Failed or Retry"),
          Arguments.of(
              "a",
              "0-4",
              "Failed",
              "spec.indexes: 2 of these 5 jobs are not Unknown, so that nothing was changed: a/0 (m-001) succeeded, a/3 (m-004) is under way."
                  + " Unknown are 1-2,4: name only jobs of these"),
          Arguments.of(
              "a",
              "0-7",
              "Failed",
              "5 of these 8 jobs are not Unknown, so that nothing was changed: a/0 (m-001) succeeded, a/3 (m-004) is under way, a/5 (m-006) is under way, and 2 more."));
    }

    @ParameterizedTest
    @MethodSource("nonsenseOfMany")
    void of_many_is_refused_as_a_whole_if_one_cannot_be(
        String block, String indexes, String outcome, String says) {
      var scene = manyUnknown("100%");
      var resolve = scene.resolve(block, indexes, outcome);
      scene.step();

      assertRefused(scene, resolve, says);
      assertThat(scene.status.blocks().getFirst().unknown()).isEqualTo("1-2,4");
      assertThat(scene.status.jobs().failed()).isZero();
    }

    @Test
    void by_index_and_by_indexes_at_once_is_refused() {
      var scene = manyUnknown(null);
      var asked = scene.resolve("a", "1-2", "Succeeded");
      scene.asked.remove(asked);
      var both =
          new PendingAction(
              asked.name(),
              asked.uid(),
              asked.created(),
              new WorkflowActionSpec(
                  "erase", Scene.UID, "Resolve", null, "a", 4, "1-2", "Succeeded", "x", null));
      scene.asked.add(both);
      scene.step();

      assertRefused(scene, both, "spec.index, spec.indexes: exactly one");
      assertThat(scene.status.jobs().unknown()).isEqualTo(3);
    }

    @Test
    void of_many_is_refused_if_one_became_unknown_after_it_was_asked_for() {
      var scene = manyUnknown(null);
      scene.after(5);
      scene.outcome(key("a", 5, 1), new Outcome.Unknown("dropped", true));
      scene.step();
      scene.after(-3);
      var resolve = scene.resolve("a", "1-2,4-5", "Succeeded");
      scene.step();

      assertRefused(
          scene,
          resolve,
          "1 of these 4 jobs became Unknown after this was asked for, so that nothing was changed: a/5 (m-006) at 2026-01-01T00:00:05Z",
          "look at them, then create another action");
      assertThat(scene.status.blocks().getFirst().unknown()).isEqualTo("1-2,4-5");
    }

    @Test
    void of_what_ended_or_runs_is_refused() {
      var scene = running();
      scene.succeed(key("a", 0, 1));
      scene.step();
      var ended = scene.ask("Resolve", "a", 0, "Retry");
      var runs = scene.ask("Resolve", "a", 1, "Retry");

      assertThat(sends(scene.step())).isEmpty();
      assertRefused(scene, ended, "succeeded");
      assertRefused(scene, runs, "under way");
    }

    @Test
    void of_what_failed_was_skipped_or_is_yet_to_come_is_refused() {
      var scene = new Scene(range("a", 1, 3, ONCE, null, "50%"), range("b", 1, 1, ONCE));
      scene.step();
      scene.fail(key("a", 0, 1));
      scene.step();
      var failed = scene.ask("Resolve", "a", 0, "Retry");
      var waits = scene.ask("Resolve", "a", 2, "Retry");
      var later = scene.ask("Resolve", "b", 0, "Retry");
      scene.step();

      assertRefused(scene, failed, "job a/0 (m-001)", "it failed");
      assertRefused(scene, waits, "it has not begun");
      assertRefused(scene, later, "job b/0 (m-001)", "it has not begun");
    }

    @Test
    void as_retry_it_says_which_attempt_comes_next() {
      var scene = unknown();
      var retry = scene.ask("Resolve", "a", 0, "Retry");
      scene.step();

      assertThat(scene.answer(retry).message())
          .isEqualTo("job a/0 (m-001) is tried again, as attempt 2");
    }

    @Test
    void of_one_leaves_what_is_told_of_others() {
      var scene = new Scene(range("a", 3, 4, ONCE, null, "50%"));
      scene.step();
      scene.fail(key("a", 0, 1));
      scene.step();
      scene.after(5);
      scene.outcome(key("a", 1, 1), new Outcome.Unknown("dropped", true));
      scene.step();
      scene.after(5);
      scene.outcome(key("a", 2, 1), new Outcome.Unknown("dropped", true));
      scene.step();
      scene.after(-3);
      // It became unknown before this was asked for, and the other one after.
      var first = scene.ask("Resolve", "a", 1, "Succeeded");
      var second = scene.ask("Resolve", "a", 2, "Succeeded");
      scene.step();

      assertApplied(scene, first);
      assertRefused(scene, second, "after this was asked for");
      assertThat(scene.status.failures())
          .extracting(f -> f.index() + " " + f.reason())
          .containsExactly("0 HttpStatus", "2 UnknownOutcome");
    }

    @Test
    void a_status_whose_unknown_attempts_contradict_it_is_corrupt() {
      var scene = unknown();
      scene.ask("Resolve", "a", 0, "Retry");
      scene.step();
      scene.outcome(key("a", 0, 2), new Outcome.Unknown("again", true));
      scene.step();
      String json = Scene.json(scene.status).toString();
      scene.status =
          new io.fabric8.kubernetes.client.utils.KubernetesSerialization()
              .unmarshal(
                  json.replace("\"indexes\":\"0\"", "\"indexes\":\"0-1\""),
                  dev.andon.crds.WorkflowStatus.class);

      scene.step();

      assertThat(scene.condition("Ready")).isEqualTo("False/CorruptStatus");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"Approve", "Reject", "Frobnicate"})
  void what_nobody_here_knows_is_refused(String verb) {
    var scene = running();
    var action = scene.ask(verb);
    scene.step();

    assertRefused(scene, action, "spec.verb", verb);
    assertThat(scene.status.phase()).isEqualTo("Running");
  }

  @Test
  void ten_are_kept_and_none_is_forgotten_before_it_was_told() {
    var scene = running();
    for (int i = 0; i < 14; i++) {
      scene.ask(i % 2 == 0 ? "Pause" : "Resume");
      scene.after(1);
    }

    Decision decision = scene.step();
    assertThat(scene.status.actions()).hasSize(10);
    assertThat(decision.wakeUp()).isBeforeOrEqualTo(scene.now.plusSeconds(1));
    scene.step();
    assertThat(scene.status.actions()).as("nobody was told yet").hasSize(10);

    for (PendingAction action : List.copyOf(scene.asked).subList(0, 10)) {
      scene.tell(action);
    }
    scene.step();
    assertThat(scene.status.actions())
        .extracting(a -> a.name())
        .containsExactly("a-4", "a-5", "a-6", "a-7", "a-8", "a-9", "a-10", "a-11", "a-12", "a-13");
  }

  @Test
  void a_finished_one_is_left_as_it_is() {
    var scene = new Scene(block("a", 1, job("x", CALL)));
    scene.step();
    scene.succeed(key("a", 0, 1));
    scene.step();
    var before = Scene.json(scene.status);
    scene.ask("Cancel");
    scene.step();

    assertThat(Scene.json(scene.status)).isEqualTo(before);
  }

  @Test
  void many_tried_again_run_no_more_at_once_than_the_block_allows() {
    var scene = new Scene(range("a", 3, 3, ONCE));
    scene.step();
    for (int i = 0; i < 3; i++) {
      scene.outcome(key("a", i, 1), new Outcome.Unknown("dropped", true));
    }
    scene.step();
    // As if it had been accepted so.
    scene.spec = Scene.spec(range("a", 1, 3, ONCE));
    scene.status = Scene.with(scene.status, "specHash", SpecHash.of(scene.spec));
    for (int i = 0; i < 3; i++) {
      scene.ask("Resolve", "a", i, "Retry");
    }

    assertThat(sends(scene.step())).containsExactly(key("a", 0, 2));
  }
}
