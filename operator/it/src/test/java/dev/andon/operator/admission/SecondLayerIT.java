package dev.andon.operator.admission;

import static dev.andon.operator.admission.Guarded.STOP;
import static dev.andon.operator.admission.Guarded.STOPS;
import static dev.andon.operator.admission.Guarded.createJob;
import static dev.andon.operator.admission.Guarded.job;
import static dev.andon.operator.admission.Guarded.pod;
import static dev.andon.operator.admission.Guarded.stop;
import static dev.andon.operator.admission.Guarded.workflow;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import dev.andon.operator.stop.StopShapes;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** While a type is stopped the API server lets nothing of it begin, and everything of it end. */
@RealControlPlane
class SecondLayerIT {
  private static final String TYPE = StopShapes.TYPE;
  private static final String JOBS = "andon-stop-jobs";
  private static final String STARTS = "andon-stop-starts";

  private static Guarded cluster;

  private String namespace;

  @BeforeAll
  static void install(ControlPlane plane) throws Exception {
    cluster = new Guarded(plane);
  }

  @AfterAll
  static void close() {
    cluster.close();
  }

  @BeforeEach
  void fresh() throws Exception {
    cluster.missing();
    namespace = cluster.freshNamespace();
  }

  static Stream<StopShapes.Shape> it_judges_every_shape_as_the_operator_does() {
    return StopShapes.all();
  }

  /** The operator's judgement of the same shapes: EmergencyStopTest. */
  @ParameterizedTest
  @MethodSource
  void it_judges_every_shape_as_the_operator_does(StopShapes.Shape shape) {
    // Given a Workflow that waits, and the shape
    cluster.admin.post(workflows(), workflow("w", TYPE)).succeeded();
    var configMap = shape.configMap();
    configMap.getMetadata().setAnnotations(java.util.Map.of("andon.dev/arm-reason", "a test"));
    var written = cluster.admin.post(STOPS, Serialization.asJson(configMap)).succeeded().body();
    String revision = written.at("/metadata/resourceVersion").asText();
    awaitSecondLayerKnows(revision);

    // When the operator would begin something
    Api.Answer job = createJob(cluster.admin, namespace, "j", TYPE);
    Api.Answer pod =
        cluster.admin.post(
            "/api/v1/namespaces/%s/pods?dryRun=All".formatted(namespace), pod("p", TYPE));
    Api.Answer starts = status("w", "{\"observedGeneration\":1,\"starts\":1}");

    // Then
    if (shape.open()) {
      job.succeeded();
      pod.succeeded();
      starts.succeeded();
    } else {
      String at = "(emergency-stop at resourceVersion " + revision + ")";
      assertThat(job.refusedBy(JOBS).message()).contains("emergency stop: ", at);
      assertThat(pod.refusedBy(JOBS).message()).contains("emergency stop: ", at);
      assertThat(starts.refusedBy(STARTS).message()).contains("emergency stop: ", at);
      assertThat(job.code()).isEqualTo(403);
    }
  }

  @Test
  void being_deleted_is_closed() {
    cluster.armed(TYPE);
    cluster
        .admin
        .patch(STOP, Api.MERGE, "{\"metadata\":{\"finalizers\":[\"example.com/wait\"]}}")
        .succeeded();
    cluster.responder.delete(STOP).succeeded();
    awaitSecondLayerKnows(revision());

    createJob(cluster.admin, namespace, "j", TYPE).refusedBy(JOBS);
  }

  @ParameterizedTest
  @ValueSource(strings = {"all", "All", "ALL", ""})
  void what_is_no_type_is_never_open(String type) {
    cluster.missing();
    cluster
        .admin
        .post(
            STOPS,
            stop("\"andon.dev/arm-reason\":\"x\"", "\"all\":\"go\",\"All\":\"go\",\"ALL\":\"go\""))
        .succeeded();
    awaitSecondLayerKnows(revision());

    cluster
        .admin
        .post(
            "/apis/batch/v1/namespaces/%s/jobs?dryRun=All".formatted(namespace),
            job("j", "x").replace(":\"x\"", ":\"" + type + "\""))
        .refusedBy(JOBS);
  }

