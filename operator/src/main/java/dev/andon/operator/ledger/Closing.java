package dev.andon.operator.ledger;

import dev.andon.crds.WorkflowRecordSpec.Action;
import dev.andon.crds.WorkflowStatus.JobCounts;
import dev.andon.crds.WorkflowStatus.PinnedJobType;
import dev.andon.crds.WorkflowStatus.PolicyVerdict;
import dev.andon.crds.WorkflowStatus.StoppedBy;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a run ended.
 *
 * @param record name of its record
 * @param uid of the Workflow
 * @param actions who acted on it, as far as its status still tells
 * @param outcome the final reason, or {@link #DELETED}
 */
public record Closing(
    String record,
    String uid,
    String outcome,
    @Nullable Instant startTime,
    Instant completionTime,
    @Nullable JobCounts jobs,
    @Nullable StoppedBy stoppedBy,
    List<PolicyVerdict> policies,
    List<PinnedJobType> jobTypes,
    List<Action> actions) {
  public static final String DELETED = "Deleted";
}
