package dev.andon.operator.execution;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Secrets read from the API server by name: no list, no watch, so that the operator needs no more
 * than {@code get}. What was read is kept for ten seconds: a thousand jobs that begin together ask
 * once, and a rotated secret is used soon.
 */
public final class ClusterSecrets implements Secrets {
  private static final Duration KEPT = Duration.ofSeconds(10);

  private final KubernetesClient client;
  private final String namespace;
  private final Clock clock;
  private final ConcurrentHashMap<String, Kept> kept = new ConcurrentHashMap<>();

  /**
   * @param namespace the operator's own
   */
  public ClusterSecrets(KubernetesClient client, String namespace, Clock clock) {
    this.client = client;
    this.namespace = namespace;
    this.clock = clock;
  }

  /** No record: its text would hold the values. */
  private static final class Kept {
    private final Map<String, String> data;
    private final Instant until;

    Kept(Map<String, String> data, Instant until) {
      this.data = data;
      this.until = until;
    }
  }

  @Override
  public Optional<String> read(String name, String key) throws IOException {
    Kept known = kept.get(name);
    if (known == null || !clock.instant().isBefore(known.until)) {
      known = new Kept(fetch(name), clock.instant().plus(KEPT));
      kept.put(name, known);
    }
    String encoded = known.data.get(key);
    if (encoded == null) {
      return Optional.empty();
    }
    try {
      return Optional.of(new String(Base64.getDecoder().decode(encoded), StandardCharsets.UTF_8));
    } catch (IllegalArgumentException e) {
      // Not passed on: its message may quote the value.
      throw new IOException("secret %s, key %s is not base64".formatted(name, key));
    }
  }

  private Map<String, String> fetch(String name) throws IOException {
    try {
      Secret secret = client.secrets().inNamespace(namespace).withName(name).get();
      return secret == null || secret.getData() == null ? Map.of() : secret.getData();
    } catch (KubernetesClientException e) {
      throw new IOException(
          "secret %s in namespace %s cannot be read (HTTP %d)"
              .formatted(name, namespace, e.getCode()));
    }
  }
}