  @Test
  void outcomes_are_written_while_stopped() {
    // Given a Workflow that has begun, and a stop
    cluster.armed(TYPE);
    awaitSecondLayerKnows(revision());
    cluster.admin.post(workflows(), workflow("w", TYPE)).succeeded();
    status("w", "{\"observedGeneration\":1,\"starts\":3}").succeeded();
    merge("{\"data\":{\"all\":\"stop\"}}");
    awaitSecondLayerKnows(revision());

    status("w", "{\"observedGeneration\":1,\"starts\":3,\"phase\":\"Stopping\"}").succeeded();
    status("w", "{\"observedGeneration\":1,\"starts\":4,\"phase\":\"Running\"}").refusedBy(STARTS);
    status("w", "{\"observedGeneration\":1,\"starts\":3,\"phase\":\"Stopped\"}").succeeded();
    cluster
        .operator
        .patch(
            workflows() + "/w/status",
            Api.MERGE,
            "{\"status\":{\"phase\":\"Stopped\",\"progress\":\"1/1\"}}")
        .succeeded();
    cluster.admin.delete(workflows() + "/w").succeeded();
  }

  @Test
  void with_the_configmap_missing_nothing_begins_and_everything_can_end() {
    // Given a Job that runs, a suspended one, and a Workflow, and then no ConfigMap
    cluster.armed(TYPE);
    awaitSecondLayerKnows(revision());
    cluster.admin.post(jobs(), job("runs", TYPE)).succeeded();
    cluster.admin.post(jobs(), job("held", TYPE)).succeeded();
    cluster.admin.patch(jobs() + "/held", Api.MERGE, "{\"spec\":{\"suspend\":true}}").succeeded();
    cluster.admin.post(workflows(), workflow("w", TYPE)).succeeded();
    cluster.responder.delete(STOP).succeeded();
    await().untilAsserted(() -> createJob(cluster.admin, namespace, "j", TYPE).refusedBy(JOBS));

    // Then nothing of ours begins
    cluster
        .admin
        .post("/api/v1/namespaces/%s/pods".formatted(namespace), pod("p", TYPE))
        .refusedBy(JOBS);
    status("w", "{\"observedGeneration\":1,\"starts\":1}").refusedBy(STARTS);
    // And everything of ours can be ended
    cluster.admin.patch(jobs() + "/runs", Api.MERGE, "{\"spec\":{\"parallelism\":0}}").succeeded();
    cluster.admin.patch(jobs() + "/runs", Api.MERGE, "{\"spec\":{\"suspend\":true}}").succeeded();
    cluster
        .admin
        .patch(jobs() + "/held", Api.MERGE, "{\"spec\":{\"suspend\":false}}")
        .refusedBy("andon-no-unsuspend");
    cluster.admin.delete(jobs() + "/runs").succeeded();
    cluster.admin.delete(jobs() + "/held").succeeded();
    cluster.admin.post(workflows(), workflow("another", TYPE)).succeeded();
    cluster.admin.patch(workflows() + "/w", Api.MERGE, "{\"spec\":{\"paused\":true}}").succeeded();
    cluster.admin.delete(workflows() + "/another").succeeded();
    // And nobody else is touched
    cluster.admin.post(jobs(), job("theirs", "")).succeeded();
    cluster
        .admin
        .post("/api/v1/namespaces/%s/pods".formatted(namespace), pod("theirs", ""))
        .succeeded();

    // When the operator has created it, empty
    cluster.operator.post(STOPS, stop("", "")).succeeded();
    // Then outcomes can be written, and nothing else has changed
    await()
        .untilAsserted(
            () -> status("w", "{\"observedGeneration\":1,\"phase\":\"Pending\"}").succeeded());
    status("w", "{\"observedGeneration\":1,\"starts\":1}").refusedBy(STARTS);
  }

