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
@Timeout(900)
class LeadershipIT {
  private static final int MACHINES = 24;

  /** For a scene in which somebody starves, each time with leases twice as long. */
  private static final int PLAYED_AT_MOST = 4;

  /** A lease, and time for a machine on which much else runs. */
  private static final Duration TAKEN_OVER = Duration.ofSeconds(90);

  private static final Pattern PORT = Pattern.compile("health and metrics on port (\\d+)");

  private ControlPlane plane;
  private Cluster cluster;
  private FleetServer fleet;
  private Path folder;
  private final List<Replica> replicas = new ArrayList<>();

  /** Of {@link #shortTerms}: a lease of so many times three seconds. */
  private int longer = 1;

  @BeforeAll
  void given_a_cluster(ControlPlane plane) throws Exception {
    this.plane = plane;
    cluster = new Cluster(plane);
  }

  @BeforeEach
  void and_a_fleet(@TempDir Path folder) throws Exception {
    longer = 1;
    begin(folder);
  }

  private void begin(Path folder) throws Exception {
    this.folder = folder;
    fleet =
        FleetServer.start(
            FleetOptions.defaults()
                .withEraseMillis(500, 1_000)
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

    /** Frozen or cut off by a test, and so to lose the lease. */
    private boolean isToLose;

    Replica(Path kubeconfig, String... options) throws IOException {
      log = folder.resolve("operator-" + replicas.size() + ".log");
      process = cluster.operatorProcess(kubeconfig, log, options);
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
          .until(
              () -> {
                assertThat(leads() || process.isAlive()).as("lives, to lead:%n%s", log()).isTrue();
                return leads();
              });
    }

    /** Whether it ended as it should where it got no renewal through, and no test was the cause. */
    boolean isStarved() {
      return !isToLose && !process.isAlive() && log().contains("it could not be renewed for ");
    }

    void freeze() throws Exception {
      // Fails where it has ended, starved.
      signal("STOP");
      isToLose = true;
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
      await()
          .atMost(TAKEN_OVER)
          .ignoreExceptionsInstanceOf(IOException.class)
          .until(
              () -> {
                assertThat(process.isAlive()).as("lives, to be ready:%n%s", log()).isTrue();
                return get("/readyz").startsWith("200 ");
              });
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

  /** What a test does. */
  private interface Scene {
    void play() throws Exception;
  }

  /**
   * Plays it again if somebody in it lost the lease for want of time: where a machine stands still,
   * that is what an operator is to do, and no fault.
   */
  private void play(Scene scene) throws Exception {
    for (int times = 1; ; times++) {
      try {
        scene.play();
        return;
      } catch (Exception | AssertionError e) {
        if (times == PLAYED_AT_MOST || replicas.stream().noneMatch(Replica::isStarved)) {
          throw e;
        }
        System.out.printf("LeadershipIT: an operator starved; played again after %s%n", e);
      }
      clear();
      longer *= 2;
      begin(Files.createDirectory(folder.resolve("again")));
    }
  }

  /**
   * Where a lease is to run out; everywhere else the usual terms hold. So short that a machine on
   * which much else runs lets one run out now and then that should not: see {@link #play}.
   */
  private String[] shortTerms() {
    return new String[] {
      "--lease-duration=%ds".formatted(3 * longer),
      "--renew-deadline=%dms".formatted(2_500 * longer),
      "--retry-period=%dms".formatted(500 * longer)
    };
  }

  private Replica leader(String... options) throws Exception {
    Replica first = new Replica(cluster.operatorKubeconfig(), options);
    first.awaitLeading();
    cluster.arm(Cluster.TYPE);
    return first;
  }

  private Replica standby(String... options) throws Exception {
    Replica other = new Replica(cluster.operatorKubeconfig(), options);
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
            () -> {
              someoneLives();
              assertThat(fleet.summary().done())
                  .as("done; the first operator:%n%s", replicas.getFirst().log())
                  .isGreaterThanOrEqualTo(8);
            });
  }

  private void everyMachineIsErasedOnce() {
    awaitCondition("Finished");
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

  /** There is no use in waiting for the dead; not an assertion, which would be waited for. */
  private void someoneLives() {
    if (replicas.stream().noneMatch(one -> one.process.isAlive())) {
      throw new IllegalStateException(
          "every operator has ended; the last one:\n" + replicas.getLast().log());
    }
  }

  private void awaitCondition(String type) {
    await()
        .atMost(Duration.ofMinutes(3))
        .until(
            () -> {
              someoneLives();
              return cluster
                  .get(
                      "workflow",
                      "fleet",
                      "erase-aap",
                      "{.status.conditions[?(@.type=='%s')].status}".formatted(type))
                  .equals("True");
            });
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

  /**
   * When the fleet answers us it has taken in whatever a process asked that had ended before: it
   * takes connections one after the other.
   */
  private void allThatWasAskedHasArrived() throws Exception {
    try (var http = HttpClient.newHttpClient()) {
      http.send(
          HttpRequest.newBuilder(fleet.uri()).build(), HttpResponse.BodyHandlers.discarding());
    }
  }

  /** While nobody leads. Of what is intended a token and the validation begin no erase. */
  private void nothingWasBegunThatWasNotIntended() throws Exception {
    allThatWasAskedHasArrived();
    int intended =
        Integer.parseInt(cluster.get("workflow", "fleet", "erase-aap", "{.status.starts}"));
    assertThat(fleet.summary().begun()).isBetween(8, intended - 2);
    assertThat(intended - 2).isLessThan(MACHINES);
  }

  private static void print(String what, Instant since) {
    System.out.printf(
        "LeadershipIT: %s: %d ms%n", what, Duration.between(since, Instant.now()).toMillis());
  }

  @Test
  void one_leads_the_other_is_ready_and_both_say_who_leads() throws Exception {
    play(
        () -> {
          Replica first = leader();
          Replica other = standby();
          String holder =
              cluster.get("lease", "andon-system", "andon-operator", "{.spec.holderIdentity}");

          assertThat(first.get("/readyz")).startsWith("200 ");
          assertThat(first.get("/healthz"))
              .startsWith("200 ok")
              .contains("leader: " + holder + ", this");
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
        });
  }

  @Test
  void killed_in_the_middle_the_leader_is_followed_and_no_machine_is_lost_or_erased_twice()
      throws Exception {
    play(
        () -> {
          Replica first = leader(shortTerms());
          Replica other = standby(shortTerms());
          erasing();

          first.process.destroyForcibly().waitFor();
          Instant killed = Instant.now();
          other.awaitLeading();
          print("from kill -9 of the leader to the next one", killed);

          everyMachineIsErasedOnce();
        });
  }

  @Test
  void told_to_end_the_leader_hands_over_at_once_and_in_order() throws Exception {
    play(
        () -> {
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
        });
  }

  @Test
  void a_frozen_leader_that_wakes_up_behind_another_sends_nothing_and_ends() throws Exception {
    play(
        () -> {
          Replica first = leader(shortTerms());
          Replica other = standby(shortTerms());
          erasing();

          first.freeze();
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
        });
  }

  @Test
  void a_frozen_leader_that_wakes_up_behind_a_stop_sends_and_writes_nothing() throws Exception {
    play(
        () -> {
          Replica first = leader(shortTerms());
          Replica other = standby(shortTerms());
          erasing();

          first.freeze();
          other.awaitLeading();
          await().atMost(TAKEN_OVER).until(() -> fleet.summary().active() > 0);
          cluster.stop(Cluster.TYPE);
          awaitCondition("Stopped");
          awaitCondition("Finished");
          List<LogEvent> before = asked();
          String written =
              cluster.get("workflow", "fleet", "erase-aap", "{.metadata.resourceVersion}");
          first.signal("CONT");

          assertThat(first.awaitEnd()).as(first.log()).isEqualTo(1);
          allThatWasAskedHasArrived();
          assertThat(asked()).isEqualTo(before);
          assertThat(cluster.get("workflow", "fleet", "erase-aap", "{.metadata.resourceVersion}"))
              .isEqualTo(written);
          assertThat(cluster.get("workflow", "fleet", "erase-aap", "{.status.phase}"))
              .isEqualTo("Stopped");
          assertThat(fleet.summary().begun()).isLessThan(MACHINES);
          assertThat(fleet.summary().erasedTwice()).isZero();
        });
  }

  static Stream<Arguments> takings() {
    return Stream.of(
        Arguments.of(
            "taken by another",
            List.of(
                "patch",
                "--type=merge",
                "-p",
                "{\"spec\":{\"holderIdentity\":\"thief\",\"leaseDurationSeconds\":1}}"),
            "thief holds it"),
        Arguments.of("deleted", List.of("delete"), "it was deleted"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("takings")
  void a_leader_whose_lease_is(String name, List<String> kubectl, String why) throws Exception {
    play(
        () -> {
          Replica first = leader();
          erasing();

          var command = new ArrayList<>(kubectl);
          command.addAll(1, List.of("lease", "andon-operator", "-n", "andon-system"));
          cluster.kubectl(command.toArray(String[]::new));

          assertThat(first.awaitEnd()).as(first.log()).isEqualTo(1);
          assertThat(first.log()).contains("the lease is lost").contains(why);
          nothingWasBegunThatWasNotIntended();
          new Replica(cluster.operatorKubeconfig(), shortTerms()).awaitLeading();
          everyMachineIsErasedOnce();
        });
  }

  @Test
  void a_leader_that_is_cut_off_stops_sending_and_ends_and_another_goes_on() throws Exception {
    play(this::cutOff);
  }

  private void cutOff() throws Exception {
    try (var proxy = new Cable(plane.url().getPort())) {
      Path behind = folder.resolve("behind-proxy.kubeconfig");
      Files.writeString(
          behind,
          Files.readString(cluster.operatorKubeconfig())
              .replace(":" + plane.url().getPort(), ":" + proxy.port()));
      Replica first = new Replica(behind, shortTerms());
      first.awaitLeading();
      cluster.arm(Cluster.TYPE);
      Replica other = standby(shortTerms());
      erasing();

      // Until the first has ended, so that whatever is asked is asked by that one.
      other.freeze();
      assertThat(first.process.isAlive()).as("lives, to be cut off:%n%s", first.log()).isTrue();
      first.isToLose = true;
      proxy.cut();
      Instant cut = Instant.now();
      assertThat(first.awaitEnd()).as(first.log()).isEqualTo(1);
      print("from the cut to the leader's end", cut);
      assertThat(first.log()).contains("it could not be renewed for ");
      nothingWasBegunThatWasNotIntended();

      other.signal("CONT");
      other.isToLose = false;
      other.awaitLeading();
      everyMachineIsErasedOnce();
    }
  }
}
