package dev.andon.operator.execution;

import io.fabric8.kubernetes.api.model.MicroTime;
import io.fabric8.kubernetes.api.model.events.v1.Event;
import io.fabric8.kubernetes.api.model.events.v1.EventBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Clock;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices as Events of the workflow. For people: one that cannot be written is let go, as what it
 * says is in status too.
 */
public final class ClusterNotices implements Notices, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ClusterNotices.class);

  private static final String CONTROLLER = "andon.dev/operator";
  private static final DateTimeFormatter MICROS =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'").withZone(ZoneOffset.UTC);

  /** So many wait to be written; more are let go. */
  private static final int WAITING = 100;

  /** Bytes of a note, by the API: a message has less, in characters of at most four. */
  private static final int LONGEST_NOTE = 1024;

  private final KubernetesClient client;
  private final String instance;
  private final Clock clock;
  private final ThreadPoolExecutor writer =
      new ThreadPoolExecutor(
          0,
          1,
          1,
          TimeUnit.SECONDS,
          new ArrayBlockingQueue<>(WAITING),
          Thread.ofVirtual().name("events").factory(),
          new ThreadPoolExecutor.DiscardPolicy());

  /**
   * @param instance which operator says so
   */
  public ClusterNotices(KubernetesClient client, String instance, Clock clock) {
    this.client = client;
    this.instance = instance;
    this.clock = clock;
  }

  @Override
  public void waits(Attempt attempt, Executions.Wait wait) {
    Event event = event(attempt, wait);
    writer.execute(
        () -> {
          try {
            client.resource(event).create();
          } catch (RuntimeException e) {
            LOG.warn(
                "no Event says that {}/{} waits: {}",
                attempt.namespace(),
                attempt.runner().workflow(),
                Messages.of(e));
          }
        });
  }

  private Event event(Attempt attempt, Executions.Wait wait) {
    String note =
        "job %d of block %s: %s"
            .formatted(attempt.key().index(), attempt.key().block(), wait.why());
    var now = clock.instant();
    return new EventBuilder()
        .withNewMetadata()
        .withNamespace(attempt.namespace())
        .withName(
            "%s.%x"
                .formatted(
                    attempt.runner().workflow(),
                    now.getEpochSecond() * 1_000_000_000L + now.getNano()))
        .endMetadata()
        .withEventTime(new MicroTime(MICROS.format(now)))
        .withType("Warning")
        .withReason(wait.reason())
        .withAction(wait.begun() ? "Run" : "Begin")
        .withNote(note.length() <= LONGEST_NOTE / 4 ? note : note.substring(0, LONGEST_NOTE / 4))
        .withReportingController(CONTROLLER)
        .withReportingInstance(instance)
        .withNewRegarding()
        .withApiVersion("andon.dev/v1alpha1")
        .withKind("Workflow")
        .withNamespace(attempt.namespace())
        .withName(attempt.runner().workflow())
        .withUid(attempt.runner().uid())
        .endRegarding()
        .build();
  }

  @Override
  public void close() {
    writer.shutdown();
  }
}
