package dev.andon.operator.workflow;

import dev.andon.crds.Condition;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The table of conditions, in the sense of kstatus. Always present: Ready, Reconciling, Stalled,
 * Suspended, Finished; Accepted once judged; Stopped, Failed, Complete only when True; Protected
 * only when False.
 */
final class Conditions {
  static final String READY = "Ready";
  static final String RECONCILING = "Reconciling";
  static final String STALLED = "Stalled";
  static final String SUSPENDED = "Suspended";
  static final String FINISHED = "Finished";
  static final String ACCEPTED = "Accepted";
  static final String STOPPED = "Stopped";
  static final String FAILED = "Failed";
  static final String COMPLETE = "Complete";

  /** Whether every protection of the emergency stop was in place when the workflow started. */
  static final String PROTECTED = "Protected";

  /** Of a job type that can be run: there is something dangerous about it. Only when True. */
  static final String WARNING = "Warning";

  /** The schema's bound on a condition's message. */
  private static final int MAX_MESSAGE = 4_096;

  private final List<Condition> previous;
  private final long generation;
  private final Instant now;
  private final List<Condition> conditions = new ArrayList<>();

  private Conditions(List<Condition> previous, long generation, Instant now) {
    this.previous = previous;
    this.generation = generation;
    this.now = now;
  }

  /**
   * @param accepted null if not judged yet
   * @param ending why a workflow that still runs will end; the reason of Reconciling, from which it
   *     is known again after a restart
   * @param unprotected what is missing of the stop's protections; null: nothing
   */
  static List<Condition> of(
      State state,
      @Nullable Boolean accepted,
      @Nullable String ending,
      @Nullable String unprotected,
      List<Condition> previous,
      long generation,
      Instant now) {
    var table = new Conditions(previous, generation, now);
    String reason = state.reason();
    String message = state.message();
    boolean finished = state.stage().finished();
    table.set(READY, state.stage() == State.Stage.COMPLETE, reason, message);
    table.set(RECONCILING, !finished, ending == null ? reason : ending, finished ? "" : message);
    switch (state.stage()) {
      case WAITING, HELD -> table.stalledSuspendedFinished(false, true, false, reason);
      case RUNNING, STOPPING -> table.stalledSuspendedFinished(false, false, false, reason);
      case STOPPED, FAILED, REJECTED -> table.stalledSuspendedFinished(true, false, true, reason);
      case COMPLETE -> table.stalledSuspendedFinished(false, false, true, reason);
    }
    if (accepted != null) {
      table.set(ACCEPTED, accepted, accepted ? Reasons.ACCEPTED : reason, accepted ? "" : message);
    }
    if (unprotected != null) {
      table.set(PROTECTED, false, Reasons.PROTECTION_MISSING, unprotected);
    }
    switch (state.stage()) {
      case STOPPING -> table.set(STOPPED, true, Reasons.EMERGENCY_STOP, message);
      case STOPPED -> {
        table.set(STOPPED, true, reason, message);
        table.set(FAILED, true, reason, message);
      }
      case FAILED, REJECTED -> table.set(FAILED, true, reason, message);
      case COMPLETE -> table.set(COMPLETE, true, reason, message);
      case WAITING, RUNNING, HELD -> {}
    }
    return List.copyOf(table.conditions);
  }

  /**
   * A condition of an object that is judged and not run; its transition time is kept where the
   * status is the same as before.
   */
  static Condition judged(
      String type,
      boolean status,
      String reason,
      String message,
      List<Condition> previous,
      long generation,
      Instant now) {
    var table = new Conditions(previous, generation, now.truncatedTo(ChronoUnit.MILLIS));
    table.set(type, status, reason, message);
    return table.conditions.getFirst();
  }

  /** The same conditions, following the generation. */
  static List<Condition> observing(List<Condition> conditions, long generation) {
    return conditions.stream()
        .map(
            c ->
                new Condition(
                    c.type(),
                    c.status(),
                    generation,
                    c.lastTransitionTime(),
                    c.reason(),
                    c.message()))
        .toList();
  }

  static boolean isTrue(List<Condition> conditions, String type) {
    return find(conditions, type).map(c -> "True".equals(c.status())).orElse(false);
  }

  static Optional<Condition> find(List<Condition> conditions, String type) {
    return conditions.stream().filter(c -> type.equals(c.type())).findFirst();
  }

  private void stalledSuspendedFinished(
      boolean stalled, boolean suspended, boolean finished, String reason) {
    set(STALLED, stalled, reason, "");
    set(SUSPENDED, suspended, reason, "");
    set(FINISHED, finished, reason, "");
  }

  private void set(String type, boolean status, String reason, String message) {
    String text = status ? "True" : "False";
    Instant transition =
        find(previous, type)
            .filter(c -> Objects.equals(c.status(), text) && c.lastTransitionTime() != null)
            .map(Condition::lastTransitionTime)
            .orElse(now);
    conditions.add(
        new Condition(type, text, generation, transition, reason, cut(message, MAX_MESSAGE)));
  }

  /**
   * At most so many characters, and no half of one: it would come back from the API server as
   * another one, and be written again at every look.
   */
  static String cut(String text, int max) {
    if (text.length() <= max) {
      return text;
    }
    return text.substring(0, Character.isHighSurrogate(text.charAt(max - 1)) ? max - 1 : max);
  }
}
