package dev.andon.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.cli.bench.SendLog.Send;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The stop is at revision 100, sent at second 100; a version is seen at the second it is at. */
class StopJudgementTest {
  private static final Instant ZERO = Instant.parse("2026-01-01T00:00:00Z");
  private static final long STOP = 100;

  @Test
  void a_send_after_the_stop_of_an_intent_before_it_is_allowed() {
    var judged =
        judge(
            List.of(running(98, "a", "a/b/0/1"), stopped(103, "a")), List.of(send(101, "a/b/0/1")));

    assertThat(judged.violations()).isEmpty();
    assertThat(judged.lastSends()).containsExactly(Map.entry("a", Duration.ofSeconds(1)));
  }

  @Test
  void a_send_whose_intent_is_newer_than_the_stop_is_a_violation() {
    var judged =
        judge(
            List.of(running(98, "a", "a/b/0/1"), running(101, "a", "a/b/1/1"), stopped(103, "a")),
            List.of(send(99, "a/b/0/1"), send(102, "a/b/1/1")));

    assertThat(judged.violations()).containsExactly("a/b/1/1");
  }

  @Test
  void it_is_one_even_if_the_targets_clock_says_it_came_before_the_stop() {
    var judged = judge(List.of(running(101, "a", "a/b/0/1")), List.of(send(90, "a/b/0/1")));

    assertThat(judged.violations()).containsExactly("a/b/0/1");
  }

  @Test
  void a_send_without_any_intent_is_a_violation() {
    var judged = judge(List.of(running(98, "a", "a/b/0/1")), List.of(send(99, "a/b/0/2")));

    assertThat(judged.violations()).containsExactly("a/b/0/2");
  }

  @Test
  void an_intent_allows_one_send() {
    var judged =
        judge(
            List.of(running(97, "a", "a/b/0/1"), running(98, "a", "a/b/0/1")),
            List.of(send(98, "a/b/0/1"), send(99, "a/b/0/1")));

    assertThat(judged.violations()).containsExactly("a/b/0/1");
  }

  @Test
  void a_key_intended_twice_may_be_sent_twice() {
    var judged =
        judge(
            List.of(running(96, "a", "a/b/0/1"), running(97, "a"), running(98, "a", "a/b/0/1")),
            List.of(send(96, "a/b/0/1"), send(99, "a/b/0/1")));

    assertThat(judged.violations()).isEmpty();
  }

  @Test
  void a_repeat_whose_intent_is_newer_than_the_stop_is_a_violation() {
    var judged =
        judge(
            List.of(running(96, "a", "a/b/0/1"), running(97, "a"), running(101, "a", "a/b/0/1")),
            List.of(send(96, "a/b/0/1"), send(102, "a/b/0/1")));

    assertThat(judged.violations()).containsExactly("a/b/0/1");
  }

  @Test
  void an_intent_written_after_the_stop_and_not_sent_is_told() {
    var judged =
        judge(
            List.of(running(98, "a"), running(101, "a", "a/b/0/1"), stopped(102, "a")), List.of());

    assertThat(judged.violations()).isEmpty();
    assertThat(judged.intentsAfter()).isEqualTo(1);
    assertThat(judged.writes()).containsExactly(Map.entry("a", 2));
  }

  @Test
  void the_last_send_of_each_workflow_counts_and_may_have_been_before_the_stop() {
    var judged =
        judge(
            List.of(running(90, "a", "a/b/0/1"), running(91, "b", "b/b/0/1", "b/b/1/1")),
            List.of(send(95, "a/b/0/1"), send(103, "b/b/1/1"), send(99, "b/b/0/1")));

    assertThat(judged.lastSends())
        .isEqualTo(Map.of("a", Duration.ofSeconds(-5), "b", Duration.ofSeconds(3)));
  }

  @Test
  void all_are_stopped_when_the_last_is() {
    var judged =
        judge(
            List.of(
                running(98, "a"),
                running(99, "b"),
                stopped(101, "a"),
                running(102, "b"),
                stopped(104, "b")),
            List.of());

    assertThat(judged.allStopped()).contains(Duration.ofSeconds(4));
    assertThat(judged.stopped()).isEqualTo(2);
    assertThat(judged.writes()).isEqualTo(Map.of("a", 1, "b", 2));
  }

  @Test
  void one_that_goes_on_is_not_forgotten() {
    var judged = judge(List.of(running(98, "a"), running(99, "b"), stopped(101, "a")), List.of());

    assertThat(judged.allStopped()).isEmpty();
    assertThat(judged.notStopped()).isEqualTo(1);
  }

  private static StopJudgement judge(List<Version> history, List<Send> sends) {
    return StopJudgement.of(at(STOP), STOP, history, sends);
  }

  private static Version running(long revision, String uid, String... intents) {
    return new Version(revision, at(revision), uid, false, "Running", Set.of(intents));
  }

  private static Version stopped(long revision, String uid) {
    return new Version(revision, at(revision), uid, false, "Stopped", Set.of());
  }

  private static Send send(long second, String key) {
    return new Send(at(second), key);
  }

  private static Instant at(long second) {
    return ZERO.plusSeconds(second);
  }
}
