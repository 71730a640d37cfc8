package dev.andon.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.devcluster.Cable;
import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import dev.andon.examples.fleet.FleetOptions;
import dev.andon.examples.fleet.FleetServer;
import dev.andon.examples.fleet.LogEvent;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Several operators, each a process of its own, of which one acts: what they do together is told by
 * the fleet's log.
 */
@RealControlPlane
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(400)
class LeadershipIT {
  private static final int MACHINES = 40;

  /** The longest lease, and time for a machine on which much else runs. */
  private static final Duration TAKEN_OVER = Duration.ofSeconds(90);

  private static final Pattern PORT = Pattern.compile("health and metrics on port (\\d+)");

  private ControlPlane plane;
  private Cluster cluster;
  private FleetServer fleet;
  private Path folder;
  private final List<Replica> replicas = new ArrayList<>();

  @BeforeAll
  void given_a_cluster(ControlPlane plane) throws Exception {
    this.plane = plane;
    cluster = new Cluster(plane);
  }

  @BeforeEach
  void and_a_fleet(@TempDir Path folder) throws Exception {
    this.folder = folder;
    fleet =
        FleetServer.start(
            FleetOptions.defaults()
                .withEraseMillis(1_000, 1_500)
                .withLog(folder.resolve("fleet.log")));
    cluster.setUpExample(fleet, yaml -> yaml);
  }

  @AfterEach
  void clear() throws Exception {
    for (Replica one : replicas) {
      one.process.destroyForcibly().waitFor();
    }
    replicas.clear();
    cluster.tryKubectl(
        null,
        "patch",
        "workflows",
        "erase-aap",
        "-n",
        "fleet",
        "--type=merge",
        "-p",
        "{\"metadata\":{\"finalizers\":null}}");
    cluster.clear();
    cluster.tryKubectl(null, "delete", "lease", "andon-operator", "-n", "andon-system");
    fleet.close();
  }

  @AfterAll
  void tear_down() throws Exception {
    cluster.close();
  }

  /** An operator in a process of its own, and what it logs. */
  private final class Replica {
    final Process process;
    final Path log;

    Replica(Path kubeconfig) throws IOException {
      log = folder.resolve("operator-" + replicas.size() + ".log");
      process = cluster.operatorProcess(kubeconfig, log);
      replicas.add(this);
    }

