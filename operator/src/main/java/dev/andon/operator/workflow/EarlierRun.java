package dev.andon.operator.workflow;

import dev.andon.crds.WorkflowSpec;
import dev.andon.crds.WorkflowStatus;
import dev.andon.operator.ledger.Claim;
import org.jspecify.annotations.Nullable;

/** What there is of the workflow that {@code spec.continueFrom} names. */
sealed interface EarlierRun {
  /** None is named, or it is known already: what was taken over is in status. */
  record NotAsked() implements EarlierRun {}

  /** The API server says that there is none. */
  record Missing() implements EarlierRun {}

  /** The API server gave no answer. */
  record Unreadable(String why) implements EarlierRun {}

  /**
   * As the API server had it when it was asked, and not as some cache did.
   *
   * @param claim whether another one goes on with it, or has; of one that never started nobody asks
   */
  record Found(String uid, WorkflowSpec spec, @Nullable WorkflowStatus status, Claim claim)
      implements EarlierRun {}

  EarlierRun NOT_ASKED = new NotAsked();
  EarlierRun MISSING = new Missing();
}
