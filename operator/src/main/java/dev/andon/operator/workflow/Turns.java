package dev.andon.operator.workflow;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Lets workflows start one after the other, so that two that are decided about at the same time see
 * each other: the cache knows of a start only some time after it is written, and without this a
 * whole queue would start at once under {@code limits.maxRunning: 1}.
 *
 * <p>Thread-safe. Nothing is read or written while a decision has the turn.
 */
final class Turns {
  /**
   * Workflows this process let start, not yet seen in the cache, and their type. Guarded by this.
   */
  private final Map<String, String> started = new HashMap<>();

  /** Decides about a workflow that has not started, while nobody else does. */
  synchronized Decision decide(String uid, String workflowType, Supplier<Decision> decider) {
    // A start that could not be written is none.
    started.remove(uid);
    Decision decision = decider.get();
    if (decision.started()) {
      started.put(uid, workflowType);
    }
    return decision;
  }

  /**
   * How many other workflows of the type run.
   *
   * @param cached uids of those the cache knows of
   */
  synchronized int others(String uid, String workflowType, Set<String> cached) {
    // From then on the cache tells when it ends, also of one whose end nobody told this process.
    started.keySet().removeAll(cached);
    Set<String> running = new HashSet<>(cached);
    started.forEach(
        (other, type) -> {
          if (type.equals(workflowType)) {
            running.add(other);
          }
        });
    running.remove(uid);
    return running.size();
  }

  /** Those that are remembered. */
  synchronized Set<String> uids() {
    return Set.copyOf(started.keySet());
  }

  /** The workflow has finished, or is gone. */
  synchronized void forget(String uid) {
    started.remove(uid);
  }
}
