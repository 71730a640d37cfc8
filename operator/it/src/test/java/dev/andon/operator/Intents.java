package dev.andon.operator;

import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowStatus;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import java.math.BigInteger;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;

/**
 * When each intent was written, as etcd counts: follows every revision of every workflow's status.
 * Revisions of all objects are one sequence, so that an intent is older or newer than a stop.
 */
final class Intents implements Watcher<Workflow>, AutoCloseable {
  private final Map<String, BigInteger> firstSeen = new ConcurrentHashMap<>();
  private final AtomicReference<BigInteger> latest = new AtomicReference<>(BigInteger.ZERO);
  private final AtomicReference<WatcherException> broken = new AtomicReference<>();
  private final Watch watch;

  Intents(KubernetesClient client) {
    watch = client.resources(Workflow.class).inAnyNamespace().watch(this);
  }

  @Override
  public void eventReceived(Action action, Workflow workflow) {
    BigInteger revision = new BigInteger(workflow.getMetadata().getResourceVersion());
    WorkflowStatus status = workflow.getStatus();
    if (status != null) {
      status.active().stream()
          .filter(attempt -> attempt.nextAttemptTime() == null)
          .map(
              attempt ->
                  "%s/%s/%d/%d"
                      .formatted(
                          workflow.getMetadata().getUid(),
                          attempt.block(),
                          attempt.index(),
                          attempt.attempt()))
          .forEach(key -> firstSeen.putIfAbsent(key, revision));
    }
    latest.accumulateAndGet(revision, BigInteger::max);
  }

  @Override
  public void onClose(WatcherException cause) {
    broken.set(cause);
  }

  /** Keys of attempts whose first intent is newer than this revision. */
  Set<String> newerThan(String revision) {
    check();
    BigInteger than = new BigInteger(revision);
    return firstSeen.entrySet().stream()
        .filter(intent -> intent.getValue().compareTo(than) > 0)
        .map(Map.Entry::getKey)
        .collect(Collectors.toSet());
  }

  /** Whether every revision of a workflow up to this one has come by. */
  boolean reached(String revision) {
    check();
    return latest.get().compareTo(new BigInteger(revision)) >= 0;
  }

  private void check() {
    Optional.ofNullable(broken.get())
        .ifPresent(
            cause -> {
              throw new IllegalStateException("what was intended is no longer followed", cause);
            });
  }

  @Override
  public void close() {
    watch.close();
  }
}
