package dev.andon.devcluster;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waiting for another process, which cannot call us back. */
final class Pause {
  private Pause() {}

  static void of(Duration duration) throws InterruptedException {
    LockSupport.parkNanos(duration.toNanos());
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
  }

  /** Asks {@code condition} every {@code period} until it holds or {@code limit} is over. */
  static boolean until(Duration limit, Duration period, BooleanSupplier condition)
      throws InterruptedException {
    long end = System.nanoTime() + limit.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - end >= 0) {
        return false;
      }
      of(period);
    }
    return true;
  }
}
