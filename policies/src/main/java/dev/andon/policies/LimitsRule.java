package dev.andon.policies;

import dev.andon.crds.IntOrPercent;
import dev.andon.crds.WorkflowPolicySpec.Limits;
import dev.andon.crds.WorkflowSpec.Batch;
import dev.andon.plan.Plan;
import dev.andon.plan.Plan.PlannedBlock;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * {@code limits}: how much a workflow may do, and how fast. The numbers of the spec are held to it,
 * not what happens to come of them: {@code concurrency: 50} is over a limit of 10 for a single job
 * too.
 *
 * <ul>
 *   <li>{@code maxJobs}: jobs of all blocks together.
 *   <li>{@code maxConcurrency}: of each block.
 *   <li>{@code maxBatchSize}: of each block. Jobs of a block without batches are one batch.
 *   <li>{@code minBatchPauseSeconds}: a forEach needs a batch with at least this pause, and none at
 *       all is a violation, since nobody could look between two batches. A block of plain jobs
 *       cannot have batches: with one job it passes, with more it violates, as it would otherwise
 *       be the way round the limit. Says nothing about batches that are too large, nor about one
 *       block after the other: use {@code maxBatchSize} and {@code maxJobs} beside it.
 *   <li>{@code maxFailures}: how many jobs of each block, and of the whole workflow, the spec may
 *       let fail; a percentage is of the block's, or the workflow's, jobs. A workflow without
 *       {@code maxFailures} allows what its blocks allow together.
 *   <li>{@code maxRunning}: workflows of this type, in all namespaces, at the same time. A workflow
 *       waits for its turn to start; one that has started is not held to it.
 * </ul>
 */
record LimitsRule(Limits settings) implements Rule {
  @Override
  public String kind() {
    return "limits";
  }

  @Override
  public void validate(Findings findings) {
    boolean none =
        Stream.of(
                settings.maxJobs(),
                settings.maxConcurrency(),
                settings.maxRunning(),
                settings.minBatchPauseSeconds(),
                settings.maxBatchSize(),
                settings.maxFailures())
            .allMatch(Objects::isNull);
    if (none) {
      findings.add(
          "sets no limit this version knows; set maxJobs, maxConcurrency, maxRunning,"
              + " minBatchPauseSeconds, maxBatchSize or maxFailures");
    }
    atLeast("maxJobs", settings.maxJobs(), 1, findings);
    atLeast("maxConcurrency", settings.maxConcurrency(), 1, findings);
    atLeast("maxRunning", settings.maxRunning(), 1, findings);
    atLeast("minBatchPauseSeconds", settings.minBatchPauseSeconds(), 0, findings);
    atLeast("maxBatchSize", settings.maxBatchSize(), 1, findings);
    IntOrPercent maxFailures = settings.maxFailures();
    if (maxFailures != null && !maxFailures.valid()) {
      findings.add(
          "maxFailures: %s is neither a number nor a percentage from 0%% to 100%%",
          Findings.quote(maxFailures.text()));
    }
  }

  private static void atLeast(String field, @Nullable Integer value, int least, Findings findings) {
    if (value != null && value < least) {
      findings.add("%s: %d is too small; use %d or more", field, value, least);
    }
  }

  @Override
  public void judge(PolicyInput input, Findings findings) {
    Plan plan = input.plan();
    Integer maxJobs = settings.maxJobs();
    if (maxJobs != null && plan.totalJobs() > maxJobs) {
      findings.add(
          "spec.blocks: %d jobs; maxJobs is %d, split the work over workflows",
          plan.totalJobs(), maxJobs);
    }
    for (PlannedBlock block : plan.blocks()) {
      String path = "spec.blocks[" + block.position() + "]";
      concurrency(path, block, findings);
      batchSize(path, block, findings);
      batchPause(path, block, findings);
    }
    failures(input, findings);
  }

  @Override
  public void judgeStart(PolicyInput input, Findings findings) {
    Integer maxRunning = settings.maxRunning();
    if (maxRunning == null) {
      return;
    }
    int others = input.othersRunning().getAsInt();
    if (others >= maxRunning) {
      findings.add(
          "%d of workflow type %s running; maxRunning is %d, waits until one has finished",
          others, input.type(), maxRunning);
    }
  }

  private void concurrency(String path, PlannedBlock block, Findings findings) {
    Integer max = settings.maxConcurrency();
    if (max != null && block.concurrency() > max) {
      findings.add(
          "%s.concurrency: %d is more than maxConcurrency %d; lower it",
          path, block.concurrency(), max);
    }
  }

  private void batchSize(String path, PlannedBlock block, Findings findings) {
    Integer max = settings.maxBatchSize();
    if (max == null || block.batchSize() <= max) {
      return;
    }
    if (block.batch().isPresent()) {
      findings.add(
          "%s.forEach.batch.size: %d is more than maxBatchSize %d; lower it",
          path, block.batchSize(), max);
    } else if (block.isForEach()) {
      findings.add(
          "%s.forEach.batch: is missing, so that all %d jobs are one batch; maxBatchSize is %d, add"
              + " a batch",
          path, block.size(), max);
    } else {
      findings.add(
          "%s.jobs: %d jobs are one batch; maxBatchSize is %d, use a forEach with a batch, or more"
              + " blocks",
          path, block.size(), max);
    }
  }

  private void batchPause(String path, PlannedBlock block, Findings findings) {
    Integer min = settings.minBatchPauseSeconds();
    if (min == null) {
      return;
    }
    if (!block.isForEach()) {
      if (block.size() > 1) {
        findings.add(
            "%s.jobs: %d jobs without a pause; minBatchPauseSeconds is %d, use a forEach with a"
                + " batch, or a block for each job",
            path, block.size(), min);
      }
      return;
    }
    if (block.batch().isEmpty()) {
      findings.add(
          "%s.forEach.batch: is missing; minBatchPauseSeconds is %d, add a batch with pauseSeconds"
              + " %d or more",
          path, min, min);
      return;
    }
    int pause = block.batch().map(Batch::pauseSeconds).orElse(0);
    if (pause < min) {
      findings.add(
          "%s.forEach.batch.pauseSeconds: %d is less than minBatchPauseSeconds %d; raise it",
          path, pause, min);
    }
  }

  private void failures(PolicyInput input, Findings findings) {
    IntOrPercent max = settings.maxFailures();
    if (max == null) {
      return;
    }
    Plan plan = input.plan();
    long ofBlocks = 0;
    for (PlannedBlock block : plan.blocks()) {
      ofBlocks += Math.min(block.maxFailures(), block.size());
      if (block.maxFailures() > max.applyTo(block.size()).orElse(0)) {
        findings.add(
            "spec.blocks[%d].maxFailures: lets %d of %d jobs fail; maxFailures of the policy is %s,"
                + " lower it",
            block.position(), block.maxFailures(), block.size(), max);
      }
    }
    int allowed = max.applyTo(plan.totalJobs()).orElse(0);
    if (plan.maxFailures().isPresent()) {
      if (plan.maxFailures().getAsInt() > allowed) {
        findings.add(
            "spec.maxFailures: lets %d of %d jobs fail; maxFailures of the policy is %s, lower it",
            plan.maxFailures().getAsInt(), plan.totalJobs(), max);
      }
    } else if (ofBlocks > allowed) {
      findings.add(
          "spec.maxFailures: is missing, and the blocks together let %d of %d jobs fail; maxFailures"
              + " of the policy is %s, set it to %d or less",
          ofBlocks, plan.totalJobs(), max, allowed);
    }
  }
}
