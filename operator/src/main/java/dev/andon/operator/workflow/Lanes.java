package dev.andon.operator.workflow;

import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.BooleanSupplier;

/**
 * How many workflows are decided about at the same time. Each writes its status; more at once than
 * an API server works on only queue there, in front of everybody else, and every one holds a
 * connection. Those that a stop ends have a lane of their own: however many others wait, they do
 * not stand behind them, and who waits among the others when its stop comes changes over.
 *
 * <p>First come, first served, within a lane.
 */
final class Lanes {
  /** About twice what an API server on two cores takes before its answers only come later. */
  private static final int ENDING = 32;

  /**
   * What is under way when a stop is written stands beside it in the API server: more than keeps
   * its cores busy gains nothing, and delays the stop.
   */
  static final int OTHERS = 8;

  private final Lane ending = new Lane(ENDING); // guarded by this
  private final Lane others = new Lane(OTHERS); // guarded by this

  /** Whether statuses of a stop are being decided about and written. */
  synchronized boolean ending() {
    return ending.free < ENDING;
  }

  /** A place in a lane, until it is closed. */
  @FunctionalInterface
  interface Place extends AutoCloseable {
    @Override
    void close();
  }

  /** Free places, or who waits for one: never both. */
  private static final class Lane {
    private int free;
    private final Map<String, CompletableFuture<Lane>> waiting = new LinkedHashMap<>();

    Lane(int width) {
      free = width;
    }
  }

  /**
   * Waits for a place.
   *
   * @param uid of the workflow; nobody else waits with it
   * @param stopped whether it has seen a stop
   */
  Place enter(String uid, BooleanSupplier stopped) throws InterruptedException {
    var turn = new CompletableFuture<Lane>();
    ask(stopped.getAsBoolean() ? ending : others, uid, turn);
    if (stopped.getAsBoolean()) {
      // The stop may have come between the question and the queue.
      stopped(List.of(uid));
    }
    try {
      Lane lane = turn.get();
      return () -> leave(lane);
    } catch (InterruptedException e) {
      giveUp(uid, turn);
      throw e;
    } catch (ExecutionException e) {
      throw new IllegalStateException(e); // nobody completes it so
    }
  }

  /** These have seen a stop: who of them waits goes on in the other lane. */
  synchronized void stopped(Collection<String> uids) {
    var changing = new HashMap<String, CompletableFuture<Lane>>();
    for (String uid : uids) {
      CompletableFuture<Lane> turn = others.waiting.remove(uid);
      if (turn != null) {
        changing.put(uid, turn);
      }
    }
    changing.forEach((uid, turn) -> ask(ending, uid, turn));
  }

  private synchronized void ask(Lane lane, String uid, CompletableFuture<Lane> turn) {
    if (lane.free > 0) {
      lane.free--;
      turn.complete(lane);
    } else {
      lane.waiting.put(uid, turn);
    }
  }

  private synchronized void leave(Lane lane) {
    var first = lane.waiting.entrySet().iterator();
    if (first.hasNext()) {
      CompletableFuture<Lane> next = first.next().getValue();
      first.remove();
      next.complete(lane);
    } else {
      lane.free++;
    }
  }

  /** A place that was given meanwhile is for the next. */
  private synchronized void giveUp(String uid, CompletableFuture<Lane> turn) {
    ending.waiting.remove(uid, turn);
    others.waiting.remove(uid, turn);
    if (turn.isDone()) {
      leave(turn.join());
    }
  }
}
