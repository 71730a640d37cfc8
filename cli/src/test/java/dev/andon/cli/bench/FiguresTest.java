package dev.andon.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class FiguresTest {

  @Test
  void what_the_operator_says_is_read() {
    Figures figures =
        Figures.parse(
            """
            # HELP andon_gate_read_seconds
            # TYPE andon_gate_read_seconds summary
            andon_gate_read_seconds{result="seen",quantile="0.5"} 0.0031
            andon_gate_read_seconds_count{result="seen"} 120
            andon_gate_read_seconds_count{result="not-visible"} 3
            andon_gate_wait_seconds{result="granted",quantile="0.5"} 0.0125
            andon_stop_state_resource_version 123456.0
            andon_stop_state_seen_timestamp_seconds 1.767225600000001E9
            """);

    assertThat(figures.reads()).isEqualTo(123);
    assertThat(figures.gateWait("0.5")).isEqualTo(Duration.ofNanos(12_500_000));
    assertThat(figures.stopRevision()).isEqualTo(123456);
    assertThat(figures.stopSeen()).isEqualTo(Instant.parse("2026-01-01T00:00:00.000001Z"));
  }
}
