package dev.andon.operator.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.andon.crds.JobTypeSpec;
import dev.andon.operator.stop.TestPermits;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class JobManifestTest {
  private static final AttemptKey KEY =
      new AttemptKey("4d3f6a52-9c1e-4a0f-9f43-8f0b9ea2d1c4", "erase", 17, 2);

  private static final String TYPE =
      """
      args: [{name: machine, required: true}, {name: force}]
      executor:
        container:
          ttlSecondsAfterFinished: 3600
          template:
            metadata: {labels: {app: erase, andon.dev/workflow-type: Other}}
            spec:
              serviceAccountName: eraser
              initContainers: [{name: look, image: "registry.example/look:1"}]
              containers:
              - name: erase
                image: registry.example/erase:1
                args: ["--machine", "$(machine)"]
                env: [{name: URL, value: "http://$(machine).example"}]
                notYetKnownToThisClient: true
      """;

  static JobTypeSpec type(String yaml) {
    try {
      return new YAMLMapper().readValue(yaml, JobTypeSpec.class);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Attempt attempt(AttemptKey key, JobTypeSpec type, Map<String, String> args) {
    return new Attempt(
        key,
        "fleet",
        "erase-aap",
        "SatelliteDiskErase",
        TestPermits.ARMED,
        "erase-by-pod",
        type,
        args,
        Instant.now().plusSeconds(20),
        new Attempt.Work.Send());
  }

  private static Job job(Map<String, String> args) throws Exception {
    JobTypeSpec type = type(TYPE);
    return JobManifest.of(
        attempt(KEY, type, args), type.executor().container(), Duration.ofMillis(59_300));
  }

  @Test
  void one_attempt_is_one_pod_that_ends_soon_after_the_attempt() throws Exception {
    Job job = job(Map.of("machine", "aap-0017"));

    assertThat(job.getSpec().getBackoffLimit()).isZero();
    assertThat(job.getSpec().getParallelism()).isEqualTo(1);
    assertThat(job.getSpec().getCompletions()).isEqualTo(1);
    assertThat(job.getSpec().getActiveDeadlineSeconds()).isEqualTo(61);
    assertThat(job.getSpec().getTtlSecondsAfterFinished()).isEqualTo(3_600);
    assertThat(job.getSpec().getSuspend()).isNull();
    assertThat(job.getSpec().getTemplate().getSpec().getRestartPolicy()).isEqualTo("Never");
    assertThat(job.getSpec().getTemplate().getSpec().getServiceAccountName()).isEqualTo("eraser");
  }

  @Test
  void job_and_pod_carry_what_the_stop_knows_them_by_whatever_the_template_says() throws Exception {
    Job job = job(Map.of("machine", "aap-0017"));

    var ours =
        Map.of(
            "andon.dev/workflow-type", "SatelliteDiskErase",
            "andon.dev/workflow-uid", KEY.uid(),
            "andon.dev/block", "erase",
            "andon.dev/index", "17",
            "andon.dev/attempt", "2");
    assertThat(job.getMetadata().getLabels()).isEqualTo(ours);
    assertThat(job.getSpec().getTemplate().getMetadata().getLabels())
        .containsAllEntriesOf(ours)
        .containsEntry("app", "erase");
    assertThat(job.getMetadata().getAnnotations())
        .containsEntry("andon.dev/attempt-key", KEY.toString());
    assertThat(job.getMetadata().getOwnerReferences())
        .singleElement()
        .satisfies(
            owner -> {
              assertThat(owner.getUid()).isEqualTo(KEY.uid());
              assertThat(owner.getController()).isTrue();
              assertThat(owner.getKind()).isEqualTo("Workflow");
              assertThat(owner.getName()).isEqualTo("erase-aap");
            });
  }

  @Test
  void args_are_variables_before_all_others_and_stand_for_themselves() throws Exception {
    Job job = job(Map.of("machine", "$(force) $$(URL) $HOME"));

    assertThat(job.getSpec().getTemplate().getSpec().getContainers().getFirst().getEnv())
        .extracting(EnvVar::getName, EnvVar::getValue)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple("machine", "$$(force) $$$$(URL) $$HOME"),
            // Else $(force) would reach the container as it is written.
            org.assertj.core.groups.Tuple.tuple("force", ""),
            org.assertj.core.groups.Tuple.tuple("URL", "http://$(machine).example"));
    assertThat(job.getSpec().getTemplate().getSpec().getInitContainers().getFirst().getEnv())
        .extracting(EnvVar::getName)
        .containsExactly("machine", "force");
  }

  @Test
  void fields_this_client_does_not_know_are_left_for_the_api_server_to_judge() throws Exception {
    assertThat(
            job(Map.of())
                .getSpec()
                .getTemplate()
                .getSpec()
                .getContainers()
                .getFirst()
                .getAdditionalProperties())
        .containsEntry("notYetKnownToThisClient", true);
  }

  static Stream<Arguments> other_jobs() {
    return Stream.of(
        alien("nobody's", j -> j.editMetadata().withOwnerReferences(List.of()).endMetadata()),
        alien(
            "another run of the workflow's name",
            j ->
                j.editMetadata()
                    .editFirstOwnerReference()
                    .withUid("other")
                    .endOwnerReference()
                    .endMetadata()),
        alien(
            "owned, and not controlled",
            j ->
                j.editMetadata()
                    .editFirstOwnerReference()
                    .withController(false)
                    .endOwnerReference()
                    .endMetadata()),
        alien(
            "controlled by another kind with its uid",
            j ->
                j.editMetadata()
                    .editFirstOwnerReference()
                    .withKind("CronJob")
                    .endOwnerReference()
                    .endMetadata()),
        alien(
            "controlled by another Workflow kind",
            j ->
                j.editMetadata()
                    .editFirstOwnerReference()
                    .withApiVersion("argoproj.io/v1alpha1")
                    .endOwnerReference()
                    .endMetadata()),
        alien("another attempt's", j -> label(j, "andon.dev/attempt", "1")),
        alien("another index's", j -> label(j, "andon.dev/index", "1")),
        alien("another block's", j -> label(j, "andon.dev/block", "check")),
        alien("without labels", j -> j.editMetadata().withLabels(Map.of()).endMetadata()));
  }

  private static JobBuilder label(JobBuilder job, String name, String value) {
    return job.editMetadata().addToLabels(name, value).endMetadata();
  }

  private static Arguments alien(String name, UnaryOperator<JobBuilder> change) {
    return Arguments.of(name, change);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("other_jobs")
  void a_job_that_is_not_of_this_very_attempt_is_not_its_own(
      String name, UnaryOperator<JobBuilder> change) throws Exception {
    Job own = job(Map.of("machine", "aap-0017"));
    Attempt attempt = attempt(KEY, type(TYPE), Map.of());
    assertThat(JobManifest.isOf(attempt, own)).isTrue();

    assertThat(JobManifest.isOf(attempt, change.apply(new JobBuilder(own)).build())).isFalse();
  }

  private static Attempt repeatedBy(String uid) {
    Attempt first = attempt(KEY, type(TYPE), Map.of("machine", "aap-0017"));
    return Repeated.of(first, new Attempt.Runner("erase-aap-rest", uid), first.tries(), true);
  }

  @Test
  void repeated_by_a_run_that_continues_it_is_a_job_of_the_same_attempt_with_another_owner()
      throws Exception {
    Attempt repeated = repeatedBy("rest-uid");
    Job first = job(Map.of("machine", "aap-0017"));
    Job second =
        JobManifest.of(repeated, repeated.spec().executor().container(), Duration.ofMillis(59_300));

    assertThat(second.getMetadata().getName()).isNotEqualTo(first.getMetadata().getName());
    assertThat(second.getMetadata().getLabels()).isEqualTo(first.getMetadata().getLabels());
    assertThat(second.getMetadata().getOwnerReferences())
        .singleElement()
        .satisfies(
            owner -> {
              assertThat(owner.getUid()).isEqualTo("rest-uid");
              assertThat(owner.getName()).isEqualTo("erase-aap-rest");
            });
    assertThat(JobManifest.isOf(repeated, first)).as("what the earlier run left").isTrue();
    assertThat(JobManifest.isOf(repeated, second)).as("its own").isTrue();
    assertThat(JobManifest.isOf(repeatedBy("third-uid"), second))
        .as("of another run that continues the same")
        .isFalse();
    assertThat(JobManifest.isOf(attempt(KEY, type(TYPE), Map.of()), second))
        .as("to the earlier run itself")
        .isFalse();
  }

  @Test
  void its_pods_say_which_of_their_containers_count() throws Exception {
    JobTypeSpec type =
        type(
            TYPE.replace(
                "image: \"registry.example/look:1\"}",
                "image: x}, {name: proxy, image: x, restartPolicy: Always}"));

    Job job =
        JobManifest.of(
            attempt(KEY, type, Map.of()), type.executor().container(), Duration.ofMinutes(1));

    assertThat(job.getSpec().getTemplate().getMetadata().getAnnotations())
        .containsEntry("andon.dev/containers", "look,erase");
  }

  @Test
  void what_is_no_template_says_so() {
    JobTypeSpec none = type("executor: {container: {template: {spec: {containers: []}}}}");
    JobTypeSpec text = type("executor: {container: {template: {spec: {containers: all}}}}");

    assertThatThrownBy(() -> JobManifest.template(none.executor().container().template()))
        .isInstanceOf(JobManifest.NoTemplate.class)
        .hasMessage("template.spec.containers: is empty; name at least one container");
    assertThatThrownBy(() -> JobManifest.template(text.executor().container().template()))
        .isInstanceOf(JobManifest.NoTemplate.class)
        .hasMessageStartingWith("template: is no pod template");
  }

  /** As {@code kubectl get -o yaml} and templates of other tools leave them behind. */
  @Test
  void an_explicit_null_is_as_if_it_were_not_there() throws Exception {
    JobTypeSpec nulls =
        type(
            """
            executor:
              container:
                template:
                  metadata: {creationTimestamp: null, labels: null, annotations: null}
                  spec:
                    initContainers: null
                    volumes: null
                    containers: [{name: erase, image: x, env: null, resources: null}]
            """);
    JobTypeSpec none = type("executor: {container: {template: {spec: {containers: null}}}}");
    JobTypeSpec empty = type("executor: {container: {template: {spec: {containers: [null]}}}}");

    assertThat(ContainerRules.findings(nulls)).isEmpty();
    assertThat(
            JobManifest.of(
                    attempt(KEY, nulls, Map.of("machine", "aap-0017")),
                    nulls.executor().container(),
                    Duration.ofSeconds(60))
                .getSpec()
                .getTemplate()
                .getSpec()
                .getContainers()
                .getFirst()
                .getEnv())
        .extracting(EnvVar::getName)
        .containsExactly("machine");
    assertThat(ContainerRules.findings(none)).singleElement().asString().contains("is empty");
    assertThat(ContainerRules.findings(empty)).singleElement().asString().contains("is empty");
  }

  @Test
  void rules_name_what_would_repeat_work_or_take_an_args_place() {
    assertThat(
            ContainerRules.findings(
                type(
                    TYPE.replace("name: URL", "name: force")
                        .replace("serviceAccountName: eraser", "restartPolicy: OnFailure"))))
        .containsExactly(
            "spec.executor.container.template.spec.restartPolicy: \"OnFailure\" would repeat work within an attempt; use Never, and retry.attempts for more of them",
            "spec.executor.container.template.spec.containers[0].env: \"force\" is the name of an arg too, which is such a variable already; rename one");
    assertThat(ContainerRules.findings(type(TYPE))).isEmpty();
  }

  /** A sidecar, the second of the init containers, may have them all: it is not the work. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "containers     | 0 | restartPolicy: OnFailure                                              | restartPolicy: \"OnFailure\" would repeat work",
        "containers     | 0 | restartPolicy: Always                                                 | restartPolicy: \"Always\" would repeat work",
        "initContainers | 0 | restartPolicy: OnFailure                                              | restartPolicy: \"OnFailure\" would repeat work",
        "containers     | 0 | restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [3]}}] | restartPolicyRules: would repeat work",
        "containers     | 0 | livenessProbe: {exec: {command: [ok]}}                                | livenessProbe: its node ends the container when it fails",
        "containers     | 0 | startupProbe: {exec: {command: [ok]}}                                 | startupProbe: its node ends the container when it fails",
        "containers     | 0 | lifecycle: {postStart: {exec: {command: [ok]}}}                       | lifecycle.postStart: its node ends the container when it fails",
        "containers     | 0 | restartPolicy: Never                                                  |",
        "containers     | 0 | readinessProbe: {exec: {command: [ok]}}                               |",
        "containers     | 0 | lifecycle: {preStop: {exec: {command: [ok]}}}                         |",
        "initContainers | 1 | 'startupProbe: {exec: {command: [ok]}}, lifecycle: {postStart: {exec: {command: [ok]}}}' |",
      })
  void rules_name_what_would_end_or_repeat_a_container_without_its_outcome_showing_it(
      String field, int index, String with, @Nullable String finding) {
    var ofInit =
        List.of("{name: look, image: x}", "{name: proxy, image: x, restartPolicy: Always}");
    var ofMain = List.of("{name: erase, image: x}");
    JobTypeSpec type =
        type(
            "executor: {container: {template: {spec: {initContainers: [%s], containers: [%s]}}}}"
                .formatted(
                    with(ofInit, field.equals("initContainers") ? index : -1, with),
                    with(ofMain, field.equals("containers") ? index : -1, with)));

    List<String> findings = ContainerRules.findings(type);

    if (finding == null) {
      assertThat(findings).isEmpty();
    } else {
      assertThat(findings)
          .singleElement()
          .asString()
          .startsWith(
              "spec.executor.container.template.spec.%s[%d].%s".formatted(field, index, finding));
    }
  }

  private static String with(List<String> containers, int index, String more) {
    var all = new ArrayList<>(containers);
    if (index >= 0) {
      all.set(index, all.get(index).replace("}", ", " + more + "}"));
    }
    return String.join(", ", all);
  }

  @ParameterizedTest
  @CsvSource({"0, false", "60, false", "299, false", "300, true", "86400, true"})
  void a_job_is_to_be_there_when_an_operator_looks_how_it_ended(int seconds, boolean ready) {
    List<String> findings =
        ContainerRules.findings(
            type(
                TYPE.replace(
                    "ttlSecondsAfterFinished: 3600", "ttlSecondsAfterFinished: " + seconds)));

    if (ready) {
      assertThat(findings).isEmpty();
    } else {
      assertThat(findings)
          .singleElement()
          .asString()
          .startsWith(
              "spec.executor.container.ttlSecondsAfterFinished: %d is under 300: "
                  .formatted(seconds));
    }
  }
}
