package dev.andon.operator.execution;

import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Wakes those who wait for a Job when its end is near. One watch for all of them, begun with the
 * first: where no job type has a container nothing is watched.
 *
 * <p>A bell says to look, and nothing else: what is decided from is read afresh. So nothing is lost
 * with an event that never came; it is only seen later, by {@link #LOOK_ANYWAY}.
 */
final class JobBells implements AutoCloseable {
  /** A watch can be silent for minutes before anybody notices. */
  static final Duration LOOK_ANYWAY = Duration.ofMinutes(2);

  static final Duration LOOK_WITHOUT_WATCH = Duration.ofSeconds(5);

  private final JobStore store;
  private final Duration lookWithoutWatch;
  private final ConcurrentHashMap<String, Bell> bells = new ConcurrentHashMap<>();
  private @Nullable SharedIndexInformer<Job> informer; // guarded by this
  private boolean closed; // guarded by this

  /** {@code lookWithoutWatch}: as {@link #LOOK_WITHOUT_WATCH}. */
  JobBells(JobStore store, Duration lookWithoutWatch) {
    this.store = store;
    this.lookWithoutWatch = lookWithoutWatch;
  }

  /** The bell of one Job, from now on. */
  final class Bell implements AutoCloseable {
    private final String name;
    private final Semaphore rung = new Semaphore(0);

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

    @Override
    public void close() {
      bells.remove(name, this);
    }
  }

  /** An attempt is worked on by one thread: a Job has one bell at a time. */
  Bell of(String namespace, String job) {
    begin();
    var bell = new Bell(namespace + "/" + job);
    bells.put(bell.name, bell);
    return bell;
  }

  private synchronized void begin() {
    if (informer == null && !closed) {
      informer =
          store.watch(
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
                  ringAnyway(job);
                }
              });
    }
  }

  private synchronized boolean synced() {
    return informer != null && informer.hasSynced();
  }

  private void ring(Job job) {
    if (JobReport.isWorthALook(job)) {
      ringAnyway(job);
    }
  }

  private void ringAnyway(Job job) {
    Bell bell = bells.get(job.getMetadata().getNamespace() + "/" + job.getMetadata().getName());
    if (bell != null) {
      bell.rung.release();
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (informer != null) {
      informer.close();
    }
  }
}
