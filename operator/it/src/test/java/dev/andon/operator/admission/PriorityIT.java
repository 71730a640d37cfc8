package dev.andon.operator.admission;

import static dev.andon.operator.admission.Guarded.STOP;
import static dev.andon.operator.admission.Guarded.STOPS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.Options;
import dev.andon.operator.stop.StopView;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A stop does not wait behind anyone's load. An API server of its own, with few seats, so that a
 * test can fill them.
 */
@Timeout(300)
class PriorityIT {
  private static ControlPlane plane;
  private static Guarded cluster;

  @BeforeAll
  static void install() throws Exception {
    plane =
        ControlPlane.start(
            Options.apiServerOnly()
                .withApiServerFlags(
                    "--max-requests-inflight=20", "--max-mutating-requests-inflight=10"));
    cluster = new Guarded(plane);
  }

  @AfterAll
  static void close() {
    cluster.close();
    plane.close();
  }

  @Test
  void whatever_concerns_the_stop_and_the_operators_leases_has_its_own_level() {
    cluster.armed("A");
    String ours = uid("andon-stop");
    String operators = uid("andon-operator");

    assertThat(cluster.responder.get(STOP).flowSchema()).isEqualTo(ours);
    assertThat(cluster.responder.patch(STOP, Api.MERGE, "{\"data\":{\"A\":\"x\"}}").flowSchema())
        .isEqualTo(ours);
    assertThat(cluster.operator.get(STOP).flowSchema()).isEqualTo(ours);
    assertThat(cluster.operator.get(STOPS).flowSchema()).isEqualTo(ours);
    assertThat(cluster.responder.delete(STOP).flowSchema()).isEqualTo(ours);
    assertThat(
            cluster
                .operator
                .get("/apis/coordination.k8s.io/v1/namespaces/andon-system/leases/x")
                .flowSchema())
        .isEqualTo(operators);
    // And nothing else has
    assertThat(cluster.operator.get("/apis/andon.dev/v1alpha1/workflows").flowSchema())
        .isNotIn(ours, operators, "");
    assertThat(cluster.responder.get("/api/v1/pods").flowSchema()).isNotIn(ours, operators, "");
  }

  @Test
  void it_gets_through_while_the_api_server_is_flooded() throws Exception {
    cluster.armed("A");
    cluster.role(
        "it-reads",
        "[{\"apiGroups\":[\"\"],\"resources\":[\"*\"],\"verbs\":[\"list\",\"create\"]}]");
    cluster.bind("floyd", "it-reads");
    String namespace = cluster.freshNamespace();
    String many = "/api/v1/namespaces/%s/configmaps".formatted(namespace);
    for (int i = 0; i < 5; i++) {
      cluster
          .admin
          .post(
              many,
              "{\"metadata\":{\"name\":\"c%d\"},\"data\":{\"x\":\"%s\"}}"
                  .formatted(i, "x".repeat(200_000)))
          .succeeded();
    }
    List<Long> before = stops();
    AtomicBoolean over = new AtomicBoolean();
    AtomicInteger answered = new AtomicInteger();
    AtomicInteger turnedAway = new AtomicInteger();
    List<Thread> flood = new ArrayList<>();
    try (Api floyd = cluster.as("floyd")) {
      for (int i = 0; i < 40; i++) {
        flood.add(
            Thread.ofVirtual()
                .start(
                    () -> {
                      while (!over.get()) {
                        try {
                          Api.Answer answer = floyd.get(many);
                          (answer.code() == 200 ? answered : turnedAway).incrementAndGet();
                        } catch (RuntimeException busy) {
                          turnedAway.incrementAndGet();
                        }
                      }
                    }));
      }
      await().atMost(Duration.ofSeconds(60)).until(() -> answered.get() > 10);

      List<Long> during = stops();

      over.set(true);
      for (Thread thread : flood) {
        thread.join();
      }
      System.out.printf(
          "PriorityIT: a stop, at rest: p50 %.0f, worst %.0f ms; flooded by 40 clients"
              + " (%d lists answered, %d turned away): p50 %.0f, worst %.0f ms%n",
          before.get(before.size() / 2) / 1e6,
          before.getLast() / 1e6,
          answered.get(),
          turnedAway.get(),
          during.get(during.size() / 2) / 1e6,
          during.getLast() / 1e6);
    }
    assertThat(cluster.read().view("A")).isInstanceOf(StopView.Open.class);
  }

  /** Nanoseconds of each, sorted; by the responder and the one who arms. */
  private static List<Long> stops() {
    String ours = uid("andon-stop");
    List<Long> took = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      long sent = System.nanoTime();
      Api.Answer stopped =
          cluster.responder.patch(STOP, Api.MERGE, "{\"data\":{\"A\":\"stop\"}}").succeeded();
      took.add(System.nanoTime() - sent);
      assertThat(stopped.flowSchema()).isEqualTo(ours);
      cluster.armer.patch(STOP, Api.MERGE, "{\"data\":{\"A\":\"go\"}}").succeeded();
    }
    Collections.sort(took);
    return took;
  }

  private static String uid(String flowSchema) {
    return cluster
        .admin
        .get("/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/" + flowSchema)
        .succeeded()
        .body()
        .at("/metadata/uid")
        .asText();
  }
}
