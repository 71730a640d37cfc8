package dev.andon.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class SendLogTest {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

  @Test
  void every_send_is_answered_and_kept_with_its_key() throws Exception {
    try (var log = new SendLog(() -> NOW);
        var http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
      for (String key : new String[] {"u/b/0/1", "u/b/1/1", "v/b/0/1"}) {
        var request =
            HttpRequest.newBuilder(log.uri())
                .header("Idempotency-Key", key)
                .POST(BodyPublishers.ofString("{\"some\":\"body\"}"))
                .build();
        assertThat(http.send(request, BodyHandlers.ofString()).statusCode()).isEqualTo(200);
      }

      assertThat(log.sends())
          .containsExactly(
              new SendLog.Send(NOW, "u/b/0/1"),
              new SendLog.Send(NOW, "u/b/1/1"),
              new SendLog.Send(NOW, "v/b/0/1"));
      assertThat(log.senders()).isEqualTo(2);
    }
  }
}
