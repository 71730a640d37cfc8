package dev.andon.operator.workflow;

import static dev.andon.operator.workflow.Scene.CALL;
import static dev.andon.operator.workflow.Scene.ONCE;
import static dev.andon.operator.workflow.Scene.STOPPED;
import static dev.andon.operator.workflow.Scene.block;
import static dev.andon.operator.workflow.Scene.job;
import static dev.andon.operator.workflow.Scene.key;
import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.JobTypeSpec;
import dev.andon.crds.WorkflowSpec;
import dev.andon.crds.WorkflowStatus.Active;
import dev.andon.crds.WorkflowStatus.PinnedJobType;
import dev.andon.operator.execution.Attempt;
import dev.andon.operator.execution.Attempt.Work;
import dev.andon.operator.execution.AttemptKey;
import dev.andon.operator.execution.Outcome;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Job types are what they were at acceptance, or a person says that the new ones will do. */
class JobTypeChangeTest {
  private static List<AttemptKey> sends(Decision decision) {
    return decision.begin().stream()
        .filter(a -> a.work() instanceof Work.Send)
        .map(Attempt::key)
        .toList();
  }

  private static Scene afterTheFirst(String type) {
    var scene = new Scene(block("a", 1, job("x", type), job("y", type), job("z", type)));
    scene.step();
    scene.succeed(key("a", 0, 1));
    return scene;
  }

