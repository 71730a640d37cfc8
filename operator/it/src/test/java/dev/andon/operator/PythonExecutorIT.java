package dev.andon.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * {@code examples/python-executor} as its README says it is used. What was done is told by the
 * executor's own journal.
 */
@RealControlPlane
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PythonExecutorIT {
  private static final Duration SLOW_MACHINE = Duration.ofMinutes(2);

  /** The virtual environment is made of wheels that are downloaded, once. */
  private static final Duration SLOW_DOWNLOAD = Duration.ofMinutes(10);

  private static final String TYPE = "FirmwareRollout";
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final Path example = Cluster.home().resolve("examples/python-executor");
  private final Path folder = Path.of("target", "python-executor").toAbsolutePath();

  /** Whose requirements.txt is there once all that it lists is installed. */
  private Path home;

  private Path journal;
  private int port;
  private Process executor;
  private Cluster cluster;
  private AndonOperator operator;

  @BeforeAll
  void given_the_example(ControlPlane plane) throws Exception {
    Files.createDirectories(folder);
    journal = Files.createTempDirectory(folder, "journal").resolve("updates.jsonl");
    try (var socket = new ServerSocket(0)) {
      port = socket.getLocalPort();
    }
    home = cached();
    try (var lock =
        FileChannel.open(
            home.resolveSibling(home.getFileName() + ".lock"),
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE)) {
      // Held until it is set up, against others who set up the same; it ends with the channel.
      lock.lock();
      startExecutor(SLOW_DOWNLOAD);
    }
    cluster = new Cluster(plane);
    cluster.apply(
        manifest("manifests/10-jobtype.yaml") + "\n---\n" + manifest("manifests/20-policy.yaml"));
    operator = cluster.operator();
    cluster.arm(TYPE);
  }

  /**
   * In the user's cache, as the control plane is: to install the packages takes longer than all the
   * rest. By what is installed, and for which Python.
   */
  private Path cached() throws Exception {
    var hash = MessageDigest.getInstance("SHA-256");
    hash.update(Files.readAllBytes(example.resolve("requirements.txt")));
    hash.update(python().getBytes(StandardCharsets.UTF_8));
    String own = System.getenv().getOrDefault("ANDON_CACHE", "");
    String xdg = System.getenv().getOrDefault("XDG_CACHE_HOME", "");
    Path root =
        !own.isBlank()
            ? Path.of(own)
            : (xdg.isBlank() ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(xdg))
                .resolve("andon");
    Path homes = Files.createDirectories(root.resolve("python-executor"));
    return homes.resolve(HexFormat.of().formatHex(hash.digest()).substring(0, 16));
  }

  /** Which one there is; empty where there is none, which the executor will say. */
  private static String python() throws Exception {
    try {
      Process python =
          new ProcessBuilder("python3", "-c", "import sys; print(sys.version, sys.prefix)").start();
      return new String(python.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      return "";
    }
  }

  @AfterEach
  void clear() {
    cluster.clear();
  }

  @AfterAll
  void tear_down() throws Exception {
    if (cluster != null) {
      cluster.close();
    }
    if (executor != null) {
      executor.destroyForcibly().waitFor();
    }
  }

  private String manifest(String file) throws IOException {
    return Files.readString(example.resolve(file)).replace(":50051", ":" + port);
  }

  private void startExecutor(Duration longest) throws Exception {
    Path log = Files.createTempFile(folder, "executor", ".log");
    var builder =
        new ProcessBuilder(
                example.resolve("run").toString(),
                "--port",
                Integer.toString(port),
                "--journal",
                journal.toString())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile());
    builder.environment().put("EXECUTOR_HOME", home.toString());
    executor = builder.start();
    await("the executor, whose log is " + log)
        .atMost(longest)
        .until(
            () ->
                Files.readString(log).contains("listening on 127.0.0.1:" + port)
                    || !executor.isAlive());
    Assumptions.assumeTrue(
        executor.isAlive() || Files.exists(home.resolve("requirements.txt")),
        () -> "Python, or the packages of requirements.txt, cannot be had here: " + read(log));
    assertThat(executor.isAlive()).as(read(log)).isTrue();
  }

  private static String read(Path log) {
    try {
      return Files.readString(log);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Without a chance to say or write anything more. */
  private void killExecutor() throws Exception {
    assertThat(executor.destroyForcibly().waitFor(60, TimeUnit.SECONDS)).isTrue();
  }

  /** Machines whose update was begun, or cancelled, in the workflow of this name. */
  private List<JsonNode> journalled(String event, String workflow) throws IOException {
    String uid = field(workflow, "{.metadata.uid}");
    var found = new ArrayList<JsonNode>();
    for (String line : Files.readAllLines(journal)) {
      JsonNode entry = JSON.readTree(line);
      if (entry.get("event").asText().equals(event)
          && entry.get("key").asText().startsWith(uid + "/")) {
        found.add(entry);
      }
    }
    return found;
  }

  private void awaitBegun(String workflow, int atLeast) {
    await()
        .atMost(SLOW_MACHINE)
        .pollInterval(Duration.ofMillis(100))
        .until(() -> journalled("begun", workflow).size() >= atLeast);
  }

  private String field(String workflow, String jsonPath) {
    return cluster.get("workflow", "default", workflow, jsonPath);
  }

  private void waitFor(String workflow, String condition) {
    cluster.kubectl("wait", "--for=condition=" + condition, "awf/" + workflow, "--timeout=180s");
  }

  private static String longUpdates(String name, String version) {
    return """
        apiVersion: andon.dev/v1alpha1
        kind: Workflow
        metadata: {name: %s, namespace: default}
        spec:
          type: FirmwareRollout
          blocks:
          - name: update
            concurrency: 2
            forEach:
              range: {from: 1, to: 4, format: "rack8-%%02d"}
              job: {type: firmware-update, args: {machine: $(item), version: %s, seconds: "600"}}
        """
        .formatted(name, version);
  }

  @Test
  void each_machine_is_updated_once_though_executor_and_operator_die_in_between() throws Exception {
    String workflow = "rack7-to-2.4.1";
    cluster.apply(manifest("manifests/workflow.yaml"));
    awaitBegun(workflow, 3);

    killExecutor();
    startExecutor(SLOW_MACHINE);
    awaitBegun(workflow, 5);
    operator.close();
    operator = cluster.operator();
    waitFor(workflow, "Complete");

    assertThat(field(workflow, "{.status.progress}")).isEqualTo("9/9");
    assertThat(field(workflow, "{.status.failures}")).isEmpty();
    assertThat(journalled("begun", workflow))
        .extracting(entry -> entry.get("machine").asText())
        .containsExactlyInAnyOrder(
            "rack7-01",
            "rack7-02",
            "rack7-03",
            "rack7-04",
            "rack7-05",
            "rack7-06",
            "rack7-07",
            "rack7-08",
            "rack7-09");
  }

  @Test
  void stopped_it_cancels_what_was_begun_and_begins_nothing_more() throws Exception {
    cluster.apply(longUpdates("rack8", "2.4.1"));
    awaitBegun("rack8", 2);

    cluster.stop(TYPE);
    waitFor("rack8", "Finished");

    assertThat(field("rack8", "{.status.phase}")).isEqualTo("Stopped");
    assertThat(field("rack8", "{.status.jobs.unknown}")).isIn("", "0");
    assertThat(journalled("begun", "rack8")).hasSize(2);
    assertThat(journalled("cancelled", "rack8"))
        .extracting(entry -> entry.get("key").asText())
        .containsExactlyInAnyOrderElementsOf(
            journalled("begun", "rack8").stream().map(e -> e.get("key").asText()).toList());
    cluster.arm(TYPE);
  }

  @Test
  void arguments_that_the_executor_refuses_end_the_workflow_and_begin_nothing() throws Exception {
    cluster.apply(longUpdates("rack8-newest", "newest"));
    waitFor("rack8-newest", "Failed");

    assertThat(field("rack8-newest", "{.status.failures[0].reason}")).isEqualTo("InvalidArgs");
    assertThat(field("rack8-newest", "{.status.failures[0].message}"))
        .contains("version: \"newest\" is no release; use MAJOR.MINOR.PATCH");
    assertThat(journalled("begun", "rack8-newest")).isEmpty();
  }
}
