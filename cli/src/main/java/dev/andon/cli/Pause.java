package dev.andon.cli;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Waiting for what cannot call us back. */
public final class Pause {
  private static final Duration POLL = Duration.ofMillis(50);

  private Pause() {}

  public static void of(Duration time) throws InterruptedException {
    boolean _ = new CountDownLatch(1).await(time.toNanos(), TimeUnit.NANOSECONDS);
  }

  /**
   * Until it holds; looks 20 times a second.
   *
   * @param what for the message, as in "all workflows are gone"
   * @throws CliException if it does not in time
   */
  public static void until(String what, Duration limit, Callable<Boolean> condition)
      throws Exception {
    long end = System.nanoTime() + limit.toNanos();
    while (!condition.call()) {
      if (System.nanoTime() - end >= 0) {
        throw new CliException(
            "after %d s it still does not hold that %s".formatted(limit.toSeconds(), what));
      }
      of(POLL);
    }
  }
}