  static Stream<Arguments> changes() {
    Consumer<Scene> edited = s -> s.versions.put(CALL, new PinnedJobType(CALL, "call-uid", 2L));
    Consumer<Scene> anew = s -> s.versions.put(CALL, new PinnedJobType(CALL, "call-uid-2", 1L));
    Consumer<Scene> deleted =
        s -> {
          s.versions.remove(CALL);
          s.jobTypes.remove(CALL);
        };
    return Stream.of(
        Arguments.of("edited", edited, "generation 1 to 2"),
        Arguments.of("created anew", anew, "deleted and created anew"),
        Arguments.of("deleted", deleted, "was deleted"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("changes")
  void a_change_holds_what_runs_and_says_what_changed(
      String name, Consumer<Scene> change, String says) {
    var scene = afterTheFirst(CALL);
    change.accept(scene);

    assertThat(sends(scene.step())).isEmpty();
    assertThat(scene.status.phase()).isEqualTo("Paused");
    assertThat(scene.condition("Ready")).isEqualTo("False/JobTypeChanged");
    assertThat(Conditions.find(scene.status.conditions(), "Ready").orElseThrow().message())
        .contains(CALL, says, "Resume");
  }

  @Test
  void it_goes_on_by_itself_once_it_is_what_it_was() {
    var scene = afterTheFirst(CALL);
    var was = scene.versions.put(CALL, new PinnedJobType(CALL, "call-uid", 2L));
    scene.step();
    scene.versions.put(CALL, was);

    assertThat(sends(scene.step())).hasSize(1);
  }

  @Test
  void a_resume_pins_it_anew_and_says_so() {
    var scene = afterTheFirst(CALL);
    var now = new PinnedJobType(CALL, "call-uid", 2L);
    scene.versions.put(CALL, now);
    scene.step();
    var resume = scene.ask("Resume");

    assertThat(sends(scene.step())).containsExactly(key("a", 1, 1));
    assertThat(scene.answer(resume).phase()).isEqualTo("Applied");
    assertThat(scene.answer(resume).message()).contains("as they are now", "generation 1 to 2");
    assertThat(scene.status.jobTypes()).containsExactly(now);
  }

  @Test
  void a_resume_is_refused_where_no_job_can_be_made_of_what_it_is_now() {
    var scene = afterTheFirst(CALL);
    scene.versions.put(CALL, new PinnedJobType(CALL, "call-uid", 2L));
    scene.step();
    scene.templates = new Templates(List.of("job type call: cannot be run"), false);
    var resume = scene.ask("Resume");

    assertThat(sends(scene.step())).isEmpty();
    assertThat(scene.answer(resume).phase()).isEqualTo("Refused");
    assertThat(scene.answer(resume).message()).contains("job type call: cannot be run");
  }

  @Test
  void one_that_changed_before_the_start_is_pinned_once_the_api_server_was_asked() {
    var scene = new Scene(block("a", 1, job("x", CALL)));
    scene.stop = STOPPED;
    scene.step();
    scene.versions.put(CALL, new PinnedJobType(CALL, "call-uid", 2L));
    scene.templates = new Templates(List.of(), true);
    scene.stop = Scene.OPEN;

    assertThat(sends(scene.step())).isEmpty();
    assertThat(scene.condition("Ready")).isEqualTo("False/JobTypeChanged");

    scene.templates = Templates.NONE;
    assertThat(sends(scene.step())).hasSize(1);
  }

  @Test
  void a_resume_seen_again_does_not_pin_the_next_change() {
    var scene = afterTheFirst(CALL);
    scene.versions.put(CALL, new PinnedJobType(CALL, "call-uid", 2L));
    scene.step();
    scene.ask("Resume");
    scene.step();
    scene.succeed(key("a", 1, 1));
    scene.versions.put(CALL, new PinnedJobType(CALL, "call-uid", 3L));

    assertThat(sends(scene.step())).isEmpty();
    assertThat(scene.condition("Ready")).isEqualTo("False/JobTypeChanged");
  }

  @Test
  void a_resume_is_refused_while_the_job_type_is_gone() {
    var scene = afterTheFirst(CALL);
    scene.versions.remove(CALL);
    scene.jobTypes.remove(CALL);
    scene.step();
    var resume = scene.ask("Resume");

    assertThat(sends(scene.step())).isEmpty();
    assertThat(scene.answer(resume).phase()).isEqualTo("Refused");
    assertThat(scene.answer(resume).message()).contains("was deleted", CALL);
  }

  @Test
  void a_resume_is_refused_against_policy() {
    var scene = afterTheFirst(CALL);
    scene.versions.put(CALL, new PinnedJobType(CALL, "call-uid", 2L));
    scene.step();
    scene.policies.clear();
    var resume = scene.ask("Resume");

    assertThat(sends(scene.step())).isEmpty();
    assertThat(scene.answer(resume).message()).contains("policy denies");
  }

  @Test
  void a_resume_is_refused_while_something_sent_before_has_not_ended() {
    var scene = new Scene(block("a", 1, job("x", CALL), job("y", CALL)));
    scene.step();
    scene.versions.put(CALL, new PinnedJobType(CALL, "call-uid", 2L));
    scene.step();
    var early = scene.ask("Resume");
    scene.step();
    assertThat(scene.answer(early).phase()).isEqualTo("Refused");
    assertThat(scene.answer(early).message()).contains("1 attempts", "have not ended");

    scene.succeed(key("a", 0, 1));
    scene.step();
    scene.ask("Resume");
    assertThat(sends(scene.step())).containsExactly(key("a", 1, 1));
  }

  @Test
  void what_was_left_by_another_process_is_not_asked_of_another_target_but_becomes_unknown() {
    var scene = new Scene(block("a", 1, job("x", CALL), job("y", CALL)));
    scene.step();
    scene.restart();
    scene.versions.put(CALL, new PinnedJobType(CALL, "call-uid", 2L));

    assertThat(scene.step().begin()).isEmpty();
    assertThat(scene.condition("Ready")).isEqualTo("False/JobTypeChanged");
    scene.after(606);
    assertThat(scene.step().begin()).isEmpty();
    assertThat(scene.status.jobs().unknown()).isEqualTo(1);

    scene.ask("Resume");
    assertThat(scene.step().begin()).isEmpty();
    assertThat(scene.condition("Ready")).isEqualTo("False/UnknownOutcome");
    scene.ask("Resolve", "a", 0, "Succeeded");
    assertThat(sends(scene.step())).containsExactly(key("a", 1, 1));
  }

  /** Its Job is known by the attempt's key: no stop leaves it running for a change of its type. */
  @Test
  void a_stop_ends_a_container_that_another_process_began_whatever_its_job_type_is_now() {
    var scene = new Scene(block("a", 1, job("x", CALL)));
    var http = scene.jobTypes.get(CALL);
    scene.jobTypes.put(
        CALL,
        new JobTypeSpec(
            null,
            http.args(),
            600,
            http.retry(),
            false,
            null,
            null,
            new JobTypeSpec.Executor(
                null,
                new JobTypeSpec.Container(
                    Scene.json(
                        "{\"spec\":{\"restartPolicy\":\"Never\",\"containers\":[{\"name\":\"a\",\"image\":\"a\"}]}}"),
                    null,
                    null),
                null,
                null)));
    scene.step();
    assertThat(scene.status.active()).as(scene.status.toString()).hasSize(1);
    scene.restart();
    scene.versions.put(CALL, new PinnedJobType(CALL, "call-uid", 2L));
    scene.stop = STOPPED;

    assertThat(scene.step().begin())
        .singleElement()
        .satisfies(a -> assertThat(a.work()).isInstanceOf(Work.End.class));
  }

  /** Nobody can tell any more what it was: a Job of its name is looked for, and suspended. */
  @Test
  void a_stop_looks_for_the_container_of_a_job_type_that_is_gone() {
    var scene = new Scene(block("a", 1, job("x", CALL)));
    scene.step();
    scene.restart();
    scene.jobTypes.remove(CALL);
    scene.versions.remove(CALL);
    scene.stop = STOPPED;

    assertThat(scene.step().begin())
        .singleElement()
        .satisfies(
            a -> {
              assertThat(a.work()).isInstanceOf(Work.End.class);
              assertThat(a.spec().executor().container()).isNotNull();
            });
  }

  @Test
  void of_attempts_nobody_can_be_asked_about_the_one_whose_time_is_over_is_unknown() {
    var quick = new WorkflowSpec.Job("y", CALL, Map.of(), 60, null);
    var scene = new Scene(block("a", 3, job("x", CALL), quick, job("z", CALL)));
    scene.step();
    scene.restart();
    scene.versions.put(CALL, new PinnedJobType(CALL, "call-uid", 2L));
    scene.step();
    scene.after(66);

    scene.step();

    assertThat(scene.status.blocks().getFirst().unknown()).isEqualTo("1");
    assertThat(scene.status.active()).extracting(Active::index).containsExactly(0, 2);
  }

  @Test
  void a_send_that_would_be_repeated_under_its_key_becomes_unknown() {
    var scene = new Scene(block("a", 1, job("x", CALL), job("y", CALL)));
    scene.step();
    scene.outcome(key("a", 0, 1), new Outcome.Unknown("dropped", true));
    scene.versions.put(CALL, new PinnedJobType(CALL, "call-uid", 2L));
    scene.step();
    scene.ask("Resume");

    assertThat(sends(scene.step())).isEmpty();
    assertThat(scene.status.jobs().unknown()).isEqualTo(1);
  }

  @Test
  void a_retry_after_a_known_failure_goes_on_with_its_number() {
    var scene = new Scene(block("a", 1, job("x", CALL)));
    scene.step();
    scene.fail(key("a", 0, 1));
    scene.versions.put(CALL, new PinnedJobType(CALL, "call-uid", 2L));
    scene.step();
    scene.ask("Resume");
    scene.step();
    scene.after(60);

    assertThat(sends(scene.step())).containsExactly(key("a", 0, 2));
  }

  @Test
  void before_the_start_what_still_fits_is_pinned_anew() {
    var scene = new Scene(block("a", 1, job("x", CALL)));
    scene.stop = STOPPED;
    scene.step();
    var now = new PinnedJobType(CALL, "call-uid", 2L);
    scene.versions.put(CALL, now);
    scene.stop = Scene.OPEN;

    assertThat(sends(scene.step())).hasSize(1);
    assertThat(scene.status.jobTypes()).containsExactly(now);
  }

  @Test
  void before_the_start_what_no_longer_fits_is_held_until_it_does() {
    var scene = new Scene(block("a", 1, job("x", ONCE)));
    scene.stop = STOPPED;
    scene.step();
    var was = scene.jobTypes.remove(ONCE);
    var version = scene.versions.remove(ONCE);
    scene.stop = Scene.OPEN;

    assertThat(sends(scene.step())).isEmpty();
    assertThat(scene.condition("Ready")).isEqualTo("False/JobTypeChanged");
    scene.jobTypes.put(ONCE, was);
    scene.versions.put(ONCE, new PinnedJobType(ONCE, "another", 1L));
    assertThat(sends(scene.step())).hasSize(1);
    assertThat(version).isNotNull();
  }
}
