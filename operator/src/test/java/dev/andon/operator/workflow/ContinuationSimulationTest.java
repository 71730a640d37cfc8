package dev.andon.operator.workflow;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.WorkflowSpec;
import dev.andon.crds.WorkflowSpec.Batch;
import dev.andon.crds.WorkflowSpec.Block;
import dev.andon.crds.WorkflowStatus.BlockStatus;
import dev.andon.crds.WorkflowStatus.PinnedJobType;
import dev.andon.operator.execution.Attempt;
import dev.andon.operator.execution.Attempt.Work;
import dev.andon.operator.execution.AttemptKey;
import dev.andon.operator.execution.Outcome;
import dev.andon.plan.IndexSet;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Chains of runs, each stopped somewhere and continued by the next, with lost writes, processes
 * that die, answers that are lost and job types that change between. A target outside does a key
 * once. Whatever happens, a job that succeeded is not sent again, and one of which nobody knows
 * what became is sent under no other key until a person has looked.
 */
class ContinuationSimulationTest {
  private static final int CHAINS = 150;
  private static final int STEPS = 60;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void nothing_is_done_twice_over_a_chain_of_runs(long seed) {
    for (int chain = 0; chain < CHAINS; chain++) {
      long of = seed * 1_000_003L + chain;
      try {
        new Chain(new SplittableRandom(of)).run();
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError("seed " + of + ": " + e.getMessage(), e);
      }
    }
  }

  private static final class Chain {
    private final SplittableRandom random;
    private final Block[] blocks;

    /** What the target did, by key. */
    private final Set<AttemptKey> done = new HashSet<>();

    /** Keys that were sent and of which no status told what became, by job. */
    private final Map<String, Set<AttemptKey>> open = new HashMap<>();

    /** Jobs that a status that was written told as succeeded. */
    private final Set<String> succeeded = new HashSet<>();

    private final Set<String> judged = new HashSet<>();
    private Scene scene;
    private long generation = 1;

    Chain(SplittableRandom random) {
      this.random = random;
      this.blocks = blocks();
      this.scene = new Scene(blocks);
    }

    private Block[] blocks() {
      var all = new ArrayList<Block>();
      int n = 1 + random.nextInt(3);
      for (int i = 0; i < n; i++) {
        String type = random.nextInt(3) == 0 ? Scene.ONCE : Scene.CALL;
        Batch batch =
            random.nextInt(3) == 0 ? new Batch(1 + random.nextInt(4), random.nextInt(20)) : null;
        all.add(
            Scene.range(
                "b" + i, 1 + random.nextInt(5), 1 + random.nextInt(10), type, batch, "100%"));
      }
      return all.toArray(Block[]::new);
    }

    void run() {
      int runs = 2 + random.nextInt(4);
      for (int i = 1; i < runs; i++) {
        int steps = random.nextInt(STEPS);
        for (int step = 0; step < steps && !finished(); step++) {
          step(true);
        }
        stop();
        next("run-" + i, i + 1);
      }
      calm();
    }

    private boolean finished() {
      return scene.status != null
          && Conditions.isTrue(scene.status.conditions(), Conditions.FINISHED);
    }

    private void stop() {
      scene.stop = Scene.STOPPED;
      if (scene.status == null || scene.status.startTime() == null) {
        // It never started, and so cannot be continued: it goes on to its end instead.
        scene.stop = Scene.OPEN;
        step(false);
        scene.stop = Scene.STOPPED;
      }
      for (int i = 0; i < 100 && !finished(); i++) {
        scene.latched = Scene.STOPPED.by();
        step(random.nextBoolean());
      }
      assertThat(finished()).as("not stopped: %s", scene.status).isTrue();
    }

    private void next(String name, int number) {
      Scene before = scene;
      scene = new Scene();
      scene.spec = continueFrom(before.spec, name);
      scene.uid = "uid-" + number;
      judged.clear();
      scene.now = before.now.plusSeconds(random.nextInt(100));
      if (random.nextInt(4) == 0) {
        generation++;
      }
      scene.versions.replaceAll((type, v) -> new PinnedJobType(type, v.uid(), generation));
      scene.earlier = Scene.found(before.uid, before.spec, before.status);
    }

    private static WorkflowSpec continueFrom(WorkflowSpec s, String name) {
      return new WorkflowSpec(
          s.type(), null, null, null, null, null, null, null, name, null, s.blocks());
    }

    /** Nothing fails any more, and people say what they find. */
    private void calm() {
      scene.stop = Scene.OPEN;
      scene.latched = null;
      for (int i = 0; i < 2_000 && !finished(); i++) {
        resolve();
        step(false);
        scene.after(5);
      }
      assertThat(scene.status.phase()).as("%s", scene.status).isEqualTo("Complete");
      int jobs = scene.status.jobs().total();
      int over = scene.status.jobs().succeeded() + scene.status.jobs().skipped();
      assertThat(over + scene.status.jobs().failed()).isEqualTo(jobs);
      assertThat(succeeded).hasSize(over);
      for (String job : succeeded) {
        assertThat(done.stream().filter(key -> job(key).equals(job)).count())
            .as("%s was done once", job)
            .isEqualTo(1);
      }
    }

