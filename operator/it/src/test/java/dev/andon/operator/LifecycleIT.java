package dev.andon.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import dev.andon.examples.fleet.Fault;
import dev.andon.examples.fleet.FleetOptions;
import dev.andon.examples.fleet.FleetServer;
import dev.andon.examples.fleet.LogEvent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What happens to workflows that run: edits, deletion, targets that misbehave. */
@RealControlPlane
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class LifecycleIT {

  private Cluster cluster;
  @TempDir Path folder;
  private FleetServer fleet;

  @BeforeAll
  void given_an_operator(ControlPlane plane) throws Exception {
    cluster = new Cluster(plane);
    cluster.operator();
    cluster.stopConfigMap(Map.of(Cluster.TYPE, "go"));
  }

  @BeforeEach
  void and_a_fleet() throws Exception {
    given(1_500, 4);
  }

  private void given(int eraseMillis, int timeoutSeconds) throws Exception {
    fleet =
        FleetServer.start(
            FleetOptions.defaults()
                .withEraseMillis(eraseMillis, eraseMillis)
                .withLog(Files.createTempFile(folder, "fleet", ".log")));
    cluster.setUpExample(
        fleet, yaml -> yaml.replace("timeoutSeconds: 60", "timeoutSeconds: " + timeoutSeconds));
  }

  @AfterEach
  void clear() throws Exception {
    cluster.clear();
    fleet.close();
  }

  @AfterAll
  void tear_down() throws Exception {
    cluster.close();
  }

  /** Erases the first machines of aap. */
  private void erase(int machines, int concurrency) {
    erase("first", machines, concurrency);
  }

  private void erase(String runId, int machines, int concurrency) {
    cluster.apply(
        cluster
            .exampleWorkflow(fleet)
            .replace("spec:\n", "spec:\n  runId: %s\n".formatted(runId))
            .replace("to: 103", "to: " + machines)
            .replace("concurrency: 5", "concurrency: " + concurrency)
            .replaceAll("batch: \\{.*}", "")
            .replace("maxFailures: 2%", "maxFailures: 0"));
  }

  private void waitFor(String condition) {
    cluster.kubectl("wait", "--for=" + condition, "awf/erase-aap", "-n", "fleet", "--timeout=60s");
  }

  private String field(String jsonPath) {
    return cluster.get("workflow", "fleet", "erase-aap", jsonPath);
  }

  /**
   * Until its faults are cleared the fleet tells nobody that an erase has ended: none follows it.
   */
  private void noEraseIsKnownToHaveEnded() {
    fleet.faults().add(Fault.hang().on("GET", "/operations/.*"));
  }

  /** Nor intended, by the time that another workflow, which comes now, has run to its end. */
  private void nothingMoreIsBegun() {
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> fleet.summary().active() == 0 && (intendsNothing() || isFinished()));
    int begun = fleet.summary().begun();
    String starts = field("{.status.starts}");
    cluster.anotherRuns();
    assertThat(fleet.summary().begun()).isEqualTo(begun);
    assertThat(field("{.status.starts}")).isEqualTo(starts);
  }

  private boolean intendsNothing() {
    return field("{.status.jobs.running}").equals("0");
  }

  private boolean isFinished() {
    return field("{.status.conditions[?(@.type=='Finished')].status}").equals("True");
  }

  @Test
  void paused_begins_nothing_and_goes_on_when_it_is_no_longer() {
    noEraseIsKnownToHaveEnded();
    erase(6, 2);
    await().atMost(Duration.ofSeconds(60)).until(() -> fleet.summary().begun() >= 2);

    cluster.kubectl(
        "patch",
        "awf",
        "erase-aap",
        "-n",
        "fleet",
        "--type=merge",
        "-p",
        "{\"spec\":{\"paused\":true}}");
    waitFor("condition=Suspended");
    fleet.faults().clear();
    nothingMoreIsBegun();
    assertThat(fleet.summary().begun()).isEqualTo(2);
    assertThat(field("{.status.phase}")).isEqualTo("Paused");

    cluster.kubectl(
        "patch",
        "awf",
        "erase-aap",
        "-n",
        "fleet",
        "--type=merge",
        "-p",
        "{\"spec\":{\"paused\":false}}");
    waitFor("condition=Complete");
    assertThat(fleet.summary().done()).isEqualTo(6);
  }

  /** Else kubectl wait, which goes by the generation that was observed, would hang. */
  @Test
  void paused_when_it_has_finished_it_stays_finished_and_kubectl_wait_returns() {
    erase(2, 2);
    waitFor("condition=Finished");
    String finished = field("{.status.completionTime}");

    for (String paused : List.of("true", "false")) {
      cluster.kubectl(
          "patch",
          "awf",
          "erase-aap",
          "-n",
          "fleet",
          "--type=merge",
          "-p",
          "{\"spec\":{\"paused\":%s}}".formatted(paused));
      waitFor("condition=Finished");
      assertThat(field("{.status.phase}")).isEqualTo("Complete");
      assertThat(field("{.status.observedGeneration}")).isEqualTo(field("{.metadata.generation}"));
    }
    assertThat(field("{.metadata.generation}")).isEqualTo("3");
    assertThat(field("{.status.completionTime}")).isEqualTo(finished);
    assertThat(fleet.summary().begun()).isEqualTo(2);
  }

  @Test
  void deleted_while_it_runs_it_cancels_what_runs_and_the_next_of_its_name_is_another()
      throws Exception {
    fleet.close();
    given(600_000, 600);
    erase(20, 4);
    await().atMost(Duration.ofSeconds(60)).until(() -> fleet.summary().active() >= 4);
    String first = field("{.metadata.uid}");

    cluster.kubectl("delete", "awf", "erase-aap", "-n", "fleet", "--timeout=30s");

    await().atMost(Duration.ofSeconds(60)).until(() -> fleet.summary().active() == 0);
    assertThat(fleet.summary().cancelled()).isPositive();
    int begun = fleet.summary().begun();
    erase("second", 20, 4);
    await().atMost(Duration.ofSeconds(60)).until(() -> fleet.summary().begun() >= begun + 4);
    assertThat(field("{.metadata.uid}")).isNotEqualTo(first);
    Set<String> workflows =
        fleet.log().stream()
            .filter(e -> e.event() == LogEvent.Kind.ERASE_BEGAN && e.seq() > 0)
            .skip(begun)
            .map(e -> e.workflow().orElse(""))
            .collect(Collectors.toSet());
    assertThat(workflows).as("nothing more under the name of the first").doesNotContain(first);
    assertThat(fleet.summary().erasedTwice()).isZero();
  }

  @Test
  void a_status_edited_into_nonsense_ends_it_and_runs_nothing_again() {
    erase(20, 2);
    await().atMost(Duration.ofSeconds(60)).until(() -> fleet.summary().done() >= 2);
    noEraseIsKnownToHaveEnded();

    cluster.kubectl(
        "patch",
        "awf",
        "erase-aap",
        "-n",
        "fleet",
        "--subresource=status",
        "--type=json",
        "-p",
        "[{\"op\":\"replace\",\"path\":\"/status/blocks/2/succeeded\",\"value\":\"0-1,1\"}]");
    waitFor("condition=Failed");

    assertThat(cluster.reason("fleet", "erase-aap")).isEqualTo("CorruptStatus");
    nothingMoreIsBegun();
    assertThat(fleet.summary().erasedTwice()).isZero();
    assertThat(fleet.summary().askedAgain()).isZero();
  }

  @Test
  void a_job_type_deleted_mid_run_holds_it() {
    noEraseIsKnownToHaveEnded();
    erase(20, 2);
    await().atMost(Duration.ofSeconds(60)).until(() -> fleet.summary().begun() >= 2);

    cluster.kubectl("delete", "jobtype", "disk-erase");
    waitFor("condition=Suspended");

    assertThat(cluster.reason("fleet", "erase-aap")).isEqualTo("JobTypeChanged");
    fleet.faults().clear();
    nothingMoreIsBegun();
    assertThat(fleet.summary().begun()).isEqualTo(2);
  }

  static Stream<Arguments> targets() {
    return Stream.of(
        Arguments.of("500", Fault.status(500).times(2)),
        Arguments.of("429", Fault.tooManyRequests(1).times(2)),
        Arguments.of("garbage", Fault.garbage().times(1)),
        Arguments.of("never", Fault.hang().times(1)),
        Arguments.of("drops before it begins", Fault.drop().times(1)),
        Arguments.of("loses the answer", Fault.drop().afterTheWork().times(1)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("targets")
  void a_target_that_misbehaves_is_asked_until_each_machine_is_erased_once(
      String name, Fault fault) {
    fleet.faults().add(fault.on("POST", "/sites/.*/machines/.*/erase"));

    erase(3, 3);
    waitFor("condition=Finished");

    assertThat(cluster.reason("fleet", "erase-aap")).isEqualTo("Complete");
    assertThat(fleet.summary().done()).isEqualTo(3);
    assertThat(fleet.summary().erasedTwice()).isZero();
    assertThat(fleet.summary().askedAgain()).isZero();
  }

  @Test
  void a_fatal_answer_ends_it_before_anything_is_erased() {
    cluster.apply(
        cluster.exampleWorkflow(fleet).replace("siteType: satellite", "siteType: cluster"));
    waitFor("condition=Failed");

    assertThat(cluster.reason("fleet", "erase-aap")).isEqualTo("FatalFailure");
    assertThat(fleet.summary().begun()).isZero();
  }

  @Test
  void without_a_token_it_fails_where_that_is_fatal_and_the_bucket_counts_once() {
    cluster.kubectl(
        "patch",
        "tokenbucket",
        "disk-erase",
        "--subresource=status",
        "--type=merge",
        "-p",
        "{\"status\":{\"tokens\":0,\"lastRefill\":\"2099-01-01T00:00:00Z\"}}");

    erase(3, 3);
    waitFor("condition=Failed");

    assertThat(cluster.reason("fleet", "erase-aap")).isEqualTo("FatalFailure");
    assertThat(fleet.summary().begun()).isZero();
  }
}
