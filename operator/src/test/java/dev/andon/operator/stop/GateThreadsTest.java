package dev.andon.operator.stop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.operator.stop.Gate.Entry;
import dev.andon.operator.stop.StopReader.Reading;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The gate with its own thread and real time, senders on virtual threads, and a stopper. Nothing is
 * asked of how long anything takes: the one goes on when the other has got somewhere, and times are
 * those by which the gate itself went.
 */
@Timeout(180)
class GateThreadsTest {
  private static final String TYPE = "A";
  private static final long SECOND = Duration.ofSeconds(1).toNanos();

  /** From after the gate was told of a stop to before anybody could know of the go. */
  private record Closed(long from, long until) {}

  private final Ticks ticks = new Ticks();
  private final AtomicReference<EmergencyStop> world = new AtomicReference<>(World.go(1, TYPE));
  private final AtomicInteger inFlight = new AtomicInteger();
  private final AtomicInteger mostInFlight = new AtomicInteger();
  private final Queue<Long> begun = new ConcurrentLinkedQueue<>();

  /** The moments right before permits were used that let a send pass. */
  private final Queue<Long> sends = new ConcurrentLinkedQueue<>();

  private final AtomicInteger passed = new AtomicInteger();
  private final AtomicInteger refused = new AtomicInteger();
  private final Queue<Throwable> broken = new ConcurrentLinkedQueue<>();
  private final ApiGate gate =
      new ApiGate(
          new StopReader() {
            @Override
            public Reading read() {
              // The last that the gate's thread asked the clock for was when this read begins.
              begun.add(ticks.last());
              mostInFlight.accumulateAndGet(inFlight.incrementAndGet(), Math::max);
              EmergencyStop seen = world.get();
              Thread.yield();
              inFlight.decrementAndGet();
              return new Reading.Seen(seen);
            }

            @Override
            public void close() {}
          },
          ticks,
          StopMetrics.none(),
          ignoring());

  @AfterEach
  void close() {
    gate.close();
  }

  @Test
  void no_send_passes_between_a_stop_that_was_seen_and_the_go_that_follows() throws Exception {
    List<Thread> senders = new ArrayList<>();
    List<Closed> closed = new ArrayList<>();
    gate.start();
    for (int i = 0; i < 200; i++) {
      senders.add(Thread.ofVirtual().start(this::sendUntilInterrupted));
    }

    long revision = 1;
    for (int round = 0; round < 60; round++) {
      awaitMore(passed, 25);
      EmergencyStop stop = World.stop(++revision, TYPE);
      world.set(stop);
      gate.watchSaw(stop);
      long from = System.nanoTime();
      if (round % 2 == 0) {
        awaitMore(refused, 25);
      } // else go at once: no read may have seen the stop
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

    assertThat(broken).isEmpty();
    for (Closed one : closed) {
      // Whoever held a permit by then had it from before the stop: go does not make it good again.
      assertThat(sends).noneMatch(sent -> sent - one.from > 0 && sent - one.until < 0);
    }
  }

  @Test
  void however_many_ask_there_is_one_read_at_a_time_and_at_most_50_in_any_second()
      throws Exception {
    List<Thread> senders = new ArrayList<>();
    gate.start();
    for (int i = 0; i < 200; i++) {
      senders.add(Thread.ofVirtual().start(this::sendUntilInterrupted));
    }

    await().until(() -> begun.size() > 120);
    senders.forEach(Thread::interrupt);
    for (Thread sender : senders) {
      sender.join();
    }

    assertThat(broken).isEmpty();
    assertThat(mostInFlight).hasValue(1);
    assertThat(passed.get()).as("a read is shared").isGreaterThan(2 * begun.size());
    List<Long> at = List.copyOf(begun);
    for (int i = 50; i < at.size(); i++) {
      assertThat(at.get(i) - at.get(i - 50)).isGreaterThanOrEqualTo(SECOND);
    }
  }

  @Test
  void at_rest_it_goes_on_reading_once_a_second() {
    gate.start();

    await().until(() -> begun.size() >= 4);

    List<Long> at = List.copyOf(begun);
    for (int i = 1; i < at.size(); i++) {
      assertThat(at.get(i) - at.get(i - 1)).isGreaterThanOrEqualTo(SECOND);
    }
  }

  private static void awaitMore(AtomicInteger counter, int more) {
    int enough = counter.get() + more;
    await().pollInterval(Duration.ofMillis(5)).until(() -> counter.get() >= enough);
  }

  private void sendUntilInterrupted() {
    try {
      while (!Thread.currentThread().isInterrupted()) {
        if (gate.enter(TYPE) instanceof Entry.Granted(Permit permit)) {
          long before = System.nanoTime();
          if (permit.use()) {
            sends.add(before);
            passed.incrementAndGet();
          }
        } else {
          refused.incrementAndGet();
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
