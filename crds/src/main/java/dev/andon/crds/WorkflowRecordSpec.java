package dev.andon.crds;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import dev.andon.crds.WorkflowStatus.JobCounts;
import dev.andon.crds.WorkflowStatus.StoppedBy;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * @param decidedFrom resourceVersion of the Workflow that its start was decided from: while the
 *     Workflow still has it, nothing of it has begun. {@code none}: that start was given up
 * @param outcome absent while it runs; the final reason, or Deleted
 * @param actions who acted on it
 * @param continuedBy absent while no other run goes on with this one
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
public record WorkflowRecordSpec(
    @Nullable WorkflowRef workflow,
    @Nullable String specHash,
    @Nullable String runId,
    @Nullable String decidedFrom,
    @Timestamp @Nullable Instant startTime,
    @Timestamp @Nullable Instant completionTime,
    @Nullable String outcome,
    @Nullable RequestedBy requestedBy,
    @Nullable JobCounts jobs,
    @Nullable StoppedBy stoppedBy,
    List<WorkflowStatus.PolicyVerdict> policies,
    List<WorkflowStatus.PinnedJobType> jobTypes,
    List<Action> actions,
    @Nullable ContinuedBy continuedBy) {
  public WorkflowRecordSpec {
    policies = Absent.orEmpty(policies);
    jobTypes = Absent.orEmpty(jobTypes);
    actions = Absent.orEmpty(actions);
  }

  /** The same, of a start decided from this version of the Workflow. */
  public WorkflowRecordSpec decidedFrom(String resourceVersion) {
    return new WorkflowRecordSpec(
        workflow,
        specHash,
        runId,
        resourceVersion,
        startTime,
        completionTime,
        outcome,
        requestedBy,
        jobs,
        stoppedBy,
        policies,
        jobTypes,
        actions,
        continuedBy);
  }

  /** The same, gone on with by this one. */
  public WorkflowRecordSpec continuedBy(ContinuedBy by) {
    return new WorkflowRecordSpec(
        workflow,
        specHash,
        runId,
        decidedFrom,
        startTime,
        completionTime,
        outcome,
        requestedBy,
        jobs,
        stoppedBy,
        policies,
        jobTypes,
        actions,
        by);
  }

  /**
   * The run that goes on where another one ended.
   *
   * @param workflow its name, in the namespace of the other
   * @param record name of its own record, which is there once it has started
   */
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record ContinuedBy(
      @Nullable String workflow, @Nullable String uid, @Nullable String record) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  public record WorkflowRef(
      @Nullable String namespace,
      @Nullable String name,
      @Nullable String uid,
      @Nullable String type) {}

  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Action(
      @Nullable String name,
      @Nullable String verb,
      @Nullable String by,
      @Nullable String reason,
      @Timestamp @Nullable Instant time) {}
}
