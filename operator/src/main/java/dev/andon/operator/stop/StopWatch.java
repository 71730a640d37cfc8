package dev.andon.operator.stop;

import dev.andon.operator.stop.EmergencyStop.Sight;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapList;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import io.fabric8.kubernetes.client.dsl.FilterWatchListDeletable;
import io.fabric8.kubernetes.client.dsl.Resource;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows the one ConfigMap, on its own client and threads. A list that the API server answers from
 * a quorum says where to begin (a watch that begins nowhere may begin in a cache's past); from
 * there every state comes by, also those that came and went while the connection was broken.
 *
 * <p>A connection that is alive and says nothing looks like peace. So the gate's reads are compared
 * with it: a state they saw that has not come by within seconds is the end of this watch and the
 * beginning of a new one.
 */
final class StopWatch implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(StopWatch.class);

  private static final Duration MAY_LAG = Duration.ofSeconds(3);

  /** Time to connect, which an overloaded API server is given before it is asked once more. */
  private static final Duration MAY_CONNECT = Duration.ofSeconds(6);

  private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);

  /** Asked of the API server, which then ends the watch; it is taken up where it was. */
  private static final long WATCH_SECONDS = 300;

  private final Config config;
  private final Consumer<EmergencyStop> events;
  private final StopMetrics metrics;
  private final LongSupplier nanoTime;

  private volatile boolean closed;
  private volatile boolean established;
  private @Nullable Thread thread;

  // What the watch said last, and since when a read has said otherwise. Guarded by this.
  private @Nullable Sight lastEvent;
  private @Nullable Sight ahead;
  private long aheadSince;
  private long attemptSince;
  private CompletableFuture<String> end = new CompletableFuture<>();

  /** {@code config}: as {@link StopClients#watching} makes it; {@code events}: quick. */
  StopWatch(
      Config config, Consumer<EmergencyStop> events, StopMetrics metrics, LongSupplier nanoTime) {
    this.config = config;
    this.events = events;
    this.metrics = metrics;
    this.nanoTime = nanoTime;
  }

  void start() {
    thread = Thread.ofPlatform().name("andon-stop-watch").daemon().start(this::run);
  }

  private void run() {
    Duration pause = FIRST_PAUSE;
    boolean quiet = false;
    while (!closed) {
      CompletableFuture<String> ended = begin();
      established = false;
      String why;
      try {
        why = follow(ended);
      } catch (InterruptedException e) {
        why = "given up";
      } catch (RuntimeException e) {
        why = StopAnswer.describe(e);
      }
      // An attempt that was given up may have left its interrupt behind.
      Thread.interrupted();
      if (closed) {
        return;
      }
      if (established) {
        pause = FIRST_PAUSE;
        quiet = false;
      }
      if (quiet) {
        LOG.debug("The watch of the emergency stop ended: {}", why);
      } else {
        LOG.info(
            "The watch of the emergency stop ended and is set up again; the gate is read once a"
                + " second meanwhile: {}",
            why);
      }
      quiet = true;
      rest(pause);
      pause =
          pause.multipliedBy(2).compareTo(LONGEST_PAUSE) < 0
              ? pause.multipliedBy(2)
              : LONGEST_PAUSE;
    }
  }

  private synchronized CompletableFuture<String> begin() {
    attemptSince = nanoTime.getAsLong();
    ahead = null;
    end = new CompletableFuture<>();
    return end;
  }

  private static void rest(Duration pause) {
    try {
      new CompletableFuture<Void>().get(pause.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException | InterruptedException | ExecutionException e) {
      // Rested, or wanted.
    }
  }

  /** Until it ends; why it did. */
  private String follow(CompletableFuture<String> ended) throws InterruptedException {
    try (ExecutorService callbacks =
            Executors.newSingleThreadExecutor(
                Thread.ofPlatform().name("andon-stop-events").daemon().factory());
        Closing _ = callbacks::shutdownNow;
        KubernetesClient client = StopClients.client(config, callbacks)) {
      FilterWatchListDeletable<ConfigMap, ConfigMapList, Resource<ConfigMap>> one =
          client
              .configMaps()
              .inNamespace(EmergencyStop.NAMESPACE)
              .withField("metadata.name", EmergencyStop.NAME);
      ConfigMapList list = one.list();
      list.getItems().stream()
          .filter(StopWatch::isTheOne)
          .findFirst()
          // An empty list is not taken for a stop: the gate's read says so with a name in it.
          .ifPresentOrElse(item -> saw(EmergencyStop.of(item)), () -> noted(Sight.MISSING));
      try (Watch _ =
          one.watch(
              new ListOptionsBuilder()
                  .withResourceVersion(list.getMetadata().getResourceVersion())
                  .withTimeoutSeconds(WATCH_SECONDS)
                  .build(),
              new Events(ended))) {
        established = true;
        metrics.watchStarted();
        return ended.get();
      } catch (ExecutionException e) {
        throw new IllegalStateException(e); // nobody completes it so
      }
    }
  }

  private interface Closing extends AutoCloseable {
    @Override
    void close();
  }

  private static boolean isTheOne(ConfigMap configMap) {
    return configMap.getMetadata() != null
        && EmergencyStop.NAME.equals(configMap.getMetadata().getName())
        && EmergencyStop.NAMESPACE.equals(configMap.getMetadata().getNamespace());
  }

  private void saw(EmergencyStop stop) {
    noted(stop.sight());
    events.accept(stop);
  }

  private synchronized void noted(Sight sight) {
    lastEvent = sight;
    if (ahead != null && ahead.sameState(sight)) {
      ahead = null;
    }
  }

  /** A read of the gate saw this; false watches are found by it. */
  void readSaw(Sight sight) {
    CompletableFuture<String> behind;
    synchronized (this) {
      long now = nanoTime.getAsLong();
      boolean hanging = !established && now - attemptSince >= MAY_CONNECT.toNanos();
      if (!hanging && !isLagging(sight, now)) {
        return;
      }
      ahead = null;
      behind = end;
    }
    behind.complete("the gate's reads are ahead of it");
    Thread running = thread;
    if (running != null && !established) {
      running.interrupt(); // it may hang in connecting
    }
  }

  /** With the monitor held. */
  private boolean isLagging(Sight sight, long now) {
    if (lastEvent != null && lastEvent.sameState(sight)) {
      ahead = null;
      return false;
    }
    if (ahead == null) {
      ahead = sight;
      aheadSince = now;
    }
    return now - aheadSince >= MAY_LAG.toNanos() && now - attemptSince >= MAY_CONNECT.toNanos();
  }

  private final class Events implements Watcher<ConfigMap> {
    private final CompletableFuture<String> ended;

    Events(CompletableFuture<String> ended) {
      this.ended = ended;
    }

    @Override
    public void eventReceived(Action action, ConfigMap configMap) {
      if (configMap == null || !isTheOne(configMap)) {
        return;
      }
      switch (action) {
        case ADDED, MODIFIED -> saw(EmergencyStop.of(configMap));
        case DELETED -> saw(EmergencyStop.deleted(configMap));
        case BOOKMARK, ERROR -> {
          // Nothing about the ConfigMap.
        }
      }
    }

    @Override
    public void onClose(WatcherException cause) {
      ended.complete(StopAnswer.describe(cause));
    }

    @Override
    public void onClose() {
      ended.complete("closed");
    }
  }

  @Override
  public void close() {
    closed = true;
    CompletableFuture<String> current;
    synchronized (this) {
      current = end;
    }
    current.complete("closing");
    Thread running = thread;
    if (running != null) {
      running.interrupt();
    }
  }
}
