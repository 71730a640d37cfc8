package dev.andon.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.crds.WorkflowStatus;
import dev.andon.crds.WorkflowStatus.Active;
import dev.andon.crds.WorkflowStatus.StoppedBy;
import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** One stop, and workflows in every state there is, side by side. */
@RealControlPlane
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class StoppedWorkflowsIT {
  private StopScene scene;

  @BeforeAll
  void given_an_operator(ControlPlane plane) throws Exception {
    scene = new StopScene(plane);
    scene.cluster.operator();
  }

  @AfterAll
  void tear_down() throws Exception {
    scene.close();
  }

  /** Started, and now waiting or working in some way: each ends Stopped. */
  private static final Map<String, Predicate<WorkflowStatus>> STARTED =
      Map.of(
          "sending", status -> status.starts() != null && status.starts() > 2,
          "paused", status -> "Paused".equals(StopScene.reason(status)),
          "backoff", status -> waits(status, 2),
          "tokenless", status -> waits(status, 1),
          "batch-pause", status -> status.blocks().getFirst().nextBatchTime() != null,
          "block-pause", status -> status.jobs().succeeded() == 1,
          "sleeping", status -> !status.active().isEmpty(),
          "erasing", status -> operations(status) == 3);

  /** Is in flight, and does not end when it is asked to. */
  private static final String STUBBORN = "stubborn";

  /** Not started: they go on waiting, now for the stop. */
  private static final List<String> WAITING = List.of("manual", "paused-from-the-start");

  @Test
  void one_stop_sent_twice_ends_whatever_has_started_and_holds_whatever_has_not() {
    given_workflows_in_every_state();
    scene.cluster.kubectl("delete", "workflow", "deleting", "-n", scene.namespace, "--wait=false");

    String revision = scene.stop("stop", "a fire in the hall");
    scene.stop("halt", "somebody else saw it too");

    for (String name : ended()) {
      WorkflowStatus stopped = scene.awaitPhase(name, "Stopped");
      StoppedBy by = Objects.requireNonNull(stopped.stoppedBy(), name);
      assertThat(by.key()).as(name).isEqualTo(StopScene.TYPE);
      assertThat(by.value()).as(name).isIn("stop", "halt");
      assertThat(by.manager()).as(name).isEqualTo("kubectl-patch");
      assertThat(by.reason()).as(name).isIn("a fire in the hall", "somebody else saw it too");
      assertThat(Long.parseLong(Objects.requireNonNull(by.configMapResourceVersion())))
          .as(name)
          .isGreaterThanOrEqualTo(Long.parseLong(revision));
      assertThat(stopped.jobs().failed()).as(name).isZero();
      assertThat(stopped.active()).as(name).isEmpty();
      assertThat(stopped.jobs().unknown()).as(name).isEqualTo(name.equals(STUBBORN) ? 1 : 0);
    }
    for (String name : WAITING) {
      WorkflowStatus waits =
          scene.awaitStatus(name, status -> StopScene.reason(status).equals("EmergencyStop"));
      assertThat(waits.phase()).as(name).isEqualTo("Pending");
      assertThat(waits.startTime()).as(name).isNull();
    }
    await("the deleted one goes, stop or no stop")
        .atMost(StopScene.PATIENCE)
        .until(() -> scene.get("deleting") == null);
    assertThat(message(STUBBORN))
        .as("what nobody knows is named")
        .contains("unknown", "erase/aap-0010");
    assertThat(scene.fleet.summary().cancelled()).as("of erasing, each").isGreaterThanOrEqualTo(3);
    assertThat(
            scene
                .people
                .resources(dev.andon.crds.TokenBucket.class)
                .withName("stoppable")
                .get()
                .getStatus()
                .tokens())
        .as("no token was taken on the way")
        .isZero();
    scene.nothingIntendedLaterWasSent(revision);

    int sent = scene.fleet.log().size();
    scene.arm();
    scene.anotherRuns();

    scene.awaitStatus("manual", status -> StopScene.reason(status).equals("StartRequired"));
    scene.awaitStatus("paused-from-the-start", status -> StopScene.reason(status).equals("Paused"));
    assertThat(scene.fleet.log().subList(sent, scene.fleet.log().size()))
        .as("go resumes nothing: what is sent is another's, which came later")
        .isNotEmpty()
        .extracting(event -> event.workflow().orElse(""))
        .containsOnly(scene.uid("another-1"));
    for (String name : ended()) {
      assertThat(scene.status(name).phase()).as(name).isEqualTo("Stopped");
    }
  }

  private void given_workflows_in_every_state() {
    scene.cluster.apply(
        """
        apiVersion: andon.dev/v1alpha1
        kind: TokenBucket
        metadata: {name: stoppable}
        spec: {size: 1}
        """);
    scene.cluster.kubectl(
        "patch",
        "tokenbucket",
        "stoppable",
        "--subresource=status",
        "--type=merge",
        "-p",
        "{\"status\":{\"tokens\":0,\"lastRefill\":\"2099-01-01T00:00:00Z\"}}");
    scene.arm();
    scene.submit("sending", StopScene.sends(5_000));
    scene.submit("paused", StopScene.sends(5_000));
    scene.submit("backoff", "blocks: [{name: a, jobs: [{name: a, type: refused}]}]");
    scene.submit(
        "tokenless",
        "blocks: [{name: a, jobs: [{name: a, type: token-bucket, args: {bucket: stoppable}}]}]");
    scene.submit(
        "batch-pause",
        """
        blocks:
        - name: touch
          concurrency: 2
          forEach:
            range: {from: 1, to: 4, format: "%d"}
            batch: {size: 2, pauseSeconds: 3600}
            job: {type: touch}
        """);
    scene.submit(
        "block-pause",
        """
        blocks:
        - {name: first, jobs: [{name: a, type: touch}], pauseAfterSeconds: 3600}
        - {name: second, jobs: [{name: a, type: touch}]}
        """);
    scene.submit(
        "sleeping",
        "blocks: [{name: a, jobs: [{name: a, type: sleep, args: {seconds: \"3600\"}}]}]");
    scene.submit("erasing", StopScene.erases("erase", 1, 3));
    scene.submit("manual", "start: Manual\n" + StopScene.sends(5));
    scene.submit("paused-from-the-start", "paused: true\n" + StopScene.sends(5));
    scene.awaitStatus("paused", STARTED.get("sending"));
    scene.cluster.kubectl(
        "patch",
        "workflow",
        "paused",
        "-n",
        scene.namespace,
        "--type=merge",
        "-p",
        "{\"spec\":{\"paused\":true}}");
    STARTED.forEach(scene::awaitStatus);
    scene.awaitStatus("manual", status -> StopScene.reason(status).equals("StartRequired"));
    scene.awaitStatus("paused-from-the-start", status -> StopScene.reason(status).equals("Paused"));
    // Last: they have 25 seconds until they time out by themselves.
    scene.submit(STUBBORN, StopScene.erases("stubborn", 10, 10));
    scene.submit("deleting", StopScene.erases("stubborn", 11, 11));
    scene.awaitStatus(STUBBORN, status -> operations(status) == 1);
    scene.awaitStatus("deleting", status -> operations(status) == 1);
  }

  private static List<String> ended() {
    return Stream.concat(STARTED.keySet().stream(), Stream.of(STUBBORN)).toList();
  }

  private String message(String workflow) {
    return scene.status(workflow).conditions().stream()
        .filter(condition -> "Stopped".equals(condition.type()))
        .map(condition -> Objects.requireNonNullElse(condition.message(), ""))
        .findFirst()
        .orElse("");
  }

  /** Its first job waits for the time of its attempt of this number. */
  private static boolean waits(WorkflowStatus status, int attempt) {
    return status.active().stream()
        .anyMatch(
            active ->
                active.nextAttemptTime() != null && Objects.equals(active.attempt(), attempt));
  }

  private static long operations(WorkflowStatus status) {
    return status.active().stream().map(Active::operation).filter(Objects::nonNull).count();
  }
}
