package dev.andon.operator.workflow;

import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowRecordSpec;
import dev.andon.crds.WorkflowRecordSpec.WorkflowRef;
import dev.andon.crds.WorkflowStatus;
import dev.andon.operator.ledger.Ledger;
import dev.andon.operator.ledger.LedgerView;
import dev.andon.plan.SpecHash;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** What the ledger has to say before the status of a decision is written. */
final class LedgerEntry {
  private LedgerEntry() {}

  /**
   * Null: the status may be written. Otherwise what the ledger says to that, to be decided upon.
   *
   * @param workflow that the status is to be written over, under its resourceVersion
   * @param said what the ledger said before, and the decision was made from
   * @param differs whether writing a status would change anything
   */
  static @Nullable LedgerView before(
      Ledger ledger,
      Decision decision,
      Workflow workflow,
      LedgerView said,
      Predicate<WorkflowStatus> differs) {
    String version = workflow.getMetadata().getResourceVersion();
    if (decision.record() != null) {
      LedgerView answer = ledger.open(decision.record(), version);
      return answer instanceof LedgerView.Opened ? null : answer;
    }
    WorkflowStatus status = decision.status();
    if (status == null
        || decision.started()
        || isSettled(workflow.getStatus())
        || !Conditions.isTrue(status.conditions(), Conditions.ACCEPTED)
        || said instanceof LedgerView.Begun
        || !differs.test(status)) {
      return null;
    }
    LedgerView answer = ledger.giveUp(run(workflow, status), version);
    boolean free = answer instanceof LedgerView.Free || answer instanceof LedgerView.Unavailable;
    return free ? null : answer;
  }

  /** It has started or finished, and its status says so: there is nothing to be given up. */
  private static boolean isSettled(@Nullable WorkflowStatus status) {
    return status != null
        && (status.startTime() != null
            || Conditions.isTrue(status.conditions(), Conditions.FINISHED));
  }

  /** Which run it is, and nothing of how it goes. */
  private static WorkflowRecordSpec run(Workflow workflow, WorkflowStatus status) {
    return new WorkflowRecordSpec(
        new WorkflowRef(
            workflow.getMetadata().getNamespace(),
            workflow.getMetadata().getName(),
            workflow.getMetadata().getUid(),
            workflow.getSpec().type()),
        status.specHash() == null ? SpecHash.of(workflow.getSpec()) : status.specHash(),
        workflow.getSpec().runId(),
        null,
        null,
        null,
        null,
        workflow.getSpec().requestedBy(),
        null,
        null,
        List.of(),
        List.of(),
        List.of(),
        null);
  }
}
