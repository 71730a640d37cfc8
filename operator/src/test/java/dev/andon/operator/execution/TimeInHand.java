package dev.andon.operator.execution;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Time that stands still until a test lets some of it pass: however slow the machine is, nothing is
 * over before the test says so. Who pauses goes on a moment later, without any of it having passed.
 */
final class TimeInHand implements Time {
  private static final Duration A_MOMENT = Duration.ofMillis(10);

  private final CountDownLatch never = new CountDownLatch(1);
  private final List<Duration> pauses = new ArrayList<>(); // guarded by this
  private final List<Duration> waits = new ArrayList<>(); // guarded by this
  private long now; // guarded by this

  synchronized void pass(Duration time) {
    now += time.toNanos();
    notifyAll();
  }

  /** That were asked for. */
  synchronized List<Duration> pauses() {
    return List.copyOf(pauses);
  }

  /** How long answers were to be waited for, at most. */
  synchronized List<Duration> waits() {
    return List.copyOf(waits);
  }

  @Override
  public synchronized long nanos() {
    return now;
  }

  /** Long enough that nothing ends by it. */
  @Override
  public Duration ofTheMachine(Duration atMost) {
    return atMost.plusHours(1);
  }

  @Override
  public void pause(Duration wait) throws InterruptedException {
    synchronized (this) {
      pauses.add(wait);
    }
    long millis = wait.compareTo(A_MOMENT) < 0 ? 1 : A_MOMENT.toMillis();
    never.await(millis, TimeUnit.MILLISECONDS);
  }

  @Override
  public <T> T get(CompletableFuture<T> answer, Duration atMost)
      throws InterruptedException, ExecutionException, TimeoutException {
    answer.whenComplete((value, fault) -> wake());
    synchronized (this) {
      waits.add(atMost);
      long until = now + atMost.toNanos();
      while (!answer.isDone()) {
        if (now - until >= 0) {
          throw new TimeoutException();
        }
        wait();
      }
    }
    return answer.get();
  }

  private synchronized void wake() {
    notifyAll();
  }
}
