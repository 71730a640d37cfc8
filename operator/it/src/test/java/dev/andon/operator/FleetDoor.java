package dev.andon.operator;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.andon.operator.FaultyApiServer.Fault;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

/**
 * Stands before a fleet, at an address that stays when another fleet is put behind it, so that
 * something can be done right before and right after a request to erase is carried out.
 */
final class FleetDoor implements AutoCloseable {
  private static final String KEY = "Idempotency-Key";
  private static final Fault.Around NOTHING = new Fault.Around(() -> true, () -> {});

  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpClient behind = HttpClient.newBuilder().executor(threads).build();
  private final AtomicReference<URI> fleet = new AtomicReference<>();
  private final AtomicReference<Supplier<Fault.Around>> around =
      new AtomicReference<>(() -> NOTHING);
  private final List<String> asked = new CopyOnWriteArrayList<>();

  FleetDoor() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 200);
    server.setExecutor(threads);
    server.createContext("/", this::handle);
    server.start();
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  void leadsTo(URI uri) {
    fleet.set(uri);
  }

  /** What is done around every request to erase from now on. */
  void around(Supplier<Fault.Around> each) {
    around.set(each);
  }

  void calm() {
    around.set(() -> NOTHING);
  }

  /** The keys of all requests to erase that came, as often as they came. */
  List<String> asked() {
    return List.copyOf(asked);
  }

  private void handle(HttpExchange exchange) {
    try (exchange) {
      String key =
          Objects.requireNonNullElse(exchange.getRequestHeaders().getFirst(KEY), "(without)");
      byte[] body = exchange.getRequestBody().readAllBytes();
      boolean erase = exchange.getRequestMethod().equals("POST");
      if (erase) {
        asked.add(key);
      }
      Fault.Around what = erase ? around.get().get() : NOTHING;
      if (!what.before().getAsBoolean()) {
        return;
      }
      HttpResponse<byte[]> answer =
          behind.send(
              HttpRequest.newBuilder(URI.create(fleet.get() + exchange.getRequestURI().toString()))
                  .header(KEY, key)
                  .method(exchange.getRequestMethod(), HttpRequest.BodyPublishers.ofByteArray(body))
                  .build(),
              HttpResponse.BodyHandlers.ofByteArray());
      what.after().run();
      for (String header : List.of("Content-Type", "Location", "Retry-After")) {
        answer
            .headers()
            .firstValue(header)
            .ifPresent(value -> exchange.getResponseHeaders().set(header, value));
      }
      exchange.sendResponseHeaders(
          answer.statusCode(), answer.body().length == 0 ? -1 : answer.body().length);
      exchange.getResponseBody().write(answer.body());
    } catch (IOException e) {
      // One of the two sides has gone.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    server.stop(0);
    behind.shutdownNow();
    threads.shutdownNow();
  }
}
