package dev.andon.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Items that a ConfigMap holds: those whose hash is in spec, and no others. */
@RealControlPlane
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ItemsIT {
  private static final Duration SLOW_MACHINE = Duration.ofSeconds(60);
  private static final String CONTENT = "one\ntwo\nthree\n";

  /**
   * Far shorter than kubectl takes to change a ConfigMap: what was read before a change is old when
   * the change is done.
   */
  private static final AndonOperator.Timings SOON =
      new AndonOperator.Timings(
          Duration.ofMillis(50), AndonOperator.Timings.DEFAULT.ledgerAnswer());

  private final List<String> called = new CopyOnWriteArrayList<>();
  private final CountDownLatch two = new CountDownLatch(1);
  private Cluster cluster;
  private HttpServer target;

  @BeforeAll
  void given_an_operator_and_a_target(ControlPlane plane) throws Exception {
    target = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    target.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    target.createContext("/", this::answer);
    target.start();
    cluster = new Cluster(plane);
    cluster.admissionGrace = "10m";
    cluster.operator(cluster.config(), SOON);
    cluster.arm("Call");
    cluster.apply(
        """
        apiVersion: v1
        kind: Namespace
        metadata: {name: items}
        ---
        apiVersion: andon.dev/v1alpha1
        kind: JobType
        metadata: {name: call-item}
        spec:
          args: [{name: item, required: true}]
          executor: {http: {method: POST, url: "http://127.0.0.1:%d/{item}"}}
        ---
        apiVersion: andon.dev/v1alpha1
        kind: WorkflowPolicy
        metadata: {name: calls}
        spec:
          workflowTypes: [Call]
          enforcement: Deny
          rules: [{restrictJobTypes: {allowed: [call-item]}}]
        """
            .formatted(target.getAddress().getPort()));
  }

  /** The second one only when the test lets it. */
  private void answer(HttpExchange exchange) throws IOException {
    called.add(exchange.getRequestURI().getPath());
    if (exchange.getRequestURI().getPath().equals("/two")) {
      try {
        two.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    exchange.sendResponseHeaders(200, -1);
    exchange.close();
  }

  @AfterAll
  void tear_down() throws Exception {
    two.countDown();
    cluster.close();
    target.stop(0);
  }

  private void content(String content) {
    cluster.apply(
        """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: things, namespace: items}
        data: {all: "%s"}
        """
            .formatted(content.replace("\n", "\\n")));
  }

  private void waitForReason(String reason) {
    await().atMost(SLOW_MACHINE).until(() -> cluster.reason("items", "calls"), reason::equals);
  }

  private String field(String path) {
    return cluster.get("workflow", "items", "calls", path);
  }

  @Test
  void it_waits_for_them_holds_while_they_are_others_and_runs_each_once() throws Exception {
    String hash =
        HexFormat.of()
            .formatHex(
                MessageDigest.getInstance("SHA-256")
                    .digest(CONTENT.getBytes(StandardCharsets.UTF_8)));
    cluster.apply(
        """
        apiVersion: andon.dev/v1alpha1
        kind: Workflow
        metadata: {name: calls, namespace: items}
        spec:
          type: Call
          blocks:
          - name: one
            forEach:
              configMapKeyRef: {name: things, key: all, sha256: %s}
              job: {type: call-item, args: {item: "$(item)"}}
        """
            .formatted(hash));
    waitForReason("NotAdmittedYet");
    assertThat(field("{.status.conditions[?(@.type=='Ready')].message}"))
        .contains("there is no ConfigMap things");

    content(CONTENT);
    await().atMost(SLOW_MACHINE).until(() -> called.contains("/two"));
    content("one\ntwo\nfour\n");
    two.countDown();
    waitForReason("ItemsChanged");
    assertThat(field("{.status.phase} {.status.progress} {.status.starts}"))
        .isEqualTo("Paused 2/3 2");
    assertThat(called).containsExactly("/one", "/two");

    content(CONTENT);
    cluster.kubectl(
        "wait", "--for=condition=Complete", "awf/calls", "-n", "items", "--timeout=60s");
    assertThat(field("{.status.progress} {.status.starts}")).isEqualTo("3/3 3");
    assertThat(called).containsExactly("/one", "/two", "/three");
  }
}
