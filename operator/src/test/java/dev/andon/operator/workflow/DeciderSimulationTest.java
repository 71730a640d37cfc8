package dev.andon.operator.workflow;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.WorkflowSpec;
import dev.andon.crds.WorkflowSpec.Batch;
import dev.andon.crds.WorkflowSpec.Block;
import dev.andon.crds.WorkflowStatus;
import dev.andon.crds.WorkflowStatus.Active;
import dev.andon.crds.WorkflowStatus.PinnedJobType;
import dev.andon.crds.WorkflowStatus.StoppedBy;
import dev.andon.operator.execution.Attempt;
import dev.andon.operator.execution.Attempt.Work;
import dev.andon.operator.execution.AttemptKey;
import dev.andon.operator.execution.Outcome;
import dev.andon.operator.stop.StopView;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Runs workflows through random events: outcomes, duplicates, lost updates, conflicts, restarts,
 * stops that are seen and stops that are not, pauses, deadlines, job types and policies that
 * change, limits, deletion. A target outside does what it is sent, once a key. What must never
 * happen is asserted after every decision; the seed of a failure is in its message.
 */
class DeciderSimulationTest {
  private static final int RUNS = 70;
  private static final int STEPS = 400;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void nothing_twice_nothing_lost_and_nothing_after_a_stop(long seed) {
    for (int run = 0; run < RUNS; run++) {
      long of = seed * 1_000_003L + run;
      try {
        new Simulation(new SplittableRandom(of)).run();
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError("seed " + of + ": " + e.getMessage(), e);
      }
    }
  }

  private static final class Simulation {
    private final SplittableRandom random;
    private final Scene scene;

    /** What the target outside did, by key: it does a key once. */
    private final Map<AttemptKey, Boolean> done = new HashMap<>();

    /** Known outcomes that reached a status, by job. */
    private final Map<String, Integer> failedAttempt = new HashMap<>();

    private final Set<AttemptKey> told = new HashSet<>();
    private int starts;
    private int generation = 1;
    private int revision = 20;
    private boolean gone;
    private boolean stoppedSinceItStarted;

    /** Attempts whose latest send was not held back by the gate. */
    private final Set<AttemptKey> mayHaveArrived = new HashSet<>();

    /** Attempts that this process was told to cancel. */
    private final Set<AttemptKey> askedToEnd = new HashSet<>();

    /** Actions that a status which was written told of. */
    private final Set<String> judged = new HashSet<>();

    private boolean pausedByAction;

    private @Nullable Instant wakeUp;

    Simulation(SplittableRandom random) {
      this.random = random;
      this.scene = new Scene(blocks());
      if (random.nextInt(4) == 0) {
        scene.spec =
            with(scene.spec, random.nextInt(3) == 0 ? "Manual" : null, 30 + random.nextInt(600));
      } else if (random.nextInt(6) == 0) {
        scene.spec = with(scene.spec, "Manual", null);
      }
    }

    private Block[] blocks() {
      int n = 1 + random.nextInt(3);
      var blocks = new ArrayList<Block>();
      for (int i = 0; i < n; i++) {
        String type = random.nextBoolean() ? Scene.CALL : Scene.ONCE;
        int jobs = 1 + random.nextInt(12);
        int concurrency = 1 + random.nextInt(5);
        Batch batch =
            random.nextInt(3) == 0
                ? new Batch(1 + random.nextInt(4), random.nextInt(3) * 10)
                : null;
        String budget = random.nextInt(2) == 0 ? null : random.nextInt(101) + "%";
        blocks.add(
            random.nextInt(5) == 0
                ? Scene.block("b" + i, concurrency, Scene.sleep("s", "1.5"), Scene.sleep("t", "0"))
                : Scene.range("b" + i, concurrency, jobs, type, batch, budget));
      }
      return blocks.toArray(Block[]::new);
    }

    private static WorkflowSpec with(WorkflowSpec s, String start, Integer deadline) {
      return new WorkflowSpec(
          s.type(), null, null, start, null, deadline, null, null, null, null, s.blocks());
    }

