package dev.andon.operator.stop;

import java.util.function.LongSupplier;

/**
 * The real monotonic clock, which tells each thread what it read last: so a test knows the times by
 * which the gate itself went, whatever a busy machine did to the thread afterwards.
 */
final class Ticks implements LongSupplier {
  private final ThreadLocal<Long> last = new ThreadLocal<>();

  @Override
  public long getAsLong() {
    long now = System.nanoTime();
    last.set(now);
    return now;
  }

  /** What the calling thread read last. */
  long last() {
    return last.get();
  }
}
