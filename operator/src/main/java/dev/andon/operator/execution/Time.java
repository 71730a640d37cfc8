package dev.andon.operator.execution;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * How time passes for what is worked on: how much of it has, whatever is done to the wall clock,
 * and what waits for it.
 */
interface Time {
  /** Of the machine this runs on. */
  Time REAL =
      new Time() {
        @Override
        public long nanos() {
          return System.nanoTime();
        }

        @Override
        public Duration ofTheMachine(Duration atMost) {
          return atMost;
        }

        @Override
        public void pause(Duration wait) throws InterruptedException {
          new CountDownLatch(1).await(wait.toNanos(), TimeUnit.NANOSECONDS);
        }

        @Override
        public <T> T get(CompletableFuture<T> answer, Duration atMost)
            throws InterruptedException, ExecutionException, TimeoutException {
          return answer.get(Math.max(1, atMost.toMillis()), TimeUnit.MILLISECONDS);
        }
      };

  /** Only differences mean anything, as with {@link System#nanoTime}. */
  long nanos();

  /**
   * This much of it for a library that goes by the machine's time whatever passes here: it ends
   * what it does by itself, beside {@link #get}.
   */
  Duration ofTheMachine(Duration atMost);

  /**
   * @param wait longer than none
   */
  void pause(Duration wait) throws InterruptedException;

  /**
   * The answer, when it is there.
   *
   * @throws TimeoutException it was not within this time
   */
  <T> T get(CompletableFuture<T> answer, Duration atMost)
      throws InterruptedException, ExecutionException, TimeoutException;
}
