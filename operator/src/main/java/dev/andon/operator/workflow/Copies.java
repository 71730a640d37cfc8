package dev.andon.operator.workflow;

import dev.andon.crds.Workflow;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import io.javaoperatorsdk.operator.api.config.Cloner;

/**
 * The copy of a cached object that a reconciler may change. JOSDK makes one for every reconcile, by
 * way of JSON, which for a workflow of thousands of items costs more than the decision; spec and
 * status of a workflow are immutable, and may be shared.
 */
public record Copies(KubernetesSerialization serialization) implements Cloner {

  @Override
  @SuppressWarnings("unchecked") // a Workflow's copy is a Workflow
  public <R extends HasMetadata> R clone(R object) {
    return object instanceof Workflow workflow
        ? (R)
            StatusWriter.copy(
                workflow,
                new ObjectMetaBuilder(workflow.getMetadata()).build(),
                workflow.getStatus())
        : serialization.clone(object);
  }
}
