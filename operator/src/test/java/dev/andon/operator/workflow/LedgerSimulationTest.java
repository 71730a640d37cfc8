package dev.andon.operator.workflow;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowStatus;
import dev.andon.operator.execution.Attempt;
import dev.andon.operator.execution.AttemptKey;
import dev.andon.operator.execution.Outcome;
import dev.andon.operator.ledger.FakeRecords;
import dev.andon.operator.ledger.Ledger;
import dev.andon.operator.ledger.LedgerView;
import dev.andon.operator.stop.StopView;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
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
 * Starts the same spec under the same name again and again: the process dies before and after every
 * single request of a start, answers are lost, writes arrive late, the stop comes and goes, people
 * edit the object, delete and re-create it, its status is lost. The spec runs once: under one uid,
 * and each job at most once more than known. The seed of a failure is in its message.
 */
class LedgerSimulationTest {
  private static final int RUNS = 400;
  private static final int STEPS = 60;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void a_spec_runs_once_wherever_the_process_dies(long seed) {
    for (int run = 0; run < RUNS; run++) {
      long of = seed * 1_000_003L + run;
      try {
        new Simulation(new SplittableRandom(of)).run();
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError("seed " + of + ": " + e.getMessage(), e);
      }
    }
  }

  /** The process ends here. No RuntimeException: nobody lives to catch it. */
  private static final class Died extends Error {
    Died() {
      super("died", null, false, false);
    }
  }

  private record LateWrite(String uid, int version, WorkflowStatus status) {}

  private static final class Simulation {
    private final SplittableRandom random;
    private final Scene scene = new Scene(Scene.range("a", 2, 4, Scene.ONCE));
    private final FakeRecords records = new FakeRecords();
    private Ledger ledger = new Ledger(records);

    // The object, as the API server has it.
    private int version = 1;
    private int created = 1;
    private boolean exists = true;

    private final List<LateWrite> late = new ArrayList<>();

    /** Which uid sent which job first. */
    private final Map<String, String> sentBy = new HashMap<>();

    private final Set<String> uidsThatRan = new HashSet<>();
    private final Set<String> begunAndLost = new HashSet<>();
    private boolean faults = true;
    private boolean edited;
    private boolean wiped;

    Simulation(SplittableRandom random) {
      this.random = random;
      records.fault =
          new FakeRecords.Fault() {
            @Override
            public void before(String verb) {
              mayFail();
            }

            @Override
            public void after(String verb) {
              mayFail();
            }
          };
    }

    private void mayFail() {
      if (!faults) {
        return;
      }
      switch (random.nextInt(12)) {
        case 0 -> throw new Died();
        case 1 -> throw new IllegalStateException("no answer");
        default -> {}
      }
    }

    void run() {
      boolean people = random.nextBoolean();
      for (int i = 0; i < STEPS; i++) {
        world(people);
        decide();
      }
      calm();
    }

    /** No more faults: it comes to an end, and it is the end that what happened calls for. */
    private void calm() {
      faults = false;
      late.clear();
      scene.stop = new StopView.Open("cm-1", "", "1000000");
      scene.latched = null;
      if (!exists) {
        create();
      }
      for (int i = 0; i < 300 && !finished(); i++) {
        scene.after(10);
        decide();
        ends();
      }
      assertThat(finished() || scene.condition("Ready").endsWith("/UnknownOutcome"))
          .as("stuck: %s", scene.status)
          .isTrue();
      if (!edited && !wiped) {
        assertThat(scene.condition("Ready"))
            .as("a record alone is no lost status: %s", scene.status)
            .doesNotEndWith("/CorruptStatus");
      }
      if (created == 1 && !wiped) {
        assertThat(scene.condition("Ready"))
            .as("no run is a duplicate of itself")
            .doesNotEndWith("/DuplicateRun");
      }
    }

    private boolean finished() {
      return scene.status != null
          && Conditions.isTrue(scene.status.conditions(), Conditions.FINISHED);
    }

