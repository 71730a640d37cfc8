package dev.andon.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.crds.JobTypeSpec;
import dev.andon.crds.WorkflowStatus.Armed;
import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import dev.andon.operator.execution.Attempt;
import dev.andon.operator.execution.AttemptKey;
import dev.andon.operator.execution.ExecutionRunner;
import dev.andon.operator.execution.JobNames;
import dev.andon.operator.execution.Notices;
import dev.andon.operator.execution.Outcome;
import dev.andon.operator.execution.SendingClient;
import dev.andon.operator.stop.Gate;
import dev.andon.operator.stop.StopView;
import dev.andon.operator.stop.TestPermits;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Jobs of job types with a container, with the real Job controller and Pods that seem to run. */
@RealControlPlane(controllers = true, scheduler = true, kwok = true)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ContainerIT {
  private static final Duration SLOW_MACHINE = Duration.ofSeconds(120);

  private ControlPlane plane;
  private Cluster cluster;
  private KubernetesClient people;
  private AndonOperator operator;
  private String namespace;

  @BeforeAll
  void given_job_types(ControlPlane plane) throws Exception {
    this.plane = plane;
    cluster = new Cluster(plane);
    people = cluster.people();
    cluster.apply(
        jobType("succeeds", "{}", "")
            + jobType("fails", "{andon.dev/fake-outcome: fail}", "retry: {attempts: 2}")
            + jobType("hangs", "{andon.dev/fake-outcome: hang}", "")
            + jobType("finds-no-node", "{}", "timeoutSeconds: 4")
                .replace(
                    "spec:\n          containers:",
                    "spec:\n          nodeSelector: {no: such}\n          containers:")
            + """
            ---
            apiVersion: andon.dev/v1alpha1
            kind: WorkflowPolicy
            metadata: {name: it-containers}
            spec:
              workflowTypes: [%s]
              rules: [{restrictJobTypes: {allowed: [succeeds, fails, hangs, finds-no-node]}}]
            """
                .formatted(Cluster.TYPE));
    operator = cluster.operator();
  }

  private static String jobType(String name, String annotations, String more) {
    return """
        ---
        apiVersion: andon.dev/v1alpha1
        kind: JobType
        metadata: {name: %s}
        spec:
          args: [{name: machine, required: true}]
          %s
          executor:
            container:
              template:
                metadata: {annotations: %s}
                spec:
                  containers:
                  - {name: erase, image: registry.example/erase:1, args: ["--machine", "$(machine)"]}
        """
        .formatted(name, more, annotations);
  }

  @BeforeEach
  void an_armed_type_and_a_namespace() throws Exception {
    namespace = plane.freshNamespace();
    cluster.arm(Cluster.TYPE);
  }

  @AfterEach
  void clear() {
    cluster.clear();
  }

  @AfterAll
  void tear_down() throws Exception {
    cluster.close();
  }

  private void run(String jobType, int machines) {
    cluster.apply(
        """
        apiVersion: andon.dev/v1alpha1
        kind: Workflow
        metadata: {name: erase, namespace: %s}
        spec:
          type: %s
          blocks:
          - name: erase
            concurrency: 3
            forEach:
              range: {from: 1, to: %d, format: "aap-%%04d"}
              job: {type: %s, args: {machine: $(item)}}
        """
            .formatted(namespace, Cluster.TYPE, machines, jobType));
  }

  private void waitFor(String condition) {
    cluster.kubectl(
        "wait", "--for=condition=" + condition, "awf/erase", "-n", namespace, "--timeout=120s");
  }

  private String field(String jsonPath) {
    return cluster.get("workflow", namespace, "erase", jsonPath);
  }

  private List<Job> jobs() {
    return people.batch().v1().jobs().inNamespace(namespace).list().getItems();
  }

  private List<Pod> pods() {
    return people.pods().inNamespace(namespace).list().getItems();
  }

  private Job awaitRunningJob() {
    await()
        .atMost(SLOW_MACHINE)
        .until(
            () ->
                jobs().stream()
                    .anyMatch(
                        j ->
                            j.getStatus() != null
                                && Integer.valueOf(1).equals(j.getStatus().getReady())));
    return jobs().getFirst();
  }

  /** Lets the Pods that hang come to their end. */
  private void letGo() {
    cluster.kubectl("annotate", "pods", "--all", "-n", namespace, "andon.dev/fake-outcome-");
  }

  @Test
  void each_job_is_one_job_of_kubernetes_that_gets_its_args() {
    run("succeeds", 4);
    waitFor("Complete");

    assertThat(field("{.status.progress}")).isEqualTo("4/4");
    assertThat(jobs())
        .hasSize(4)
        .allSatisfy(
            job -> {
              assertThat(job.getMetadata().getOwnerReferences())
                  .singleElement()
                  .satisfies(o -> assertThat(o.getUid()).isEqualTo(field("{.metadata.uid}")));
              assertThat(job.getSpec().getBackoffLimit()).isZero();
            });
    assertThat(pods())
        .extracting(pod -> pod.getSpec().getContainers().getFirst().getEnv().getFirst().getValue())
        .containsExactlyInAnyOrder("aap-0001", "aap-0002", "aap-0003", "aap-0004");
  }

  @Test
  void a_container_that_fails_is_tried_again_as_another_job_and_says_with_what_it_ended() {
    run("fails", 1);
    waitFor("Failed");

    assertThat(jobs())
        .extracting(job -> job.getMetadata().getLabels().get("andon.dev/attempt"))
        .containsExactlyInAnyOrder("1", "2");
    assertThat(field("{.status.failures[0].reason}")).isEqualTo("ExitCode1");
    assertThat(field("{.status.failures[0].message}"))
        .startsWith("container erase: exit code 1 (Error); kubectl logs -n " + namespace + " job/");
  }

  @Test
  void stopped_it_suspends_what_runs_and_the_api_server_creates_no_more() throws Exception {
    run("hangs", 2);
    await().atMost(SLOW_MACHINE).until(() -> jobs().size() == 2);
    awaitRunningJob();

    cluster.stop(Cluster.TYPE);
    waitFor("Finished");

    assertThat(field("{.status.phase}")).isEqualTo("Stopped");
    assertThat(field("{.status.jobs.unknown}")).as("their ends nobody saw").isEqualTo("2");
    assertThat(jobs()).allSatisfy(job -> assertThat(job.getSpec().getSuspend()).isTrue());
    assertThat(pods()).noneMatch(pod -> "Running".equals(pod.getStatus().getPhase()));

    // A Job of the operator's own making, created with its rights.
    Job ours = jobs().getFirst();
    try (KubernetesClient asOperator =
        new KubernetesClientBuilder().withConfig(cluster.config()).build()) {
      Assertions.assertThatThrownBy(
              () ->
                  asOperator
                      .resource(
                          new JobBuilder()
                              .withNewMetadata()
                              .withName("another")
                              .withNamespace(namespace)
                              .withLabels(ours.getMetadata().getLabels())
                              .withOwnerReferences(ours.getMetadata().getOwnerReferences())
                              .endMetadata()
                              .withNewSpec()
                              .withBackoffLimit(0)
                              .withNewTemplate()
                              .withSpec(ours.getSpec().getTemplate().getSpec())
                              .endTemplate()
                              .endSpec()
                              .build())
                      .create())
          .isInstanceOf(KubernetesClientException.class)
          .hasMessageContaining("emergency stop: no Job of workflow type " + Cluster.TYPE);
    }
    assertThat(
            cluster
                .tryKubectl(
                    null,
                    "patch",
                    "job",
                    ours.getMetadata().getName(),
                    "-n",
                    namespace,
                    "--type=merge",
                    "-p",
                    "{\"spec\":{\"suspend\":false}}")
                .output())
        .contains("andon-no-unsuspend");
    assertThat(jobs()).hasSize(2);
  }

  @Test
  void one_that_has_a_permit_and_has_not_heard_of_the_stop_creates_nothing() throws Exception {
    cluster.stop(Cluster.TYPE);
    var asked = new AtomicInteger();
    Gate frozen =
        new Gate() {
          @Override
          public Entry enter(String workflowType) {
            // It hears of the stop only when the API server has refused it twice.
            return asked.incrementAndGet() <= 2
                ? new Entry.Granted(TestPermits.good())
                : new Entry.Refused(new StopView.NotVisible("a test"));
          }

          @Override
          public StopView view(String workflowType) {
            return TestPermits.good().view();
          }
        };
    var key = new AttemptKey("4d3f6a52-9c1e-4a0f-9f43-8f0b9ea2d1c4", "erase", 0, 1);
    try (KubernetesClient sending = SendingClient.of(cluster.config());
        var runner =
            new ExecutionRunner(
                frozen,
                uid -> false,
                (name, secret) -> Optional.empty(),
                sending,
                (ns, workflow, uid) -> {},
                Notices.NONE,
                ExecutionRunner.JOB_CREATE_TIMEOUT,
                Clock.systemUTC())) {
      JobTypeSpec type =
          people.resources(dev.andon.crds.JobType.class).withName("succeeds").get().getSpec();
      Armed armed = TestPermits.ARMED;
      runner.begin(
          new Attempt(
              key,
              namespace,
              "erase",
              Cluster.TYPE,
              armed,
              "succeeds",
              type,
              Map.of("machine", "aap-0001"),
              Instant.now().plusSeconds(600),
              new Attempt.Work.Send()));

      await().atMost(SLOW_MACHINE).until(() -> runner.outcomes(key.uid()).containsKey(key));

      assertThat(runner.outcomes(key.uid()).get(key))
          .isInstanceOfSatisfying(
              Outcome.NotBegun.class, not -> assertThat(not.reason()).isEqualTo("StopUnknown"));
      assertThat(asked).as("asked anew after each refusal").hasValue(3);
    }
    assertThat(jobs()).isEmpty();
  }

  @Test
  void a_job_of_somebody_else_under_its_name_is_left_alone() {
    cluster.stop(Cluster.TYPE);
    run("succeeds", 1);
    await().atMost(SLOW_MACHINE).until(() -> !field("{.metadata.uid}").isEmpty());
    String name = JobNames.first("erase", field("{.metadata.uid}"), "erase");
    cluster.apply(
        """
        apiVersion: batch/v1
        kind: Job
        metadata: {name: %s, namespace: %s}
        spec:
          suspend: true
          template: {spec: {restartPolicy: Never, containers: [{name: other, image: other}]}}
        """
            .formatted(name, namespace));

    cluster.arm(Cluster.TYPE);
    waitFor("Failed");

    assertThat(field("{.status.failures[0].reason}")).isEqualTo("JobNameTaken");
    assertThat(field("{.status.failures[0].message}")).contains(name);
    assertThat(jobs())
        .singleElement()
        .satisfies(
            job -> {
              assertThat(job.getMetadata().getOwnerReferences()).isEmpty();
              assertThat(job.getMetadata().getGeneration()).isEqualTo(1);
            });
  }

  @Test
  void an_operator_that_comes_later_follows_the_job_that_is_there() throws Exception {
    run("hangs", 1);
    String uid = awaitRunningJob().getMetadata().getUid();

    operator.close();
    letGo();
    operator = cluster.operator();
    waitFor("Complete");

    assertThat(jobs())
        .singleElement()
        .satisfies(job -> assertThat(job.getMetadata().getUid()).isEqualTo(uid));
    assertThat(field("{.status.starts}")).isEqualTo("1");
  }

  @Test
  void one_that_cannot_begin_waits_until_its_timeout_and_says_why() {
    run("finds-no-node", 1);
    waitFor("Failed");

    assertThat(field("{.status.failures[0].reason}")).isEqualTo("Unschedulable");
    assertThat(field("{.status.failures[0].message}"))
        .contains("not done within its timeout: no node takes its Pod: 0/");
    assertThat(pods()).isEmpty();
  }

  @Test
  void deleted_with_its_workflow_nothing_of_it_goes_on() {
    run("hangs", 2);
    awaitRunningJob();

    cluster.kubectl("delete", "awf", "erase", "-n", namespace, "--timeout=120s");

    assertThat(pods()).noneMatch(pod -> "Running".equals(pod.getStatus().getPhase()));
    await().atMost(SLOW_MACHINE).until(() -> jobs().isEmpty());
  }

  @Test
  void a_quota_that_is_used_up_is_a_failure_that_says_so() {
    cluster.apply(
        """
        apiVersion: v1
        kind: ResourceQuota
        metadata: {name: no-jobs, namespace: %s}
        spec: {hard: {count/jobs.batch: "0"}}
        """
            .formatted(namespace));
    await()
        .atMost(SLOW_MACHINE)
        .until(
            () -> !cluster.get("resourcequota", namespace, "no-jobs", "{.status.hard}").isEmpty());

    run("succeeds", 1);
    waitFor("Failed");

    assertThat(field("{.status.failures[0].reason}")).isEqualTo("QuotaExceeded");
    assertThat(field("{.status.failures[0].message}")).contains("exceeded quota: no-jobs");
    assertThat(jobs()).isEmpty();
  }

  @Test
  void a_job_that_was_deleted_under_way_is_not_made_again() {
    run("hangs", 1);
    awaitRunningJob();

    cluster.kubectl("delete", "jobs", "--all", "-n", namespace);
    await()
        .atMost(SLOW_MACHINE)
        .until(() -> cluster.reason(namespace, "erase").equals("UnknownOutcome"));

    assertThat(field("{.status.jobs.unknown}")).isEqualTo("1");
    assertThat(field("{.status.starts}")).isEqualTo("1");
    assertThat(jobs()).isEmpty();
  }
}
