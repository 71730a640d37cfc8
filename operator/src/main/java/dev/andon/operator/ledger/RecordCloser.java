package dev.andon.operator.ledger;

import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowRecord;
import dev.andon.crds.WorkflowRecordSpec.Action;
import dev.andon.crds.WorkflowRecordSpec.WorkflowRef;
import dev.andon.crds.WorkflowStatus;
import dev.andon.plan.RecordName;
import dev.andon.plan.SpecHash;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Closes records: after the final status is written, and behind everything else. While a stop is
 * being written down it waits.
 *
 * <p>What a process leaves open when it dies is closed by the next one: once it leads, and every
 * few minutes after, all open records are listed, and those whose Workflow has finished or is gone
 * are closed. That is one list of open records; what is closed costs nothing.
 */
public final class RecordCloser implements AutoCloseable {
  /** Behind what writes statuses, of which there are many more at once. */
  private static final int AT_ONCE = 4;

  /** A stop may go on for long, of one that does not end; records are not held up by it. */
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(3);

  private static final Duration LOOK_AGAIN = Duration.ofMillis(50);
  private static final Duration TICK = Duration.ofSeconds(1);

  /** After it began to lead: what runs comes first. */
  private static final int FIRST_SWEEP_TICKS = 3;

  private static final int SWEEP_TICKS = 300;
  private static final int SOON_TICKS = 10;

  /** After how many seconds a record that could not be closed is tried again, each time. */
  private static final int[] AGAIN_SECONDS = {1, 2, 4, 8};

  private static final Logger LOG = LoggerFactory.getLogger(RecordCloser.class);

  private final Records records;
  private final Workflows workflows;
  private final BooleanSupplier leads;
  private final BooleanSupplier stopping;
  private final Clock clock;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  // Guarded by lock.
  private final Queue<Waiting> waiting = new ArrayDeque<>();
  private final Set<String> uids = new HashSet<>();
  private int workers;
  private boolean closed;

