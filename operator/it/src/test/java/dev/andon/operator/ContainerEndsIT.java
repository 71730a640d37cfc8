package dev.andon.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import dev.andon.operator.execution.JobNames;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What becomes of an attempt, by how its containers ended: with the real Job controller, and the
 * test as the kubelet that says what its Pods come to.
 */
@RealControlPlane(controllers = true, scheduler = true, kwok = true)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ContainerEndsIT {
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
        jobType("once", "", "")
            + jobType("repeats", "retrySafe: true", "")
            + jobType("final", "retry: {attempts: 3}", "finalExitCodes: [2]")
            + """
            ---
            apiVersion: andon.dev/v1alpha1
            kind: WorkflowPolicy
            metadata: {name: it-ends}
            spec:
              workflowTypes: [%s]
              rules: [{restrictJobTypes: {allowed: [once, repeats, final]}}]
            """
                .formatted(Cluster.TYPE));
    // As the webhook of Kueue does with what is to wait in a queue.
    cluster.apply(
        """
        apiVersion: admissionregistration.k8s.io/v1
        kind: MutatingAdmissionPolicy
        metadata: {name: it-queue}
        spec:
          failurePolicy: Fail
          reinvocationPolicy: Never
          matchConstraints:
            namespaceSelector: {matchLabels: {queue: night}}
            resourceRules:
            - {apiGroups: [batch], apiVersions: [v1], resources: [jobs], operations: [CREATE]}
          mutations:
          - patchType: ApplyConfiguration
            applyConfiguration:
              expression: >-
                Object{metadata: Object.metadata{labels: {"kueue.x-k8s.io/queue-name": "night"}},
                spec: Object.spec{suspend: true}}
        ---
        apiVersion: admissionregistration.k8s.io/v1
        kind: MutatingAdmissionPolicyBinding
        metadata: {name: it-queue}
        spec: {policyName: it-queue}
        """);
    operator = cluster.operator();
  }

  private static String jobType(String name, String more, String container) {
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
          %s
          template:
            metadata: {annotations: {andon.dev/fake-outcome: by-hand}}
            spec:
              containers:
              - {name: erase, image: registry.example/erase:1, args: ["--machine", "$(machine)"]}
    """
        .formatted(name, more, container);
  }

  @BeforeEach
  void an_armed_type_and_a_namespace() throws Exception {
    namespace = plane.freshNamespace();
    cluster.arm(Cluster.TYPE);
  }

  @AfterEach
  void clear() {
    pods().stream()
        .filter(pod -> pod.getStatus().getPhase().matches("Pending|Running"))
        .forEach(this::isLost);
    cluster.clear();
  }

  @AfterAll
  void tear_down() throws Exception {
    cluster.kubectl("delete", "mutatingadmissionpolicybinding,mutatingadmissionpolicy", "it-queue");
    cluster.close();
  }

  private static String workflow(String name, String jobType, String more) {
    return """
    apiVersion: andon.dev/v1alpha1
    kind: Workflow
    metadata: {name: %s, namespace: %%s}
    spec:
      type: %s
      %s
      blocks:
      - name: erase
        maxFailures: 100%%%%
        jobs: [{name: aap, type: %s, args: {machine: aap-0001}}]
    """
        .formatted(name, Cluster.TYPE, more, jobType);
  }

  private void run(String jobType) {
    cluster.apply(workflow("erase", jobType, "").formatted(namespace));
  }

  private String field(String jsonPath) {
    return cluster.get("workflow", namespace, "erase", jsonPath);
  }

  private String message() {
    return field("{.status.conditions[?(@.type=='Ready')].message}");
  }

  private void awaitPhase(String name, String phase) {
    await()
        .atMost(SLOW_MACHINE)
        .until(() -> cluster.get("workflow", namespace, name, "{.status.phase}"), phase::equals);
  }

  private List<Job> jobs() {
    return people.batch().v1().jobs().inNamespace(namespace).list().getItems();
  }

  private List<Pod> pods() {
    return people.pods().inNamespace(namespace).list().getItems();
  }

  /** The Pods that a node has taken up and that have not ended, once there are so many. */
  private Pod awaitPod() {
    return await()
        .atMost(SLOW_MACHINE)
        .until(
            () ->
                pods().stream()
                    .filter(pod -> pod.getSpec().getNodeName() != null)
                    .filter(pod -> !"Failed".equals(pod.getStatus().getPhase()))
                    .filter(pod -> !"Succeeded".equals(pod.getStatus().getPhase()))
                    .findFirst()
                    .orElse(null),
            pod -> pod != null);
  }

  private Pod awaitRunningPod() {
    Pod pod = awaitPod();
    is(pod, "phase: Running, containerStatuses: [%s]".formatted(container("erase", "running: {}")));
    return pod;
  }

  // --- what a kubelet says

  private void is(Pod pod, String status) {
    cluster.kubectl(
        "patch",
        "pod",
        pod.getMetadata().getName(),
        "-n",
        namespace,
        "--subresource=status",
        "--type=merge",
        "-p",
        "status: {%s}".formatted(status));
  }

  private static String container(String name, String state) {
    return "{name: %s, image: x, imageID: x, ready: false, restartCount: 0, state: {%s}}"
        .formatted(name, state);
  }

  private static String exited(String name, int code, Instant at) {
    return container(
        name,
        "terminated: {exitCode: %d, startedAt: \"%s\", finishedAt: \"%s\", reason: %s}"
            .formatted(code, at, at, code == 0 ? "Completed" : "Error"));
  }

  private void ends(Pod pod, int code, Instant at) {
    is(
        pod,
        "phase: %s, containerStatuses: [%s]"
            .formatted(code == 0 ? "Succeeded" : "Failed", exited("erase", code, at)));
  }

  private static Instant now() {
    return Instant.ofEpochSecond(Instant.now().getEpochSecond());
  }

  /** Without a time the API server's own controller takes it for stale, and takes it back. */
  private void isDisrupted(Pod pod, String reason) {
    is(
        pod,
        "conditions: [{type: DisruptionTarget, status: \"True\", reason: %s, lastTransitionTime: \"%s\"}]"
            .formatted(reason, now()));
  }

  /** As of a node that is lost: nobody says how its containers ended. */
  private void isLost(Pod pod) {
    isDisrupted(pod, "DeletionByPodGC");
    is(pod, "phase: Failed");
    isGone(pod);
  }

  private void isGone(Pod pod) {
    cluster.tryKubectl(
        null,
        "delete",
        "pod",
        pod.getMetadata().getName(),
        "-n",
        namespace,
        "--force",
        "--grace-period=0",
        "--wait=false");
  }

  /** When it was told to end, once it was. */
  private Instant awaitToldToEnd(Pod pod) {
    return await()
        .atMost(SLOW_MACHINE)
        .until(
            () -> {
              Pod now =
                  people.pods().inNamespace(namespace).withName(pod.getMetadata().getName()).get();
              return now == null || now.getMetadata().getDeletionTimestamp() == null
                  ? null
                  : OffsetDateTime.parse(now.getMetadata().getDeletionTimestamp())
                      .toInstant()
                      .minusSeconds(now.getMetadata().getDeletionGracePeriodSeconds());
            },
            told -> told != null);
  }

  // --- a stop

  @ParameterizedTest
  @CsvSource({
    "-2, 0, succeeded",
    "-2, 3, failed",
    "1, 0, unknown",
    "1, 143, unknown",
    ", , unknown"
  })
  void an_exit_counts_if_it_came_before_a_stop_told_the_pod_to_end(
      Integer secondsAfter, Integer code, String counted) throws Exception {
    run("once");
    Pod pod = awaitRunningPod();

    cluster.stop(Cluster.TYPE);
    Instant told = awaitToldToEnd(pod);
    if (code == null) {
      isLost(pod);
    } else {
      ends(pod, code, told.plusSeconds(secondsAfter));
      isGone(pod);
    }
    awaitPhase("erase", "Stopped");

    assertThat(field("{.status.jobs.%s}".formatted(counted))).isEqualTo("1");
    assertThat(field("{.status.starts}")).isEqualTo("1");
    assertThat(jobs()).hasSize(1);
  }

  // --- disruptions

  @Test
  void drained_and_exited_with_0_it_is_not_known_to_be_done() {
    run("once");
    Pod pod = awaitRunningPod();
    isDisrupted(pod, "EvictionByEvictionAPI");
    ends(pod, 0, now());

    await()
        .atMost(SLOW_MACHINE)
        .until(() -> cluster.reason(namespace, "erase"), "UnknownOutcome"::equals);
    assertThat(field("{.status.jobs.unknown}")).isEqualTo("1");
    assertThat(jobs()).hasSize(1);
  }

  @Test
  void drained_it_is_done_again_under_its_key_where_that_is_safe() {
    run("repeats");
    Pod pod = awaitRunningPod();
    isDisrupted(pod, "EvictionByEvictionAPI");
    ends(pod, 143, now());

    await().atMost(SLOW_MACHINE).until(() -> jobs().size(), Integer.valueOf(2)::equals);
    ends(awaitRunningPod(), 0, now());
    awaitPhase("erase", "Complete");

    assertThat(jobs())
        .extracting(job -> job.getMetadata().getAnnotations().get("andon.dev/attempt-key"))
        .containsOnly(field("{.metadata.uid}") + "/erase/0/1");
  }

  // --- never begun

  @Test
  void a_pod_that_its_node_refused_uses_no_attempt_and_another_job_follows() {
    run("once");
    Pod pod = awaitPod();
    is(pod, "phase: Failed, reason: OutOfpods, message: Pod was rejected");

    await().atMost(SLOW_MACHINE).until(() -> jobs().size(), Integer.valueOf(2)::equals);
    assertThat(field("{.status.active[0].attempt}/{.status.active[0].tries}")).isEqualTo("1/2");
    ends(awaitRunningPod(), 0, now());
    awaitPhase("erase", "Complete");

    assertThat(field("{.status.jobs.failed}")).isIn("", "0");
    assertThat(field("{.status.starts}")).isEqualTo("2");
    assertThat(jobs()).extracting(job -> job.getMetadata().getName()).doesNotHaveDuplicates();
  }

  // --- other people's containers

  @Test
  void what_admission_added_to_the_pod_has_no_say_and_ends_with_the_job() {
    run("once");
    Pod pod = awaitRunningPod();
    is(
        pod,
        "containerStatuses: [%s, %s]"
            .formatted(exited("erase", 0, now()), container("istio-proxy", "running: {}")));

    awaitPhase("erase", "Complete");

    await()
        .atMost(SLOW_MACHINE)
        .untilAsserted(
            () ->
                assertThat(jobs())
                    .singleElement()
                    .satisfies(job -> assertThat(job.getSpec().getSuspend()).isTrue()));
    awaitToldToEnd(pod);
  }

  @ParameterizedTest
  @CsvSource({"143, 0, succeeded", "137, 3, failed"})
  void nor_has_it_when_it_fails(int sidecar, int code, String counted) {
    run("once");
    Pod pod = awaitRunningPod();
    is(
        pod,
        "phase: Failed, containerStatuses: [%s, %s]"
            .formatted(exited("istio-proxy", sidecar, now()), exited("erase", code, now())));

    awaitPhase("erase", "Complete");

    assertThat(field("{.status.jobs.%s}".formatted(counted))).isEqualTo("1");
    assertThat(field("{.status.failures[0].reason}")).isEqualTo(code == 0 ? "" : "ExitCode3");
  }

  @Test
  void a_final_exit_code_ends_the_job() {
    run("final");
    ends(awaitRunningPod(), 2, now());
    awaitPhase("erase", "Complete");

    assertThat(field("{.status.failures[0].attempt}/{.status.failures[0].reason}"))
        .isEqualTo("1/ExitCode2");
    assertThat(jobs()).hasSize(1);
  }

  // --- queues

  @Test
  void a_job_that_others_hold_waits_for_them_and_runs_when_they_let_it_go() {
    cluster.kubectl("label", "namespace", namespace, "queue=night");
    run("once");
    await()
        .atMost(SLOW_MACHINE)
        .untilAsserted(
            () ->
                assertThat(message())
                    .contains(
                        "1 job does not get on: aap: Held: Job erase-",
                        "held by kueue.x-k8s.io/queue-name=night"));
    assertThat(pods()).isEmpty();

    letGo();
    ends(awaitRunningPod(), 0, now());
    awaitPhase("erase", "Complete");
    assertThat(jobs()).hasSize(1);
  }

  private void letGo() {
    cluster.kubectl(
        "patch",
        "job",
        jobs().getFirst().getMetadata().getName(),
        "-n",
        namespace,
        "--type=merge",
        "-p",
        "spec: {suspend: false}");
  }

  @Test
  void stopped_it_was_never_begun_and_nobody_lets_it_go_any_more() throws Exception {
    cluster.kubectl("label", "namespace", namespace, "queue=night");
    run("once");
    await().atMost(SLOW_MACHINE).until(() -> message().contains("Held"));

    cluster.stop(Cluster.TYPE);
    awaitPhase("erase", "Stopped");

    assertThat(field("{.status.jobs.unknown}")).isIn("", "0");
    assertThat(jobs().getFirst().getMetadata().getAnnotations())
        .containsEntry("andon.dev/suspended", "true");
    cluster.arm(Cluster.TYPE);
    assertThat(
            cluster
                .tryKubectl(
                    null,
                    "patch",
                    "job",
                    jobs().getFirst().getMetadata().getName(),
                    "-n",
                    namespace,
                    "--type=merge",
                    "-p",
                    "spec: {suspend: false}")
                .output())
        .contains("andon-no-unsuspend");
  }

  // --- what it waits for

  @Test
  void why_it_does_not_get_on_is_told_at_once_in_status_and_as_an_event() {
    run("once");
    Pod pod = awaitPod();
    is(
        pod,
        "containerStatuses: [%s]"
            .formatted(
                container("erase", "waiting: {reason: ImagePullBackOff, message: no such image}")));
    Instant from = Instant.now();

    String job = JobNames.first("erase", field("{.metadata.uid}"), "erase");
    await()
        .atMost(SLOW_MACHINE)
        .untilAsserted(
            () ->
                assertThat(message())
                    .contains(
                        "1 job does not get on: aap: ImagePullBackOff: Job %s: container erase cannot start"
                            .formatted(job)));
    assertThat(Duration.between(from, Instant.now())).isLessThan(SLOW_MACHINE);
    await()
        .atMost(SLOW_MACHINE)
        .untilAsserted(
            () ->
                assertThat(
                        cluster.kubectl(
                            "get",
                            "events.events.k8s.io",
                            "-n",
                            namespace,
                            "-o",
                            "jsonpath={range .items[?(@.regarding.kind=='Workflow')]}{.reason} {.note}{end}"))
                    .contains("ImagePullBackOff ", job));

    ends(pod, 0, now());
    awaitPhase("erase", "Complete");
  }

  @Test
  void a_quota_on_pods_is_told_while_the_job_waits() {
    cluster.apply(
        """
        apiVersion: v1
        kind: ResourceQuota
        metadata: {name: no-pods, namespace: %s}
        spec: {hard: {pods: "0"}}
        """
            .formatted(namespace));
    await()
        .atMost(SLOW_MACHINE)
        .until(
            () -> !cluster.get("resourcequota", namespace, "no-pods", "{.status.hard}").isEmpty());

    run("once");

    await()
        .atMost(SLOW_MACHINE)
        .untilAsserted(
            () -> assertThat(message()).contains("QuotaExceeded: Job erase-", "no-pods"));
  }

  // --- beside what is alive

  @Test
  void with_its_job_deleted_and_its_pod_alive_nothing_is_created_beside_it() throws Exception {
    run("repeats");
    Pod pod = awaitRunningPod();
    operator.close();
    cluster.kubectl("delete", "jobs", "--all", "-n", namespace, "--cascade=orphan");
    operator = cluster.operator();
    await().atMost(SLOW_MACHINE).until(() -> field("{.status.phase}"), "Running"::equals);

    ends(pod, 0, now());
    awaitPhase("erase", "Complete");

    assertThat(jobs()).isEmpty();
    assertThat(field("{.status.starts}")).isEqualTo("1");
  }

  @Test
  void what_a_stop_suspended_is_done_again_by_who_continues_once_nothing_of_it_is_alive()
      throws Exception {
    run("repeats");
    Pod pod = awaitRunningPod();
    cluster.stop(Cluster.TYPE);
    awaitToldToEnd(pod);
    awaitPhase("erase", "Stopped");
    String key = field("{.metadata.uid}") + "/erase/0/1";

    cluster.arm(Cluster.TYPE);
    cluster.apply(workflow("rest", "repeats", "continueFrom: erase").formatted(namespace));
    await()
        .atMost(SLOW_MACHINE)
        .untilAsserted(
            () ->
                assertThat(
                        cluster.get(
                            "workflow",
                            namespace,
                            "rest",
                            "{.status.conditions[?(@.type=='Ready')].message}"))
                    .contains("EarlierPodAlive: not created beside Pod "));
    assertThat(jobs()).hasSize(1);

    ends(pod, 143, now());
    isGone(pod);
    await().atMost(SLOW_MACHINE).until(() -> jobs().size(), Integer.valueOf(2)::equals);
    ends(awaitRunningPod(), 0, now());
    awaitPhase("rest", "Complete");

    assertThat(jobs())
        .extracting(job -> job.getMetadata().getAnnotations().get("andon.dev/attempt-key"))
        .containsOnly(key);
  }
}
