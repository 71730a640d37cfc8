package dev.andon.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.WorkflowRecord;
import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.Options;
import dev.andon.operator.FaultyApiServer.Fault;
import dev.andon.operator.FaultyApiServer.Request;
import dev.andon.operator.ManyJobs.Kind;
import dev.andon.operator.ManyJobs.Run;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiPredicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two operators, one that acts and one that stands by, and somebody who kills them, again and
 * again: at any time, and at the very moments between two steps of a protocol. Each is behind a
 * door of its own to the API server, and all are behind one to the fleet; that is where the moments
 * are found.
 *
 * <p>On a control plane of its own: it plays the Job controller itself.
 *
 * <p>{@code -Dandon.crash.kills=300} for more kills than the few that a build has time for, {@code
 * -Dandon.crash.seed=N} for the kills of a run that failed. The same seed chooses the same moments;
 * what two threads make of them is another matter.
 */
@Timeout(value = 90, unit = TimeUnit.MINUTES)
class CrashIT {
  private static final int KILLS = Integer.getInteger("andon.crash.kills", 12);
  private static final long SEED =
      Long.getLong("andon.crash.seed", ThreadLocalRandom.current().nextInt(1_000_000));

  private static final Map<Kind, Integer> MIX =
      new TreeMap<>(
          Map.of(
              Kind.SEEN,
              90,
              Kind.POLLED,
              25,
              Kind.BLIND,
              12,
              Kind.CONTAINER,
              10,
              Kind.TOKEN,
              12,
              Kind.SLEEP,
              11));

  private static final int IN_RANGE = 80;

  /** What an operator says that the API server did not answer within 10 s. */
  private static final List<String> STARVED =
      List.of("it could not be renewed for 10 s", "Couldn't start informer for");

  /** For a moment that may not come: then they are killed at any. */
  private static final Duration AIMED_FOR = Duration.ofSeconds(15);

  /** What is cut in two. */
  private enum Step {
    STATUS((request, leads) -> request.isWorkflowStatusWrite()),
    GATE((request, leads) -> request.isGateRead() && leads),
    TOKEN((request, leads) -> request.writes("tokenbuckets")),
    JOB((request, leads) -> request.writes("jobs") && !request.query().contains("dryRun")),
    ACTION((request, leads) -> request.writes("workflowactions")),
    RECORD((request, leads) -> request.writes("workflowrecords")),
    FINALIZER((request, leads) -> request.writes("workflows") && !request.isWorkflowStatusWrite()),
    LEASE((request, leads) -> request.writes("leases")),
    /** A request to the fleet. */
    SEND((request, leads) -> false);

    private final BiPredicate<Request, Boolean> is;

    Step(BiPredicate<Request, Boolean> is) {
      this.is = is;
    }
  }

  /** Where in it. */
  private enum Cut {
    /** The request never arrives. */
    BEFORE,
    /** The request arrives when who made it is dead. */
    WHILE,
    /** It is carried out, and the answer never arrives. */
    AFTER
  }

  /** Sends and statuses come first: what is between them must never be guessed. */
  private static final List<Step> USUAL =
      List.of(
          Step.SEND,
          Step.SEND,
          Step.SEND,
          Step.SEND,
          Step.STATUS,
          Step.STATUS,
          Step.STATUS,
          Step.TOKEN,
          Step.JOB,
          Step.GATE,
          Step.ACTION,
          Step.LEASE);

  /** Those of which a workflow has few, in turn at its beginning. */
  private static final List<Step> AT_THE_BEGINNING =
      List.of(Step.RECORD, Step.FINALIZER, Step.STATUS);

  @TempDir(cleanup = org.junit.jupiter.api.io.CleanupMode.ON_SUCCESS)
  Path folder;

  private final Random random = new Random(SEED);
  private final List<Seat> seats = new ArrayList<>();
  private final Set<String> dead = ConcurrentHashMap.newKeySet();
  private final Map<String, Integer> killed = new TreeMap<>();
  private final AtomicInteger leader = new AtomicInteger(-1);
  private final AtomicBoolean over = new AtomicBoolean();
  private ControlPlane plane;
  private ManyJobs scene;
  private Thread undertaker;
  private final AtomicInteger started = new AtomicInteger();

  /** A place for an operator, with its own way to the API server. */
  private final class Seat {
    final int number = seats.size();
    final FaultyApiServer way;
    final Path kubeconfig = folder.resolve("seat-" + number + ".kubeconfig");
    volatile @Nullable Process process;
    volatile String name = "";
    private Path log = folder;

    Seat() throws Exception {
      way = FaultyApiServer.before(scene.cluster.config());
      way.writeKubeconfig(kubeconfig);
    }

