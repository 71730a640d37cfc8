package dev.andon.cli.demo;

import dev.andon.examples.fleet.LogEvent;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What the fleet's log says about a stop.
 *
 * @param written when the stop was written, as our own watch saw it
 * @param lastBegun the last erase that was begun at all; empty if none was
 * @param begunAfter erases begun after it of attempts that were not intended before it: must be
 *     none
 * @param underWay erases begun after it of attempts that were: their request was on its way
 * @param doneAfter erases that were under way and ended as done after it
 * @param cancelledAfter erases that were under way and were cancelled after it
 */
record StopProof(
    Instant written,
    Optional<Instant> lastBegun,
    int begunAfter,
    int underWay,
    int doneAfter,
    int cancelledAfter) {

  /**
   * @param intended keys of the attempts in status when the stop was written
   */
  static StopProof of(Instant written, Set<String> intended, List<LogEvent> log) {
    List<LogEvent> begun =
        log.stream().filter(event -> event.event() == LogEvent.Kind.ERASE_BEGAN).toList();
    List<LogEvent> late = begun.stream().filter(event -> event.time().isAfter(written)).toList();
    int known =
        Math.toIntExact(late.stream().filter(event -> intended.contains(key(event))).count());
    return new StopProof(
        written,
        begun.stream().map(LogEvent::time).max(Comparator.naturalOrder()),
        late.size() - known,
        known,
        after(written, LogEvent.Kind.ERASE_DONE, log),
        after(written, LogEvent.Kind.ERASE_CANCELLED, log));
  }

  boolean holds() {
    return begunAfter == 0;
  }

  /** From the write to the last erase begun; negative if that was before it. */
  Optional<Duration> toLastBegun() {
    return lastBegun.map(time -> Duration.between(written, time));
  }

  private static int after(Instant written, LogEvent.Kind kind, List<LogEvent> log) {
    return Math.toIntExact(
        log.stream()
            .filter(event -> event.event() == kind && event.time().isAfter(written))
            .count());
  }

  private static String key(LogEvent event) {
    return event.key() == null ? "" : event.key();
  }
}
