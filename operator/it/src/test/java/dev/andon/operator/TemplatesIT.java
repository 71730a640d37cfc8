package dev.andon.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Pod templates are tried on a real API server before anything of a workflow is sent. */
@RealControlPlane
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TemplatesIT {
  private static final Duration SLOW_MACHINE = Duration.ofMinutes(2);

  private static final String SOUND =
      "containers: [{name: erase, image: registry.example/erase:1}]";

  private static final String NO_VOLUME =
      "containers: [{name: erase, image: registry.example/erase:1, volumeMounts: [{name: data, mountPath: /data}]}]";

  private static final String WRONG_FIELD =
      "containers: [{name: erase, imagee: registry.example/erase:1}]";

  private final List<String> called = new CopyOnWriteArrayList<>();
  private Cluster cluster;
  private ControlPlane plane;
  private HttpServer target;
  private String namespace;

  @BeforeAll
  void given_an_operator(ControlPlane plane) throws Exception {
    this.plane = plane;
    cluster = new Cluster(plane);
    target = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    target.createContext(
        "/",
        exchange -> {
          called.add(exchange.getRequestURI().getPath());
          exchange.sendResponseHeaders(200, -1);
          exchange.close();
        });
    target.start();
    cluster.apply(
        """
        apiVersion: andon.dev/v1alpha1
        kind: JobType
        metadata: {name: call}
        spec:
          args: [{name: of, required: true}]
          executor: {http: {method: GET, url: "http://127.0.0.1:%d/{of}"}}
        ---
        apiVersion: andon.dev/v1alpha1
        kind: WorkflowPolicy
        metadata: {name: it-templates}
        spec:
          workflowTypes: [Templates]
          rules: [{restrictJobTypes: {allowed: [call, erase]}}]
        """
            .formatted(target.getAddress().getPort()));
    cluster.admissionGrace = "5s";
    cluster.operator();
  }

  @BeforeEach
  void an_armed_type_and_a_namespace() throws Exception {
    namespace = plane.freshNamespace();
    cluster.arm("Templates");
    called.clear();
  }

  @AfterEach
  void clear() {
    cluster.clear();
    cluster.kubectl("delete", "jobtype", "erase", "--ignore-not-found");
    cluster.kubectl(
        "delete",
        "validatingadmissionpolicy,validatingadmissionpolicybinding,validatingwebhookconfiguration",
        "-l",
        "it=templates");
  }

  @AfterAll
  void tear_down() throws Exception {
    target.stop(0);
    cluster.close();
  }

  private void jobType(String podSpec) {
    cluster.apply(
        """
        apiVersion: andon.dev/v1alpha1
        kind: JobType
        metadata: {name: erase}
        spec:
          args: [{name: machine}]
          executor:
            container:
              template: {spec: {%s}}
        """
            .formatted(podSpec));
  }

  private String condition(String type, String field) {
    return cluster.get(
        "jobtype",
        null,
        "erase",
        "{.status.conditions[?(@.type=='%s')].%s}".formatted(type, field));
  }

  /** Of the generation there is now. */
  private void awaitReady(String status) {
    await()
        .atMost(SLOW_MACHINE)
        .untilAsserted(
            () -> {
              assertThat(cluster.get("jobtype", null, "erase", "{.status.observedGeneration}"))
                  .isEqualTo(cluster.get("jobtype", null, "erase", "{.metadata.generation}"));
              assertThat(condition("Ready", "status"))
                  .as(condition("Ready", "message"))
                  .isEqualTo(status);
            });
  }

  /** Its second block is never reached: nothing here would end a Job. */
  private void workflow() {
    cluster.apply(
        """
        apiVersion: andon.dev/v1alpha1
        kind: Workflow
        metadata: {name: two, namespace: %1$s}
        spec:
          type: Templates
          blocks:
          - {name: first, jobs: [{name: a, type: call, args: {of: %1$s}}], pauseAfterSeconds: 86400}
          - {name: second, jobs: [{name: b, type: erase, args: {machine: m}}]}
        """
            .formatted(namespace));
  }

  private String message() {
    return cluster.get(
        "workflow", namespace, "two", "{.status.conditions[?(@.type=='Ready')].message}");
  }

  private void awaitTheCall() {
    await()
        .atMost(Duration.ofSeconds(15))
        .untilAsserted(() -> assertThat(called).as(message()).contains("/" + namespace));
  }

  @Test
  void a_mount_of_no_volume_makes_it_not_ready_in_the_api_servers_words_until_it_is_repaired() {
    jobType(NO_VOLUME);
    awaitReady("False");
    assertThat(condition("Ready", "reason")).isEqualTo("InvalidSpec");
    assertThat(condition("Ready", "message"))
        .startsWith("spec.executor.container.template: Job.batch \"erase-")
        .contains("spec.template.spec.containers[0].volumeMounts[0].name: Not found: \"data\"");

    jobType(NO_VOLUME + ", volumes: [{name: data, emptyDir: {}}]");
    awaitReady("True");
  }

  @Test
  void so_does_a_wrong_field() {
    jobType(WRONG_FIELD);
    awaitReady("False");
    assertThat(condition("Ready", "message"))
        .startsWith("spec.executor.container.template: Job in version \"v1\"")
        .contains("unknown field \"spec.template.spec.containers[0].imagee\"");

    jobType(SOUND);
    awaitReady("True");
  }

  @Test
  void while_everything_is_stopped_it_is_tried_all_the_same() {
    cluster.stopConfigMap(Map.of("all", "stop"));
    try {
      jobType(NO_VOLUME);
      awaitReady("False");
      assertThat(condition("Ready", "message")).contains("Not found: \"data\"");
      assertThat(condition("Ready", "message")).doesNotContain("emergency stop");

      jobType(SOUND);
      awaitReady("True");
    } finally {
      cluster.stopConfigMap(Map.of("all", "go"));
    }
  }

  @Test
  void a_policy_that_refuses_jobs_in_the_operators_namespace_says_nothing_of_the_template() {
    cluster.apply(
        """
        apiVersion: admissionregistration.k8s.io/v1
        kind: ValidatingAdmissionPolicy
        metadata: {name: it-no-jobs, labels: {it: templates}}
        spec:
          failurePolicy: Fail
          matchConstraints:
            namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: andon-system}}
            resourceRules: [{apiGroups: [batch], apiVersions: [v1], operations: [CREATE], resources: [jobs]}]
          validations: [{expression: "false", message: "no Jobs here"}]
        ---
        apiVersion: admissionregistration.k8s.io/v1
        kind: ValidatingAdmissionPolicyBinding
        metadata: {name: it-no-jobs, labels: {it: templates}}
        spec: {policyName: it-no-jobs, validationActions: [Deny]}
        """);
    awaitRefusal("andon-system", "no Jobs here");

    jobType(SOUND);
    awaitReady("True");
    // The API server's own validation comes first.
    jobType(NO_VOLUME);
    awaitReady("False");
  }

  @Test
  void nor_does_a_webhook_that_is_down() {
    webhook("andon-system", 1, 1);
    awaitRefusal("andon-system", "failed calling webhook");

    jobType(SOUND);
    awaitReady("True");
  }

  /** What the API server says to the Job of a person, which it does not keep. */
  private Cluster.Run probe(String where, String... more) {
    var args =
        new ArrayList<>(
            List.of("create", "job", "probe", "--image=none", "--dry-run=server", "-n", where));
    args.addAll(List.of(more));
    return cluster.tryKubectl(null, args.toArray(String[]::new));
  }

  private void awaitRefusal(String where, String words) {
    await()
        .atMost(SLOW_MACHINE)
        .untilAsserted(() -> assertThat(probe(where).output()).contains(words));
  }

  private void webhook(String where, int port, int timeoutSeconds) {
    cluster.apply(
        """
        apiVersion: admissionregistration.k8s.io/v1
        kind: ValidatingWebhookConfiguration
        metadata: {name: it-jobs, labels: {it: templates}}
        webhooks:
        - name: jobs.it.example
          admissionReviewVersions: [v1]
          sideEffects: None
          failurePolicy: Fail
          timeoutSeconds: %d
          clientConfig: {url: "https://127.0.0.1:%d/"}
          namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %s}}
          rules: [{apiGroups: [batch], apiVersions: [v1], operations: [CREATE], resources: [jobs]}]
        """
            .formatted(timeoutSeconds, port, where));
  }

  @Test
  void a_workflow_whose_second_block_cannot_be_run_sends_nothing_of_its_first() {
    jobType(NO_VOLUME);
    workflow();
    await()
        .atMost(SLOW_MACHINE)
        .untilAsserted(
            () -> {
              assertThat(cluster.reason(namespace, "two")).isEqualTo("NotAdmittedYet");
              assertThat(message()).contains("job type erase: cannot be run in namespace");
            });

    cluster.kubectl(
        "wait", "--for=condition=Finished", "awf/two", "-n", namespace, "--timeout=60s");

    assertThat(cluster.get("workflow", namespace, "two", "{.status.phase}")).isEqualTo("Rejected");
    assertThat(cluster.reason(namespace, "two")).isEqualTo("InvalidSpec");
    assertThat(message())
        .contains(
            "job type erase: cannot be run in namespace %s: spec.executor.container.template: "
                .formatted(namespace),
            "volumeMounts[0].name: Not found: \"data\"");
    assertThat(called).isEmpty();
    assertThat(cluster.get("workflow", namespace, "two", "{.status.starts}")).isIn("", "0");
  }

  @Test
  void a_template_that_is_repaired_in_time_lets_it_run() {
    jobType(WRONG_FIELD);
    workflow();
    await()
        .atMost(SLOW_MACHINE)
        .untilAsserted(() -> assertThat(message()).contains("cannot be run in namespace"));

    jobType(SOUND);
    awaitTheCall();
  }

  @Test
  void one_that_changes_before_the_start_is_tried_too() {
    cluster.stop("Templates");
    jobType(SOUND);
    workflow();
    await()
        .atMost(SLOW_MACHINE)
        .until(
            () ->
                cluster.get(
                    "workflow",
                    namespace,
                    "two",
                    "{.status.conditions[?(@.type=='Accepted')].status}"),
            "True"::equals);
    jobType(NO_VOLUME);
    awaitReady("False");

    cluster.arm("Templates");

    await()
        .atMost(SLOW_MACHINE)
        .untilAsserted(
            () -> {
              assertThat(cluster.reason(namespace, "two")).isEqualTo("JobTypeChanged");
              assertThat(message()).contains("Not found: \"data\"");
            });
    cluster.anotherRuns();
    assertThat(called).isEmpty();
  }

  /** The webhook is asked for 20 s; the call of the first block comes long before. */
  @Test
  void without_an_answer_a_workflow_goes_on() throws Exception {
    jobType(SOUND);
    awaitReady("True");
    try (var silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      webhook(namespace, silent.getLocalPort(), 20);
      // It takes a moment until the API server asks it.
      await()
          .atMost(SLOW_MACHINE)
          .untilAsserted(
              () -> assertThat(probe(namespace, "--request-timeout=1s").exit()).isNotZero());

      workflow();

      awaitTheCall();
    }
  }

  @Test
  void an_arg_pasted_into_a_shell_script_is_warned_of_until_it_is_not() {
    jobType(
        "containers: [{name: erase, image: registry.example/erase:1, command: [sh, -c], args: ['erase $(machine)']}]");
    awaitReady("True");
    assertThat(condition("Warning", "status")).isEqualTo("True");
    assertThat(condition("Warning", "reason")).isEqualTo("ShellExpansion");
    assertThat(condition("Warning", "message"))
        .startsWith("spec.executor.container.template.spec.containers[0].args[0]: $(machine) ");

    jobType(
        "containers: [{name: erase, image: registry.example/erase:1, command: [sh, -c], args: ['erase \"$machine\"']}]");
    awaitReady("True");
    assertThat(condition("Warning", "status")).isEmpty();
  }
}
