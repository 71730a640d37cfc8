package dev.andon.examples.fleet;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * The faults switched on in a running service; none to begin with. For each request the first one
 * that matches and is drawn applies. Requests for {@code /faults}, {@code /log} and {@code
 * /summary} are never hit: a test must be able to see and to end what it began.
 */
public final class Faults {
  private final List<SwitchedOn> switchedOn = new ArrayList<>();
  private CountDownLatch cleared = new CountDownLatch(1);

  /**
   * A fault that is switched on.
   *
   * @param hits requests it has hit so far
   */
  public record Hits(Fault fault, int hits) {}

  private static final class SwitchedOn {
    private final Fault fault;
    private final Random random;
    private int hits;

    SwitchedOn(Fault fault) {
      this.fault = fault;
      this.random = new Random(fault.seed());
    }

    boolean wornOff() {
      Integer count = fault.count();
      return count != null && hits >= count;
    }

    boolean drawn() {
      Double share = fault.share();
      return share == null || random.nextDouble() < share;
    }
  }

  public synchronized void add(Fault fault) {
    switchedOn.add(new SwitchedOn(fault));
  }

  /** Switches all faults off; connections they hold open are closed, late answers come now. */
  public synchronized void clear() {
    switchedOn.clear();
    cleared.countDown();
    cleared = new CountDownLatch(1);
  }

  /** What is or was on since the last {@link #clear()}, with how many requests it has hit. */
  public synchronized List<Hits> hits() {
    return switchedOn.stream().map(on -> new Hits(on.fault, on.hits)).toList();
  }

  synchronized Optional<Fault> next(String method, String path) {
    for (SwitchedOn on : switchedOn) {
      if (!on.wornOff() && on.fault.matches(method, path) && on.drawn()) {
        on.hits++;
        return Optional.of(on.fault);
      }
    }
    return Optional.empty();
  }

  /** Waits until all faults are cleared. */
  void awaitCleared() throws InterruptedException {
    latch().await();
  }

  /** Waits, but no longer than until all faults are cleared. */
  void awaitCleared(Duration atMost) throws InterruptedException {
    var _ = latch().await(atMost.toMillis(), TimeUnit.MILLISECONDS);
  }

  private synchronized CountDownLatch latch() {
    return cleared;
  }
}
