package dev.andon.chart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What is ours of the operator's image: everything but the base with the JVM, which a registry
 * would have to give. Its content runs here with its own entrypoint, under the JVM of this test, as
 * the account and with the rights that the chart gives.
 */
@RealControlPlane(controllers = true)
@Timeout(180)
class OperatorImageIT {
  private static final Path IMAGE = Checkout.ROOT.resolve("operator/target/image-without-base.tar");
  private static final String ACCOUNT = "system:serviceaccount:andon-system:andon-operator";

  @TempDir private Path folder;

  private final ControlPlane plane;
  private final Tool helm;
  private final Tool kubectl;

  OperatorImageIT(ControlPlane plane) throws InterruptedException {
    this.plane = plane;
    this.helm = Tool.helm(plane);
    this.kubectl = Tool.kubectl(plane);
  }

  @BeforeEach
  void unpack() throws IOException {
    assertThat(IMAGE)
        .as("made by: ./mvnw -f operator/pom.xml verify -DskipTests, and by every build of all")
        .isRegularFile();
    Tool tar = new Tool(List.of("tar"));
    tar.succeeds("-xf", IMAGE.toString(), "-C", folder.toString());
    Path root = Files.createDirectory(folder.resolve("root"));
    for (JsonNode layer : json("manifest.json").get(0).path("Layers")) {
      tar.succeeds("-xzf", folder.resolve(layer.asText()).toString(), "-C", root.toString());
    }
  }

  @AfterEach
  void uninstall() {
    helm.succeeds("uninstall", "andon", "-n", "andon-system", "--ignore-not-found");
    kubectl.run("", "delete", "workflowpolicy,jobtype,tokenbucket", "--all");
    kubectl.run("", "-n", "andon-stop", "delete", "cm", "emergency-stop");
  }

  @Test
  void it_says_who_runs_what_and_is_made_the_same_every_time() throws IOException {
    JsonNode image = json("config.json");
    JsonNode config = image.path("config");

    assertThat(texts(config.path("Entrypoint")))
        .startsWith("java")
        .contains(
            "-XX:+UseSerialGC",
            "-XX:+UseCompactObjectHeaders",
            "-XX:TieredStopAtLevel=1",
            "-Xss512k",
            "-Xmx64m")
        .endsWith("-cp", "@/app/jib-classpath-file", "dev.andon.operator.Main");
    assertThat(config.path("User").asText()).isEqualTo("65532:65532");
    assertThat(config.path("ExposedPorts").fieldNames()).toIterable().containsExactly("8080/tcp");
    assertThat(image.path("created").asText()).isEqualTo("2026-11-22T00:00:00Z");
    assertThat(json("manifest.json").get(0).at("/RepoTags/0").asText())
        .isEqualTo("andon-operator:" + System.getProperty("andon.version"));
    assertThat(folder.resolve("root/app/classes/dev/andon/operator/Main.class")).isRegularFile();
  }

  /** A verb missing in the chart's roles, or a class in the image, shows here. */
  @Test
  void it_runs_a_workflow_with_the_rights_of_the_chart_in_the_memory_of_the_chart()
      throws Exception {
    // Given the chart, but the operator in this test instead of in its Pod
    helm.succeeds(
        "install", "andon", Checkout.CHART.toString(), "-n", "andon-system", "--create-namespace");
    kubectl.succeeds("-n", "andon-system", "scale", "deployment", "andon-operator", "--replicas=0");
    String namespace = plane.freshNamespace();
    Queue<String> calls = new ConcurrentLinkedQueue<>();
    HttpServer target = target(calls);
    int port = freePort();
    Path log = folder.resolve("operator.log");
    Process operator = start(port, log);
    try {
      await("/readyz")
          .atMost(Duration.ofSeconds(60))
          .until(() -> !operator.isAlive() || answers(port, "/readyz") == 200);
      assertThat(answers(port, "/healthz")).as(() -> Checkout.read(log)).isEqualTo(200);
      assertThat(answers(port, "/metrics")).isEqualTo(200);

      // Then the stop is there, empty
      await("the empty ConfigMap").atMost(Duration.ofSeconds(60)).until(() -> stop().equals("{}"));

      // When a Workflow comes and its type is armed
      kubectl.succeedsWith(work(target.getAddress().getPort(), namespace), "apply", "-f", "-");
      kubectl.succeeds(
          "-n",
          "andon-stop",
          "patch",
          "cm",
          "emergency-stop",
          "--type",
          "merge",
          "-p",
          """
          {"metadata":{"annotations":{"andon.dev/arm-reason":"a test"}},"data":{"ImageTest":"go"}}""");

      // Then it runs to its end
      Tool.Result finished =
          kubectl.run(
              "",
              "-n",
              namespace,
              "wait",
              "--for=condition=Finished",
              "workflow/all",
              "--timeout=60s");
      assertThat(finished.exit())
          .as(
              () ->
                  finished.output()
                      + kubectl.run("", "-n", namespace, "get", "awf", "-o", "yaml").output()
                      + Checkout.read(log))
          .isZero();
      assertThat(
              kubectl.succeeds(
                  "-n",
                  namespace,
                  "get",
                  "awf",
                  "all",
                  "-o",
                  "jsonpath={.status.phase} {.status.progress}"))
          .as(
              () ->
                  kubectl.run("", "-n", namespace, "get", "awf", "-o", "yaml").output()
                      + Checkout.read(log))
          .isEqualTo("Complete 3/3");
      assertThat(calls).containsExactly("Bearer of-the-chart");
      assertThat(
              kubectl.succeeds(
                  "get",
                  "workflowpolicy",
                  "image-test",
                  "-o",
                  "jsonpath={.status.conditions[?(@.type==\"Ready\")].status}"))
          .isEqualTo("True");
      // And can go, though the operator held it back while it ran
      kubectl.succeeds("-n", namespace, "delete", "awf", "all", "--timeout=30s");
      assertThat(Checkout.read(log)).doesNotContainIgnoringCase("forbidden");
      assertThat(peakMemory(operator)).isLessThan(256L << 20);
    } finally {
      operator.destroy();
      target.stop(0);
    }
    // And it ends in the time that the chart gives
    assertThat(operator.waitFor(30, TimeUnit.SECONDS)).isTrue();
  }

