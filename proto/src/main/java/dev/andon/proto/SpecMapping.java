package dev.andon.proto;

import static dev.andon.proto.Present.set;

import dev.andon.crds.IntOrPercent;
import dev.andon.crds.RequestedBy;
import dev.andon.crds.WorkflowSpec;
import dev.andon.workflow.v1.Backoff;
import dev.andon.workflow.v1.Batch;
import dev.andon.workflow.v1.Block;
import dev.andon.workflow.v1.ConfigMapKeyRef;
import dev.andon.workflow.v1.ForEach;
import dev.andon.workflow.v1.ItemList;
import dev.andon.workflow.v1.Job;
import dev.andon.workflow.v1.JobList;
import dev.andon.workflow.v1.Range;
import dev.andon.workflow.v1.Retry;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

final class SpecMapping {
  private SpecMapping() {}

  static dev.andon.workflow.v1.WorkflowSpec toProto(WorkflowSpec spec) {
    var m = dev.andon.workflow.v1.WorkflowSpec.newBuilder();
    set(spec.type(), m::setType);
    set(spec.description(), m::setDescription);
    set(spec.runId(), m::setRunId);
    set(spec.start(), m::setStart);
    set(spec.startDeadlineSeconds(), m::setStartDeadlineSeconds);
    set(spec.activeDeadlineSeconds(), m::setActiveDeadlineSeconds);
    set(spec.paused(), m::setPaused);
    set(spec.maxFailures(), max -> m.setMaxFailures(toProto(max)));
    set(spec.continueFrom(), m::setContinueFrom);
    set(spec.requestedBy(), by -> m.setRequestedBy(toProto(by)));
    spec.blocks().forEach(block -> m.addBlocks(toProto(block)));
    return m.build();
  }

  static WorkflowSpec fromProto(dev.andon.workflow.v1.WorkflowSpec m) {
    return new WorkflowSpec(
        m.hasType() ? m.getType() : null,
        m.hasDescription() ? m.getDescription() : null,
        m.hasRunId() ? m.getRunId() : null,
        m.hasStart() ? m.getStart() : null,
        m.hasStartDeadlineSeconds() ? m.getStartDeadlineSeconds() : null,
        m.hasActiveDeadlineSeconds() ? m.getActiveDeadlineSeconds() : null,
        m.hasPaused() ? m.getPaused() : null,
        m.hasMaxFailures() ? fromProto(m.getMaxFailures()) : null,
        m.hasContinueFrom() ? m.getContinueFrom() : null,
        m.hasRequestedBy() ? fromProto(m.getRequestedBy()) : null,
        m.getBlocksList().stream().map(SpecMapping::fromProto).toList());
  }

  private static dev.andon.workflow.v1.RequestedBy toProto(RequestedBy by) {
    var m = dev.andon.workflow.v1.RequestedBy.newBuilder();
    set(by.username(), m::setUsername);
    set(by.uid(), m::setUid);
    by.groups().forEach(m::addGroups);
    return m.build();
  }

  private static RequestedBy fromProto(dev.andon.workflow.v1.RequestedBy m) {
    return new RequestedBy(
        m.hasUsername() ? m.getUsername() : null,
        m.hasUid() ? m.getUid() : null,
        List.copyOf(m.getGroupsList()));
  }

  private static Block toProto(WorkflowSpec.Block block) {
    var m = Block.newBuilder();
    set(block.name(), m::setName);
    set(block.concurrency(), m::setConcurrency);
    set(block.maxFailures(), max -> m.setMaxFailures(toProto(max)));
    set(block.jobs(), jobs -> m.setJobs(toProto(jobs)));
    set(block.forEach(), forEach -> m.setForEach(toProto(forEach)));
    set(block.pauseAfterSeconds(), m::setPauseAfterSeconds);
    return m.build();
  }

  private static WorkflowSpec.Block fromProto(Block m) {
    return new WorkflowSpec.Block(
        m.hasName() ? m.getName() : null,
        m.hasConcurrency() ? m.getConcurrency() : null,
        m.hasMaxFailures() ? fromProto(m.getMaxFailures()) : null,
        m.hasJobs() ? fromProto(m.getJobs()) : null,
        m.hasForEach() ? fromProto(m.getForEach()) : null,
        m.hasPauseAfterSeconds() ? m.getPauseAfterSeconds() : null);
  }

  private static JobList toProto(List<WorkflowSpec.@Nullable Job> jobs) {
    var m = JobList.newBuilder();
    // A hole stays a job that nothing accepts: without it the list would be shorter, and valid.
    jobs.forEach(job -> m.addJobs(job == null ? Job.getDefaultInstance() : toProto(job)));
    return m.build();
  }

  private static List<WorkflowSpec.Job> fromProto(JobList m) {
    return m.getJobsList().stream().map(SpecMapping::fromProto).toList();
  }

  private static Job toProto(WorkflowSpec.Job job) {
    var m = Job.newBuilder();
    set(job.name(), m::setName);
    set(job.type(), m::setType);
    m.putAllArgs(job.args());
    set(job.timeoutSeconds(), m::setTimeoutSeconds);
    set(job.retry(), retry -> m.setRetry(toProto(retry)));
    return m.build();
  }

  private static WorkflowSpec.Job fromProto(Job m) {
    Map<String, String> args = m.getArgsMap();
    return new WorkflowSpec.Job(
        m.hasName() ? m.getName() : null,
        m.hasType() ? m.getType() : null,
        args,
        m.hasTimeoutSeconds() ? m.getTimeoutSeconds() : null,
        m.hasRetry() ? fromProto(m.getRetry()) : null);
  }

