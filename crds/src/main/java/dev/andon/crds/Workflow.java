package dev.andon.crds;

import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Plural;
import io.fabric8.kubernetes.model.annotation.ShortNames;
import io.fabric8.kubernetes.model.annotation.Singular;
import io.fabric8.kubernetes.model.annotation.Version;
import org.jspecify.annotations.Nullable;

/** What is to be done: blocks of jobs, in order, paced. */
@Group("andon.dev")
@Version("v1alpha1")
// Said, here as in all kinds: else fabric8 derives both anew for every object that it makes.
@Singular("workflow")
@Plural("workflows")
@ShortNames("awf")
public class Workflow extends CustomResource<WorkflowSpec, WorkflowStatus> implements Namespaced {
  @Override
  protected @Nullable WorkflowSpec initSpec() {
    return null;
  }

  @Override
  protected @Nullable WorkflowStatus initStatus() {
    return null;
  }
}
