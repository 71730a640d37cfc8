package dev.andon.proto;

import static dev.andon.proto.Present.set;

import dev.andon.crds.Condition;
import dev.andon.crds.WorkflowStatus;
import dev.andon.workflow.v1.Action;
import dev.andon.workflow.v1.Active;
import dev.andon.workflow.v1.Armed;
import dev.andon.workflow.v1.BlockStatus;
import dev.andon.workflow.v1.Continued;
import dev.andon.workflow.v1.EarlierAttempt;
import dev.andon.workflow.v1.Failure;
import dev.andon.workflow.v1.JobCounts;
import dev.andon.workflow.v1.PausedBy;
import dev.andon.workflow.v1.PinnedJobType;
import dev.andon.workflow.v1.PolicyVerdict;
import dev.andon.workflow.v1.StartedBy;
import dev.andon.workflow.v1.StoppedBy;
import dev.andon.workflow.v1.UnknownAttempts;

final class StatusMapping {
  private StatusMapping() {}

  static dev.andon.workflow.v1.WorkflowStatus toProto(WorkflowStatus status) {
    var m = dev.andon.workflow.v1.WorkflowStatus.newBuilder();
    set(status.observedGeneration(), m::setObservedGeneration);
    set(status.phase(), m::setPhase);
    set(status.progress(), m::setProgress);
    set(status.currentBlock(), m::setCurrentBlock);
    set(status.starts(), m::setStarts);
    set(status.armed(), armed -> m.setArmed(toProto(armed)));
    set(status.paused(), paused -> m.setPaused(pausedBy(paused)));
    set(status.jobs(), jobs -> m.setJobs(toProto(jobs)));
    status.blocks().forEach(each -> m.addBlocks(toProto(each)));
    status.active().forEach(each -> m.addActive(toProto(each)));
    status.failures().forEach(each -> m.addFailures(toProto(each)));
    status.policies().forEach(each -> m.addPolicies(toProto(each)));
    status.jobTypes().forEach(each -> m.addJobTypes(toProto(each)));
    set(status.specHash(), m::setSpecHash);
    set(status.startTime(), time -> m.setStartTime(Times.toProto(time)));
    set(status.completionTime(), time -> m.setCompletionTime(Times.toProto(time)));
    set(status.stoppedBy(), stoppedBy -> m.setStoppedBy(toProto(stoppedBy)));
    status.conditions().forEach(each -> m.addConditions(toProto(each)));
    set(status.duration(), m::setDuration);
    set(status.startedBy(), by -> m.setStartedBy(startedBy(by)));
    status.actions().forEach(each -> m.addActions(toProto(each)));
    set(status.continued(), continued -> m.setContinued(toProto(continued)));
    status.earlierAttempts().forEach(each -> m.addEarlierAttempts(toProto(each)));
    set(status.firstJudged(), time -> m.setFirstJudged(Times.toProto(time)));
    return m.build();
  }

  static WorkflowStatus fromProto(dev.andon.workflow.v1.WorkflowStatus m) {
    return new WorkflowStatus(
        m.hasObservedGeneration() ? m.getObservedGeneration() : null,
        m.hasPhase() ? m.getPhase() : null,
        m.hasProgress() ? m.getProgress() : null,
        m.hasCurrentBlock() ? m.getCurrentBlock() : null,
        m.hasStarts() ? m.getStarts() : null,
        m.hasArmed() ? fromProto(m.getArmed()) : null,
        m.hasPaused() ? fromProto(m.getPaused()) : null,
        m.hasJobs() ? fromProto(m.getJobs()) : null,
        m.getBlocksList().stream().map(StatusMapping::fromProto).toList(),
        m.getActiveList().stream().map(StatusMapping::fromProto).toList(),
        m.getFailuresList().stream().map(StatusMapping::fromProto).toList(),
        m.getPoliciesList().stream().map(StatusMapping::fromProto).toList(),
        m.getJobTypesList().stream().map(StatusMapping::fromProto).toList(),
        m.hasSpecHash() ? m.getSpecHash() : null,
        m.hasStartTime() ? Times.fromProto(m.getStartTime()) : null,
        m.hasCompletionTime() ? Times.fromProto(m.getCompletionTime()) : null,
        m.hasStoppedBy() ? fromProto(m.getStoppedBy()) : null,
        m.getConditionsList().stream().map(StatusMapping::fromProto).toList(),
        m.hasDuration() ? m.getDuration() : null,
        m.hasStartedBy() ? fromProto(m.getStartedBy()) : null,
        m.getActionsList().stream().map(StatusMapping::fromProto).toList(),
        m.hasContinued() ? fromProto(m.getContinued()) : null,
        m.getEarlierAttemptsList().stream().map(StatusMapping::fromProto).toList(),
        m.hasFirstJudged() ? Times.fromProto(m.getFirstJudged()) : null);
  }

