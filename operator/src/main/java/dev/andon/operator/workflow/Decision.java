package dev.andon.operator.workflow;

import dev.andon.crds.WorkflowRecordSpec;
import dev.andon.crds.WorkflowStatus;
import dev.andon.operator.execution.Attempt;
import dev.andon.operator.execution.AttemptKey;
import dev.andon.operator.execution.Outcome;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What is to be done next, as data.
 *
 * @param status what status is to say, written only if it says something else now; null: nothing
 *     runs outside any more, so that the object, which is being deleted, is let go, and its status
 *     with it
 * @param record of a start that is decided upon: in the ledger before the status is written
 * @param begin attempts to begin once the status is written, intents of sends among them
 * @param cancel whether whatever runs is to be cancelled, before the status is written
 * @param strayJobs whether Jobs of the workflow may run of which its status does not tell, so that
 *     all of them are to be suspended, before the status is written
 * @param settled outcomes the status tells of
 * @param started whether the workflow has started: from then on a stop is latched
 * @param wakeUp when to decide again if nothing happens before; null once there is nothing left
 */
public record Decision(
    @Nullable WorkflowStatus status,
    @Nullable WorkflowRecordSpec record,
    List<Attempt> begin,
    boolean cancel,
    boolean strayJobs,
    Map<AttemptKey, Outcome> settled,
    boolean started,
    @Nullable Instant wakeUp) {}
