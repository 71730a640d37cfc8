package dev.andon.operator.protection;

import dev.andon.operator.protection.SecondLayer.Answer;
import dev.andon.operator.stop.EmergencyStop;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.EventBuilder;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The real cluster. */
final class ApiView implements ProtectionRounds.View {
  private static final Logger LOG = LoggerFactory.getLogger(ApiView.class);

  /** No workflow type is called so, in any case: never open, whatever the ConfigMap says. */
  private static final String NO_TYPE = "all";

  private static final String PROBE = "andon-stop-probe";

  private final KubernetesClient client;
  private final String namespace;
  private final Clock clock;

  /** {@code namespace}: the operator's, where it may create Jobs. */
  ApiView(KubernetesClient client, String namespace, Clock clock) {
    this.client = client;
    this.namespace = namespace;
    this.clock = clock;
  }

  @Override
  public Protections inspect() {
    return Protections.inspect(client);
  }

  @Override
  public Answer tryJob() {
    try {
      Job _ = client.resource(neverAllowed()).dryRun().create();
      return new Answer.Admitted();
    } catch (KubernetesClientException e) {
      return SecondLayer.refusal(e.getCode(), message(e));
    }
  }

  /** Suspended besides: if ever one came to be, nothing would run. */
  private Job neverAllowed() {
    return new JobBuilder()
        .withNewMetadata()
        .withNamespace(namespace)
        .withName(PROBE)
        .addToLabels("andon.dev/workflow-type", NO_TYPE)
        .endMetadata()
        .withNewSpec()
        .withSuspend(true)
        .withNewTemplate()
        .withNewSpec()
        .withRestartPolicy("Never")
        .addNewContainer()
        .withName("never")
        .withImage("andon.invalid/never")
        .endContainer()
        .endSpec()
        .endTemplate()
        .endSpec()
        .build();
  }

  @Override
  public boolean publish(Notice notice) {
    try {
      Event _ = client.resource(event(notice)).create();
      return true;
    } catch (KubernetesClientException e) {
      LOG.debug("The Event about the protections was not written: {}", message(e));
      return false;
    }
  }

  private Event event(Notice notice) {
    Instant now = clock.instant();
    String time = now.truncatedTo(ChronoUnit.SECONDS).toString();
    Optional<ConfigMap> stop =
        Optional.ofNullable(
            client
                .configMaps()
                .inNamespace(EmergencyStop.NAMESPACE)
                .withName(EmergencyStop.NAME)
                .get());
    var about =
        new ObjectReferenceBuilder()
            .withApiVersion("v1")
            .withKind("ConfigMap")
            .withNamespace(EmergencyStop.NAMESPACE)
            .withName(EmergencyStop.NAME);
    stop.ifPresent(one -> about.withUid(one.getMetadata().getUid()));
    return new EventBuilder()
        .withNewMetadata()
        .withNamespace(EmergencyStop.NAMESPACE)
        // As client-go names Events: unique enough, and sorted by time.
        .withName(
            EmergencyStop.NAME
                + "."
                + Long.toHexString(now.getEpochSecond() * 1_000_000_000L + now.getNano()))
        .endMetadata()
        .withInvolvedObject(about.build())
        .withType(notice.warning() ? "Warning" : "Normal")
        .withReason(notice.reason())
        .withMessage(notice.message())
        .withFirstTimestamp(time)
        .withLastTimestamp(time)
        .withCount(1)
        .withNewSource()
        .withComponent("andon-operator")
        .endSource()
        .build();
  }

  private static String message(KubernetesClientException e) {
    return e.getStatus() != null && e.getStatus().getMessage() != null
        ? e.getStatus().getMessage()
        : String.valueOf(e.getMessage());
  }
}
