package dev.andon.operator.protection;

import dev.andon.operator.protection.Protection.State;
import dev.andon.operator.protection.SecondLayer.Answer;
import dev.andon.operator.protection.SecondLayer.Verdict;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Round after round: looks at the protections, tries the second layer, and tells of what has
 * changed. What cannot be looked at just now stays as it was known last: an API server that is away
 * is no finding.
 *
 * <p>For one thread at a time; {@link #lastKnown} for any.
 */
final class ProtectionRounds {
  /** The protection that is tried rather than looked at. */
  static final String SECOND_LAYER = "second-layer";

  /** The informer of the admission policies lags milliseconds behind; longer means something. */
  static final Duration AGAIN = Duration.ofMillis(1_500);

  /** An Event lives for an hour unless an API server is told otherwise. */
  private static final Duration REPEAT = Duration.ofHours(1);

  private static final String MEANING =
      "The API server itself refuses Jobs, Pods and rising starts by what the stop was, not by what"
          + " it is: it lets pass what was stopped since, and refuses what was armed since.";

  private static final Logger LOG = LoggerFactory.getLogger(ProtectionRounds.class);

  /** The cluster, for one round. What cannot be asked is unknown there, and never thrown. */
  interface View {
    Protections inspect();

    Answer tryJob();

    /** Whether it went through. */
    boolean publish(Notice notice);
  }

  private final Supplier<Optional<String>> gateRead;
  private final BooleanSupplier publishes;
  private final ProtectionMetrics metrics;
  private final Clock clock;

  private final ReentrantLock underWay = new ReentrantLock();

  private volatile Protections lastKnown = new Protections(List.of(), List.of(), List.of());
  private Protection secondLayer = untried("not tried yet");
  private @Nullable Verdict suspicion;
  private Optional<String> suspectRead = Optional.empty();
  private @Nullable Instant suspectSince;
  private @Nullable Instant behindSince;
  private Instant lookedAt;

  private List<String> unknown = List.of();
  private Set<String> logged = Set.of();
  private List<String> loggedUnknown = List.of();
  private boolean loggedAllInPlace;
  private Set<String> published = Set.of();
  private Instant publishedAt = Instant.MIN;

  /**
   * @param gateRead the resourceVersion last read by the gate; "" for no ConfigMap, empty if not
   *     visible
   * @param publishes whether this process is the one to write Events
   */
  ProtectionRounds(
      Supplier<Optional<String>> gateRead,
      BooleanSupplier publishes,
      ProtectionMetrics metrics,
      Clock clock) {
    this.gateRead = gateRead;
    this.publishes = publishes;
    this.metrics = metrics;
    this.clock = clock;
    this.lookedAt = clock.instant();
  }

  /**
   * One round; empty when the next is due in its time, else how soon. Does nothing while an earlier
   * one, which was given up, has not ended.
   */
  Optional<Duration> round(View view) {
    if (!underWay.tryLock()) {
      return Optional.empty();
    }
    try {
      Protections seen = suspicion != null ? lastKnown : view.inspect();
      trySecondLayer(view);
      know(seen);
      log();
      if (publishes.getAsBoolean()) {
        publish(view);
      }
      metrics.round(lastKnown, lookedAt, Optional.ofNullable(behindSince));
      return suspicion == null ? Optional.empty() : Optional.of(AGAIN);
    } finally {
      underWay.unlock();
    }
  }

  Protections lastKnown() {
    return lastKnown;
  }

  /**
   * Read first, then tried: what is found to be earlier than the read was so all the time between.
   * The second time it is held against the same read, which by then is {@link #AGAIN} old; the stop
   * may have changed as often as it likes since.
   */
  private void trySecondLayer(View view) {
    Optional<String> read =
        suspicion != null && !suspectRead.orElse("").isEmpty() ? suspectRead : gateRead.get();
    Verdict verdict = SecondLayer.judge(view.tryJob(), read);
    switch (verdict) {
      case Verdict.Follows() -> {
        cleared();
        behindSince = null;
        secondLayer =
            new Protection(SECOND_LAYER, State.IN_PLACE, "refuses what it must", MEANING, "");
      }
      case Verdict.Unknown(String why) -> {
        cleared();
        secondLayer = untried(why);
      }
      case Verdict.Behind(String by, String _) ->
          suspect(
              verdict,
              read,
              new Protection(
                  SECOND_LAYER,
                  State.WEAKENED,
                  "it judges by %s, where %s was read".formatted(state(by), state(read.orElse(""))),
                  MEANING,
                  "Restart this API server: its informer of ConfigMaps no longer follows"
                      + " (kubernetes issue 130887)"));
      case Verdict.Open() ->
          suspect(
              verdict,
              read,
              new Protection(
                  SECOND_LAYER,
                  State.MISSING,
                  "a Job that is never allowed would have been created",
                  "While stopped, only the operator's own gate keeps Jobs and Pods from being"
                      + " created.",
                  "Install the policies: andon install. Where they are, look whether the API server"
                      + " runs with the admission plugin ValidatingAdmissionPolicy"));
    }
  }

  private void suspect(Verdict verdict, Optional<String> read, Protection finding) {
    boolean known = secondLayer.isMissing();
    boolean twice =
        suspicion != null
            && suspicion.getClass().equals(verdict.getClass())
            && (verdict instanceof Verdict.Open || read.equals(suspectRead));
    if (known || twice) {
      secondLayer = finding;
      if (behindSince == null) {
        behindSince = Objects.requireNonNullElseGet(suspectSince, clock::instant);
      }
      cleared();
      return;
    }
    if (suspicion == null) {
      suspectSince = clock.instant();
    }
    suspicion = verdict;
    suspectRead = read;
  }

  private void cleared() {
    suspicion = null;
    suspectSince = null;
    suspectRead = Optional.empty();
  }

  private static String state(String resourceVersion) {
    return resourceVersion.isEmpty() ? "no ConfigMap at all" : "resourceVersion " + resourceVersion;
  }

  private static Protection untried(String why) {
    return new Protection(
        SECOND_LAYER, State.UNKNOWN, why, MEANING, "See that a Job of the probe gets through");
  }

  private void know(Protections seen) {
    Map<String, Protection> before =
        lastKnown.all().stream().collect(Collectors.toMap(Protection::name, p -> p));
    Map<String, Protection> now = new LinkedHashMap<>();
    List<String> why = new ArrayList<>(seen.notVisible());
    for (Protection one :
        Stream.concat(
                seen.all().stream().filter(p -> !p.name().equals(SECOND_LAYER)),
                Stream.of(secondLayer))
            .toList()) {
      if (one.state() == State.UNKNOWN) {
        if (one != secondLayer || suspicion == null) {
          why.add(one.name() + ": " + one.found());
        }
        now.put(one.name(), before.getOrDefault(one.name(), one));
      } else {
        now.put(one.name(), one);
      }
    }
    if (why.isEmpty()) {
      lookedAt = clock.instant();
    }
    unknown = List.copyOf(why);
    lastKnown =
        new Protections(
            List.copyOf(now.values()),
            seen.notVisible().isEmpty() ? seen.interferences() : lastKnown.interferences(),
            seen.notVisible());
  }

  private void log() {
    if (!unknown.equals(loggedUnknown)) {
      loggedUnknown = unknown;
      if (!unknown.isEmpty()) {
        LOG.info(
            "Protections of the emergency stop that cannot be looked at just now, and count as they"
                + " did: {}",
            String.join("; ", unknown));
      }
    }
    Map<String, String> findings = findings();
    findings.forEach(
        (finding, line) -> {
          if (!logged.contains(finding)) {
            LOG.warn("Protection of the emergency stop: {}", line);
          }
        });
    boolean allInPlace = findings.isEmpty() && isKnown();
    if (allInPlace && !loggedAllInPlace) {
      LOG.info("Every protection of the emergency stop is in place");
    }
    loggedAllInPlace = allInPlace;
    logged = findings.keySet();
  }

  private void publish(View view) {
    Map<String, String> findings = findings();
    boolean changed = !findings.keySet().equals(published);
    Instant now = clock.instant();
    boolean due = !findings.isEmpty() && !now.isBefore(publishedAt.plus(REPEAT));
    if (!changed && !due) {
      return;
    }
    Notice notice =
        findings.isEmpty()
            ? new Notice(
                false, Notice.IN_PLACE, "Every protection of the emergency stop is in place")
            : new Notice(true, Notice.MISSING, String.join(" | ", findings.values()));
    if (view.publish(notice)) {
      published = findings.keySet();
      publishedAt = now;
    }
  }

  private boolean isKnown() {
    return lastKnown.all().stream().noneMatch(p -> p.state() == State.UNKNOWN);
  }

  /** A line each, for people, by what tells one from another; empty when nothing is amiss. */
  private Map<String, String> findings() {
    Map<String, String> findings = new LinkedHashMap<>();
    for (Protection one : lastKnown.all()) {
      if (one.isMissing()) {
        // What is found of the second layer names the stop's state: it is no news when that
        // changes.
        String found = one.name().equals(SECOND_LAYER) ? "" : one.found();
        findings.put(
            one.name() + one.state() + found,
            "%s: %s. %s %s".formatted(one.name(), one.found(), one.meaning(), one.remedy()));
      }
    }
    for (Interference one : lastKnown.interferences()) {
      String line =
          "%s%s: %s %s"
              .formatted(
                  one.configuration(),
                  one.webhook().isEmpty() ? "" : ", webhook " + one.webhook(),
                  one.message(),
                  one.remedy());
      findings.put(line, line);
    }
    return findings;
  }
}
