package dev.andon.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.Options;
import dev.andon.examples.fleet.Fault;
import dev.andon.examples.fleet.FleetOptions;
import dev.andon.examples.fleet.FleetServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The API server refuses new intents while the operator's gate is open: the two read the stop apart
 * from each other. On a plane of its own, since it changes an admission policy.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(300)
class RefusedIntentsIT {
  private static final Duration SLOW_MACHINE = Duration.ofSeconds(60);

  private ControlPlane plane;
  private Cluster cluster;
  private FleetServer fleet;

  @BeforeAll
  void given_an_operator_and_a_fleet(@TempDir Path folder) throws Exception {
    plane = ControlPlane.start(Options.apiServerOnly());
    cluster = new Cluster(plane);
    cluster.operator();
    cluster.stopConfigMap(Map.of(Cluster.TYPE, "go"));
    fleet =
        FleetServer.start(
            FleetOptions.defaults()
                .withEraseMillis(1_000, 1_000)
                .withLog(folder.resolve("fleet.log")));
    cluster.setUpExample(fleet, yaml -> yaml);
  }

  @AfterAll
  void tear_down() throws Exception {
    if (fleet != null) {
      fleet.close();
    }
    if (cluster != null) {
      cluster.close();
    }
    plane.close();
  }

  @Test
  void outcomes_are_written_nothing_is_sent_and_it_is_no_sighting_of_a_stop() {
    // Until it tells that an erase has ended none follows it.
    fleet.faults().add(Fault.hang().on("GET", "/operations/.*"));
    cluster.apply(
        cluster
            .exampleWorkflow(fleet)
            .replace("to: 103", "to: 8")
            .replace("concurrency: 5", "concurrency: 2")
            .replaceAll("batch: \\{.*}", ""));
    await().atMost(SLOW_MACHINE).until(() -> fleet.summary().begun() >= 2);

    // A policy of the same name that has nothing open, as if it read another ConfigMap.
    judgeIntentsBy("false");
    await().atMost(SLOW_MACHINE).until(this::anIntentIsRefused);
    fleet.faults().clear();

    await().atMost(SLOW_MACHINE).until(() -> reason().equals("StopUnknown"));
    await().atMost(SLOW_MACHINE).until(() -> fleet.summary().active() == 0);
    int begun = fleet.summary().begun();
    assertThat(begun).isEqualTo(2);
    String starts = field("{.status.starts}");
    // All that ended is told of, though nothing new could be written with it.
    await()
        .atMost(SLOW_MACHINE)
        .untilAsserted(
            () -> assertThat(field("{.status.jobs.succeeded}")).isEqualTo("" + (2 + begun)));
    // It has looked again meanwhile, and was refused as often as it asks in one go, and again.
    double refused = intentsRefused();
    await().atMost(SLOW_MACHINE).until(() -> intentsRefused() >= refused + 10);
    assertThat(fleet.summary().begun()).isEqualTo(begun);
    assertThat(field("{.status.starts}")).as("and nothing is intended").isEqualTo(starts);
    assertThat(field("{.status.phase}")).isEqualTo("Paused");
    assertThat(field("{.status.conditions[?(@.type=='Ready')].message}"))
        .contains("andon-stop-starts");

    judgeIntentsBy("true");

    cluster.kubectl(
        "wait", "--for=condition=Complete", "awf/erase-aap", "-n", "fleet", "--timeout=60s");
    assertThat(fleet.summary().done()).isEqualTo(8);
    assertThat(fleet.summary().begun()).isEqualTo(8);
  }

  /** With an expression in place of the policy's own: "true" admits all, "false" nothing. */
  private void judgeIntentsBy(String admits) {
    cluster.kubectl(
        "patch",
        "validatingadmissionpolicy",
        "andon-stop-starts",
        "--type=merge",
        "-p",
        "{\"spec\":{\"validations\":[{\"expression\":\"%s\",\"message\":\"as this test wants it\"}]}}"
            .formatted(admits));
  }

  /** Policies take effect a moment after they were written. */
  private boolean anIntentIsRefused() {
    return cluster
        .tryKubectl(
            null,
            "patch",
            "awf",
            "erase-aap",
            "-n",
            "fleet",
            "--subresource=status",
            "--type=merge",
            "--dry-run=server",
            "-p",
            "{\"status\":{\"starts\":1000}}")
        .output()
        .contains("as this test wants it");
  }

  /** By the API server's own count. */
  private double intentsRefused() {
    return cluster
        .kubectl("get", "--raw", "/metrics")
        .lines()
        .filter(
            line ->
                line.startsWith("apiserver_validating_admission_policy_check_total{")
                    && line.contains("enforcement_action=\"deny\"")
                    && line.contains("policy=\"andon-stop-starts\""))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
        .sum();
  }

  private String reason() {
    return cluster.reason("fleet", "erase-aap");
  }

  private String field(String jsonPath) {
    return cluster.get("workflow", "fleet", "erase-aap", jsonPath);
  }
}