    void run() {
      boolean faults = random.nextInt(4) != 0;
      if (random.nextInt(8) == 0) {
        // A start was not written, and a stop came and went since.
        scene.latched = stopped().by();
      }
      for (int i = 0; i < STEPS && !finished() && !isLeftToAPerson(); i++) {
        people();
        if (faults && random.nextInt(12) == 0) {
          fault();
        }
        world();
        decide(faults);
      }
      calm();
    }

    private boolean isLeftToAPerson() {
      return started() && waitsForAPerson() && random.nextInt(8) == 0;
    }

    /** They ask for this and that, and are told what became of it, or not yet. */
    private void people() {
      tellSome();
      if (random.nextInt(20) == 0 && scene.asked.size() < 4) {
        switch (random.nextInt(8)) {
          case 0, 1 -> scene.ask("Pause");
          case 2, 3 -> scene.ask("Resume");
          case 4 -> scene.ask("Start");
          case 5 -> {
            if (random.nextInt(6) == 0) {
              scene.ask("Cancel");
            }
          }
          default -> resolveOne();
        }
      }
    }

    private void tellSome() {
      for (PendingAction action : List.copyOf(scene.asked)) {
        if (judged.contains(action.uid()) && random.nextInt(3) == 0) {
          scene.tell(action);
        }
      }
    }

    /** Whoever looks finds out what became of a job. */
    private void resolveOne() {
      if (scene.status == null) {
        return;
      }
      for (var block : scene.status.blocks()) {
        var unknown = dev.andon.plan.IndexSet.parse(block.unknown()).orElseThrow();
        int index = unknown.length() - 1;
        boolean asked =
            scene.asked.stream()
                .anyMatch(a -> block.name().equals(a.spec().block()) && !judged.contains(a.uid()));
        if (index >= 0 && !asked) {
          boolean did = done.containsKey(Scene.key(block.name(), index, attempt(block, index)));
          String known = random.nextBoolean() ? "Failed" : "Retry";
          scene.ask("Resolve", block.name(), index, did ? "Succeeded" : known);
          return;
        }
      }
    }

    private static int attempt(WorkflowStatus.BlockStatus block, int index) {
      return block.unknownAttempts().stream()
          .filter(a -> dev.andon.plan.IndexSet.parse(a.indexes()).orElseThrow().contains(index))
          .map(WorkflowStatus.UnknownAttempts::attempt)
          .findFirst()
          .orElse(1);
    }

    /**
     * No more faults, and people who help: what is not finished must come to an end. It is looked
     * at when something ended, or when it said it is to be looked at, and at no other time.
     */
    private void calm() {
      scene.stop = new StopView.Open("cm-1", "", "1000000");
      pause(false);
      changeJobTypes(1L);
      scene.policies.clear();
      scene.policies.addAll(new Scene().policies);
      scene.pace.clear();
      for (int i = 0; i < 3_000 && !finished(); i++) {
        help();
        decide(false);
        if (scene.outcomes.isEmpty() && wakeUp != null && random.nextBoolean()) {
          scene.now = wakeUp;
        }
        someEnd();
      }
      assertThat(finished()).as("stuck: %s", scene.status).isTrue();
      if (!gone && "Complete".equals(scene.status.phase()) && scene.status.jobs().failed() == 0) {
        assertThat(scene.status.jobs().succeeded()).isEqualTo(scene.status.jobs().total());
      }
    }

    private void help() {
      tellSome();
      if (scene.status == null || !scene.asked.isEmpty()) {
        return;
      }
      switch (scene.condition("Ready").replaceFirst(".*/", "")) {
        case "Paused", "JobTypeChanged" -> scene.ask("Resume");
        case "StartRequired" -> scene.ask("Start");
        case "UnknownOutcome" -> resolveOne();
        default -> {}
      }
    }

    private boolean finished() {
      return gone
          || scene.status != null
              && Conditions.isTrue(scene.status.conditions(), Conditions.FINISHED);
    }

    private boolean waitsForAPerson() {
      return scene.condition("Ready").endsWith("/UnknownOutcome") && scene.underWay.isEmpty();
    }

    private boolean started() {
      return scene.status != null && scene.status.startTime() != null;
    }

