package dev.andon.operator.execution;

import dev.andon.operator.stop.Permit;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * The one way out over HTTP: nothing else in the operator holds an {@link HttpClient} (an ArchUnit
 * test sees to it). {@link #send} needs a permit and puts at most one request on the wire for it;
 * {@link #ask} is for what makes nothing happen that was not decided already: polling, observing,
 * cancelling.
 *
 * <p>How "at most one" is kept, given that the JDK's client repeats by itself:
 *
 * <ul>
 *   <li>It repeats a GET or HEAD whose connection ends before a byte of the answer ({@code
 *       MultiExchange.canRetryRequest}), and that cannot be switched off for one client. It also
 *       connects a second time after a refused connection, before which nothing was sent. So the
 *       permit is not asked before the client is called but by the {@linkplain Fence body
 *       publisher}, whose length the client asks for when it is connected and about to write the
 *       request line: once for every time it writes. The second time is refused. This also makes
 *       the permit's check the last thing before the send, however long connecting took.
 *   <li>{@code jdk.httpclient.enableAllMethodRetry} would repeat every method: caught by the same.
 *   <li>No redirects, no authenticator, no cookies, no proxy, HTTP/1.1 only (HTTP/2 repeats what a
 *       GOAWAY left unprocessed).
 * </ul>
 *
 * <p>A server that closes an idle connection just as a request is written leaves its outcome
 * unknown. Servers do so after as little as 2 s (gunicorn) or 5 s (Node.js), which would meet a
 * workflow paced at that very interval again and again. Therefore sends use a connection again only
 * within {@link #REUSE}: after that a new client, with no connections, takes its place. The JDK's
 * own setting, {@code jdk.httpclient.keepalive.timeout}, would hold for every client of the
 * process.
 */
public final class HttpSender implements AutoCloseable {
  /** Of an answer's body, in bytes. */
  public static final int MAX_BODY = 1 << 20;

  static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
  private static final Duration ABORTING = Duration.ofSeconds(1);
  private static final Duration REUSE = Duration.ofSeconds(1);

  private final Time time;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpClient asking = newClient();
  private @Nullable HttpClient sending;
  private long sendingSince;
  private boolean closed;

  HttpSender(Time time) {
    this.time = time;
  }

  /** What became of a send. */
  sealed interface Sent {
    /** It was sent and answered. */
    record Answered(HttpAnswer answer) implements Sent {}

    /** It was not sent, and will not be: the permit was no longer good. */
    record NoPermit() implements Sent {}

    /** It was not sent, and will not be: no connection. */
    record NoConnection(String why) implements Sent {}

    /**
     * The thread was interrupted.
     *
     * @param sent whether it may have been sent
     */
    record Interrupted(boolean sent) implements Sent {}

    /** It was sent, and no whole answer came. */
    record Lost(String why) implements Sent {}

    /**
     * No answer in time.
     *
     * @param sent whether it may have been sent
     */
    record TimedOut(boolean sent) implements Sent {}
  }

  /**
   * Sends once, if the permit is still good when the connection stands, and waits for the answer.
   *
   * @param timeout over everything: connecting, sending, the whole answer
   */
  Sent send(Permit permit, HttpRequest request, Duration timeout) {
    var fence = new Fence(permit, request.bodyPublisher().orElseGet(BodyPublishers::noBody));
    CompletableFuture<HttpResponse<Body>> answer;
    try {
      answer =
          submit(
              HttpRequest.newBuilder(request, (name, value) -> true)
                  .method(request.method(), fence)
                  .build());
    } catch (IOException e) {
      return new Sent.NoConnection(Messages.of(e));
    }
    try {
      return new Sent.Answered(answered(time.get(answer, timeout)));
    } catch (InterruptedException e) {
      boolean sent = fence.close();
      answer.cancel(true);
      return new Sent.Interrupted(sent);
    } catch (TimeoutException e) {
      boolean sent = fence.close();
      answer.cancel(true);
      return new Sent.TimedOut(sent);
    } catch (ExecutionException e) {
      return switch (fence.state()) {
        case REFUSED -> new Sent.NoPermit();
        case PASSED -> new Sent.Lost(Messages.of(cause(e)));
        case WAITING, CLOSED -> new Sent.NoConnection(Messages.of(cause(e)));
      };
    }
  }

  /**
   * Asks, and waits for the answer. May reach the target twice.
   *
   * @param timeout over everything
   * @throws IOException no whole answer in time
   */
  HttpAnswer ask(HttpRequest request, Duration timeout) throws IOException, InterruptedException {
    CompletableFuture<HttpResponse<Body>> answer = asking.sendAsync(request, Body.handler());
    try {
      return answered(time.get(answer, timeout));
    } catch (InterruptedException e) {
      answer.cancel(true);
      throw e;
    } catch (TimeoutException e) {
      answer.cancel(true);
      throw new IOException("no answer within %d s".formatted(Math.max(1, timeout.toSeconds())), e);
    } catch (ExecutionException e) {
      throw new IOException(Messages.of(cause(e)), e);
    }
  }

  /** What sends just now; null before the first send. */
  synchronized @Nullable HttpClient sending() {
    return sending;
  }

  /** Aborts what is under way; what comes after may rely on it that nothing is sent any more. */
  @Override
  public synchronized void close() {
    closed = true;
    asking.shutdownNow();
    if (sending != null) {
      sending.shutdownNow();
    }
    threads.shutdownNow();
    try {
      boolean _ = threads.awaitTermination(ABORTING.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Picks the client and submits under one lock: else it could be retired in between. */
  private synchronized CompletableFuture<HttpResponse<Body>> submit(HttpRequest request)
      throws IOException {
    if (closed) {
      throw new IOException("the operator is ending");
    }
    long now = time.nanos();
    HttpClient client = sending;
    if (client == null || now - sendingSince > REUSE.toNanos()) {
      if (client != null) {
        // What it has under way goes on; then it ends, and closes its connections.
        client.shutdown();
      }
      client = newClient();
      sending = client;
      sendingSince = now;
    }
    return client.sendAsync(request, Body.handler());
  }

  private HttpClient newClient() {
    return HttpClient.newBuilder()
        .version(HttpClient.Version.HTTP_1_1)
        .followRedirects(HttpClient.Redirect.NEVER)
        .proxy(HttpClient.Builder.NO_PROXY)
        .connectTimeout(CONNECT_TIMEOUT)
        .executor(threads)
        .build();
  }

  private static Throwable cause(ExecutionException e) {
    return e.getCause() == null ? e : e.getCause();
  }

  private static HttpAnswer answered(HttpResponse<Body> response) {
    return new HttpAnswer(
        response.statusCode(),
        lowerCase(response.headers()),
        response.body().text(),
        response.body().tooLarge());
  }

  private static Map<String, String> lowerCase(HttpHeaders headers) {
    var all = new TreeMap<String, String>();
    headers
        .map()
        .forEach(
            (name, values) ->
                all.merge(
                    name.toLowerCase(Locale.ROOT),
                    String.join(", ", values),
                    (first, second) -> first + ", " + second));
    return all;
  }

  /** Stands between the client and the wire: lets one request pass, if the permit says so. */
  private static final class Fence implements BodyPublisher {
    enum State {
      WAITING,
      PASSED,
      REFUSED,
      CLOSED
    }

    private final Permit permit;
    private final BodyPublisher body;
    private State state = State.WAITING;

    Fence(Permit permit, BodyPublisher body) {
      this.permit = permit;
      this.body = body;
    }

    synchronized State state() {
      return state;
    }

    /** Nothing passes any more. True if something has. */
    synchronized boolean close() {
      if (state == State.WAITING) {
        state = State.CLOSED;
      }
      return state == State.PASSED;
    }

    @Override
    public synchronized long contentLength() {
      if (state != State.WAITING) {
        throw new IllegalStateException("not sent: a permit is good for one send");
      }
      if (!permit.use()) {
        state = State.REFUSED;
        throw new IllegalStateException("not sent: the permit is no longer good");
      }
      state = State.PASSED;
      return body.contentLength();
    }

    @Override
    public void subscribe(Flow.Subscriber<? super ByteBuffer> subscriber) {
      body.subscribe(subscriber);
    }
  }

  /** A body as UTF-8, read to {@link #MAX_BODY}. */
  private record Body(String text, boolean tooLarge) {
    static HttpResponse.BodyHandler<Body> handler() {
      return info -> new Reader();
    }

    private static final class Reader implements BodySubscriber<Body> {
      private final CompletableFuture<Body> whole = new CompletableFuture<>();
      private final ByteArrayOutputStream read = new ByteArrayOutputStream();
      private Flow.@Nullable Subscription subscription;

      @Override
      public CompletionStage<Body> getBody() {
        return whole;
      }

      @Override
      public void onSubscribe(Flow.Subscription given) {
        subscription = given;
        given.request(Long.MAX_VALUE);
      }

      @Override
      public void onNext(List<ByteBuffer> buffers) {
        for (ByteBuffer buffer : buffers) {
          int room = MAX_BODY - read.size();
          byte[] some = new byte[Math.min(room, buffer.remaining())];
          buffer.get(some);
          read.writeBytes(some);
          if (buffer.hasRemaining()) {
            // Completed first: the cancel ends in onError.
            whole.complete(new Body(read.toString(StandardCharsets.UTF_8), true));
            if (subscription != null) {
              subscription.cancel();
            }
            return;
          }
        }
      }

      @Override
      public void onError(Throwable fault) {
        whole.completeExceptionally(fault);
      }

      @Override
      public void onComplete() {
        whole.complete(new Body(read.toString(StandardCharsets.UTF_8), false));
      }
    }
  }
}
