package dev.andon.policies;

import dev.andon.plan.JobTypes;
import java.util.ArrayList;
import java.util.List;

/**
 * Whether a policy can be applied, for its condition Ready. A policy that is not ready denies every
 * workflow it matches, if its enforcement is Deny; of enforcement Warn or Audit it only warns,
 * since it could never have denied.
 *
 * @param problems why it is not ready; empty if it is
 * @param warnings worth knowing, without effect
 */
public record PolicyHealth(Reason reason, List<String> problems, List<String> warnings) {
  private static final int MESSAGE_LENGTH = 1_024;

  public PolicyHealth {
    problems = List.copyOf(problems);
    warnings = List.copyOf(warnings);
  }

  /** Judges a policy against the job types there are. */
  public static PolicyHealth of(Policy policy, JobTypes jobTypes) {
    return of(PolicyReading.of(policy, jobTypes));
  }

  static PolicyHealth of(PolicyReading reading) {
    var problems = new ArrayList<String>();
    problems.addAll(reading.invalid());
    problems.addAll(reading.unsupported());
    problems.addAll(reading.guardsNothing());
    Reason reason =
        !reading.invalid().isEmpty()
            ? Reason.INVALID_SETTINGS
            : !reading.unsupported().isEmpty()
                ? Reason.UNSUPPORTED_RULE
                : !reading.guardsNothing().isEmpty() ? Reason.VACUOUS : Reason.READY;
    return new PolicyHealth(reason, problems, reading.warnings());
  }

  public boolean ready() {
    return reason == Reason.READY;
  }

  /** For the condition: the problems, or if there is none the warnings; at most 1,024 chars. */
  public String message() {
    var all = new ArrayList<>(problems);
    all.addAll(warnings);
    return all.isEmpty() ? "the policy is applied" : Message.of(all, MESSAGE_LENGTH);
  }

  /** Reason of the condition Ready. The texts are public API. */
  public enum Reason {
    READY("Ready"),
    /** A rule guards nothing, because its job type or arg exists nowhere. */
    VACUOUS("Vacuous"),
    INVALID_SETTINGS("InvalidSettings"),
    /** A rule of a newer version, or none at all. */
    UNSUPPORTED_RULE("UnsupportedRule");

    private final String text;

    Reason(String text) {
      this.text = text;
    }

    /** As the condition spells it. */
    public String text() {
      return text;
    }
  }
}
