package dev.andon.operator.leadership;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.andon.operator.leadership.Leases.Answer;
import dev.andon.operator.stop.StopClients;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ApiLeasesTest {
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  private HttpServer server;
  private Leases leases;

  @BeforeEach
  void given_a_lease() throws Exception {
    byte[] lease =
        """
        {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
         "metadata": {"namespace": "andon-system", "name": "andon-operator"},
         "spec": {"holderIdentity": "other"}}
        """
            .getBytes(StandardCharsets.UTF_8);
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/apis/coordination.k8s.io/v1/namespaces/andon-system/leases/andon-operator",
        exchange -> {
          exchange.getResponseHeaders().add("Content-Type", "application/json");
          exchange.sendResponseHeaders(200, lease.length);
          exchange.getResponseBody().write(lease);
          exchange.close();
        });
    server.start();
    Config config =
        new ConfigBuilder(Config.empty())
            .withMasterUrl("http://127.0.0.1:" + server.getAddress().getPort())
            .build();
    leases = new ApiLeases(StopClients.leases(config, PATIENCE), "andon-system", "andon-operator");
  }

  @AfterEach
  void end() {
    leases.close();
    server.stop(0);
  }

  /** What decides and sends runs on virtual threads, each of which keeps its carrier while busy. */
  @Test
  void it_is_asked_for_while_everything_else_is_busy() throws Exception {
    var over = new AtomicBoolean();
    List<Thread> busy = new ArrayList<>();
    try {
      for (int i = 0; i < 2 * Runtime.getRuntime().availableProcessors(); i++) {
        busy.add(
            Thread.ofVirtual()
                .start(
                    () -> {
                      while (!over.get()) {
                        Thread.onSpinWait();
                      }
                    }));
      }

      Answer answer = leases.read(PATIENCE);

      assertThat(answer)
          .isInstanceOfSatisfying(
              Answer.Is.class,
              is -> assertThat(is.lease().getSpec().getHolderIdentity()).isEqualTo("other"));
    } finally {
      over.set(true);
      for (Thread each : busy) {
        each.join();
      }
    }
  }
}
