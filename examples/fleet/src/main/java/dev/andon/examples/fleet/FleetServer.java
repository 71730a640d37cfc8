package dev.andon.examples.fleet;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.andon.examples.fleet.Fault.When;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/**
 * The fleet as an HTTP service on the loopback address. {@code GET /} lists its endpoints; the
 * README says what they do.
 *
 * <pre>{@code
 * try (var server = FleetServer.start(FleetOptions.defaults().withEraseMillis(50, 100))) {
 *   // ... POST server.uri() + "/sites/aap/machines/aap-0001/erase" ...
 *   assertThat(server.summary().erasedTwice()).isZero();
 * }
 * }</pre>
 */
public final class FleetServer implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(FleetServer.class.getName());
  private static final int MAX_BODY_BYTES = 64 * 1024;

  private final Fleet fleet;
  private final EraseLog log;
  private final Erasures erasures;
  private final Endpoints endpoints;
  private final Faults faults = new Faults();
  private final HttpServer http;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

  private FleetServer(FleetOptions options, EraseLog log, HttpServer http, Timer timer) {
    Fleet generated = Fleet.generate(options.seed());
    this.fleet = options.everySiteInDecom() ? generated.inDecom() : generated;
    this.log = log;
    this.http = http;
    this.erasures = new Erasures(fleet, options.eraseMillis(), log, options.clock(), timer);
    this.endpoints = new Endpoints(fleet, erasures, log, faults);
  }

  /**
   * Replays the log, goes on with the erases that were under way in it, and listens.
   *
   * @throws IOException when the port is taken, or the log is in use or holds something else
   */
  public static FleetServer start(FleetOptions options) throws IOException {
    return start(options, Timer.started());
  }

  static FleetServer start(FleetOptions options, Timer timer) throws IOException {
    var log = EraseLog.open(options.log());
    try {
      var address = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), options.port());
      var server = new FleetServer(options, log, HttpServer.create(address, 0), timer);
      server.http.createContext("/", server::handle);
      server.http.setExecutor(server.threads);
      server.http.start();
      return server;
    } catch (BindException e) {
      log.close();
      throw new IOException(
          "port %d: taken; give another, or 0 for a free one".formatted(options.port()), e);
    } catch (IOException | RuntimeException e) {
      log.close();
      throw e;
    }
  }

  /** {@code http://127.0.0.1:PORT}, without a slash at the end. */
  public URI uri() {
    return URI.create("http://127.0.0.1:" + http.getAddress().getPort());
  }

  public Fleet fleet() {
    return fleet;
  }

  /** What was logged so far, before earlier restarts too, in order. */
  public List<LogEvent> log() {
    return log.events();
  }

  public Summary summary() {
    return Summary.of(log.events());
  }

  public Faults faults() {
    return faults;
  }

  /**
   * Stops as a crash would: nothing under way is ended or cancelled, and a server started with the
   * same log file goes on with it.
   */
  @Override
  public void close() throws IOException {
    erasures.close();
    faults.clear();
    http.stop(0);
    threads.shutdownNow();
    log.close();
  }

  private void handle(HttpExchange exchange) {
    try {
      exchangeAnswer(exchange);
    } catch (IOException clientIsGone) {
      LOG.log(System.Logger.Level.DEBUG, "no answer to {0}", exchange.getRequestURI());
    } catch (InterruptedException closing) {
      Thread.currentThread().interrupt();
    } finally {
      exchange.close();
    }
  }

  private void exchangeAnswer(HttpExchange exchange) throws IOException, InterruptedException {
    String method = exchange.getRequestMethod();
    String path = exchange.getRequestURI().getPath();
    byte[] body = exchange.getRequestBody().readNBytes(MAX_BODY_BYTES + 1);
    if (body.length > MAX_BODY_BYTES) {
      send(
          exchange,
          Answer.error(413, "BodyTooLarge", "body: more than %d bytes".formatted(MAX_BODY_BYTES)));
      return;
    }
    var fault = ownPath(path) ? null : faults.next(method, path).orElse(null);
    boolean eraseFails = fault != null && fault.kind() == Fault.Kind.ERASE_FAILS;
    if (fault != null && fault.when() == When.BEFORE && spoiled(exchange, fault)) {
      return;
    }
    var answer =
        answer(
            new Endpoints.Request(
                method,
                path,
                query(exchange.getRequestURI().getRawQuery()),
                exchange.getRequestHeaders().getFirst("Idempotency-Key"),
                new String(body, StandardCharsets.UTF_8),
                eraseFails,
                Map.of()));
    if (fault != null && fault.when() == When.AFTER && spoiled(exchange, fault)) {
      return;
    }
    send(exchange, answer);
  }

  /** Applies a fault. Returns whether it stands in place of the answer. */
  private boolean spoiled(HttpExchange exchange, Fault fault)
      throws IOException, InterruptedException {
    return switch (fault.kind()) {
      case STATUS -> {
        int status = fault.status() == null ? 500 : fault.status();
        send(exchange, retryAfter(fault, Answer.error(status, "Fault", "switched on for a test")));
        yield true;
      }
      case GARBAGE -> {
        int status = fault.status() == null ? 200 : fault.status();
        var headers = Map.of("Content-Type", "application/json");
        send(exchange, retryAfter(fault, new Answer(status, headers, "{\"status\": \u0000<html>")));
        yield true;
      }
      case HANG -> {
        faults.awaitCleared();
        yield true;
      }
      // Closing an exchange that was not answered closes its connection.
      case DROP -> true;
      case LATENCY -> {
        int millis = fault.latencyMillis() == null ? 0 : fault.latencyMillis();
        faults.awaitCleared(Duration.ofMillis(millis));
        yield false;
      }
      case ERASE_FAILS -> false;
    };
  }

  private static Answer retryAfter(Fault fault, Answer answer) {
    return fault.retryAfterSeconds() == null
        ? answer
        : answer.with("Retry-After", String.valueOf(fault.retryAfterSeconds()));
  }

  private static boolean ownPath(String path) {
    return path.equals("/faults") || path.equals("/log") || path.equals("/summary");
  }

  private Answer answer(Endpoints.Request request) {
    try {
      return endpoints.answer(request);
    } catch (RuntimeException e) {
      LOG.log(System.Logger.Level.ERROR, request.method() + " " + request.path(), e);
      return Answer.error(500, "Internal", String.valueOf(e.getMessage()));
    }
  }

  private static void send(HttpExchange exchange, Answer answer) throws IOException {
    answer.headers().forEach(exchange.getResponseHeaders()::set);
    byte[] body = answer.bytes();
    boolean none = body.length == 0 || answer.status() == 204 || answer.status() == 304;
    exchange.sendResponseHeaders(answer.status(), none ? -1 : body.length);
    if (!none) {
      exchange.getResponseBody().write(body);
    }
  }

  private static Map<String, String> query(@Nullable String raw) {
    var query = new HashMap<String, String>();
    if (raw != null) {
      for (String pair : raw.split("&", -1)) {
        int equals = pair.indexOf('=');
        String name = equals < 0 ? pair : pair.substring(0, equals);
        String value = equals < 0 ? "" : pair.substring(equals + 1);
        query.put(decode(name), decode(value));
      }
    }
    return query;
  }

  private static String decode(String text) {
    try {
      return URLDecoder.decode(text, StandardCharsets.UTF_8);
    } catch (IllegalArgumentException notEncoded) {
      return text;
    }
  }
}
