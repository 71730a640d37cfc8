package dev.andon.operator.workflow;

import dev.andon.crds.Condition;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;

/**
 * Condition Ready of an object that is judged and not run: a policy or a job type.
 *
 * @param reason CamelCase; public API
 */
public record ReadyCondition(boolean ready, String reason, String message) {
  private static final int MAX_MESSAGE = 4_096;

  /** The condition, its transition time kept where the status is the same as before. */
  public Condition after(List<Condition> previous, Long generation, Clock clock) {
    String status = ready ? "True" : "False";
    Instant transition =
        Conditions.find(previous, Conditions.READY)
            .filter(c -> status.equals(c.status()) && c.lastTransitionTime() != null)
            .map(Condition::lastTransitionTime)
            .orElseGet(() -> clock.instant().truncatedTo(ChronoUnit.MILLIS));
    return new Condition(
        Conditions.READY,
        status,
        generation,
        transition,
        reason,
        Conditions.cut(message, MAX_MESSAGE));
  }
}
