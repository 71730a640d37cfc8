package dev.andon.examples.fleet;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

/** Plain HTTP calls to a fleet. */
final class FleetClient implements AutoCloseable {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final URI base;

  FleetClient(URI base) {
    this.base = base;
  }

  HttpResponse<String> get(String path) throws IOException, InterruptedException {
    return send("GET", path, null, "");
  }

  HttpResponse<String> post(String path, String body) throws IOException, InterruptedException {
    return send("POST", path, null, body);
  }

  HttpResponse<String> delete(String path) throws IOException, InterruptedException {
    return send("DELETE", path, null, "");
  }

  HttpResponse<String> erase(String machine, String key) throws IOException, InterruptedException {
    return send("POST", erasePath(machine), key, "{}");
  }

  HttpResponse<String> observe(String machine, String key)
      throws IOException, InterruptedException {
    return send("GET", erasePath(machine), key, "");
  }

  HttpResponse<String> cancel(String machine, String key) throws IOException, InterruptedException {
    return send("DELETE", erasePath(machine), key, "");
  }

  HttpResponse<String> send(String method, String path, String key, String body)
      throws IOException, InterruptedException {
    var request =
        HttpRequest.newBuilder(base.resolve(path))
            .method(method, BodyPublishers.ofString(body))
            .timeout(Duration.ofSeconds(10));
    if (key != null) {
      request.header("Idempotency-Key", key);
    }
    return http.send(request.build(), BodyHandlers.ofString());
  }

  static String erasePath(String machine) {
    return "/sites/%s/machines/%s/erase".formatted(machine.substring(0, 3), machine);
  }

  static JsonNode json(HttpResponse<String> response) throws JsonProcessingException {
    return MAPPER.readTree(response.body());
  }

  static String location(HttpResponse<String> response) {
    return response.headers().firstValue("Location").orElseThrow();
  }

  @Override
  public void close() {
    http.shutdownNow();
  }
}
