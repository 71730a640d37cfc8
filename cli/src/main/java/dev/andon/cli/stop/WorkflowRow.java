package dev.andon.cli.stop;

import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A workflow in the words of {@code kubectl get awf}.
 *
 * @param phase empty: no operator has looked at it yet
 * @param progress jobs ended / jobs; empty if not known yet
 * @param reason why it is not Ready
 * @param lastStatusWrite when the operator last wrote its status, as far as the API server knows
 */
public record WorkflowRow(
    String namespace,
    String name,
    String type,
    String phase,
    String progress,
    String reason,
    @Nullable Instant created,
    @Nullable Instant lastStatusWrite) {

  /** Where it stands, as far as a responder cares. */
  public enum Stage {
    /** Was never begun, or was begun by nobody yet. */
    WAITING,
    /** Has been begun, and may have something under way outside. */
    ALIVE,
    /** Saw a stop, and nothing of it is alive. */
    STOPPED,
    /** Ended otherwise. */
    FINISHED
  }

  public WorkflowRow {
    Objects.requireNonNull(name);
  }

  public Stage stage() {
    return switch (phase) {
      case "", "Pending" -> Stage.WAITING;
      case "Stopped" -> Stage.STOPPED;
      case "Failed", "Rejected", "Complete" -> Stage.FINISHED;
      // What this version does not know is not dead for that.
      default -> Stage.ALIVE;
    };
  }

  /** It starts by itself once its type is armed: nothing else holds it. */
  public boolean waitsForTheStop() {
    return phase.isEmpty() || (phase.equals("Pending") && reason.equals("EmergencyStop"));
  }

  public String fullName() {
    return namespace + "/" + name;
  }

  /** Jobs in all; empty if not known yet. */
  String jobs() {
    int slash = progress.indexOf('/');
    return slash < 0 ? "" : progress.substring(slash + 1);
  }
}
