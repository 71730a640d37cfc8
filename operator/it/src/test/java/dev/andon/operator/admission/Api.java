package dev.andon.operator.admission;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.http.HttpResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;

/** The API server as one user meets it: bare requests, and answers as they come. */
final class Api implements AutoCloseable {
  static final String JSON = "application/json";
  static final String MERGE = "application/merge-patch+json";
  static final String STRATEGIC = "application/strategic-merge-patch+json";
  static final String JSON_PATCH = "application/json-patch+json";
  static final String APPLY = "application/apply-patch+yaml";

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final KubernetesClient client;

  Api(Path kubeconfig) {
    Config config =
        new ConfigBuilder(Config.fromKubeconfig(kubeconfig.toFile()))
            .withHttp2Disable(true)
            .withRequestRetryBackoffLimit(0)
            .build();
    client = new KubernetesClientBuilder().withConfig(config).build();
  }

  /**
   * @param message of the Status; empty where the object itself was answered
   * @param warnings as kubectl shows them
   * @param flowSchema uid of the FlowSchema that the request was let in by
   */
  record Answer(int code, JsonNode body, String message, List<String> warnings, String flowSchema) {
    boolean accepted() {
      return code >= 200 && code < 300;
    }

    Answer succeeded() {
      assertThat(accepted()).as("%d: %s", code, message).isTrue();
      return this;
    }

    /** Refused by this policy, which says so. */
    Answer refusedBy(String policy) {
      assertThat(code).as(message).isIn(403, 422);
      assertThat(message).contains("ValidatingAdmissionPolicy '" + policy + "'");
      return this;
    }
  }

  Answer get(String path) {
    return send("GET", path, JSON, null);
  }

  Answer post(String path, String body) {
    return send("POST", path, JSON, body);
  }

  Answer put(String path, String body) {
    return send("PUT", path, JSON, body);
  }

  Answer delete(String path) {
    return send("DELETE", path, JSON, null);
  }

  Answer patch(String path, String type, String body) {
    return send("PATCH", path, type, body);
  }

  Answer send(String method, String path, String type, String body) {
    return begin(method, path, type, body).join();
  }

  CompletableFuture<Answer> begin(String method, String path, String type, String body) {
    var request =
        client
            .getHttpClient()
            .newHttpRequestBuilder()
            .uri(URI.create(client.getMasterUrl() + path.substring(1)));
    if (body == null) {
      request.method(method, null, (String) null);
    } else {
      request.method(method, type, body);
    }
    return client.getHttpClient().sendAsync(request.build(), String.class).thenApply(Api::answer);
  }

  private static Answer answer(HttpResponse<String> response) {
    String text = Objects.requireNonNullElse(response.body(), "");
    try {
      JsonNode body =
          text.startsWith("{") ? MAPPER.readTree(text) : MAPPER.getNodeFactory().textNode(text);
      return new Answer(
          response.code(),
          body,
          body.path("kind").asText().equals("Status") ? body.path("message").asText() : text(body),
          response.headers("Warning"),
          Objects.requireNonNullElse(response.header("X-Kubernetes-PF-FlowSchema-UID"), ""));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String text(JsonNode body) {
    return body.isTextual() ? body.asText() : "";
  }

  @Override
  public void close() {
    client.close();
  }
}
