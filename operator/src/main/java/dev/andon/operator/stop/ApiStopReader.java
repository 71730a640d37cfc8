package dev.andon.operator.stop;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.http.AsyncBody;
import io.fabric8.kubernetes.client.http.HttpClient;
import io.fabric8.kubernetes.client.http.HttpRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the ConfigMap with a GET without resourceVersion, which the API server answers from a
 * quorum of etcd. The 2 s are over everything: a token that has to be fetched first, the
 * connection, headers, body. No library below keeps such a deadline (the JDK's request timeout ends
 * with the headers; fabric8 waits for a body without end), so it is kept here; what has not
 * answered by then is left with its thread and its connection, and the next read has new ones.
 *
 * <p>For one reading thread.
 */
final class ApiStopReader implements StopReader {
  static final Duration DEADLINE = Duration.ofSeconds(2);

  /** A ConfigMap holds 1 MiB; what owns its fields may take some more. */
  private static final int MAX_BODY = 8 << 20;

  private static final Logger LOG = LoggerFactory.getLogger(ApiStopReader.class);

  private final Config config;
  private final URI uri;
  private final Duration deadline;
  private volatile boolean closed;
  private @Nullable Line line;

  /** {@code config}: as {@link StopClients#reading} makes it. */
  ApiStopReader(Config config, Duration deadline) {
    this.config = config;
    this.deadline = deadline;
    String root = config.getMasterUrl();
    this.uri =
        URI.create(
            (root.endsWith("/") ? root : root + "/")
                + "api/v1/namespaces/%s/configmaps/%s"
                    .formatted(EmergencyStop.NAMESPACE, EmergencyStop.NAME));
  }

  @Override
  public Reading read() throws InterruptedException {
    Line at = line;
    if (at == null) {
      at = new Line();
      line = at;
    }
    CompletableFuture<Reading> answer = at.ask();
    try {
      return answer.get(deadline.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      line = null;
      at.abandon();
      return new Reading.Failed("no answer within %d ms".formatted(deadline.toMillis()));
    } catch (ExecutionException e) {
      return new Reading.Failed("the API server cannot be read: " + StopAnswer.describe(e));
    } catch (InterruptedException e) {
      line = null;
      at.abandon();
      throw e;
    } finally {
      if (closed) {
        line = null;
        at.abandon();
      }
    }
  }

  @Override
  public void close() {
    closed = true;
    Line at = line;
    if (at != null) {
      at.abandon();
    }
  }

  /** A client and the thread that starts its exchanges; given up together. */
  private final class Line {
    private final ExecutorService thread =
        Executors.newSingleThreadExecutor(
            Thread.ofPlatform().name("andon-gate-exchange").daemon().factory());
    private volatile @Nullable HttpClient client;
    private volatile @Nullable AsyncBody body;
    private volatile boolean abandoned;

    CompletableFuture<Reading> ask() {
      CompletableFuture<Reading> answer = new CompletableFuture<>();
      // In a thread: making the client reads files, and refreshing a token may run a program.
      thread.execute(
          () -> {
            try {
              CompletableFuture<Reading> _ =
                  exchange()
                      .whenComplete(
                          (reading, failure) -> {
                            if (failure != null) {
                              answer.completeExceptionally(failure);
                            } else {
                              answer.complete(reading);
                            }
                          });
            } catch (RuntimeException e) {
              answer.completeExceptionally(e);
            }
          });
      return answer;
    }

    private CompletableFuture<Reading> exchange() {
      HttpClient http = client;
      if (http == null) {
        http = StopClients.http(config);
        client = http;
        if (abandoned) {
          http.close();
        }
      }
      body = null;
      HttpRequest request =
          http.newHttpRequestBuilder()
              .uri(uri.toString())
              .header("Accept", "application/json")
              // Later than ours, which then has always spoken: it only ends what was left behind.
              .timeout(deadline.toMillis() + 1000, TimeUnit.MILLISECONDS)
              .build();
      Bytes bytes = new Bytes();
      return http.consumeBytes(request, bytes)
          .thenCompose(
              response -> {
                body = response.body();
                if (abandoned) {
                  response.body().cancel();
                }
                response.body().consume();
                return response
                    .body()
                    .done()
                    .thenApply(_ -> StopAnswer.read(response.code(), bytes.toByteArray()));
              });
    }

    /** Returns at once. */
    void abandon() {
      abandoned = true;
      AsyncBody unread = body;
      if (unread != null) {
        unread.cancel();
      }
      thread.shutdownNow();
      HttpClient http = client;
      if (http != null) {
        Thread.ofVirtual().start(() -> closeQuietly(http));
      }
    }

    private void closeQuietly(HttpClient http) {
      try {
        http.close();
      } catch (RuntimeException e) {
        LOG.debug("Closing a client that had not answered in time", e);
      }
    }
  }

  /** Collects a body up to a bound, asking for more as it comes. */
  private static final class Bytes implements AsyncBody.Consumer<List<ByteBuffer>> {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    @Override
    public synchronized void consume(List<ByteBuffer> buffers, AsyncBody asyncBody)
        throws IOException {
      for (ByteBuffer buffer : buffers) {
        if (out.size() + buffer.remaining() > MAX_BODY) {
          throw new IOException("the answer is longer than %d bytes".formatted(MAX_BODY));
        }
        byte[] chunk = new byte[buffer.remaining()];
        buffer.get(chunk);
        out.writeBytes(chunk);
      }
      asyncBody.consume();
    }

    synchronized byte[] toByteArray() {
      return out.toByteArray();
    }
  }
}
