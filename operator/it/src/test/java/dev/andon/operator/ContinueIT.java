package dev.andon.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import dev.andon.examples.fleet.FleetOptions;
import dev.andon.examples.fleet.FleetServer;
import dev.andon.plan.RecordName;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What was stopped is gone on with by new workflows, against a fleet that keeps its own log. */
@RealControlPlane
@Timeout(400)
class ContinueIT {
  private static final Duration SLOW_MACHINE = Duration.ofSeconds(90);
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

  private String workflow(String name, String continueFrom) {
    String yaml =
        cluster
            .exampleWorkflow(fleet)
            .replace("batch: {size: 5, pauseSeconds: 1}", "batch: {size: 35, pauseSeconds: 0}")
            .replace("concurrency: 5", "concurrency: 7")
            .replace("name: erase-aap", "name: " + name);
    return continueFrom == null
        ? yaml
        : yaml.replace("spec:\n", "spec:\n  continueFrom: " + continueFrom + "\n");
  }

  private String status(String name, String path) {
    return cluster.get("workflow", "fleet", name, "{.status." + path + "}");
  }

  private void awaitReason(String name, String reason) {
    await(name + " " + reason)
        .atMost(SLOW_MACHINE)
        .until(() -> cluster.reason("fleet", name), reason::equals);
  }

  private void stopAt(int done, String name) {
    await().atMost(SLOW_MACHINE).until(() -> fleet.summary().done() >= done);
    cluster.stop(Cluster.TYPE);
    awaitReason(name, "EmergencyStop");
    assertThat(status(name, "phase")).isEqualTo("Stopped");
    cluster.arm(Cluster.TYPE);
  }

  private String recordOf(String name) {
    return RecordName.of("fleet", name, status(name, "specHash"));
  }

  private int jobs(String name, String of) {
    return Integer.parseInt(status(name, "jobs." + of));
  }

  @Test
  void a_chain_of_stopped_runs_erases_every_machine_exactly_once() throws Exception {
    AndonOperator operator = cluster.operator();
    cluster.arm(Cluster.TYPE);
    cluster.apply(workflow("erase-aap", null));
    stopAt(15, "erase-aap");
    int first = jobs("erase-aap", "succeeded");

    cluster.apply(workflow("erase-missing", "erase-app"));
    cluster.apply(workflow("erase-other", "erase-aap").replace("concurrency: 7", "concurrency: 8"));
    awaitReason("erase-missing", "InvalidSpec");
    awaitReason("erase-other", "InvalidSpec");
    assertThat(status("erase-missing", "conditions[?(@.type=='Ready')].message"))
        .contains("spec.continueFrom: \"erase-app\": there is no such Workflow in namespace fleet");
    assertThat(status("erase-other", "conditions[?(@.type=='Ready')].message"))
        .contains("asks for other work, in spec.blocks[");

    cluster.apply(workflow("erase-rest", "erase-aap"));
    await()
        .atMost(SLOW_MACHINE)
        .until(() -> status("erase-rest", "continued.workflow"), "erase-aap"::equals);
    cluster.apply(workflow("erase-early", "erase-rest"));
    cluster.apply(workflow("erase-again", "erase-aap"));
    awaitReason("erase-early", "InvalidSpec");
    awaitReason("erase-again", "InvalidSpec");
    assertThat(status("erase-again", "conditions[?(@.type=='Ready')].message"))
        .contains("Workflow erase-rest has continued it already");
    assertThat(status("erase-early", "conditions[?(@.type=='Ready')].message"))
        .contains("has not finished");
    // It is known by itself now what was done: the first may go, and the operator too.
    cluster.kubectl("delete", "workflow", "erase-aap", "-n", "fleet", "--timeout=60s");
    operator.close();
    cluster.operator();
    stopAt(40, "erase-rest");
    assertThat(jobs("erase-rest", "skipped")).isPositive().isLessThanOrEqualTo(first);
    int second = jobs("erase-rest", "succeeded");
    assertThat(status("erase-rest", "blocks[2].failed")).isEmpty();

    cluster.apply(workflow("erase-third", "erase-rest"));
    cluster.kubectl(
        "wait", "--for=condition=Finished", "awf/erase-third", "-n", "fleet", "--timeout=90s");

    assertThat(cluster.reason("fleet", "erase-third")).isEqualTo("Complete");
    assertThat(status("erase-third", "progress")).isEqualTo("105/105");
    assertThat(jobs("erase-third", "skipped")).isGreaterThan(second / 2);
    assertThat(fleet.summary().done()).isEqualTo(MACHINES);
    assertThat(fleet.summary().erasedTwice()).isZero();
    assertThat(status("erase-third", "blocks[1].succeeded"))
        .as("validate says Rerun")
        .isEqualTo("0");
    assertThat(cluster.get("tokenbucket", null, "disk-erase", "{.status.tokens}"))
        .as("one token for one piece of work")
        .isEqualTo("2");

    // What the third did only it could tell: without it nobody goes on with the second once more.
    String record =
        cluster.get("workflowrecord", null, recordOf("erase-third"), "{.metadata.name}");
    cluster.kubectl("delete", "workflow", "erase-third", "-n", "fleet", "--timeout=60s");
    cluster.apply(workflow("erase-fourth", "erase-rest"));
    awaitReason("erase-fourth", "InvalidSpec");
    assertThat(status("erase-fourth", "conditions[?(@.type=='Ready')].message"))
        .contains("Workflow erase-third (uid ", "has continued it already and is gone", record)
        .contains("leave the field out and list the jobs that are left");
    assertThat(fleet.summary().erasedTwice()).isZero();
  }
}
