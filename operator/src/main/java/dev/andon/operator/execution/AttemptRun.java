package dev.andon.operator.execution;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One attempt while it is worked on, on its own virtual thread.
 *
 * <p>A cancel interrupts that thread once, wherever it waits; from then on whatever waits again
 * (making the cancel request, finding out how it ended) is not disturbed. If the attempt is given
 * up, the thread is interrupted again, and nothing it says counts any more.
 *
 * <p>How long it takes is measured with a monotonic clock: a wall clock that is set back by hours
 * would else give an attempt, also one that is being stopped, hours more.
 */
final class AttemptRun {
  private final Attempt attempt;
  private final Clock clock;
  private final Time time;
  private final long begun;
  private final Duration leftAtBegin;
  private final Consumer<Outcome> report;
  private final Consumer<@Nullable String> waits;

  private @Nullable Thread thread;
  private boolean cancelled;
  private boolean abandoned;
  private boolean ended;

  /** Whether it may be on its way out, and nobody knows yet what became of that. */
  private volatile boolean unanswered;

  private volatile @Nullable Runnable onceWritten;

  /**
   * @param clock for the times that are told
   * @param time for those that are waited
   * @param report takes {@link Outcome.Accepted} while the work goes on
   * @param waits takes what it waits for outside, as {@code Reason: message}; null: nothing any
   *     more
   */
  AttemptRun(
      Attempt attempt,
      Clock clock,
      Time time,
      Consumer<Outcome> report,
      Consumer<@Nullable String> waits) {
    this.attempt = attempt;
    this.clock = clock;
    this.time = time;
    this.begun = time.nanos();
    this.unanswered = attempt.work() instanceof Attempt.Work.Send;
    this.leftAtBegin = Duration.between(clock.instant(), attempt.deadline());
    this.report = report;
    this.waits = waits;
  }

  Attempt attempt() {
    return attempt;
  }

  /** How long it has been worked on in this process. */
  Duration worked() {
    return Duration.ofNanos(time.nanos() - begun);
  }

  /** What the wall clock says: for times that are told, not for how long something takes. */
  Instant now() {
    return clock.instant();
  }

  /** Time left until the deadline; negative when it has passed. */
  Duration left() {
    return leftAtBegin.minus(worked());
  }

  boolean pastDeadline() {
    return !left().isPositive();
  }

  /** It is under way outside, as this operation. */
  void accepted(String operation) {
    answered();
    report.accept(new Outcome.Accepted(operation));
  }

  /** It is under way outside and does not get on, for this reason; null: it does. */
  void waitsFor(@Nullable String why) {
    waits.accept(why);
  }

  /** What is to be done once its outcome is in status. */
  void onceWritten(Runnable last) {
    onceWritten = last;
  }

  @Nullable Runnable onceWritten() {
    return onceWritten;
  }

  /** Whatever becomes of this process, the next one finds out what became of the send. */
  void answered() {
    unanswered = false;
  }

  boolean unanswered() {
    return unanswered;
  }

  /** Waits. */
  void pause(Duration wait) throws InterruptedException {
    if (wait.isPositive()) {
      time.pause(wait);
    } else if (Thread.interrupted()) {
      throw new InterruptedException();
    }
  }

  synchronized boolean cancelled() {
    return cancelled;
  }

  /** Nobody waits for it any more, and what is under way outside is to go on. */
  synchronized boolean abandoned() {
    return abandoned;
  }

  /** A cancel that came before the thread began is delivered now. */
  synchronized void runsOn(Thread current) {
    thread = current;
    if (cancelled) {
      current.interrupt();
    }
  }

  synchronized void cancel() {
    if (!cancelled && !ended) {
      cancelled = true;
      if (thread != null) {
        thread.interrupt();
      }
    }
  }

  /** It is being ended already: a cancel that comes now, or is just coming, has nothing to add. */
  synchronized void ending() {
    cancelled = true;
    if (!abandoned) {
      Thread.interrupted();
    }
  }

  synchronized void abandon() {
    if (!ended) {
      cancelled = true;
      abandoned = true;
      if (thread != null) {
        thread.interrupt();
      }
    }
  }

  /** No interrupt comes after this. */
  synchronized void end() {
    ended = true;
    Thread.interrupted();
  }
}
