package dev.andon.operator.execution;

import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.ManagedFieldsEntryBuilder;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodSpecBuilder;
import io.fabric8.kubernetes.api.model.PodStatus;
import io.fabric8.kubernetes.api.model.PodStatusBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Wakes those who wait for a Job when it, or a Pod of it, has come to something. One watch of each
 * kind for all of them, begun with the first: where no job type has a container nothing is watched.
 *
 * <p>A bell says to look, and keeps what was last seen of the Job's Pods: one that was suspended is
 * gone a moment after it has ended, and its last state says how. What is decided from is read
 * afresh beside that. Where an event never came it is only seen later, by {@link #LOOK_ANYWAY}, or
 * not known.
 */
final class JobBells implements AutoCloseable {
  /** A watch can be silent for minutes before anybody notices. */
  static final Duration LOOK_ANYWAY = Duration.ofMinutes(2);

  static final Duration LOOK_WITHOUT_WATCH = Duration.ofSeconds(5);

  /** The Job controller's, on Pods. */
  private static final String JOB_NAME = "batch.kubernetes.io/job-name";

  private final JobStore store;
  private final Duration lookWithoutWatch;
  private final ConcurrentHashMap<String, Bell> bells = new ConcurrentHashMap<>();
  private @Nullable SharedIndexInformer<Job> jobs; // guarded by this
  private @Nullable SharedIndexInformer<Pod> pods; // guarded by this
  private boolean closed; // guarded by this

  /** {@code lookWithoutWatch}: as {@link #LOOK_WITHOUT_WATCH}. */
  JobBells(JobStore store, Duration lookWithoutWatch) {
    this.store = store;
    this.lookWithoutWatch = lookWithoutWatch;
  }

  /** The bell of one Job, from now on. */
  final class Bell implements AutoCloseable {
    private final Semaphore rung = new Semaphore(0);
    private final Map<String, Seen> seen = new ConcurrentHashMap<>();
    private volatile String name;
    private volatile boolean atEveryChange;

    private Bell(String name) {
      this.name = name;
    }

    /**
     * Returns when it was rung since it was last waited for, or after that time.
     *
     * @param longest may be cut: it is time to look anyway
     */
    void await(Duration longest) throws InterruptedException {
      Duration anyway = synced() ? LOOK_ANYWAY : lookWithoutWatch;
      long jittered = anyway.toMillis() * ThreadLocalRandom.current().nextInt(80, 121) / 100;
      boolean _ =
          rung.tryAcquire(
              Math.max(1, Math.min(jittered, longest.toMillis())), TimeUnit.MILLISECONDS);
      rung.drainPermits();
    }

    /** It is another Job's from now on: one that an earlier run made. */
    void isOf(String namespace, String job) {
      bells.remove(name, this);
      name = namespace + "/" + job;
      bells.put(name, this);
    }

    /** Rings at every change of the Job, and not only when its end is near. */
    void atEveryChange(boolean wanted) {
      atEveryChange = wanted;
    }

    /** Pods as they were last seen. */
    List<Pod> seen() {
      return seen.values().stream().map(Seen::pod).toList();
    }

    /**
     * Pods as they were last seen, without those that are listed now.
     *
     * @param gone whether those that are gone, else those that may be there
     */
    List<Pod> seen(List<Pod> listed, boolean gone) {
      Set<String> uids =
          listed.stream().map(pod -> pod.getMetadata().getUid()).collect(Collectors.toSet());
      return seen.values().stream()
          .filter(s -> s.gone == gone && !uids.contains(s.pod.getMetadata().getUid()))
          .map(Seen::pod)
          .toList();
    }

    /** Whether a container of the work was ever seen to have been started. */
    boolean sawOneStarted() {
      return seen.values().stream().anyMatch(Seen::started);
    }

    /** Rings if the Pod has come to something: an end, or a reason why it does not get on. */
    private void saw(Pod pod, boolean gone) {
      Pod kept = withoutWhatNobodyAsksFor(pod);
      String now = gone + " " + PodEnd.of(kept) + JobReport.whyWaiting(List.of(kept));
      var changed = new AtomicBoolean();
      seen.compute(
          pod.getMetadata().getUid(),
          (uid, before) -> {
            changed.set(!now.equals(before == null ? GETS_ON : before.come));
            boolean started = PodEnd.wasStarted(kept) || (before != null && before.started);
            return new Seen(kept, gone, started, now);
          });
      if (changed.get()) {
        rung.release();
      }
    }

    @Override
    public void close() {
      bells.remove(name, this);
    }
  }

  /**
   * @param come what it had come to
   */
  private record Seen(Pod pod, boolean gone, boolean started, String come) {}

  private static final String GETS_ON =
      false + " " + new PodEnd.Says.GoesOn() + Optional.<JobReport.Finding>empty();

  /** An attempt is worked on by one thread: a Job has one bell at a time. */
  Bell of(String namespace, String job) {
    begin();
    var bell = new Bell(namespace + "/" + job);
    bells.put(bell.name, bell);
    return bell;
  }

  private synchronized void begin() {
    if (jobs != null || closed) {
      return;
    }
    jobs =
        store.watchJobs(
            new ResourceEventHandler<>() {
              @Override
              public void onAdd(Job job) {
                ring(job);
              }

              @Override
              public void onUpdate(Job before, Job job) {
                ring(job);
              }

              @Override
              public void onDelete(Job job, boolean finalStateUnknown) {
                bell(job.getMetadata(), job.getMetadata().getName())
                    .ifPresent(bell -> bell.rung.release());
              }
            });
    pods =
        store.watchPods(
            new ResourceEventHandler<>() {
              @Override
              public void onAdd(Pod pod) {
                saw(pod, false);
              }

              @Override
              public void onUpdate(Pod before, Pod pod) {
                saw(pod, false);
              }

              @Override
              public void onDelete(Pod pod, boolean finalStateUnknown) {
                if (!finalStateUnknown) {
                  saw(pod, true);
                }
              }
            });
  }

  private synchronized boolean synced() {
    return jobs != null && jobs.hasSynced() && pods != null && pods.hasSynced();
  }

  private Optional<Bell> bell(ObjectMeta of, @Nullable String job) {
    return Optional.ofNullable(job == null ? null : bells.get(of.getNamespace() + "/" + job));
  }

  private void ring(Job job) {
    bell(job.getMetadata(), job.getMetadata().getName())
        .filter(bell -> bell.atEveryChange || JobReport.isWorthALook(job))
        .ifPresent(bell -> bell.rung.release());
  }

  private void saw(Pod pod, boolean gone) {
    bell(pod.getMetadata(), jobOf(pod)).ifPresent(bell -> bell.saw(pod, gone));
  }

  /** The label stays when the Job is deleted and the Pod is left. */
  private static @Nullable String jobOf(Pod pod) {
    Map<String, String> labels =
        Objects.requireNonNullElse(pod.getMetadata().getLabels(), Map.<String, String>of());
    return Stream.concat(
            Stream.ofNullable(labels.get(JOB_NAME)),
            Objects.requireNonNullElse(
                    pod.getMetadata().getOwnerReferences(), List.<OwnerReference>of())
                .stream()
                .filter(owner -> "Job".equals(owner.getKind()))
                .map(OwnerReference::getName))
        .findFirst()
        .orElse(null);
  }

  /** Thousands may be kept at once: what says how it ended, and whose it is. */
  private static Pod withoutWhatNobodyAsksFor(Pod whole) {
    ObjectMeta meta = whole.getMetadata();
    var annotations =
        new ArrayList<>(
            Objects.requireNonNullElse(meta.getAnnotations(), Map.<String, String>of()).entrySet());
    annotations.removeIf(entry -> !entry.getKey().equals(JobManifest.CONTAINERS_ANNOTATION));
    var kept = new Pod();
    kept.setMetadata(
        new ObjectMetaBuilder()
            .withNamespace(meta.getNamespace())
            .withName(meta.getName())
            .withUid(meta.getUid())
            .withLabels(meta.getLabels())
            .withOwnerReferences(meta.getOwnerReferences())
            .withDeletionTimestamp(meta.getDeletionTimestamp())
            .withDeletionGracePeriodSeconds(meta.getDeletionGracePeriodSeconds())
            .withManagedFields(
                meta.getManagedFields().stream()
                    .filter(entry -> "status".equals(entry.getSubresource()))
                    .map(
                        entry ->
                            new ManagedFieldsEntryBuilder()
                                .withSubresource(entry.getSubresource())
                                .withTime(entry.getTime())
                                .build())
                    .toList())
            .withAnnotations(
                annotations.isEmpty()
                    ? Map.of()
                    : Map.of(annotations.getFirst().getKey(), annotations.getFirst().getValue()))
            .build());
    kept.setSpec(
        new PodSpecBuilder()
            .withNodeName(whole.getSpec() == null ? null : whole.getSpec().getNodeName())
            .withInitContainers(
                whole.getSpec() == null
                    ? List.of()
                    : whole.getSpec().getInitContainers().stream()
                        .map(
                            init ->
                                new ContainerBuilder()
                                    .withName(init.getName())
                                    .withRestartPolicy(init.getRestartPolicy())
                                    .build())
                        .toList())
            .build());
    PodStatus status = whole.getStatus();
    if (status != null) {
      kept.setStatus(
          new PodStatusBuilder()
              .withPhase(status.getPhase())
              .withReason(status.getReason())
              .withMessage(status.getMessage())
              .withStartTime(status.getStartTime())
              .withConditions(status.getConditions())
              .withContainerStatuses(status.getContainerStatuses())
              .withInitContainerStatuses(status.getInitContainerStatuses())
              .build());
    }
    return kept;
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (jobs != null) {
      jobs.close();
    }
    if (pods != null) {
      pods.close();
    }
  }
}
