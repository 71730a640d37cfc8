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
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * What targets answer in the field, and what becomes of a workflow by it: each scene is a job type
 * and a workflow of one name, and all of them run at once. The target's own log says what was done.
 */
@RealControlPlane
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class AnswersIT {
  private static final Duration SLOW_MACHINE = Duration.ofSeconds(60);
  private static final String NAMESPACE = "answers";

  /** In place of a status. */
  private static final int NEVER = 0;

  private static final String LONG = "/long/" + "7".repeat(1_500);

  /** A request as the target logs it. */
  private record Request(String line, String key) {}

  /**
   * What the target answers to one kind of request, one after the other; the last again and again.
   */
  private static final Map<String, List<Reply>> SCRIPT =
      Map.ofEntries(
          Map.entry("POST /behind", List.of(accepted("/behind/op"))),
          Map.entry("GET /behind/op", List.of(reply(404), reply(404), reply(202), reply(200))),
          Map.entry("POST /elsewhere", List.of(accepted("/elsewhere/op"))),
          Map.entry("GET /elsewhere/op", List.of(reply(202), seeOther("/elsewhere/result"))),
          Map.entry("GET /elsewhere/result", List.of(reply(200))),
          Map.entry("POST /login", List.of(accepted("/login/op"))),
          Map.entry("GET /login/op", List.of(new Reply(302, "https://login.example/", ""))),
          Map.entry("POST /mesh", List.of(reply(503))),
          Map.entry("POST /cdn", List.of(reply(524), reply(409), reply(200))),
          Map.entry("POST /taken", List.of(reply(202))),
          Map.entry("POST /signed", List.of(accepted("/signed/op?sig=s3cr3t-signature"))),
          Map.entry("GET /signed/op?sig=s3cr3t-signature", List.of(reply(202))),
          Map.entry("POST /long", List.of(accepted(LONG))),
          Map.entry("GET " + LONG, List.of(reply(202), reply(202), reply(200))),
          Map.entry("POST /final/bad", List.of(reply(422))),
          Map.entry("POST /stopped", List.of(reply(NEVER))),
          Map.entry("DELETE /stopped", List.of(reply(204))),
          Map.entry("POST /undone", List.of(accepted("/undone/op"))),
          Map.entry("GET /undone/op", List.of(reply(202))),
          Map.entry("DELETE /undone", List.of(new Reply(200, "", "{\"state\":\"undone\"}"))));

  private record Reply(int status, String location, String body) {}

  private final List<Request> log = new CopyOnWriteArrayList<>();
  private Cluster cluster;
  private AndonOperator operator;
  private HttpServer target;
  private HttpServer late;

  private static Reply reply(int status) {
    return new Reply(status, "", "");
  }

  private static Reply accepted(String location) {
    return new Reply(202, location, "");
  }

  private static Reply seeOther(String location) {
    return new Reply(303, location, "");
  }

  @BeforeAll
  void given_an_operator_a_target_and_every_scene(ControlPlane plane) throws Exception {
    target = server(0);
    int closed = closedPort();
    cluster = new Cluster(plane);
    operator = cluster.operator();
    cluster.arm("Answer");
    cluster.arm("Answer-stopped");
    List<String> scenes =
        List.of(
            scene("behind", "poll: {}", "attempts: 3"),
            scene("elsewhere", "poll: {}", "attempts: 3"),
            scene("login", "poll: {}", "attempts: 3").replace("Seconds: 300", "Seconds: 3"),
            scene("mesh", "", "attempts: 3"),
            scene("cdn", "", "attempts: 3").replace("retrySafe: false", "retrySafe: true"),
            scene("taken", "", "attempts: 3"),
            scene("signed", "poll: {}", "attempts: 3"),
            scene("long", "poll: {}", "attempts: 3"),
            stopped("stopped"),
            stopped("undone"),
            scene("unborn", "", "attempts: 1")
                .replace(":" + target.getAddress().getPort(), ":" + closed),
            jobType("next", "", "attempts: 1"),
            jobType("final", "final: response.status == 422", "attempts: 3")
                    .replace("/final\"", "/final/{item}\"")
                    .replace("args: []", "args: [{name: item, required: true}]")
                + """
                ---
                apiVersion: andon.dev/v1alpha1
                kind: Workflow
                metadata: {name: final, namespace: answers}
                spec:
                  type: Answer
                  blocks:
                  - name: one
                    maxFailures: 1
                    concurrency: 2
                    forEach:
                      items: [bad, good]
                      job: {type: final, args: {item: $(item)}}
                """);
    List<String> objects =
        scenes.stream().flatMap(scene -> Stream.of(scene.split("---\n", -1))).toList();
    cluster.apply(
        """
        apiVersion: v1
        kind: Namespace
        metadata: {name: answers}
        ---
        apiVersion: andon.dev/v1alpha1
        kind: WorkflowPolicy
        metadata: {name: answers}
        spec:
          workflowTypes: [Answer, Answer-stopped]
          rules:
          - restrictJobTypes:
              allowed: [behind, elsewhere, login, mesh, cdn, taken, signed, long, final, stopped, undone, unborn, next]
        ---
        """
            + only("JobType", objects));
    cluster.kubectl(
        "wait", "--for=condition=Ready", "jobtypes,workflowpolicies", "--all", "--timeout=60s");
    cluster.apply(only("Workflow", objects));
    late = server(closed, false);
  }

  @AfterAll
  void tear_down() throws Exception {
    cluster.close();
    target.stop(0);
    late.stop(0);
  }

  private static String only(String kind, List<String> objects) {
    return objects.stream()
        .filter(object -> object.contains("kind: " + kind + "\n"))
        .collect(Collectors.joining("---\n"));
  }

  /** A job type and a workflow of it, with a block after it that says if anything went on. */
  private String scene(String name, String http, String retry) {
    return jobType(name, http, retry)
        + """
        ---
        apiVersion: andon.dev/v1alpha1
        kind: Workflow
        metadata: {name: NAME, namespace: answers}
        spec:
          type: Answer
          blocks:
          - {name: one, jobs: [{name: a, type: NAME}]}
          - {name: two, jobs: [{name: b, type: next}]}
        """
            .replace("NAME", name);
  }

  private String stopped(String name) {
    return scene(
            name,
            """
            poll: {}
                  cancel:
                    url: "http://127.0.0.1:PORT/NAME"
                    undone: response.body.state == 'undone'"""
                .replace("NAME", name)
                .replace("PORT", Integer.toString(target.getAddress().getPort())),
            "attempts: 3")
        .replace("type: Answer", "type: Answer-stopped");
  }

  private String jobType(String name, String http, String retry) {
    return """
    apiVersion: andon.dev/v1alpha1
    kind: JobType
    metadata: {name: NAME}
    spec:
      args: []
      timeoutSeconds: 300
      retry: {RETRY, backoff: {initialSeconds: 1, factor: 1, maxSeconds: 1}}
      retrySafe: false
      executor:
        http:
          url: "http://127.0.0.1:PORT/NAME"
          HTTP
    """
        .replace("NAME", name)
        .replace("RETRY", retry)
        .replace("HTTP", http)
        .replace("PORT", Integer.toString(target.getAddress().getPort()));
  }

  private static int closedPort() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private HttpServer server(int port) throws IOException {
    return server(port, true);
  }

  private HttpServer server(int port, boolean now) throws IOException {
    HttpServer server = HttpServer.create();
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext("/", this::answer);
    if (now) {
      server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
      server.start();
    }
    return server;
  }

  private void answer(HttpExchange exchange) throws IOException {
    String line = exchange.getRequestMethod() + " " + exchange.getRequestURI();
    exchange.getRequestBody().readAllBytes();
    Reply reply;
    synchronized (log) {
      List<Reply> replies = SCRIPT.getOrDefault(line, List.of(reply(200)));
      long before = log.stream().filter(request -> request.line().equals(line)).count();
      reply = replies.get((int) Math.min(before, replies.size() - 1));
      log.add(new Request(line, exchange.getRequestHeaders().getFirst("Idempotency-Key")));
    }
    if (reply.status() == NEVER) {
      return;
    }
    if (!reply.location().isEmpty()) {
      exchange.getResponseHeaders().set("Location", reply.location());
    }
    byte[] bytes = reply.body().getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(reply.status(), bytes.length == 0 ? -1 : bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  private List<Request> log(String line) {
    return log.stream().filter(request -> request.line().equals(line)).toList();
  }

  private String field(String workflow, String path) {
    return cluster.get("workflow", NAMESPACE, workflow, path);
  }

  private void awaitReason(String workflow, String reason) {
    await(workflow)
        .atMost(SLOW_MACHINE)
        .until(() -> cluster.reason(NAMESPACE, workflow), reason::equals);
  }

  /** Held for a person, sent once, and nothing of the next block begun. */
  private void isUnknown(String workflow) {
    awaitReason(workflow, "UnknownOutcome");
    assertThat(log("POST /" + workflow)).hasSize(1);
    assertThat(field(workflow, "{.status.blocks[0].unknown}")).isEqualTo("0");
    assertThat(field(workflow, "{.status.currentBlock}")).startsWith("one");
  }

  @Test
  void a_poll_that_finds_nothing_yet_is_made_again() {
    awaitReason("behind", "Complete");

    assertThat(log("POST /behind")).hasSize(1);
    assertThat(log("GET /behind/op")).hasSizeGreaterThanOrEqualTo(4);
  }

  @Test
  void a_303_of_a_poll_is_followed_once() {
    awaitReason("elsewhere", "Complete");

    assertThat(log("POST /elsewhere")).hasSize(1);
    assertThat(log("GET /elsewhere/result")).hasSize(1);
  }

  @Test
  void a_login_page_in_place_of_the_operation_says_nothing_to_the_deadline() {
    isUnknown("login");

    assertThat(log("GET /login/op")).hasSizeGreaterThan(1);
  }

  @Test
  void a_503_of_a_mesh_says_nothing() {
    isUnknown("mesh");
  }

  @Test
  void what_is_not_known_is_sent_again_under_the_same_key_if_that_is_safe() {
    awaitReason("cdn", "Complete");

    assertThat(log("POST /cdn")).hasSize(3);
    assertThat(log("POST /cdn").stream().map(Request::key).distinct()).hasSize(1);
  }

  @Test
  void accepted_is_not_done() {
    isUnknown("taken");
  }

  @Test
  void a_location_too_long_for_status_is_polled_to_its_end() {
    awaitReason("long", "Complete");

    assertThat(log("POST /long")).hasSize(1);
    assertThat(log("GET " + LONG)).hasSizeGreaterThanOrEqualTo(3);
  }

  @Test
  void a_signature_stands_nowhere_and_without_observe_a_restart_leaves_it_unknown()
      throws Exception {
    String polled = "GET /signed/op?sig=s3cr3t-signature";
    await().atMost(SLOW_MACHINE).until(() -> log(polled).size() > 1);
    assertThat(cluster.kubectl("get", "workflow", "signed", "-n", NAMESPACE, "-o", "yaml"))
        .contains("attempt: 1")
        .doesNotContain("s3cr3t", "operation:");

    operator.close();
    operator = cluster.operator();

    isUnknown("signed");
    assertThat(cluster.kubectl("get", "workflow", "signed", "-n", NAMESPACE, "-o", "yaml"))
        .doesNotContain("s3cr3t");
  }

  @Test
  void final_fails_the_job_at_once_and_others_go_on() {
    awaitReason("final", "CompletedWithFailures");

    assertThat(log("POST /final/bad")).hasSize(1);
    assertThat(log("POST /final/good")).hasSize(1);
    assertThat(field("final", "{.status.failures[0].reason}")).isEqualTo("HttpStatus422");
  }

  @Test
  void after_a_stop_only_undone_says_that_it_was_not_done() {
    await()
        .atMost(SLOW_MACHINE)
        .until(() -> !log("POST /stopped").isEmpty() && !log("GET /undone/op").isEmpty());

    cluster.stop("Answer-stopped");

    awaitReason("undone", "EmergencyStop");
    await().atMost(SLOW_MACHINE).until(() -> field("undone", "{.status.phase}"), "Stopped"::equals);
    assertThat(field("undone", "{.status.jobs.unknown}")).isEqualTo("0");
    assertThat(log("DELETE /stopped")).isNotEmpty();
    await()
        .atMost(SLOW_MACHINE)
        .until(() -> field("stopped", "{.status.phase}"), "Stopped"::equals);
    assertThat(field("stopped", "{.status.jobs.unknown}")).isEqualTo("1");
  }

  @Test
  void what_never_left_uses_no_attempt_and_says_why_it_waits() throws Exception {
    String message = "{.status.conditions[?(@.type=='Ready')].message}";
    await()
        .atMost(SLOW_MACHINE)
        .untilAsserted(
            () ->
                assertThat(field("unborn", message))
                    .contains("1 job was not begun when last tried, and no attempt used")
                    .contains("a: ConnectFailed: no connection"));

    late.bind(lateAddress(), 0);
    late.start();

    awaitReason("unborn", "Complete");
    assertThat(log("POST /unborn"))
        .singleElement()
        .satisfies(request -> assertThat(request.key()).endsWith("/one/0/1"));
  }

  private InetSocketAddress lateAddress() {
    String url = cluster.get("jobtype", null, "unborn", "{.spec.executor.http.url}");
    return new InetSocketAddress(
        InetAddress.getLoopbackAddress(), Integer.parseInt(url.replaceAll(".*:(\\d+)/.*", "$1")));
  }
}
