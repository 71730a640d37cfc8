package dev.andon.operator.pacing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.andon.operator.execution.AttemptKey;
import dev.andon.plan.AttemptRules;
import java.time.Duration;
import java.util.DoubleSummaryStatistics;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BackoffTest {

  @ParameterizedTest(name = "initial {0} s, factor {1}, max {2} s, attempt {3}: up to {4} s")
  @CsvSource({
    "1, 2, 60, 1, 1",
    "1, 2, 60, 2, 2",
    "1, 2, 60, 6, 32",
    "1, 2, 60, 7, 60",
    "1, 2, 60, 1000000, 60",
    "5, 1, 60, 9, 5",
    "10, 3, 60, 2, 30",
    "90, 2, 60, 1, 60",
    "1, 1000, 3600, 500, 3600",
  })
  void full_jitter_below_a_growing_cap(int initial, int factor, int max, int attempt, int cap) {
    DoubleSummaryStatistics seconds =
        IntStream.range(0, 2_000)
            .mapToObj(i -> new AttemptKey("uid", "erase", i, attempt))
            .mapToDouble(key -> Backoff.delay(rules(initial, factor, max), key).toMillis() / 1e3)
            .summaryStatistics();

    assertThat(seconds.getMin()).isBetween(0.0, cap * 0.01);
    assertThat(seconds.getMax()).isBetween(cap * 0.99, (double) cap);
    // Spread over all of it, and not around its ends.
    assertThat(seconds.getAverage()).isCloseTo(cap / 2.0, within(cap * 0.05));
  }

  @Test
  void the_same_attempt_always_waits_as_long() {
    var key = new AttemptKey("uid", "erase", 3, 2);

    assertThat(Backoff.delay(rules(1, 2, 60), key))
        .isEqualTo(Backoff.delay(rules(1, 2, 60), new AttemptKey("uid", "erase", 3, 2)))
        .isNotEqualTo(Backoff.delay(rules(1, 2, 60), new AttemptKey("uid", "erase", 4, 2)));
  }

  private static AttemptRules rules(int initial, int factor, int max) {
    return new AttemptRules(
        5,
        Duration.ofSeconds(600),
        false,
        Duration.ofSeconds(initial),
        factor,
        Duration.ofSeconds(max));
  }
}
