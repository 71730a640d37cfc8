package dev.andon.operator.stop;

import dev.andon.operator.stop.EmergencyStop.Sight;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What has been seen of the stop, and in which order: reads that began and ended, and events of the
 * watch. Judges from it whether a permit is given, whether one is still good, and what is known of
 * a type.
 *
 * <p>Everything that happens gets a number; a read gets its number when it <em>begins</em>. That
 * one order carries the rules: a read answers only for what it was begun after, and a stop with a
 * higher number than a read closes what that read had opened, until a read with a higher number
 * still says open. Times (nanoseconds of one monotonic clock) only age things.
 *
 * <p>Thread-safe: writers take the monitor, readers look at one immutable value.
 */
final class Sightings {
  static final Duration PERMIT_LIFE = Duration.ofSeconds(1);
  static final Duration VIEW_LIFE = Duration.ofMillis(2500);

  /** States kept at once; more within a second is somebody's loop. */
  private static final int MAX_KEPT = 64;

  private static final String SHUTTING_DOWN = "shutting down";
  private static final String NOT_LEADING = "this process does not lead, or not any more";
  private static final String FLOODED = "the ConfigMap changes faster than it can be followed";

  private final BooleanSupplier leads;
  private long number; // guarded by this

  /** The latest revision there is known to be, by a read or by the watch. */
  private @Nullable Sight newest; // guarded by this

  /** The same, when the read under way began: there is one at a time. */
  private @Nullable Sight newestAtBegin; // guarded by this

  private volatile Known known = new Known(null, List.of(), 0, null, false);

  /** A read under way. */
  record Begun(long number, long nanos) {}

  /** A state of the ConfigMap; {@code number} and {@code nanos} of when it was last seen so. */
  private record Seen(long number, long nanos, EmergencyStop stop) {}

  /** The last read that saw something. */
  private record Read(Begun begun, EmergencyStop stop) {}

  /**
   * @param seen every state seen that may still close something, in no order
   * @param forgotten the highest number that no longer is in {@code seen}, though it should be
   * @param failure why the last read failed; null if it did not
   */
  private record Known(
      @Nullable Read read,
      List<Seen> seen,
      long forgotten,
      @Nullable String failure,
      boolean shut) {}

  Sightings() {
    this(() -> true);
  }

  /** {@code leads}: whether this process may act at all; asked with every use of a permit. */
  Sightings(BooleanSupplier leads) {
    this.leads = leads;
  }

  synchronized Begun begin(long now) {
    newestAtBegin = newest;
    return new Begun(++number, now);
  }

  /**
   * A read saw this; unless it is older than what was known when the read began. That is no answer
   * of an API server to a linearizable read: a cache between tells of the past, and could say go
   * long after a stop.
   *
   * @return why it does not count; null: it does
   */
  synchronized @Nullable String readSaw(Begun begun, EmergencyStop stop, long now) {
    if (newestAtBegin != null && stop.sight().isOlderThan(newestAtBegin)) {
      String why =
          "it was read at resourceVersion %s, but is known to be at %s: something between answers from the past. If the cluster was restored from a backup, restart the operator"
              .formatted(stop.sight().resourceVersion(), newestAtBegin.resourceVersion());
      readFailed(why);
      return why;
    }
    Known was = known;
    Read read = new Read(begun, stop);
    known = keep(new Known(read, was.seen, was.forgotten, null, was.shut), begun.number, now, stop);
    noteRevision(stop.sight());
    return null;
  }

  synchronized void readFailed(String why) {
    Known was = known;
    known = new Known(was.read, was.seen, was.forgotten, why, was.shut);
  }

  /** An event of the watch: it can close, never open. */
  synchronized void watchSaw(EmergencyStop stop, long now) {
    known = keep(known, ++number, now, stop);
    noteRevision(stop.sight());
  }

  /** Nothing is let through any more, for good. What is seen goes on being told. */
  synchronized void shut() {
    Known was = known;
    known = new Known(was.read, was.seen, was.forgotten, was.failure, true);
  }

  private void noteRevision(Sight sight) {
    if (sight.hasRevision() && (newest == null || newest.isOlderThan(sight))) {
      newest = sight;
    }
  }

  private static Known keep(Known was, long number, long now, EmergencyStop stop) {
    List<Seen> seen = new ArrayList<>();
    Seen added = new Seen(number, now, stop);
    for (Seen one : was.seen) {
      if (one.stop.sight().equals(stop.sight())) {
        // The later sight of the same state closes all that the earlier one did.
        added = new Seen(Math.max(one.number, number), now, stop);
      } else if (stillMatters(one, was.read, now)) {
        seen.add(one);
      }
    }
    seen.add(added);
    long forgotten = was.forgotten;
    if (seen.size() > MAX_KEPT) {
      forgotten = Math.max(forgotten, seen.removeFirst().number);
    }
    return new Known(was.read, List.copyOf(seen), forgotten, was.failure, was.shut);
  }

