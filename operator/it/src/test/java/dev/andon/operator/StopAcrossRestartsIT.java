package dev.andon.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.crds.WorkflowStatus;
import dev.andon.crds.WorkflowStatus.Active;
import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.Options;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * The stop, and processes that are killed around it: the operator's, and the API server's. On a
 * control plane of its own, since it breaks it.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class StopAcrossRestartsIT {
  private ControlPlane plane;
  private StopScene scene;
  private Process operator;

  @BeforeAll
  void given_a_control_plane() throws Exception {
    plane = ControlPlane.start(Options.apiServerOnly());
    scene = new StopScene(plane);
  }

  @AfterEach
  void no_operator() throws Exception {
    if (operator != null) {
      operator.destroyForcibly().waitFor();
    }
    plane.startApiServer();
    scene.followAnew();
  }

  @AfterAll
  void tear_down() throws Exception {
    try {
      scene.close();
    } finally {
      plane.close();
    }
  }

  @Test
  void killed_right_after_a_stop_the_next_operator_ends_it_and_sends_nothing() throws Exception {
    operator = scene.cluster.operatorProcess();
    scene.arm();
    scene.keepsSending("killed");
    scene.submit("killed-in-flight", StopScene.erases("erase", 1, 3));
    scene.awaitStatus("killed-in-flight", status -> operations(status) == 3);
    String uid = scene.uid("killed");

    String revision = scene.stop("stop", "and then the lights went out");
    operator.destroyForcibly().waitFor();
    int sent = scene.sentBy(uid).size();
    operator = scene.cluster.operatorProcess();

    WorkflowStatus stopped = scene.awaitPhase("killed", "Stopped");
    assertThat(stopped.stoppedBy().value()).isEqualTo("stop");
    assertThat(stopped.stoppedBy().configMapResourceVersion()).isEqualTo(revision);
    scene.awaitPhase("killed-in-flight", "Stopped");
    assertThat(scene.sentBy(uid)).as("nothing was sent by the next one").hasSize(sent);
    assertThat(scene.fleet.summary().active()).as("erases under way").isZero();
    scene.nothingIntendedLaterWasSent(revision);
  }

  @Test
  void stopped_and_armed_again_while_no_operator_runs_it_still_ends() throws Exception {
    operator = scene.cluster.operatorProcess();
    scene.arm();
    scene.keepsSending("missed");
    String uid = scene.uid("missed");
    operator.destroyForcibly().waitFor();
    int sent = scene.sentBy(uid).size();

    String revision = scene.stop("stop", "nobody is there to see it");
    scene.arm();
    operator = scene.cluster.operatorProcess();

    WorkflowStatus stopped = scene.awaitPhase("missed", "Stopped");
    assertThat(stopped.stoppedBy().value()).isEqualTo("armed anew");
    assertThat(scene.sentBy(uid)).as("nothing was sent by the next one").hasSize(sent);
    scene.nothingIntendedLaterWasSent(revision);
  }

  @Test
  void without_an_api_server_nothing_is_sent_and_a_stop_right_after_its_return_is_seen()
      throws Exception {
    operator = scene.cluster.operatorProcess();
    scene.arm();
    scene.keepsSending("cut-off");
    String uid = scene.uid("cut-off");

    plane.stopApiServer();
    int sent = scene.sentBy(uid).size();
    silent(uid);
    assertThat(scene.sentBy(uid).size() - sent)
        .as("sent without an API server: at most what was intended before, four at a time")
        .isLessThanOrEqualTo(4);
    plane.startApiServer();
    String revision = scene.stop("stop", "the first thing after it came back");
    // Without its lease it has ended, or is about to: a kubelet starts it again.
    operator.destroyForcibly().waitFor();
    operator = scene.cluster.operatorProcess();

    WorkflowStatus stopped = scene.awaitPhase("cut-off", "Stopped");
    assertThat(stopped.stoppedBy().configMapResourceVersion()).isEqualTo(revision);
    scene.arm();
    scene.staysSilent(uid, scene::anotherRuns);
  }

  /** Waits until nothing more is sent, for three seconds in a row. */
  private void silent(String uid) {
    int[] last = {-1};
    await("nothing is sent without an API server")
        .pollInterval(Duration.ofSeconds(3))
        .atMost(StopScene.PATIENCE)
        .until(
            () -> {
              int before = last[0];
              last[0] = scene.sentBy(uid).size();
              return before == last[0];
            });
  }

  private static long operations(WorkflowStatus status) {
    return status.active().stream().map(Active::operation).filter(Objects::nonNull).count();
  }
}
