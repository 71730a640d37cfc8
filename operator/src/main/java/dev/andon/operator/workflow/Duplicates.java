package dev.andon.operator.workflow;

import dev.andon.operator.ledger.LedgerView;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** What the ledger tells of a workflow that has not started, and that ends it. */
final class Duplicates {
  private static final String WAY_OUT =
      "To run it again on purpose, create the Workflow with another spec.runId";

  private Duplicates() {}

  static @Nullable State of(Deciding d) {
    if (d.started()) {
      return null;
    }
    return switch (d.snapshot().ledger()) {
      case LedgerView.NotAsked notAsked -> null;
      case LedgerView.Free free -> null;
      case LedgerView.Opened opened -> null;
      case LedgerView.Unavailable unavailable -> null;
      case LedgerView.Taken taken -> {
        d.refuse();
        yield State.rejected(
            Reasons.DUPLICATE_RUN,
            "this spec ran before under this name: WorkflowRecord %s tells of uid %s%s%s. %s"
                .formatted(
                    taken.record(),
                    taken.uid(),
                    started(taken.startTime()),
                    taken.outcome() == null
                        ? "; how it ended is not known"
                        : ", ended " + taken.outcome(),
                    WAY_OUT));
      }
      case LedgerView.Damaged damaged -> {
        d.refuse();
        yield State.rejected(
            Reasons.DUPLICATE_RUN,
            "WorkflowRecord %s is in the place of this run's, and cannot be trusted: %s. So it cannot be ruled out that this spec ran before. %s"
                .formatted(damaged.record(), damaged.why(), WAY_OUT));
      }
      case LedgerView.Begun begun ->
          State.failed(
              Reasons.CORRUPT_STATUS,
              "WorkflowRecord %s tells that this Workflow was started, and its status does not: it cannot be known what ran; its Kubernetes Jobs are suspended. Look at what the jobs did, then create a new Workflow for what is left"
                  .formatted(begun.record()));
    };
  }

  private static String started(@Nullable Instant time) {
    return time == null ? "" : ", started " + time;
  }
}
