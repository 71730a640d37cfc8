package dev.andon.operator.workflow;

import static dev.andon.operator.workflow.Scene.CALL;
import static dev.andon.operator.workflow.Scene.ONCE;
import static dev.andon.operator.workflow.Scene.STOPPED;
import static dev.andon.operator.workflow.Scene.T0;
import static dev.andon.operator.workflow.Scene.block;
import static dev.andon.operator.workflow.Scene.job;
import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.WorkflowStatus;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A status that contradicts itself, of a workflow that has started and of one that has not. */
class CorruptStatusTest {
  private static Arguments row(String name, UnaryOperator<WorkflowStatus> change, String finding) {
    return Arguments.of(name, change, finding);
  }

  private static UnaryOperator<WorkflowStatus> with(String field, Object value) {
    return status -> Scene.with(status, field, value);
  }

  static Stream<Arguments> started() {
    return Stream.of(
        row(
            "an end that no condition tells of",
            with("completionTime", "2026-01-01T00:00:00Z"),
            "status.completionTime: is set, but condition Finished is not True"),
        row(
            "jobs and no start",
            with("startTime", null),
            "status.startTime: is missing, but jobs have begun"),
        row(
            "a start and no acceptance",
            with("conditions", List.of()),
            "status.startTime: is set, but condition Accepted is not True"),
        row(
            "no hash of what was accepted",
            with("specHash", null),
            "status.specHash: is missing, but the workflow has started"),
        row(
            "no arming",
            with("armed", null),
            "status.armed: is missing, but the workflow has started"),
        row(
            "an arming of nothing",
            with("armed", Scene.yaml("{id: x}")),
            "status.armed: is missing, but the workflow has started"),
        row(
            "one of two job types",
            with("jobTypes", List.of(Scene.yaml("{name: call, uid: call-uid, generation: 1}"))),
            "status.jobTypes: once is missing, but the workflow has started"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("started")
  void of_what_has_started_nothing_more_is_run(
      String name, UnaryOperator<WorkflowStatus> change, String finding) {
    var scene = new Scene(block("a", 1, job("x", CALL), job("y", ONCE)));
    scene.step();
    scene.throughJson();
    scene.status = change.apply(scene.status);

    assertCorrupt(scene, finding);
  }

  /**
   * The API server refuses such a change; one whose CRD lacks the rules does not. Index 0 has
   * ended, and would be another job.
   */
  @Test
  void of_a_spec_that_is_another_than_the_one_accepted_nothing_more_is_run() {
    var scene = new Scene(block("a", 1, job("x", CALL), job("y", CALL)));
    scene.step();
    scene.succeed(Scene.key("a", 0, 1));
    scene.step();
    scene.throughJson();

    scene.spec = new Scene(block("a", 1, job("y", CALL), job("x", CALL))).spec;

    assertCorrupt(scene, "status.specHash: " + scene.status.specHash() + " was accepted, and");
  }

  @Test
  void nor_of_one_that_was_accepted_and_waits() {
    var scene = new Scene(block("a", 1, job("x", CALL)), block("b", 1, job("y", CALL)));
    scene.stop = STOPPED;
    scene.step();

    scene.spec = new Scene(block("b", 1, job("y", CALL)), block("a", 1, job("x", CALL))).spec;

    assertCorrupt(scene, "status.specHash: " + scene.status.specHash() + " was accepted, and");
  }

  static Stream<Arguments> waiting() {
    return Stream.of(
        row("starts", with("starts", 1), "status.startTime: is missing, but jobs have begun"),
        row(
            "blocks",
            with("blocks", List.of(Scene.yaml("{name: a, total: 2}"))),
            "status.startTime: is missing, but jobs have begun"),
        row(
            "what was taken over",
            with("continued", Scene.yaml("{workflow: first, uid: u}")),
            "status.startTime: is missing, but jobs have begun"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("waiting")
  void of_what_has_not_started_nothing_is_run(
      String name, UnaryOperator<WorkflowStatus> change, String finding) {
    var scene = new Scene(block("a", 1, job("x", CALL), job("y", ONCE)));
    scene.stop = STOPPED;
    scene.step();
    scene.throughJson();
    scene.status = change.apply(scene.status);
    scene.stop = Scene.OPEN;

    assertCorrupt(scene, finding);
  }

  private static void assertCorrupt(Scene scene, String finding) {
    scene.after(9);
    var decision = scene.step();

    assertThat(decision.begin()).isEmpty();
    assertThat(decision.strayJobs()).as("what runs outside is not known").isTrue();
    assertThat(scene.condition("Failed")).isEqualTo("True/CorruptStatus");
    assertThat(Conditions.find(scene.status.conditions(), "Ready").orElseThrow().message())
        .startsWith(finding)
        .contains("; nothing more is run");
  }

  @Test
  void of_a_sound_one_all_that_runs_is_known() {
    var scene = new Scene(block("a", 1, job("x", CALL)));

    assertThat(scene.step().strayJobs()).isFalse();
    scene.stop = STOPPED;
    assertThat(scene.step().strayJobs()).isFalse();
  }

  @Test
  void when_it_was_found_is_when_it_ended_unless_it_says_when() {
    var scene = new Scene(block("a", 1, job("x", CALL)));
    scene.step();
    WorkflowStatus sound = scene.status;
    scene.after(9);
    scene.status = Scene.with(sound, "armed", null);
    scene.step();
    assertThat(scene.status.completionTime()).isEqualTo(T0.plusSeconds(9));

    scene.status = Scene.with(sound, "completionTime", "2026-01-01T00:00:05Z");
    scene.step();
    assertThat(scene.status.completionTime()).isEqualTo(T0.plusSeconds(5));
  }
}
