package dev.andon.operator.execution;

import dev.andon.crds.JobTypeSpec;
import dev.andon.operator.pacing.Breakers;
import dev.andon.operator.pacing.RateLimits;
import dev.andon.operator.stop.Gate;
import dev.andon.plan.JobTypes;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadFactory;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Works on attempts, each on a virtual thread of its own, and keeps what became of them until it is
 * in status.
 *
 * <p>For each attempt there is one entry, which holds its work, its latest outcome, or both: an
 * attempt that was accepted has an outcome and is still worked on. Entries change under one lock;
 * the listener is called after it.
 */
public final class ExecutionRunner implements Executions, AutoCloseable {
  /** An API server gives a request 60 s by default ({@code --request-timeout}). */
  public static final Duration JOB_CREATE_TIMEOUT = Duration.ofSeconds(65);

  private static final Logger log = LoggerFactory.getLogger(ExecutionRunner.class);

  private final HttpSender sender;
  private final HttpExecutor http;
  private final GrpcSender grpcSender;
  private final GrpcExecutor grpc;
  private final ContainerExecutor container;
  private final TokenBucketExecutor tokenBucket;
  private final RateLimits limits;
  private final Breakers breakers;
  private final OutcomeListener listener;
  private final Notices notices;
  private final Clock clock;
  private final Time time;
  private final ThreadFactory threads;

  /** By uid of the workflow that has them run, then by attempt. Guarded by itself. */
  private final Map<String, Map<AttemptKey, Entry>> entries = new HashMap<>();

  /** As {@link #waits} gives it, by uid of the workflow. Guarded by {@code entries}. */
  private final Map<String, Map<AttemptKey, Wait>> waits = new HashMap<>();

  private boolean closed;

  /** While it drains, for answers, which are no event of the entries. */
  private static final int LOOK_AGAIN_MILLIS = 50;

  /**
   * @param gate asked before every send
   * @param latched whether the workflow of this uid has seen a stop, of which it sends nothing more
   * @param secrets of the operator's namespace
   * @param client for Jobs and token buckets, as {@link SendingClient} makes it
   * @param listener woken by every new outcome
   * @param notices told of every new reason for which attempts of a workflow wait
   * @param createTimeout how long an API server may take to carry out a create of a Job that it did
   *     not answer
   */
  public ExecutionRunner(
      Gate gate,
      Predicate<String> latched,
      Secrets secrets,
      KubernetesClient client,
      OutcomeListener listener,
      Notices notices,
      Duration createTimeout,
      Clock clock) {
    this(
        gate,
        latched,
        secrets,
        client,
        listener,
        notices,
        createTimeout,
        clock,
        Time.REAL,
        Thread.ofVirtual().factory());
  }

  ExecutionRunner(
      Gate gate,
      Predicate<String> latched,
      Secrets secrets,
      KubernetesClient client,
      OutcomeListener listener,
      Notices notices,
      Duration createTimeout,
      Clock clock,
      Time time,
      ThreadFactory threads) {
    this.limits = new RateLimits(clock, time::nanos);
    this.breakers = new Breakers(clock, time::nanos);
    var keeper = new GateKeeper(gate, latched, time);
    this.sender = new HttpSender(time);
    this.http = new HttpExecutor(sender, keeper, limits, breakers, secrets);
    this.grpcSender = new GrpcSender(time);
    this.grpc = new GrpcExecutor(grpcSender, keeper, limits, breakers);
    this.container = new ContainerExecutor(new JobStore(client), keeper, limits, createTimeout);
    this.tokenBucket = new TokenBucketExecutor(new TokenBucketStore(client), keeper);
    this.listener = listener;
    this.notices = notices;
    this.clock = clock;
    this.time = time;
    this.threads = threads;
  }

  /** Work on an attempt, its latest outcome not yet settled, or both. */
  private static final class Entry {
    private @Nullable AttemptRun run;
    private @Nullable Outcome outcome;

    /** What is to be done once the outcome is in status. */
    private @Nullable Runnable onceWritten;
  }

  /** Attempts do it too, when they begin. */
  @Override
  public void jobTypeChanged(String name, JobTypeSpec spec) {
    limits.configure(name, spec.rateLimit());
  }

  @Override
  public void begin(Attempt attempt) {
    AttemptKey key = attempt.key();
    var entry = new Entry();
    AttemptRun run =
        new AttemptRun(
            attempt,
            clock,
            time,
            outcome -> outcome(attempt, entry, outcome),
            why -> waitsFor(attempt, entry, why));
    synchronized (entries) {
      if (closed) {
        return;
      }
      Map<AttemptKey, Entry> ofWorkflow =
          entries.computeIfAbsent(attempt.runner().uid(), uid -> new HashMap<>());
      if (ofWorkflow.containsKey(key)) {
        return;
      }
      entry.run = run;
      ofWorkflow.put(key, entry);
    }
    Thread thread = threads.newThread(() -> work(run, entry));
    thread.setName("attempt " + key);
    thread.start();
  }

