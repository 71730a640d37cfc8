package dev.andon.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import dev.andon.crds.JobType;
import dev.andon.crds.JobTypeSpec;
import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowAction;
import dev.andon.crds.WorkflowActionSpec;
import dev.andon.crds.WorkflowPolicy;
import dev.andon.crds.WorkflowPolicySpec;
import dev.andon.crds.WorkflowSpec;
import dev.andon.crds.WorkflowStatus;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.server.mock.EnableKubernetesMockClient;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import io.fabric8.mockwebserver.http.RecordedRequest;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** That the parts hold together, on the mock server: it knows no CEL, RBAC or admission. */
@EnableKubernetesMockClient(crud = true)
class OperatorGlueTest {
  private static final Duration SOON = Duration.ofSeconds(60);

  private KubernetesClient client;
  private KubernetesMockServer server;

  private void emergencyStop(Map<String, String> data) {
    var map =
        new ConfigMapBuilder()
            .withNewMetadata()
            .withNamespace("andon-stop")
            .withName("emergency-stop")
            .endMetadata()
            .withData(data)
            .build();
    client.configMaps().inNamespace("andon-stop").resource(map).createOr(r -> r.update());
  }

  private static WorkflowPolicy policy(String name, String workflowType, String jobType) {
    var policy = new WorkflowPolicy();
    policy.setMetadata(new ObjectMetaBuilder().withName(name).build());
    policy.setSpec(
        new WorkflowPolicySpec(
            null,
            List.of(workflowType),
            null,
            "Deny",
            List.of(
                new WorkflowPolicySpec.Rule(
                    new WorkflowPolicySpec.RestrictJobTypes(List.of(jobType)),
                    null,
                    null,
                    null,
                    null,
                    null,
                    null))));
    return policy;
  }

  private static WorkflowSpec.Job job(String name, String type, Map<String, String> args) {
    return new WorkflowSpec.Job(name, type, args, null, null);
  }

  private void nap(String name, String seconds) {
    create(name, "Nap", job("nap", "sleep", Map.of("seconds", seconds)));
  }

  private void create(String name, String type, WorkflowSpec.Job... jobs) {
    var workflow = new Workflow();
    workflow.setMetadata(new ObjectMetaBuilder().withNamespace("default").withName(name).build());
    workflow.setSpec(
        new WorkflowSpec(
            type,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            List.of(new WorkflowSpec.Block("a", null, null, List.of(jobs), null, null))));
    client.resource(workflow).create();
  }

  private WorkflowStatus status(String name) {
    var workflow = client.resources(Workflow.class).inNamespace("default").withName(name).get();
    return workflow.getStatus();
  }

  private void awaitPhase(String name, String phase) {
    await()
        .atMost(SOON)
        .untilAsserted(
            () ->
                assertThat(status(name))
                    .isNotNull()
                    .extracting(WorkflowStatus::phase)
                    .isEqualTo(phase));
  }

  @Test
  void a_stop_that_was_missed_waits_for_no_answer_about_anything_else() throws Exception {
    var options = new AndonOperator.Options("andon-system", 0);
    client.resource(policy("naps", "Nap", "sleep")).create();
    emergencyStop(Map.of("Nap", "go"));
    try (AndonOperator _ = AndonOperator.start(client.getConfiguration(), options)) {
      nap("long", "3600");
      awaitPhase("long", "Running");
    }
    emergencyStop(Map.of("Nap", "stop"));
    var pause = new WorkflowAction();
    pause.setMetadata(new ObjectMetaBuilder().withNamespace("default").withName("pause").build());
    pause.setSpec(
        new WorkflowActionSpec(
            "long", null, "Pause", null, null, null, null, null, "why not", null));
    client.resource(pause).create();

    try (AndonOperator _ = AndonOperator.start(client.getConfiguration(), options)) {
      awaitPhase("long", "Stopped");
    }

    while (server.getRequestCount() > 0) {
      RecordedRequest request = server.takeRequest(0, TimeUnit.SECONDS);
      if (request == null) {
        break;
      }
      assertThat(request.getMethod() + " " + request.getPath())
          .as("the stop comes before what people ask for")
          .doesNotMatch("GET .*/workflowactions/pause");
    }
  }

