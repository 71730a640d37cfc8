package dev.andon.crds;

import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Plural;
import io.fabric8.kubernetes.model.annotation.Singular;
import io.fabric8.kubernetes.model.annotation.Version;
import org.jspecify.annotations.Nullable;

/** What a job does: its arguments, executor, retry and timeout. Cluster-scoped. */
@Group("andon.dev")
@Version("v1alpha1")
@Singular("jobtype")
@Plural("jobtypes")
public class JobType extends CustomResource<JobTypeSpec, JobTypeStatus> {
  @Override
  protected @Nullable JobTypeSpec initSpec() {
    return null;
  }

  @Override
  protected @Nullable JobTypeStatus initStatus() {
    return null;
  }
}