  private final ScheduledExecutorService ticks =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("records-", 0).factory());
  private int ticksToSweep = FIRST_SWEEP_TICKS; // only on the ticking thread
  private volatile boolean soon; // something is left to be looked at

  /**
   * @param tries how often it could not be closed
   */
  private record Waiting(Closing closing, int tries) {}

  /** What there is of the workflows that records are about. */
  public interface Workflows {
    /** As last heard of, which may be late; empty if it had finished by then, or was not there. */
    Optional<Workflow> unfinished(String namespace, String name);

    /** The newest there is. Throws if that cannot be known. */
    Optional<Workflow> read(String namespace, String name);
  }

  /**
   * @param leads whether this process is the one that writes
   * @param stopping whether statuses of a stop are being written
   */
  public RecordCloser(
      Records records,
      Workflows workflows,
      BooleanSupplier leads,
      BooleanSupplier stopping,
      Clock clock) {
    this.records = records;
    this.workflows = workflows;
    this.leads = leads;
    this.stopping = stopping;
    this.clock = clock;
  }

  /** Begins to look for what others left open. */
  public void start() {
    ticks.scheduleWithFixedDelay(
        this::tick, TICK.toMillis(), TICK.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void tick() {
    try {
      if (!leads.getAsBoolean()) {
        ticksToSweep = FIRST_SWEEP_TICKS;
        return;
      }
      if (soon) {
        soon = false;
        ticksToSweep = Math.min(ticksToSweep, SOON_TICKS);
      }
      if (--ticksToSweep <= 0) {
        ticksToSweep = SWEEP_TICKS;
        sweep();
      }
    } catch (RuntimeException e) {
      soon = true;
      LOG.warn("open records could not be looked at; tried again in a while", e);
    }
  }

  /** Looks at every open record. */
  void sweep() {
    records.open(
        page -> {
          for (WorkflowRecord record : page) {
            try {
              look(record);
            } catch (RuntimeException e) {
              // One that cannot be looked at now keeps nobody from the others.
              soon = true;
              LOG.warn(
                  "WorkflowRecord {} could not be looked at; tried again in a while",
                  record.getMetadata().getName(),
                  e);
            }
          }
        });
  }

  private void look(WorkflowRecord record) {
    WorkflowRef of = record.getSpec() == null ? null : record.getSpec().workflow();
    if (of == null || of.namespace() == null || of.name() == null || of.uid() == null) {
      LOG.warn("WorkflowRecord {}: cannot be read, and stays", record.getMetadata().getName());
      return;
    }
    String name = record.getMetadata().getName();
    String uid = of.uid();
    Predicate<Workflow> same = w -> uid.equals(w.getMetadata().getUid());
    Optional<Workflow> workflow = workflows.unfinished(of.namespace(), of.name()).filter(same);
    if (workflow.isEmpty()) {
      workflow = workflows.read(of.namespace(), of.name()).filter(same);
    }
    if (workflow.isEmpty()) {
      submit(
          new Closing(
              name,
              uid,
              Closing.DELETED,
              null,
              clock.instant(),
              null,
              null,
              List.of(),
              List.of(),
              List.of()));
    } else if (finalReason(workflow.get()) != null) {
      if (Ledger.GIVEN_UP.equals(record.getSpec().decidedFrom()) && neverBegan(workflow.get())) {
        // Its start was given up before anything began: the spec is free to run.
        records.delete(record);
      } else if (isOpen(name)) {
        submit(closing(workflow.get(), name));
      }
    }
  }

  /** Of those that finish while they are looked at most are closed by now. */
  private boolean isOpen(String record) {
    return records
        .read(record)
        .filter(found -> found.getSpec() != null && found.getSpec().outcome() == null)
        .isPresent();
  }

  /** The workflow has finished: its last status is written. */
  public void finished(Workflow workflow) {
    if (ranOrMayHave(workflow)) {
      submit(closing(workflow, name(workflow)));
    }
  }

  /** A workflow has finished, and how its last status was written is not known here. */
  public void lookSoon() {
    soon = true;
  }

  /** The workflow is gone, or about to be, and had not finished. */
  public void deleted(Workflow workflow) {
    WorkflowStatus status = workflow.getStatus();
    if (status != null && status.startTime() != null && finalReason(workflow) == null) {
      submit(closing(workflow, name(workflow)));
    }
  }

  private static String name(Workflow workflow) {
    WorkflowStatus status = Objects.requireNonNull(workflow.getStatus());
    String hash = status.specHash() == null ? SpecHash.of(workflow.getSpec()) : status.specHash();
    return RecordName.of(
        workflow.getMetadata().getNamespace(), workflow.getMetadata().getName(), hash);
  }

  private Closing closing(Workflow workflow, String record) {
    WorkflowStatus status = Objects.requireNonNull(workflow.getStatus());
    return new Closing(
        record,
        workflow.getMetadata().getUid(),
        Objects.requireNonNullElse(finalReason(workflow), Closing.DELETED),
        status.startTime(),
        Objects.requireNonNullElseGet(status.completionTime(), clock::instant),
        status.jobs(),
        status.stoppedBy(),
        status.policies(),
        status.jobTypes(),
        status.actions().stream()
            .filter(a -> "Applied".equals(a.phase()))
            .map(a -> new Action(a.name(), a.verb(), a.by(), a.reason(), a.time()))
            .toList());
  }

  private static boolean ranOrMayHave(Workflow workflow) {
    return workflow.getStatus() != null
        && (workflow.getStatus().startTime() != null
            || "CorruptStatus".equals(finalReason(workflow)));
  }

  /** A status without a start may have lost it: what the ledger itself ended says nothing. */
  private static boolean neverBegan(Workflow workflow) {
    return !ranOrMayHave(workflow) && !"DuplicateRun".equals(finalReason(workflow));
  }

  /** Why it has finished; null if it has not. */
  private static @Nullable String finalReason(Workflow workflow) {
    WorkflowStatus status = workflow.getStatus();
    return status == null
        ? null
        : status
            .finished()
            .map(c -> Objects.requireNonNullElse(c.reason(), "Finished"))
            .orElse(null);
  }

  private void submit(Closing closing) {
    lock.lock();
    try {
      if (!closed && uids.add(closing.uid())) {
        enqueue(new Waiting(closing, 0));
      }
    } finally {
      lock.unlock();
    }
  }

  /** With the lock held. */
  private void enqueue(Waiting next) {
    waiting.add(next);
    if (workers < AT_ONCE) {
      workers++;
      Thread.ofVirtual().name("record").start(this::work);
    }
  }

  private void work() {
    for (Waiting next = take(); next != null; next = take()) {
      try {
        records.close(next.closing());
        done(next.closing());
      } catch (RuntimeException e) {
        LOG.warn(
            "WorkflowRecord {} could not be closed; tried again in a while",
            next.closing().record(),
            e);
        again(next);
      }
    }
  }

  /** In a while; after some times it is left to the sweep, which looks at what there is anew. */
  private void again(Waiting next) {
    lock.lock();
    try {
      if (closed) {
        return;
      }
      if (next.tries() == AGAIN_SECONDS.length) {
        soon = true;
        done(next.closing());
      } else {
        ScheduledFuture<?> unused =
            ticks.schedule(
                () -> enqueueAgain(new Waiting(next.closing(), next.tries() + 1)),
                AGAIN_SECONDS[next.tries()],
                TimeUnit.SECONDS);
      }
    } finally {
      lock.unlock();
    }
  }

  private void enqueueAgain(Waiting next) {
    lock.lock();
    try {
      if (!closed) {
        enqueue(next);
      }
    } finally {
      lock.unlock();
    }
  }

  private void done(Closing closing) {
    lock.lock();
    try {
      uids.remove(closing.uid());
    } finally {
      lock.unlock();
    }
  }

  /** The next one, once no stop is in the way; null: there is none, and the worker ends. */
  private @Nullable Waiting take() {
    lock.lock();
    try {
      long left = LONGEST_WAIT.toNanos();
      while (!closed && left > 0 && stopping.getAsBoolean()) {
        long unused = changed.awaitNanos(LOOK_AGAIN.toNanos());
        left -= LOOK_AGAIN.toNanos();
      }
      Waiting next = closed ? null : waiting.poll();
      if (next == null) {
        workers--;
      }
      return next;
    } catch (InterruptedException e) {
      workers--;
      return null;
    } finally {
      lock.unlock();
    }
  }

  /** Begins nothing more. What is left open is closed by the next one that leads. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      ticks.shutdownNow();
      waiting.clear();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
