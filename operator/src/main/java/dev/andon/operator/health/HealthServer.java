package dev.andon.operator.health;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;
import java.util.function.Supplier;

/**
 * {@code /healthz}, {@code /readyz} and {@code /metrics} over plain HTTP.
 *
 * <p>A check answers 200 with its text, or 503 with it.
 */
public final class HealthServer implements AutoCloseable {
  /**
   * The answer of a check.
   *
   * @param text one line a fact, for people
   */
  public record Check(boolean ok, String text) {}

  private final HttpServer server;

  private HealthServer(HttpServer server) {
    this.server = server;
  }

  /**
   * @param port 0: a free one
   * @throws IOException when the port is taken
   */
  public static HealthServer start(
      int port, Supplier<Check> healthy, Supplier<Check> ready, Supplier<String> metrics)
      throws IOException {
    var server = HttpServer.create(new InetSocketAddress(port), 0);
    server.createContext("/healthz", exchange -> answer(exchange, healthy.get()));
    server.createContext("/readyz", exchange -> answer(exchange, ready.get()));
    server.createContext(
        "/metrics",
        exchange ->
            answer(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", metrics.get()));
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.start();
    return new HealthServer(server);
  }

  public int port() {
    return server.getAddress().getPort();
  }

  @Override
  public void close() {
    server.stop(0);
  }

  private static void answer(HttpExchange exchange, Check check) throws IOException {
    answer(exchange, check.ok() ? 200 : 503, "text/plain; charset=utf-8", check.text() + "\n");
  }

  private static void answer(HttpExchange exchange, int status, String type, String text)
      throws IOException {
    try (exchange) {
      byte[] body = text.getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set("Content-Type", type);
      exchange.sendResponseHeaders(status, body.length);
      exchange.getResponseBody().write(body);
    }
  }
}
