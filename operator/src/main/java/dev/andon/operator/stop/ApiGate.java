package dev.andon.operator.stop;

import dev.andon.operator.stop.EmergencyStop.Sight;
import dev.andon.operator.stop.Sightings.Begun;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The gate as reads of the API server: one in flight at a time, by one thread, shared by all who
 * asked before it began; whoever asks while it is under way waits for the next. At most 50 a second
 * in all, one a second when nobody waits (which keeps {@link #view} fresh), and one at once when
 * the watch saw something (which opens again what the watch closed).
 */
final class ApiGate implements Gate, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ApiGate.class);
  private static final long HEARTBEAT = Duration.ofSeconds(1).toNanos();

  private final StopReader reader;
  private final LongSupplier nanoTime;
  private final StopMetrics metrics;
  private final Witness witness;
  private final Sightings sightings;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition asked = lock.newCondition();
  private final ReadPace pace; // guarded by lock
  private @Nullable CompletableFuture<Begun> waiting; // guarded by lock; for the next read
  private boolean nudged = true; // guarded by lock; a read is wanted now: here, the first
  private long lastBegun; // guarded by lock
  private boolean refusing; // guarded by lock
  private boolean closed; // guarded by lock

  private @Nullable Thread thread;
  private Optional<Sight> lastVisible = Optional.empty(); // only the reading thread's

  /** Told of everything seen, after the gate knows it and before anyone who waited is answered. */
  interface Witness {
    /** By a read or by the watch; on their threads, so at once, at any time, and quickly. */
    void saw(EmergencyStop stop, boolean byRead);

    /** {@link Gate#view} may answer differently. */
    void viewChanged();
  }

  ApiGate(StopReader reader, LongSupplier nanoTime, StopMetrics metrics, Witness witness) {
    this(reader, nanoTime, () -> true, metrics, witness);
  }

  /** {@code leads}: whether this process may act at all; asked with every use of a permit. */
  ApiGate(
      StopReader reader,
      LongSupplier nanoTime,
      BooleanSupplier leads,
      StopMetrics metrics,
      Witness witness) {
    this.sightings = new Sightings(leads);
    this.reader = reader;
    this.nanoTime = nanoTime;
    this.metrics = metrics;
    this.witness = witness;
    this.lastBegun = nanoTime.getAsLong();
    this.pace = new ReadPace(lastBegun);
  }

  @Override
  public Entry enter(String workflowType) throws InterruptedException {
    long came = nanoTime.getAsLong();
    Entry entry;
    try {
      entry = answer(workflowType, ask().get());
    } catch (ExecutionException e) {
      throw new IllegalStateException(e); // nobody completes it so
    }
    metrics.entered(Duration.ofNanos(nanoTime.getAsLong() - came), entry instanceof Entry.Granted);
    return entry;
  }

  /** The next read to begin, completed when it has ended. */
  CompletableFuture<Begun> ask() {
    lock.lock();
    try {
      if (refusing) {
        return CompletableFuture.completedFuture(new Begun(Long.MAX_VALUE, nanoTime.getAsLong()));
      }
      if (waiting == null) {
        waiting = new CompletableFuture<>();
      }
      asked.signal();
      return waiting;
    } finally {
      lock.unlock();
    }
  }

  /** What a read that has ended means for one who waited for it. */
  Entry answer(String workflowType, Begun begun) {
    return sightings.entry(workflowType, begun, nanoTime);
  }

  @Override
  public StopView view(String workflowType) {
    return sightings.view(workflowType, nanoTime.getAsLong());
  }

  /** An event of the watch. Closes at once; a read that begins now may open again. */
  void watchSaw(EmergencyStop stop) {
    sightings.watchSaw(stop, nanoTime.getAsLong());
    witness.saw(stop, false);
    witness.viewChanged();
    lock.lock();
    try {
      nudged = true;
      asked.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Whether the stop was visible once. */
  boolean synced() {
    return sightings.synced();
  }

  boolean visible() {
    return lastRead().isPresent();
  }

  /** The state that the last read saw, while that is fresh. */
  Optional<Sight> lastRead() {
    return sightings.visible(nanoTime.getAsLong());
  }

  /** Since the last read began; each ends by itself within seconds, and then the next begins. */
  Duration sinceLastRead() {
    lock.lock();
    try {
      return Duration.ofNanos(nanoTime.getAsLong() - lastBegun);
    } finally {
      lock.unlock();
    }
  }

  void start() {
    thread = Thread.ofPlatform().name("andon-gate").daemon().start(this::run);
  }

  private void run() {
    try {
      while (true) {
        awaitTurn();
        try {
          if (!turn()) {
            return;
          }
        } catch (RuntimeException e) {
          // Whoever waited was refused. Reading goes on: a dead gate would hold everything for
          // good.
          LOG.error("The gate lost a read", e);
        }
      }
    } catch (InterruptedException e) {
      LOG.debug("The gate's reads end");
    } finally {
      shutdown();
    }
  }

  private void awaitTurn() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      for (long wait = untilTurn(); wait > 0 && !closed; wait = untilTurn()) {
        long _ = asked.awaitNanos(wait);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Nanoseconds until a read is due and allowed; 0 if now. */
  long untilTurn() {
    lock.lock();
    try {
      long now = nanoTime.getAsLong();
      long due = waiting != null || nudged ? 0 : lastBegun + HEARTBEAT - now;
      return Math.max(0, Math.max(due, pace.untilNext(now)));
    } finally {
      lock.unlock();
    }
  }

  /**
   * One read, by the one thread that reads; false once the gate is closed. The order: (1) who waits
   * now is taken in the same moment in which the read gets its number, so that nobody is answered
   * by a read older than his question; (2) the gate knows the outcome; (3) the latch and the
   * listeners do; (4) who waited is answered: one refused by a stop finds its workflow latched.
   */
  boolean turn() throws InterruptedException {
    CompletableFuture<Begun> answered;
    Begun begun;
    lock.lockInterruptibly();
    try {
      if (closed) {
        return false;
      }
      answered = waiting == null ? new CompletableFuture<>() : waiting;
      waiting = null;
      nudged = false;
      lastBegun = nanoTime.getAsLong();
      pace.begun(lastBegun);
      begun = sightings.begin(lastBegun);
    } finally {
      lock.unlock();
    }
    try {
      record(begun, read());
    } finally {
      answered.complete(begun);
    }
    return true;
  }

  private StopReader.Reading read() throws InterruptedException {
    try {
      return reader.read();
    } catch (RuntimeException e) {
      LOG.warn("Reading the emergency stop failed in a way nobody thought of", e);
      return new StopReader.Reading.Failed(e.toString());
    }
  }

  private void record(Begun begun, StopReader.Reading reading) {
    long now = nanoTime.getAsLong();
    Duration took = Duration.ofNanos(now - begun.nanos());
    switch (reading) {
      case StopReader.Reading.Seen(EmergencyStop stop) -> {
        String outdated = sightings.readSaw(begun, stop, now);
        if (outdated == null) {
          metrics.read(took);
          witness.saw(stop, true);
        } else {
          failed(now, took);
        }
      }
      case StopReader.Reading.Failed(String why) -> {
        sightings.readFailed(why);
        failed(now, took);
      }
    }
    // Runs at least every other second, so it also notices what merely grew old.
    Optional<Sight> visible = sightings.visible(nanoTime.getAsLong());
    if (!visible.equals(lastVisible)) {
      lastVisible = visible;
      witness.viewChanged();
    }
  }

  private void failed(long now, Duration took) {
    metrics.readFailed(took);
    lock.lock();
    try {
      pace.failed(now);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Refuses everyone from now on; permits not yet used are void. Reads go on until {@link #close}:
   * what is still decided is decided from what is so.
   */
  void shutdown() {
    sightings.shut();
    @Nullable CompletableFuture<Begun> unanswered;
    lock.lock();
    try {
      refusing = true;
      unanswered = waiting;
      waiting = null;
    } finally {
      lock.unlock();
    }
    if (unanswered != null) {
      unanswered.complete(new Begun(Long.MAX_VALUE, nanoTime.getAsLong()));
    }
  }

  @Override
  public void close() {
    shutdown();
    lock.lock();
    try {
      closed = true;
      asked.signal();
    } finally {
      lock.unlock();
    }
    Thread running = thread;
    if (running != null) {
      running.interrupt();
    }
    reader.close();
  }
}
