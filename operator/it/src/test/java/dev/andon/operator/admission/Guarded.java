package dev.andon.operator.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.andon.devcluster.ControlPlane;
import dev.andon.operator.stop.EmergencyStop;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * An API server with all that {@code andon install} puts there, and people on it, each with the
 * rights of the shipped roles and no other.
 */
final class Guarded implements AutoCloseable {
  static final String STOP = "/api/v1/namespaces/andon-stop/configmaps/emergency-stop";
  static final String STOPS = "/api/v1/namespaces/andon-stop/configmaps";

  /** The cluster's administrator: RBAC lets everything. */
  final Api admin;

  final Api operator;
  final Api responder;
  final Api armer;

  private final ControlPlane plane;

  Guarded(ControlPlane plane) throws IOException, InterruptedException {
    this.plane = plane;
    Path home = Path.of(System.getProperty("ANDON_HOME"));
    kubectl("apply", "--server-side", "--force-conflicts", "-f", home.resolve("crds").toString());
    kubectl(
        "apply",
        "--server-side",
        "--force-conflicts",
        "-f",
        home.resolve("cli/src/main/resources/install").toString());
    plane.awaitCrds();
    admin = new Api(plane.kubeconfig());
    operator =
        as(
            "system:serviceaccount:andon-system:andon-operator",
            "system:serviceaccounts",
            "system:serviceaccounts:andon-system");
    responder = as("rita");
    bind("rita", "first-responder");
    armer = as("arno");
    bind("arno", "andon-armer");
    bind("arno", "first-responder");
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () -> {
              missing();
              assertThat(createJob(admin, "default", "probe", "all").message())
                  .contains("andon-stop-jobs");
              assertThat(armingIds(armed("Probe")).path("Probe").asText()).isEqualTo("created");
            });
    missing();
  }

  Api as(String user, String... groups) {
    return new Api(plane.userKubeconfig(user, List.of(groups)));
  }

  /** Binds the user to a ClusterRole, in every namespace. */
  void bind(String user, String role) {
    String name = "it-" + user + "-" + role;
    Api.Answer answer =
        admin.post(
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
            """
            {"metadata": {"name": "%s"},
             "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "%s"},
             "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "%s"}]}"""
                .formatted(name, role, user));
    assertThat(answer.code()).as(answer.message()).isIn(201, 409);
  }

  /** A ClusterRole of the test's own. */
  void role(String name, String rules) {
    Api.Answer answer =
        admin.post(
            "/apis/rbac.authorization.k8s.io/v1/clusterroles",
            "{\"metadata\": {\"name\": \"%s\"}, \"rules\": %s}".formatted(name, rules));
    assertThat(answer.code()).as(answer.message()).isIn(201, 409);
  }

  /** Deletes the ConfigMap, whatever became of it. */
  void missing() {
    admin.patch(STOP, Api.MERGE, "{\"metadata\":{\"finalizers\":null}}");
    admin.delete(STOP);
    assertThat(admin.get(STOP).code()).isEqualTo(404);
  }

  /** The ConfigMap anew, with these types armed and nothing else in it. */
  JsonNode armed(String... types) {
    missing();
    StringBuilder data = new StringBuilder();
    for (String type : types) {
      data.append(data.isEmpty() ? "" : ",").append("\"%s\":\"go\"".formatted(type));
    }
    return admin
        .post(STOPS, stop("\"andon.dev/arm-reason\":\"a test\"", data.toString()))
        .succeeded()
        .body();
  }

  /** A ConfigMap by the insides of its annotations and data. */
  static String stop(String annotations, String data) {
    return """
    {"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"emergency-stop","namespace":"andon-stop",\
    "annotations":{%s}},"data":{%s}}"""
        .formatted(annotations, data);
  }

  /** As the operator reads it. */
  EmergencyStop read() {
    Api.Answer answer = admin.get(STOP);
    return answer.code() == 404
        ? EmergencyStop.missing()
        : EmergencyStop.of(
            Serialization.unmarshal(answer.succeeded().body().toString(), ConfigMap.class));
  }

  /** Annotations {@code arming.andon.dev/TYPE}, by type. */
  static JsonNode armingIds(JsonNode configMap) {
    var ids = new com.fasterxml.jackson.databind.ObjectMapper().createObjectNode();
    configMap
        .at("/metadata/annotations")
        .fields()
        .forEachRemaining(
            annotation -> {
              if (annotation.getKey().startsWith(EmergencyStop.ARMING)) {
                ids.set(
                    annotation.getKey().substring(EmergencyStop.ARMING.length()),
                    annotation.getValue());
              }
            });
    return ids;
  }

  /** Only asked for: nothing is stored. */
  static Api.Answer createJob(Api by, String namespace, String name, String type) {
    return by.post(
        "/apis/batch/v1/namespaces/%s/jobs?dryRun=All".formatted(namespace), job(name, type));
  }

  /**
   * @param type empty: no label
   */
  static String job(String name, String type) {
    return """
    {"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"%s","labels":{%s}},
     "spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"a","image":"a"}]}}}}"""
        .formatted(name, label(type));
  }

  static String pod(String name, String type) {
    return """
    {"apiVersion":"v1","kind":"Pod","metadata":{"name":"%s","labels":{%s}},
     "spec":{"restartPolicy":"Never","automountServiceAccountToken":false,"containers":[{"name":"a","image":"a"}]}}"""
        .formatted(name, label(type));
  }

  private static String label(String type) {
    return type.isEmpty() ? "" : "\"andon.dev/workflow-type\":\"%s\"".formatted(type);
  }

  static String workflow(String name, String type) {
    return """
    {"apiVersion":"andon.dev/v1alpha1","kind":"Workflow","metadata":{"name":"%s"},
     "spec":{"type":"%s","blocks":[{"name":"one","jobs":[{"name":"a","type":"sleep","args":{"seconds":"1"}}]}]}}"""
        .formatted(name, type);
  }

  /** A namespace in which Pods may be created although no controller runs. */
  String freshNamespace() throws InterruptedException {
    String namespace = plane.freshNamespace();
    Api.Answer account =
        admin.post(
            "/api/v1/namespaces/%s/serviceaccounts".formatted(namespace),
            "{\"metadata\":{\"name\":\"default\"}}");
    assertThat(account.code()).as(account.message()).isIn(201, 409);
    return namespace;
  }

  String kubectl(String... args) throws IOException, InterruptedException {
    var command = new java.util.ArrayList<>(List.of(plane.kubectl().toString()));
    command.addAll(List.of("--kubeconfig", plane.kubeconfig().toString()));
    command.addAll(List.of(args));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as("kubectl %s: %s", String.join(" ", args), output).isZero();
    return output;
  }

  @Override
  public void close() {
    missing();
    admin.close();
    operator.close();
    responder.close();
    armer.close();
  }
}
