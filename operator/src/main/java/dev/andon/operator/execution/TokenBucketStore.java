package dev.andon.operator.execution;

import dev.andon.crds.TokenBucket;
import dev.andon.crds.TokenBucketStatus;
import dev.andon.operator.stop.Permit;
import io.fabric8.kubernetes.client.KubernetesClient;
import org.jspecify.annotations.Nullable;

/**
 * The one way to TokenBuckets. Taking a token is a send: it needs a permit, and is one PUT for it.
 */
final class TokenBucketStore {
  private final KubernetesClient client;

  /**
   * @param client as {@link SendingClient} makes it
   * @throws IllegalArgumentException if the client would repeat a request by itself
   */
  TokenBucketStore(KubernetesClient client) {
    this.client = SendingClient.requireNoRepeats(client, "token buckets");
  }

  /**
   * @return null: there is none of this name
   * @throws io.fabric8.kubernetes.client.KubernetesClientException it cannot be read
   */
  @Nullable TokenBucket find(String name) {
    return client.resources(TokenBucket.class).withName(name).get();
  }

  /**
   * Writes what taking a token makes of the bucket, if the permit is still good.
   *
   * @return false: it was not, and nothing was written
   * @throws io.fabric8.kubernetes.client.KubernetesClientException it may have been written; not if
   *     its code is 409: somebody else has written since {@code bucket} was read
   */
  boolean take(Permit permit, TokenBucket bucket, TokenBucketStatus taken) {
    if (!permit.use()) {
      return false;
    }
    write(bucket, taken);
    return true;
  }

  /** Writes a status from which no token was taken. Gives nothing away, so it needs no permit. */
  void repair(TokenBucket bucket, TokenBucketStatus repaired) {
    write(bucket, repaired);
  }

  /** PUT under the resourceVersion that was read: anybody else's write in between is a 409. */
  private void write(TokenBucket bucket, TokenBucketStatus status) {
    bucket.setStatus(status);
    client
        .resource(bucket)
        .lockResourceVersion(bucket.getMetadata().getResourceVersion())
        .updateStatus();
  }
}
