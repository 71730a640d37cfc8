package dev.andon.crds;

import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Plural;
import io.fabric8.kubernetes.model.annotation.Singular;
import io.fabric8.kubernetes.model.annotation.Version;
import org.jspecify.annotations.Nullable;

/** How people act on a workflow without touching a spec that Git owns. */
@Group("andon.dev")
@Version("v1alpha1")
@Singular("workflowaction")
@Plural("workflowactions")
public class WorkflowAction extends CustomResource<WorkflowActionSpec, WorkflowActionStatus>
    implements Namespaced {
  @Override
  protected @Nullable WorkflowActionSpec initSpec() {
    return null;
  }

  @Override
  protected @Nullable WorkflowActionStatus initStatus() {
    return null;
  }
}
