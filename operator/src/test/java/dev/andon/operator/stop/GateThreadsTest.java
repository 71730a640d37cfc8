package dev.andon.operator.stop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.operator.stop.Gate.Entry;
import dev.andon.operator.stop.StopReader.Reading;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The gate with its own thread and real time, senders on virtual threads, and a stopper. */
class GateThreadsTest {
  private static final String TYPE = "A";

  private record Send(long before, long after) {}

  private record Closed(long from, long until) {}

  @Test
  @Timeout(60)
  void no_send_passes_between_a_stop_that_was_seen_and_the_go_that_follows() throws Exception {
    AtomicReference<EmergencyStop> world = new AtomicReference<>(World.go(1, TYPE));
    AtomicInteger inFlight = new AtomicInteger();
    AtomicInteger mostInFlight = new AtomicInteger();
    Queue<Long> reads = new ConcurrentLinkedQueue<>();
    StopReader reader =
        new StopReader() {
          @Override
          public Reading read() {
            mostInFlight.accumulateAndGet(inFlight.incrementAndGet(), Math::max);
            reads.add(System.nanoTime());
            EmergencyStop seen = world.get();
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(2));
            inFlight.decrementAndGet();
            return new Reading.Seen(seen);
          }

          @Override
          public void close() {}
        };
    ApiGate gate = new ApiGate(reader, System::nanoTime, StopMetrics.none(), ignoring());
    Queue<Send> sends = new ConcurrentLinkedQueue<>();
    Queue<Throwable> broken = new ConcurrentLinkedQueue<>();
    List<Thread> senders = new ArrayList<>();
    List<Closed> closed = new ArrayList<>();
    try (gate) {
      gate.start();
      for (int i = 0; i < 200; i++) {
        senders.add(Thread.ofVirtual().start(() -> sendUntilInterrupted(gate, sends, broken)));
      }

      long revision = 1;
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(3);
      while (System.nanoTime() < end) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(30 + revision % 23));
        EmergencyStop stop = World.stop(++revision, TYPE);
        world.set(stop);
        gate.watchSaw(stop);
        long from = System.nanoTime();
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(revision % 7));
        long until = System.nanoTime();
        EmergencyStop go = World.go(++revision, TYPE);
        world.set(go);
        gate.watchSaw(go);
        closed.add(new Closed(from, until));
      }
      senders.forEach(Thread::interrupt);
      for (Thread sender : senders) {
        sender.join();
      }
    }

    assertThat(broken).isEmpty();
    assertThat(closed).hasSizeGreaterThan(40);
    assertThat(sends).hasSizeGreaterThan(1_000);
    assertThat(mostInFlight).hasValue(1);
    for (Closed one : closed) {
      assertThat(sends).noneMatch(s -> s.before - one.from > 0 && s.after - one.until < 0);
    }
    List<Long> begun = List.copyOf(reads);
    for (int i = 50; i < begun.size(); i++) {
      // A reader sees a read a little after the gate began it.
      assertThat(begun.get(i) - begun.get(i - 50)).isGreaterThan(980_000_000L);
    }
  }

  private static void sendUntilInterrupted(Gate gate, Queue<Send> sends, Queue<Throwable> broken) {
    try {
      while (!Thread.currentThread().isInterrupted()) {
        if (gate.enter(TYPE) instanceof Entry.Granted(Permit permit)) {
          long before = System.nanoTime();
          if (permit.use()) {
            sends.add(new Send(before, System.nanoTime()));
          }
        }
      }
    } catch (InterruptedException e) {
      // The end of the test.
    } catch (RuntimeException e) {
      broken.add(e);
    }
  }

  private static ApiGate.Witness ignoring() {
    return new ApiGate.Witness() {
      @Override
      public void saw(EmergencyStop stop, boolean byRead) {}

      @Override
      public void viewChanged() {}
    };
  }
}
