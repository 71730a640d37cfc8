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

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import dev.andon.operator.stop.StopShapes;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.nio.file.Path;
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
  private static final String NO_UNSUSPEND = "andon-no-unsuspend";
  private static final String UNSUSPEND = "andon-stop-unsuspend";

  private static final String SUSPEND = "{\"spec\":{\"suspend\":true}}";
  private static final String LET_GO = "{\"spec\":{\"suspend\":false}}";
  private static final String UNLABEL_PODS =
      "{\"spec\":{\"template\":{\"metadata\":{\"labels\":{\"andon.dev/workflow-type\":null}}}}}";

  /** Each ends work of a Job that runs, and tries to have it forgotten. */
  private static final List<String> ENDS =
      List.of(
          SUSPEND,
          "{\"metadata\":{\"annotations\":null},\"spec\":{\"suspend\":true}}",
          "{\"metadata\":{\"annotations\":{\"andon.dev/suspended\":\"no\"}},\"spec\":{\"suspend\":true}}",
          "{\"metadata\":{\"labels\":{\"andon.dev/workflow-type\":null}},\"spec\":{\"suspend\":true}}",
          "{\"metadata\":{\"labels\":{\"andon.dev/workflow-type\":null},\"annotations\":null},\"spec\":{\"suspend\":true}}",
          "{\"metadata\":{\"labels\":{\"andon.dev/workflow-type\":\"Other\"}},\"spec\":{\"suspend\":true}}",
          "{\"metadata\":{\"labels\":{\"andon.dev/workflow-type\":null},\"annotations\":null},\"spec\":{\"parallelism\":0}}",
          "{\"metadata\":{\"labels\":{\"andon.dev/workflow-type\":null},\"annotations\":null},\"spec\":{\"activeDeadlineSeconds\":1}}");

  private static Guarded cluster;

  /** May write Jobs, as whoever has ClusterRole {@code edit}, and nothing else. */
  private static Api editor;

  private String namespace;

  @BeforeAll
  static void install(ControlPlane plane) throws Exception {
    cluster = new Guarded(plane);
    cluster.role(
        "it-jobs",
        "[{\"apiGroups\":[\"batch\"],\"resources\":[\"jobs\"],\"verbs\":[\"get\",\"update\",\"patch\"]}]");
    cluster.bind("edith", "it-jobs");
    editor = cluster.as("edith");
    awaitMarks(true);
  }

  @AfterAll
  static void close() {
    editor.close();
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
        .refusedBy(NO_UNSUSPEND);
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
      assertThat(answer.refusedBy(NO_UNSUSPEND).message()).contains("continueFrom");
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

  @Test
  void whoever_suspends_a_job_marks_it_and_the_mark_cannot_be_taken_off() {
    // Given a Job that runs
    cluster.armed(TYPE);
    awaitSecondLayerKnows(revision());
    cluster.admin.post(jobs(), whole("held", "")).succeeded();

    // When a person suspends it
    Api.Answer suspended = editor.patch(jobs() + "/held", Api.MERGE, SUSPEND).succeeded();

    // Then
    assertThat(isMarked(suspended)).isTrue();
    for (String annotations :
        List.of("null", "{\"andon.dev/suspended\":null}", "{\"andon.dev/suspended\":\"no\"}")) {
      Api.Answer answer =
          editor
              .patch(
                  jobs() + "/held",
                  Api.MERGE,
                  "{\"metadata\":{\"annotations\":%s}}".formatted(annotations))
              .succeeded();
      assertThat(isMarked(answer)).as(annotations).isTrue();
    }
    var replacement = cluster.admin.get(jobs() + "/held").body().deepCopy();
    ((ObjectNode) replacement.path("metadata")).remove("annotations");
    assertThat(isMarked(cluster.admin.put(jobs() + "/held", replacement.toString()).succeeded()))
        .isTrue();
    assertThat(
            cluster
                .admin
                .patch(jobs() + "/held/status", Api.MERGE, "{\"metadata\":{\"annotations\":null}}")
                .refusedBy(NO_UNSUSPEND)
                .message())
        .contains("metadata.annotations: andon.dev/suspended", "continueFrom");
    assertThat(isMarked(cluster.admin.get(jobs() + "/held"))).isTrue();

    // And it is not let go, whatever else the write does
    for (String unsuspend :
        List.of(
            LET_GO,
            "{\"metadata\":{\"annotations\":null},\"spec\":{\"suspend\":false}}",
            "{\"metadata\":{\"annotations\":null,\"labels\":null},\"spec\":{\"suspend\":null}}",
            "{\"metadata\":{\"annotations\":null},\"spec\":{\"suspend\":false,\"parallelism\":0}}")) {
      assertThat(
              cluster
                  .admin
                  .patch(jobs() + "/held", Api.MERGE, unsuspend)
                  .refusedBy(NO_UNSUSPEND)
                  .message())
          .contains("spec.suspend", "continueFrom");
    }
  }

  @Test
  void a_job_created_suspended_has_no_mark_and_is_let_go_while_its_type_is_open() {
    cluster.armed(TYPE);
    awaitSecondLayerKnows(revision());
    Api.Answer created =
        cluster.admin.post(jobs(), whole("waits", "\"suspend\":true,")).succeeded();
    assertThat(isMarked(created)).isFalse();

    Api.Answer goes = editor.patch(jobs() + "/waits", Api.MERGE, LET_GO).succeeded();
    assertThat(isMarked(goes)).isFalse();

    // When it is suspended all the same
    Api.Answer held = editor.patch(jobs() + "/waits", Api.MERGE, SUSPEND).succeeded();
    // Then it is like any other that was
    assertThat(isMarked(held)).isTrue();
    editor.patch(jobs() + "/waits", Api.MERGE, LET_GO).refusedBy(NO_UNSUSPEND);
  }

  @Test
  void one_whose_pods_the_stop_would_not_know_is_not_let_go() {
    cluster.armed(TYPE);
    awaitSecondLayerKnows(revision());
    for (String name : List.of("bare", "other")) {
      cluster.admin.post(jobs(), whole(name, "\"suspend\":true,")).succeeded();
    }
    editor.patch(jobs() + "/bare", Api.MERGE, UNLABEL_PODS).succeeded();
    editor
        .patch(
            jobs() + "/other",
            Api.MERGE,
            "{\"spec\":{\"template\":{\"metadata\":{\"labels\":{\"andon.dev/workflow-type\":\"Other\"}}}}}")
        .succeeded();

    for (String name : List.of("bare", "other")) {
      assertThat(
              editor
                  .patch(jobs() + "/" + name, Api.MERGE, LET_GO)
                  .refusedBy(NO_UNSUSPEND)
                  .message())
          .contains("spec.template.metadata.labels", "andon.dev/workflow-type");
    }
    cluster
        .admin
        .patch(
            jobs() + "/bare",
            Api.MERGE,
            "{\"metadata\":{\"labels\":null},\"spec\":{\"suspend\":false}}")
        .refusedBy(NO_UNSUSPEND);
    // The way out
    editor
        .patch(
            jobs() + "/bare",
            Api.MERGE,
            "{\"spec\":{\"template\":{\"metadata\":{\"labels\":{\"andon.dev/workflow-type\":\"%s\"}}}}}"
                .formatted(TYPE))
        .succeeded();
    editor.patch(jobs() + "/bare", Api.MERGE, LET_GO).succeeded();
  }

  @Test
  void the_label_stays_on_a_job_as_it_is() {
    cluster.armed(TYPE, "Other");
    awaitSecondLayerKnows(revision());
    cluster.admin.post(jobs(), whole("runs", "")).succeeded();
    cluster.admin.post(jobs(), whole("waits", "\"suspend\":true,")).succeeded();
    cluster.admin.post(jobs(), whole("held", "")).succeeded();
    cluster.operator.patch(jobs() + "/held", Api.MERGE, SUSPEND).succeeded();

    for (String job : List.of("/runs", "/waits", "/held", "/waits/status")) {
      for (String label : List.of("null", "\"Other\"")) {
        String patch =
            "{\"metadata\":{\"labels\":{\"andon.dev/workflow-type\":%s}}}".formatted(label);
        Api.Answer answer = cluster.admin.patch(jobs() + job, Api.MERGE, patch);
        assertThat(answer.refusedBy(NO_UNSUSPEND).message())
            .as(job)
            .contains("metadata.labels: andon.dev/workflow-type", "delete the Job");
      }
    }
    // Nor is it lost in a write that ends nothing any more
    cluster
        .admin
        .patch(
            jobs() + "/waits",
            Api.MERGE,
            "{\"metadata\":{\"labels\":{\"andon.dev/workflow-type\":null}},\"spec\":{\"parallelism\":0}}")
        .refusedBy(NO_UNSUSPEND);
    // What is being deleted may go
    cluster
        .admin
        .patch(
            jobs() + "/waits", Api.MERGE, "{\"metadata\":{\"finalizers\":[\"example.com/wait\"]}}")
        .succeeded();
    cluster.admin.delete(jobs() + "/waits").succeeded();
    cluster
        .admin
        .patch(
            jobs() + "/waits",
            Api.MERGE,
            "{\"metadata\":{\"finalizers\":null,\"labels\":{\"andon.dev/workflow-type\":null}}}")
        .succeeded();
  }

  @Test
  void one_that_waits_is_not_let_go_while_stopped_and_goes_once_armed_again() {
    cluster.armed(TYPE);
    awaitSecondLayerKnows(revision());
    cluster.admin.post(jobs(), whole("waits", "\"suspend\":true,")).succeeded();
    merge("{\"data\":{\"all\":\"stop\"}}");
    awaitSecondLayerKnows(revision());

    assertThat(editor.patch(jobs() + "/waits", Api.MERGE, LET_GO).refusedBy(UNSUSPEND).message())
        .contains(
            "spec.suspend",
            TYPE,
            "its key all is not go",
            "(emergency-stop at resourceVersion " + revision() + ")");
    // What does not let it go is not asked about
    editor
        .patch(jobs() + "/waits", Api.MERGE, "{\"metadata\":{\"annotations\":{\"x\":\"y\"}}}")
        .succeeded();

    cluster
        .armer
        .patch(
            STOP,
            Api.MERGE,
            "{\"metadata\":{\"annotations\":{\"andon.dev/arm-reason\":\"x\"}},\"data\":{\"all\":null}}")
        .succeeded();
    awaitSecondLayerKnows(revision());
    editor.patch(jobs() + "/waits", Api.MERGE, LET_GO).succeeded();
  }

  /** To refuse it here, parameterNotFoundAction would be Deny, and a suspend be refused, too. */
  @Test
  void with_the_configmap_missing_one_that_waits_may_be_let_go_and_begins_nothing() {
    cluster.armed(TYPE);
    awaitSecondLayerKnows(revision());
    cluster.admin.post(jobs(), whole("waits", "\"suspend\":true,")).succeeded();
    cluster.responder.delete(STOP).succeeded();
    await().untilAsserted(() -> createJob(cluster.admin, namespace, "j", TYPE).refusedBy(JOBS));

    editor.patch(jobs() + "/waits", Api.MERGE, LET_GO).succeeded();

    var labels = cluster.admin.get(jobs() + "/waits").body().at("/spec/template/metadata/labels");
    cluster
        .admin
        .post(
            "/api/v1/namespaces/%s/pods".formatted(namespace),
            pod("p", "").replace("\"labels\":{}", "\"labels\":" + labels))
        .refusedBy(JOBS);
  }

  static Stream<StopShapes.Shape> what_waits_goes_only_while_open_and_what_runs_can_be_ended() {
    return StopShapes.all();
  }

  @ParameterizedTest
  @MethodSource
  void what_waits_goes_only_while_open_and_what_runs_can_be_ended(StopShapes.Shape shape) {
    // Given a Job that waits, and one that runs and has the mark, and then the shape
    waitsAndRuns();
    cluster.missing();
    var configMap = shape.configMap();
    configMap.getMetadata().setAnnotations(java.util.Map.of("andon.dev/arm-reason", "a test"));
    cluster.admin.post(STOPS, Serialization.asJson(configMap)).succeeded();
    awaitSecondLayerKnows(revision());

    Api.Answer goes = cluster.admin.patch(jobs() + "/waits?dryRun=All", Api.MERGE, LET_GO);
    if (shape.open()) {
      goes.succeeded();
    } else {
      assertThat(goes.refusedBy(UNSUSPEND).message())
          .contains("(emergency-stop at resourceVersion " + revision() + ")");
    }
    everythingEnds();
  }

  @Test
  void with_the_configmap_missing_what_runs_can_be_ended() {
    waitsAndRuns();
    cluster.missing();
    await().untilAsserted(() -> createJob(cluster.admin, namespace, "j", TYPE).refusedBy(JOBS));

    everythingEnds();
  }

  @Test
  void a_suspend_is_not_refused_for_want_of_room_for_the_mark() {
    // Given a Job whose annotations are as large as they may be
    cluster.armed(TYPE);
    awaitSecondLayerKnows(revision());
    cluster.admin.post(jobs(), whole("runs", "")).succeeded();
    cluster
        .admin
        .patch(
            jobs() + "/runs",
            Api.MERGE,
            "{\"metadata\":{\"annotations\":{\"x\":\"%s\"}}}"
                .formatted("y".repeat((256 << 10) - 1)))
        .succeeded();

    Api.Answer suspended = editor.patch(jobs() + "/runs", Api.MERGE, SUSPEND).succeeded();

    assertThat(suspended.body().at("/spec/suspend").asBoolean()).isTrue();
    assertThat(isMarked(suspended)).isFalse();
  }

  /** As on Kubernetes before 1.36. */
  @Test
  void where_nothing_marks_a_mark_cannot_be_taken_off_and_everything_ends() throws Exception {
    try {
      cluster
          .admin
          .delete(
              "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings/andon-mark-suspended")
          .succeeded();
      awaitMarks(false);
      waitsAndRuns();
      cluster.admin.post(jobs(), whole("held", "")).succeeded();
      // As the operator does
      cluster
          .operator
          .patch(
              jobs() + "/held",
              Api.MERGE,
              "{\"metadata\":{\"annotations\":{\"andon.dev/suspended\":\"true\"}},\"spec\":{\"suspend\":true}}")
          .succeeded();

      for (String annotations : List.of("null", "{\"andon.dev/suspended\":\"no\"}")) {
        assertThat(
                cluster
                    .admin
                    .patch(
                        jobs() + "/held",
                        Api.MERGE,
                        "{\"metadata\":{\"annotations\":%s}}".formatted(annotations))
                    .refusedBy(NO_UNSUSPEND)
                    .message())
            .contains("metadata.annotations: andon.dev/suspended", "continueFrom");
      }
      for (String unsuspend :
          List.of(LET_GO, "{\"metadata\":{\"annotations\":null},\"spec\":{\"suspend\":false}}")) {
        cluster.admin.patch(jobs() + "/held", Api.MERGE, unsuspend).refusedBy(NO_UNSUSPEND);
      }
      for (String end : ENDS) {
        cluster.admin.patch(jobs() + "/runs?dryRun=All", Api.MERGE, end).succeeded();
      }
    } finally {
      cluster.kubectl(
          "apply",
          "--server-side",
          "--force-conflicts",
          "-f",
          Path.of(System.getProperty("ANDON_HOME"))
              .resolve("cli/src/main/resources/install/40-stop-second-layer.yaml")
              .toString());
      awaitMarks(true);
    }
  }

  /** A Job that waits, and one that runs although it has a mark: all there is to take off. */
  private void waitsAndRuns() {
    cluster.armed(TYPE);
    awaitSecondLayerKnows(revision());
    cluster.admin.post(jobs(), whole("waits", "\"suspend\":true,")).succeeded();
    cluster.admin.post(jobs(), whole("runs", "")).succeeded();
    cluster
        .admin
        .patch(
            jobs() + "/runs",
            Api.MERGE,
            "{\"metadata\":{\"annotations\":{\"andon.dev/suspended\":\"true\"}}}")
        .succeeded();
  }

  /** Whoever writes it; and the Job stays known for what it is. */
  private void everythingEnds() {
    for (Api by : List.of(editor, cluster.admin, cluster.operator)) {
      for (String end : ENDS) {
        Api.Answer ended = by.patch(jobs() + "/runs?dryRun=All", Api.MERGE, end).succeeded();
        assertThat(isMarked(ended)).as(end).isTrue();
        assertThat(ended.body().at("/metadata/labels/andon.dev~1workflow-type").asText())
            .as(end)
            .isEqualTo(TYPE);
      }
    }
  }

  /**
   * A Job of the type, and so are its Pods. With a label besides: one that has none is given those
   * of its template.
   *
   * @param spec what comes before the template
   */
  private static String whole(String name, String spec) {
    return job(name, TYPE)
        .replace("\"labels\":{", "\"labels\":{\"app\":\"x\",")
        .replace(
            "\"template\":{",
            spec
                + "\"template\":{\"metadata\":{\"labels\":{\"andon.dev/workflow-type\":\"%s\"}},"
                    .formatted(TYPE));
  }

  private static boolean isMarked(Api.Answer job) {
    return job.body().at("/metadata/annotations/andon.dev~1suspended").asText().equals("true");
  }

  /** The API server has seen that the marking policy is in force, or no longer. */
  private static void awaitMarks(boolean marks) throws InterruptedException {
    String jobs = "/apis/batch/v1/namespaces/%s/jobs".formatted(cluster.freshNamespace());
    cluster.armed(TYPE);
    await().untilAsserted(() -> cluster.admin.post(jobs, whole("marked", "")).succeeded());
    await()
        .atMost(Duration.ofSeconds(60))
        .until(
            () ->
                isMarked(cluster.admin.patch(jobs + "/marked?dryRun=All", Api.MERGE, SUSPEND))
                    == marks);
    cluster.missing();
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
