package dev.andon.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import dev.andon.operator.FaultyApiServer.Fault;
import dev.andon.operator.FaultyApiServer.Request;
import dev.andon.operator.FaultyApiServer.Rule;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** An operator that is told to end while it decides. */
@RealControlPlane
class DrainIT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String TYPE = "Drain";
  private static final String NAMESPACE = "drain";

  private final AtomicInteger calls = new AtomicInteger();
  private Cluster cluster;
  private FaultyApiServer between;
  private HttpServer target;

  @BeforeEach
  void given_an_operator_and_a_target(ControlPlane plane) throws Exception {
    cluster = new Cluster(plane);
    between = FaultyApiServer.before(cluster.config());
    target = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    target.createContext(
        "/",
        exchange -> {
          calls.incrementAndGet();
          exchange.sendResponseHeaders(200, -1);
          exchange.close();
        });
    target.start();
    cluster.apply(
        """
        apiVersion: v1
        kind: Namespace
        metadata: {name: %s}
        ---
        apiVersion: andon.dev/v1alpha1
        kind: JobType
        metadata: {name: drain-call}
        spec:
          executor: {http: {method: POST, url: "http://127.0.0.1:%d/"}}
        ---
        apiVersion: andon.dev/v1alpha1
        kind: WorkflowPolicy
        metadata: {name: drain}
        spec:
          workflowTypes: [%s]
          enforcement: Deny
          rules: [{restrictJobTypes: {allowed: [drain-call]}}]
        """
            .formatted(NAMESPACE, target.getAddress().getPort(), TYPE));
  }

  @AfterEach
  void tear_down() throws Exception {
    cluster.clear();
    cluster.close();
    between.close();
    target.stop(0);
  }

  /**
   * An intent that is written when nobody is left to send it, or to say that it was not sent, would
   * be Unknown, since this job type has no way to ask.
   */
  @Test
  void what_is_being_intended_is_no_riddle_to_who_comes_next() throws Exception {
    AndonOperator operator = cluster.operator(between.config());
    cluster.arm(TYPE);
    Thread closing;
    try (Rule _ = between.on(Request::isWorkflowStatusWrite, new Fault.Held())) {
      submitTwoCalls();
      await()
          .atMost(PATIENCE)
          .until(() -> between.requests().stream().anyMatch(Request::isWorkflowStatusWrite));

      closing = Thread.ofPlatform().start(operator::close);
      await().atMost(PATIENCE).until(() -> closing.getState() == Thread.State.TIMED_WAITING);
    }
    assertThat(closing.join(PATIENCE)).isTrue();

    assertThat(status("{.phase}")).isEqualTo("Running");
    cluster.operator();
    await().atMost(PATIENCE).until(() -> status("{.phase}").equals("Complete"));
    assertThat(calls).hasValue(2);
  }

  /** The same if it goes on: it knows what it has not begun, which nobody could find out. */
  @Test
  void an_intent_whose_write_met_no_answer_is_no_riddle_to_who_wrote_it() throws Exception {
    cluster.operator(between.config());
    cluster.arm(TYPE);
    try (Rule _ = between.on(Request::isWorkflowStatusWrite, new Fault.Lost())) {
      submitTwoCalls();
      await().atMost(PATIENCE).until(() -> !status("{.active}").isEmpty());
    }

    await().atMost(PATIENCE).until(() -> status("{.phase}").equals("Complete"));
    assertThat(calls).hasValue(2);
  }

  private void submitTwoCalls() {
    cluster.apply(
        """
        apiVersion: andon.dev/v1alpha1
        kind: Workflow
        metadata: {name: two-calls, namespace: %s}
        spec:
          type: %s
          blocks:
          - name: calls
            jobs:
            - {name: one, type: drain-call}
            - {name: two, type: drain-call}
        """
            .formatted(NAMESPACE, TYPE));
  }

  private String status(String jsonPath) {
    return cluster.get("workflow", NAMESPACE, "two-calls", jsonPath.replace("{", "{.status"));
  }
}