  private static Armed toProto(WorkflowStatus.Armed armed) {
    var m = Armed.newBuilder();
    set(armed.configMapUID(), m::setConfigMapUid);
    set(armed.id(), m::setId);
    return m.build();
  }

  private static WorkflowStatus.Armed fromProto(Armed m) {
    return new WorkflowStatus.Armed(
        m.hasConfigMapUid() ? m.getConfigMapUid() : null, m.hasId() ? m.getId() : null);
  }

  private static PausedBy pausedBy(WorkflowStatus.ActedBy by) {
    var m = PausedBy.newBuilder();
    set(by.by(), m::setBy);
    set(by.action(), m::setAction);
    set(by.reason(), m::setReason);
    set(by.time(), time -> m.setTime(Times.toProto(time)));
    return m.build();
  }

  private static WorkflowStatus.ActedBy fromProto(PausedBy m) {
    return new WorkflowStatus.ActedBy(
        m.hasBy() ? m.getBy() : null,
        m.hasAction() ? m.getAction() : null,
        m.hasReason() ? m.getReason() : null,
        m.hasTime() ? Times.fromProto(m.getTime()) : null);
  }

  private static StartedBy startedBy(WorkflowStatus.ActedBy by) {
    var m = StartedBy.newBuilder();
    set(by.by(), m::setBy);
    set(by.action(), m::setAction);
    set(by.reason(), m::setReason);
    set(by.time(), time -> m.setTime(Times.toProto(time)));
    return m.build();
  }

  private static WorkflowStatus.ActedBy fromProto(StartedBy m) {
    return new WorkflowStatus.ActedBy(
        m.hasBy() ? m.getBy() : null,
        m.hasAction() ? m.getAction() : null,
        m.hasReason() ? m.getReason() : null,
        m.hasTime() ? Times.fromProto(m.getTime()) : null);
  }

  private static Action toProto(WorkflowStatus.Action action) {
    var m = Action.newBuilder();
    set(action.name(), m::setName);
    set(action.uid(), m::setUid);
    set(action.verb(), m::setVerb);
    set(action.by(), m::setBy);
    set(action.reason(), m::setReason);
    set(action.phase(), m::setPhase);
    set(action.message(), m::setMessage);
    set(action.time(), time -> m.setTime(Times.toProto(time)));
    return m.build();
  }

  private static WorkflowStatus.Action fromProto(Action m) {
    return new WorkflowStatus.Action(
        m.hasName() ? m.getName() : null,
        m.hasUid() ? m.getUid() : null,
        m.hasVerb() ? m.getVerb() : null,
        m.hasBy() ? m.getBy() : null,
        m.hasReason() ? m.getReason() : null,
        m.hasPhase() ? m.getPhase() : null,
        m.hasMessage() ? m.getMessage() : null,
        m.hasTime() ? Times.fromProto(m.getTime()) : null);
  }

  private static Continued toProto(WorkflowStatus.Continued continued) {
    var m = Continued.newBuilder();
    set(continued.workflow(), m::setWorkflow);
    set(continued.uid(), m::setUid);
    return m.build();
  }

  private static WorkflowStatus.Continued fromProto(Continued m) {
    return new WorkflowStatus.Continued(
        m.hasWorkflow() ? m.getWorkflow() : null, m.hasUid() ? m.getUid() : null);
  }

  private static EarlierAttempt toProto(WorkflowStatus.EarlierAttempt attempt) {
    var m = EarlierAttempt.newBuilder();
    set(attempt.block(), m::setBlock);
    set(attempt.indexes(), m::setIndexes);
    set(attempt.attempt(), m::setAttempt);
    set(attempt.workflow(), m::setWorkflow);
    set(attempt.uid(), m::setUid);
    set(attempt.jobType(), jobType -> m.setJobType(toProto(jobType)));
    return m.build();
  }

