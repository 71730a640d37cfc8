package dev.andon.operator.execution;

import dev.andon.crds.WorkflowStatus.StoppedBy;
import dev.andon.operator.stop.Gate;
import dev.andon.operator.stop.StopView;
import dev.andon.operator.stop.TestPermits;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** A gate that a test opens and closes. Counts the permits that were used. */
final class FakeGate implements Gate {
  static final StopView OPEN = new StopView.Open("uid", "1", "7");
  static final StopView STOPPED =
      new StopView.Stopped(new StoppedBy("all", "stop", "8", "kubectl", "a fire"));
  static final StopView NOT_VISIBLE = new StopView.NotVisible("no answer within 2 s");

  private final AtomicInteger used = new AtomicInteger();
  private final AtomicInteger asked = new AtomicInteger();
  private volatile StopView view = OPEN;
  private volatile boolean silent;
  private volatile int stalePermits;
  private volatile Runnable whenAsked = () -> {};

  void set(StopView now) {
    view = now;
  }

  /** Answers no more. */
  void beSilent() {
    silent = true;
  }

  /** The next permits go stale before they are used. */
  void staleFor(int permits) {
    stalePermits = permits;
  }

  /** Before it answers. */
  void whenAsked(Runnable then) {
    whenAsked = then;
  }

  int permitsUsed() {
    return used.get();
  }

  int asked() {
    return asked.get();
  }

  @Override
  public Entry enter(String workflowType) throws InterruptedException {
    asked.incrementAndGet();
    whenAsked.run();
    if (silent) {
      new CountDownLatch(1).await();
    }
    if (!(view instanceof StopView.Open)) {
      return new Entry.Refused(view);
    }
    boolean stale = stalePermits > 0;
    stalePermits = Math.max(0, stalePermits - 1);
    return new Entry.Granted(
        TestPermits.goodWhile(
            () -> {
              boolean good = !stale && view instanceof StopView.Open;
              if (good) {
                used.incrementAndGet();
              }
              return good;
            }));
  }

  @Override
  public StopView view(String workflowType) {
    return view;
  }
}
