package dev.andon.operator.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.andon.crds.WorkflowRecord;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** An API server that takes a request and never answers, as one does whose webhook hangs. */
@Timeout(90)
class ClusterRecordsTest {
  private final List<Socket> held = new CopyOnWriteArrayList<>();
  private final List<Integer> ports = new CopyOnWriteArrayList<>();
  private ServerSocket server;
  private KubernetesClient client;
  private ClusterRecords records;

  @BeforeEach
  void given_a_server_that_hangs() throws IOException {
    server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    Thread.ofVirtual().start(this::accept);
    client =
        new KubernetesClientBuilder()
            .withConfig(
                new ConfigBuilder()
                    .withMasterUrl("http://127.0.0.1:" + server.getLocalPort())
                    .withHttp2Disable(true)
                    .build())
            .build();
    records = new ClusterRecords(client, Duration.ofSeconds(2));
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket socket = server.accept();
        held.add(socket);
        ports.add(socket.getPort());
      } catch (IOException e) {
        // The test is over.
      }
    }
  }

  @AfterEach
  void close() throws IOException {
    server.close();
    for (Socket socket : held) {
      socket.close();
    }
    client.close();
  }

  @FunctionalInterface
  interface Asking {
    void of(Records records);
  }

  static Stream<Arguments> requests() {
    var record = new WorkflowRecord();
    record.setMetadata(new ObjectMetaBuilder().withName("r").withResourceVersion("1").build());
    return Stream.of(
        asking("create", r -> r.create(record)),
        asking("read", r -> r.read("r")),
        asking("replace", r -> r.replace(record)),
        asking("delete", r -> r.delete(record)));
  }

  private static Arguments asking(String name, Asking asking) {
    return Arguments.of(name, asking);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("requests")
  void what_is_not_answered_is_given_up_and_not_asked_again(String name, Asking asking)
      throws IOException {
    assertThatThrownBy(() -> asking.of(records)).isInstanceOf(RuntimeException.class);

    // Who comes last is let in last: by then everybody before it is counted.
    try (var last = new Socket(server.getInetAddress(), server.getLocalPort())) {
      await().until(() -> ports.contains(last.getLocalPort()));
    }
    assertThat(ports).hasSize(2);
  }
}