  /** Needs every right the operator uses: it reads, patches, updates status, and reads a secret. */
  private static String work(int port, String namespace) {
    return """
      apiVersion: andon.dev/v1alpha1
      kind: JobType
      metadata: {name: call}
      spec:
        executor:
          http:
            method: POST
            url: http://127.0.0.1:%d/call
            headersFrom: [{name: Authorization, secretKeyRef: {name: fleet, key: token}}]
      ---
      apiVersion: andon.dev/v1alpha1
      kind: TokenBucket
      metadata: {name: image-test}
      spec: {size: 1}
      ---
      apiVersion: andon.dev/v1alpha1
      kind: WorkflowPolicy
      metadata: {name: image-test}
      spec:
        workflowTypes: [ImageTest]
        enforcement: Deny
        rules: [{restrictJobTypes: {allowed: [token-bucket, sleep, call]}}]
      ---
      apiVersion: v1
      kind: Secret
      metadata: {name: fleet, namespace: andon-system}
      stringData: {token: Bearer of-the-chart}
      ---
      apiVersion: andon.dev/v1alpha1
      kind: Workflow
      metadata: {name: all, namespace: %s}
      spec:
        type: ImageTest
        blocks:
        - {name: token, jobs: [{name: take, type: token-bucket, args: {bucket: image-test, fatal: "true"}}]}
        - {name: wait, jobs: [{name: a, type: sleep, args: {seconds: "1"}}]}
        - {name: call, jobs: [{name: b, type: call}]}
      """
        .formatted(port, namespace);
  }

  private Process start(int port, Path log) throws IOException {
    Path app = folder.resolve("root/app");
    String classpath =
        Stream.of(Checkout.read(app.resolve("jib-classpath-file")).split(":"))
            .map(entry -> app.resolveSibling(entry.substring(1)).toString())
            .peek(entry -> assertThat(Path.of(entry)).exists())
            .reduce((a, b) -> a + File.pathSeparator + b)
            .orElseThrow();
    List<String> command = new ArrayList<>();
    for (String word : texts(json("config.json").at("/config/Entrypoint"))) {
      command.add(
          switch (word) {
            case "java" -> Path.of(System.getProperty("java.home"), "bin", "java").toString();
            case "@/app/jib-classpath-file" -> classpath;
            default -> word;
          });
    }
    command.addAll(List.of("--port", Integer.toString(port)));
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
    builder
        .environment()
        .put(
            "KUBECONFIG",
            plane
                .userKubeconfig(
                    ACCOUNT,
                    List.of("system:serviceaccounts", "system:serviceaccounts:andon-system"))
                .toString());
    builder.environment().put("ANDON_NAMESPACE", "andon-system");
    return builder.start();
  }

  private static HttpServer target(Queue<String> calls) throws IOException {
    HttpServer target =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    target.createContext(
        "/call",
        exchange -> {
          calls.add(exchange.getRequestHeaders().getFirst("Authorization"));
          exchange.sendResponseHeaders(200, -1);
          exchange.close();
        });
    target.start();
    return target;
  }

  /** Its data; something else if it is missing. */
  private String stop() {
    Tool.Result read =
        kubectl.run("", "-n", "andon-stop", "get", "cm", "emergency-stop", "-o", "json");
    if (read.exit() != 0) {
      return read.output();
    }
    JsonNode data = Checkout.objects(read.output()).getFirst().path("data");
    return data.isMissingNode() ? "{}" : data.toString();
  }

  /**
   * Bytes; none where the system has no /proc.
   *
   * <p>What counts against the limit of a container is this and the page cache it dirtied.
   */
  private static long peakMemory(Process process) {
    Path status = Path.of("/proc", Long.toString(process.pid()), "status");
    if (!Files.isReadable(status)) {
      return 0;
    }
    long peak =
        Checkout.read(status)
            .lines()
            .filter(line -> line.startsWith("VmHWM:"))
            .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) << 10)
            .findFirst()
            .orElseThrow();
    System.out.printf("the operator took %d MiB at its peak%n", peak >> 20);
    return peak;
  }

  private static int answers(int port, String path) {
    try (HttpClient http = HttpClient.newHttpClient()) {
      return http.send(
              HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                  .timeout(Duration.ofSeconds(5))
                  .build(),
              HttpResponse.BodyHandlers.discarding())
          .statusCode();
    } catch (IOException notYet) {
      return 0;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return 0;
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return probe.getLocalPort();
    }
  }

  private JsonNode json(String name) {
    try {
      return new ObjectMapper().readTree(folder.resolve(name).toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<String> texts(JsonNode array) {
    List<String> texts = new ArrayList<>();
    array.forEach(text -> texts.add(text.asText()));
    return texts;
  }
}
