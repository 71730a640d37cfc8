package dev.andon.operator.ledger;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** What the ledger says about a workflow that has not started. */
public sealed interface LedgerView {
  /** Nobody has asked yet. */
  record NotAsked() implements LedgerView {}

  /** There was no record of this run when it was asked for. The create alone is the truth. */
  record Free() implements LedgerView {}

  /** There is a record of this workflow, and nothing of it has begun. */
  record Opened() implements LedgerView {}

  /**
   * Another object of the same namespace, name and spec ran before.
   *
   * @param record name of the record
   * @param uid of the one that ran
   * @param outcome how it ended; null: that is not known
   */
  record Taken(String record, String uid, @Nullable Instant startTime, @Nullable String outcome)
      implements LedgerView {}

  /** There is a record of this workflow, and its status no longer tells what of it began. */
  record Begun(String record) implements LedgerView {}

  /** There is a record, and it cannot be what this operator wrote: whoever ran, something did. */
  record Damaged(String record, String why) implements LedgerView {}

  /** The record could not be read or written. */
  record Unavailable(String why) implements LedgerView {}

  LedgerView NOT_ASKED = new NotAsked();
  LedgerView FREE = new Free();
  LedgerView OPENED = new Opened();
}
