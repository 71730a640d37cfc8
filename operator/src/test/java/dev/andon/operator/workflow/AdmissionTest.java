package dev.andon.operator.workflow;

import static dev.andon.operator.workflow.Scene.CALL;
import static dev.andon.operator.workflow.Scene.STOPPED;
import static dev.andon.operator.workflow.Scene.T0;
import static dev.andon.operator.workflow.Scene.TYPE;
import static dev.andon.operator.workflow.Scene.block;
import static dev.andon.operator.workflow.Scene.job;
import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.JobTypeSpec;
import dev.andon.crds.WorkflowSpec;
import dev.andon.crds.WorkflowSpec.ConfigMapKeyRef;
import dev.andon.crds.WorkflowSpec.ForEach;
import dev.andon.crds.WorkflowSpec.Job;
import dev.andon.policies.Policy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The order in which objects arrive decides nothing; what is wrong is rejected at once. */
class AdmissionTest {
  private static final ConfigMapKeyRef REF =
      new ConfigMapKeyRef("machines", "all", "ab".repeat(32));

  private static Scene scene() {
    var scene = new Scene(block("a", 1, new Job("x", CALL, Map.of("machine", "m-1"), null, null)));
    scene.decider = new Decider(Decider.LOOK_AGAIN, Duration.ofSeconds(30));
    return scene;
  }

  private static Policy policy(String types, List<String> allowed, String... more) {
    String restriction =
        "{\"restrictJobTypes\":{\"allowed\":%s}}"
            .formatted(allowed.stream().map(a -> '"' + a + '"').toList());
    return Scene.policy(
        "types",
        types,
        Stream.concat(Stream.of(restriction), Stream.of(more)).toArray(String[]::new));
  }

  private static String sameArgs(String jobType) {
    return "{\"sameArgs\":{\"jobType\":\"%s\",\"args\":[\"machine\"]}}".formatted(jobType);
  }

  /** Takes something away, and brings it. */
  private static Arguments lacks(
      String name, Consumer<Scene> without, Consumer<Scene> with, String reason, String finding) {
    return Arguments.of(Named.of(name, without), with, reason, finding);
  }

  static Stream<Arguments> what_another_object_can_bring() {
    var types = new Scene().jobTypes;
    JobTypeSpec call = types.get(CALL);
    var versions = new Scene().versions;
    return Stream.of(
        lacks(
            "no policy admits the type",
            s -> s.policies.clear(),
            s -> s.policies.add(policy(TYPE, List.of(CALL))),
            "PolicyDenied",
            "no policy admits it"),
        lacks(
            "a type not in allowed",
            s -> s.policies.set(0, policy(TYPE, List.of("other"))),
            s -> s.policies.set(0, policy(TYPE, List.of("other", CALL))),
            "PolicyDenied",
            "\"call\" is not allowed"),
        lacks(
            "a job type unknown",
            s -> {
              s.jobTypes.remove(CALL);
              s.versions.remove(CALL);
            },
            s -> {
              s.jobTypes.put(CALL, call);
              s.versions.put(CALL, versions.get(CALL));
            },
            "InvalidSpec",
            "unknown job type \"call\""),
        lacks(
            "an arg unknown",
            s -> s.jobTypes.put(CALL, withArgs(call, List.of())),
            s -> s.jobTypes.put(CALL, call),
            "InvalidSpec",
            "args.machine: unknown argument"),
        lacks(
            "a job type not ready",
            s -> s.jobTypes.put(CALL, withUrl(call, "nonsense")),
            s -> s.jobTypes.put(CALL, call),
            "InvalidSpec",
            "JobType call: spec.executor.http.url"),
        lacks(
            "a job type that no Job can be made of",
            s ->
                s.templates =
                    new Templates(
                        List.of("job type call: cannot be run in namespace fleet: x"), false),
            s -> s.templates = Templates.NONE,
            "InvalidSpec",
            "job type call: cannot be run in namespace fleet: x"),
        lacks(
            "a job type of an executor that is not there yet",
            s -> s.jobTypes.put(CALL, withExecutor(call, null)),
            s -> s.jobTypes.put(CALL, call),
            "InvalidSpec",
            "has no executor this version can run"),
        lacks(
            "a policy vacuous",
            s -> s.policies.set(0, policy(TYPE, List.of(CALL), sameArgs("later"))),
            s -> s.jobTypes.put("later", call),
            "PolicyDenied",
            "is not ready: "),
        lacks(
            "a ConfigMap absent",
            s -> {
              s.spec = new Scene(ofConfigMap()).spec;
              s.items =
                  new Items(
                      Map.of(),
                      List.of("there is no ConfigMap x"),
                      List.of("there is no ConfigMap x"));
            },
            s -> s.items = new Items(Map.of(REF, List.of("m-1")), List.of(), List.of()),
            "InvalidSpec",
            "there is no ConfigMap x"));
  }