    private void step(boolean faults) {
      Decision decision = scene.decider.decide(scene.snapshot());
      assertThat(scene.decider.decide(scene.snapshot())).as("pure").isEqualTo(decision);
      if (faults && random.nextInt(15) == 0) {
        return; // a conflict, or the write was lost
      }
      note(decision);
      boolean dies = faults && random.nextInt(15) == 0;
      if (dies) {
        scene.status = decision.status();
        scene.throughJson();
        restart();
        return;
      }
      decision.begin().forEach(this::arrives);
      scene.carryOut(decision);
      scene.throughJson();
      scene.earlier = started() ? EarlierRun.NOT_ASKED : scene.earlier;
      tell();
      if (decision.cancel()) {
        List.copyOf(scene.underWay).forEach(this::cancelled);
      }
      if (faults && random.nextInt(15) == 0) {
        restart();
      }
      scene.now = scene.now.plusMillis(random.nextInt(4_000));
      List.copyOf(scene.underWay).forEach(key -> ends(key, faults));
      if (faults && random.nextInt(5) == 0) {
        resolve();
      }
    }

    private void restart() {
      var latched = scene.latched;
      scene.restart();
      scene.latched = latched;
      scene.earlier = started() ? EarlierRun.NOT_ASKED : scene.earlier;
    }

    private boolean started() {
      return scene.status != null && scene.status.startTime() != null;
    }

    private static String job(AttemptKey key) {
      return key.block() + "/" + key.index();
    }

    private Set<AttemptKey> open(AttemptKey key) {
      return open.computeIfAbsent(job(key), job -> new HashSet<>());
    }

    private void arrives(Attempt attempt) {
      if (!(attempt.work() instanceof Work.Send)) {
        return;
      }
      AttemptKey key = attempt.key();
      assertThat(succeeded).as("what succeeded is not sent again").doesNotContain(job(key));
      assertThat(open(key))
          .as("%s is sent, and nobody knows what became of another attempt", key)
          .isSubsetOf(Set.of(key));
      open(key).add(key);
    }

    /** A status that tells of these is being written. */
    private void note(Decision decision) {
      decision
          .settled()
          .forEach(
              (key, outcome) -> {
                switch (outcome) {
                  case Outcome.Succeeded it -> {
                    open(key).remove(key);
                    succeeded.add(job(key));
                  }
                  case Outcome.Failed it -> open(key).remove(key);
                  case Outcome.Cancelled it -> open(key).remove(key);
                  default -> {}
                }
              });
      decision.status().actions().stream()
          .filter(a -> judged.add(a.uid()) && "Applied".equals(a.phase()))
          .forEach(a -> resolved(a.uid()));
    }

    private void resolved(String action) {
      scene.asked.stream()
          .filter(a -> a.uid().equals(action))
          .forEach(
              a -> {
                String job = a.spec().block() + "/" + a.spec().index();
                open.remove(job);
                if ("Succeeded".equals(a.spec().outcome())) {
                  succeeded.add(job);
                }
              });
    }

    private void tell() {
      List.copyOf(scene.asked).stream().filter(a -> judged.contains(a.uid())).forEach(scene::tell);
    }

    private void ends(AttemptKey key, boolean faults) {
      if (random.nextInt(3) == 0) {
        return;
      }
      boolean did = done.contains(key);
      int fate = faults ? random.nextInt(8) : 7;
      if (fate == 0) {
        scene.outcome(key, did ? new Outcome.Succeeded() : new Outcome.Failed("E", "500"));
      } else if (fate == 1) {
        if (random.nextBoolean() && !did) {
          done.add(key);
        }
        scene.outcome(key, new Outcome.Unknown("connection dropped", true));
      } else if (fate > 2) {
        done.add(key);
        scene.succeed(key);
      }
    }

    private void cancelled(AttemptKey key) {
      if (done.contains(key)) {
        scene.outcome(
            key,
            random.nextInt(4) == 0 ? new Outcome.Unknown("?", false) : new Outcome.Succeeded());
        return;
      }
      switch (random.nextInt(3)) {
        case 0 -> scene.outcome(key, new Outcome.Cancelled());
        case 1 -> scene.outcome(key, new Outcome.Unknown("no answer", false));
        default -> {}
      }
    }

    /** Whoever looks finds out. */
    private void resolve() {
      if (scene.status == null || !scene.asked.isEmpty()) {
        return;
      }
      for (BlockStatus block : scene.status.blocks()) {
        int index = IndexSet.parse(block.unknown()).orElseThrow().length() - 1;
        if (index >= 0) {
          boolean did =
              done.stream().anyMatch(k -> k.block().equals(block.name()) && k.index() == index);
          scene.ask("Resolve", block.name(), index, did ? "Succeeded" : "Retry");
          return;
        }
      }
    }
  }
}
