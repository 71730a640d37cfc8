package dev.andon.operator.execution;

import dev.andon.operator.cluster.Existence;
import dev.andon.operator.leadership.NotLeading;
import dev.andon.operator.stop.EmergencyStop;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BiPredicate;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Suspends Jobs that no attempt answers for. There are two kinds:
 *
 * <ul>
 *   <li>Jobs of a workflow whose status cannot be trusted: its attempts are not known. They are
 *       found by label and owner, see {@link #suspendOf}.
 *   <li>Jobs of a stopped type, whatever became of their workflow. Every stop seen is followed by
 *       one list of all Jobs of workflows, a second later: those that the workflows suspend by
 *       themselves are suspended by then. Left alone are Jobs of a workflow that runs under an
 *       arming of after the stop.
 * </ul>
 *
 * <p>Works on a thread of its own, one request at a time, and only while this process leads. What
 * fails is tried again until it succeeds. Who begins to lead looks at the stop as it is then.
 */
public final class StrayJobs implements AutoCloseable {
  /** After a stop was seen: what runs is suspended by its workflow first. */
  static final Duration AFTER_STOP = Duration.ofSeconds(1);

  static final Duration FIRST_RETRY = Duration.ofSeconds(1);
  static final Duration LONGEST_RETRY = Duration.ofSeconds(30);

  private static final Duration TICK = Duration.ofMillis(500);

  /** Of Jobs that were suspended, by name in the log. */
  private static final int MOST_TOLD = 10;

  private static final Logger LOG = LoggerFactory.getLogger(StrayJobs.class);

  private final JobStore jobs;
  private final BooleanSupplier leads;
  private final BiPredicate<String, String> runs;
  private final LongSupplier nanoTime;
  private final ScheduledExecutorService ticks =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("stray-jobs-", 0).factory());

  // Guarded by this.
  private @Nullable EmergencyStop latest;
  private boolean led;

  /** Types that every stop which is still to be followed left open; null: there is none. */
  private @Nullable Set<String> open;

  /** Workflows whose Jobs could not all be suspended: namespace by uid. */
  private final Map<String, String> corrupt = new HashMap<>();

  private int failures;
  private long due;

  /**
   * @param client as {@link SendingClient} makes it
   * @param leads whether this process is the one that writes
   * @param runs whether the workflow of this uid and type has started and seen no stop
   */
  public StrayJobs(
      KubernetesClient client, BooleanSupplier leads, BiPredicate<String, String> runs) {
    this(new JobStore(client), leads, runs, System::nanoTime);
  }

  /** {@code nanoTime}: monotonic. */
  StrayJobs(
      JobStore jobs,
      BooleanSupplier leads,
      BiPredicate<String, String> runs,
      LongSupplier nanoTime) {
    this.jobs = jobs;
    this.leads = leads;
    this.runs = runs;
    this.nanoTime = nanoTime;
  }

  public void start() {
    ticks.scheduleWithFixedDelay(
        this::tick, TICK.toMillis(), TICK.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** The ConfigMap was seen in this state. Returns at once. */
  public synchronized void stopSeen(EmergencyStop stop) {
    if (led && stop.closesMoreThan(latest)) {
      follow(stop);
    }
    latest = stop;
  }

  /** With the monitor held. */
  private void follow(EmergencyStop stop) {
    Set<String> left = new HashSet<>(stop.openTypes());
    long soon = nanoTime.getAsLong() + AFTER_STOP.toNanos();
    if (open == null) {
      due = soon;
    } else {
      left.retainAll(open);
      due = Math.min(due, soon); // not once more the time that a failure has to wait
    }
    open = Set.copyOf(left);
    failures = 0;
  }

  /**
   * Suspends the Jobs of this workflow that have not ended. Those that cannot be suspended now are
   * tried again later, for as long as this process leads.
   */
  public void suspendOf(String namespace, String uid) {
    try {
      if (suspendAll(namespace, job -> owner(job).filter(uid::equals).isPresent())) {
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    synchronized (this) {
      if (open == null && corrupt.isEmpty()) {
        due = nanoTime.getAsLong() + FIRST_RETRY.toNanos();
      }
      corrupt.put(uid, namespace);
    }
  }

  void tick() {
    try {
      if (isDue()) {
        look();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      LOG.error("stray Jobs could not be looked for; tried again in a while", e);
    }
  }

  private synchronized boolean isDue() {
    if (!leads.getAsBoolean()) {
      // Who leads has seen the stop too, and does this.
      led = false;
      open = null;
      corrupt.clear();
      return false;
    }
    if (!led) {
      led = true;
      if (latest != null && latest.closesMoreThan(null)) {
        follow(latest);
      }
    }
    return (open != null || !corrupt.isEmpty()) && nanoTime.getAsLong() - due >= 0;
  }

  private void look() throws InterruptedException {
    Set<String> left;
    Map<String, String> ofCorrupt;
    synchronized (this) {
      left = open;
      ofCorrupt = Map.copyOf(corrupt);
      open = null;
      corrupt.clear();
      due = nanoTime.getAsLong();
    }
    boolean swept = false;
    Map<String, String> again = new HashMap<>(ofCorrupt);
    try {
      swept = left == null || suspendAll(null, job -> isStopped(job, left));
      for (var one : ofCorrupt.entrySet()) {
        if (suspendAll(
            one.getValue(), job -> owner(job).filter(one.getKey()::equals).isPresent())) {
          again.remove(one.getKey());
        }
      }
    } finally {
      putBack(swept ? null : left, again);
    }
  }

  private synchronized void putBack(@Nullable Set<String> left, Map<String, String> again) {
    if (left == null && again.isEmpty()) {
      failures = 0;
      return;
    }
    corrupt.putAll(again);
    if (open != null) {
      // Another stop was seen meanwhile. It is followed when it is due, and so is this one.
      Set<String> both = new HashSet<>(open);
      both.retainAll(left == null ? open : left);
      open = Set.copyOf(both);
      return;
    }
    open = left;
    Duration wait = FIRST_RETRY.multipliedBy(1L << Math.min(failures, 5));
    failures++;
    due =
        nanoTime.getAsLong() + (wait.compareTo(LONGEST_RETRY) < 0 ? wait : LONGEST_RETRY).toNanos();
  }

  private boolean isStopped(Job job, Set<String> left) {
    String type =
        Objects.requireNonNullElse(job.getMetadata().getLabels().get(JobManifest.TYPE_LABEL), "");
    return !left.contains(type) && owner(job).filter(uid -> runs.test(uid, type)).isEmpty();
  }

  /** Uid of the workflow that controls the Job. */
  private static Optional<String> owner(Job job) {
    return Objects.requireNonNullElse(
            job.getMetadata().getOwnerReferences(), List.<OwnerReference>of())
        .stream()
        .filter(
            owner ->
                Boolean.TRUE.equals(owner.getController())
                    && "Workflow".equals(owner.getKind())
                    && Objects.requireNonNullElse(owner.getApiVersion(), "")
                        .startsWith("andon.dev/"))
        .map(OwnerReference::getUid)
        .findFirst();
  }

  /** One that is suspended without the mark is held by others, who could let it go. */
  private static boolean isAlive(Job job) {
    return !JobReport.isFinished(job)
        && !(JobReport.isToBeSuspended(job) && JobReport.isMarked(job));
  }

  /**
   * Suspends these Jobs, of those that are alive.
   *
   * @return whether all of them were seen, and none is left
   */
  private boolean suspendAll(@Nullable String namespace, Predicate<Job> stray)
      throws InterruptedException {
    List<String> suspended = new ArrayList<>();
    List<String> refused = new ArrayList<>();
    try {
      jobs.each(
          namespace,
          job -> {
            if (isAlive(job) && stray.test(job)) {
              suspend(job, suspended, refused);
            }
          });
    } catch (KubernetesClientException | NotLeading e) {
      refused.add(Messages.of(e));
    }
    if (!suspended.isEmpty()) {
      LOG.warn("suspended {} stray Jobs: {}", suspended.size(), told(suspended));
    }
    if (!refused.isEmpty()) {
      LOG.warn("stray Jobs may be left; tried again in a while: {}", told(refused));
    }
    return refused.isEmpty();
  }

  /**
   * One that the API server does not suspend keeps nobody from the others.
   *
   * @throws KubernetesClientException if there was no answer: there would be none to the others
   */
  private void suspend(Job job, List<String> suspended, List<String> refused)
      throws InterruptedException {
    String name = job.getMetadata().getNamespace() + "/" + job.getMetadata().getName();
    try {
      jobs.suspend(job);
      suspended.add(name);
    } catch (KubernetesClientException e) {
      if (Existence.isNotFound(e)) {
        return;
      }
      if (e.getCode() == 0) {
        throw e;
      }
      refused.add("%s: %s".formatted(name, Messages.of(e)));
    }
  }

  private static String told(List<String> all) {
    String first = String.join(", ", all.subList(0, Math.min(MOST_TOLD, all.size())));
    return all.size() > MOST_TOLD ? first + ", …" : first;
  }

  @Override
  public void close() {
    ticks.shutdownNow();
    jobs.close();
  }
}
