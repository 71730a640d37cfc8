package dev.andon.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.Options;
import dev.andon.examples.fleet.LogEvent;
import dev.andon.operator.FaultyApiServer.Fault;
import dev.andon.operator.FaultyApiServer.Request;
import dev.andon.operator.ManyJobs.Kind;
import dev.andon.operator.ManyJobs.Run;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/**
 * Several hundred jobs, and between the operator and the API server something that delays, drops,
 * repeats and refuses a good part of all requests, loses answers, and ends watches or lets them lag
 * behind. The operator is a process of its own and holds the lease, which it may not lose for it.
 *
 * <p>On a control plane of its own: {@link ManyJobs} plays the Job controller.
 *
 * <p>{@code -Dandon.disturbance.seed=N} for the disturbances of a run that failed; which request
 * meets which is another matter.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(600)
class DisturbanceIT {
  private static final long SEED =
      Long.getLong("andon.disturbance.seed", ThreadLocalRandom.current().nextInt(1_000_000));

  private static final Map<Kind, Integer> MIX =
      new TreeMap<>(
          Map.of(
              Kind.SEEN, 100,
              Kind.POLLED, 30,
              Kind.BLIND, 10,
              Kind.CONTAINER, 8,
              Kind.TOKEN, 15,
              Kind.SLEEP, 10));

  private static final int IN_RANGE = 60;

  /** Jobs of a block of {@link ManyJobs} that run side by side. */
  private static final int AT_ONCE = 8;

  @TempDir(cleanup = CleanupMode.ON_SUCCESS)
  static Path folder;

  private final Random random = new Random(SEED);
  private final Map<String, Integer> met = new ConcurrentHashMap<>();
  private ControlPlane plane;
  private ManyJobs scene;
  private FaultyApiServer between;
  private final AtomicInteger ends = new AtomicInteger();
  private volatile boolean over;
  private volatile Path log;
  private volatile Process operator;

  @BeforeAll
  void given_an_operator_behind_what_disturbs() throws Exception {
    System.out.printf("DisturbanceIT: -Dandon.disturbance.seed=%d%n", SEED);
    plane = ControlPlane.start(Options.apiServerOnly());
    scene = new ManyJobs(plane, MIX, IN_RANGE, random);
    between = FaultyApiServer.before(scene.cluster.config());
    between.writeKubeconfig(folder.resolve("between.kubeconfig"));
    // Watches last: those that begin now would go on undisturbed.
    between.choose(request -> request.isWatch() ? disturbance(request) : Optional.empty());
    begin();
    scene.cluster.arm(ManyJobs.TYPE);
  }

  private void begin() {
    log = folder.resolve("operator-%d.log".formatted(ends.get()));
    try {
      operator = Cluster.operatorBuilder(folder.resolve("between.kubeconfig"), log).start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    operator.onExit().thenRun(this::ended);
  }

  /**
   * Once it may end for want of a renewal within 10 s, and is started again as by a kubelet: where
   * so much else runs that a machine stands still, that is no fault. More often it is.
   */
  private void ended() {
    if (!over
        && log().contains("it could not be renewed for 10 s")
        && ends.getAndIncrement() == 0) {
      System.out.println("DisturbanceIT: no renewal for 10 s; the operator is started again");
      begin();
    }
  }

  private String log() {
    try {
      return Files.readString(log);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @AfterEach
  void calm() {
    between.calm();
  }

  @AfterAll
  void tear_down() throws Exception {
    over = true;
    try {
      scene.close();
    } finally {
      operator.destroyForcibly().waitFor();
      between.close();
      plane.close();
    }
  }

  /** Of a hundred requests that read eighty pass, of those that write sixty-five. */
  private synchronized Optional<Fault> disturbance(Request request) {
    int draw = random.nextInt(1_000);
    Duration some = Duration.ofMillis(random.nextInt(500));
    Fault fault =
        request.isWatch()
            ? ofAWatch(draw, some)
            : request.isWrite() ? ofAWrite(draw, some) : ofARead(draw, some);
    if (fault != null) {
      String name =
          fault instanceof Fault.Answers answers
              ? String.valueOf(answers.code())
              : fault.getClass().getSimpleName();
      met.merge(name + (request.isWatch() ? " watch" : ""), 1, Integer::sum);
    }
    return Optional.ofNullable(fault);
  }

  private @Nullable Fault ofAWrite(int draw, Duration some) {
    if (draw < 60) {
      return new Fault.Lost();
    } else if (draw < 120) {
      return new Fault.Twice(random.nextBoolean());
    } else if (draw < 170) {
      return new Fault.Dropped();
    } else if (draw < 230) {
      return new Fault.Late(some);
    } else if (draw < 270) {
      return FaultyApiServer.status(409, "Conflict", "no", "{}");
    }
    return refused(draw - 270);
  }

  private static @Nullable Fault ofARead(int draw, Duration some) {
    if (draw < 60) {
      return new Fault.Late(some);
    } else if (draw < 90) {
      return new Fault.Dropped();
    } else if (draw < 120) {
      return new Fault.Lost();
    }
    return refused(draw - 120);
  }

  /** Up to 80 draws. */
  private static @Nullable Fault refused(int draw) {
    if (draw < 25) {
      return new Fault.Answers(429, "text/plain", "too many requests", "Retry-After", "1");
    } else if (draw < 55) {
      return FaultyApiServer.status(500, "InternalError", "etcd", "{}");
    } else if (draw < 80) {
      return new Fault.Answers(503, "text/plain", "overloaded");
    }
    return null;
  }

  /** Not refused while the operator starts: without its first watches it ends, and says so. */
  private Fault ofAWatch(int draw, Duration some) {
    return between.requests().size() < 100
        ? new Fault.CutOff(some.multipliedBy(10).plusSeconds(5))
        : draw < 100
            ? FaultyApiServer.status(500, "InternalError", "etcd", "{}")
            : draw < 200
                ? FaultyApiServer.status(410, "Expired", "too old resource version", "{}")
                : draw < 500
                    ? new Fault.Lagging(some.dividedBy(10))
                    : new Fault.CutOff(some.multipliedBy(10));
  }

  private void isAlive() {
    assertThat(operator.isAlive()).as("the operator:%n%s", log()).isTrue();
  }

  @Test
  void disturbed_all_the_time_every_machine_is_erased_once_and_none_is_missing() throws Exception {
    Instant began = Instant.now();
    Run run = scene.submit();
    between.choose(this::disturbance);

    scene.awaitFinished(run, "-Dandon.disturbance.seed=%d, log %s".formatted(SEED, log));

    scene.judge(run);
    isAlive();
    assertThat(log()).doesNotContain("fault in the operator", "nobody thought of");
    System.out.printf(
        "DisturbanceIT: seed %d: %d jobs in %d s, %d resolved by a person, %d requests of which %d met %s%n",
        SEED,
        run.jobs(),
        Duration.between(began, Instant.now()).toSeconds(),
        scene.resolved(),
        between.requests().size(),
        met.values().stream().mapToInt(n -> n).sum(),
        new TreeMap<>(met));
  }

  @Test
  void a_stop_in_the_middle_of_it_is_the_last_of_the_sends_and_go_resumes_nothing()
      throws Exception {
    try (var intents = new Intents(scene.people)) {
      Run run = scene.submit();
      between.choose(this::disturbance);
      await()
          .atMost(Duration.ofMinutes(2))
          .until(() -> begun(run).size() > 40 || scene.isFinished(run));

      scene.cluster.stop(ManyJobs.TYPE);
      Instant stopped = Instant.now();
      String revision = StopScene.configMap(scene.people).get().getMetadata().getResourceVersion();
      scene.awaitFinished(run, "-Dandon.disturbance.seed=%d, log %s".formatted(SEED, log));

      assertThat(scene.get(run).getStatus().phase()).isEqualTo("Stopped");
      String last = scene.get(run).getMetadata().getResourceVersion();
      await().until(() -> intents.reached(last));
      Set<String> later = intents.newerThan(revision);
      assertThat(scene.door.asked())
          .as("asked of the fleet, and intended after the stop at revision %s", revision)
          .noneMatch(later::contains);
      assertThat(begun(run).stream().filter(e -> e.time().isAfter(stopped)))
          .as("erases begun after the stop: at most those that had a permit already")
          .hasSizeLessThanOrEqualTo(AT_ONCE);
      assertThat(begun(run)).extracting(LogEvent::machine).doesNotHaveDuplicates();
      assertThat(begun(run)).hasSizeLessThan(run.jobs() - 50);

      int asked = scene.door.asked().size();
      scene.cluster.arm(ManyJobs.TYPE);
      // Another one starts and ends: the operator has seen the go, and what it lets go on goes on.
      anotherOneRuns();
      assertThat(scene.door.asked()).hasSize(asked);
      assertThat(scene.get(run).getStatus().phase()).isEqualTo("Stopped");
      isAlive();
    }
  }

  private void anotherOneRuns() {
    scene.cluster.apply(
        """
        apiVersion: andon.dev/v1alpha1
        kind: Workflow
        metadata: {name: another, namespace: %s}
        spec:
          type: %s
          blocks: [{name: one, jobs: [{name: nap, type: sleep, args: {seconds: "0"}}]}]
        """
            .formatted(scene.namespace, ManyJobs.TYPE));
    await()
        .atMost(Duration.ofMinutes(2))
        .until(() -> scene.cluster.reason(scene.namespace, "another"), "Complete"::equals);
  }

  /** Whether the API server would refuse a Job is tried, and none must come of it. */
  @Test
  void what_the_operator_only_tries_is_a_dry_run() {
    await().until(() -> !tried().isEmpty());

    assertThat(tried()).allSatisfy(job -> assertThat(job.query()).contains("dryRun=All"));
    assertThat(scene.people.batch().v1().jobs().inNamespace("andon-system").list().getItems())
        .isEmpty();
  }

  private List<Request> tried() {
    return between.requests().stream()
        .filter(r -> r.method().equals("POST") && r.path().endsWith("/jobs"))
        .filter(r -> !r.path().contains("/" + scene.namespace + "/"))
        .toList();
  }

  private static List<LogEvent> begun(Run run) {
    return run.fleet.log().stream().filter(e -> e.event() == LogEvent.Kind.ERASE_BEGAN).toList();
  }
}
