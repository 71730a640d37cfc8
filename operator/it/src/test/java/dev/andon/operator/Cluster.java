package dev.andon.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.devcluster.ControlPlane;
import dev.andon.examples.fleet.FleetManifests;
import dev.andon.examples.fleet.FleetServer;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;

/**
 * A real control plane with Andon's objects in it, spoken to as people do: with kubectl. Operators
 * act with the shipped roles and nothing else, so that a verb missing there fails a test.
 */
final class Cluster implements AutoCloseable {
  static final String TYPE = "SatelliteDiskErase";

  private final ControlPlane plane;
  private final Path kubectl;
  private final Path operatorKubeconfig;
  private final List<AutoCloseable> open = new ArrayList<>();
  private int others;

  Cluster(ControlPlane plane) throws Exception {
    this.plane = plane;
    this.kubectl = plane.kubectl();
    this.operatorKubeconfig =
        plane.userKubeconfig(
            "system:serviceaccount:andon-system:andon-operator",
            List.of("system:serviceaccounts", "system:serviceaccounts:andon-system"));
    kubectl("apply", "--server-side", "-f", home().resolve("crds").toString());
    kubectl("apply", "-f", home().resolve("cli/src/main/resources/install").toString());
    plane.awaitCrds();
    awaitAdmissionPolicies();
  }

  /**
   * They take effect a moment after they were created, those that validate and those that mutate
   * each on their own; one that acts tells that the others of its kind do. Policies that mutate
   * know a new kind only some seconds after it is served. Asked in this process: a kubectl after
   * the other would keep the API server from getting there.
   */
  private void awaitAdmissionPolicies() throws IOException {
    Config once =
        new ConfigBuilder(Config.fromKubeconfig(Files.readString(plane.kubeconfig())))
            .withRequestRetryBackoffLimit(0)
            .build();
    try (KubernetesClient admin = new KubernetesClientBuilder().withConfig(once).build()) {
      untilAnswered(
          admin,
          "POST",
          "/apis/batch/v1/namespaces/andon-system/jobs",
          """
          apiVersion: batch/v1
          kind: Job
          metadata: {name: probe, namespace: andon-system, labels: {andon.dev/workflow-type: all}}
          spec: {template: {spec: {restartPolicy: Never, containers: [{name: none, image: none}]}}}
          """,
          answer -> answer.contains("andon-stop-jobs"));
      String stops = "/api/v1/namespaces/andon-stop/configmaps";
      boolean isThere =
          admin.configMaps().inNamespace("andon-stop").withName("emergency-stop").get() != null;
      untilAnswered(
          admin,
          isThere ? "PUT" : "POST",
          isThere ? stops + "/emergency-stop" : stops,
          """
          apiVersion: v1
          kind: ConfigMap
          metadata:
            name: emergency-stop
            namespace: andon-stop
            annotations: {andon.dev/arm-reason: nothing comes of it}
          data: {Probe: go, all: go}
          """,
          answer -> answer.contains("arming.andon.dev/Probe"));
      for (String kind : List.of("Workflow", "WorkflowAction")) {
        untilAnswered(
            admin,
            "POST",
            "/apis/andon.dev/v1alpha1/namespaces/default/%ss"
                .formatted(kind.toLowerCase(Locale.ROOT)),
            """
            apiVersion: andon.dev/v1alpha1
            kind: %s
            metadata: {name: probe, namespace: default}
            spec: {}
            """
                .formatted(kind),
            answer -> answer.contains("Invalid"));
      }
    }
  }

  private static void untilAnswered(
      KubernetesClient client, String method, String path, String yaml, Predicate<String> wanted) {
    Object object = client.getKubernetesSerialization().unmarshal(yaml, Map.class);
    Awaitility.await("%s %s".formatted(method, path))
        .atMost(Duration.ofSeconds(60))
        .until(
            () -> {
              try {
                return client.raw(path + "?dryRun=All", method, object);
              } catch (KubernetesClientException e) {
                return String.valueOf(e.getStatus());
              }
            },
            wanted);
  }

