package dev.andon.operator.ledger;

/** Whether a run may be gone on with, by one that has not started. */
public sealed interface Claim {
  /** Nobody else goes on with it, or has. */
  record Free() implements Claim {}

  /**
   * Another Workflow goes on with it, or has.
   *
   * @param workflow its name
   * @param uid of it
   * @param record name of its own record
   */
  record Taken(String workflow, String uid, String record, Standing standing) implements Claim {}

  /** How it stands with the other one. */
  enum Standing {
    /** It is there, and has not started yet. */
    WAITS,
    /** It is there, and has started: its status tells what both did. */
    STARTED,
    /** It is there, and has ended without a start in its status, and the ledger tells of one. */
    LOST,
    /** It is gone, or another Workflow has its name, and the ledger tells of a run of it. */
    GONE
  }

  /** The record of the run does not tell. */
  record Untold(String record, String why) implements Claim {}

  Claim FREE = new Free();
}
