package dev.andon.operator.workflow;

/** Reasons of conditions and failures. Public API: scripts and alerts are written against them. */
final class Reasons {
  private Reasons() {}

  static final String RUNNING = "Running";
  static final String STOPPING = "Stopping";
  static final String EMERGENCY_STOP = "EmergencyStop";
  static final String STOP_UNKNOWN = "StopUnknown";
  static final String NOT_ADMITTED_YET = "NotAdmittedYet";
  static final String START_REQUIRED = "StartRequired";
  static final String PAUSED = "Paused";
  static final String UNKNOWN_OUTCOME = "UnknownOutcome";
  static final String POLICY_DENIED = "PolicyDenied";
  static final String JOB_TYPE_CHANGED = "JobTypeChanged";
  static final String ITEMS_CHANGED = "ItemsChanged";
  static final String CIRCUIT_OPEN = "CircuitOpen";
  static final String INVALID_SPEC = "InvalidSpec";
  static final String JOB_FAILED = "JobFailed";
  static final String FATAL_FAILURE = "FatalFailure";
  static final String DEADLINE_EXCEEDED = "DeadlineExceeded";
  static final String START_DEADLINE_EXCEEDED = "StartDeadlineExceeded";
  static final String CANCELLED = "Cancelled";
  static final String CORRUPT_STATUS = "CorruptStatus";
  static final String DUPLICATE_RUN = "DuplicateRun";
  static final String LEDGER_UNAVAILABLE = "LedgerUnavailable";
  static final String EARLIER_RUN_UNAVAILABLE = "EarlierRunUnavailable";
  static final String COMPLETE = "Complete";
  static final String COMPLETED_WITH_FAILURES = "CompletedWithFailures";

  /** Of a failure: a person said so. */
  static final String RESOLVED_AS_FAILED = "ResolvedAsFailed";

  /** Of condition Protected. */
  static final String PROTECTION_MISSING = "ProtectionMissing";

  /** Of condition Accepted. */
  static final String ACCEPTED = "Accepted";
}