    private void world(boolean people) {
      scene.after(random.nextInt(3));
      ends();
      if (!late.isEmpty() && random.nextInt(3) == 0) {
        LateWrite write = late.removeFirst();
        if (exists && write.uid().equals(scene.uid) && write.version() == version) {
          // To who comes after a death between record and status, as good as a person's edit.
          edited |= write.status().startTime() == null;
          put(write.status());
        }
      }
      switch (random.nextInt(14)) {
        case 0 -> die();
        case 1 -> scene.stop = Scene.STOPPED;
        case 2, 3 -> scene.stop = Scene.OPEN;
        case 4 -> {
          if (people) {
            version++; // an annotation
            edited = true;
          }
        }
        case 5 -> {
          if (people && random.nextInt(3) == 0) {
            exists = !exists;
            if (exists) {
              create();
            } else {
              die(); // whatever ran is cancelled
            }
          }
        }
        case 6 -> {
          if (people && random.nextInt(4) == 0) {
            loseTheStatus();
          }
        }
        default -> {}
      }
      boolean ran = scene.status != null && scene.status.startTime() != null;
      if (scene.stop instanceof StopView.Stopped stopped && ran && !finished()) {
        scene.latched = stopped.by();
      }
    }

    private void create() {
      exists = true;
      created++;
      scene.uid = "uid-" + created;
      scene.status = null;
      scene.latched = null;
      scene.underWay.clear();
      scene.outcomes.clear();
      version++;
    }

    /** A restored backup, or a hand in etcd. What was given up before is known to be so. */
    private void loseTheStatus() {
      boolean known =
          records.kept.values().stream().noneMatch(r -> "none".equals(r.getSpec().decidedFrom()));
      if (exists && known) {
        if (scene.status != null && scene.status.startTime() != null) {
          begunAndLost.add(scene.uid);
        }
        wiped = true;
        scene.status = null;
        version++;
        die();
      }
    }

    private void die() {
      ledger = new Ledger(records);
      scene.restart();
    }

    private void ends() {
      for (AttemptKey key : List.copyOf(scene.underWay)) {
        if (random.nextInt(3) == 0) {
          scene.outcome(key, new Outcome.Succeeded());
        }
      }
    }

    private void put(WorkflowStatus status) {
      scene.status = status;
      scene.throughJson();
      version++;
    }

    private Workflow object() {
      var workflow = new Workflow();
      workflow.setMetadata(
          new ObjectMetaBuilder()
              .withNamespace("fleet")
              .withName("erase")
              .withUid(scene.uid)
              .withResourceVersion("" + version)
              .build());
      workflow.setSpec(scene.spec);
      return workflow;
    }

    /** As the reconciler does. */
    private void decide() {
      if (!exists || finished()) {
        return;
      }
      try {
        LedgerView said = ledger.known(scene.uid);
        if (scene.status != null && scene.status.startTime() != null) {
          ledger.forget(scene.uid);
        }
        for (int asked = 0; asked < 5; asked++) {
          scene.ledger = said;
          Decision decision = scene.decider.decide(scene.snapshot());
          LedgerView answer = LedgerEntry.before(ledger, decision, object(), said, this::differs);
          if (answer == null) {
            write(decision);
            return;
          }
          said = answer;
        }
      } catch (Died e) {
        die();
      }
    }

    private boolean differs(WorkflowStatus next) {
      return scene.status == null || !Scene.json(scene.status).equals(Scene.json(next));
    }

    private void write(Decision decision) {
      if (differs(decision.status())) {
        if (faults && random.nextInt(8) == 0) {
          // It is on its way, and nobody knows.
          late.add(new LateWrite(scene.uid, version, decision.status()));
          if (random.nextBoolean()) {
            throw new Died();
          }
          return;
        }
        mayFailQuietly();
        put(decision.status());
        if (faults && random.nextInt(8) == 0) {
          throw new Died();
        }
      }
      if (decision.started()) {
        ledger.forget(scene.uid);
      } else {
        scene.latched = null;
      }
      decision.settled().forEach((key, outcome) -> scene.outcomes.remove(key));
      decision.begin().forEach(this::begin);
    }

    private void mayFailQuietly() {
      if (faults && random.nextInt(12) == 0) {
        throw new Died();
      }
    }

    private void begin(Attempt attempt) {
      scene.underWay.add(attempt.key());
      if (!(attempt.work() instanceof Attempt.Work.Send)) {
        return;
      }
      assertThat(records.kept.values())
          .as("a record before the first send")
          .anyMatch(r -> scene.uid.equals(r.getSpec().workflow().uid()));
      assertThat(begunAndLost).as("its status was lost: never again").doesNotContain(scene.uid);
      uidsThatRan.add(scene.uid);
      assertThat(uidsThatRan).as("the spec runs under one uid").hasSize(1);
      String job = attempt.key().block() + "/" + attempt.key().index();
      assertThat(sentBy.putIfAbsent(job, scene.uid)).as("%s is sent twice", job).isNull();
    }
  }
}
