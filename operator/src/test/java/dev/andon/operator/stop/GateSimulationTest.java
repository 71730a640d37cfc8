package dev.andon.operator.stop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.operator.stop.Gate.Entry;
import dev.andon.operator.stop.Sightings.Begun;
import dev.andon.operator.stop.StopReader.Reading;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Random worlds around the gate, one seed each: a ConfigMap that people and scripts write, a watch
 * that lags and dies, reads that are slow or fail, senders that come at any moment (also in the
 * middle of a read) and use their permits late. What is checked is said in words at each check.
 */
class GateSimulationTest {
  private static final List<String> TYPES = List.of("A", "B");
  private static final List<String> ALL = List.of("all", "All", "ALL");

  @Test
  @Timeout(60)
  void in_no_interleaving_is_a_permit_good_after_a_stop_was_seen_or_after_its_second()
      throws Exception {
    int used = 0;
    int stopped = 0;
    for (int seed = 0; seed < 4_000; seed++) {
      Run run = new Run(seed);
      run.steps(150);
      used += run.used;
      stopped += run.latchedNow;
    }
    // The simulation is worth something only if both happen a lot.
    assertThat(used).isGreaterThan(10_000);
    assertThat(stopped).isGreaterThan(10_000);
  }

  /** One state of the ConfigMap, in the order of revisions. */
  private record State(long revision, boolean exists, Map<String, String> data) {
    EmergencyStop asRead() {
      return exists ? World.at(revision, data) : EmergencyStop.missing();
    }

    EmergencyStop asWatched() {
      return exists ? World.at(revision, data) : EmergencyStop.deleted(deleted());
    }

    private io.fabric8.kubernetes.api.model.ConfigMap deleted() {
      return new io.fabric8.kubernetes.api.model.ConfigMapBuilder()
          .withNewMetadata()
          .withUid("uid-1")
          .withResourceVersion(Long.toString(revision))
          .endMetadata()
          .build();
    }

    boolean open(String type) {
      return exists
          && "go".equals(data.get(type))
          && ALL.stream().allMatch(all -> "go".equals(data.getOrDefault(all, "go")));
    }
  }

  /** Something the operator has learned. {@code order} counts everything that happens. */
  private record Learned(long order, State state) {}

  private record Waiting(long order, String type, CompletableFuture<Begun> answer) {}

  private record Held(String type, Permit permit, long readOrder, long readNanos) {}

  private static final class Workflow {
    final String uid;
    final String type;
    final long enrolledAt;
    boolean mustBeLatched;

    Workflow(String uid, String type, long enrolledAt) {
      this.uid = uid;
      this.type = type;
      this.enrolledAt = enrolledAt;
    }
  }

  private static final class Run {
    private final int seed;
    private final Random random;
    private final World.Nanos nanos = new World.Nanos();
    private final Latch latch;
    private final ApiGate gate;

    private long order;
    private State now = new State(1, true, Map.of("A", "go", "B", "go"));
    private final Deque<State> onTheWire = new ArrayDeque<>();
    private final List<Learned> learned = new ArrayList<>();
    private final List<Waiting> waiting = new ArrayList<>();
    private final List<Held> held = new ArrayList<>();
    private final List<Workflow> workflows = new ArrayList<>();
    private long readOrder;
    private long readNanos;
    private long lastGoodReadNanos;
    private long lastGoodReadOrder = -1;
    int used;
    int latchedNow;

    Run(int seed) {
      this.seed = seed;
      this.random = new Random(seed);
      StopReader reader =
          new StopReader() {
            @Override
            public Reading read() {
              return readTheWorld();
            }

            @Override
            public void close() {}
          };
      Latch[] later = new Latch[1];
      gate =
          new ApiGate(
              reader,
              nanos,
              StopMetrics.none(),
              new ApiGate.Witness() {
                @Override
                public void saw(EmergencyStop stop, boolean byRead) {
                  latchedNow += later[0].stopSeen(stop::view).size();
                }

                @Override
                public void viewChanged() {}
              });
      latch = new Latch(gate::view);
      later[0] = latch;
    }

    void steps(int count) throws InterruptedException {
      for (int i = 0; i < count; i++) {
        order++;
        if (random.nextInt(4) == 0 && gate.untilTurn() == 0) {
          turn();
        } else {
          anything();
        }
        check();
      }
    }

    private void turn() throws InterruptedException {
      readOrder = order;
      readNanos = nanos.getAsLong();
      gate.turn();
      for (Iterator<Waiting> it = waiting.iterator(); it.hasNext(); ) {
        Waiting one = it.next();
        if (one.answer.isDone()) {
          it.remove();
          if (gate.answer(one.type, one.answer.join()) instanceof Entry.Granted(Permit permit)) {
            assertThat(readOrder)
                .as("seed %d: the read behind a permit began after its asker came", seed)
                .isGreaterThanOrEqualTo(one.order);
            held.add(new Held(one.type, permit, readOrder, readNanos));
          }
        }
      }
    }

