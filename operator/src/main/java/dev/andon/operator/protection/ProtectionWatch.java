package dev.andon.operator.protection;

import dev.andon.operator.cluster.ClusterHttp;
import dev.andon.operator.cluster.ClusterJson;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches over the protections of the stop, once a minute, on threads and connections of its own:
 * nothing of the stop waits for it. Each round has a new connection, so that of several API servers
 * behind one address each has its turn.
 */
public final class ProtectionWatch implements AutoCloseable {
  /** Between two rounds, a tenth more or less. */
  public static final Duration EVERY = Duration.ofMinutes(1);

  private static final Logger LOG = LoggerFactory.getLogger(ProtectionWatch.class);
  private static final double JITTER = 0.1;
  private static final Duration GIVE_UP = Duration.ofSeconds(30);
  private static final int REQUEST_MILLIS = 5_000;

  private final Config config;
  private final String namespace;
  private final Duration every;
  private final Clock clock;
  private final ProtectionRounds rounds;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("andon-protections").daemon().factory());
  private final ExecutorService asking = Executors.newVirtualThreadPerTaskExecutor();

  /**
   * Nothing is asked before {@link #start}.
   *
   * @param main the operator's own configuration
   * @param namespace the operator's, where it may create Jobs
   * @param gateRead the resourceVersion of the stop's ConfigMap that the gate read last; "" where
   *     it saw none, empty where nothing is visible
   * @param publishes whether this process is the one of several to write Events
   * @param every see {@link #EVERY}
   */
  public ProtectionWatch(
      Config main,
      String namespace,
      Supplier<Optional<String>> gateRead,
      BooleanSupplier publishes,
      ProtectionMetrics metrics,
      Clock clock,
      Duration every) {
    this.config =
        new ConfigBuilder(main)
            .withUserAgent("andon-operator/protections")
            .withHttp2Disable(true)
            .withRequestRetryBackoffLimit(0)
            .withRequestTimeout(REQUEST_MILLIS)
            .withConnectionTimeout(REQUEST_MILLIS)
            .build();
    this.namespace = namespace;
    this.every = every;
    this.clock = clock;
    this.rounds = new ProtectionRounds(gateRead, publishes, metrics, clock);
  }

  /** Returns at once. */
  public void start() {
    schedule(Duration.ZERO);
  }

  /** Each protection as it was when it could last be looked at; none before the first round. */
  public Protections lastKnown() {
    return rounds.lastKnown();
  }

  /** Names of the protections that are not in place, as far as known; free to call. */
  public List<String> missing() {
    return rounds.lastKnown().missing();
  }

  private void schedule(Duration delay) {
    try {
      var _ = timer.schedule(this::turn, delay.toMillis(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      LOG.debug("Closing: the protections are not looked at any more");
    }
  }

  private void turn() {
    Duration next = jittered(every);
    try {
      next = round().orElse(next);
    } catch (TimeoutException e) {
      LOG.debug("The protections could not be looked at within {}", GIVE_UP);
    } catch (RejectedExecutionException e) {
      LOG.debug("Closing: the protections are not looked at any more");
      return;
    } catch (ExecutionException | RuntimeException e) {
      LOG.warn("The protections could not be looked at, in a way nobody thought of", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return;
    }
    schedule(next);
  }

  /** In a thread that can be left: no client below bounds the time that a body takes. */
  private Optional<Duration> round()
      throws InterruptedException, ExecutionException, TimeoutException {
    try (KubernetesClient client =
        ClusterHttp.client(config)
            .withKubernetesSerialization(ClusterJson.withoutManagers())
            .build()) {
      Future<Optional<Duration>> round =
          asking.submit(() -> rounds.round(new ApiView(client, namespace, clock)));
      try {
        return round.get(GIVE_UP.toMillis(), TimeUnit.MILLISECONDS);
      } finally {
        round.cancel(true);
      }
    }
  }

  private static Duration jittered(Duration duration) {
    double factor = 1 + ThreadLocalRandom.current().nextDouble(-JITTER, JITTER);
    return Duration.ofNanos((long) (duration.toNanos() * factor));
  }

  @Override
  public void close() {
    timer.shutdownNow();
    asking.shutdownNow();
  }
}
