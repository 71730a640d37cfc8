package dev.andon.crds;

import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Plural;
import io.fabric8.kubernetes.model.annotation.Singular;
import io.fabric8.kubernetes.model.annotation.Version;
import org.jspecify.annotations.Nullable;

/** What workflows of some types may contain. Cluster-scoped. */
@Group("andon.dev")
@Version("v1alpha1")
@Singular("workflowpolicy")
@Plural("workflowpolicies")
public class WorkflowPolicy extends CustomResource<WorkflowPolicySpec, WorkflowPolicyStatus> {
  @Override
  protected @Nullable WorkflowPolicySpec initSpec() {
    return null;
  }

  @Override
  protected @Nullable WorkflowPolicyStatus initStatus() {
    return null;
  }
}
