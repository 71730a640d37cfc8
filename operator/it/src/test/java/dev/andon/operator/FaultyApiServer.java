package dev.andon.operator;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.internal.SSLUtils;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Predicate;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * Stands between an operator and the API server, on a loopback port, with a certificate of its own,
 * and passes everything on but for what a test says. It speaks to the API server as the client
 * whose configuration it is given; whoever speaks to it needs no credentials.
 *
 * <p>Watches are passed on line by line, as they come.
 */
public final class FaultyApiServer implements AutoCloseable {
  private static final String PASSWORD = "changeit";

  /** Of one connection, and made anew by each side. */
  private static final Set<String> NOT_PASSED_ON =
      Set.of("connection", "content-length", "host", "transfer-encoding", "upgrade", "expect");

  private final HttpsServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpClient behind;
  private final String target;
  private final String certificate;
  private final List<Rule> rules = new CopyOnWriteArrayList<>();
  private final List<Request> requests = new CopyOnWriteArrayList<>();
  private final Set<InputStream> answers = ConcurrentHashMap.newKeySet();

  /**
   * What came in.
   *
   * @param query as it was sent; "" without
   */
  public record Request(String method, String path, String query, String userAgent) {
    public boolean isWatch() {
      return query.contains("watch=true");
    }

    /** The gate's own reads. */
    public boolean isGateRead() {
      return method.equals("GET") && isOfTheStop() && path.endsWith("/emergency-stop");
    }

    /** What follows the stop's ConfigMap: its list and its watch. */
    public boolean isStopWatch() {
      return method.equals("GET") && isOfTheStop() && path.endsWith("/configmaps");
    }

    public boolean isOfTheStop() {
      return path.startsWith("/api/v1/namespaces/andon-stop/configmaps");
    }

    public boolean isWorkflowStatusWrite() {
      return isWrite() && path.contains("/workflows/") && path.endsWith("/status");
    }

    public boolean isWrite() {
      return !method.equals("GET");
    }

    /** Whether it writes an object of this kind, by the name it has in a path. */
    public boolean writes(String plural) {
      return isWrite() && (path + "/").contains("/" + plural + "/");
    }
  }

  /** What happens to a request in place of being passed on. */
  public sealed interface Fault {
    /** The API server is not asked. */
    record Answers(int code, String contentType, String body, String... headers) implements Fault {}

    /** Passed on, so much later. */
    record Late(Duration by) implements Fault {}

    /** Not passed on before the rule is lifted. */
    record Held() implements Fault {}

    /** The connection ends without an answer. */
    record Dropped() implements Fault {}

    /** Passed on; of the answer to a watch the events are swallowed, also of watches there are. */
    record Silent() implements Fault {}

    /** Passed on and carried out; the connection ends without the answer. */
    record Lost() implements Fault {}

    /**
     * Passed on twice, one after the other, as something between that repeats requests does.
     *
     * @param first whether the first answer is the one that gets back
     */
    record Twice(boolean first) implements Fault {}

    /** Passed on; the answer to a watch ends after this long, in the middle of a line or not. */
    record CutOff(Duration after) implements Fault {}

    /** Passed on; every event of the answer to a watch is this much later than it could be. */
    record Lagging(Duration each) implements Fault {}

    /**
     * What a test does around it.
     *
     * @param before whether it is passed on then
     * @param after it was carried out and is not answered yet
     */
    record Around(BooleanSupplier before, Runnable after) implements Fault {}
  }

  /** Faults that are on until they are lifted. */
  public final class Rule implements AutoCloseable {
    private final Predicate<Request> matches;
    private final Function<Request, Optional<Fault>> faults;
    private final boolean silent;
    private final CountDownLatch lifted = new CountDownLatch(1);

    private Rule(
        Predicate<Request> matches, Function<Request, Optional<Fault>> faults, boolean silent) {
      this.matches = matches;
      this.faults = faults;
      this.silent = silent;
    }

    /** Lifts it. */
    @Override
    public void close() {
      rules.remove(this);
      lifted.countDown();
    }
  }

