package dev.andon.operator.jobtype;

import dev.andon.crds.Condition;
import dev.andon.crds.JobType;
import dev.andon.crds.JobTypeSpec;
import dev.andon.crds.JobTypeStatus;
import dev.andon.crds.WorkflowStatus.PinnedJobType;
import dev.andon.operator.execution.ContainerRules;
import dev.andon.operator.execution.ExecutorRules;
import dev.andon.operator.execution.TemplateAnswer;
import dev.andon.operator.execution.TemplateTries;
import dev.andon.operator.workflow.ReadyCondition;
import dev.andon.operator.workflow.WarningCondition;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Writes into each job type's conditions: Ready, whether this version can run it and what is wrong
 * with it; Warning, what is dangerous about it. For people: a workflow is held to the job type
 * itself.
 */
public final class JobTypeReconciler implements Reconciler<JobType> {
  private final TemplateTries templates;
  private final String namespace;
  private final Clock clock;

  /**
   * @param namespace the operator's own, where pod templates are tried
   */
  public JobTypeReconciler(TemplateTries templates, String namespace, Clock clock) {
    this.templates = templates;
    this.namespace = namespace;
    this.clock = clock;
  }

  @Override
  public UpdateControl<JobType> reconcile(JobType jobType, Context<JobType> context)
      throws InterruptedException {
    var meta = jobType.getMetadata();
    JobTypeSpec spec = jobType.getSpec();
    JobTypeStatus before = jobType.getStatus();
    List<Condition> previous = before == null ? List.of() : before.conditions();
    var version = new PinnedJobType(meta.getName(), meta.getUid(), meta.getGeneration());
    var conditions = new ArrayList<Condition>();
    conditions.add(
        judge(spec, ofTemplate(version, spec)).after(previous, meta.getGeneration(), clock));
    warning(spec).ifPresent(w -> conditions.add(w.after(previous, meta.getGeneration(), clock)));
    var next = new JobTypeStatus(meta.getGeneration(), List.copyOf(conditions));
    UpdateControl<JobType> update =
        Objects.equals(next, before)
            ? UpdateControl.noUpdate()
            : UpdateControl.patchStatus(patch(meta, next));
    return spec != null && spec.container() != null
        ? update.rescheduleAfter(templates.askAgainAfter(version, namespace))
        : update;
  }

  private static JobType patch(ObjectMeta meta, JobTypeStatus status) {
    var patch = new JobType();
    patch.setMetadata(
        new ObjectMetaBuilder()
            .withName(meta.getName())
            .withResourceVersion(meta.getResourceVersion())
            .build());
    patch.setStatus(status);
    return patch;
  }

  /**
   * What the API server says of the pod template. Waited for: a JobType that says Ready and then
   * not would be used in between. Each reconcile has a thread of its own.
   */
  private List<String> ofTemplate(PinnedJobType version, @Nullable JobTypeSpec spec)
      throws InterruptedException {
    if (spec == null || spec.container() == null) {
      return List.of();
    }
    try {
      TemplateAnswer answer =
          templates
              .ask(version, spec, namespace)
              .get(TemplateTries.PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
      return answer instanceof TemplateAnswer.Wrong wrong ? List.of(wrong.finding()) : List.of();
    } catch (TimeoutException | ExecutionException e) {
      return List.of(); // it is asked again
    }
  }

  private static Optional<WarningCondition> warning(@Nullable JobTypeSpec spec) {
    List<String> expansions = spec == null ? List.of() : ContainerRules.shellExpansions(spec);
    return expansions.isEmpty()
        ? Optional.empty()
        : Optional.of(new WarningCondition("ShellExpansion", String.join("; ", expansions)));
  }

  private static ReadyCondition judge(@Nullable JobTypeSpec spec, List<String> ofTemplate) {
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
    List<String> findings =
        Stream.concat(ExecutorRules.findings(spec).stream(), ofTemplate.stream()).toList();
    return findings.isEmpty()
        ? new ReadyCondition(true, "Ready", "jobs of this type can be run")
        : new ReadyCondition(false, "InvalidSpec", String.join("; ", findings));
  }
}
