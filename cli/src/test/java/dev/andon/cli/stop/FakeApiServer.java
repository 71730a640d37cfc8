package dev.andon.cli.stop;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Answers as an API server would, or as a broken one: what it is told, in order. */
final class FakeApiServer implements AutoCloseable {
  private static final String STOP = "/api/v1/namespaces/andon-stop/configmaps/emergency-stop";

  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Deque<Answer> toPatch = new ArrayDeque<>();
  private final Deque<Answer> toGet = new ArrayDeque<>();
  private final Deque<Answer> toDelete = new ArrayDeque<>();
  private final List<String> requests = new CopyOnWriteArrayList<>();
  private volatile String workflows = table("");
  private volatile int workflowsCode = 200;
  private volatile boolean installed = true;

  /** Code 0: the connection is closed without an answer. */
  record Answer(int code, String body) {}

  FakeApiServer() {
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    server.setExecutor(threads);
    server.createContext("/", this::answer);
    server.start();
  }

  static String configMap(String resourceVersion, String rest) {
    return """
        {"apiVersion":"v1","kind":"ConfigMap","metadata":{"namespace":"andon-stop",
        "name":"emergency-stop","uid":"u1","resourceVersion":"%s"}%s}"""
        .formatted(resourceVersion, rest.isEmpty() ? "" : "," + rest);
  }

  static String status(int code, String reason, String message) {
    return """
        {"apiVersion":"v1","kind":"Status","status":"Failure","code":%d,"reason":"%s",
        "message":"%s","details":{"name":"emergency-stop","kind":"configmaps"}}"""
        .formatted(code, reason, message);
  }

  static String missing() {
    return status(404, "NotFound", "configmaps \\\"emergency-stop\\\" not found");
  }

  static String table(String rows) {
    return """
        {"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{},"columnDefinitions":[
        {"name":"Name"},{"name":"Type"},{"name":"Phase"},{"name":"Progress"},{"name":"Reason"}],
        "rows":[%s]}"""
        .formatted(rows);
  }

  static String row(String name, String type, String phase, String reason) {
    return """
        {"cells":["%s","%s","%s","1/10","%s"],"object":{"metadata":{"namespace":"fleet",
        "name":"%s","creationTimestamp":"2026-01-01T00:00:00Z"}}}"""
        .formatted(name, type, phase, reason, name);
  }

  FakeApiServer patching(int code, String body) {
    toPatch.add(new Answer(code, body));
    return this;
  }

  FakeApiServer getting(int code, String body) {
    toGet.add(new Answer(code, body));
    return this;
  }

  FakeApiServer deleting(int code, String body) {
    toDelete.add(new Answer(code, body));
    return this;
  }

  FakeApiServer workflows(String table) {
    workflows = table;
    return this;
  }

  FakeApiServer workflowsAnswer(int code) {
    workflowsCode = code;
    return this;
  }

  FakeApiServer withoutAndon() {
    installed = false;
    return this;
  }

  /** Method and path of what was asked, and the body if there was one. */
  List<String> requests() {
    return requests;
  }

  Path kubeconfig(Path folder) throws IOException {
    return Files.writeString(
        folder.resolve("kubeconfig"),
        """
        apiVersion: v1
        kind: Config
        clusters: [{name: c, cluster: {server: "http://127.0.0.1:%d"}}]
        users: [{name: jane, user: {token: t}}]
        contexts: [{name: prod, context: {cluster: c, user: jane}}]
        current-context: prod
        """
            .formatted(server.getAddress().getPort()));
  }

  private void answer(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    requests.add((exchange.getRequestMethod() + " " + path + " " + body).strip());
    Answer answer =
        switch (path) {
          case STOP ->
              switch (exchange.getRequestMethod()) {
                case "PATCH" -> next(toPatch);
                case "DELETE" -> next(toDelete);
                default -> next(toGet);
              };
          case "/apis/andon.dev/v1alpha1" ->
              installed ? new Answer(200, "{}") : new Answer(404, "404 page not found");
          case "/apis/andon.dev/v1alpha1/workflows" ->
              workflowsCode == 200
                  ? new Answer(200, workflows)
                  : new Answer(workflowsCode, status(workflowsCode, "Forbidden", "no"));
          case "/apis/andon.dev/v1alpha1/workflowpolicies" ->
              new Answer(
                  200,
                  """
                  {"apiVersion":"andon.dev/v1alpha1","kind":"WorkflowPolicyList","metadata":{},"items":[
                  {"apiVersion":"andon.dev/v1alpha1","kind":"WorkflowPolicy","metadata":{"name":"p"},
                  "spec":{"workflowTypes":["SatelliteDiskErase","*"],"rules":[]}}]}""");
          default -> new Answer(404, status(404, "NotFound", "not here"));
        };
    if (answer.code() == 0) {
      exchange.close();
      return;
    }
    byte[] bytes = answer.body().getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().add("Content-Type", "application/json");
    exchange.sendResponseHeaders(answer.code(), bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  /** The last one is given again and again. */
  private static synchronized Answer next(Deque<Answer> answers) {
    if (answers.isEmpty()) {
      return new Answer(500, status(500, "InternalError", "not told what to answer"));
    }
    return answers.size() == 1 ? answers.peek() : answers.remove();
  }

  @Override
  public void close() {
    server.stop(0);
    threads.close();
  }
}