  private FaultyApiServer(Config to) throws IOException, GeneralSecurityException {
    String url = to.getMasterUrl();
    this.target = url.endsWith("/") ? url.substring(0, url.length() - 1) : url;
    this.behind =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .sslContext(SSLUtils.sslContext(to))
            .executor(threads)
            .build();
    KeyStore keys = keys();
    this.certificate = pem(keys.getCertificate("server").getEncoded());
    KeyManagerFactory managers = KeyManagerFactory.getInstance("PKIX");
    managers.init(keys, PASSWORD.toCharArray());
    SSLContext ssl = SSLContext.getInstance("TLS");
    ssl.init(managers.getKeyManagers(), null, null);
    this.server =
        HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 200);
    server.setHttpsConfigurator(new HttpsConfigurator(ssl));
    server.setExecutor(threads);
    server.createContext("/", this::handle);
    server.start();
  }

  /** In front of the API server that {@code to} names, speaking to it as {@code to} does. */
  public static FaultyApiServer before(Config to) throws IOException, GeneralSecurityException {
    return new FaultyApiServer(to);
  }

  /** For clients that are to go through here. */
  public Config config() {
    return new ConfigBuilder(Config.empty())
        .withMasterUrl("https://127.0.0.1:" + server.getAddress().getPort() + "/")
        .withCaCertData(
            Base64.getEncoder().encodeToString(certificate.getBytes(StandardCharsets.UTF_8)))
        .build();
  }

  /**
   * A kubeconfig for clients that are to go through here.
   *
   * @throws IOException if the file cannot be written
   */
  public void writeKubeconfig(Path file) throws IOException {
    Config config = config();
    Files.writeString(
        file,
        """
        apiVersion: v1
        kind: Config
        clusters:
        - {name: faulty, cluster: {server: "%s", certificate-authority-data: %s}}
        users:
        - {name: anybody, user: {}}
        contexts:
        - {name: faulty, context: {cluster: faulty, user: anybody}}
        current-context: faulty
        """
            .formatted(config.getMasterUrl(), config.getCaCertData()));
  }

  /** From now on requests like these meet this. Of several rules the latest counts. */
  public Rule on(Predicate<Request> matches, Fault fault) {
    return on(new Rule(matches, request -> Optional.of(fault), fault instanceof Fault.Silent));
  }

  /** From now on requests meet what is chosen for each; nothing chosen: they are passed on. */
  public Rule choose(Function<Request, Optional<Fault>> faults) {
    return on(new Rule(request -> true, faults, false));
  }

  private Rule on(Rule rule) {
    rules.addFirst(rule);
    return rule;
  }

  /** Lifts everything. */
  public void calm() {
    List.copyOf(rules).forEach(Rule::close);
  }

  /** Everything that came in, in this order. */
  public List<Request> requests() {
    return List.copyOf(requests);
  }

  /** Whatever goes wrong with one exchange ends its connection, and nothing else. */
  private void handle(HttpExchange exchange) {
    try (exchange) {
      URI uri = exchange.getRequestURI();
      Request request =
          new Request(
              exchange.getRequestMethod(),
              uri.getPath(),
              Objects.requireNonNullElse(uri.getRawQuery(), ""),
              Objects.requireNonNullElse(exchange.getRequestHeaders().getFirst("User-Agent"), ""));
      byte[] body = exchange.getRequestBody().readAllBytes();
      if (exchange.getRequestHeaders().containsKey("Upgrade")) {
        // Clients try a web socket first. Told 200 they take plain HTTP; told 503 they try again.
        exchange.sendResponseHeaders(200, -1);
        return;
      }
      requests.add(request);
      Optional<Rule> rule = rule(request);
      switch (rule.flatMap(one -> one.faults.apply(request)).orElse(null)) {
        case null -> passOn(exchange, request, body);
        case Fault.Answers answer -> answer(exchange, answer);
        case Fault.Late(Duration by) -> {
          // Not cut short when the rule is lifted: it came while it was on.
          rest(by);
          passOn(exchange, request, body);
        }
        case Fault.Held() -> {
          rule.orElseThrow().lifted.await();
          passOn(exchange, request, body);
        }
        case Fault.Dropped() -> {
          // Closed by leaving.
        }
        case Fault.Silent() -> passOn(exchange, request, body);
        case Fault.Lost() -> carryOut(exchange, request, body);
        case Fault.Twice(boolean first) -> {
          var one = carryOut(exchange, request, body);
          var other = carryOut(exchange, request, body);
          answer(exchange, first ? one : other);
        }
        case Fault.CutOff(Duration after) -> {
          Thread.startVirtualThread(() -> cutOff(exchange, after));
          passOn(exchange, request, body);
        }
        case Fault.Lagging(Duration each) -> passOn(exchange, request, body, each);
        case Fault.Around(BooleanSupplier before, Runnable after) -> {
          if (before.getAsBoolean()) {
            var answer = carryOut(exchange, request, body);
            after.run();
            answer(exchange, answer);
          }
        }
      }
    } catch (IOException e) {
      // One of the two sides has gone.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private Optional<Rule> rule(Request request) {
    return rules.stream().filter(rule -> rule.matches.test(request)).findFirst();
  }

  private static void answer(HttpExchange exchange, Fault.Answers answer) throws IOException {
    byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", answer.contentType());
    for (int i = 0; i + 1 < answer.headers().length; i += 2) {
      exchange.getResponseHeaders().set(answer.headers()[i], answer.headers()[i + 1]);
    }
    exchange.sendResponseHeaders(answer.code(), body.length == 0 ? -1 : body.length);
    exchange.getResponseBody().write(body);
  }

  private static void rest(Duration time) throws InterruptedException {
    new CountDownLatch(1).await(time.toMillis(), TimeUnit.MILLISECONDS);
  }

  private static void cutOff(HttpExchange exchange, Duration after) {
    try {
      rest(after);
      exchange.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Of what is no watch: the API server's whole answer. */
  private HttpResponse<byte[]> carryOut(HttpExchange exchange, Request request, byte[] body)
      throws IOException, InterruptedException {
    return behind.send(toPassOn(exchange, request, body), HttpResponse.BodyHandlers.ofByteArray());
  }

  private static void answer(HttpExchange exchange, HttpResponse<byte[]> answer)
      throws IOException {
    copyHeaders(answer, exchange);
    byte[] whole = answer.body();
    exchange.sendResponseHeaders(answer.statusCode(), whole.length == 0 ? -1 : whole.length);
    exchange.getResponseBody().write(whole);
  }

  private static void copyHeaders(HttpResponse<?> answer, HttpExchange exchange) {
    answer
        .headers()
        .map()
        .forEach(
            (name, values) -> {
              if (!NOT_PASSED_ON.contains(name.toLowerCase(java.util.Locale.ROOT))
                  && !name.startsWith(":")) {
                exchange.getResponseHeaders().put(name, new ArrayList<>(values));
              }
            });
  }

  private HttpRequest toPassOn(HttpExchange exchange, Request request, byte[] body) {
    HttpRequest.Builder on =
        HttpRequest.newBuilder(URI.create(target + exchange.getRequestURI()))
            .method(
                request.method(),
                body.length == 0
                    ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofByteArray(body));
    exchange
        .getRequestHeaders()
        .forEach(
            (name, values) -> {
              if (!NOT_PASSED_ON.contains(name.toLowerCase(java.util.Locale.ROOT))) {
                values.forEach(value -> on.header(name, value));
              }
            });
    return on.build();
  }

  private void passOn(HttpExchange exchange, Request request, byte[] body)
      throws IOException, InterruptedException {
    passOn(exchange, request, body, Duration.ZERO);
  }

  private void passOn(HttpExchange exchange, Request request, byte[] body, Duration lag)
      throws IOException, InterruptedException {
    if (!request.isWatch()) {
      answer(exchange, carryOut(exchange, request, body));
      return;
    }
    HttpResponse<InputStream> answer =
        behind.send(toPassOn(exchange, request, body), HttpResponse.BodyHandlers.ofInputStream());
    answers.add(answer.body());
    try (InputStream in = answer.body()) {
      copyHeaders(answer, exchange);
      exchange.sendResponseHeaders(answer.statusCode(), 0);
      exchange.getResponseBody().flush();
      stream(request, in, exchange.getResponseBody(), lag);
    } finally {
      answers.remove(answer.body());
    }
  }

  private void stream(Request request, InputStream in, OutputStream out, Duration lag)
      throws IOException, InterruptedException {
    var line = new ByteArrayOutputStream();
    for (int b = in.read(); b >= 0; b = in.read()) {
      line.write(b);
      if (b == '\n') {
        boolean silent = rules.stream().anyMatch(rule -> rule.silent && rule.matches.test(request));
        if (!silent) {
          rest(lag);
          out.write(line.toByteArray());
          out.flush();
        }
        line.reset();
      }
    }
  }

  @Override
  public void close() throws IOException {
    calm();
    server.stop(0);
    behind.shutdownNow();
    for (InputStream answer : answers) {
      answer.close();
    }
    threads.shutdownNow();
  }

  /** A key and a certificate for 127.0.0.1 signed by itself, by the JDK's own tool. */
  private static KeyStore keys() throws IOException, GeneralSecurityException {
    Path folder = Files.createTempDirectory("faulty-api-server");
    Path file = folder.resolve("keys.p12");
    try {
      Process tool =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                  "-genkeypair",
                  "-alias",
                  "server",
                  "-keyalg",
                  "EC",
                  "-dname",
                  "CN=faulty-api-server",
                  "-ext",
                  "san=ip:127.0.0.1",
                  "-storetype",
                  "PKCS12",
                  "-keystore",
                  file.toString(),
                  "-storepass",
                  PASSWORD)
              .redirectErrorStream(true)
              .start();
      String said = new String(tool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (tool.waitFor() != 0) {
        throw new IOException("keytool: " + said);
      }
      return KeyStore.getInstance(file.toFile(), PASSWORD.toCharArray());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } finally {
      Files.deleteIfExists(file);
      Files.delete(folder);
    }
  }

  private static String pem(byte[] der) {
    return "-----BEGIN CERTIFICATE-----\n"
        + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der)
        + "\n-----END CERTIFICATE-----\n";
  }

  /** The answer of an API server that knows of no ConfigMap {@code emergency-stop}. */
  public static Fault.Answers notFound(@Nullable String name) {
    return status(
        404,
        "NotFound",
        "configmaps \\\"%s\\\" not found".formatted(name),
        "{\"name\": \"%s\", \"kind\": \"configmaps\"}".formatted(name));
  }

  /** A Status of the API server. */
  public static Fault.Answers status(int code, String reason, String message, String details) {
    return new Fault.Answers(
        code,
        "application/json",
        """
        {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
         "message": "%s", "reason": "%s", "details": %s, "code": %d}
        """
            .formatted(message, reason, details, code));
  }
}
