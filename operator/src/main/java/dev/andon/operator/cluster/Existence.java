package dev.andon.operator.cluster;

import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.ResourceNotFoundException;
import io.fabric8.kubernetes.client.dsl.Resource;
import java.net.HttpURLConnection;
import java.util.Optional;

/**
 * Whether an object is there. That it is not lets things be given up for good, so only the API
 * server's own word counts: a proxy or load balancer answers 404 too, when it knows no way.
 */
public final class Existence {
  private Existence() {}

  /**
   * The object as the API server has it now. Not {@link Resource#get}, which takes any 404 for an
   * answer.
   *
   * @return empty: there is none of this name
   * @throws KubernetesClientException nobody knows whether there is one
   */
  public static <T> Optional<T> find(Resource<T> resource) {
    try {
      return Optional.of(resource.require());
    } catch (ResourceNotFoundException e) {
      if (e.getCause() instanceof KubernetesClientException answer && isNotFound(answer)) {
        return Optional.empty();
      }
      throw new KubernetesClientException(
          "answered 404, and not by the API server: " + e.getMessage(), e);
    }
  }

  /** Whether this is the API server's word that an object is not there: it names the object. */
  public static boolean isNotFound(KubernetesClientException e) {
    Status status = e.getStatus();
    return e.getCode() == HttpURLConnection.HTTP_NOT_FOUND
        && status != null
        && "NotFound".equals(status.getReason())
        && status.getDetails() != null
        && status.getDetails().getName() != null;
  }
}
