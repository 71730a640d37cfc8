package dev.andon.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.crds.Workflow;
import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import dev.andon.operator.FaultyApiServer.Fault;
import dev.andon.operator.FaultyApiServer.Rule;
import dev.andon.plan.RecordName;
import dev.andon.plan.SpecHash;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The ledger on a real API server: what ran once does not run again by being created again. */
@RealControlPlane
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(400)
class LedgerIT {
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  /** So that a ledger that hangs, or is back, is noticed while a test waits for it. */
  private static final AndonOperator.Timings SOON =
      new AndonOperator.Timings(Duration.ofMillis(300), Duration.ofSeconds(2));

  private Cluster cluster;
  private FaultyApiServer between;
  private AndonOperator operator;
  private String namespace;

  @BeforeAll
  void given_a_type_that_may_nap(ControlPlane plane) throws Exception {
    cluster = new Cluster(plane);
    namespace = plane.freshNamespace();
    cluster.apply(
        """
        apiVersion: andon.dev/v1alpha1
        kind: WorkflowPolicy
        metadata: {name: ledger-naps}
        spec: {workflowTypes: [Nap], rules: [{restrictJobTypes: {allowed: [sleep]}}]}
        """);
    between = FaultyApiServer.before(cluster.config());
  }

  @BeforeEach
  void and_an_operator() throws Exception {
    operator = cluster.operator(between.config(), SOON);
    cluster.stopConfigMap(Map.of("Nap", "go"));
  }

  @AfterEach
  void end() {
    between.calm();
    operator.close();
    cluster.clear();
  }

  @AfterAll
  void tear_down() throws Exception {
    between.close();
    cluster.close();
  }

  private String nap(String name, String seconds, String more) {
    return """
    apiVersion: andon.dev/v1alpha1
    kind: Workflow
    metadata: {name: %s, namespace: %s}
    spec:
      type: Nap
      %s
      blocks: [{name: a, jobs: [{name: nap, type: sleep, args: {seconds: "%s"}}]}]
    """
        .formatted(name, namespace, more, seconds);
  }

  private static String record(String yaml) {
    Workflow workflow = Serialization.unmarshal(yaml, Workflow.class);
    return RecordName.of(
        workflow.getMetadata().getNamespace(),
        workflow.getMetadata().getName(),
        SpecHash.of(workflow.getSpec()));
  }

  private void awaitReason(String name, String reason) {
    await(name + " " + reason)
        .atMost(PATIENCE)
        .until(() -> cluster.reason(namespace, name), reason::equals);
  }

  private void awaitOutcome(String record, String outcome) {
    await("record " + outcome)
        .atMost(PATIENCE)
        .until(
            () -> cluster.get("workflowrecord", null, record, "{.spec.outcome}"), outcome::equals);
    assertThat(cluster.get("workflowrecord", null, record, "{.metadata.labels.andon\\.dev/record}"))
        .isEqualTo("closed");
  }

  private void delete(String name) {
    cluster.kubectl("delete", "workflow", name, "-n", namespace, "--timeout=60s");
  }

  private String message(String name) {
    return cluster.get(
        "workflow", namespace, name, "{.status.conditions[?(@.type=='Ready')].message}");
  }

  @Test
  void what_ran_and_is_created_again_is_rejected_and_another_run_id_lets_it_run() {
    String yaml = nap("twice", "0", "");
    cluster.apply(yaml);
    awaitReason("twice", "Complete");
    awaitOutcome(record(yaml), "Complete");
    String first = cluster.get("workflow", namespace, "twice", "{.metadata.uid}");

    delete("twice");
    cluster.apply(yaml);

    awaitReason("twice", "DuplicateRun");
    assertThat(message("twice")).contains(record(yaml), first, "spec.runId");
    assertThat(cluster.get("workflow", namespace, "twice", "{.status.phase}"))
        .isEqualTo("Rejected");

    delete("twice");
    cluster.apply(nap("twice", "0", "runId: again"));
    awaitReason("twice", "Complete");
    assertThat(cluster.get("workflowrecord", null, record(yaml), "{.spec.workflow.uid}"))
        .isEqualTo(first);
  }

  @Test
  void what_was_deleted_while_it_ran_is_closed_as_deleted_and_does_not_run_again() {
    String yaml = nap("cut-short", "600", "");
    cluster.apply(yaml);
    awaitReason("cut-short", "Running");

    delete("cut-short");
    awaitOutcome(record(yaml), "Deleted");
    cluster.apply(yaml);

    awaitReason("cut-short", "DuplicateRun");
    assertThat(message("cut-short")).contains("Deleted");
  }

  /** One name is one thing to the framework, which forgets it with the wake-ups of the new one. */
  @Test
  void one_that_is_created_again_while_its_namesake_is_decided_about_runs_to_its_end() {
    try (Rule _ =
        between.on(
            request -> request.isWorkflowStatusWrite() && request.path().contains("/namesake/"),
            new Fault.Held())) {
      cluster.apply(nap("namesake", "600", "runId: one"));
      String first = cluster.get("workflow", namespace, "namesake", "{.metadata.uid}");
      await()
          .atMost(PATIENCE)
          .until(
              () ->
                  between.requests().stream()
                      .anyMatch(r -> r.isWorkflowStatusWrite() && r.path().contains("/namesake/")));
      delete("namesake");
      cluster.apply(nap("namesake", "2", "runId: two"));
      assertThat(cluster.get("workflow", namespace, "namesake", "{.metadata.uid}"))
          .isNotEqualTo(first);
    }

    awaitReason("namesake", "Complete");
  }

