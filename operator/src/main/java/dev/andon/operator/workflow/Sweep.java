package dev.andon.operator.workflow;

import dev.andon.crds.Workflow;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds what got lost between the watch and who decides: a workflow that is deleted and created
 * again under its name, while it is decided about, is one name to the framework. The event of the
 * new one can then be taken for one of the old, and nobody would look at it before the next start
 * of the operator; and nobody is told that the old one is gone.
 *
 * <p>Looks at memory alone, so that it costs next to nothing.
 */
final class Sweep implements AutoCloseable {
  static final Duration EVERY = Duration.ofMinutes(1);

  /** Time enough for the framework to forget a name. */
  private static final Duration SOON = Duration.ofMillis(100);

  private static final Logger LOG = LoggerFactory.getLogger(Sweep.class);

  private final BooleanSupplier leads;
  private final Supplier<Stream<Workflow>> cached;
  private final Supplier<Set<String>> known;
  private final Consumer<Workflow> handOver;
  private final Consumer<String> gone;
  private final ScheduledExecutorService ticks =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("sweep-", 0).factory());

  /** Uids of which there was nothing at the last look; one that is just coming or going may be. */
  private Set<String> missing = Set.of();

  /**
   * @param leads whether this process is the one that decides
   * @param cached all workflows, as last heard of
   * @param known uids of those that are decided about
   * @param handOver has a workflow decided about
   * @param gone ends and forgets what there is of a workflow that is not there, or has finished
   */
  Sweep(
      BooleanSupplier leads,
      Supplier<Stream<Workflow>> cached,
      Supplier<Set<String>> known,
      Consumer<Workflow> handOver,
      Consumer<String> gone) {
    this.leads = leads;
    this.cached = cached;
    this.known = known;
    this.handOver = handOver;
    this.gone = gone;
  }

  void start() {
    ticks.scheduleWithFixedDelay(
        this::tick, EVERY.toMillis(), EVERY.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Looks once more between: something was just taken for something else. */
  void soon() {
    try {
      var _ = ticks.schedule(this::tick, SOON.toMillis(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      // It is closed: who comes next looks at everything.
    }
  }

  private void tick() {
    try {
      if (leads.getAsBoolean()) {
        look();
      }
    } catch (RuntimeException e) {
      LOG.warn("lost workflows could not be looked for; tried again in a while", e);
    }
  }

  void look() {
    // First who is known: who comes between is in the cache by then.
    Set<String> before = Set.copyOf(known.get());
    Set<String> there = new HashSet<>();
    cached
        .get()
        .filter(WorkflowReconciler::concerns)
        .forEach(
            workflow -> {
              String uid = workflow.getMetadata().getUid();
              there.add(uid);
              if (!before.contains(uid)) {
                handOver.accept(workflow);
              }
            });
    Set<String> absent = new HashSet<>(before);
    absent.removeAll(there);
    for (String uid : absent) {
      if (missing.contains(uid)) {
        LOG.info("workflow {} is not there any more; what is left of it ends", uid);
        gone.accept(uid);
      }
    }
    missing = absent;
  }

  @Override
  public void close() {
    ticks.shutdownNow();
  }
}