  /** No test waits for what nobody brings. */
  private static final String ADMISSION_GRACE = "2s";

  /** Of operators in this process that are started from now on. */
  String admissionGrace = ADMISSION_GRACE;

  /** Nor for a Job that does not come. */
  private static final String JOB_CREATE_TIMEOUT = "3s";

  static Path home() {
    return Path.of(System.getProperty("ANDON_HOME"));
  }

  /** What kubectl printed; fails the test if it failed. */
  String kubectl(String... args) {
    Run run = tryKubectl(null, args);
    assertThat(run.exit()).as("kubectl %s: %s", String.join(" ", args), run.output()).isZero();
    return run.output();
  }

  record Run(int exit, String output) {}

  /** A client with all rights; closed with the cluster. */
  KubernetesClient people() {
    KubernetesClient people =
        new KubernetesClientBuilder()
            .withConfig(Config.fromKubeconfig(plane.kubeconfig().toFile()))
            .build();
    open.add(people);
    return people;
  }

  /** {@code input}: for {@code -f -}. */
  Run tryKubectl(String input, String... args) {
    try {
      var command = new ArrayList<>(List.of(kubectl.toString()));
      command.addAll(List.of(args));
      var builder = new ProcessBuilder(command).redirectErrorStream(true);
      builder.environment().put("KUBECONFIG", plane.kubeconfig().toString());
      Process process = builder.start();
      try (var stdin = process.getOutputStream()) {
        if (input != null) {
          stdin.write(input.getBytes(StandardCharsets.UTF_8));
        }
      }
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Run(process.waitFor(), output.strip());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  void apply(String yaml) {
    Run run = tryKubectl(yaml, "apply", "-f", "-");
    assertThat(run.exit()).as("kubectl apply: %s", run.output()).isZero();
  }

  /** One field of an object, by JSONPath. */
  String get(String kind, String namespace, String name, String jsonPath) {
    var args = new ArrayList<>(List.of("get", kind, name, "-o", "jsonpath=" + jsonPath));
    if (namespace != null) {
      args.addAll(List.of("-n", namespace));
    }
    return tryKubectl(null, args.toArray(String[]::new)).output();
  }

  /** The reason of a workflow's condition Ready. */
  String reason(String namespace, String workflow) {
    return get("workflow", namespace, workflow, "{.status.conditions[?(@.type=='Ready')].reason}");
  }

  /** {@code type=value} pairs, written over what is there. */
  void stopConfigMap(Map<String, String> data) {
    StringBuilder json = new StringBuilder();
    data.forEach(
        (key, value) ->
            json.append(json.isEmpty() ? "" : ",")
                .append('"')
                .append(key)
                .append("\":")
                .append(value == null ? "null" : '"' + value + '"'));
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () ->
                assertThat(
                        tryKubectl(null, "get", "cm", "emergency-stop", "-n", "andon-stop").exit())
                    .as("the operator creates the ConfigMap, empty")
                    .isZero());
    kubectl(
        "patch",
        "cm",
        "emergency-stop",
        "-n",
        "andon-stop",
        "--type",
        "merge",
        "-p",
        "{%s\"data\":{%s}}"
            .formatted(
                data.values().stream().allMatch("stop"::equals)
                    ? ""
                    : "\"metadata\":{\"annotations\":{\"andon.dev/arm-reason\":\"a test\"}},",
                json));
  }

  void arm(String type) {
    stopConfigMap(Map.of(type, "go"));
  }

  void stop(String type) {
    stopConfigMap(Map.of(type, "stop"));
  }

  /**
   * A workflow of another type, which comes now, sleeps for a second and ends: whatever the
   * operator had left to do for others it had as much time for.
   */
  void anotherRuns() {
    String name = "another-" + ++others;
    apply(
        """
        apiVersion: andon.dev/v1alpha1
        kind: WorkflowPolicy
        metadata: {name: another}
        spec:
          workflowTypes: [Another]
          rules:
          - restrictJobTypes: {allowed: [sleep]}
        ---
        apiVersion: andon.dev/v1alpha1
        kind: Workflow
        metadata: {name: %s, namespace: default}
        spec:
          type: Another
          blocks: [{name: one, jobs: [{name: nap, type: sleep, args: {seconds: "1"}}]}]
        """
            .formatted(name));
    arm("Another");
    kubectl("wait", "--for=condition=Complete", "awf/" + name, "-n", "default", "--timeout=60s");
  }

  /** An operator in this process. */
  AndonOperator operator() throws IOException {
    return operator(config());
  }

  /** An operator in this process that goes to the API server by another way. */
  AndonOperator operator(Config config) throws IOException {
    return operator(config, AndonOperator.Timings.DEFAULT);
  }

  /** An operator in this process that waits otherwise. */
  AndonOperator operator(Config config, AndonOperator.Timings timings) throws IOException {
    AndonOperator operator =
        AndonOperator.start(
            config,
            new AndonOperator.Options("andon-system", 0)
                .waiting(admissionGrace, JOB_CREATE_TIMEOUT),
            timings);
    open.add(operator);
    return operator;
  }

  /** What operators act with. */
  Config config() throws IOException {
    return Config.fromKubeconfig(Files.readString(operatorKubeconfig));
  }

  /** How operators speak to the API server: with the shipped roles. */
  Path operatorKubeconfig() {
    return operatorKubeconfig;
  }

  /** An operator in a process of its own, that can be killed. */
  Process operatorProcess() throws IOException {
    return operatorProcess(
        operatorKubeconfig, Path.of("target", "operator-" + System.nanoTime() + ".log"));
  }

  /** {@code log}: gets what it prints; {@code options}: beyond the port. */
  Process operatorProcess(Path kubeconfig, Path log, String... options) throws IOException {
    Process process = operatorBuilder(kubeconfig, log, options).start();
    open.add(process::destroyForcibly);
    return process;
  }

  /** What starts an operator; whoever starts it ends it. */
  static ProcessBuilder operatorBuilder(Path kubeconfig, Path log, String... options) {
    var command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx128m",
                "-cp",
                System.getProperty("java.class.path"),
                "dev.andon.operator.Main",
                "--port",
                "0",
                "--admission-grace",
                ADMISSION_GRACE));
    command.addAll(List.of(options));
    var builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
    builder.environment().put("KUBECONFIG", kubeconfig.toString());
    return builder;
  }

  /** The example's objects but the workflow, pointed at this fleet. */
  void setUpExample(FleetServer fleet, UnaryOperator<String> change) {
    apply(
        FleetManifests.SETUP.stream()
            .map(file -> change.apply(FleetManifests.read(file, fleet.uri())))
            .collect(Collectors.joining("\n---\n")));
  }

  String exampleWorkflow(FleetServer fleet) {
    return FleetManifests.read(FleetManifests.WORKFLOW, fleet.uri());
  }

  /** Removes every workflow and its record, and every token, so that the next test finds none. */
  void clear() {
    kubectl("delete", "workflows", "--all", "-A", "--wait=true", "--timeout=30s");
    forgetRuns();
    kubectl("delete", "tokenbuckets", "--all");
  }

  /** As if nothing had run: tests run the same under the same name. */
  void forgetRuns() {
    kubectl("delete", "workflowrecords", "--all");
  }

  /** Removes everything, and disarms everything, so that tests do not meet. */
  @Override
  public void close() throws Exception {
    tryKubectl(null, "delete", "workflows", "--all", "-A", "--wait=true", "--timeout=30s");
    for (int i = open.size() - 1; i >= 0; i--) {
      open.get(i).close();
    }
    tryKubectl(
        null,
        "patch",
        "workflows",
        "--all",
        "-A",
        "--type=merge",
        "-p",
        "{\"metadata\":{\"finalizers\":null}}");
    tryKubectl(null, "delete", "workflowpolicies,jobtypes,tokenbuckets,workflowrecords", "--all");
    tryKubectl(null, "delete", "cm", "emergency-stop", "-n", "andon-stop");
  }
}
