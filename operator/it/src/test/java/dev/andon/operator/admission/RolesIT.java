package dev.andon.operator.admission;

import static dev.andon.operator.admission.Guarded.STOP;
import static dev.andon.operator.admission.Guarded.STOPS;
import static dev.andon.operator.admission.Guarded.job;
import static dev.andon.operator.admission.Guarded.workflow;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the operator alone may write, whatever other roles give, and what a responder sees. */
@RealControlPlane
class RolesIT {
  private static final String RECORDS = "/apis/andon.dev/v1alpha1/workflowrecords";

  private static Guarded cluster;
  private static final String ACTIONS = "andon-action-verbs";

  private static Api owner;
  private static Api supervisor;
  private static Api canceller;

  private String namespace;
  private String workflows;

  @BeforeAll
  static void install(ControlPlane plane) throws Exception {
    cluster = new Guarded(plane);
    // Every verb of the API on everything of ours and on Jobs, as many an editor's role has
    cluster.role(
        "it-editor",
        """
        [{"apiGroups":["andon.dev"],"resources":["*"],
          "verbs":["get","list","watch","create","update","patch","delete"]},
         {"apiGroups":["batch"],"resources":["*"],
          "verbs":["get","list","watch","create","update","patch","delete"]}]""");
    owner = cluster.as("olga");
    cluster.bind("olga", "it-editor");
    supervisor = cluster.as("susi");
    cluster.bind("susi", "workflow-supervisor");
    // For one workflow, by name
    cluster.role(
        "it-canceller",
        """
        [{"apiGroups":["andon.dev"],"resources":["workflowactions"],"verbs":["create"]},
         {"apiGroups":["andon.dev"],"resources":["workflows"],"resourceNames":["w"],
          "verbs":["cancel"]}]""");
    canceller = cluster.as("carl");
    cluster.bind("carl", "it-canceller");
  }

  @AfterAll
  static void close() {
    owner.close();
    supervisor.close();
    canceller.close();
    cluster.close();
  }

  @BeforeEach
  void fresh() throws Exception {
    namespace = cluster.freshNamespace();
    workflows = "/apis/andon.dev/v1alpha1/namespaces/%s/workflows".formatted(namespace);
    cluster.armed("Nap");
  }

  @Test
  void status_is_the_operators() {
    owner.post(workflows, workflow("w", "Nap")).succeeded();
    String status = workflows + "/w/status";

    assertThat(
            owner
                .patch(status, Api.MERGE, "{\"status\":{\"phase\":\"Complete\"}}")
                .refusedBy("andon-operator-only")
                .message())
        .contains("operate", "WorkflowAction", "emergency-stop");
    owner
        .patch(
            status + "?fieldManager=x&force=true",
            Api.APPLY,
            workflow("w", "Nap")
                .replace("\"spec\"", "\"status\":{\"phase\":\"Complete\"},\"spec\""))
        .refusedBy("andon-operator-only");
    cluster.operator.patch(status, Api.MERGE, "{\"status\":{\"phase\":\"Pending\"}}").succeeded();
    // What is not status stays everybody's
    owner.patch(workflows + "/w", Api.MERGE, "{\"spec\":{\"paused\":true}}").succeeded();
    owner.delete(workflows + "/w").succeeded();
  }

  @Test
  void status_of_what_is_cluster_wide_is_too() {
    String buckets = "/apis/andon.dev/v1alpha1/tokenbuckets";
    owner.delete(buckets + "/it-roles");
    owner
        .post(
            buckets,
            """
            {"apiVersion":"andon.dev/v1alpha1","kind":"TokenBucket","metadata":{"name":"it-roles"},
             "spec":{"size":1,"refill":{"tokens":1,"intervalSeconds":60}}}""")
        .succeeded();

    owner
        .patch(buckets + "/it-roles/status", Api.MERGE, "{\"status\":{\"tokens\":1}}")
        .refusedBy("andon-operator-only");
    cluster
        .operator
        .patch(buckets + "/it-roles/status", Api.MERGE, "{\"status\":{\"tokens\":0}}")
        .succeeded();
    owner.delete(buckets + "/it-roles").succeeded();
  }

  @Test
  void the_ledger_is_the_operators() {
    String record =
        """
        {"apiVersion":"andon.dev/v1alpha1","kind":"WorkflowRecord","metadata":{"name":"it-roles"},
         "spec":{"workflow":{"namespace":"fleet","name":"w","uid":"6e1f0d52-6f0e-4a0f-9f43-8f0b9ea2d1c4",
                             "type":"Nap"},
                 "specHash":"v1:%s","startTime":"2026-11-22T08:00:00Z"}}"""
            .formatted("ab12".repeat(16));
    cluster.operator.delete(RECORDS + "/it-roles");

    owner.post(RECORDS, record).refusedBy("andon-operator-only");
    cluster.operator.post(RECORDS, record).succeeded();
    owner
        .patch(RECORDS + "/it-roles", Api.MERGE, "{\"spec\":{\"outcome\":\"Complete\"}}")
        .refusedBy("andon-operator-only");
    owner.delete(RECORDS + "/it-roles").refusedBy("andon-operator-only");
    cluster.operator.delete(RECORDS + "/it-roles").succeeded();
  }

