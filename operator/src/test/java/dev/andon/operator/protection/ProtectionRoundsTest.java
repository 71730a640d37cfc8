package dev.andon.operator.protection;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.operator.protection.Protection.State;
import dev.andon.operator.protection.SecondLayer.Answer;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Rounds against scripted answers of an API server. */
class ProtectionRoundsTest {
  private static final String LAYER = "second-layer";

  private final Scripted cluster = new Scripted();
  private final Ticking clock = new Ticking();
  private final Seen seen = new Seen();
  private Optional<String> gateRead = Optional.of("5");
  private boolean publishes = true;
  private final ProtectionRounds rounds =
      new ProtectionRounds(() -> gateRead, () -> publishes, seen, clock);

  @Test
  void all_in_place_tells_nobody() {
    Optional<Duration> next = rounds.round(cluster);

    assertThat(next).isEmpty();
    assertThat(rounds.lastKnown().missing()).isEmpty();
    assertThat(state(LAYER)).isEqualTo(State.IN_PLACE);
    assertThat(cluster.published).isEmpty();
    assertThat(seen.behindSince).isEmpty();
  }

  @Test
  void an_informer_that_lags_for_a_moment_is_no_finding() {
    gateRead = Optional.of("6");
    assertThat(rounds.round(cluster)).hasValue(ProtectionRounds.AGAIN);
    assertThat(rounds.lastKnown().missing()).isEmpty();

    cluster.job = new Answer.Refused("6");
    assertThat(rounds.round(cluster)).isEmpty();

    assertThat(rounds.lastKnown().missing()).isEmpty();
    assertThat(cluster.published).isEmpty();
  }

  @Test
  void a_frozen_informer_is_found_and_told() {
    rounds.round(cluster);
    gateRead = Optional.of("6");

    rounds.round(cluster);
    clock.pass(ProtectionRounds.AGAIN);
    Optional<Duration> next = rounds.round(cluster);

    assertThat(next).isEmpty();
    assertThat(rounds.lastKnown().missing()).containsExactly(LAYER);
    assertThat(state(LAYER)).isEqualTo(State.WEAKENED);
    assertThat(cluster.published)
        .singleElement()
        .satisfies(
            notice -> {
              assertThat(notice.warning()).isTrue();
              assertThat(notice.message())
                  .contains("judges by resourceVersion 5, where resourceVersion 6 was read")
                  .contains("130887");
            });
    assertThat(seen.behindSince).hasValue(clock.instant().minus(ProtectionRounds.AGAIN));
  }

  @Test
  void a_stop_that_changes_all_the_time_is_no_frozen_informer() {
    // Each time the gate has read more than the informer has; but it does follow.
    gateRead = Optional.of("6");
    rounds.round(cluster);
    gateRead = Optional.of("9");
    cluster.job = new Answer.Refused("8");

    assertThat(rounds.round(cluster)).isEmpty();

    assertThat(rounds.lastKnown().missing()).isEmpty();
    assertThat(cluster.published).isEmpty();
  }

  @Test
  void a_frozen_informer_is_found_however_often_the_stop_changes() {
    gateRead = Optional.of("6");
    rounds.round(cluster);
    gateRead = Optional.of("9");

    rounds.round(cluster);

    assertThat(rounds.lastKnown().missing()).containsExactly(LAYER);
  }

  @Test
  void a_frozen_informer_is_no_news_each_time_the_stop_changes() {
    for (int read = 6; read < 20; read++) {
      gateRead = Optional.of(Integer.toString(read));
      rounds.round(cluster);
      rounds.round(cluster);
    }

    assertThat(found(LAYER)).contains("resourceVersion 19 was read");
    assertThat(cluster.published).hasSize(1);
  }

  @Test
  void an_informer_that_follows_again_is_told_too() {
    gateRead = Optional.of("6");
    rounds.round(cluster);
    rounds.round(cluster);
    cluster.job = new Answer.Refused("6");

    rounds.round(cluster);

    assertThat(rounds.lastKnown().missing()).isEmpty();
    assertThat(cluster.published).hasSize(2);
    assertThat(cluster.published.getLast().warning()).isFalse();
    assertThat(seen.behindSince).isEmpty();
  }

  @Test
  void the_config_map_that_was_just_created_is_given_its_time() {
    gateRead = Optional.of("");
    rounds.round(cluster); // judged by 5: it was created in between
    gateRead = Optional.of("7");
    cluster.job = new Answer.Refused("");

    assertThat(rounds.round(cluster)).hasValue(ProtectionRounds.AGAIN);
    cluster.job = new Answer.Refused("7");
    assertThat(rounds.round(cluster)).isEmpty();

    assertThat(rounds.lastKnown().missing()).isEmpty();
  }

  @Test
  void an_informer_that_still_has_a_deleted_config_map_is_found() {
    gateRead = Optional.of("");

    rounds.round(cluster);
    rounds.round(cluster);

    assertThat(rounds.lastKnown().missing()).containsExactly(LAYER);
    assertThat(found(LAYER))
        .isEqualTo("it judges by resourceVersion 5, where no ConfigMap at all was read");
  }

  @Test
  void without_a_config_map_a_refusal_for_want_of_one_is_as_it_should_be() {
    gateRead = Optional.of("");
    cluster.job = new Answer.Refused("");

    rounds.round(cluster);

    assertThat(state(LAYER)).isEqualTo(State.IN_PLACE);
  }

