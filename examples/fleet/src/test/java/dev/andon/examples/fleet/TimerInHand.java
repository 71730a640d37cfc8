package dev.andon.examples.fleet;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** However slow the machine is, no erase ends before the test says so. */
final class TimerInHand implements Timer {
  private final List<Duration> delays = new ArrayList<>(); // guarded by this
  private List<Runnable> tasks = new ArrayList<>(); // guarded by this

  @Override
  public synchronized void after(Duration delay, Runnable task) {
    delays.add(delay);
    tasks.add(task);
  }

  synchronized List<Duration> delays() {
    return List.copyOf(delays);
  }

  /** The time of all that was begun is over. */
  void goOff() {
    List<Runnable> due;
    synchronized (this) {
      due = tasks;
      tasks = new ArrayList<>();
    }
    due.forEach(Runnable::run);
  }

  @Override
  public synchronized void close() {
    tasks.clear();
  }
}
