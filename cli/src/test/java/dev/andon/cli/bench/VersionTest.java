package dev.andon.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.Set;
import org.junit.jupiter.api.Test;

class VersionTest {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

  @Test
  void intents_are_the_active_attempts_that_do_not_wait_for_their_time() {
    Version version =
        Version.parse(
                """
                {"type":"MODIFIED","object":{"metadata":{"uid":"u","resourceVersion":"42"},
                 "status":{"phase":"Running","active":[
                  {"block":"b","index":3,"attempt":2,"startTime":"2026-01-01T00:00:00Z"},
                  {"block":"b","index":4,"attempt":1,"nextAttemptTime":"2026-01-01T00:00:09Z"}]}}}""",
                NOW)
            .orElseThrow();

    assertThat(version).isEqualTo(new Version(42, NOW, "u", false, "Running", Set.of("u/b/3/2")));
  }

  @Test
  void one_without_a_status_has_no_phase() {
    Version version =
        Version.parse(
                "{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"uid\":\"u\",\"resourceVersion\":\"7\"}}}",
                NOW)
            .orElseThrow();

    assertThat(version).isEqualTo(new Version(7, NOW, "u", true, "", Set.of()));
  }

  @Test
  void a_watch_that_fails_proves_nothing() {
    assertThatThrownBy(() -> Version.parse("{\"type\":\"ERROR\",\"object\":{\"code\":410}}", NOW))
        .isInstanceOf(IllegalStateException.class);
  }
}
