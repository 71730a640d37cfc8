package dev.andon.operator.policy;

import dev.andon.crds.Condition;
import dev.andon.crds.JobType;
import dev.andon.crds.JobTypeSpec;
import dev.andon.crds.WorkflowPolicy;
import dev.andon.crds.WorkflowPolicyStatus;
import dev.andon.operator.workflow.ReadyCondition;
import dev.andon.plan.JobTypes;
import dev.andon.policies.Policy;
import dev.andon.policies.PolicyHealth;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Writes into each policy's condition Ready whether it can be applied, and what it does not guard.
 * For people: what a workflow is judged by is the policy itself.
 */
public final class PolicyReconciler implements Reconciler<WorkflowPolicy> {
  private final Clock clock;
  private volatile InformerEventSource<JobType, WorkflowPolicy> jobTypes;

  @SuppressWarnings("NullAway.Init") // JOSDK prepares event sources before it reconciles
  public PolicyReconciler(Clock clock) {
    this.clock = clock;
  }

  @Override
  public List<EventSource<?, WorkflowPolicy>> prepareEventSources(
      EventSourceContext<WorkflowPolicy> context) {
    jobTypes =
        new InformerEventSource<>(
            InformerEventSourceConfiguration.from(JobType.class, WorkflowPolicy.class)
                .withName("job-types")
                .withWatchAllNamespaces()
                .withSecondaryToPrimaryMapper(
                    changed ->
                        context
                            .getPrimaryCache()
                            .list()
                            .map(ResourceID::fromResource)
                            .collect(Collectors.toSet()))
                .withPrimaryToSecondaryMapper(policy -> Set.of())
                .build(),
            context);
    return List.of(jobTypes);
  }

  @Override
  public UpdateControl<WorkflowPolicy> reconcile(
      WorkflowPolicy policy, Context<WorkflowPolicy> context) {
    Map<String, JobTypeSpec> specs = new HashMap<>();
    jobTypes
        .list()
        .filter(type -> type.getSpec() != null)
        .forEach(type -> specs.put(type.getMetadata().getName(), type.getSpec()));
    var meta = policy.getMetadata();
    PolicyHealth health =
        PolicyHealth.of(
            Policy.of(meta.getName(), meta.getGeneration(), policy.getSpec()), JobTypes.of(specs));
    WorkflowPolicyStatus before = policy.getStatus();
    Condition condition =
        new ReadyCondition(health.ready(), health.reason().text(), health.message())
            .after(before == null ? List.of() : before.conditions(), meta.getGeneration(), clock);
    var next = new WorkflowPolicyStatus(meta.getGeneration(), List.of(condition));
    if (Objects.equals(next, before)) {
      return UpdateControl.noUpdate();
    }
    var patch = new WorkflowPolicy();
    patch.setMetadata(
        new ObjectMetaBuilder()
            .withName(meta.getName())
            .withResourceVersion(meta.getResourceVersion())
            .build());
    patch.setStatus(next);
    return UpdateControl.patchStatus(patch);
  }
}
