package dev.andon.operator.workflow;

import dev.andon.crds.Condition;
import java.time.Clock;
import java.util.List;

/**
 * Condition Ready of an object that is judged and not run: a policy or a job type.
 *
 * @param reason CamelCase; public API
 */
public record ReadyCondition(boolean ready, String reason, String message) {
  /** The condition, its transition time kept where the status is the same as before. */
  public Condition after(List<Condition> previous, Long generation, Clock clock) {
    return Conditions.judged(
        Conditions.READY, ready, reason, message, previous, generation, clock.instant());
  }
}
