package dev.andon.operator.jobtype;

import dev.andon.crds.Condition;
import dev.andon.crds.JobType;
import dev.andon.crds.JobTypeSpec;
import dev.andon.crds.JobTypeStatus;
import dev.andon.operator.execution.ContainerRules;
import dev.andon.operator.execution.ExecutorRules;
import dev.andon.operator.workflow.ReadyCondition;
import dev.andon.operator.workflow.WarningCondition;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Writes into each job type's conditions: Ready, whether this version can run it and what is wrong
 * with it; Warning, what is dangerous about it. For people: a workflow is held to the job type
 * itself.
 */
public final class JobTypeReconciler implements Reconciler<JobType> {
  private final Clock clock;

  public JobTypeReconciler(Clock clock) {
    this.clock = clock;
  }

  @Override
  public UpdateControl<JobType> reconcile(JobType jobType, Context<JobType> context) {
    var meta = jobType.getMetadata();
    JobTypeStatus before = jobType.getStatus();
    List<Condition> previous = before == null ? List.of() : before.conditions();
    var conditions = new ArrayList<Condition>();
    conditions.add(judge(jobType.getSpec()).after(previous, meta.getGeneration(), clock));
    warning(jobType.getSpec())
        .ifPresent(w -> conditions.add(w.after(previous, meta.getGeneration(), clock)));
    var next = new JobTypeStatus(meta.getGeneration(), List.copyOf(conditions));
    if (Objects.equals(next, before)) {
      return UpdateControl.noUpdate();
    }
    var patch = new JobType();
    patch.setMetadata(
        new ObjectMetaBuilder()
            .withName(meta.getName())
            .withResourceVersion(meta.getResourceVersion())
            .build());
    patch.setStatus(next);
    return UpdateControl.patchStatus(patch);
  }

  private static Optional<WarningCondition> warning(@Nullable JobTypeSpec spec) {
    List<String> expansions = spec == null ? List.of() : ContainerRules.shellExpansions(spec);
    return expansions.isEmpty()
        ? Optional.empty()
        : Optional.of(new WarningCondition("ShellExpansion", String.join("; ", expansions)));
  }

  private static ReadyCondition judge(@Nullable JobTypeSpec spec) {
    if (spec == null
        || spec.executor() == null
        || (spec.executor().container() == null
            && spec.executor().http() == null
            && spec.executor().grpc() == null)) {
      return new ReadyCondition(
          false,
          "UnsupportedExecutor",
          "this version runs executors container, http and grpc; workflows that use the job type are rejected");
    }
    List<String> findings = ExecutorRules.findings(spec);
    return findings.isEmpty()
        ? new ReadyCondition(true, "Ready", "jobs of this type can be run")
        : new ReadyCondition(false, "InvalidSpec", String.join("; ", findings));
  }
}