  @Test
  void labelled_jobs_are_the_operators_but_whoever_may_can_end_them() {
    String jobs = "/apis/batch/v1/namespaces/%s/jobs".formatted(namespace);

    assertThat(owner.post(jobs, job("j", "Nap")).refusedBy("andon-operator-only-jobs").message())
        .contains("operate");
    owner.post(jobs, job("theirs", "")).succeeded();
    String label = "{\"metadata\":{\"labels\":{\"andon.dev/workflow-type\":%s}}}";
    owner
        .patch(jobs + "/theirs", Api.MERGE, label.formatted("\"Nap\""))
        .refusedBy("andon-operator-only-jobs");
    cluster.admin.post(jobs, job("j", "Nap")).succeeded();
    // andon-no-unsuspend refuses it to everybody: which of the two is named is not for us to say
    for (String other : List.of("null", "\"Other\"")) {
      Api.Answer answer = owner.patch(jobs + "/j", Api.MERGE, label.formatted(other));
      assertThat(answer.code()).isEqualTo(403);
      assertThat(answer.message()).contains("andon.dev/workflow-type");
    }
    owner.patch(jobs + "/j", Api.MERGE, "{\"spec\":{\"parallelism\":0}}").succeeded();
    owner.patch(jobs + "/j", Api.MERGE, "{\"spec\":{\"suspend\":true}}").succeeded();
    owner.delete(jobs + "/j").succeeded();
    owner.delete(jobs + "/theirs").succeeded();
  }

  @Test
  void an_action_needs_its_verb_on_the_workflow_it_names() {
    String actions = workflows.replace("/workflows", "/workflowactions");
    // An editor may create any object of ours, and yet not act on a workflow
    assertThat(owner.post(actions, action("editor", "w", "Pause")).refusedBy(ACTIONS).message())
        .contains("spec.verb", "pause", "olga", "workflow-supervisor");

    for (String verb : List.of("Start", "Pause", "Resume", "Cancel", "Resolve")) {
      supervisor.post(actions, action(verb.toLowerCase(Locale.ROOT), "w", verb)).succeeded();
    }
    for (String verb : List.of("Approve", "Reject")) {
      supervisor.post(actions, action("judge", "w", verb)).refusedBy(ACTIONS);
    }

    canceller.post(actions, action("one", "w", "Cancel")).succeeded();
    canceller.post(actions, action("two", "other", "Cancel")).refusedBy(ACTIONS);
    canceller.post(actions, action("three", "w", "Pause")).refusedBy(ACTIONS);
  }

  private static String action(String name, String workflow, String verb) {
    String more =
        switch (verb) {
          case "Resolve" -> ",\"block\":\"one\",\"index\":0,\"outcome\":\"Retry\"";
          case "Approve", "Reject" -> ",\"specHash\":\"v1:%s\"".formatted("ab12".repeat(16));
          default -> "";
        };
    return """
    {"apiVersion":"andon.dev/v1alpha1","kind":"WorkflowAction","metadata":{"name":"%s"},
     "spec":{"workflow":"%s","workflowUID":"6e1f0d52","verb":"%s","reason":"a test"%s}}"""
        .formatted(name, workflow, verb, more);
  }

  @Test
  void a_responder_sees_everything_of_ours_and_writes_one_object() {
    cluster.admin.post(workflows, workflow("w", "Nap")).succeeded();
    for (String path :
        List.of(
            workflows + "/w",
            "/apis/andon.dev/v1alpha1/workflows",
            "/apis/andon.dev/v1alpha1/workflowactions",
            RECORDS,
            "/apis/andon.dev/v1alpha1/jobtypes",
            "/apis/andon.dev/v1alpha1/workflowpolicies",
            "/apis/andon.dev/v1alpha1/tokenbuckets",
            "/api/v1/events",
            "/apis/events.k8s.io/v1/events",
            "/api/v1/pods",
            "/apis/batch/v1/jobs",
            "/apis/coordination.k8s.io/v1/namespaces/andon-system/leases",
            "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
            "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
            STOP,
            STOPS + "?fieldSelector=metadata.name%3Demergency-stop")) {
      // A kind that has just been created answers 429 for a moment
      await()
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(
              () -> assertThat(cluster.responder.get(path).code()).as(path).isEqualTo(200));
    }
    assertThat(cluster.responder.get(STOPS).code()).isEqualTo(403);
    assertThat(cluster.responder.get("/api/v1/namespaces/andon-system/secrets").code())
        .isEqualTo(403);
    assertThat(cluster.responder.post(STOPS, Guarded.stop("", "")).code()).isEqualTo(403);
    assertThat(cluster.responder.delete(workflows + "/w").code()).isEqualTo(403);
    assertThat(
            cluster
                .responder
                .patch(workflows + "/w", Api.MERGE, "{\"spec\":{\"paused\":true}}")
                .code())
        .isEqualTo(403);
    assertThat(
            cluster.responder.patch(STOPS + "/other", Api.MERGE, "{\"data\":{\"x\":\"y\"}}").code())
        .isEqualTo(403);
    cluster.responder.patch(STOP, Api.MERGE, "{\"data\":{\"all\":\"stop\"}}").succeeded();
    cluster.responder.delete(STOP).succeeded();
  }

  @Test
  void the_policies_are_written_without_a_mistake_that_the_api_server_sees() {
    var policies =
        cluster
            .admin
            .get("/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies")
            .succeeded()
            .body();

    assertThat(policies.path("items"))
        .hasSizeGreaterThanOrEqualTo(8)
        .allSatisfy(
            policy -> assertThat(policy.at("/status/typeChecking/expressionWarnings")).isEmpty());
  }
}