  private static ForEach toProto(WorkflowSpec.ForEach forEach) {
    var m = ForEach.newBuilder();
    set(forEach.items(), items -> m.setItems(itemsToProto(items)));
    set(forEach.range(), range -> m.setRange(toProto(range)));
    set(forEach.configMapKeyRef(), ref -> m.setConfigMapKeyRef(toProto(ref)));
    set(forEach.batch(), batch -> m.setBatch(toProto(batch)));
    set(forEach.job(), job -> m.setJob(toProto(job)));
    return m.build();
  }

  private static WorkflowSpec.ForEach fromProto(ForEach m) {
    return new WorkflowSpec.ForEach(
        m.hasItems() ? List.copyOf(m.getItems().getItemsList()) : null,
        m.hasRange() ? fromProto(m.getRange()) : null,
        m.hasConfigMapKeyRef() ? fromProto(m.getConfigMapKeyRef()) : null,
        m.hasBatch() ? fromProto(m.getBatch()) : null,
        m.hasJob() ? fromProto(m.getJob()) : null);
  }

  private static ItemList itemsToProto(List<@Nullable String> items) {
    var m = ItemList.newBuilder();
    items.forEach(item -> m.addItems(item == null ? "" : item));
    return m.build();
  }

  private static Range toProto(WorkflowSpec.Range range) {
    var m = Range.newBuilder();
    set(range.from(), m::setFrom);
    set(range.to(), m::setTo);
    set(range.format(), m::setFormat);
    return m.build();
  }

  private static WorkflowSpec.Range fromProto(Range m) {
    return new WorkflowSpec.Range(
        m.hasFrom() ? m.getFrom() : null,
        m.hasTo() ? m.getTo() : null,
        m.hasFormat() ? m.getFormat() : null);
  }

  private static ConfigMapKeyRef toProto(WorkflowSpec.ConfigMapKeyRef ref) {
    var m = ConfigMapKeyRef.newBuilder();
    set(ref.name(), m::setName);
    set(ref.key(), m::setKey);
    set(ref.sha256(), m::setSha256);
    return m.build();
  }

  private static WorkflowSpec.ConfigMapKeyRef fromProto(ConfigMapKeyRef m) {
    return new WorkflowSpec.ConfigMapKeyRef(
        m.hasName() ? m.getName() : null,
        m.hasKey() ? m.getKey() : null,
        m.hasSha256() ? m.getSha256() : null);
  }

  private static Batch toProto(WorkflowSpec.Batch batch) {
    var m = Batch.newBuilder();
    set(batch.size(), m::setSize);
    set(batch.pauseSeconds(), m::setPauseSeconds);
    return m.build();
  }

  private static WorkflowSpec.Batch fromProto(Batch m) {
    return new WorkflowSpec.Batch(
        m.hasSize() ? m.getSize() : null, m.hasPauseSeconds() ? m.getPauseSeconds() : null);
  }

  private static Retry toProto(WorkflowSpec.Retry retry) {
    var m = Retry.newBuilder();
    set(retry.attempts(), m::setAttempts);
    set(retry.backoff(), backoff -> m.setBackoff(toProto(backoff)));
    return m.build();
  }

  private static WorkflowSpec.Retry fromProto(Retry m) {
    return new WorkflowSpec.Retry(
        m.hasAttempts() ? m.getAttempts() : null,
        m.hasBackoff() ? fromProto(m.getBackoff()) : null);
  }

  private static Backoff toProto(WorkflowSpec.Backoff backoff) {
    var m = Backoff.newBuilder();
    set(backoff.initialSeconds(), m::setInitialSeconds);
    set(backoff.factor(), m::setFactor);
    set(backoff.maxSeconds(), m::setMaxSeconds);
    return m.build();
  }

  private static WorkflowSpec.Backoff fromProto(Backoff m) {
    return new WorkflowSpec.Backoff(
        m.hasInitialSeconds() ? m.getInitialSeconds() : null,
        m.hasFactor() ? m.getFactor() : null,
        m.hasMaxSeconds() ? m.getMaxSeconds() : null);
  }

  private static dev.andon.workflow.v1.IntOrPercent toProto(IntOrPercent value) {
    var m = dev.andon.workflow.v1.IntOrPercent.newBuilder();
    String text = value.text();
    OptionalInt number = canonical(text);
    if (number.isPresent()) {
      return m.setNumber(number.getAsInt()).build();
    }
    OptionalInt percent =
        text.endsWith("%") ? canonical(text.substring(0, text.length() - 1)) : OptionalInt.empty();
    return percent.isPresent() ? m.setPercent(percent.getAsInt()).build() : m.setText(text).build();
  }

  private static IntOrPercent fromProto(dev.andon.workflow.v1.IntOrPercent m) {
    return switch (m.getValueCase()) {
      case NUMBER -> IntOrPercent.of(m.getNumber());
      case PERCENT -> new IntOrPercent(m.getPercent() + "%");
      case TEXT -> new IntOrPercent(m.getText());
      case VALUE_NOT_SET -> new IntOrPercent("");
    };
  }

  /** The int that is written as {@code text}; empty for "007", which would come back as "7". */
  private static OptionalInt canonical(String text) {
    try {
      int number = Integer.parseInt(text);
      return Integer.toString(number).equals(text) ? OptionalInt.of(number) : OptionalInt.empty();
    } catch (NumberFormatException e) {
      return OptionalInt.empty();
    }
  }
}