  private static WorkflowStatus.EarlierAttempt fromProto(EarlierAttempt m) {
    return new WorkflowStatus.EarlierAttempt(
        m.hasBlock() ? m.getBlock() : null,
        m.hasIndexes() ? m.getIndexes() : null,
        m.hasAttempt() ? m.getAttempt() : null,
        m.hasWorkflow() ? m.getWorkflow() : null,
        m.hasUid() ? m.getUid() : null,
        m.hasJobType() ? fromProto(m.getJobType()) : null);
  }

  private static UnknownAttempts toProto(WorkflowStatus.UnknownAttempts attempts) {
    var m = UnknownAttempts.newBuilder();
    set(attempts.attempt(), m::setAttempt);
    set(attempts.indexes(), m::setIndexes);
    return m.build();
  }

  private static WorkflowStatus.UnknownAttempts fromProto(UnknownAttempts m) {
    return new WorkflowStatus.UnknownAttempts(
        m.hasAttempt() ? m.getAttempt() : null, m.hasIndexes() ? m.getIndexes() : null);
  }

  private static JobCounts toProto(WorkflowStatus.JobCounts jobs) {
    var m = JobCounts.newBuilder();
    set(jobs.total(), m::setTotal);
    set(jobs.succeeded(), m::setSucceeded);
    set(jobs.failed(), m::setFailed);
    set(jobs.skipped(), m::setSkipped);
    set(jobs.running(), m::setRunning);
    set(jobs.unknown(), m::setUnknown);
    return m.build();
  }

  private static WorkflowStatus.JobCounts fromProto(JobCounts m) {
    return new WorkflowStatus.JobCounts(
        m.hasTotal() ? m.getTotal() : null,
        m.hasSucceeded() ? m.getSucceeded() : null,
        m.hasFailed() ? m.getFailed() : null,
        m.hasSkipped() ? m.getSkipped() : null,
        m.hasRunning() ? m.getRunning() : null,
        m.hasUnknown() ? m.getUnknown() : null);
  }

  private static BlockStatus toProto(WorkflowStatus.BlockStatus block) {
    var m = BlockStatus.newBuilder();
    set(block.name(), m::setName);
    set(block.total(), m::setTotal);
    set(block.succeeded(), m::setSucceeded);
    set(block.failed(), m::setFailed);
    set(block.skipped(), m::setSkipped);
    set(block.unknown(), m::setUnknown);
    set(block.startTime(), time -> m.setStartTime(Times.toProto(time)));
    set(block.nextBatchTime(), time -> m.setNextBatchTime(Times.toProto(time)));
    set(block.endTime(), time -> m.setEndTime(Times.toProto(time)));
    block.unknownAttempts().forEach(each -> m.addUnknownAttempts(toProto(each)));
    return m.build();
  }

  private static WorkflowStatus.BlockStatus fromProto(BlockStatus m) {
    return new WorkflowStatus.BlockStatus(
        m.hasName() ? m.getName() : null,
        m.hasTotal() ? m.getTotal() : null,
        m.hasSucceeded() ? m.getSucceeded() : null,
        m.hasFailed() ? m.getFailed() : null,
        m.hasSkipped() ? m.getSkipped() : null,
        m.hasUnknown() ? m.getUnknown() : null,
        m.hasStartTime() ? Times.fromProto(m.getStartTime()) : null,
        m.hasNextBatchTime() ? Times.fromProto(m.getNextBatchTime()) : null,
        m.hasEndTime() ? Times.fromProto(m.getEndTime()) : null,
        m.getUnknownAttemptsList().stream().map(StatusMapping::fromProto).toList());
  }

  private static Active toProto(WorkflowStatus.Active active) {
    var m = Active.newBuilder();
    set(active.block(), m::setBlock);
    set(active.index(), m::setIndex);
    set(active.attempt(), m::setAttempt);
    set(active.startTime(), time -> m.setStartTime(Times.toProto(time)));
    set(active.deadline(), time -> m.setDeadline(Times.toProto(time)));
    set(active.nextAttemptTime(), time -> m.setNextAttemptTime(Times.toProto(time)));
    set(active.sends(), m::setSends);
    set(active.operation(), m::setOperation);
    set(active.tries(), m::setTries);
    return m.build();
  }

  private static WorkflowStatus.Active fromProto(Active m) {
    return new WorkflowStatus.Active(
        m.hasBlock() ? m.getBlock() : null,
        m.hasIndex() ? m.getIndex() : null,
        m.hasAttempt() ? m.getAttempt() : null,
        m.hasStartTime() ? Times.fromProto(m.getStartTime()) : null,
        m.hasDeadline() ? Times.fromProto(m.getDeadline()) : null,
        m.hasNextAttemptTime() ? Times.fromProto(m.getNextAttemptTime()) : null,
        m.hasSends() ? m.getSends() : null,
        m.hasOperation() ? m.getOperation() : null,
        m.hasTries() ? m.getTries() : null);
  }

