package dev.andon.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.crds.WorkflowStatus;
import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import dev.andon.operator.FaultyApiServer.Fault;
import dev.andon.operator.FaultyApiServer.Request;
import dev.andon.operator.FaultyApiServer.Rule;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.time.Duration;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** An operator whose way to the API server lies, is slow, or says nothing any more. */
@RealControlPlane
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class GateFaultsIT {
  private StopScene scene;
  private FaultyApiServer between;
  private String survivor;

  @BeforeAll
  void given_an_operator_behind_a_proxy(ControlPlane plane) throws Exception {
    scene = new StopScene(plane);
    between = FaultyApiServer.before(scene.cluster.config());
    scene.cluster.operator(between.config());
  }

  @BeforeEach
  void and_a_type_that_may_run() {
    scene.arm();
  }

  @AfterEach
  void calm() {
    between.calm();
  }

  @AfterAll
  void tear_down() throws Exception {
    scene.close();
    between.close();
  }

  /** What an answer has to be like is a matter of unit tests; these are what an operator meets. */
  static Stream<Arguments> notVisible() {
    return Stream.of(
        Arguments.of("403", FaultyApiServer.status(403, "Forbidden", "no", "{}")),
        Arguments.of(
            "429", new Fault.Answers(429, "text/plain", "too many requests", "Retry-After", "0")),
        Arguments.of("500", FaultyApiServer.status(500, "InternalError", "etcd", "{}")),
        Arguments.of("404 of a proxy", new Fault.Answers(404, "text/html", "<h1>Not Found</h1>")),
        Arguments.of("slow", new Fault.Late(Duration.ofSeconds(4))),
        Arguments.of("dropped", new Fault.Dropped()));
  }

  /** One workflow lives through all of them: not visible is not stop. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("notVisible")
  void what_says_nothing_of_the_stop_holds_and_stops_nothing(String name, Fault fault) {
    if (survivor == null) {
      survivor = "survivor";
      scene.keepsSending(survivor);
    }
    scene.goesOnSending(survivor);

    try (Rule rule = between.on(Request::isGateRead, fault)) {
      scene.awaitStatus(survivor, status -> StopScene.reason(status).equals("StopUnknown"));
      scene.staysSilent(scene.uid(survivor), this::theGateReadsTwiceMore);
      assertThat(scene.status(survivor).phase()).isEqualTo("Paused");
    }

    scene.goesOnSending(survivor);
    WorkflowStatus status = scene.status(survivor);
    assertThat(status.stoppedBy()).isNull();
    assertThat(status.jobs().failed()).isZero();
  }

  @Test
  void a_status_that_names_the_configmap_as_not_found_is_a_stop_for_good() {
    scene.keepsSending("told-missing");
    String uid = scene.uid("told-missing");
    String before = scene.configMap().getMetadata().getUid();

    try (Rule rule = between.on(Request::isGateRead, FaultyApiServer.notFound("emergency-stop"))) {
      WorkflowStatus stopped = scene.awaitPhase("told-missing", "Stopped");
      assertThat(stopped.stoppedBy().value()).isEqualTo("(the ConfigMap is missing)");
    }

    assertThat(scene.configMap().getMetadata().getUid())
        .as("what the operator creates where it believes there is none harms nothing")
        .isEqualTo(before);
    scene.staysSilent(uid, scene::anotherRuns);
    scene.keepsSending("after-told-missing");
    scene.delete("after-told-missing");
  }

  @Test
  void a_cache_that_goes_on_saying_go_after_a_stop_opens_nothing() {
    scene.keepsSending("cached");
    String yesterday = Serialization.asJson(scene.configMap());
    String revision = scene.stop("stop", "the cache does not hear of it");
    scene.awaitPhase("cached", "Stopped");

    try (Rule rule =
        between.on(Request::isGateRead, new Fault.Answers(200, "application/json", yesterday))) {
      scene.submit("believes-the-cache", StopScene.sends(5));
      scene.awaitStatus(
          "believes-the-cache", status -> StopScene.reason(status).equals("StopUnknown"));
      scene.staysSilent(scene.uid("believes-the-cache"), this::theGateReadsTwiceMore);
      assertThat(scene.status("believes-the-cache").startTime()).isNull();
    }

    scene.awaitStatus(
        "believes-the-cache", status -> StopScene.reason(status).equals("EmergencyStop"));
    scene.nothingIntendedLaterWasSent(revision);
    scene.delete("believes-the-cache");
  }

  @Test
  void a_watch_that_lives_and_tells_nothing_leaves_the_stop_to_the_reads() {
    scene.keepsSending("unwatched");
    String uid = scene.uid("unwatched");

    try (Rule rule = between.on(Request::isStopWatch, new Fault.Silent())) {
      String revision = scene.stop("stop", "nobody is told");

      WorkflowStatus stopped = scene.awaitPhase("unwatched", "Stopped");

      assertThat(stopped.stoppedBy().configMapResourceVersion()).isEqualTo(revision);
      scene.nothingIntendedLaterWasSent(revision);
      scene.staysSilent(uid, this::theGateReadsTwiceMore);
    }
  }

  @Test
  void reads_without_an_answer_leave_the_stop_to_the_watch() {
    scene.keepsSending("unread");

    try (Rule rule = between.on(Request::isGateRead, new Fault.Held())) {
      scene.awaitStatus("unread", status -> StopScene.reason(status).equals("StopUnknown"));
      String revision = scene.stop("stop", "only the watch tells");

      WorkflowStatus stopped = scene.awaitPhase("unread", "Stopped");

      assertThat(stopped.stoppedBy().configMapResourceVersion()).isEqualTo(revision);
      scene.nothingIntendedLaterWasSent(revision);
    }
  }

  @Test
  void what_is_in_flight_is_cancelled_though_no_reconcile_gets_anywhere() {
    scene.submit("in-flight", StopScene.erases("erase", 1, 5));
    scene.awaitStatus("in-flight", status -> operations(status) == 5);
    String uid = scene.uid("in-flight");
    Predicate<Request> reconciles = Request::isWorkflowStatusWrite;

    try (Rule rule = between.on(reconciles, new Fault.Held())) {
      String revision = scene.stop("stop", "every status write hangs");

      await("five cancel requests, and all erases ended")
          .atMost(StopScene.PATIENCE)
          .until(() -> scene.fleet.summary().active() == 0);
      assertThat(scene.fleet.summary().cancelled()).isEqualTo(5);
      assertThat(scene.status("in-flight").stoppedBy())
          .as("none of this went through a status write")
          .isNull();
      scene.nothingIntendedLaterWasSent(revision);
    }

    WorkflowStatus stopped = scene.awaitPhase("in-flight", "Stopped");
    assertThat(stopped.jobs().unknown()).isZero();
    assertThat(stopped.jobs().failed()).isZero();
    assertThat(stopped.starts()).isEqualTo(5);
    assertThat(scene.sentBy(uid)).hasSize(5);
  }

  @Test
  void an_intent_without_a_permit_was_never_begun_and_is_no_failure() {
    // Reads that take longer than the second for which a permit is good, and yet show the stop.
    try (Rule rule = between.on(Request::isGateRead, new Fault.Late(Duration.ofMillis(1_100)))) {
      scene.submit("never-begun", StopScene.sends(3));
      scene.awaitStatus("never-begun", status -> status.starts() != null && status.starts() > 0);

      String revision = scene.stop("stop", "between intent and effect");

      WorkflowStatus stopped = scene.awaitPhase("never-begun", "Stopped");
      assertThat(stopped.starts()).isPositive();
      assertThat(stopped.jobs().failed()).isZero();
      assertThat(stopped.jobs().unknown()).isZero();
      assertThat(stopped.active()).isEmpty();
      assertThat(stopped.failures()).isEmpty();
      assertThat(scene.sentBy(scene.uid("never-begun"))).isEmpty();
      assertThat(stopped.stoppedBy().configMapResourceVersion()).isEqualTo(revision);
    }
  }

  /** Whatever it would let through on an answer to them. */
  private void theGateReadsTwiceMore() {
    long before = gateReads();
    await().atMost(StopScene.PATIENCE).until(() -> gateReads() >= before + 3);
  }

  /** Those that have begun: all but the last one have ended. */
  private long gateReads() {
    return between.requests().stream().filter(Request::isGateRead).count();
  }

  private static long operations(WorkflowStatus status) {
    return status.active().stream().filter(attempt -> attempt.operation() != null).count();
  }
}
