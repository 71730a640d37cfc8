package dev.andon.operator;

import static dev.andon.operator.StopScene.TYPE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.WorkflowStatus;
import dev.andon.crds.WorkflowStatus.StoppedBy;
import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every shape that people, scripts and tools leave the ConfigMap in, under a workflow that runs.
 */
@RealControlPlane
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class StopFaultsIT {
  private static final String ARMING = "arming.andon.dev/" + TYPE;

  @TempDir static Path folder;

  private StopScene scene;
  private int workflows;
  private String workflow;

  @BeforeAll
  void given_an_operator(ControlPlane plane) throws Exception {
    scene = new StopScene(plane);
    scene.cluster.operator();
  }

  @AfterAll
  void tear_down() throws Exception {
    scene.close();
  }

  @BeforeEach
  void and_a_workflow_that_keeps_sending() {
    scene.arm();
    workflow = "sending-" + ++workflows;
    scene.keepsSending(workflow);
  }

  static Stream<Arguments> stops() {
    return Stream.of(
        stop("a key removed", TYPE, "(no such key)", s -> patch(s, "{\"data\":{\"%s\":null}}")),
        stop("all: stop", "all", "stop", s -> patch(s, "{\"data\":{\"all\":\"stop\"}}")),
        stop(
            "ALL: stop, with all: go",
            "ALL",
            "stop",
            s -> patch(s, "{\"data\":{\"ALL\":\"stop\",\"all\":\"go\"}}")),
        stop(
            "All: go, and no other",
            TYPE,
            "(no such key)",
            s -> patch(s, "{\"data\":{\"%s\":null,\"All\":\"go\"}}")),
        stop(
            "immutable",
            TYPE,
            "(the ConfigMap is immutable)",
            s -> patch(s, "{\"immutable\":true}")),
        stop(
            "binaryData",
            TYPE,
            "(the ConfigMap has binaryData)",
            s -> patch(s, "{\"binaryData\":{\"x\":\"Z28=\"}}")),
        stop(
            "501 keys",
            TYPE,
            "(the ConfigMap has 501 keys, at most 500)",
            s -> patchWith(s, manyKeys(500, 0))),
        stop(
            "900 KiB of garbage in 5,001 keys",
            TYPE,
            "(the ConfigMap has 5001 keys, at most 500)",
            s -> patchWith(s, manyKeys(5_000, 170))),
        stop(
            "deleted, held by a finalizer",
            TYPE,
            "(the ConfigMap is being deleted)",
            s -> {
              patch(s, "{\"metadata\":{\"finalizers\":[\"x.dev/held\"]}}");
              s.cluster.kubectl(
                  "delete", "cm", "emergency-stop", "-n", "andon-stop", "--wait=false");
            }));
  }

  private static Arguments stop(String name, String key, String value, Consumer<StopScene> shape) {
    return Arguments.of(name, key, value, shape);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("stops")
  void it_stops_what_runs_for_good(
      String name, String key, String value, Consumer<StopScene> shape) {
    String uid = scene.uid(workflow);

    shape.accept(scene);
    String revision = scene.configMap().getMetadata().getResourceVersion();

    WorkflowStatus stopped = scene.awaitPhase(workflow, "Stopped");
    StoppedBy by = Objects.requireNonNull(stopped.stoppedBy());
    assertThat(by.key()).isEqualTo(key);
    assertThat(by.value()).isEqualTo(value);
    assertThat(by.configMapResourceVersion()).isEqualTo(revision);
    assertThat(stopped.jobs().failed()).as("withdrawn is not failed").isZero();
    scene.nothingIntendedLaterWasSent(revision);

    scene.arm();

    scene.staysSilent(uid, scene::anotherRuns);
    assertThat(scene.status(workflow).phase()).as("go resumes nothing").isEqualTo("Stopped");
  }

  @Test
  void deleted_and_created_again_with_go_is_a_stop() {
    String uid = scene.uid(workflow);

    // As fast as kubectl can: with a watch that lags nobody may see that it was gone.
    String go = file("again.yaml", manifest(Map.of(TYPE, "go")));
    Cluster.Run replaced = scene.cluster.tryKubectl(null, "replace", "--force", "-f", go);
    if (replaced.exit() != 0) {
      // The operator, which creates it where there is none, was faster.
      assertThat(replaced.output()).contains("AlreadyExists");
      scene.cluster.kubectl("replace", "-f", go);
    }
    String revision = scene.configMap().getMetadata().getResourceVersion();

    assertThat(scene.awaitPhase(workflow, "Stopped").stoppedBy()).isNotNull();
    scene.nothingIntendedLaterWasSent(revision);
    scene.staysSilent(uid, scene::anotherRuns);
  }

  @Test
  void stop_and_go_at_once_end_it_and_let_the_next_one_run() {
    String uid = scene.uid(workflow);
    String next = workflow + "-next";

    var configMap = StopScene.configMap(scene.people);
    configMap.edit(c -> with(c, "stop"));
    String revision = configMap.edit(c -> with(c, "go")).getMetadata().getResourceVersion();

    scene.awaitPhase(workflow, "Stopped");
    scene.nothingIntendedLaterWasSent(revision);
    scene.keepsSending(next);
    scene.staysSilent(uid, scene::anotherRuns);
    assertThat(scene.status(next).phase()).isEqualTo("Running");
  }

  @Test
  void keys_that_mean_nothing_and_a_megabyte_of_them_stop_nothing_and_hide_no_stop() {
    patch(scene, "{\"data\":{\"Alle\":\"stop\",\"All\":\"go\",\"all\":\"go\",\"Other\":\"stop\"}}");
    patchWith(scene, Map.of("garbage", "x".repeat(900 * 1024)));
    scene.goesOnSending(workflow);
    assertThat(scene.status(workflow).phase()).isEqualTo("Running");

    String revision = scene.stop("stop", "through all that");

    WorkflowStatus stopped = scene.awaitPhase(workflow, "Stopped");
    assertThat(stopped.stoppedBy().value()).isEqualTo("stop");
    scene.nothingIntendedLaterWasSent(revision);
    patch(scene, "{\"data\":{\"garbage\":null,\"All\":null,\"Alle\":null,\"Other\":null}}");
  }

  @Test
  void a_replace_that_drops_the_annotations_of_what_stays_open_stops_nothing() {
    String arming = scene.configMap().getMetadata().getAnnotations().get(ARMING);
    assertThat(arming).as("written by the admission policy").isNotEmpty();

    scene.cluster.kubectl(
        "replace",
        "-f",
        file(
            "plain.yaml", manifest(Map.of(TYPE, "go")).replaceAll("(?m)^  annotations: .*\n", "")));

    assertThat(scene.configMap().getMetadata().getAnnotations())
        .doesNotContainKey("andon.dev/arm-reason")
        .containsEntry(ARMING, arming);
    scene.goesOnSending(workflow);
    assertThat(scene.status(workflow).phase()).isEqualTo("Running");
  }

  private static io.fabric8.kubernetes.api.model.ConfigMap with(
      io.fabric8.kubernetes.api.model.ConfigMap configMap, String value) {
    return new io.fabric8.kubernetes.api.model.ConfigMapBuilder(configMap)
        .editMetadata()
        .addToAnnotations("andon.dev/arm-reason", "test")
        .endMetadata()
        .addToData(TYPE, value)
        .build();
  }

  /** {@code %s} stands for the workflow type. */
  private static void patch(StopScene scene, String json) {
    scene.cluster.kubectl(
        "patch",
        "cm",
        "emergency-stop",
        "-n",
        "andon-stop",
        "--type=merge",
        "-p",
        json.replace("%s", TYPE));
  }

  /** More than fits on a command line. */
  private static void patchWith(StopScene scene, Map<String, String> data) {
    String json =
        data.entrySet().stream()
            .map(entry -> "\"%s\":\"%s\"".formatted(entry.getKey(), entry.getValue()))
            .collect(Collectors.joining(",", "{\"data\":{", "}}"));
    scene.cluster.kubectl(
        "patch",
        "cm",
        "emergency-stop",
        "-n",
        "andon-stop",
        "--type=merge",
        "--patch-file",
        file("patch.json", json));
  }

  private static Map<String, String> manyKeys(int count, int valueLength) {
    return IntStream.range(0, count)
        .boxed()
        .collect(Collectors.toMap(i -> "k%06d".formatted(i), i -> "x".repeat(valueLength)));
  }

  private static String manifest(Map<String, String> data) {
    return data.entrySet().stream()
        .map(entry -> "  %s: \"%s\"\n".formatted(entry.getKey(), entry.getValue()))
        .collect(
            Collectors.joining(
                "",
                """
                apiVersion: v1
                kind: ConfigMap
                metadata:
                  name: emergency-stop
                  namespace: andon-stop
                  annotations: {andon.dev/arm-reason: test}
                data:
                """,
                ""));
  }

  private static String file(String name, String text) {
    try {
      return Files.writeString(folder.resolve(name), text).toString();
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