    private void fault() {
      switch (random.nextInt(12)) {
        case 0 -> {
          restart();
          if (random.nextBoolean()) {
            // No operator for a while.
            scene.after(random.nextInt(1_000));
          }
          if (random.nextInt(3) == 0) {
            scene.stop = stopped();
          }
        }
        case 1 -> scene.stop = stopped();
        case 2 -> scene.stop = Scene.NOT_VISIBLE;
        case 3 -> scene.stop = new StopView.Open("cm-1", "", "" + revision++);
        case 4 -> pause(random.nextBoolean());
        case 5 -> changeJobTypes(1L + random.nextInt(2));
        case 6 -> {
          if (random.nextBoolean()) {
            scene.policies.clear();
          } else {
            scene.policies.addAll(new Scene().policies);
          }
        }
        case 7 ->
            scene.pace.put(
                Scene.CALL, new Snapshot.Pace(random.nextInt(3), scene.now.plusSeconds(7), null));
        case 8 ->
            scene.pace.put(
                Scene.CALL,
                new Snapshot.Pace(999, null, scene.now.plusSeconds(random.nextInt(40))));
        case 9 -> {
          if (scene.deleted == null && random.nextInt(4) == 0) {
            scene.deleted = scene.now;
            scene.generation = ++generation;
          }
        }
        // Somebody sets the wall clock.
        case 10 -> scene.now = scene.now.plusSeconds(random.nextInt(20_000) - 10_000);
        default -> scene.after(random.nextInt(100));
      }
      stoppedSinceItStarted |= scene.stop instanceof StopView.Stopped && started();
      // A workflow that has not started may be enrolled: its start was not written.
      boolean enrolled = started() || random.nextInt(4) == 0;
      if (scene.stop instanceof StopView.Stopped s && enrolled && !finished()) {
        scene.latched = s.by();
        if (random.nextInt(3) == 0) {
          // Over before anybody looked.
          scene.stop = new StopView.Open("cm-1", "", "" + revision++);
        }
      }
    }

    private StopView.Stopped stopped() {
      return new StopView.Stopped(
          new StoppedBy(Scene.TYPE, "stop", "" + revision++, "kubectl", null));
    }

    private void changeJobTypes(long generation) {
      scene.versions.replaceAll(
          (name, version) -> new PinnedJobType(name, version.uid(), generation));
    }

    private void pause(boolean paused) {
      WorkflowSpec s = scene.spec;
      scene.spec =
          new WorkflowSpec(
              s.type(),
              null,
              null,
              s.start(),
              null,
              s.activeDeadlineSeconds(),
              paused,
              null,
              null,
              null,
              s.blocks());
      scene.generation = ++generation;
    }

    /** Time goes on, and some of what is under way ends. */
    private void world() {
      scene.now = scene.now.plusMillis(random.nextInt(4_000));
      someEnd();
    }

    private void someEnd() {
      for (AttemptKey key : List.copyOf(scene.underWay)) {
        if (random.nextInt(3) == 0) {
          scene.outcome(key, outcome(key));
        }
      }
    }

    private Outcome outcome(AttemptKey key) {
      boolean did = done.containsKey(key);
      return switch (random.nextInt(10)) {
        case 0 -> did ? new Outcome.Succeeded() : new Outcome.Failed("HttpStatus", "500");
        case 1 -> {
          if (mayHaveArrived.contains(key)) {
            yield did ? new Outcome.Succeeded() : new Outcome.Unknown("nobody knows", true);
          }
          yield new Outcome.NotBegun("StopUnknown", "", scene.now.plusSeconds(1));
        }
        case 2 -> {
          if (random.nextBoolean()) {
            done.put(key, true);
          }
          yield new Outcome.Unknown("connection dropped", true);
        }
        case 3 -> new Outcome.Accepted("http://127.0.0.1:1/operations/" + key.index());
        default -> {
          done.put(key, true);
          yield new Outcome.Succeeded();
        }
      };
    }

