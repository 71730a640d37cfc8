package dev.andon.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DistributionTest {

  @ParameterizedTest
  @CsvSource({"1,50,1", "1,99,1", "2,50,1", "20,99,20", "100,50,50", "100,99,99", "1000,99,990"})
  void a_percentile_is_the_smallest_that_so_many_do_not_exceed(int size, int percent, int millis) {
    Distribution distribution = upTo(size);

    assertThat(distribution.percentile(percent)).isEqualTo(Duration.ofMillis(millis));
  }

  @Test
  void the_worst_is_the_worst_in_whatever_order_they_came() {
    var distribution =
        Distribution.of(
            List.of(Duration.ofMillis(7), Duration.ofMillis(-3), Duration.ofMillis(250)));

    assertThat(distribution.worst()).isEqualTo(Duration.ofMillis(250));
    assertThat(distribution.p50()).isEqualTo(Duration.ofMillis(7));
  }

  @Test
  void nothing_measured_is_no_zero() {
    var nothing = Distribution.of(List.of());

    assertThat(nothing).hasToString("nothing measured");
    assertThatThrownBy(nothing::p99).isInstanceOf(IllegalStateException.class);
  }

  @ParameterizedTest
  @CsvSource({"5900000,5.9 ms", "-12000000,-12 ms", "148200000,148 ms", "2310000000,2.31 s"})
  void durations_are_printed_as_exactly_as_they_matter(long nanos, String text) {
    assertThat(Distribution.millis(Duration.ofNanos(nanos))).isEqualTo(text);
  }

  private static Distribution upTo(int size) {
    return Distribution.of(
        LongStream.rangeClosed(1, size).mapToObj(i -> Duration.ofMillis(size + 1 - i)).toList());
  }
}
