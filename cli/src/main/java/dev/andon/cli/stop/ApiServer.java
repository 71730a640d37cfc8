package dev.andon.cli.stop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.andon.operator.cluster.ClusterHttp;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.HttpResponse;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URLEncoder;
import java.net.UnknownHostException;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;

/**
 * Plain requests to the API server, for which a person waits: HTTP/1.1, nothing sent twice, and a
 * deadline over the whole exchange.
 */
public final class ApiServer implements AutoCloseable {
  private static final Duration CONNECT = Duration.ofSeconds(5);

  /** Long lists of a busy API server take their time; late is better than not known. */
  private static final Duration READ = Duration.ofSeconds(30);

  private static final int LONGEST_MESSAGE = 2_000;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Config config;
  private final String root;
  private final KubernetesClient client;

  /** What came back. */
  sealed interface Reply {
    record Some(int code, byte[] body) implements Reply {
      /** Of the Status if it is one, else the beginning of what it is; on one line. */
      String message() {
        String text;
        try {
          JsonNode json = JSON.readTree(body);
          text = json.path("message").asText("");
        } catch (IOException e) {
          text = "no answer of Kubernetes: " + new String(body, StandardCharsets.UTF_8);
        }
        return Printable.line(text.isBlank() ? "no message" : text, LONGEST_MESSAGE);
      }
    }

    record None(String why) implements Reply {}
  }

  public ApiServer(Config main) {
    config =
        new ConfigBuilder(main)
            .withUserAgent("andon")
            .withHttp2Disable(true)
            .withRequestRetryBackoffLimit(0)
            .withConnectionTimeout((int) CONNECT.toMillis())
            .withRequestTimeout((int) READ.toMillis())
            .build();
    root = main.getMasterUrl().replaceAll("/+$", "");
    client = ClusterHttp.client(config).build();
  }

  /** For what needs no deadline of its own. */
  public KubernetesClient client() {
    return client;
  }

  /** As in {@code https://10.0.0.1:6443 (context prod)}. */
  public String name() {
    return config.getCurrentContext() == null
        ? root
        : "%s (context %s)".formatted(root, config.getCurrentContext().getName());
  }

  Reply get(String path, String accept) throws InterruptedException {
    return send(
        client.getHttpClient().newHttpRequestBuilder().uri(root + path).header("Accept", accept),
        READ);
  }

  Reply mergePatch(String path, String patch, String fieldManager, Duration deadline)
      throws InterruptedException {
    String uri =
        "%s%s?fieldManager=%s"
            .formatted(root, path, URLEncoder.encode(fieldManager, StandardCharsets.UTF_8));
    return send(
        client
            .getHttpClient()
            .newHttpRequestBuilder()
            .uri(uri)
            .method("PATCH", "application/merge-patch+json", patch),
        deadline);
  }

  Reply delete(String path) throws InterruptedException {
    return send(
        client
            .getHttpClient()
            .newHttpRequestBuilder()
            .uri(root + path)
            .delete("application/json", "{}"),
        READ);
  }

  private Reply send(HttpRequest.Builder request, Duration deadline) throws InterruptedException {
    CompletableFuture<HttpResponse<byte[]>> answer;
    try {
      // Later than ours, which then has always spoken.
      request.timeout(deadline.toMillis() + 1_000, TimeUnit.MILLISECONDS);
      answer = client.getHttpClient().sendAsync(request.build(), byte[].class);
    } catch (RuntimeException e) {
      return new Reply.None(why(e));
    }
    try {
      HttpResponse<byte[]> response = answer.get(deadline.toNanos(), TimeUnit.NANOSECONDS);
      return new Reply.Some(
          response.code(), Objects.requireNonNullElse(response.body(), new byte[0]));
    } catch (TimeoutException e) {
      answer.cancel(true);
      return new Reply.None("no answer within %d s".formatted(deadline.toSeconds()));
    } catch (ExecutionException e) {
      return new Reply.None(why(e));
    }
  }

  private static String why(Throwable failure) {
    Throwable deepest = failure;
    for (Throwable at = failure; at != null; at = at.getCause()) {
      switch (at) {
        case ConnectException e -> {
          return "it cannot be connected to" + said(e);
        }
        case HttpConnectTimeoutException _ -> {
          return "it cannot be connected to: no answer";
        }
        case HttpTimeoutException _ -> {
          return "no answer in time";
        }
        case UnknownHostException e -> {
          return "no such host" + said(e);
        }
        case SSLException e -> {
          return "no TLS connection" + said(e);
        }
        default -> deepest = at;
      }
    }
    return Printable.line(
        Objects.requireNonNullElse(deepest.getMessage(), deepest.getClass().getSimpleName()), 300);
  }

  private static String said(Throwable e) {
    return e.getMessage() == null ? "" : ": " + Printable.line(e.getMessage(), 200);
  }

  @Override
  public void close() {
    client.close();
  }
}