  @Test
  void a_workflow_waits_for_go_runs_and_is_stopped_for_good() throws Exception {
    client.resource(policy("naps", "Nap", "sleep")).create();
    emergencyStop(Map.of());

    try (AndonOperator operator =
        AndonOperator.start(
            client.getConfiguration(), new AndonOperator.Options("andon-system", 0))) {
      nap("short", "0");
      awaitPhase("short", "Pending");
      assertThat(status("short").starts()).isIn(null, 0);

      emergencyStop(Map.of("Nap", "go"));
      awaitPhase("short", "Complete");

      nap("long", "3600");
      awaitPhase("long", "Running");
      emergencyStop(Map.of("Nap", "no"));
      awaitPhase("long", "Stopped");
      assertThat(status("long").stoppedBy().value()).isEqualTo("no");
      emergencyStop(Map.of("Nap", "go"));
      nap("after", "0");
      awaitPhase("after", "Complete");
      assertThat(status("long").phase()).isEqualTo("Stopped");

      assertThat(get(operator, "/healthz")).startsWith("200 ok").contains("leader");
      assertThat(get(operator, "/readyz")).startsWith("200");
      assertThat(get(operator, "/metrics")).contains("andon_gate_read_seconds_count");
    }
  }

  /** Nothing half done, and nothing told that is not so: who comes next goes on from there. */
  @Test
  void an_operator_that_ends_waits_for_what_it_sent_and_tells_it() throws Exception {
    var arrived = new CountDownLatch(1);
    var ending = new CountDownLatch(1);
    var target = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    target.createContext(
        "/",
        exchange -> {
          arrived.countDown();
          try {
            ending.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          exchange.sendResponseHeaders(200, -1);
          exchange.close();
        });
    target.start();
    try {
      var type = new JobType();
      type.setMetadata(new ObjectMetaBuilder().withName("call").build());
      type.setSpec(
          client
              .getKubernetesSerialization()
              .unmarshal(
                  """
                  {"executor": {"http": {"method": "POST", "url": "http://127.0.0.1:%d/"}}}"""
                      .formatted(target.getAddress().getPort()),
                  JobTypeSpec.class));
      client.resource(type).create();
      client.resource(policy("calls", "Call", "call")).create();
      emergencyStop(Map.of("Call", "go"));
      AndonOperator operator =
          AndonOperator.start(
              client.getConfiguration(), new AndonOperator.Options("andon-system", 0));
      try {
        create("calls", "Call", job("one", "call", Map.of()), job("two", "call", Map.of()));
        assertThat(arrived.await(SOON.toSeconds(), TimeUnit.SECONDS)).isTrue();
        assertThat(status("calls").starts()).isEqualTo(1);
      } finally {
        Thread closing = Thread.ofPlatform().start(operator::close);
        await().atMost(SOON).until(() -> closing.getState() == Thread.State.TIMED_WAITING);
        ending.countDown();
        assertThat(closing.join(SOON)).isTrue();
      }
      WorkflowStatus status = status("calls");
      assertThat(status.blocks().getFirst().succeeded()).isEqualTo("0");
      assertThat(status.active()).as("nothing is intended that will not be sent").isEmpty();
      assertThat(status.starts()).isEqualTo(1);
      assertThat(status.phase()).as("an end is not a stop, nor a pause").isEqualTo("Running");
    } finally {
      target.stop(0);
    }
  }

  private static String get(AndonOperator operator, String path)
      throws IOException, InterruptedException {
    try (var http = HttpClient.newHttpClient()) {
      var answer =
          http.send(
              HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + operator.port() + path))
                  .build(),
              HttpResponse.BodyHandlers.ofString());
      return answer.statusCode() + " " + answer.body();
    }
  }
}