    private void decide(boolean faults) {
      // A limiter has sends again once their time has come.
      scene.pace.values().removeIf(p -> p.nextSend() != null && !p.nextSend().isAfter(scene.now));
      Snapshot snapshot = scene.snapshot();
      WorkflowStatus before = scene.status;
      Decision decision = scene.decider.decide(snapshot);
      assertThat(scene.decider.decide(snapshot)).as("pure").isEqualTo(decision);
      nothingIsGivenUpUnasked(before, decision);
      if (decision.status() == null) {
        assertThat(scene.deleted).as("only what is deleted goes").isNotNull();
        assertThat(decision.begin()).isEmpty();
        gone = true;
        return;
      }
      check(before, decision);
      wakeUp = decision.wakeUp();

      int fate = faults ? random.nextInt(20) : 5;
      if (fate == 0) {
        return; // a conflict, or the write was lost: nothing is begun, outcomes are kept
      }
      if (fate == 1) {
        // Written, and the process dies before it begins anything.
        note(decision);
        scene.status = decision.status();
        scene.throughJson();
        restart();
        return;
      }
      note(decision);
      decision.begin().forEach(this::arrives);
      scene.carryOut(decision);
      scene.throughJson();
      scene.pace.computeIfPresent(
          Scene.CALL,
          (type, p) ->
              new Snapshot.Pace(
                  p.sendsLeft() - sends(decision), p.nextSend(), p.circuitOpenUntil()));
      settled();
      if (!decision.started()) {
        scene.latched = null;
      }
      if (fate == 3) {
        // The answer to the write was lost: what it told of is still there to be told.
        scene.outcomes.putAll(decision.settled());
      }
      if (decision.cancel()) {
        askedToEnd.addAll(scene.underWay);
        for (AttemptKey key : List.copyOf(scene.underWay)) {
          if (random.nextBoolean()) {
            scene.outcome(
                key, done.containsKey(key) ? new Outcome.Succeeded() : new Outcome.Cancelled());
          }
        }
      }
      if (fate == 2) {
        restart();
      }
    }

    private void restart() {
      scene.restart();
      askedToEnd.clear();
    }

    /** With nothing new in the world there is nothing new to say: or it would be said for ever. */
    private void settled() {
      Decision again = scene.decider.decide(scene.snapshot());
      if (again.status() != null) {
        assertThat(again.begin()).as("nothing more to begin").isEmpty();
        assertThat(Scene.json(again.status()))
            .as("the status says the same again")
            .isEqualTo(Scene.json(scene.status));
      }
    }

    /** A send may reach the target at once, whatever becomes of the answer. */
    private void arrives(Attempt attempt) {
      boolean arrived = random.nextInt(3) == 0;
      if (attempt.work() instanceof Work.Send && arrived) {
        done.put(attempt.key(), true);
      }
      if (attempt.work() instanceof Work.Send && !arrived) {
        mayHaveArrived.remove(attempt.key());
      } else {
        mayHaveArrived.add(attempt.key());
      }
    }

    /** What a status that was written says of outcomes is known for good. */
    private void note(Decision decision) {
      noteActions(decision.status());
      starts = decision.status().starts();
      decision
          .settled()
          .forEach(
              (key, outcome) -> {
                if (outcome instanceof Outcome.Failed) {
                  failedAttempt.merge(key.block() + "/" + key.index(), key.attempt(), Math::max);
                }
                if (outcome instanceof Outcome.Succeeded) {
                  told.add(key);
                }
              });
    }

    private void noteActions(WorkflowStatus next) {
      for (WorkflowStatus.Action action : next.actions()) {
        boolean known =
            scene.status != null
                && scene.status.actions().stream().anyMatch(a -> action.uid().equals(a.uid()));
        if (known) {
          continue;
        }
        assertThat(judged.add(action.uid())).as("%s is judged once", action).isTrue();
        PendingAction asked =
            scene.asked.stream()
                .filter(a -> a.uid().equals(action.uid()))
                .findFirst()
                .orElseThrow();
        if (action.phase().equals("Applied")) {
          switch (action.verb()) {
            case "Pause" -> pausedByAction = true;
            case "Resume" -> pausedByAction = false;
            case "Resolve" -> resolved(asked);
            default -> {}
          }
        }
      }
      assertThat(next.paused() != null).as("paused by the last word").isEqualTo(pausedByAction);
    }

