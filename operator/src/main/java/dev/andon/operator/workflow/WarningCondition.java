package dev.andon.operator.workflow;

import dev.andon.crds.Condition;
import java.time.Clock;
import java.util.List;

/**
 * Condition Warning of an object that can be run, and should be changed all the same. It is there
 * only as long as there is something to warn of.
 *
 * @param reason CamelCase; public API
 */
public record WarningCondition(String reason, String message) {
  /** The condition, its transition time kept if it was there before. */
  public Condition after(List<Condition> previous, Long generation, Clock clock) {
    return Conditions.judged(
        Conditions.WARNING, true, reason, message, previous, generation, clock.instant());
  }
}