  @Test
  void a_namespace_that_is_created_again_brings_nothing_back() {
    String own = "ledger-again";
    String yaml = nap("moved", "0", "").replace("namespace: " + namespace, "namespace: " + own);
    for (String expected : new String[] {"Complete", "DuplicateRun"}) {
      cluster.kubectl("create", "namespace", own);
      cluster.apply(yaml);
      await(expected).atMost(PATIENCE).until(() -> cluster.reason(own, "moved"), expected::equals);
      // There is no namespace controller here: what it does is done by hand.
      cluster.kubectl("delete", "workflow", "moved", "-n", own, "--timeout=60s");
      cluster.kubectl("delete", "namespace", own, "--wait=false");
      Cluster.Run finalized =
          cluster.tryKubectl(
              "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"%s\"},\"spec\":{\"finalizers\":[]}}"
                  .formatted(own),
              "replace",
              "--raw",
              "/api/v1/namespaces/" + own + "/finalize",
              "-f",
              "-");
      assertThat(finalized.exit()).as(finalized.output()).isZero();
      await("no namespace")
          .atMost(PATIENCE)
          .until(() -> cluster.tryKubectl(null, "get", "namespace", own).exit() != 0);
    }
  }

  @Test
  void a_record_that_is_not_its_own_word_lets_nothing_run() {
    String yaml = nap("forged", "0", "");
    cluster.apply(
        """
        apiVersion: andon.dev/v1alpha1
        kind: WorkflowRecord
        metadata: {name: "%s"}
        spec:
          workflow: {namespace: elsewhere, name: forged, uid: u, type: Nap}
          specHash: %s
        """
            .formatted(
                record(yaml),
                SpecHash.of(Serialization.unmarshal(yaml, Workflow.class).getSpec())));

    cluster.apply(yaml);

    awaitReason("forged", "DuplicateRun");
    assertThat(message("forged")).contains("spec.workflow.namespace", "elsewhere");
  }

  @Test
  void without_a_record_nothing_starts_and_the_status_says_why() {
    Rule refused =
        between.on(
            r -> r.method().equals("POST") && r.path().endsWith("/workflowrecords"),
            FaultyApiServer.status(403, "Forbidden", "not today", "{}"));
    cluster.apply(nap("refused", "0", ""));

    awaitReason("refused", "LedgerUnavailable");
    assertThat(message("refused")).contains("not today");
    assertThat(cluster.get("workflow", namespace, "refused", "{.status.starts}")).isIn("", "0");

    refused.close();
    awaitReason("refused", "Complete");
  }

  @Test
  void a_ledger_that_hangs_is_told_of_and_what_arrives_late_is_no_duplicate() {
    Rule held =
        between.on(
            r -> !r.method().equals("GET") && r.path().contains("/workflowrecords"),
            new Fault.Held());
    cluster.apply(nap("hangs", "0", ""));

    awaitReason("hangs", "LedgerUnavailable");

    held.close();
    awaitReason("hangs", "Complete");
  }

  @Test
  void what_one_operator_left_open_the_next_one_closes() throws Exception {
    Rule refused =
        between.on(
            r -> r.method().equals("PATCH") && r.path().contains("/workflowrecords/"),
            FaultyApiServer.status(500, "InternalError", "not today", "{}"));
    String yaml = nap("left-open", "0", "");
    cluster.apply(yaml);
    awaitReason("left-open", "Complete");
    operator.close();
    assertThat(cluster.get("workflowrecord", null, record(yaml), "{.spec.outcome}")).isEmpty();
    refused.close();

    operator = cluster.operator(between.config(), SOON);

    awaitOutcome(record(yaml), "Complete");
  }

  /** The status says that it finished; who wrote it was told nothing. */
  @Test
  void a_record_is_closed_though_the_answer_to_the_last_status_was_lost() {
    String yaml = nap("unanswered", "6", "");
    cluster.apply(yaml);
    awaitReason("unanswered", "Running");
    try (Rule _ =
        between.on(
            r -> r.isWorkflowStatusWrite() && r.path().contains("/unanswered/"),
            new Fault.Lost())) {
      awaitReason("unanswered", "Complete");
    }

    awaitOutcome(record(yaml), "Complete");
  }

  @Test
  void killed_between_the_record_and_the_status_the_next_operator_goes_on(@TempDir Path folder)
      throws Exception {
    operator.close();
    Rule held =
        between.on(
            r -> r.isWorkflowStatusWrite() && r.path().contains("/killed/"), new Fault.Held());
    Path kubeconfig = folder.resolve("kubeconfig");
    Files.writeString(kubeconfig, kubeconfig());
    Process process = cluster.operatorProcess(kubeconfig, folder.resolve("operator.log"));
    String yaml = nap("killed", "0", "");
    cluster.apply(yaml);
    await("the record")
        .atMost(PATIENCE)
        .until(() -> cluster.tryKubectl(null, "get", "workflowrecord", record(yaml)).exit() == 0);
    assertThat(cluster.get("workflow", namespace, "killed", "{.status.startTime}")).isEmpty();

    process.destroyForcibly().waitFor();
    cluster.tryKubectl(null, "delete", "lease", "andon-operator", "-n", "andon-system");
    operator = cluster.operator();

    awaitReason("killed", "Complete");
    awaitOutcome(record(yaml), "Complete");
    held.close();
  }

  private String kubeconfig() {
    return """
    apiVersion: v1
    kind: Config
    current-context: between
    contexts: [{name: between, context: {cluster: between, user: nobody}}]
    users: [{name: nobody, user: {token: none}}]
    clusters:
    - name: between
      cluster: {server: "%s", certificate-authority-data: "%s"}
    """
        .formatted(between.config().getMasterUrl(), between.config().getCaCertData());
  }
}