  @Test
  void a_job_that_gets_through_is_found_at_the_second_look() {
    cluster.job = new Answer.Admitted();
    assertThat(rounds.round(cluster)).hasValue(ProtectionRounds.AGAIN);
    assertThat(rounds.lastKnown().missing()).isEmpty();

    rounds.round(cluster);

    assertThat(rounds.lastKnown().missing()).containsExactly(LAYER);
    assertThat(state(LAYER)).isEqualTo(State.MISSING);
  }

  @Test
  void an_api_server_that_is_away_is_no_finding_and_takes_none_back() {
    cluster.missing("andon-stop-jobs");
    rounds.round(cluster);
    Instant lookedAt = seen.lookedAt;

    cluster.away();
    clock.pass(Duration.ofMinutes(1));
    assertThat(rounds.round(cluster)).isEmpty();

    assertThat(rounds.lastKnown().missing()).containsExactly("andon-stop-jobs");
    assertThat(state("andon-arming-ids")).isEqualTo(State.IN_PLACE);
    assertThat(state(LAYER)).isEqualTo(State.IN_PLACE);
    assertThat(cluster.published).hasSize(1);
    assertThat(seen.lookedAt).isEqualTo(lookedAt);
  }

  @Test
  void what_was_never_looked_at_is_unknown_and_not_missing() {
    cluster.away();

    rounds.round(cluster);

    assertThat(rounds.lastKnown().missing()).isEmpty();
    assertThat(rounds.lastKnown().all()).isNotEmpty().allMatch(p -> p.state() == State.UNKNOWN);
    assertThat(cluster.published).isEmpty();
  }

  @Test
  void what_stays_missing_is_told_once_an_hour() {
    cluster.missing("andon-stop-jobs");
    for (int minute = 0; minute < 120; minute++) {
      rounds.round(cluster);
      clock.pass(Duration.ofMinutes(1));
    }

    assertThat(cluster.published).hasSize(2);
    assertThat(cluster.published.getFirst().message()).startsWith("andon-stop-jobs: ");
  }

  @Test
  void what_changes_is_told_at_once() {
    cluster.missing("andon-stop-jobs");
    rounds.round(cluster);
    cluster.missing("andon-arming-ids");
    rounds.round(cluster);

    assertThat(cluster.published).hasSize(2);
    assertThat(cluster.published.getLast().message()).startsWith("andon-arming-ids: ");
  }

  @Test
  void an_event_that_was_not_written_is_written_the_next_time() {
    cluster.missing("andon-stop-jobs");
    cluster.takesEvents = false;
    rounds.round(cluster);
    cluster.takesEvents = true;

    rounds.round(cluster);

    assertThat(cluster.published).hasSize(1);
  }

  @Test
  void who_does_not_publish_catches_up_when_it_does() {
    publishes = false;
    cluster.missing("andon-stop-jobs");
    rounds.round(cluster);
    assertThat(cluster.published).isEmpty();

    publishes = true;
    rounds.round(cluster);

    assertThat(cluster.published).hasSize(1);
  }

  private State state(String name) {
    return one(name).state();
  }

  private String found(String name) {
    return one(name).found();
  }

  private Protection one(String name) {
    return rounds.lastKnown().all().stream()
        .filter(p -> p.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private static final class Scripted implements ProtectionRounds.View {
    private Protections protections = Protections.judge(InstalledPolicies.everything());
    private Answer job = new Answer.Refused("5");
    private boolean takesEvents = true;
    private final List<Notice> published = new ArrayList<>();

    void missing(String name) {
      Protections all = Protections.judge(InstalledPolicies.everything());
      protections =
          new Protections(
              all.all().stream()
                  .map(
                      p ->
                          p.name().equals(name)
                              ? new Protection(name, State.MISSING, "gone", p.meaning(), "Do it")
                              : p)
                  .toList(),
              List.of(),
              List.of());
    }

    void away() {
      Listing.NotVisible<?> nothing = new Listing.NotVisible<>("the API server does not answer");
      protections =
          Protections.judge(
              new Observed(
                  none(nothing),
                  none(nothing),
                  none(nothing),
                  none(nothing),
                  none(nothing),
                  none(nothing),
                  none(nothing),
                  none(nothing),
                  Map.of(),
                  List.of()));
      job = new Answer.Untold("connection refused");
    }

    private static <T> Listing<T> none(Listing.NotVisible<?> nothing) {
      return new Listing.NotVisible<>(nothing.why());
    }

    @Override
    public Protections inspect() {
      return protections;
    }

    @Override
    public Answer tryJob() {
      return job;
    }

    @Override
    public boolean publish(Notice notice) {
      if (takesEvents) {
        published.add(notice);
      }
      return takesEvents;
    }
  }

  private static final class Seen implements ProtectionMetrics {
    private @Nullable Instant lookedAt;
    private Optional<Instant> behindSince = Optional.empty();

    @Override
    public void round(Protections lastKnown, Instant at, Optional<Instant> since) {
      lookedAt = at;
      behindSince = since;
    }
  }

  private static final class Ticking extends Clock {
    private Instant now = Instant.parse("2026-11-22T10:00:00Z");

    void pass(Duration duration) {
      now = now.plus(duration);
    }

    @Override
    public Instant instant() {
      return now;
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }
  }
}
