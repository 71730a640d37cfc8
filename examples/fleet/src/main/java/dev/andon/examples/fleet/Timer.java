package dev.andon.examples.fleet;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** When erases end. */
interface Timer extends AutoCloseable {
  void after(Duration delay, Runnable task);

  /** Of what is still to be done nothing is. */
  @Override
  void close();

  /** By a thread of its own. */
  static Timer started() {
    ScheduledExecutorService thread =
        Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("fleet-erase").factory());
    return new Timer() {
      @Override
      public void after(Duration delay, Runnable task) {
        var _ = thread.schedule(task, delay.toMillis(), TimeUnit.MILLISECONDS);
      }

      @Override
      public void close() {
        thread.shutdownNow();
      }
    };
  }
}
