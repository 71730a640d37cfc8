package dev.andon.operator.admission;

import static dev.andon.operator.admission.Guarded.STOP;
import static dev.andon.operator.admission.Guarded.STOPS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.Options;
import dev.andon.operator.FaultyApiServer;
import dev.andon.operator.FaultyApiServer.Fault;
import dev.andon.operator.stop.StopView;
import io.fabric8.kubernetes.client.Config;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
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
  private static final String WEBHOOKS =
      "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";

  /** The level of stops, and that of whoever nothing else is said about. */
  private static final String OURS = "andon-stop";

  private static final String ORDINARY = "global-default";

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

  /**
   * Every seat that ordinary requests may have is taken by one that does not end: it waits for a
   * webhook. An ordinary request then gets nowhere, and a stop, and an arming, do nevertheless.
   */
  @Test
  void it_gets_through_while_ordinary_requests_have_all_seats_taken() throws Exception {
    cluster.armed("A");
    cluster.role(
        "it-configmaps",
        "[{\"apiGroups\":[\"\"],\"resources\":[\"configmaps\"],\"verbs\":[\"list\",\"create\"]}]");
    cluster.bind("floyd", "it-configmaps");
    cluster.bind("paula", "it-configmaps");
    String ours = uid("andon-stop");
    String namespace = cluster.freshNamespace();
    String many = "/api/v1/namespaces/%s/configmaps".formatted(namespace);
    AtomicBoolean over = new AtomicBoolean();
    List<Thread> flood = new ArrayList<>();
    try (FaultyApiServer webhook =
            FaultyApiServer.before(Config.fromKubeconfig(plane.kubeconfig().toFile()));
        Api floyd = cluster.as("floyd");
        Api paula = cluster.as("paula")) {
      webhook.on(request -> true, new Fault.Held());
      callsAtCreation(webhook, namespace);
      for (int i = 0; i < 100; i++) {
        String configMap = "{\"metadata\":{\"name\":\"c%d\"}}".formatted(i);
        flood.add(
            Thread.ofVirtual()
                .start(
                    () -> {
                      while (!over.get()) {
                        try {
                          floyd.post(many, configMap);
                        } catch (RuntimeException busy) {
                          // Once more.
                        }
                      }
                    }));
      }

      for (int i = 0; i < 10; i++) {
        // Given an ordinary request that waits for a seat
        await().until(() -> waiting(ORDINARY) > 0);
        var ordinary = paula.begin("GET", many, Api.JSON, null);
        long dispatched = dispatched(OURS);

        Api.Answer stopped =
            cluster.responder.patch(STOP, Api.MERGE, "{\"data\":{\"A\":\"stop\"}}").succeeded();
        Api.Answer armed =
            cluster.armer.patch(STOP, Api.MERGE, "{\"data\":{\"A\":\"go\"}}").succeeded();

        assertThat(waiting(ORDINARY)).as("ordinary requests wait for a seat").isPositive();
        assertThat(ordinary).as("an ordinary request from before the stop").isNotDone();
        assertThat(stopped.flowSchema()).isEqualTo(ours);
        assertThat(armed.flowSchema()).isEqualTo(ours);
        assertThat(dispatched(OURS) - dispatched).as("by our level").isGreaterThanOrEqualTo(2);
      }

      cluster.admin.delete(WEBHOOKS + "/it-hangs").succeeded();
      over.set(true);
      webhook.calm();
      for (Thread thread : flood) {
        thread.join();
      }
    }
    assertThat(cluster.read().view("A")).isInstanceOf(StopView.Open.class);
  }

  /** Of the creation of ConfigMaps in that namespace this one is asked, and does not answer. */
  private static void callsAtCreation(FaultyApiServer webhook, String namespace) {
    Config at = webhook.config();
    cluster
        .admin
        .post(
            WEBHOOKS,
            """
            {"metadata": {"name": "it-hangs"},
             "webhooks": [{
               "name": "hangs.example.com",
               "clientConfig": {"url": "%sadmit", "caBundle": "%s"},
               "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "operations": ["CREATE"]}],
               "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "%s"}},
               "timeoutSeconds": 30, "failurePolicy": "Ignore", "sideEffects": "None", "admissionReviewVersions": ["v1"]}]}"""
                .formatted(at.getMasterUrl(), at.getCaCertData(), namespace))
        .succeeded();
  }

  private static long waiting(String level) {
    return ofLevel(level, "WaitingRequests");
  }

  private static long dispatched(String level) {
    return ofLevel(level, "DispatchedRequests");
  }

  /** By the API server's own books; who asks for them needs no seat. */
  private static long ofLevel(String level, String column) {
    List<List<String>> table =
        cluster
            .admin
            .get("/debug/api_priority_and_fairness/dump_priority_levels")
            .succeeded()
            .body()
            .asText()
            .lines()
            .map(line -> Stream.of(line.split(",")).map(String::strip).toList())
            .toList();
    int at = table.getFirst().indexOf(column);
    return table.stream()
        .filter(line -> line.getFirst().equals(level))
        .mapToLong(line -> Long.parseLong(line.get(at)))
        .sum();
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