  @Override
  public void neverBegun(Attempt attempt) {
    if (!(attempt.work() instanceof Attempt.Work.Send)) {
      return;
    }
    var entry = new Entry();
    entry.outcome =
        new Outcome.NotBegun("IntentNotWritten", "its intent met no answer", clock.instant());
    synchronized (entries) {
      if (!closed) {
        entries
            .computeIfAbsent(attempt.runner().uid(), uid -> new HashMap<>())
            .putIfAbsent(attempt.key(), entry);
      }
    }
  }

  @Override
  public void cancel(String uid) {
    runs(uid).forEach(AttemptRun::cancel);
  }

  @Override
  public void cancel(AttemptKey key) {
    List<AttemptRun> runs;
    synchronized (entries) {
      runs =
          entries.values().stream()
              .map(ofWorkflow -> ofWorkflow.get(key))
              .filter(Objects::nonNull)
              .map(entry -> entry.run)
              .filter(Objects::nonNull)
              .toList();
    }
    runs.forEach(AttemptRun::cancel);
  }

  @Override
  public Set<AttemptKey> underWay(String uid) {
    return runs(uid).stream().map(run -> run.attempt().key()).collect(Collectors.toSet());
  }

  @Override
  public Map<AttemptKey, Outcome> outcomes(String uid) {
    synchronized (entries) {
      var outcomes = new HashMap<AttemptKey, Outcome>();
      entries
          .getOrDefault(uid, Map.of())
          .forEach(
              (key, entry) -> {
                if (entry.outcome != null) {
                  outcomes.put(key, entry.outcome);
                }
              });
      return Map.copyOf(outcomes);
    }
  }

  @Override
  public Map<AttemptKey, Wait> waits(String uid) {
    synchronized (entries) {
      return Map.copyOf(waits.getOrDefault(uid, Map.of()));
    }
  }

  @Override
  public void settle(String uid, Map<AttemptKey, Outcome> written) {
    synchronized (entries) {
      written.forEach(
          (key, outcome) -> {
            Map<AttemptKey, Entry> ofWorkflow = entries.get(uid);
            Entry entry = ofWorkflow == null ? null : ofWorkflow.get(key);
            if (ofWorkflow == null || entry == null || !outcome.equals(entry.outcome)) {
              return;
            }
            entry.outcome = null;
            if (entry.onceWritten != null) {
              Thread.ofVirtual().name("after attempt " + key).start(entry.onceWritten);
              entry.onceWritten = null;
            }
            if (entry.run == null) {
              ofWorkflow.remove(key);
              if (ofWorkflow.isEmpty()) {
                entries.remove(uid);
              }
            }
          });
    }
  }

  @Override
  public void forget(String uid) {
    List<AttemptRun> left = runs(uid);
    synchronized (entries) {
      entries.remove(uid);
      waits.remove(uid);
    }
    // What still runs is asked to end, and nobody waits for how it did.
    left.forEach(AttemptRun::cancel);
  }

  @Override
  public int sendsLeft(String jobType) {
    return limits.sendsLeft(jobType);
  }

  @Override
  public Optional<Instant> nextSend(String jobType) {
    return limits.nextSend(jobType);
  }

  @Override
  public Optional<Instant> circuitOpenUntil(String jobType) {
    return breakers.openUntil(jobType);
  }

  @Override
  public Collection<AttemptKey> all() {
    synchronized (entries) {
      return entries.values().stream()
          .flatMap(ofWorkflow -> ofWorkflow.entrySet().stream())
          .filter(entry -> entry.getValue().run != null)
          .map(Map.Entry::getKey)
          .toList();
    }
  }

  /**
   * Waits until every send has its answer, and what became of it is in status: what a closing
   * operator knows by then its successor need not find out, or ask a person about.
   *
   * @param atMost after which it returns all the same
   */
  public void drain(Duration atMost) throws InterruptedException {
    long until = time.nanos() + atMost.toNanos();
    synchronized (entries) {
      for (long left = atMost.toNanos();
          left > 0 && isAnythingInHand();
          left = until - time.nanos()) {
        entries.wait(Math.min(LOOK_AGAIN_MILLIS, left / 1_000_000 + 1));
      }
    }
  }

  private boolean isAnythingInHand() {
    return entries.values().stream()
        .flatMap(ofWorkflow -> ofWorkflow.values().stream())
        .anyMatch(entry -> entry.outcome != null || (entry.run != null && entry.run.unanswered()));
  }

