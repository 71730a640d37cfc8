package dev.andon.cli.prune;

import dev.andon.crds.Condition;
import dev.andon.crds.Timestamp;
import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowRecord;
import dev.andon.crds.WorkflowRecordSpec;
import dev.andon.crds.WorkflowStatus;
import dev.andon.plan.RecordName;
import dev.andon.plan.SpecHash;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;

/**
 * What is to become of a Workflow. It goes only if nothing is lost with it: it has finished, long
 * enough ago, and its record says how, so that it would not run again if it were created again.
 */
sealed interface Pruning {
  /** It goes. */
  record Goes(String outcome, Instant finished, String record) implements Pruning {}

  /** Old enough, and it stays all the same. */
  record Stays(String why) implements Pruning {}

  /** It has not finished, or not long enough ago. */
  record NotYet() implements Pruning {}

  /**
   * @param finishedBefore what finished later stays
   * @param records by name, the newest there is
   */
  static Pruning of(
      Workflow workflow,
      Instant finishedBefore,
      Function<String, Optional<WorkflowRecord>> records) {
    WorkflowStatus status = workflow.getStatus();
    Instant finished = status == null ? null : status.completionTime();
    Optional<Condition> condition = status == null ? Optional.empty() : status.finished();
    if (condition.isEmpty() || workflow.getMetadata().getDeletionTimestamp() != null) {
      return new NotYet();
    }
    if (finished == null || finished.equals(Timestamp.UNREADABLE)) {
      return new Stays("status.completionTime: is missing, so nobody knows how old it is");
    }
    if (!finished.isBefore(finishedBefore)) {
      return new NotYet();
    }
    String name =
        RecordName.of(
            workflow.getMetadata().getNamespace(),
            workflow.getMetadata().getName(),
            SpecHash.of(workflow.getSpec()));
    WorkflowRecordSpec record = records.apply(name).map(WorkflowRecord::getSpec).orElse(null);
    if (record == null) {
      return new Stays(
          "it has no record (%s): it never ran. kubectl delete takes it away"
              .formatted(condition.get().reason()));
    }
    if (record.workflow() == null
        || !Objects.equals(record.workflow().uid(), workflow.getMetadata().getUid())) {
      return new Stays(
          "its record %s is of another run (%s). kubectl delete takes it away"
              .formatted(name, condition.get().reason()));
    }
    if (record.outcome() == null) {
      return new Stays(
          "its record %s is not closed yet; the operator does that within minutes".formatted(name));
    }
    return new Goes(record.outcome(), finished, name);
  }
}
