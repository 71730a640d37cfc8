package dev.andon.cli.demo;

import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowStatus.Active;
import dev.andon.operator.stop.EmergencyStop;
import dev.andon.operator.stop.StopView;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What the demo sees of the workflow and of the stop, by watches of its own: it believes neither
 * the operator nor itself.
 */
final class Sightings implements AutoCloseable {
  static final String STOP_NAMESPACE = "andon-stop";
  static final String STOP = "emergency-stop";

  private final String type;
  private final InstantSource clock;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final List<Version> versions = new ArrayList<>();
  private final List<Watch> watches = new ArrayList<>();
  private @Nullable Workflow latest;
  private @Nullable StopWrite stop;
  private @Nullable WatcherException lost;
  private long changes;

  /**
   * Which attempts a version of the workflow shows as intended or under way.
   *
   * @param revision etcd's, one row of numbers for all objects
   * @param attempts keys, {@code uid/block/index/attempt}
   */
  record Version(long revision, Set<String> attempts) {}

  /**
   * The write that stopped.
   *
   * @param revision etcd's
   * @param seen when our watch told us: a few milliseconds after the write
   */
  record StopWrite(long revision, Instant seen) {}

  private Sightings(String type, InstantSource clock) {
    this.type = type;
    this.clock = clock;
  }

  static Sightings of(
      KubernetesClient client, String namespace, String name, String type, InstantSource clock) {
    var sightings = new Sightings(type, clock);
    sightings.watches.add(
        client
            .resources(Workflow.class)
            .inNamespace(namespace)
            .withName(name)
            .watch(sightings.watcher(sightings::see)));
    sightings.watches.add(
        client
            .configMaps()
            .inNamespace(STOP_NAMESPACE)
            .withName(STOP)
            .watch(sightings.watcher(sightings::see)));
    return sightings;
  }

  /** The workflow as it was last seen; empty before it was. */
  Optional<Workflow> workflow() {
    lock.lock();
    try {
      if (lost != null) {
        throw new IllegalStateException("the watch was lost", lost);
      }
      return Optional.ofNullable(latest);
    } finally {
      lock.unlock();
    }
  }

  /** The first write since the type was armed that left it not open. */
  Optional<StopWrite> stop() {
    lock.lock();
    try {
      return Optional.ofNullable(stop);
    } finally {
      lock.unlock();
    }
  }

  /**
   * The attempts that were intended or under way when revision {@code revision} was written: those
   * of the newest version of the workflow before it.
   */
  Set<String> attemptsAt(long revision) {
    lock.lock();
    try {
      return versions.stream()
          .filter(version -> version.revision() < revision)
          .max(Comparator.comparingLong(Version::revision))
          .map(Version::attempts)
          .orElse(Set.of());
    } finally {
      lock.unlock();
    }
  }

  /** How often something was seen; for {@link #awaitChange}. */
  long changes() {
    lock.lock();
    try {
      return changes;
    } finally {
      lock.unlock();
    }
  }

  /** Returns when something is seen after {@code since}, or the time is over. */
  void awaitChange(long since, Duration limit) throws InterruptedException {
    lock.lock();
    try {
      long left = limit.toNanos();
      while (changes == since && left > 0) {
        left = changed.awaitNanos(left);
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    watches.forEach(Watch::close);
  }

  private void see(Workflow workflow) {
    latest = workflow;
    String uid = workflow.getMetadata().getUid();
    Set<String> attempts =
        workflow.getStatus() == null
            ? Set.of()
            : workflow.getStatus().active().stream()
                .map(active -> key(uid, active))
                .collect(Collectors.toSet());
    versions.add(new Version(revision(workflow.getMetadata().getResourceVersion()), attempts));
  }

  private void see(ConfigMap map) {
    boolean open = EmergencyStop.of(map).view(type) instanceof StopView.Open;
    if (open) {
      stop = null;
    } else if (stop == null) {
      stop = new StopWrite(revision(map.getMetadata().getResourceVersion()), clock.instant());
    }
  }

  private static String key(String uid, Active active) {
    return "%s/%s/%d/%d".formatted(uid, active.block(), active.index(), active.attempt());
  }

  /** Opaque to clients in general; of this API server on etcd we know what it is. */
  private static long revision(String resourceVersion) {
    return Long.parseLong(resourceVersion);
  }

  private <T> Watcher<T> watcher(Consumer<T> see) {
    return new Watcher<>() {
      @Override
      public void eventReceived(Action action, T object) {
        lock.lock();
        try {
          if (action == Action.ADDED || action == Action.MODIFIED) {
            see.accept(object);
          }
          changes++;
          changed.signalAll();
        } finally {
          lock.unlock();
        }
      }

      @Override
      public void onClose(WatcherException e) {
        lock.lock();
        try {
          lost = e;
          changes++;
          changed.signalAll();
        } finally {
          lock.unlock();
        }
      }
    };
  }
}
