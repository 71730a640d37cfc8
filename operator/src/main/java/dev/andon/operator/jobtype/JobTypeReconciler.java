package dev.andon.operator.jobtype;

import dev.andon.crds.Condition;
import dev.andon.crds.JobType;
import dev.andon.crds.JobTypeSpec;
import dev.andon.crds.JobTypeStatus;
import dev.andon.operator.execution.ExecutorRules;
import dev.andon.operator.workflow.ReadyCondition;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import java.time.Clock;
import java.util.List;
import java.util.Objects;

/**
 * Writes into each job type's condition Ready whether this version can run it, and what is wrong
 * with it. For people: a workflow is held to the job type itself.
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
    Condition ready =
        judge(jobType.getSpec())
            .after(before == null ? List.of() : before.conditions(), meta.getGeneration(), clock);
    var next = new JobTypeStatus(meta.getGeneration(), List.of(ready));
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

  private static ReadyCondition judge(JobTypeSpec spec) {
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
