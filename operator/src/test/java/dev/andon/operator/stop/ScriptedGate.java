package dev.andon.operator.stop;

import dev.andon.crds.WorkflowStatus.StoppedBy;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A gate for the tests of other packages, which says what it was told to. A type nobody spoke of is
 * not visible. Permits given before a {@link #stop} or {@link #hide} are void, as the real ones.
 */
public final class ScriptedGate implements Gate {
  private final ConcurrentMap<String, StopView> views = new ConcurrentHashMap<>();
  private final AtomicLong revision = new AtomicLong(100);
  private final AtomicLong voids = new AtomicLong();
  private final AtomicInteger entered = new AtomicInteger();

  public ScriptedGate open(String workflowType) {
    return open(workflowType, "uid-1", "");
  }

  public ScriptedGate open(String workflowType, String configMapUid, String armingId) {
    views.put(workflowType, new StopView.Open(configMapUid, armingId, nextRevision()));
    return this;
  }

  public ScriptedGate stop(String workflowType) {
    views.put(
        workflowType,
        new StopView.Stopped(
            new StoppedBy(workflowType, "stop", nextRevision(), "kubectl-patch", "a drill")));
    voids.incrementAndGet();
    return this;
  }

  public ScriptedGate hide(String why) {
    views.replaceAll((_, _) -> new StopView.NotVisible(why));
    voids.incrementAndGet();
    return this;
  }

  /** How often somebody asked. */
  public int entered() {
    return entered.get();
  }

  @Override
  public Entry enter(String workflowType) {
    entered.incrementAndGet();
    long given = voids.get();
    StopView view = view(workflowType);
    return view instanceof StopView.Open open
        ? new Entry.Granted(new Permit(open, () -> voids.get() == given))
        : new Entry.Refused(view);
  }

  @Override
  public StopView view(String workflowType) {
    return views.getOrDefault(workflowType, new StopView.NotVisible("no script"));
  }

  private String nextRevision() {
    return Long.toString(revision.incrementAndGet());
  }
}
