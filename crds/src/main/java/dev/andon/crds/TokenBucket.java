package dev.andon.crds;

import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Plural;
import io.fabric8.kubernetes.model.annotation.Singular;
import io.fabric8.kubernetes.model.annotation.Version;
import org.jspecify.annotations.Nullable;

/** Tokens that workflows take before they act. Cluster-scoped. */
@Group("andon.dev")
@Version("v1alpha1")
@Singular("tokenbucket")
@Plural("tokenbuckets")
public class TokenBucket extends CustomResource<TokenBucketSpec, TokenBucketStatus> {
  @Override
  protected @Nullable TokenBucketSpec initSpec() {
    return null;
  }

  @Override
  protected @Nullable TokenBucketStatus initStatus() {
    return null;
  }
}