  @Test
  void what_was_suspended_stays_so_armed_or_not_and_whatever_becomes_of_its_label() {
    cluster.armed(TYPE);
    awaitSecondLayerKnows(revision());
    cluster.admin.post(jobs(), job("held", TYPE)).succeeded();
    cluster.admin.patch(jobs() + "/held", Api.MERGE, "{\"spec\":{\"suspend\":true}}").succeeded();

    for (String unsuspend :
        List.of(
            "{\"spec\":{\"suspend\":false}}",
            "{\"spec\":{\"suspend\":null}}",
            "{\"metadata\":{\"labels\":null},\"spec\":{\"suspend\":false}}")) {
      Api.Answer answer = cluster.admin.patch(jobs() + "/held", Api.MERGE, unsuspend);
      assertThat(answer.refusedBy("andon-no-unsuspend").message()).contains("continueFrom");
    }
    cluster
        .admin
        .patch(jobs() + "/held", Api.MERGE, "{\"metadata\":{\"annotations\":{\"x\":\"y\"}}}")
        .succeeded();
    // Other people's Jobs are let go as ever
    cluster
        .admin
        .post(jobs(), job("theirs", "").replace("\"template\"", "\"suspend\":true,\"template\""))
        .succeeded();
    cluster
        .admin
        .patch(jobs() + "/theirs", Api.MERGE, "{\"spec\":{\"suspend\":false}}")
        .succeeded();
  }

  /** How soon after the stop is for {@code andon bench stop} to tell. */
  @Test
  void every_stop_is_refused_by_its_own_revision_until_the_next_arming() {
    cluster.armed(TYPE);
    for (int i = 0; i < 10; i++) {
      cluster
          .admin
          .patch(
              STOP,
              Api.MERGE,
              "{\"metadata\":{\"annotations\":{\"andon.dev/arm-reason\":\"%d\"}},\"data\":{\"all\":null}}"
                  .formatted(i))
          .succeeded();
      awaitSecondLayerKnows(revision());
      for (int j = 0; j < 5; j++) {
        createJob(cluster.admin, namespace, "j", TYPE).succeeded();
      }

      merge("{\"data\":{\"all\":\"stop\"}}");
      String at = "(emergency-stop at resourceVersion " + revision() + ")";
      await()
          .pollDelay(Duration.ZERO)
          .pollInterval(Duration.ofMillis(1))
          .until(() -> !createJob(cluster.admin, namespace, "j", TYPE).accepted());

      for (int j = 0; j < 5; j++) {
        assertThat(createJob(cluster.admin, namespace, "j", TYPE).refusedBy(JOBS).message())
            .contains(at);
      }
    }
  }

  /** The API server's own watch has seen this revision of the ConfigMap. */
  private void awaitSecondLayerKnows(String revision) {
    await()
        .atMost(Duration.ofSeconds(60))
        .pollInterval(Duration.ofMillis(10))
        .until(
            () ->
                createJob(cluster.admin, namespace, "probe", "all")
                    .message()
                    .contains("resourceVersion " + revision + ")"));
  }

  private static String revision() {
    return cluster.admin.get(STOP).succeeded().body().at("/metadata/resourceVersion").asText();
  }

  private Api.Answer status(String workflow, String status) {
    return cluster.operator.patch(
        workflows() + "/" + workflow + "/status", Api.MERGE, "{\"status\":" + status + "}");
  }

  private String workflows() {
    return "/apis/andon.dev/v1alpha1/namespaces/%s/workflows".formatted(namespace);
  }

  private String jobs() {
    return "/apis/batch/v1/namespaces/%s/jobs".formatted(namespace);
  }

  private static void merge(String patch) {
    cluster.responder.patch(STOP, Api.MERGE, patch).succeeded();
  }
}
