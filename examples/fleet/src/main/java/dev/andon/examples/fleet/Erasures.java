package dev.andon.examples.fleet;

import dev.andon.examples.fleet.Erasure.Status;
import dev.andon.examples.fleet.Fleet.Site;
import dev.andon.examples.fleet.Fleet.State;
import dev.andon.examples.fleet.LogEvent.Kind;
import java.time.Clock;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The erases of a fleet. Every change is a log event, first written and then applied; what is held
 * in memory is nothing but the log applied from its first line. So a restart knows what the process
 * before it knew, and erases that were under way go on for the time they still had.
 */
final class Erasures implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(Erasures.class.getName());

  private final Fleet fleet;
  private final EraseMillis eraseMillis;
  private final EraseLog log;
  private final Clock clock;
  private final Timer timer;

  private final Map<String, Erasure> byOperation = new LinkedHashMap<>();
  private final Map<String, String> operationByKey = new HashMap<>();
  private final Map<String, String> lastOperationByMachine = new HashMap<>();
  private final Map<String, String> machineByCancelledKey = new HashMap<>();
  private boolean closed;

  Erasures(Fleet fleet, EraseMillis eraseMillis, EraseLog log, Clock clock, Timer timer) {
    this.fleet = fleet;
    this.eraseMillis = eraseMillis;
    this.log = log;
    this.clock = clock;
    this.timer = timer;
    log.events().forEach(this::apply);
    for (Erasure erasure : List.copyOf(byOperation.values())) {
      if (erasure.status() == Status.RUNNING) {
        endLater(erasure, Status.DONE);
      }
    }
  }

  /** What became of a request to erase. */
  sealed interface Asked {
    /** The erase of this key; it may have ended long ago. */
    record Accepted(Erasure erasure) implements Asked {}

    record Refused(Refusal refusal, String message) implements Asked {}
  }

  /**
   * Begins to erase a machine, once for a key: a key that is known names the erase it began, in
   * whatever state that is.
   *
   * @param fails whether the erase is to end as failed
   */
  synchronized Asked erase(Site site, String machine, String key, boolean fails) {
    var known = byKey(key);
    if (known.isPresent()) {
      var erasure = known.get();
      if (!erasure.machine().equals(machine)) {
        return refuse(
            site,
            machine,
            key,
            Refusal.KEY_REUSED,
            "Idempotency-Key %s: belongs to %s; use a key of its own for %s"
                .formatted(key, erasure.machine(), machine));
      }
      append(Kind.DUPLICATE, site.code(), machine, key, erasure.operation(), null);
      return new Asked.Accepted(erasure);
    }
    if (machineByCancelledKey.containsKey(key)) {
      return refuse(
          site,
          machine,
          key,
          Refusal.KEY_CANCELLED,
          "Idempotency-Key %s: was cancelled before it came; to erase %s use a new key"
              .formatted(key, machine));
    }
    if (site.state() != State.DECOM) {
      return refuse(
          site,
          machine,
          key,
          Refusal.SITE_NOT_IN_DECOM,
          "site %s: is %s; only machines of a site in decom are erased"
              .formatted(site.code(), site.state()));
    }
    var last = lastOf(machine);
    if (last.isPresent() && last.get().status() == Status.DONE) {
      return refuse(
          site,
          machine,
          key,
          Refusal.ALREADY_ERASED,
          "machine %s: was erased under key %s; nothing is left to erase"
              .formatted(machine, last.get().key()));
    }
    if (last.isPresent() && last.get().status() == Status.RUNNING) {
      return refuse(
          site,
          machine,
          key,
          Refusal.ERASE_UNDER_WAY,
          "machine %s: is being erased under key %s; wait for %s to end"
              .formatted(machine, last.get().key(), last.get().operation()));
    }
    String operation = "op-" + log.nextSeq();
    append(Kind.ERASE_BEGAN, site.code(), machine, key, operation, null);
    var erasure = byKey(key).orElseThrow();
    endLater(erasure, fails ? Status.FAILED : Status.DONE);
    return new Asked.Accepted(erasure);
  }

  /** Notes and answers that a request without a key begins nothing. */
  synchronized Asked.Refused refuseWithoutKey(Site site, String machine) {
    return refuse(
        site,
        machine,
        null,
        Refusal.KEY_MISSING,
        "Idempotency-Key: missing; send this header, with the same value when you send the same"
            + " request again, so that the machine is erased once");
  }

  /** Notes that a site's state was asked for, and what was answered. */
  synchronized void validated(Site site, @Nullable String key, String answer) {
    append(Kind.VALIDATE, site.code(), null, key, null, answer);
  }

  synchronized Optional<Erasure> byOperation(String operation) {
    return Optional.ofNullable(byOperation.get(operation));
  }

  /** The erase that this key began. */
  synchronized Optional<Erasure> byKey(String key) {
    return Optional.ofNullable(operationByKey.get(key)).map(byOperation::get);
  }

  /** The latest erase of a machine, by whatever key. */
  synchronized Optional<Erasure> lastOf(String machine) {
    return Optional.ofNullable(lastOperationByMachine.get(machine)).map(byOperation::get);
  }

  /** Whether the key was cancelled before it began anything on this machine. */
  synchronized boolean cancelledUnseen(String machine, String key) {
    return machine.equals(machineByCancelledKey.get(key));
  }

  /** Cancels an erase unless it has ended. Returns it as it is now. */
  synchronized Erasure cancel(Erasure erasure) {
    if (current(erasure).status() == Status.RUNNING) {
      end(erasure, Kind.ERASE_CANCELLED);
    }
    return current(erasure);
  }

  /**
   * Makes a key that was never seen good for nothing: a request that is still on its way when its
   * sender cancels it must not begin to erase after the cancel was answered.
   */
  synchronized void cancelUnseen(Site site, String machine, String key) {
    if (!operationByKey.containsKey(key) && !machineByCancelledKey.containsKey(key)) {
      append(Kind.CANCEL_NOTED, site.code(), machine, key, null, null);
    }
  }

  private Erasure current(Erasure erasure) {
    return byOperation.getOrDefault(erasure.operation(), erasure);
  }

  private Asked.Refused refuse(
      Site site, String machine, @Nullable String key, Refusal refusal, String message) {
    append(Kind.REFUSED, site.code(), machine, key, null, refusal.code());
    return new Asked.Refused(refusal, message);
  }

  /** Counted from its beginning, so that a restart neither hurries nor prolongs it. */
  private void endLater(Erasure erasure, Status outcome) {
    var due = erasure.began().plusMillis(fleet.eraseMillis(erasure.machine(), eraseMillis));
    var delay = Duration.ofMillis(Math.max(0, Duration.between(clock.instant(), due).toMillis()));
    var kind = outcome == Status.DONE ? Kind.ERASE_DONE : Kind.ERASE_FAILED;
    timer.after(delay, () -> endOnTime(erasure, kind));
  }

  private synchronized void endOnTime(Erasure erasure, Kind kind) {
    if (closed || current(erasure).status() != Status.RUNNING) {
      return;
    }
    try {
      end(erasure, kind);
    } catch (RuntimeException e) {
      // What is not in the log did not happen: the erase stays under way until a restart ends it.
      LOG.log(System.Logger.Level.ERROR, erasure.operation() + " did not end", e);
    }
  }

  private void end(Erasure erasure, Kind kind) {
    append(kind, erasure.site(), erasure.machine(), erasure.key(), erasure.operation(), null);
  }

  private void append(
      Kind kind,
      String site,
      @Nullable String machine,
      @Nullable String key,
      @Nullable String operation,
      @Nullable String reason) {
    if (closed) {
      throw new IllegalStateException("the fleet is closed");
    }
    var now = clock.instant().truncatedTo(ChronoUnit.MICROS);
    var event = new LogEvent(log.nextSeq(), now, kind, site, machine, key, operation, reason);
    log.append(event);
    apply(event);
  }

  private void apply(LogEvent event) {
    switch (event.event()) {
      case ERASE_BEGAN -> {
        var erasure =
            new Erasure(
                text(event.operation()),
                event.site(),
                text(event.machine()),
                text(event.key()),
                event.time(),
                Status.RUNNING);
        byOperation.put(erasure.operation(), erasure);
        operationByKey.put(erasure.key(), erasure.operation());
        lastOperationByMachine.put(erasure.machine(), erasure.operation());
      }
      case ERASE_DONE -> ended(event, Status.DONE);
      case ERASE_FAILED -> ended(event, Status.FAILED);
      case ERASE_CANCELLED -> ended(event, Status.CANCELLED);
      case CANCEL_NOTED -> machineByCancelledKey.put(text(event.key()), text(event.machine()));
      case VALIDATE, REFUSED, DUPLICATE -> {}
    }
  }

  private void ended(LogEvent event, Status status) {
    byOperation.computeIfPresent(text(event.operation()), (id, erasure) -> erasure.as(status));
  }

  private static String text(@Nullable String value) {
    return String.valueOf(value);
  }

  /** Ends no erase: one that is under way is so in the log, and goes on at the next start. */
  @Override
  public synchronized void close() {
    closed = true;
    timer.close();
  }
}
