package dev.andon.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import dev.andon.operator.FaultyApiServer.Fault;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** People act on workflows with kubectl, as somebody with the role workflow-supervisor. */
@RealControlPlane
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ActionsIT {
  private static final Duration SLOW_MACHINE = Duration.ofSeconds(60);
  private static final String NAMESPACE = "actions";

  private Cluster cluster;
  private Path susi;
  private AndonOperator operator;
  private ServerSocket target;
  private final AtomicInteger calls = new AtomicInteger();

  @BeforeAll
  void given_an_operator_and_a_supervisor(ControlPlane plane) throws Exception {
    cluster = new Cluster(plane);
    operator = cluster.operator();
    cluster.arm("Nap");
    susi = plane.userKubeconfig("susi", List.of());
    target = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    Thread.ofVirtual().start(this::hangUp);
    cluster.apply(
        """
        apiVersion: v1
        kind: Namespace
        metadata: {name: actions}
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata: {name: supervisors, namespace: actions}
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: workflow-supervisor}
        subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: susi}]
        ---
        apiVersion: andon.dev/v1alpha1
        kind: WorkflowPolicy
        metadata: {name: naps}
        spec:
          workflowTypes: [Nap]
          enforcement: Deny
          rules: [{restrictJobTypes: {allowed: [sleep, once]}}]
        ---
        apiVersion: andon.dev/v1alpha1
        kind: JobType
        metadata: {name: once}
        spec:
          timeoutSeconds: 5
          executor: {http: {method: POST, url: "http://127.0.0.1:%d/"}}
        """
            .formatted(target.getLocalPort()));
  }

  /** Takes a request, and never answers it. */
  private void hangUp() {
    while (!target.isClosed()) {
      try (Socket socket = target.accept()) {
        if (socket.getInputStream().read() >= 0) {
          calls.incrementAndGet();
        }
      } catch (IOException e) {
        // The client has gone, or the test is over.
      }
    }
  }

  @AfterEach
  void clear() {
    cluster.clear();
    cluster.kubectl("delete", "workflowactions", "--all", "-n", NAMESPACE);
  }

  @AfterAll
  void tear_down() throws Exception {
    cluster.close();
    target.close();
  }

  private void workflow(String name, String start, String jobs) {
    cluster.apply(
        """
        apiVersion: andon.dev/v1alpha1
        kind: Workflow
        metadata: {name: %s, namespace: actions}
        spec:
          type: Nap
          start: %s
          blocks: [{name: one, jobs: [%s]}]
        """
            .formatted(name, start, jobs));
  }

  private static final String NAPS =
      "{name: a, type: sleep, args: {seconds: \"0.1\"}},"
          + "{name: b, type: sleep, args: {seconds: \"0.1\"}},"
          + "{name: c, type: sleep, args: {seconds: \"0.1\"}}";

  private static final String LONG_NAPS =
      "{name: a, type: sleep, args: {seconds: \"1\"}},"
          + "{name: b, type: sleep, args: {seconds: \"1\"}}";

  /** As the supervisor; {@code more}: further fields of spec. */
  private Cluster.Run ask(String name, String workflow, String verb, String more) {
    return cluster.tryKubectl(
        """
        apiVersion: andon.dev/v1alpha1
        kind: WorkflowAction
        metadata: {name: %s, namespace: actions}
        spec: {workflow: %s, verb: %s, reason: a test%s}
        """
            .formatted(name, workflow, verb, more),
        "--kubeconfig",
        susi.toString(),
        "create",
        "-f",
        "-");
  }

  private void act(String name, String workflow, String verb, String more) {
    Cluster.Run run = ask(name, workflow, verb, ", workflowUID: " + uid(workflow) + more);
    assertThat(run.exit()).as(run.output()).isZero();
  }

  private String uid(String workflow) {
    return cluster.get("workflow", NAMESPACE, workflow, "{.metadata.uid}");
  }

  private String result(String action) {
    await()
        .atMost(SLOW_MACHINE)
        .until(
            () -> !cluster.get("workflowaction", NAMESPACE, action, "{.status.phase}").isEmpty());
    return cluster.get("workflowaction", NAMESPACE, action, "{.status.phase} {.status.message}");
  }

  private void waitFor(String workflow, String condition) {
    cluster.kubectl(
        "wait",
        "--for=condition=" + condition,
        "awf/" + workflow,
        "-n",
        NAMESPACE,
        "--timeout=60s");
  }

  private void waitForReason(String workflow, String reason) {
    await().atMost(SLOW_MACHINE).until(() -> cluster.reason(NAMESPACE, workflow).equals(reason));
  }

  private String field(String workflow, String path) {
    return cluster.get("workflow", NAMESPACE, workflow, path);
  }

  @Test
  void a_manual_one_waits_for_its_start_which_counts_for_its_uid_alone() {
    workflow("manual", "Manual", NAPS);
    waitForReason("manual", "StartRequired");

    assertThat(ask("wrong", "manual", "Start", ", workflowUID: 6e1f0d52").exit()).isZero();
    assertThat(result("wrong")).startsWith("Refused").contains("workflowUID", uid("manual"));
    assertThat(ask("nobody", "nosuch", "Pause", "").exit()).isZero();
    assertThat(result("nobody")).startsWith("Refused").contains("spec.workflow", "nosuch");
    assertThat(cluster.reason(NAMESPACE, "manual")).isEqualTo("StartRequired");

    act("start", "manual", "Start", "");

    waitFor("manual", "Complete");
    assertThat(result("start")).startsWith("Applied");
    assertThat(field("manual", "{.status.startedBy.by} {.status.startedBy.action}"))
        .isEqualTo("susi start");
    act("late", "manual", "Pause", "");
    assertThat(result("late")).startsWith("Refused").contains("finished");
  }

  @Test
  void paused_it_stays_so_without_the_action_and_goes_on_with_a_resume() {
    workflow("paused", "Manual", NAPS);
    assertThat(ask("pause", "paused", "Pause", "").exit()).isZero();
    assertThat(result("pause")).startsWith("Applied");
    act("start", "paused", "Start", "");
    assertThat(result("start")).startsWith("Applied");
    cluster.kubectl("delete", "workflowactions", "--all", "-n", NAMESPACE);

    waitForReason("paused", "Paused");
    assertThat(field("paused", "{.status.paused.by} {.status.paused.reason}"))
        .isEqualTo("susi a test");

    act("resume", "paused", "Resume", "");
    waitFor("paused", "Complete");
    assertThat(result("resume")).startsWith("Applied").contains("susi");
  }

  @Test
  void cancelled_it_ends_for_good() {
    workflow("cancelled", "Automatic", "{name: a, type: sleep, args: {seconds: \"600\"}}");
    waitForReason("cancelled", "Running");

    act("cancel", "cancelled", "Cancel", "");

    waitFor("cancelled", "Failed");
    assertThat(cluster.reason(NAMESPACE, "cancelled")).isEqualTo("Cancelled");
    assertThat(result("cancel")).startsWith("Applied");
  }

  @Test
  void what_nobody_knows_waits_for_whoever_looks() {
    calls.set(0);
    workflow("unknown", "Automatic", "{name: a, type: once}, {name: b, type: once}");
    waitForReason("unknown", "UnknownOutcome");
    assertThat(calls).hasValue(1);

    act("retry", "unknown", "Resolve", ", block: one, index: 0, outcome: Retry");
    assertThat(result("retry")).startsWith("Applied").contains("attempt 2");
    await().atMost(SLOW_MACHINE).until(() -> calls.get() == 2);
    waitForReason("unknown", "UnknownOutcome");

    act("first", "unknown", "Resolve", ", block: one, index: 0, outcome: Succeeded");
    assertThat(result("first")).startsWith("Applied");
    await().atMost(SLOW_MACHINE).until(() -> calls.get() == 3);
    waitForReason("unknown", "UnknownOutcome");
    act("second", "unknown", "Resolve", ", block: one, index: 1, outcome: Failed");

    waitFor("unknown", "Failed");
    assertThat(cluster.reason(NAMESPACE, "unknown")).isEqualTo("JobFailed");
    assertThat(calls).hasValue(3);
  }

  @Test
  void one_action_resolves_many_jobs_or_none_of_them() {
    cluster.apply(
        """
        apiVersion: andon.dev/v1alpha1
        kind: Workflow
        metadata: {name: many, namespace: actions}
        spec:
          type: Nap
          blocks:
          - name: one
            concurrency: 6
            maxFailures: 1
            jobs:
            - {name: a, type: once}
            - {name: b, type: once}
            - {name: c, type: once}
            - {name: d, type: sleep, args: {seconds: "0"}}
            - {name: e, type: once}
            - {name: f, type: once}
        """);
    await()
        .atMost(SLOW_MACHINE)
        .until(() -> field("many", "{.status.blocks[0].unknown}").equals("0-2,4-5"));
    assertThat(field("many", "{.status.conditions[?(@.type==\"Ready\")].message}"))
        .contains("a WorkflowAction Resolve with block: one, indexes: \"0-2,4-5\" says");

    act("all", "many", "Resolve", ", block: one, indexes: \"0-5\", outcome: Succeeded");
    assertThat(result("all"))
        .startsWith("Refused spec.indexes: 1 of these 6 jobs are not Unknown")
        .contains("one/3 (d) succeeded", "Unknown are 0-2,4-5");
    act("touching", "many", "Resolve", ", block: one, indexes: \"0,1\", outcome: Succeeded");
    assertThat(result("touching"))
        .startsWith("Refused spec.indexes: \"0,1\": not ascending ranges");
    assertThat(field("many", "{.status.blocks[0].succeeded}")).isEqualTo("3");
    assertThat(field("many", "{.status.blocks[0].unknown}")).isEqualTo("0-2,4-5");

    act("some", "many", "Resolve", ", block: one, indexes: \"0-1,5\", outcome: Succeeded");
    assertThat(result("some"))
        .isEqualTo("Applied 3 jobs count as succeeded: block one, indexes 0-1,5");
    assertThat(field("many", "{.status.blocks[0].succeeded}")).isEqualTo("0-1,3,5");
    assertThat(cluster.reason(NAMESPACE, "many")).isEqualTo("UnknownOutcome");

    act("rest", "many", "Resolve", ", block: one, indexes: \"2,4\", outcome: Failed");
    waitFor("many", "Failed");
    assertThat(result("rest")).isEqualTo("Applied 2 jobs count as failed: block one, indexes 2,4");
    assertThat(cluster.reason(NAMESPACE, "many")).isEqualTo("JobFailed");
  }

  @Test
  void a_changed_job_type_holds_it_until_a_resume() {
    calls.set(0);
    workflow(
        "changed",
        "Automatic",
        "{name: a, type: once}, {name: b, type: sleep, args: {seconds: \"0\"}}");
    waitForReason("changed", "UnknownOutcome");
    cluster.kubectl(
        "patch", "jobtype", "once", "--type=merge", "-p", "{\"spec\":{\"timeoutSeconds\":6}}");
    act("resolve", "changed", "Resolve", ", block: one, index: 0, outcome: Succeeded");

    waitForReason("changed", "JobTypeChanged");
    act("resume", "changed", "Resume", "");

    waitFor("changed", "Complete");
    assertThat(result("resume")).startsWith("Applied").contains("once", "generation");
  }

  /**
   * The operator dies between the two writes of an action: the workflow's status holds what it
   * changed, and the action looks as if nobody had judged it.
   */
  @Test
  void an_action_whose_own_status_was_never_written_is_not_applied_again() throws Exception {
    operator.close();
    try (var between = FaultyApiServer.before(cluster.config())) {
      between.on(
          request ->
              !request.method().equals("GET")
                  && request.path().contains("/workflowactions/")
                  && request.path().endsWith("/status"),
          new Fault.Answers(500, "text/plain", "a fault"));
      AndonOperator dying = cluster.operator(between.config());
      workflow("twice", "Automatic", LONG_NAPS);
      act("pause", "twice", "Pause", "");
      waitForReason("twice", "Paused");
      act("resume", "twice", "Resume", "");
      await()
          .atMost(SLOW_MACHINE)
          .until(() -> field("twice", "{.status.actions[*].name}").equals("pause resume"));
      assertThat(cluster.get("workflowaction", NAMESPACE, "pause", "{.status.phase}")).isEmpty();
      dying.close();
    }

    operator = cluster.operator();

    assertThat(result("pause")).startsWith("Applied");
    assertThat(result("resume")).startsWith("Applied");
    waitFor("twice", "Complete");
    assertThat(field("twice", "{.status.paused}")).isEmpty();
    assertThat(field("twice", "{.status.actions[*].name}")).isEqualTo("pause resume");
  }

  @Test
  void who_may_not_act_is_told_by_the_api_server() {
    workflow("guarded", "Manual", NAPS);

    Cluster.Run run =
        cluster.tryKubectl(
            """
            apiVersion: andon.dev/v1alpha1
            kind: WorkflowAction
            metadata: {name: approve, namespace: actions}
            spec: {workflow: guarded, workflowUID: %s, verb: Approve, specHash: "v1:%s", reason: x}
            """
                .formatted(uid("guarded"), "ab12".repeat(16)),
            "--kubeconfig",
            susi.toString(),
            "create",
            "-f",
            "-");

    assertThat(run.exit()).isNotZero();
    assertThat(run.output()).contains("andon-action-verbs", "approve");
  }
}