  /**
   * Gives up what is worked on, without a word: the next operator finds the intents and the
   * operations in status, and observes. Nothing begins afterwards.
   */
  @Override
  public void close() {
    synchronized (entries) {
      closed = true;
      entries.values().forEach(ofWorkflow -> abandon(ofWorkflow.values()));
      entries.clear();
    }
    container.close();
    sender.close();
    grpcSender.close();
  }

  private static void abandon(Collection<Entry> left) {
    for (Entry entry : left) {
      if (entry.run != null) {
        entry.run.abandon();
      }
    }
  }

  private List<AttemptRun> runs(String uid) {
    synchronized (entries) {
      return entries.getOrDefault(uid, Map.of()).values().stream()
          .filter(entry -> entry.run != null)
          .map(entry -> Objects.requireNonNull(entry.run))
          .toList();
    }
  }

  private void work(AttemptRun run, Entry entry) {
    Outcome outcome;
    try {
      run.runsOn(Thread.currentThread());
      outcome = execute(run);
    } catch (RuntimeException | Error e) {
      // A fault of ours: whether it was sent is not known.
      log.error("attempt {} failed in the operator itself", run.attempt().key(), e);
      outcome =
          new Outcome.Unknown(
              Messages.line("fault in the operator: " + Messages.of(e), List.of()), false);
    }
    run.end();
    entry.onceWritten = run.onceWritten();
    outcome(run.attempt(), entry, outcome);
  }

  private Outcome execute(AttemptRun run) {
    Attempt attempt = run.attempt();
    JobTypeSpec.Executor executor = attempt.spec().executor();
    if (attempt.jobType().equals(JobTypes.TOKEN_BUCKET)) {
      return tokenBucket.run(run);
    }
    if (executor != null && executor.http() != null) {
      return http.run(run);
    }
    if (executor != null && executor.grpc() != null) {
      return grpc.run(run);
    }
    if (executor != null && executor.container() != null) {
      return container.run(run);
    }
    return new Outcome.Failed(
        "NoExecutor",
        Messages.line(
            "job type %s has no executor that this version runs; it runs container, http and grpc"
                .formatted(attempt.jobType()),
            List.of()));
  }

  private void waitsFor(Attempt attempt, Entry entry, @Nullable String why) {
    boolean changed;
    synchronized (entries) {
      changed = isThere(attempt, entry) && keep(attempt, why == null ? null : new Wait(true, why));
    }
    if (changed) {
      wake(attempt);
    }
  }

  /** One that waited for its turn meanwhile is not begun for the same reason as before. */
  private void keepWhyNotBegun(Attempt attempt, Outcome outcome) {
    if (!(outcome instanceof Outcome.NotBegun not)) {
      keep(attempt, null);
    } else if (not.told()) {
      keep(attempt, new Wait(false, not.reason() + ": " + not.message()));
    }
  }

  /**
   * People get one notice of each reason, and status is written anew when one comes or goes: of
   * hundreds that wait for the same each would be a write.
   *
   * @return whether one has
   */
  private boolean keep(Attempt attempt, @Nullable Wait wait) {
    Map<AttemptKey, Wait> ofWorkflow =
        waits.computeIfAbsent(attempt.runner().uid(), uid -> new HashMap<>());
    Set<String> before = reasons(ofWorkflow);
    if (wait == null) {
      ofWorkflow.remove(attempt.key());
    } else {
      ofWorkflow.put(attempt.key(), wait);
    }
    if (ofWorkflow.isEmpty()) {
      waits.remove(attempt.runner().uid());
    }
    if (wait != null && !before.contains(wait.reason())) {
      notices.waits(attempt, wait);
    }
    return !before.equals(reasons(ofWorkflow));
  }

  private static Set<String> reasons(Map<AttemptKey, Wait> waits) {
    return waits.values().stream().map(Wait::reason).collect(Collectors.toSet());
  }

  private boolean isThere(Attempt attempt, Entry entry) {
    return entries.getOrDefault(attempt.runner().uid(), Map.of()).get(attempt.key()) == entry;
  }

  /** What is said of an entry that is no longer there (forgotten, or closed) counts for nothing. */
  private void outcome(Attempt attempt, Entry entry, Outcome outcome) {
    synchronized (entries) {
      if (!isThere(attempt, entry)) {
        return;
      }
      entry.outcome = outcome;
      keepWhyNotBegun(attempt, outcome);
      if (!(outcome instanceof Outcome.Accepted)) {
        entry.run = null;
      }
    }
    wake(attempt);
  }

  private void wake(Attempt attempt) {
    try {
      listener.outcome(attempt.namespace(), attempt.runner().workflow(), attempt.runner().uid());
    } catch (RuntimeException e) {
      // It is in outcomes(); the next look at the workflow finds it.
      log.warn("nobody could be told of the outcome of {}", attempt.key(), e);
    }
  }
}