    String log() {
      try {
        return Files.readString(log);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    boolean leads() {
      return log().contains("leads, as ");
    }

    void awaitLeading() {
      await()
          .atMost(TAKEN_OVER)
          .pollInterval(Duration.ofMillis(20))
          .untilAsserted(() -> assertThat(leads()).as("leads:%n%s", log()).isTrue());
    }

    void signal(String name) throws Exception {
      assertThat(
              new ProcessBuilder("kill", "-" + name, String.valueOf(process.pid()))
                  .start()
                  .waitFor())
          .as("kill -%s:%n%s", name, log())
          .isZero();
    }

    /** Its exit code. */
    int awaitEnd() throws InterruptedException {
      assertThat(process.waitFor(90, TimeUnit.SECONDS)).as("has ended:%n%s", log()).isTrue();
      return process.exitValue();
    }

    void awaitReady() {
      await().atMost(TAKEN_OVER).untilAsserted(() -> assertThat(get("/readyz")).startsWith("200 "));
    }

    String get(String path) throws Exception {
      Matcher port = PORT.matcher(log());
      if (!port.find()) {
        return "no port yet";
      }
      try (var http = HttpClient.newHttpClient()) {
        var answer =
            http.send(
                HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:%s%s".formatted(port.group(1), path)))
                    .build(),
                HttpResponse.BodyHandlers.ofString());
        return answer.statusCode() + " " + answer.body();
      }
    }
  }

  private Replica leader() throws Exception {
    Replica first = new Replica(cluster.operatorKubeconfig());
    first.awaitLeading();
    cluster.arm(Cluster.TYPE);
    return first;
  }

  private Replica standby() throws Exception {
    Replica other = new Replica(cluster.operatorKubeconfig());
    other.awaitReady();
    assertThat(other.leads()).isFalse();
    return other;
  }

  /** Begins to erase machines and returns when some are erased, and some being erased. */
  private void erasing() {
    cluster.apply(
        cluster
            .exampleWorkflow(fleet)
            .replace("to: 103", "to: " + MACHINES)
            .replaceAll("batch: \\{.*}", "")
            .replace("maxFailures: 2%", "maxFailures: 0"));
    await()
        .atMost(Duration.ofSeconds(90))
        .untilAsserted(
            () ->
                assertThat(fleet.summary().done())
                    .as("done; the first operator:%n%s", replicas.getFirst().log())
                    .isGreaterThanOrEqualTo(8));
  }

  private void everyMachineIsErasedOnce() {
    cluster.kubectl(
        "wait", "--for=condition=Finished", "awf/erase-aap", "-n", "fleet", "--timeout=180s");
    assertThat(cluster.reason("fleet", "erase-aap")).isEqualTo("Complete");
    assertThat(fleet.summary().done()).isEqualTo(MACHINES);
    assertThat(fleet.summary().begun()).isEqualTo(MACHINES);
    assertThat(fleet.summary().erasedTwice()).isZero();
    assertThat(fleet.summary().askedAgain()).as("under another key").isZero();
    assertThat(cluster.get("workflow", "fleet", "erase-aap", "{.status.blocks[2].succeeded}"))
        .isEqualTo("0-" + (MACHINES - 1));
    assertThat(cluster.get("tokenbucket", null, "disk-erase", "{.status.tokens}"))
        .as("tokens left of 3")
        .isEqualTo("2");
  }

  /** Whatever anybody asked the fleet to do; what a target does by itself is not in it. */
  private List<LogEvent> asked() {
    return fleet.log().stream()
        .filter(
            e ->
                switch (e.event()) {
                  case ERASE_BEGAN, DUPLICATE, REFUSED, VALIDATE, CANCEL_NOTED, ERASE_CANCELLED ->
                      true;
                  case ERASE_DONE, ERASE_FAILED -> false;
                })
        .toList();
  }

  private void nothingIsAskedForAWhile() {
    List<LogEvent> before = asked();
    await()
        .during(Duration.ofSeconds(3))
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(() -> assertThat(asked()).isEqualTo(before));
  }

  private static void print(String what, Instant since) {
    System.out.printf(
        "LeadershipIT: %s: %d ms%n", what, Duration.between(since, Instant.now()).toMillis());
  }

  @Test
  void one_leads_the_other_is_ready_and_both_say_who_leads() throws Exception {
    Replica first = leader();
    Replica other = standby();
    String holder =
        cluster.get("lease", "andon-system", "andon-operator", "{.spec.holderIdentity}");

    assertThat(first.get("/readyz")).startsWith("200 ");
    assertThat(first.get("/healthz")).startsWith("200 ok").contains("leader: " + holder + ", this");
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () ->
                assertThat(other.get("/healthz"))
                    .startsWith("200 ok")
                    .contains("leader: " + holder)
                    .doesNotContain("this process"));
    assertThat(first.get("/metrics")).contains("andon_leading 1.0");
    assertThat(other.get("/metrics")).contains("andon_leading 0.0");
  }

  @Test
  void killed_in_the_middle_the_leader_is_followed_and_no_machine_is_lost_or_erased_twice()
      throws Exception {
    Replica first = leader();
    Replica other = standby();
    erasing();

    first.process.destroyForcibly().waitFor();
    Instant killed = Instant.now();
    other.awaitLeading();
    print("from kill -9 of the leader to the next one", killed);

    everyMachineIsErasedOnce();
  }

  @Test
  void told_to_end_the_leader_hands_over_at_once_and_in_order() throws Exception {
    Replica first = leader();
    Replica other = standby();
    erasing();

    Instant told = Instant.now();
    first.signal("TERM");
    other.awaitLeading();
    print("from SIGTERM to the next leader", told);

    assertThat(first.awaitEnd()).as("exit code:%n%s", first.log()).isZero();
    assertThat(first.log()).contains("given back");
    everyMachineIsErasedOnce();
  }