  private static WorkflowSpec.Block ofConfigMap() {
    return new WorkflowSpec.Block(
        "a",
        1,
        null,
        null,
        new ForEach(
            null, null, REF, null, new Job(null, CALL, Map.of("machine", "$(item)"), null, null)),
        null);
  }

  private static JobTypeSpec withArgs(JobTypeSpec t, List<JobTypeSpec.Arg> args) {
    return new JobTypeSpec(
        null, args, t.timeoutSeconds(), t.retry(), t.retrySafe(), null, null, t.executor());
  }

  private static JobTypeSpec withExecutor(JobTypeSpec t, JobTypeSpec.Executor executor) {
    return new JobTypeSpec(
        null, t.args(), t.timeoutSeconds(), t.retry(), t.retrySafe(), null, null, executor);
  }

  private static JobTypeSpec withUrl(JobTypeSpec t, String url) {
    return withExecutor(
        t,
        new JobTypeSpec.Executor(
            new JobTypeSpec.Http("POST", url, null, null, null, null, null, null, null, null),
            null,
            null,
            null));
  }

  @ParameterizedTest
  @MethodSource("what_another_object_can_bring")
  void it_waits_for_it_and_starts_when_it_is_there(
      Consumer<Scene> without, Consumer<Scene> with, String reason, String finding) {
    var scene = scene();
    without.accept(scene);

    Decision waits = scene.step();
    assertThat(scene.status.phase()).isEqualTo("Pending");
    assertThat(scene.condition("Ready")).isEqualTo("False/NotAdmittedYet");
    assertThat(scene.condition("Accepted")).isEqualTo("absent");
    assertThat(scene.condition("Suspended")).isEqualTo("True/NotAdmittedYet");
    assertThat(scene.message()).contains(finding, "rejected after 2026-01-01T00:00:30Z");
    assertThat(scene.status.firstJudged()).isEqualTo(T0);
    assertThat(waits.wakeUp()).isBeforeOrEqualTo(T0.plusSeconds(30));
    assertThat(waits.begin()).isEmpty();

    scene.after(29);
    with.accept(scene);
    assertThat(scene.step().begin()).hasSize(1);
    assertThat(scene.status.phase()).isEqualTo("Running");
  }

  @ParameterizedTest
  @MethodSource("what_another_object_can_bring")
  void it_is_rejected_when_that_did_not_come_in_time(
      Consumer<Scene> without, Consumer<Scene> with, String reason, String finding) {
    var scene = scene();
    without.accept(scene);
    scene.step();

    scene.after(30);
    scene.step();

    assertThat(scene.status.phase()).isEqualTo("Rejected");
    assertThat(scene.condition("Accepted")).isEqualTo("False/" + reason);
    assertThat(scene.message()).contains(finding);
  }