    private Reading readTheWorld() {
      during();
      State sampled = now;
      during();
      if (random.nextInt(6) == 0) {
        return new Reading.Failed("503");
      }
      Optional<State> past = past();
      if (random.nextInt(8) == 0 && past.isPresent()) {
        // A cache between: says what was, whatever is known to be.
        return new Reading.Seen(past.get().asRead());
      }
      order++;
      learn(order, sampled);
      lastGoodReadNanos = readNanos;
      lastGoodReadOrder = readOrder;
      return new Reading.Seen(sampled.asRead());
    }

    /** A state from before the latest that was known when the read began. */
    private Optional<State> past() {
      long known =
          learned.stream()
              .filter(l -> l.order < readOrder && l.state.exists)
              .mapToLong(l -> l.state.revision)
              .max()
              .orElse(0);
      return learned.stream()
          .map(Learned::state)
          .filter(state -> state.exists && state.revision < known)
          .skip(random.nextInt(3))
          .findFirst();
    }

    private void during() {
      for (int i = random.nextInt(4); i > 0; i--) {
        order++;
        anything();
      }
    }

    private void anything() {
      switch (random.nextInt(9)) {
        case 0 -> write();
        case 1, 2 -> {
          if (!onTheWire.isEmpty()) {
            State state = onTheWire.remove();
            learn(order, state);
            gate.watchSaw(state.asWatched());
          }
        }
        case 3 -> onTheWire.clear(); // the watch died, and with it what was on the wire
        case 4 -> {
          String type = TYPES.get(random.nextInt(2));
          waiting.add(new Waiting(order, type, gate.ask()));
        }
        case 5 -> {
          if (!held.isEmpty()) {
            use(held.remove(random.nextInt(held.size())));
          }
        }
        case 6 -> nanos.pass(Duration.ofMillis(random.nextInt(60)));
        case 7 -> nanos.pass(Duration.ofMillis(random.nextInt(20) == 0 ? 1500 : 5));
        case 8 -> {
          if (workflows.size() < 20) {
            String type = TYPES.get(random.nextInt(2));
            if (gate.view(type) instanceof StopView.Open open) {
              String uid = "w-" + workflows.size();
              assertThat(latch.enroll(uid, type)).isEmpty();
              workflows.add(new Workflow(uid, type, Long.parseLong(open.resourceVersion())));
            }
          }
        }
        default -> throw new AssertionError();
      }
    }

    private void write() {
      Map<String, String> data = new HashMap<>();
      for (String type : TYPES) {
        if (random.nextInt(8) != 0) {
          data.put(type, random.nextInt(6) == 0 ? "stop" : "go");
        }
      }
      if (random.nextInt(10) == 0) {
        data.put(ALL.get(random.nextInt(ALL.size())), random.nextBoolean() ? "stop" : "go");
      }
      now = new State(now.revision + 1, random.nextInt(12) != 0, data);
      onTheWire.add(now);
    }

    /** The operator learns of a state: from here on nothing of the types it stops may pass. */
    private void learn(long at, State state) {
      learned.add(new Learned(at, state));
      for (Workflow one : workflows) {
        if (!state.open(one.type) && state.revision > one.enrolledAt) {
          one.mustBeLatched = true;
        }
      }
    }

    private void use(Held one) {
      boolean passed = one.permit.use();
      if (passed) {
        used++;
        assertThat(nanos.getAsLong() - one.readNanos)
            .as("seed %d: younger than a second since its read began", seed)
            .isLessThan(1_000_000_000L);
        assertThat(learned)
            .as("seed %d: no stop of %s learned since the read began", seed, one.type)
            .noneMatch(l -> l.order > one.readOrder && !l.state.open(one.type));
        assertThat(one.permit.use()).as("seed %d: once", seed).isFalse();
      }
    }

    private void check() {
      for (String type : TYPES) {
        if (gate.view(type) instanceof StopView.Open) {
          assertThat(nanos.getAsLong() - lastGoodReadNanos)
              .as("seed %d: seen open by a read that began at most 2.5 s ago", seed)
              .isLessThanOrEqualTo(2_500_000_000L);
          assertThat(learned)
              .as("seed %d: %s is not open after a stop was learned", seed, type)
              .noneMatch(l -> l.order > lastGoodReadOrder && !l.state.open(type));
        }
      }
      for (Workflow one : workflows) {
        if (one.mustBeLatched) {
          assertThat(latch.latched(one.uid))
              .as("seed %d: %s saw a stop and stays stopped", seed, one.uid)
              .isPresent();
        }
      }
    }
  }
}