  private static Failure toProto(WorkflowStatus.Failure failure) {
    var m = Failure.newBuilder();
    set(failure.block(), m::setBlock);
    set(failure.index(), m::setIndex);
    set(failure.job(), m::setJob);
    set(failure.attempt(), m::setAttempt);
    set(failure.reason(), m::setReason);
    set(failure.message(), m::setMessage);
    set(failure.time(), time -> m.setTime(Times.toProto(time)));
    return m.build();
  }

  private static WorkflowStatus.Failure fromProto(Failure m) {
    return new WorkflowStatus.Failure(
        m.hasBlock() ? m.getBlock() : null,
        m.hasIndex() ? m.getIndex() : null,
        m.hasJob() ? m.getJob() : null,
        m.hasAttempt() ? m.getAttempt() : null,
        m.hasReason() ? m.getReason() : null,
        m.hasMessage() ? m.getMessage() : null,
        m.hasTime() ? Times.fromProto(m.getTime()) : null);
  }

  private static PolicyVerdict toProto(WorkflowStatus.PolicyVerdict policy) {
    var m = PolicyVerdict.newBuilder();
    set(policy.name(), m::setName);
    set(policy.generation(), m::setGeneration);
    set(policy.verdict(), m::setVerdict);
    set(policy.message(), m::setMessage);
    return m.build();
  }

  private static WorkflowStatus.PolicyVerdict fromProto(PolicyVerdict m) {
    return new WorkflowStatus.PolicyVerdict(
        m.hasName() ? m.getName() : null,
        m.hasGeneration() ? m.getGeneration() : null,
        m.hasVerdict() ? m.getVerdict() : null,
        m.hasMessage() ? m.getMessage() : null);
  }

  private static PinnedJobType toProto(WorkflowStatus.PinnedJobType jobType) {
    var m = PinnedJobType.newBuilder();
    set(jobType.name(), m::setName);
    set(jobType.uid(), m::setUid);
    set(jobType.generation(), m::setGeneration);
    return m.build();
  }

  private static WorkflowStatus.PinnedJobType fromProto(PinnedJobType m) {
    return new WorkflowStatus.PinnedJobType(
        m.hasName() ? m.getName() : null,
        m.hasUid() ? m.getUid() : null,
        m.hasGeneration() ? m.getGeneration() : null);
  }

  private static StoppedBy toProto(WorkflowStatus.StoppedBy stop) {
    var m = StoppedBy.newBuilder();
    set(stop.key(), m::setKey);
    set(stop.value(), m::setValue);
    set(stop.configMapResourceVersion(), m::setConfigMapResourceVersion);
    set(stop.manager(), m::setManager);
    set(stop.reason(), m::setReason);
    return m.build();
  }

  private static WorkflowStatus.StoppedBy fromProto(StoppedBy m) {
    return new WorkflowStatus.StoppedBy(
        m.hasKey() ? m.getKey() : null,
        m.hasValue() ? m.getValue() : null,
        m.hasConfigMapResourceVersion() ? m.getConfigMapResourceVersion() : null,
        m.hasManager() ? m.getManager() : null,
        m.hasReason() ? m.getReason() : null);
  }

  private static dev.andon.workflow.v1.Condition toProto(Condition condition) {
    var m = dev.andon.workflow.v1.Condition.newBuilder();
    set(condition.type(), m::setType);
    set(condition.status(), m::setStatus);
    set(condition.observedGeneration(), m::setObservedGeneration);
    set(condition.lastTransitionTime(), time -> m.setLastTransitionTime(Times.toProto(time)));
    set(condition.reason(), m::setReason);
    set(condition.message(), m::setMessage);
    return m.build();
  }

  private static Condition fromProto(dev.andon.workflow.v1.Condition m) {
    return new Condition(
        m.hasType() ? m.getType() : null,
        m.hasStatus() ? m.getStatus() : null,
        m.hasObservedGeneration() ? m.getObservedGeneration() : null,
        m.hasLastTransitionTime() ? Times.fromProto(m.getLastTransitionTime()) : null,
        m.hasReason() ? m.getReason() : null,
        m.hasMessage() ? m.getMessage() : null);
  }
}