  @Test
  void an_operator_that_was_down_for_an_hour_rejects_nothing_at_once() {
    var scene = scene();
    scene.policies.clear();
    scene.after(3_600);

    scene.step();
    assertThat(scene.condition("Ready")).isEqualTo("False/NotAdmittedYet");

    scene.restart();
    scene.after(29);
    scene.step();
    assertThat(scene.condition("Ready")).isEqualTo("False/NotAdmittedYet");
    assertThat(scene.status.firstJudged()).isEqualTo(T0.plusSeconds(3_600));
    scene.after(1);
    scene.step();
    assertThat(scene.condition("Ready")).isEqualTo("False/PolicyDenied");
  }

  @Test
  void what_is_wrong_is_rejected_at_once_with_what_is_lacking_too() {
    var scene = scene();
    scene.spec = new Scene(block("a", 1, job("x", "nosuch"), job("x", CALL))).spec;

    scene.step();

    assertThat(scene.condition("Ready")).isEqualTo("False/InvalidSpec");
    assertThat(scene.message()).contains("unknown job type \"nosuch\"", "of another job too");
  }

  @Test
  void what_a_policy_denies_is_rejected_at_once_with_what_is_lacking_too() {
    var scene = scene();
    scene.policies.set(0, policy(TYPE, List.of("other")));
    scene.policies.add(Scene.policy("small", TYPE, "{\"limits\":{\"maxJobs\":0}}"));

    scene.step();

    assertThat(scene.condition("Ready")).isEqualTo("False/PolicyDenied");
    assertThat(scene.message()).contains("\"call\" is not allowed", "policy small");
  }

  @Test
  void while_it_is_stopped_that_is_shown_first_and_the_grace_runs() {
    var scene = scene();
    scene.stop = STOPPED;
    scene.policies.clear();

    scene.step();
    assertThat(scene.condition("Ready")).isEqualTo("False/EmergencyStop");
    assertThat(scene.message()).contains("not armed", "no policy admits it");

    scene.after(30);
    scene.step();
    assertThat(scene.condition("Ready")).isEqualTo("False/PolicyDenied");
  }

  @Test
  void a_start_deadline_before_that_rejects_with_the_findings() {
    var scene = scene();
    scene.spec =
        new WorkflowSpec(
            TYPE, null, null, null, 10, null, null, null, null, null, scene.spec.blocks());
    scene.policies.clear();

    assertThat(scene.step().wakeUp()).isBeforeOrEqualTo(T0.plusSeconds(10));
    scene.after(10);
    scene.step();

    assertThat(scene.status.phase()).isEqualTo("Rejected");
    assertThat(scene.message()).contains("no policy admits it");
  }

  @Test
  void while_the_api_server_is_asked_about_pod_templates_nothing_begins() {
    var scene = scene();
    scene.templates = new Templates(List.of(), true);

    Decision waits = scene.step();
    assertThat(waits.begin()).isEmpty();
    assertThat(waits.wakeUp()).isBeforeOrEqualTo(T0.plusSeconds(1));
    assertThat(scene.condition("Ready")).isEqualTo("False/NotAdmittedYet");
    assertThat(scene.condition("Accepted")).isEqualTo("absent");
    assertThat(scene.status.firstJudged()).isNull();

    scene.templates = Templates.NONE;
    assertThat(scene.step().begin()).hasSize(1);
  }

  @Test
  void what_is_denied_waits_for_no_answer_about_pod_templates() {
    var scene = scene();
    scene.templates = new Templates(List.of(), true);
    scene.spec = new Scene(block("a", 1, job("x", "nosuch"), job("x", CALL))).spec;

    scene.step();

    assertThat(scene.condition("Ready")).isEqualTo("False/InvalidSpec");
  }

  @Test
  void while_it_is_stopped_that_is_shown_and_the_answer_awaited() {
    var scene = scene();
    scene.templates = new Templates(List.of(), true);
    scene.stop = STOPPED;

    scene.step();

    assertThat(scene.condition("Ready")).isEqualTo("False/EmergencyStop");
    assertThat(scene.condition("Accepted")).isEqualTo("absent");
  }
}
