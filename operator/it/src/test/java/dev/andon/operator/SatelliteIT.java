package dev.andon.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import dev.andon.examples.fleet.FleetOptions;
import dev.andon.examples.fleet.FleetServer;
import dev.andon.examples.fleet.LogEvent;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example, end to end: kubectl, API server, operator, and a fleet that keeps its own log. */
@RealControlPlane
class SatelliteIT {
  private static final int MACHINES = 103;

  @TempDir Path folder;

  private Cluster cluster;
  private FleetServer fleet;

  @BeforeEach
  void given_a_cluster_and_a_fleet(ControlPlane plane) throws Exception {
    cluster = new Cluster(plane);
    fleet =
        FleetServer.start(
            FleetOptions.defaults().withEraseMillis(50, 100).withLog(folder.resolve("fleet.log")));
    cluster.setUpExample(fleet, yaml -> yaml.replace("sends: 10", "sends: 1000"));
  }

  @AfterEach
  void tear_down() throws Exception {
    cluster.close();
    fleet.close();
  }

  private String workflow() {
    return cluster
        .exampleWorkflow(fleet)
        .replace("batch: {size: 5, pauseSeconds: 1}", "batch: {size: 35, pauseSeconds: 1}")
        .replace("concurrency: 5", "concurrency: 35");
  }

  @Test
  void it_runs_to_its_end_and_every_machine_is_erased_once() throws Exception {
    cluster.operator();
    cluster.arm(Cluster.TYPE);

    cluster.apply(workflow());
    cluster.kubectl(
        "wait", "--for=condition=Finished", "awf/erase-aap", "-n", "fleet", "--timeout=60s");

    assertThat(cluster.reason("fleet", "erase-aap")).isEqualTo("Complete");
    assertThat(fleet.summary().done()).isEqualTo(MACHINES);
    assertThat(fleet.summary().erasedTwice()).isZero();
    assertThat(fleet.summary().askedAgain()).isZero();
    assertThat(cluster.get("workflow", "fleet", "erase-aap", "{.status.blocks[2].succeeded}"))
        .isEqualTo("0-102");
    assertThat(cluster.get("tokenbucket", null, "disk-erase", "{.status.tokens}")).isEqualTo("2");
    assertThat(cluster.kubectl("get", "awf", "-n", "fleet"))
        .contains("NAME", "TYPE", "PHASE", "PROGRESS", "BLOCK", "REASON", "AGE")
        .containsPattern(
            "erase-aap +SatelliteDiskErase +Complete +105/105 +erase \\(3/3\\) +Complete");
  }

  @Test
  void a_stop_half_way_begins_no_further_erase_and_go_resumes_nothing() throws Exception {
    cluster.operator();
    cluster.arm(Cluster.TYPE);
    cluster.apply(workflow());
    await().atMost(Duration.ofSeconds(60)).until(() -> fleet.summary().done() >= 20);

    Instant before = Instant.now();
    cluster.stop(Cluster.TYPE);
    Instant written = Instant.now();
    cluster.kubectl(
        "wait", "--for=condition=Finished", "awf/erase-aap", "-n", "fleet", "--timeout=90s");

    assertThat(cluster.get("workflow", "fleet", "erase-aap", "{.status.phase}"))
        .isEqualTo("Stopped");
    assertThat(begunAfter(written.plusMillis(250))).as("erases begun after the stop").isEmpty();
    assertThat(fleet.summary().begun()).isLessThan(MACHINES);
    assertThat(cluster.get("workflow", "fleet", "erase-aap", "{.status.stoppedBy.value}"))
        .isEqualTo("stop");
    assertThat(cluster.get("workflow", "fleet", "erase-aap", "{.status.stoppedBy.manager}"))
        .as("who wrote it")
        .isEqualTo("kubectl-patch");
    int begun = fleet.summary().begun();

    cluster.arm(Cluster.TYPE);
    await()
        .during(Duration.ofSeconds(3))
        .atMost(Duration.ofSeconds(60))
        .until(() -> fleet.summary().begun() == begun);
    assertThat(cluster.get("workflow", "fleet", "erase-aap", "{.status.phase}"))
        .isEqualTo("Stopped");
    assertThat(before).isBefore(written);
  }

  @Test
  void an_operator_killed_half_way_erases_no_machine_twice_and_loses_none() throws Exception {
    Process first = cluster.operatorProcess();
    cluster.arm(Cluster.TYPE);
    cluster.apply(workflow());
    for (int kills = 1; kills <= 3; kills++) {
      int erased = kills * 20;
      await().atMost(Duration.ofSeconds(60)).until(() -> fleet.summary().begun() >= erased);
      first.destroyForcibly().waitFor();
      first = cluster.operatorProcess();
    }

    cluster.kubectl(
        "wait", "--for=condition=Finished", "awf/erase-aap", "-n", "fleet", "--timeout=90s");

    assertThat(cluster.reason("fleet", "erase-aap")).isEqualTo("Complete");
    assertThat(fleet.summary().done()).isEqualTo(MACHINES);
    assertThat(fleet.summary().erasedTwice()).isZero();
    assertThat(fleet.summary().askedAgain())
        .as("asked under another key for a machine that was begun")
        .isZero();
  }

  private List<LogEvent> begunAfter(Instant time) {
    return fleet.log().stream()
        .filter(e -> e.event() == LogEvent.Kind.ERASE_BEGAN && e.time().isAfter(time))
        .toList();
  }
}
