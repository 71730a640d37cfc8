package dev.andon.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import dev.andon.operator.FaultyApiServer.Fault;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is decided from is not what there is: the object changes meanwhile, or the watch lags. */
@RealControlPlane
@Timeout(300)
class StaleCacheIT {
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final int CALLS = 40;

  private Cluster cluster;
  private FaultyApiServer between;
  private AndonOperator operator;
  private String namespace;

  @BeforeEach
  void given_an_operator(ControlPlane plane) throws Exception {
    cluster = new Cluster(plane);
    namespace = plane.freshNamespace();
    cluster.apply(
        """
        apiVersion: andon.dev/v1alpha1
        kind: WorkflowPolicy
        metadata: {name: conflict-naps}
        spec: {workflowTypes: [Nap], rules: [{restrictJobTypes: {allowed: [sleep, call-once]}}]}
        """);
    between = FaultyApiServer.before(cluster.config());
    operator = cluster.operator(between.config());
    cluster.stopConfigMap(Map.of("Nap", "go"));
  }

  @AfterEach
  void tear_down() throws Exception {
    between.calm();
    cluster.clear();
    cluster.close();
    between.close();
  }

  @Test
  void a_start_decided_upon_before_a_pause_is_not_written_over_it() {
    // given: the pause gets there between the decision to start and its write
    var writes = new AtomicInteger();
    between.on(
        request ->
            request.isWorkflowStatusWrite()
                && request.path().contains("/workflows/nap/")
                && writes.getAndIncrement() == 0,
        new Fault.Around(
            () -> {
              pause(true);
              return true;
            },
            () -> {}));

    // when
    cluster.apply(
        """
        apiVersion: andon.dev/v1alpha1
        kind: Workflow
        metadata: {name: nap, namespace: %s}
        spec:
          type: Nap
          blocks: [{name: a, jobs: [{name: nap, type: sleep, args: {seconds: "0"}}]}]
        """
            .formatted(namespace));

    // then: what is written next was decided upon with the pause in view
    await()
        .atMost(PATIENCE)
        .untilAsserted(() -> assertThat(status("{.status.observedGeneration}")).isEqualTo("2"));
    assertThat(writes.get()).isGreaterThanOrEqualTo(2);
    assertThat(status("{.status.startTime}")).isEmpty();
    assertThat(status("{.status.starts}")).isIn("", "0");
    assertThat(cluster.reason(namespace, "nap")).isEqualTo("Paused");

    // and nothing is lost by it
    pause(false);
    await().atMost(PATIENCE).until(() -> cluster.reason(namespace, "nap"), "Complete"::equals);
    assertThat(status("{.status.starts}")).isEqualTo("1");
  }

  /**
   * An event of an earlier write of the operator's own that comes late puts the framework's cache
   * back behind its last write. An answer that came meanwhile belongs to an attempt which the older
   * version does not know of; it must not be forgotten: of this job type nobody could be asked
   * again, nor may it be sent again.
   */
  @Test
  void an_answer_is_not_lost_to_a_late_event_of_the_operators_own_write() throws Exception {
    // given a target that answers at once, and a watch that tells everything later
    var keys = new ConcurrentLinkedQueue<String>();
    var target = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    target.createContext(
        "/",
        exchange -> {
          keys.add(exchange.getRequestHeaders().getFirst("Idempotency-Key"));
          exchange.sendResponseHeaders(200, -1);
          exchange.close();
        });
    target.start();
    try {
      cluster.apply(
          """
          apiVersion: andon.dev/v1alpha1
          kind: JobType
          metadata: {name: call-once}
          spec:
            retrySafe: false
            executor: {http: {method: POST, url: "http://127.0.0.1:%d/{item}"}}
            args: [{name: item, required: true}]
          """
              .formatted(target.getAddress().getPort()));
      between.on(
          request -> request.isWatch() && request.path().endsWith("/workflows"),
          new Fault.Lagging(Duration.ofMillis(150)));
      operator.close();
      operator = cluster.operator(between.config());

      // when
      cluster.apply(
          """
          apiVersion: andon.dev/v1alpha1
          kind: Workflow
          metadata: {name: nap, namespace: %s}
          spec:
            type: Nap
            blocks:
            - name: a
              concurrency: 3
              forEach:
                range: {from: 1, to: %d, format: "%%d"}
                job: {type: call-once, args: {item: "$(item)"}}
          """
              .formatted(namespace, CALLS));

      // then
      await()
          .atMost(PATIENCE)
          .until(
              () -> cluster.reason(namespace, "nap"),
              reason -> reason.equals("Complete") || reason.equals("UnknownOutcome"));
      assertThat(cluster.reason(namespace, "nap")).isEqualTo("Complete");
      assertThat(keys).hasSize(CALLS).doesNotHaveDuplicates();
    } finally {
      target.stop(0);
    }
  }

  private void pause(boolean paused) {
    cluster.kubectl(
        "patch",
        "awf",
        "nap",
        "-n",
        namespace,
        "--type=merge",
        "-p",
        "{\"spec\":{\"paused\":%s}}".formatted(paused));
  }

  private String status(String jsonPath) {
    return cluster.get("workflow", namespace, "nap", jsonPath);
  }
}
