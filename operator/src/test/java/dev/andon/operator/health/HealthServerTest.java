package dev.andon.operator.health;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.operator.health.HealthServer.Check;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class HealthServerTest {
  @Test
  void a_check_that_fails_is_503_with_the_reason_and_200_once_it_holds_again() throws Exception {
    var alive =
        new AtomicReference<>(new Check(false, "a workflow has been decided about for ever"));
    var ready = new AtomicReference<>(new Check(true, "informers: synced"));
    try (var server = HealthServer.start(0, alive::get, ready::get, () -> "up 1\n");
        var client = HttpClient.newHttpClient()) {
      assertThat(get(client, server, "/healthz"))
          .isEqualTo("503 a workflow has been decided about for ever\n");
      assertThat(get(client, server, "/readyz")).isEqualTo("200 informers: synced\n");
      assertThat(get(client, server, "/metrics")).isEqualTo("200 up 1\n");

      alive.set(new Check(true, "ok"));
      ready.set(new Check(false, "starting"));

      assertThat(get(client, server, "/healthz")).isEqualTo("200 ok\n");
      assertThat(get(client, server, "/readyz")).isEqualTo("503 starting\n");
    }
  }

  private static String get(HttpClient client, HealthServer server, String path) throws Exception {
    HttpResponse<String> answer =
        client.send(
            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path)).build(),
            HttpResponse.BodyHandlers.ofString());
    return answer.statusCode() + " " + answer.body();
  }
}