    synchronized void fill() {
      name = "operator-" + started.incrementAndGet();
      log = folder.resolve(name + ".log");
      // The usual terms, so that none is starved; but a lease that is free is taken soon.
      ProcessBuilder builder = Cluster.operatorBuilder(kubeconfig, log, "--retry-period=500ms");
      builder.environment().put("HOSTNAME", name);
      try {
        process = builder.start();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    /** SIGKILL. */
    synchronized void kill() {
      Process now = process;
      if (now == null || isStarved()) {
        return;
      }
      assertThat(now.isAlive()).as("%s ended by itself:%n%s", name, log()).isTrue();
      try {
        now.destroyForcibly().waitFor();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      dead.add(name);
    }

    synchronized void refillIfDead() {
      if (dead.contains(name) || isStarved()) {
        dead.add(name);
        fill();
      }
    }

    /**
     * Whether it got no renewal, or no first list, through within 10 s and ended as it should:
     * where so much else runs that a machine stands still, which is told, and no fault.
     */
    synchronized boolean isStarved() {
      return process != null && !process.isAlive() && STARVED.stream().anyMatch(log()::contains);
    }

    String log() {
      try {
        return Files.readString(log);
      } catch (IOException e) {
        return "no log: " + e;
      }
    }
  }

  @BeforeEach
  void given_two_operators() throws Exception {
    System.out.printf("CrashIT: -Dandon.crash.seed=%d -Dandon.crash.kills=%d%n", SEED, KILLS);
    plane = ControlPlane.start(Options.apiServerOnly());
    scene = new ManyJobs(plane, MIX, IN_RANGE, random);
    for (int i = 0; i < 2; i++) {
      Seat seat = new Seat();
      seats.add(seat);
      seat.way.choose(request -> noticeLeader(seat, request));
      seat.fill();
    }
    undertaker = Thread.ofPlatform().daemon().start(this::freeTheLeasesOfTheDead);
    scene.cluster.arm(ManyJobs.TYPE);
  }

  @AfterEach
  void tear_down() throws Exception {
    over.set(true);
    try {
      undertaker.join();
      scene.close();
    } finally {
      for (Seat seat : seats) {
        if (seat.process != null) {
          seat.process.destroyForcibly().waitFor();
        }
        seat.way.close();
      }
      plane.close();
    }
  }

  private Optional<Fault> noticeLeader(Seat seat, Request request) {
    if (request.isWrite() && !Step.LEASE.is.test(request, true)) {
      leader.set(seat.number);
    }
    return Optional.empty();
  }

  /**
   * In place of the 15 s after which the next one takes the lease of a dead one: it is given back
   * in its name, as one that is told to end does. The 15 s are {@code LeadershipIT}'s.
   */
  private void freeTheLeasesOfTheDead() {
    while (!over.get()) {
      rest(Duration.ofMillis(50));
      seats.stream().filter(Seat::isStarved).forEach(Seat::refillIfDead);
      try {
        var leases = scene.people.leases().inNamespace("andon-system").withName("andon-operator");
        Lease lease = leases.get();
        String holder = lease == null ? null : lease.getSpec().getHolderIdentity();
        if (holder != null && dead.contains(holder.substring(0, holder.lastIndexOf('_')))) {
          scene
              .people
              .resource(
                  new LeaseBuilder(lease)
                      .editSpec()
                      .withHolderIdentity(null)
                      .withLeaseDurationSeconds(1)
                      .withRenewTime(Instant.now().atZone(ZoneOffset.UTC))
                      .endSpec()
                      .build())
              .lockResourceVersion()
              .update();
        }
      } catch (KubernetesClientException e) {
        // Written by another meanwhile; looked at again.
      }
    }
  }

  private static void rest(Duration time) {
    try {
      new CountDownLatch(1).await(time.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** A kill at a certain moment, and only one. */
  private final class Shot implements AutoCloseable {
    private final AtomicInteger nth;
    private final AtomicBoolean spent = new AtomicBoolean();
    private final CountDownLatch hit = new CountDownLatch(1);
    private final List<FaultyApiServer.Rule> rules = new ArrayList<>();

    Shot(Step step, Cut cut, int nth) {
      this.nth = new AtomicInteger(nth);
      for (Seat seat : seats) {
        rules.add(
            seat.way.choose(
                request -> {
                  noticeLeader(seat, request);
                  return step.is.test(request, leader.get() == seat.number)
                          && this.nth.decrementAndGet() == 0
                      ? Optional.of(around(seat, cut))
                      : Optional.empty();
                }));
      }
      if (step == Step.SEND) {
        scene.door.around(
            () ->
                this.nth.decrementAndGet() == 0
                    ? around(seats.get(leader.get()), cut)
                    : new Fault.Around(() -> true, () -> {}));
      }
    }

    private Fault.Around around(Seat seat, Cut cut) {
      return new Fault.Around(
          () -> {
            if (cut != Cut.AFTER) {
              fire(seat);
            }
            return cut != Cut.BEFORE;
          },
          () -> {
            if (cut == Cut.AFTER) {
              fire(seat);
            }
          });
    }

    private void fire(Seat seat) {
      if (spent.compareAndSet(false, true)) {
        try {
          seat.kill();
        } finally {
          hit.countDown();
        }
      }
    }

    /** Whether somebody was killed before that time was over, or the workflow. */
    boolean await(Duration atMost, Run run) {
      Instant end = Instant.now().plus(atMost);
      try {
        while (!hit.await(100, TimeUnit.MILLISECONDS)) {
          if (Instant.now().isAfter(end) || scene.isFinished(run)) {
            // From here on nobody is killed by it; who is about to be, was.
            if (spent.compareAndSet(false, true)) {
              return false;
            }
            hit.await();
            return true;
          }
        }
        return true;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException(e);
      }
    }

    @Override
    public void close() {
      rules.forEach(FaultyApiServer.Rule::close);
      scene.door.calm();
    }
  }

  @Test
  void killed_at_any_moment_every_machine_is_erased_once_and_none_is_missing() throws Exception {
    Instant began = Instant.now();
    try {
      Run run = null;
      for (int kill = 1; kill <= KILLS; ) {
        boolean first = run == null || scene.isFinished(run);
        if (first) {
          run = scene.submit();
        }
        if (first && random.nextInt(4) > 0) {
          Step step = AT_THE_BEGINNING.get(scene.workflows() % AT_THE_BEGINNING.size());
          kill += aimed(step, 1, run);
        } else {
          switch (random.nextInt(8)) {
            case 0 -> kill += anyTime("leader", List.of(Math.max(0, leader.get())), 1_500);
            case 1 -> kill += anyTime("standby", List.of(1 - Math.max(0, leader.get())), 4_000);
            case 2 -> kill += kill < KILLS ? anyTime("both", List.of(0, 1), 1_500) : 0;
            default -> {
              Step step = USUAL.get(random.nextInt(USUAL.size()));
              int nth =
                  step == Step.SEND || step == Step.STATUS
                      ? 1 + random.nextInt(12)
                      : 1 + random.nextInt(2);
              kill += aimed(step, nth, run);
            }
          }
        }
      }
      scene.awaitFinished(run, "after the last kill");

      scene.everythingWasDoneOnceAndNothingIsMissing();
      for (Seat seat : seats) {
        assertThat(seat.process.isAlive() || seat.isStarved())
            .as("%s lives:%n%s", seat.name, seat.log())
            .isTrue();
      }
      nobodyMetAFault();
    } catch (Exception | AssertionError e) {
      throw new AssertionError(
          "-Dandon.crash.seed=%d -Dandon.crash.kills=%d, after %s; the last operators said:%n%s"
              .formatted(
                  SEED,
                  KILLS,
                  killed,
                  seats.stream().map(Seat::log).collect(Collectors.joining("\n---\n"))),
          e);
    }
    int kills = killed.values().stream().mapToInt(n -> n).sum();
    System.out.printf(
        "CrashIT: seed %d: %d kills (and %d ended, starved) in %d s, %d workflows of %d jobs in all, %d resolved by a person, %d records: %s%n",
        SEED,
        kills,
        started.get() - seats.size() - kills,
        Duration.between(began, Instant.now()).toSeconds(),
        scene.workflows(),
        scene.jobs(),
        scene.resolved(),
        scene.people.resources(WorkflowRecord.class).list().getItems().size(),
        killed);
  }

  /** How many were killed: 1, or 0 if the workflow ended before. */
  private int aimed(Step step, int nth, Run run) {
    Cut cut = Cut.values()[random.nextInt(Cut.values().length)];
    boolean hit;
    try (var shot = new Shot(step, cut, nth)) {
      hit = shot.await(AIMED_FOR, run);
    }
    if (!hit && scene.isFinished(run)) {
      return 0;
    }
    if (!hit) {
      return anyTime("leader", List.of(Math.max(0, leader.get())), 1);
    }
    count((cut + " " + step).toLowerCase(java.util.Locale.ROOT));
    refill();
    return 1;
  }

  private int anyTime(String who, List<Integer> numbers, int withinMillis) {
    rest(Duration.ofMillis(random.nextInt(withinMillis)));
    numbers.forEach(number -> seats.get(number).kill());
    numbers.forEach(number -> count("any time, " + who));
    refill();
    return numbers.size();
  }

  private void refill() {
    seats.forEach(Seat::refillIfDead);
  }

  private void count(String what) {
    killed.merge(what, 1, Integer::sum);
  }

  private void nobodyMetAFault() {
    IntStream.rangeClosed(1, started.get())
        .mapToObj(i -> folder.resolve("operator-" + i + ".log"))
        .filter(Files::exists)
        .forEach(
            log -> {
              try {
                assertThat(Files.readString(log))
                    .as(log.toString())
                    .doesNotContain("fault in the operator", "CorruptStatus", "nobody thought of");
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
  }
}