  @Test
  void a_frozen_leader_that_wakes_up_behind_another_sends_nothing_and_ends() throws Exception {
    Replica first = leader();
    Replica other = standby();
    erasing();

    first.signal("STOP");
    Instant frozen = Instant.now();
    other.awaitLeading();
    print("from SIGSTOP of the leader to the next one", frozen);
    int done = fleet.summary().done();
    await().atMost(TAKEN_OVER).until(() -> fleet.summary().done() > done + 3);
    first.signal("CONT");
    Instant woken = Instant.now();

    assertThat(first.awaitEnd()).as(first.log()).isEqualTo(1);
    print("from SIGCONT to its end", woken);
    assertThat(first.log()).contains("the lease is lost");
    everyMachineIsErasedOnce();
    assertThat(fleet.summary().duplicates()).as("sent again by anyone").isZero();
  }

  @Test
  void a_frozen_leader_that_wakes_up_behind_a_stop_sends_and_writes_nothing() throws Exception {
    Replica first = leader();
    Replica other = standby();
    erasing();

    first.signal("STOP");
    other.awaitLeading();
    await().atMost(TAKEN_OVER).until(() -> fleet.summary().active() > 0);
    cluster.stop(Cluster.TYPE);
    cluster.kubectl(
        "wait", "--for=condition=Stopped", "awf/erase-aap", "-n", "fleet", "--timeout=120s");
    cluster.kubectl(
        "wait", "--for=condition=Finished", "awf/erase-aap", "-n", "fleet", "--timeout=120s");
    List<LogEvent> before = asked();
    String written = cluster.get("workflow", "fleet", "erase-aap", "{.metadata.resourceVersion}");
    first.signal("CONT");

    assertThat(first.awaitEnd()).as(first.log()).isEqualTo(1);
    nothingIsAskedForAWhile();
    assertThat(asked()).isEqualTo(before);
    assertThat(cluster.get("workflow", "fleet", "erase-aap", "{.metadata.resourceVersion}"))
        .isEqualTo(written);
    assertThat(cluster.get("workflow", "fleet", "erase-aap", "{.status.phase}"))
        .isEqualTo("Stopped");
    assertThat(fleet.summary().begun()).isLessThan(MACHINES);
    assertThat(fleet.summary().erasedTwice()).isZero();
  }

  static Stream<Arguments> takings() {
    return Stream.of(
        Arguments.of(
            "taken by another",
            List.of("patch", "--type=merge", "-p", "{\"spec\":{\"holderIdentity\":\"thief\"}}"),
            "thief holds it"),
        Arguments.of("deleted", List.of("delete"), "it was deleted"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("takings")
  void a_leader_whose_lease_is(String name, List<String> kubectl, String why) throws Exception {
    Replica first = leader();
    erasing();

    var command = new ArrayList<>(kubectl);
    command.addAll(1, List.of("lease", "andon-operator", "-n", "andon-system"));
    cluster.kubectl(command.toArray(String[]::new));

    assertThat(first.awaitEnd()).as(first.log()).isEqualTo(1);
    assertThat(first.log()).contains("the lease is lost").contains(why);
    nothingIsAskedForAWhile();
    assertThat(fleet.summary().begun()).isLessThan(MACHINES);
    new Replica(cluster.operatorKubeconfig()).awaitLeading();
    everyMachineIsErasedOnce();
  }

  @Test
  void a_leader_that_is_cut_off_stops_sending_and_ends_and_another_goes_on() throws Exception {
    try (var proxy = new Cable(plane.url().getPort())) {
      Path behind = folder.resolve("behind-proxy.kubeconfig");
      Files.writeString(
          behind,
          Files.readString(cluster.operatorKubeconfig())
              .replace(":" + plane.url().getPort(), ":" + proxy.port()));
      Replica first = new Replica(behind);
      first.awaitLeading();
      cluster.arm(Cluster.TYPE);
      Replica other = standby();
      erasing();

      proxy.cut();
      Instant cut = Instant.now();
      assertThat(first.awaitEnd()).as(first.log()).isEqualTo(1);
      print("from the cut to the leader's end", cut);
      Instant ended = Instant.now();
      other.awaitLeading();
      print("from the leader's end to the next one", ended);

      List<LogEvent> late =
          asked().stream()
              .filter(e -> e.time().isAfter(cut.plusMillis(2_500)) && e.time().isBefore(ended))
              .toList();
      assertThat(late).as("asked by one that has been blind for 2.5 s").isEmpty();
      everyMachineIsErasedOnce();
    }
  }
}
