package dev.andon.devcluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProgressTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private static final Instant BEGAN = Instant.parse("2026-01-01T00:00:00Z");

  private volatile Instant now = BEGAN;
  private final InstantSource clock = () -> now;

  @Test
  void says_what_it_does_for_how_long_and_how_long_to_expect() throws Exception {
    progress(false)
        .during(
            "[1/2] etcd: building",
            "about 85 s",
            () -> {
              awaitLine("[1/2] etcd: building, 0 s (about 85 s)");
              now = BEGAN.plusSeconds(74);
              awaitLine("[1/2] etcd: building, 74 s (about 85 s)");
              now = BEGAN.plusSeconds(80);
            });

    assertThat(text().lines())
        .startsWith("[1/2] etcd: building (about 85 s)", "[1/2] etcd: building, 0 s (about 85 s)")
        .endsWith("[1/2] etcd: building: done after 80 s");
  }

  @Test
  void rewrites_its_line_on_a_terminal() throws Exception {
    progress(true).during("etcd: building", "", () -> {});

    assertThat(text())
        .isEqualTo(
            "\r\033[Ketcd: building\r\033[Ketcd: building: done after 0 s"
                + System.lineSeparator());
  }

  @Test
  void a_failure_is_said_and_passed_on() {
    assertThatThrownBy(
            () ->
                progress(false)
                    .during(
                        "etcd: building",
                        "",
                        () -> {
                          now = BEGAN.plusSeconds(90);
                          throw new IllegalStateException("no");
                        }))
        .hasMessage("no");

    assertThat(text()).contains("etcd: building: given up after 90 s");
  }

  @ParameterizedTest
  @CsvSource({"20, 20 s", "74, 74 s", "85, 1½ min", "90, 1½ min", "270, 4½ min", "300, 5 min"})
  void expected_times_are_rough(long seconds, String expected) {
    assertThat(Progress.roughly(Duration.ofSeconds(seconds))).isEqualTo(expected);
  }

  private Progress progress(boolean terminal) {
    return new Progress(
        new PrintStream(out, true, StandardCharsets.UTF_8),
        clock,
        terminal,
        terminal ? Duration.ofMinutes(1) : Duration.ofMillis(20));
  }

  private void awaitLine(String line) {
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(() -> assertThat(text().lines()).contains(line));
  }

  private String text() {
    return out.toString(StandardCharsets.UTF_8);
  }
}
