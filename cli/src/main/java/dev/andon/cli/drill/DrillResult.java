package dev.andon.cli.drill;

import dev.andon.cli.drill.Canary.Version;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * What the versions of a canary say about a stop.
 *
 * @param startsBefore sends intended when the stop was written: by the newest version before it
 * @param startsAfter sends intended in any version after it, more than that: must be none
 * @param firstSeen from the send of the stop until a version tells of it; empty if none does
 * @param stopped from the send of the stop until it is Stopped; empty if it is not
 */
record DrillResult(
    int startsBefore, int startsAfter, Optional<Duration> firstSeen, Optional<Duration> stopped) {

  /**
   * @param revision of the stop
   * @param sent when the stop was sent, by the clock of the versions
   */
  static DrillResult of(List<Version> versions, long revision, long sent) {
    int before =
        versions.stream()
            .filter(version -> version.revision() < revision)
            .max(Comparator.comparingLong(Version::revision))
            .map(Version::starts)
            .orElse(0);
    int most =
        versions.stream()
            .filter(version -> version.revision() > revision)
            .mapToInt(Version::starts)
            .max()
            .orElse(before);
    return new DrillResult(
        before,
        Math.max(0, most - before),
        first(versions, sent, List.of("Stopping", "Stopped")),
        first(versions, sent, List.of("Stopped")));
  }

  boolean holds() {
    return startsAfter == 0 && stopped.isPresent();
  }

  private static Optional<Duration> first(List<Version> versions, long sent, List<String> phases) {
    return versions.stream()
        .filter(version -> phases.contains(version.phase()))
        .findFirst()
        .map(version -> Duration.ofNanos(version.seen() - sent));
  }
}
