package dev.andon.operator.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.andon.crds.Workflow;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Only the API server says that there is no such object. */
class ExistenceTest {
  private HttpServer server;
  private KubernetesClient client;
  private volatile int status;
  private volatile String body = "";

  @BeforeEach
  void a_server() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
          exchange.getResponseHeaders().set("Content-Type", "application/json");
          exchange.sendResponseHeaders(status, bytes.length);
          exchange.getResponseBody().write(bytes);
          exchange.close();
        });
    server.start();
    client =
        new KubernetesClientBuilder()
            .withConfig(
                new ConfigBuilder(Config.empty())
                    .withMasterUrl("http://127.0.0.1:" + server.getAddress().getPort())
                    .withRequestRetryBackoffLimit(0)
                    .build())
            .build();
  }

  @AfterEach
  void close() {
    client.close();
    server.stop(0);
  }

  private Optional<Workflow> find(int status, String body) {
    this.status = status;
    this.body = body;
    return Existence.find(client.resources(Workflow.class).inNamespace("fleet").withName("erase"));
  }

  @Test
  void what_is_there_is_found() {
    assertThat(
            find(
                200,
                """
                {"apiVersion":"andon.dev/v1alpha1","kind":"Workflow",
                 "metadata":{"namespace":"fleet","name":"erase","uid":"4d3f"}}
                """))
        .get()
        .extracting(w -> w.getMetadata().getUid())
        .isEqualTo("4d3f");
  }

  @Test
  void the_api_server_names_what_is_not_there() {
    assertThat(
            find(
                404,
                """
                {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",
                 "message":"workflows.andon.dev \\"erase\\" not found","reason":"NotFound",
                 "details":{"name":"erase","group":"andon.dev","kind":"workflows"},"code":404}
                """))
        .isEmpty();
  }

  /** Of a proxy; of an API server that has no such kind just now; of nobody. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "<html>404 Not Found</html>",
        "404 page not found\n",
        "{\"error\":\"no route\"}",
        "",
        """
        {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",
         "message":"the server could not find the requested resource","reason":"NotFound",
         "details":{},"code":404}
        """
      })
  void any_other_404_says_nothing(String body) {
    assertThatThrownBy(() -> find(404, body)).isInstanceOf(KubernetesClientException.class);
  }

  @Test
  void no_answer_says_nothing() {
    assertThatThrownBy(() -> find(503, "")).isInstanceOf(KubernetesClientException.class);
  }
}
