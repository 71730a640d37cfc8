package dev.andon.operator.workflow;

import java.time.Duration;

/**
 * How a process that ends takes up nothing new, and knows when what it took up is written: an
 * intent that is written while nothing is sent any more would be one whose outcome nobody knows.
 */
final class Drain {
  private static final long NANOS_IN_MILLI = 1_000_000;

  private int intending; // guarded by this
  private boolean begun; // guarded by this

  /** A decision, from before it looks at anything until what it decided is carried out. */
  interface Turn extends AutoCloseable {
    /** Whether it may start workflows and intend attempts. */
    boolean mayIntend();

    @Override
    void close();
  }

  synchronized Turn enter() {
    boolean mayIntend = !begun;
    intending += mayIntend ? 1 : 0;
    return new Turn() {
      @Override
      public boolean mayIntend() {
        return mayIntend;
      }

      @Override
      public void close() {
        if (mayIntend) {
          leave();
        }
      }
    };
  }

  private synchronized void leave() {
    intending--;
    notifyAll();
  }

  /**
   * From now on nothing new is intended; returns when all that was is carried out.
   *
   * @param atMost after which it returns all the same
   */
  synchronized void begin(Duration atMost) throws InterruptedException {
    begun = true;
    long until = System.nanoTime() + atMost.toNanos();
    for (long left = atMost.toNanos();
        intending > 0 && left > 0;
        left = until - System.nanoTime()) {
      wait(left / NANOS_IN_MILLI + 1);
    }
  }
}
