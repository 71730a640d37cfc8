package dev.andon.operator.stop;

import dev.andon.crds.WorkflowStatus.StoppedBy;
import dev.andon.operator.cluster.Revision;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Which started workflows have seen a stop. Once latched a workflow stays so until {@link
 * #release}: a {@code go} a millisecond later opens the gate for others and resumes nothing.
 *
 * <p>Held in memory only; what was missed while no operator ran is found by the arming that the
 * workflow keeps in its status. Thread-safe.
 */
public final class Latch {
  private final Function<String, StopView> gateView;
  private final Map<String, Enrolled> byUid = new HashMap<>(); // guarded by this

  /** By type, only those not latched: what a stop has to look at. */
  private final Map<String, Map<String, Enrolled>> free = new HashMap<>(); // guarded by this

  /** A workflow that has just been latched. */
  public record Latched(String uid, String workflowType, StoppedBy by) {}

  /** Told of all that one stop latched; on the stop's own thread. */
  public interface Listener {
    void latched(List<Latched> newly);
  }

  /** {@code openAt}: the ConfigMap's revision that was open when it was enrolled; null: unknown. */
  private record Enrolled(
      String workflowType, @Nullable String openAt, @Nullable StoppedBy stoppedBy) {}

  /** {@code gateView}: {@link Gate#view}, which must know of a stop before {@link #stopSeen}. */
  Latch(Function<String, StopView> gateView) {
    this.gateView = gateView;
  }

  /**
   * From now on every stop of the type that is seen latches this workflow. To be called before the
   * first intent is written, and when a started workflow is met after a restart; again does nothing
   * but answer.
   *
   * @return the stop that has latched it, if one has; also one that is in force right now. A
   *     workflow that has not started is then released again and waits
   */
  public synchronized Optional<StoppedBy> enroll(String uid, String workflowType) {
    Enrolled known = byUid.get(uid);
    if (known == null) {
      // Enrolled and looked at in one step: a stop seen before it is in this view, a stop seen
      // after it finds the entry. (The gate knows of a stop before stopSeen is called.)
      known =
          switch (gateView.apply(workflowType)) {
            case StopView.Open open -> new Enrolled(workflowType, open.resourceVersion(), null);
            case StopView.Stopped stopped -> new Enrolled(workflowType, null, stopped.by());
            // Nobody knows: whatever stop is seen next counts.
            case StopView.NotVisible _ -> new Enrolled(workflowType, null, null);
          };
      byUid.put(uid, known);
      if (known.stoppedBy == null) {
        free.computeIfAbsent(workflowType, _ -> new LinkedHashMap<>()).put(uid, known);
      }
    }
    return Optional.ofNullable(known.stoppedBy);
  }

  /** The stop that latched the workflow; empty also for one that is not enrolled. */
  public synchronized Optional<StoppedBy> latched(String uid) {
    Enrolled known = byUid.get(uid);
    return known == null ? Optional.empty() : Optional.ofNullable(known.stoppedBy);
  }

  /** Whether a workflow of this type is enrolled, and no stop has latched it. */
  public synchronized boolean runs(String uid, String workflowType) {
    Enrolled known = byUid.get(uid);
    return known != null && known.stoppedBy == null && known.workflowType.equals(workflowType);
  }

  /** The workflow has ended, is gone, or did not start after all. */
  public synchronized void release(String uid) {
    Enrolled known = byUid.remove(uid);
    if (known != null) {
      noLongerFree(uid, known.workflowType);
    }
  }

  /**
   * A state of the ConfigMap was seen: latches every enrolled workflow whose type it stops.
   *
   * @return those it latched just now
   */
  synchronized List<Latched> stopSeen(Function<String, StopView> view) {
    List<Latched> newly = new ArrayList<>();
    for (String type : List.copyOf(free.keySet())) {
      if (view.apply(type) instanceof StopView.Stopped(StoppedBy by)) {
        Map<String, Enrolled> ofType = free.getOrDefault(type, Map.of());
        List.copyOf(ofType.entrySet()).stream()
            .filter(one -> !isOlder(by.configMapResourceVersion(), one.getValue().openAt))
            .forEach(
                one -> {
                  byUid.put(one.getKey(), new Enrolled(type, one.getValue().openAt, by));
                  noLongerFree(one.getKey(), type);
                  newly.add(new Latched(one.getKey(), type, by));
                });
      }
    }
    return newly;
  }

  private void noLongerFree(String uid, String workflowType) {
    Map<String, Enrolled> ofType = free.get(workflowType);
    if (ofType != null && ofType.remove(uid) != null && ofType.isEmpty()) {
      free.remove(workflowType);
    }
  }

  /**
   * A watch that lags tells of a stop that was over before this workflow was enrolled: that one is
   * not its own. Where one of the two cannot be compared the stop counts.
   */
  private static boolean isOlder(@Nullable String stop, @Nullable String openAt) {
    Optional<Revision> stopped = Revision.of(stop);
    Optional<Revision> opened = Revision.of(openAt);
    return stopped.isPresent() && opened.isPresent() && stopped.get().compareTo(opened.get()) <= 0;
  }
}
