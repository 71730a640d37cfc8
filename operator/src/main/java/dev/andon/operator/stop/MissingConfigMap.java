package dev.andon.operator.stop;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts an empty ConfigMap, which is a stop, where there is none: responders then have something to
 * patch, and the admission policies a parameter. The only write Andon ever makes there.
 */
final class MissingConfigMap {
  /** A well-known annotation of Kubernetes. */
  private static final String DESCRIPTION = "kubernetes.io/description";

  private static final String ABOUT =
      "A key for each workflow type, and 'all'. Only the value go lets workflows of the type run;"
          + " any other, or none, stops them. Deleting this ConfigMap stops everything.";

  private static final Logger LOG = LoggerFactory.getLogger(MissingConfigMap.class);
  private static final Duration COMPLAIN_EVERY = Duration.ofMinutes(1);
  private static final Duration GIVE_UP = Duration.ofSeconds(10);

  private final Config config;
  private final LongSupplier nanoTime;
  private @Nullable Thread attempt; // guarded by this
  private long begun; // guarded by this
  private boolean closed; // guarded by this
  private boolean complained; // guarded by this
  private long complainedAt; // guarded by this

  MissingConfigMap(Config config, LongSupplier nanoTime) {
    this.config = config;
    this.nanoTime = nanoTime;
  }

  /**
   * Tries to create it, elsewhere and one attempt at a time. Called by every read that finds
   * nothing, which also is what repeats a failed attempt.
   */
  synchronized void create() {
    long now = nanoTime.getAsLong();
    Thread last = attempt;
    if (closed || (last != null && last.isAlive() && now - begun < GIVE_UP.toNanos())) {
      return;
    }
    if (last != null) {
      last.interrupt(); // a body that never ends: the client itself would wait for ever
    }
    begun = now;
    attempt = Thread.ofVirtual().name("andon-stop-create").start(this::attempt);
  }

  private void attempt() {
    ConfigMap empty =
        new ConfigMapBuilder()
            .withNewMetadata()
            .withNamespace(EmergencyStop.NAMESPACE)
            .withName(EmergencyStop.NAME)
            // Not for people alone: the API server tracks who writes which key only of an object
            // that was created with a field of its own, and stoppedBy names the writer.
            .addToAnnotations(DESCRIPTION, ABOUT)
            .endMetadata()
            .build();
    try (KubernetesClient client = StopClients.client(config, Runnable::run)) {
      ConfigMap created = client.resource(empty).create();
      forgetComplaint();
      LOG.warn(
          "There was no ConfigMap {}/{}: created it empty, at {}. Every workflow type is stopped"
              + " until somebody arms it",
          EmergencyStop.NAMESPACE,
          EmergencyStop.NAME,
          created.getMetadata().getResourceVersion());
    } catch (KubernetesClientException e) {
      if (e.getCode() != 409) { // 409: somebody else did, which is as good
        complain(StopAnswer.describe(e));
      }
    } catch (RuntimeException e) {
      complain(e.toString());
    }
  }

  private synchronized void forgetComplaint() {
    complained = false;
  }

  private synchronized void complain(String why) {
    long now = nanoTime.getAsLong();
    if (!complained || now - complainedAt >= COMPLAIN_EVERY.toNanos()) {
      complained = true;
      complainedAt = now;
      LOG.error(
          "There is no ConfigMap {}/{} and it cannot be created; every workflow type stays stopped."
              + " Does namespace {} exist (andon install creates it)? {}",
          EmergencyStop.NAMESPACE,
          EmergencyStop.NAME,
          EmergencyStop.NAMESPACE,
          why);
    }
  }

  synchronized void close() {
    closed = true;
  }
}
