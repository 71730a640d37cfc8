package dev.andon.examples.fleet;

import dev.andon.examples.fleet.LogEvent.Kind;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a log amounts to. Counted from the log alone, so that it does not share a mistake with what
 * wrote it.
 *
 * @param active erases under way now
 * @param mostActive the most erases that were under way at one moment
 * @param erasedTwice machines erased more than once; anything but 0 is a fault
 * @param askedAgain requests to erase a machine that was erased or being erased under another key:
 *     refused here, but a service without that protection would have erased it twice
 * @param refused requests refused, those of {@code askedAgain} among them
 * @param duplicates requests whose key was known already
 * @param sites by code, those that appear in the log
 */
public record Summary(
    int begun,
    int done,
    int failed,
    int cancelled,
    int active,
    int mostActive,
    int erasedTwice,
    int askedAgain,
    int refused,
    int duplicates,
    int validations,
    SortedMap<String, SiteSummary> sites) {

  /** The same for one site. */
  public record SiteSummary(
      int begun, int done, int failed, int cancelled, int active, int erasedTwice) {}

  static Summary of(List<LogEvent> events) {
    var all = new Tally();
    var bySite = new TreeMap<String, Tally>();
    for (LogEvent event : events) {
      all.count(event);
      bySite.computeIfAbsent(event.site(), site -> new Tally()).count(event);
    }
    var sites = new TreeMap<String, SiteSummary>();
    bySite.forEach((site, tally) -> sites.put(site, tally.site()));
    return all.summary(sites);
  }

  private static final class Tally {
    private final Map<Kind, Integer> counts = new HashMap<>();
    private final Set<String> underWay = new HashSet<>();
    private final Set<String> erased = new HashSet<>();
    private final Set<String> erasedTwice = new HashSet<>();
    private int mostActive;
    private int askedAgain;

    void count(LogEvent event) {
      counts.merge(event.event(), 1, Integer::sum);
      String operation = String.valueOf(event.operation());
      String machine = String.valueOf(event.machine());
      switch (event.event()) {
        case ERASE_BEGAN -> {
          underWay.add(operation);
          mostActive = Math.max(mostActive, underWay.size());
        }
        case ERASE_DONE -> {
          underWay.remove(operation);
          if (!erased.add(machine)) {
            erasedTwice.add(machine);
          }
        }
        case ERASE_FAILED, ERASE_CANCELLED -> underWay.remove(operation);
        case REFUSED -> {
          if (Refusal.ALREADY_ERASED.code().equals(event.reason())
              || Refusal.ERASE_UNDER_WAY.code().equals(event.reason())) {
            askedAgain++;
          }
        }
        case CANCEL_NOTED, VALIDATE, DUPLICATE -> {}
      }
    }

    private int of(Kind kind) {
      return counts.getOrDefault(kind, 0);
    }

    SiteSummary site() {
      return new SiteSummary(
          of(Kind.ERASE_BEGAN),
          of(Kind.ERASE_DONE),
          of(Kind.ERASE_FAILED),
          of(Kind.ERASE_CANCELLED),
          underWay.size(),
          erasedTwice.size());
    }

    Summary summary(SortedMap<String, SiteSummary> sites) {
      return new Summary(
          of(Kind.ERASE_BEGAN),
          of(Kind.ERASE_DONE),
          of(Kind.ERASE_FAILED),
          of(Kind.ERASE_CANCELLED),
          underWay.size(),
          mostActive,
          erasedTwice.size(),
          askedAgain,
          of(Kind.REFUSED),
          of(Kind.DUPLICATE),
          of(Kind.VALIDATE),
          sites);
    }
  }
}
