package dev.andon.operator.execution;

import dev.andon.crds.JobTypeSpec;
import java.time.Instant;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The attempts this process works on, and what became of them. Outcomes are kept until the status
 * that holds them is written: {@link #outcomes} then {@link #settle}. Uids are those of the
 * workflows that have them run, which need not be those of the keys.
 */
public interface Executions {
  /** Begins; does nothing if the attempt is already worked on or has an outcome not yet settled. */
  void begin(Attempt attempt);

  /**
   * Its intent may have been written or not, nobody knows; but it was not begun, and is not by that
   * intent. Does nothing if the attempt is worked on or has an outcome not yet settled.
   */
  void neverBegun(Attempt attempt);

  /** Ends whatever is worked on for the workflow of this uid, and asks what runs outside to end. */
  void cancel(String uid);

  /** Ends one job's attempt, likewise. Does nothing if it is not worked on. */
  void cancel(AttemptKey key);

  /** Attempts worked on for the workflow, and not ended. */
  Set<AttemptKey> underWay(String uid);

  /** What became of attempts of the workflow, not yet settled. */
  Map<AttemptKey, Outcome> outcomes(String uid);

  /** What attempts of the workflow wait for that people may have to do something about. */
  Map<AttemptKey, Wait> waits(String uid);

  /**
   * What an attempt waits for.
   *
   * @param begun whether it is under way outside and does not get on there; else it was not begun
   *     when it was last tried
   * @param why {@code Reason: message}
   */
  record Wait(boolean begun, String why) {
    String reason() {
      return why.substring(0, why.indexOf(':'));
    }
  }

  /**
   * The workflow's status that tells of these outcomes is written; they are forgotten. An outcome
   * that has since been replaced by a later one of the same attempt stays.
   */
  void settle(String uid, Map<AttemptKey, Outcome> written);

  /** The workflow is over: whatever is left of it is forgotten. */
  void forget(String uid);

  /** Takes over the rate limit of a job type as it is now. Attempts do so too, when they begin. */
  void jobTypeChanged(String jobType, JobTypeSpec spec);

  /** How many sends of the job type may begin now; Integer.MAX_VALUE without a limit. */
  int sendsLeft(String jobType);

  /** When a send of the job type may next begin, if none may now. */
  Optional<Instant> nextSend(String jobType);

  /** Until when the circuit of the job type's target is open, if it is. */
  Optional<Instant> circuitOpenUntil(String jobType);

  /** Attempts worked on in all. */
  Collection<AttemptKey> all();
}