    /** Attempts that a person declares in this decision not to have done the job, by job. */
    private Map<String, Integer> declaredOver(
        @Nullable WorkflowStatus before, WorkflowStatus next) {
      Map<String, Integer> declared = new HashMap<>();
      for (PendingAction asked : scene.asked) {
        boolean now =
            !judged.contains(asked.uid())
                && next.actions().stream()
                    .anyMatch(a -> asked.uid().equals(a.uid()) && "Applied".equals(a.phase()));
        if (now && "Retry".equals(asked.spec().outcome()) && before != null) {
          String block = asked.spec().block();
          int index = asked.spec().index();
          before.blocks().stream()
              .filter(b -> block.equals(b.name()))
              .forEach(b -> declared.put(block + "/" + index, attempt(b, index)));
        }
      }
      return declared;
    }

    private void resolved(PendingAction asked) {
      String block = asked.spec().block();
      int index = asked.spec().index();
      var was =
          scene.status.blocks().stream()
              .filter(b -> block.equals(b.name()))
              .findFirst()
              .orElseThrow();
      var key = Scene.key(block, index, attempt(was, index));
      switch (asked.spec().outcome()) {
        case "Succeeded" -> told.add(key);
        default -> failedAttempt.merge(block + "/" + index, key.attempt(), Math::max);
      }
    }

    private void check(WorkflowStatus before, Decision decision) {
      WorkflowStatus next = decision.status();
      assertThat(Progress.read(next, snapshotPlan())).isInstanceOf(Progress.Reading.Sound.class);
      assertThat(next.starts()).as("starts never falls").isGreaterThanOrEqualTo(starts);
      boolean over = Conditions.isTrue(next.conditions(), Conditions.FINISHED);
      assertThat(decision.wakeUp() == null).as("wake-up iff not finished").isEqualTo(over);
      if (!over) {
        assertThat(decision.wakeUp()).as("no spinning").isAfter(scene.now);
      }
      if (over) {
        assertThat(next.active()).as("nothing is under way when it is over").isEmpty();
        done.keySet().forEach(key -> known(key, next));
      }
      if (next.stoppedBy() != null) {
        assertThat(stoppedSinceItStarted)
            .as("a stop from before the start is not its own")
            .isTrue();
      }
      boolean mayStart =
          scene.stop instanceof StopView.Open
              && scene.latched == null
              && scene.deleted == null
              && next.jobTypes().stream()
                  .allMatch(type -> type.equals(scene.versions.get(type.name())));
      paced(decision);
      Map<String, Integer> declared = declaredOver(before, next);
      for (Attempt attempt : decision.begin()) {
        if (attempt.work() instanceof Work.Send) {
          assertThat(mayStart).as("no send without go").isTrue();
          assertThat(scene.policies.isEmpty() && isNew(before, attempt.key().block()))
              .as("no block is begun against policy")
              .isFalse();
          assertThat(scene.spec.isPaused() || next.paused() != null)
              .as("no send while paused")
              .isFalse();
          neverTwice(attempt.key(), declared);
        }
      }
      int slots =
          next.blocks().isEmpty()
              ? 1
              : snapshotPlan().blocks().get(next.blocks().size() - 1).concurrency();
      assertThat(next.active()).as("concurrency").hasSizeLessThanOrEqualTo(slots);
      if (before != null && before.stoppedBy() != null) {
        assertThat(next.stoppedBy()).as("a stop is for good").isEqualTo(before.stoppedBy());
        assertThat(next.phase()).isIn("Stopping", "Stopped");
        assertThat(next.starts()).isEqualTo(before.starts());
      }
      if (before != null) {
        endedJobsStayEnded(before, next);
      }
    }

    private static int sends(Decision decision) {
      return (int)
          decision.begin().stream()
              .filter(a -> a.work() instanceof Work.Send && a.jobType().equals(Scene.CALL))
              .count();
    }