  /** A read begun later has answered, and every permit from before it is too old to be used. */
  private static boolean stillMatters(Seen seen, @Nullable Read read, long now) {
    return read == null
        || seen.number > read.begun.number
        || now - seen.nanos < PERMIT_LIFE.toNanos();
  }

  /** The answer for somebody who waited for this read, which has ended. */
  Gate.Entry entry(String workflowType, Begun begun, LongSupplier nanoTime) {
    Known now = known;
    if (now.shut) {
      return refused(SHUTTING_DOWN);
    }
    if (!leads.getAsBoolean()) {
      return refused(NOT_LEADING);
    }
    if (now.read == null || now.read.begun.number < begun.number) {
      return refused(Objects.requireNonNullElse(now.failure, "the read was given up"));
    }
    Optional<StopView.Stopped> since = stopAfter(now, now.read.begun.number, workflowType);
    if (since.isPresent()) {
      return new Gate.Entry.Refused(since.get());
    }
    return switch (now.read.stop.view(workflowType)) {
      case StopView.Open open -> {
        Begun from = now.read.begun;
        if (now.forgotten >= from.number) {
          yield refused(FLOODED);
        }
        if (nanoTime.getAsLong() - from.nanos >= PERMIT_LIFE.toNanos()) {
          yield refused("the read took longer than the second for which a permit is good");
        }
        yield new Gate.Entry.Granted(
            new Permit(open, () -> good(workflowType, from, nanoTime.getAsLong())));
      }
      case StopView.Stopped stopped -> new Gate.Entry.Refused(stopped);
      case StopView.NotVisible notVisible -> new Gate.Entry.Refused(notVisible);
    };
  }

  private static Gate.Entry refused(String why) {
    return new Gate.Entry.Refused(new StopView.NotVisible(why));
  }

  /** Whether a permit given by that read may be used now. */
  private boolean good(String workflowType, Begun begun, long now) {
    Known at = known;
    return !at.shut
        && leads.getAsBoolean()
        && now - begun.nanos < PERMIT_LIFE.toNanos()
        && at.forgotten < begun.number
        && stopAfter(at, begun.number, workflowType).isEmpty();
  }

  private static Optional<StopView.Stopped> stopAfter(
      Known known, long number, String workflowType) {
    @Nullable Seen newest = null;
    for (Seen seen : known.seen) {
      if (seen.number > number
          && (newest == null || seen.number > newest.number)
          && seen.stop.view(workflowType) instanceof StopView.Stopped) {
        newest = seen;
      }
    }
    return newest != null && newest.stop.view(workflowType) instanceof StopView.Stopped stopped
        ? Optional.of(stopped)
        : Optional.empty();
  }

  /** What is known of a type, without asking. */
  StopView view(String workflowType, long now) {
    Known at = known;
    long readNumber = at.read == null ? 0 : at.read.begun.number;
    boolean fresh = at.read != null && isFresh(at.read.begun.nanos, now);
    for (Seen seen : at.seen) {
      fresh |= seen.number > readNumber && isFresh(seen.nanos, now);
    }
    if (!fresh) {
      return new StopView.NotVisible(
          at.failure != null
              ? at.failure
              : at.read == null ? "not read yet" : "not read for longer than " + VIEW_LIFE);
    }
    Optional<StopView.Stopped> since = stopAfter(at, readNumber, workflowType);
    if (since.isPresent()) {
      return since.get();
    }
    if (at.read == null || !isFresh(at.read.begun.nanos, now)) {
      // Only the watch speaks, and it can never open.
      return new StopView.NotVisible(Objects.requireNonNullElse(at.failure, "not read yet"));
    }
    if (at.forgotten >= readNumber) {
      return new StopView.NotVisible(FLOODED);
    }
    return at.read.stop.view(workflowType);
  }

  private static boolean isFresh(long nanos, long now) {
    return now - nanos <= VIEW_LIFE.toNanos();
  }

  /** Whether a read has ever seen something. */
  boolean synced() {
    return known.read != null;
  }

  /** The state last read while it is fresh; empty when nothing is visible. */
  Optional<Sight> visible(long now) {
    Known at = known;
    return at.read != null && isFresh(at.read.begun.nanos, now)
        ? Optional.of(at.read.stop.sight())
        : Optional.empty();
  }
}
