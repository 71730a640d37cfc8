package dev.andon.operator.stop;

import dev.andon.operator.stop.EmergencyStop.Sight;
import dev.andon.operator.stop.Latch.Latched;
import io.fabric8.kubernetes.client.Config;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The stop of one operator: the gate, the watch that closes it early, the latch, the empty
 * ConfigMap, and who is told. In the order in which a stop goes through: the gate refuses; the
 * latch holds what runs; then, on a thread of their own, the listeners cancel and wake.
 *
 * <pre>{@code
 * try (var stop = StopControl.of(client.getConfiguration(), clock, metrics)) {
 *   stop.onLatched(newly -> newly.forEach(one -> executions.cancel(one.uid())));
 *   stop.start();
 *   if (stop.gate().enter(type) instanceof Granted(Permit permit) && permit.use()) { send(); }
 * }
 * }</pre>
 */
public final class StopControl implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(StopControl.class);

  /** Reads that fail follow one another within seconds, too. */
  private static final Duration NO_READ = Duration.ofMinutes(1);

  private final Clock clock;
  private final StopMetrics metrics;
  private final ApiGate gate;
  private final Latch latch;
  private final StopWatch watch;
  private final MissingConfigMap missing;
  private final List<StopListener> listeners = new CopyOnWriteArrayList<>();
  private final List<Latch.Listener> latchListeners = new CopyOnWriteArrayList<>();
  private final ExecutorService stopPass =
      Executors.newSingleThreadExecutor(
          Thread.ofPlatform().name("andon-stop-pass").daemon().factory());
  private final Object states = new Object();
  private @Nullable Sight lastState; // guarded by states
  private final AtomicBoolean viewPassQueued = new AtomicBoolean();
  private volatile @Nullable Instant invisibleSince;

  /**
   * Wires the stop; nothing is read before {@link #start}.
   *
   * @param main the operator's own configuration, of which the stop makes clients of its own
   * @throws RuntimeException when the configuration names no usable address
   */
  public static StopControl of(Config main, Clock clock, StopMetrics metrics) {
    return of(main, clock, () -> true, metrics);
  }

  /**
   * The same for one of several operators. {@code leads}: whether it is the one that acts; asked
   * with every use of a permit, so cheap.
   */
  public static StopControl of(
      Config main, Clock clock, BooleanSupplier leads, StopMetrics metrics) {
    return new StopControl(main, clock, System::nanoTime, leads, metrics);
  }

  /** {@code nanoTime}: monotonic; the gate and the watch go by it. */
  StopControl(
      Config main, Clock clock, LongSupplier nanoTime, BooleanSupplier leads, StopMetrics metrics) {
    this.clock = clock;
    this.metrics = metrics;
    this.invisibleSince = clock.instant();
    Config reading = StopClients.reading(main);
    this.gate =
        new ApiGate(
            new ApiStopReader(reading, ApiStopReader.DEADLINE),
            nanoTime,
            leads,
            metrics,
            new ApiGate.Witness() {
              @Override
              public void saw(EmergencyStop stop, boolean byRead) {
                StopControl.this.saw(stop, byRead);
              }

              @Override
              public void viewChanged() {
                StopControl.this.viewChanged();
              }
            });
    this.latch = new Latch(gate::view);
    this.watch = new StopWatch(StopClients.watching(main), gate::watchSaw, metrics, nanoTime);
    this.missing = new MissingConfigMap(reading, nanoTime);
  }

  /** Begins to read and to watch; returns at once. Listeners are added before. */
  public void start() {
    gate.start();
    watch.start();
  }

  public Gate gate() {
    return gate;
  }

  public Latch latch() {
    return latch;
  }

  /** Whether the ConfigMap, or that there is none, has been seen since the start. */
  public boolean synced() {
    return gate.synced();
  }

  /** Since when nobody can see whether there is a stop; empty while the gate's reads succeed. */
  public Optional<Instant> notVisibleSince() {
    return gate.visible() ? Optional.empty() : Optional.ofNullable(invisibleSince);
  }

  /**
   * What is wrong with the stop of this process, whatever the API server answers: a gate that does
   * not even ask any more lets nothing through for good.
   */
  public Optional<String> trouble() {
    Duration since = gate.sinceLastRead();
    return since.compareTo(NO_READ) > 0
        ? Optional.of(
            "the gate has not asked for the emergency stop for %d s".formatted(since.toSeconds()))
        : Optional.empty();
  }

  /**
   * The resourceVersion of the ConfigMap that a read of the gate saw last, at most 2.5 s ago; ""
   * where it saw that there is none, empty where nothing is visible.
   */
  public Optional<String> resourceVersionRead() {
    return gate.lastRead().map(Sight::resourceVersion);
  }

  public void addListener(StopListener listener) {
    listeners.add(listener);
  }

  /** Told of workflows when a stop latches them: cancel what they have in flight, wake them. */
  public void onLatched(Latch.Listener listener) {
    latchListeners.add(listener);
  }

  private void saw(EmergencyStop stop, boolean byRead) {
    Instant seen = clock.instant();
    // Always, not once for a change: a workflow may have been enrolled while nothing was visible.
    List<Latched> newly = latch.stopSeen(stop::view);
    if (!newly.isEmpty()) {
      pass("cancelling", () -> latchListeners.forEach(l -> guarded(() -> l.latched(newly))));
    }
    boolean changed;
    synchronized (states) {
      changed = lastState == null || !lastState.sameState(stop.sight());
      lastState = stop.sight();
    }
    if (changed) {
      metrics.stateSeen(stop.sight().resourceVersion(), seen);
      LOG.info(
          "emergency stop seen by {} at resourceVersion {}: {}; {} workflows latched",
          byRead ? "a read" : "the watch",
          stop.sight().resourceVersion(),
          stop.says(),
          newly.size());
      pass("stop seen", () -> listeners.forEach(l -> guarded(() -> l.stopSeen(stop))));
    }
    if (byRead) {
      watch.readSaw(stop.sight());
      if (stop.isMissing()) {
        missing.create();
      }
    }
  }

  /** One that has not begun yet will tell of this change too. */
  private void viewChanged() {
    invisibleSince = gate.visible() ? null : clock.instant();
    if (!viewPassQueued.getAndSet(true)) {
      pass(
          "view changed",
          () -> {
            viewPassQueued.set(false);
            listeners.forEach(l -> guarded(l::viewChanged));
          });
    }
  }

  private void pass(String what, Runnable work) {
    try {
      stopPass.execute(work);
    } catch (RejectedExecutionException e) {
      LOG.debug("Closing: nobody is told any more ({})", what);
    }
  }

  private static void guarded(Runnable listener) {
    try {
      listener.run();
    } catch (RuntimeException e) {
      LOG.error("A listener of the emergency stop failed", e);
    }
  }

  /**
   * Of the first things a closing operator does: nobody enters any more, and permits not yet used
   * are void. The view, the watch and the latch go on until {@link #close}.
   */
  public void shutdown() {
    gate.shutdown();
  }

  @Override
  public void close() {
    gate.close();
    missing.close();
    watch.close();
    stopPass.shutdown();
  }
}