    private void paced(Decision decision) {
      Snapshot.Pace pace = scene.pace.getOrDefault(Scene.CALL, Snapshot.Pace.UNLIMITED);
      boolean open = pace.circuitOpenUntil() != null && pace.circuitOpenUntil().isAfter(scene.now);
      assertThat(sends(decision))
          .as("no faster than the pace")
          .isLessThanOrEqualTo(open ? 0 : pace.sendsLeft());
    }

    private static boolean isNew(@Nullable WorkflowStatus before, String block) {
      return before == null || before.blocks().stream().noneMatch(b -> block.equals(b.name()));
    }

    private dev.andon.plan.Plan snapshotPlan() {
      return dev.andon.plan.Plan.of(scene.spec);
    }

    /** What may go on outside is asked to end before it is called unknown. */
    private void nothingIsGivenUpUnasked(@Nullable WorkflowStatus before, Decision decision) {
      for (Active was : before == null ? List.<Active>of() : before.active()) {
        var key = Scene.key(was.block(), was.index(), was.attempt());
        boolean goesOn =
            decision.status() != null
                && decision.status().active().stream()
                    .anyMatch(a -> key.equals(Scene.key(a.block(), a.index(), a.attempt())));
        boolean sleeps = was.block() != null && "sleep".equals(typeOf(was));
        boolean changed =
            before.jobTypes().stream()
                .anyMatch(type -> !type.equals(scene.versions.get(type.name())));
        if (was.nextAttemptTime() == null
            && !goesOn
            && !sleeps
            && !changed
            && !decision.settled().containsKey(key)) {
          assertThat(askedToEnd).as("asked to end").contains(key);
        }
      }
    }

    private String typeOf(Active attempt) {
      return snapshotPlan().block(attempt.block()).orElseThrow().typeOf(attempt.index());
    }

    /** What the target did is told as done, or as unknown: never as not begun. */
    private static void known(AttemptKey key, WorkflowStatus status) {
      var block =
          status.blocks().stream()
              .filter(b -> key.block().equals(b.name()))
              .findFirst()
              .orElseThrow();
      var told =
          Stream.of(block.succeeded(), block.unknown())
              .map(set -> dev.andon.plan.IndexSet.parse(set).orElseThrow())
              .anyMatch(set -> set.contains(key.index()));
      assertThat(told).as("%s was done, and is neither succeeded nor unknown", key).isTrue();
    }

    /** The number of an attempt rises only after the one before is known to have failed. */
    private void neverTwice(AttemptKey key, Map<String, Integer> declared) {
      String job = key.block() + "/" + key.index();
      assertThat(told.stream().anyMatch(t -> (t.block() + "/" + t.index()).equals(job)))
          .as("%s is known to be done, and sent again", key)
          .isFalse();
      assertThat(key.attempt())
          .as("%s: attempt rises only after a known failure", key)
          .isLessThanOrEqualTo(
              Math.max(failedAttempt.getOrDefault(job, 0), declared.getOrDefault(job, 0)) + 1);
      long others =
          done.keySet().stream()
              .filter(d -> (d.block() + "/" + d.index()).equals(job) && d.attempt() < key.attempt())
              .filter(d -> !failedLater(d))
              .count();
      assertThat(others).as("%s was done under another key", key).isZero();
    }

    /** The target may do the work of an attempt and answer 500: that is known to the workflow. */
    private boolean failedLater(AttemptKey key) {
      return failedAttempt.getOrDefault(key.block() + "/" + key.index(), 0) >= key.attempt();
    }

    private void endedJobsStayEnded(WorkflowStatus before, WorkflowStatus next) {
      for (int i = 0; i < before.blocks().size(); i++) {
        var was = dev.andon.plan.IndexSet.parse(before.blocks().get(i).succeeded()).orElseThrow();
        var is = dev.andon.plan.IndexSet.parse(next.blocks().get(i).succeeded()).orElseThrow();
        assertThat(was.stream().allMatch(is::contains)).as("succeeded stays").isTrue();
      }
      for (Active active : next.active()) {
        Instant due = active.nextAttemptTime();
        if (due != null && !due.isAfter(scene.now)) {
          assertThat(next.phase())
              .as("a due retry waits only for a reason")
              .isIn("Paused", "Running", "Stopping");
        }
      }
    }
  }
}
