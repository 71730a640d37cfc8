package dev.andon.cli.bench;

import io.fabric8.kubernetes.api.model.GenericKubernetesResourceList;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.http.AsyncBody;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Every write to the objects of one collection, by a watch of the bench's own: it believes neither
 * the operator nor itself. Lines are kept as they come and read only when asked for, since it
 * shares the cores with what is measured.
 */
final class RevisionWatch implements AutoCloseable {
  private static final int LONGER_THAN_ANY_BENCH = 86_400;
  private static final Duration CONNECT = Duration.ofSeconds(10);

  private final KubernetesClient client;
  private final String collection;
  private final InstantSource clock;
  private final List<Line> lines = new ArrayList<>(); // guarded by this
  private final ByteArrayOutputStream begun = new ByteArrayOutputStream(); // guarded by this
  private @Nullable String lost; // guarded by this
  private Instant last; // guarded by this
  private String revision; // guarded by this; where it is taken up if the API server ends it
  private @Nullable String newest; // guarded by this; the line read last
  private @Nullable AsyncBody body; // guarded by this
  private boolean closed; // guarded by this

  private record Line(Instant seen, String text) {}

  private RevisionWatch(
      KubernetesClient client, String collection, InstantSource clock, String revision) {
    this.client = client;
    this.collection = collection;
    this.clock = clock;
    this.revision = revision;
    this.last = clock.instant();
  }

  /**
   * From now on.
   *
   * @param collection its path, as in {@code /apis/andon.dev/v1alpha1/workflows}
   */
  static RevisionWatch start(KubernetesClient client, String collection, InstantSource clock)
      throws InterruptedException {
    String revision =
        Serialization.unmarshal(
                client.raw(collection + "?limit=1"), GenericKubernetesResourceList.class)
            .getMetadata()
            .getResourceVersion();
    var watch = new RevisionWatch(client, collection, clock, revision);
    try {
      watch.connect().get(CONNECT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new IllegalStateException(collection + " cannot be watched", e);
    }
    return watch;
  }

  private synchronized CompletableFuture<Void> connect() {
    HttpRequest request =
        client
            .getHttpClient()
            .newHttpRequestBuilder()
            .uri(
                URI.create(client.getMasterUrl().toString())
                    .resolve(
                        "%s?watch=true&resourceVersion=%s&timeoutSeconds=%d"
                            .formatted(collection, revision, LONGER_THAN_ANY_BENCH))
                    .toString())
            .header("Accept", "application/json")
            .timeout(LONGER_THAN_ANY_BENCH, TimeUnit.SECONDS)
            .build();
    return client
        .getHttpClient()
        .consumeBytes(
            request,
            (buffers, from) -> {
              received(buffers);
              from.consume();
            })
        .thenAccept(
            response -> {
              if (response.code() != 200) {
                throw new IllegalStateException(
                    "watching %s: %d".formatted(collection, response.code()));
              }
              connected(response.body());
            });
  }

  private synchronized void connected(AsyncBody watching) {
    body = watching;
    CompletableFuture<Void> _ = watching.done().whenComplete((_, failure) -> ended(failure));
    watching.consume();
  }

  private synchronized void received(List<ByteBuffer> buffers) {
    Instant seen = clock.instant();
    last = seen;
    for (ByteBuffer buffer : buffers) {
      while (buffer.hasRemaining()) {
        byte b = buffer.get();
        if (b == '\n') {
          newest = begun.toString(StandardCharsets.UTF_8);
          lines.add(new Line(seen, newest));
          begun.reset();
        } else {
          begun.write(b);
        }
      }
    }
  }

  /**
   * The API server ends watches of kinds whose definition it has just taken up; that one is taken
   * up where it was, and misses nothing.
   */
  private synchronized void ended(@Nullable Throwable failure) {
    if (closed) {
      return;
    }
    if (failure != null || begun.size() > 0) {
      lost = failure == null ? "it ended within a line" : failure.toString();
      return;
    }
    if (newest != null) {
      revision =
          Version.parse(newest, last)
              .map(version -> Long.toString(version.revision()))
              .orElse(revision);
    }
    CompletableFuture<Void> _ =
        connect()
            .whenComplete(
                (_, refused) -> {
                  if (refused != null) {
                    lose(refused.toString());
                  }
                });
  }

  private synchronized void lose(String why) {
    lost = why;
  }

  /** When something was seen last. */
  synchronized Instant last() {
    return last;
  }

  /**
   * What was seen since it was last asked, in order.
   *
   * @throws IllegalStateException if the watch was lost: then nothing can be proved
   */
  List<Version> drain() {
    List<Line> seen;
    synchronized (this) {
      if (lost != null) {
        throw new IllegalStateException("the watch of %s was lost: %s".formatted(collection, lost));
      }
      seen = List.copyOf(lines);
      lines.clear();
    }
    return seen.stream()
        .map(line -> Version.parse(line.text(), line.seen()))
        .flatMap(Optional::stream)
        .toList();
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (body != null) {
      body.cancel();
    }
  }
}
