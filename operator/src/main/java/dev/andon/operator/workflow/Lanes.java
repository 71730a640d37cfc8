package dev.andon.operator.workflow;

import java.time.Duration;
import java.util.Collection;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * How many workflows are decided about at the same time. Each writes its status; more at once than
 * an API server works on only queue there, in front of everybody else, and every one holds a
 * connection. Those that a stop ends have a lane of their own: however many others wait, they do
 * not stand behind them, and who waits among the others when its stop comes changes over.
 *
 * <p>Of the others' places two are for those alone that have begun: a start asks the ledger, which
 * may take seconds to say nothing, and thousands may want to start.
 *
 * <p>First come, first served, of those that may.
 */
final class Lanes {
  /** About twice what an API server on two cores takes before its answers only come later. */
  private static final int ENDING = 32;

  /**
   * What is under way when a stop is written stands beside it in the API server: more than keeps
   * its cores busy gains nothing, and delays the stop.
   */
  static final int OTHERS = 8;

  static final int BEGINNERS = OTHERS - 2;

  private enum Kind {
    ENDING,
    BEGUN,
    BEGINNER
  }

  /** Who waits, by uid; first come, first. */
  private final Map<Kind, Map<String, Turn>> waiting; // guarded by this

  private long came; // guarded by this

  private int ending; // guarded by this; places taken
  private int others; // guarded by this; places taken, those of beginners too
  private int beginners; // guarded by this; places taken

  /** When each place was taken that is held, the oldest first. */
  private final Map<Place, Long> held = new LinkedHashMap<>(); // guarded by this

  private final LongSupplier nanoTime;

  Lanes() {
    this(System::nanoTime);
  }

  Lanes(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    this.waiting = new EnumMap<>(Kind.class);
    for (Kind kind : Kind.values()) {
      waiting.put(kind, new LinkedHashMap<>());
    }
  }

  /** Whether statuses of a stop are being decided about and written. */
  synchronized boolean ending() {
    return ending > 0;
  }

  /** For how long the place is held that has been held for longest; zero if none is. */
  synchronized Duration longestHeld() {
    return held.isEmpty()
        ? Duration.ZERO
        : Duration.ofNanos(nanoTime.getAsLong() - held.values().iterator().next());
  }

  /**
   * Who waits.
   *
   * @param ticket lower than that of whoever came later
   * @param given which place it is, once there is one
   */
  private record Turn(long ticket, CompletableFuture<Kind> given) {}

  /** A place in a lane, until it is closed. */
  @FunctionalInterface
  interface Place extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Waits for a place.
   *
   * @param uid of the workflow; nobody else waits with it
   * @param begun whether it has started
   * @param stopped whether it has seen a stop
   */
  Place enter(String uid, boolean begun, BooleanSupplier stopped) throws InterruptedException {
    var given = new CompletableFuture<Kind>();
    Kind other = begun ? Kind.BEGUN : Kind.BEGINNER;
    ask(stopped.getAsBoolean() ? Kind.ENDING : other, uid, given);
    if (stopped.getAsBoolean()) {
      // The stop may have come between the question and the queue.
      stopped(List.of(uid));
    }
    try {
      return taken(given.get());
    } catch (InterruptedException e) {
      giveUp(given);
      throw e;
    } catch (ExecutionException e) {
      throw new IllegalStateException(e); // nobody completes it so
    }
  }

  /** These have seen a stop: who of them waits goes on in the other lane. */
  synchronized void stopped(Collection<String> uids) {
    for (String uid : uids) {
      for (Kind kind : List.of(Kind.BEGUN, Kind.BEGINNER)) {
        Turn turn = queue(kind).remove(uid);
        if (turn != null) {
          queue(Kind.ENDING).put(uid, turn);
        }
      }
    }
    admit();
  }

  private synchronized void ask(Kind kind, String uid, CompletableFuture<Kind> given) {
    queue(kind).put(uid, new Turn(came++, given));
    admit();
  }

  /** Whoever waits and may. */
  private synchronized void admit() {
    while (ending < ENDING && admitted(Kind.ENDING)) {
      ending++;
    }
    while (others < OTHERS) {
      boolean beginner =
          beginners < BEGINNERS && firstTicket(Kind.BEGINNER) < firstTicket(Kind.BEGUN);
      if (!admitted(beginner ? Kind.BEGINNER : Kind.BEGUN)) {
        return;
      }
      others++;
      beginners += beginner ? 1 : 0;
    }
  }

  private synchronized long firstTicket(Kind kind) {
    var first = queue(kind).values().iterator();
    return first.hasNext() ? first.next().ticket() : Long.MAX_VALUE;
  }

  private synchronized boolean admitted(Kind kind) {
    var first = queue(kind).values().iterator();
    if (!first.hasNext()) {
      return false;
    }
    Turn turn = first.next();
    first.remove();
    return turn.given().complete(kind);
  }

  private synchronized Map<String, Turn> queue(Kind kind) {
    return Objects.requireNonNull(waiting.get(kind));
  }

  private synchronized Place taken(Kind kind) {
    var place =
        new Place() {
          @Override
          public void close() {
            left(this, kind);
          }
        };
    held.put(place, nanoTime.getAsLong());
    return place;
  }

  private synchronized void left(Place place, Kind kind) {
    held.remove(place);
    leave(kind);
  }

  private synchronized void leave(Kind kind) {
    switch (kind) {
      case ENDING -> ending--;
      case BEGUN -> others--;
      case BEGINNER -> {
        others--;
        beginners--;
      }
    }
    admit();
  }

  /** A place that was given meanwhile is for the next. */
  private synchronized void giveUp(CompletableFuture<Kind> given) {
    waiting.values().forEach(queue -> queue.values().removeIf(turn -> turn.given() == given));
    if (given.isDone()) {
      leave(given.join());
    }
  }
}
