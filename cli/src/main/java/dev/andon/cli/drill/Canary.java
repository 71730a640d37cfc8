package dev.andon.cli.drill;

import dev.andon.cli.CliException;
import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowStatus;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** A workflow that only sleeps, and every version of it, as a watch of its own sees them. */
final class Canary implements AutoCloseable {
  private final KubernetesClient client;
  private final String namespace;
  private final String name;
  private final LongSupplier nanoTime;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final List<Version> versions = new ArrayList<>();
  private @Nullable WatcherException lost;
  private @Nullable Watch watch;

  /**
   * A version of it.
   *
   * @param revision its resourceVersion: one row of numbers for all objects
   * @param starts sends ever intended
   * @param seen by the monotonic clock, in nanoseconds
   */
  record Version(
      long revision, String phase, int starts, boolean finished, Workflow workflow, long seen) {}

  private Canary(KubernetesClient client, String namespace, String name, LongSupplier nanoTime) {
    this.client = client;
    this.namespace = namespace;
    this.name = name;
    this.nanoTime = nanoTime;
  }

  /** One sleep after the other, a second each, so that there always is a next one to refuse. */
  static Workflow workflow(String namespace, String name, String type) {
    return Serialization.unmarshal(
        """
        apiVersion: andon.dev/v1alpha1
        kind: Workflow
        metadata:
          namespace: "%s"
          name: "%s"
          labels: {app.kubernetes.io/managed-by: andon-drill}
        spec:
          type: "%s"
          description: A drill of the emergency stop. It only sleeps
          startDeadlineSeconds: 120
          activeDeadlineSeconds: 300
          blocks:
          - name: sleep
            forEach:
              range: {from: 1, to: 300, format: "nap-%%d"}
              job: {type: sleep, args: {seconds: "1"}}
        """
            .formatted(namespace, name, type),
        Workflow.class);
  }

  /** Watches it before it is there, so that nothing of it is missed. */
  static Canary create(KubernetesClient client, Workflow workflow, LongSupplier nanoTime) {
    var canary =
        new Canary(
            client,
            workflow.getMetadata().getNamespace(),
            workflow.getMetadata().getName(),
            nanoTime);
    canary.watch =
        client
            .resources(Workflow.class)
            .inNamespace(canary.namespace)
            .withName(canary.name)
            .watch(canary.new Watching());
    try {
      client.resource(workflow).create();
    } catch (RuntimeException e) {
      canary.watch.close();
      throw e;
    }
    return canary;
  }

  /**
   * The first version that is so; empty if none was in time.
   *
   * @throws CliException if it cannot be seen any more
   */
  Optional<Version> await(Predicate<Version> condition, Duration limit)
      throws InterruptedException {
    lock.lock();
    try {
      long left = limit.toNanos();
      while (true) {
        Optional<Version> found = versions.stream().filter(condition).findFirst();
        if (found.isPresent()) {
          return found;
        }
        if (lost != null) {
          throw new CliException("the canary cannot be seen any more: " + lost.getMessage(), lost);
        }
        if (left <= 0) {
          return Optional.empty();
        }
        left = changed.awaitNanos(left);
      }
    } finally {
      lock.unlock();
    }
  }

  List<Version> versions() {
    lock.lock();
    try {
      return List.copyOf(versions);
    } finally {
      lock.unlock();
    }
  }

  String fullName() {
    return namespace + "/" + name;
  }

  void delete() {
    client.resources(Workflow.class).inNamespace(namespace).withName(name).delete();
  }

  @Override
  public void close() {
    if (watch != null) {
      watch.close();
    }
  }

  private final class Watching implements Watcher<Workflow> {
    @Override
    public void eventReceived(Action action, Workflow workflow) {
      long now = nanoTime.getAsLong();
      if (action != Action.ADDED && action != Action.MODIFIED) {
        return;
      }
      @Nullable WorkflowStatus status = workflow.getStatus();
      var version =
          new Version(
              Long.parseLong(workflow.getMetadata().getResourceVersion()),
              status == null ? "" : Objects.requireNonNullElse(status.phase(), ""),
              status == null ? 0 : Objects.requireNonNullElse(status.starts(), 0),
              status != null && status.finished().isPresent(),
              workflow,
              now);
      lock.lock();
      try {
        versions.add(version);
        changed.signalAll();
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void onClose(WatcherException cause) {
      lock.lock();
      try {
        lost = cause;
        changed.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }
}
