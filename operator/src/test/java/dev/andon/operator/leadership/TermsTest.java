package dev.andon.operator.leadership;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TermsTest {
  private static final Duration TEN = Duration.ofSeconds(10);

  @Test
  void the_default_is_that_of_kubernetes_own_components() {
    assertThat(Terms.DEFAULT)
        .isEqualTo(
            new Terms(Duration.ofSeconds(15), TEN, Duration.ofSeconds(2), Duration.ofSeconds(1)));
    assertThat(Terms.DEFAULT.answer()).isEqualTo(Duration.ofSeconds(5));
  }

  @Test
  void they_are_written_as_people_write_durations() {
    assertThat(Terms.of("1m30s", "1m", "2500ms"))
        .isEqualTo(
            new Terms(
                Duration.ofSeconds(90),
                Duration.ofMinutes(1),
                Duration.ofMillis(2_500),
                Duration.ofMillis(1_250)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "15    | 10s | 2s | --lease-duration 15: is no duration; write numbers with their units, as in 15s",
        "''    | 10s | 2s | --lease-duration \"\": is no duration",
        "1500ms | 1s | 200ms | --lease-duration 1500ms: whole seconds, from 1s to 1h; the default is 15s",
        "61m   | 10s | 2s | --lease-duration 61m: whole seconds, from 1s to 1h; the default is 15s",
        "0s    | 0s  | 0s | --lease-duration 0s: whole seconds",
        "10s   | 10s | 2s | --renew-deadline 10s: must be shorter than --lease-duration 10s, or another may lead before this one has given up; two thirds of it are usual",
        "10s   | 11s | 2s | --renew-deadline 11s: must be shorter than --lease-duration 10s",
        "15s   | -1s | 2s | --renew-deadline -1s: is no duration",
        "15s   | 10s | 0s | --retry-period 0s: must be longer than nothing; the default is 2s",
        "15s   | 12s | 10s | --retry-period 10s: 1.2 times it must be shorter than --renew-deadline 12s, or one renewal that fails ends the leader; a fifth of it is usual",
        "15s   | 10s | 2 s | --retry-period 2 s: is no duration",
      })
  void terms_that_are_not_safe_are_refused_with_option_value_rule_and_way_out(
      String lease, String deadline, String retry, String message) {
    assertThatThrownBy(() -> Terms.of(lease, deadline, retry))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }

  @Test
  void the_longest_retry_period_that_is_safe_is_taken() {
    assertThat(Terms.of("15s", "12001ms", "10s").renewEvery()).isEqualTo(TEN);
  }

  @Test
  void all_that_is_wrong_is_said_at_once() {
    assertThatThrownBy(() -> Terms.of("soon", "10s", "9s"))
        .hasMessageContaining("--lease-duration soon")
        .hasMessageContaining("--retry-period 9s");
  }

  @Test
  void terms_under_which_two_could_lead_are_refused() {
    assertThatThrownBy(() -> new Terms(TEN, TEN, Duration.ofSeconds(2), Duration.ofSeconds(1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("renewDeadline PT10S");
  }
}
