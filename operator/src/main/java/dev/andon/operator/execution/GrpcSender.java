package dev.andon.operator.execution;

import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Message;
import dev.andon.executor.v1.CancelRequest;
import dev.andon.executor.v1.CancelResponse;
import dev.andon.executor.v1.ExecutorProto;
import dev.andon.executor.v1.ObserveRequest;
import dev.andon.executor.v1.ObserveResponse;
import dev.andon.executor.v1.RunRequest;
import dev.andon.executor.v1.RunResponse;
import dev.andon.executor.v1.ValidateRequest;
import dev.andon.executor.v1.ValidateResponse;
import dev.andon.operator.stop.Permit;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.nio.NioIoHandler;
import io.grpc.netty.shaded.io.netty.channel.socket.nio.NioSocketChannel;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslProvider;
import io.grpc.netty.shaded.io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * The one way out over gRPC: nothing else in the operator knows of {@code io.grpc} (an ArchUnit
 * test sees to it). {@link #run} needs a permit and puts at most one request on the wire for it;
 * the others make nothing happen that was not decided already.
 *
 * <p>How "at most one" is kept:
 *
 * <ul>
 *   <li>{@code disableRetry}: no retries and no hedging by policy, and no transparent repeat of
 *       what a server says that it has not processed (REFUSED_STREAM, GOAWAY; gRFC A6).
 *   <li>{@code disableServiceConfigLookUp}: no such policy from DNS. No proxy, whatever the JVM is
 *       told.
 *   <li>The permit is used when the stream is there and the request is about to be written, however
 *       long it took to resolve names, to connect, and until the server let another stream begin:
 *       {@link Fence}, in {@code onReady}. gRPC says of a unary call only that it <em>was</em>
 *       sent; therefore Run is called as one that streams its requests, of which there is one. On
 *       the wire the two are the same.
 * </ul>
 *
 * <p>A channel is made when a target is first used, and closes its connection when nothing was
 * under way for {@link #IDLE}: a connection that something between has forgotten is found out by a
 * request that gets lost. All of them share one thread, which comes and goes with them; what they
 * call back runs on virtual threads.
 */
final class GrpcSender implements AutoCloseable {
  /** Held here: one that is not is forgotten, with its level. */
  private static final java.util.logging.Logger GRPC_LOG =
      java.util.logging.Logger.getLogger("io.grpc");

  /** Of one answer, in bytes. */
  static final int MAX_MESSAGE = 1 << 20;

  static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
  private static final Duration ABORTING = Duration.ofSeconds(1);
  private static final Duration IDLE = Duration.ofSeconds(5);
  private static final Duration FORGOTTEN = Duration.ofMinutes(1);

  /**
   * More than the five minutes that servers allow by default, less than the 350 s after which some
   * load balancers forget a connection.
   */
  private static final Duration PING = Duration.ofSeconds(310);

  private static final Duration PING_TIMEOUT = Duration.ofSeconds(20);

  /** With these the protocol lets an executor say that it has begun nothing. */
  private static final Set<Status.Code> REFUSALS =
      Set.of(
          Status.Code.INVALID_ARGUMENT,
          Status.Code.UNAUTHENTICATED,
          Status.Code.PERMISSION_DENIED,
          Status.Code.UNIMPLEMENTED);

  private final Time time;
  private final Map<Target, Line> lines = new HashMap<>();
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private @Nullable EventLoopGroup eventLoop;
  private boolean closed;

  GrpcSender(Time time) {
    this.time = time;
  }

  /**
   * Where an executor is.
   *
   * @param address host and port
   */
  record Target(String address, boolean plaintext) {
    /** By which circuit breakers tell targets apart. */
    String origin() {
      return (plaintext ? "grpc://" : "grpcs://") + address;
    }
  }

  /** What became of a Run. */
  sealed interface Sent {
    /** It was sent and answered. */
    record Answered(RunResponse response) implements Sent {}

    /**
     * It was answered that nothing was begun, or will be.
     *
     * @param code a gRPC status code, such as PERMISSION_DENIED
     */
    record Refused(String code, String why) implements Sent {}

    /** It was not sent, and will not be: the permit was no longer good. */
    record NoPermit() implements Sent {}

    /** It was not sent, and will not be: no connection. */
    record NoConnection(String why) implements Sent {}

    /** It was not sent, and will not be: the server has as many calls as it allows. */
    record NoRoom() implements Sent {}

    /**
     * The thread was interrupted; the call is cancelled.
     *
     * @param sent whether it may have been sent
     */
    record Interrupted(boolean sent) implements Sent {}

    /** It was sent, and no whole answer came. */
    record Lost(String why) implements Sent {}

    /**
     * No answer in time; the call is cancelled.
     *
     * @param sent whether it may have been sent
     */
    record TimedOut(boolean sent) implements Sent {}
  }

  /** There is no answer to what was asked. */
  static final class Unanswered extends Exception {
    private static final long serialVersionUID = 1;
    private final Status.Code code;

    private Unanswered(Status status) {
      super(said(status));
      this.code = status.getCode();
    }

    /** The executor does not have this method. */
    boolean unimplemented() {
      return code == Status.Code.UNIMPLEMENTED;
    }

    boolean invalidArgument() {
      return code == Status.Code.INVALID_ARGUMENT;
    }

    /** Whether nobody was reached, or what was reached is overloaded or broken. */
    boolean targetFailed() {
      return code != Status.Code.UNAUTHENTICATED && code != Status.Code.PERMISSION_DENIED;
    }
  }

  /**
   * Sends Run once, if the permit is still good when the request is about to be written, and waits
   * for the answer.
   *
   * @param timeout over everything: connecting, sending, the whole answer
   */
  Sent run(Permit permit, Target target, RunRequest request, Duration timeout) {
    try {
      return run(take(target), permit, target, request, timeout);
    } catch (IOException e) {
      return new Sent.NoConnection(Messages.of(e));
    }
  }

  /**
   * Another call may have discarded the line since it was taken, and this one have failed of that
   * alone: nothing was sent then, and once more it takes one.
   */
  Sent run(Line taken, Permit permit, Target target, RunRequest request, Duration timeout)
      throws IOException {
    long begun = time.nanos();
    Sent sent = sendOn(taken, permit, request, timeout);
    if (!isDead(sent) || discard(target, taken) || !(sent instanceof Sent.NoConnection)) {
      return sent;
    }
    Line another = take(target);
    Sent again = sendOn(another, permit, request, timeout.minusNanos(time.nanos() - begun));
    if (isDead(again)) {
      discard(target, another);
    }
    return again;
  }

  /** Whether the next call is not to go the same way. */
  private static boolean isDead(Sent sent) {
    return sent instanceof Sent.NoConnection || sent.equals(new Sent.TimedOut(true));
  }

  private Sent sendOn(Line line, Permit permit, RunRequest request, Duration timeout) {
    try {
      return send(line.channel, permit, request, timeout);
    } finally {
      release(line);
    }
  }

  private Sent send(ManagedChannel channel, Permit permit, RunRequest request, Duration timeout) {
    ClientCall<RunRequest, RunResponse> call = channel.newCall(Methods.RUN, options(timeout));
    var fence = new Fence(permit);
    var answer =
        new Answer<RunRequest, RunResponse>(call) {
          @Override
          public void onReady() {
            switch (fence.ask()) {
              case PASSED_NOW -> {
                call.sendMessage(request);
                call.halfClose();
              }
              case REFUSED_NOW -> call.cancel("the permit is no longer good", null);
              case NOTHING_NEW -> {}
            }
          }
        };
    call.start(answer, new Metadata());
    call.request(2);
    try {
      if (!fence.awaitAsked(time, least(CONNECT_TIMEOUT, timeout), answer.whole)
          && !fence.close()) {
        call.cancel("not begun in time", null);
        return timeout.compareTo(CONNECT_TIMEOUT) < 0
            ? new Sent.TimedOut(false)
            : channel.getState(false) == ConnectivityState.READY
                ? new Sent.NoRoom()
                : new Sent.NoConnection("none within %d s".formatted(CONNECT_TIMEOUT.toSeconds()));
      }
      return new Sent.Answered(time.get(answer.whole, timeout));
    } catch (InterruptedException e) {
      boolean sent = fence.close();
      call.cancel("the attempt is cancelled", null);
      return new Sent.Interrupted(sent);
    } catch (TimeoutException e) {
      boolean sent = fence.close();
      call.cancel("the attempt's time is over", null);
      return new Sent.TimedOut(sent);
    } catch (ExecutionException e) {
      Status status = Status.fromThrowable(e);
      if (REFUSALS.contains(status.getCode())) {
        return new Sent.Refused(status.getCode().name(), said(status));
      }
      return switch (fence.state()) {
        case REFUSED -> new Sent.NoPermit();
        case PASSED ->
            status.getCode() == Status.Code.DEADLINE_EXCEEDED
                ? new Sent.TimedOut(true)
                : new Sent.Lost(said(status));
        case WAITING, CLOSED ->
            status.getCode() == Status.Code.DEADLINE_EXCEEDED
                ? new Sent.TimedOut(false)
                : new Sent.NoConnection(said(status));
      };
    }
  }

  ValidateResponse validate(Target target, ValidateRequest request, Duration timeout)
      throws Unanswered, InterruptedException {
    return ask(target, () -> Methods.VALIDATE, request, timeout);
  }

  ObserveResponse observe(Target target, ObserveRequest request, Duration timeout)
      throws Unanswered, InterruptedException {
    return ask(target, () -> Methods.OBSERVE, request, timeout);
  }

  CancelResponse cancel(Target target, CancelRequest request, Duration timeout)
      throws Unanswered, InterruptedException {
    return ask(target, () -> Methods.CANCEL, request, timeout);
  }

  private <Q extends Message, A extends Message> A ask(
      Target target, Supplier<io.grpc.MethodDescriptor<Q, A>> method, Q request, Duration timeout)
      throws Unanswered, InterruptedException {
    try {
      return ask(take(target), target, method, request, timeout);
    } catch (IOException e) {
      throw new Unanswered(Status.UNAVAILABLE.withDescription(Messages.of(e)));
    }
  }

  /**
   * As {@link #run(Line, Permit, Target, RunRequest, Duration)}; what is asked may be asked again.
   */
  <Q extends Message, A extends Message> A ask(
      Line taken,
      Target target,
      Supplier<io.grpc.MethodDescriptor<Q, A>> method,
      Q request,
      Duration timeout)
      throws IOException, Unanswered, InterruptedException {
    long begun = time.nanos();
    try {
      return askOn(taken, method, request, timeout);
    } catch (Unanswered e) {
      if (!isDead(taken, e) || discard(target, taken) || e.code != Status.Code.UNAVAILABLE) {
        throw e;
      }
    }
    Line another = take(target);
    try {
      return askOn(another, method, request, timeout.minusNanos(time.nanos() - begun));
    } catch (Unanswered e) {
      if (isDead(another, e)) {
        discard(target, another);
      }
      throw e;
    }
  }

  /** Whether the next call is not to go the same way. */
  private static boolean isDead(Line line, Unanswered e) {
    return e.code == Status.Code.DEADLINE_EXCEEDED
        || line.channel.getState(false) != ConnectivityState.READY;
  }

  private <Q extends Message, A extends Message> A askOn(
      Line line, Supplier<io.grpc.MethodDescriptor<Q, A>> method, Q request, Duration timeout)
      throws Unanswered, InterruptedException {
    ClientCall<Q, A> call = line.channel.newCall(method.get(), options(timeout));
    try {
      var answer = new Answer<Q, A>(call);
      call.start(answer, new Metadata());
      call.request(2);
      call.sendMessage(request);
      call.halfClose();
      return time.get(answer.whole, timeout);
    } catch (InterruptedException e) {
      call.cancel("nobody waits for the answer", null);
      throw e;
    } catch (TimeoutException e) {
      call.cancel("no answer in time", null);
      throw new Unanswered(
          Status.DEADLINE_EXCEEDED.withDescription(
              "no answer within %d s".formatted(Math.max(1, timeout.toSeconds()))));
    } catch (ExecutionException e) {
      throw new Unanswered(Status.fromThrowable(e));
    } finally {
      release(line);
    }
  }

  /** Aborts what is under way; what comes after may rely on it that nothing is sent any more. */
  @Override
  public void close() {
    List<ManagedChannel> open = new ArrayList<>();
    EventLoopGroup group;
    synchronized (this) {
      closed = true;
      lines.values().forEach(line -> open.add(line.channel));
      lines.clear();
      group = eventLoop;
    }
    open.forEach(ManagedChannel::shutdownNow);
    try {
      for (ManagedChannel channel : open) {
        boolean _ = channel.awaitTermination(ABORTING.toMillis(), TimeUnit.MILLISECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (group != null) {
      group.shutdownGracefully(0, ABORTING.toMillis(), TimeUnit.MILLISECONDS);
    }
    threads.shutdownNow();
  }

  // --- channels ---

  /** A channel, and how many calls hold it. Guarded by the sender. */
  static final class Line {
    private final ManagedChannel channel;
    private int users;
    private long unusedSince;

    Line(ManagedChannel channel) {
      this.channel = channel;
    }
  }

  /**
   * A channel whose last connection failed fails every call until it tries again by itself, up to
   * two minutes later: a fresh one takes its place, and tries now. A channel fails its calls a
   * moment before it says that it is in that state, so {@link #discard} does not ask it.
   */
  synchronized Line take(Target target) throws IOException {
    if (closed) {
      throw new IOException("the operator is ending");
    }
    closeUnused();
    Line line = lines.get(target);
    if (line != null && line.channel.getState(false) == ConnectivityState.TRANSIENT_FAILURE) {
      line.channel.shutdown();
      line = null;
    }
    if (line == null) {
      line = new Line(channel(target));
      lines.put(target, line);
    }
    line.users++;
    return line;
  }

  /**
   * After a call that reached nobody, or got no answer in time: the next one gets a connection of
   * its own. Nothing else finds out that a node is silently dead while calls go on and on: the
   * connection is never idle, and pings are rare. What is under way on it goes on.
   *
   * @return whether it was still the one in use; else another call has discarded it
   */
  synchronized boolean discard(Target target, Line line) {
    boolean inUse = lines.remove(target, line);
    if (inUse) {
      line.channel.shutdown();
    }
    return inUse;
  }

  private synchronized void release(Line line) {
    line.users--;
    line.unusedSince = time.nanos();
  }

  private void closeUnused() {
    long now = time.nanos();
    for (Iterator<Line> all = lines.values().iterator(); all.hasNext(); ) {
      Line line = all.next();
      if (line.users == 0 && now - line.unusedSince > FORGOTTEN.toNanos()) {
        all.remove();
        line.channel.shutdown();
      }
    }
  }

  private ManagedChannel channel(Target target) throws IOException {
    if (eventLoop == null) {
      // It tells of every stream that ends otherwise than by an answer; what matters of that is in
      // the attempt's outcome.
      GRPC_LOG.setLevel(java.util.logging.Level.WARNING);
      eventLoop =
          new MultiThreadIoEventLoopGroup(
              1, new DefaultThreadFactory("grpc", true), NioIoHandler.newFactory());
    }
    NettyChannelBuilder builder =
        NettyChannelBuilder.forTarget("dns:///" + target.address())
            .eventLoopGroup(eventLoop)
            .channelType(NioSocketChannel.class)
            .executor(threads)
            .offloadExecutor(threads)
            .withOption(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) CONNECT_TIMEOUT.toMillis())
            .disableRetry()
            .disableServiceConfigLookUp()
            .proxyDetector(address -> null)
            .maxInboundMessageSize(MAX_MESSAGE)
            .userAgent("andon-operator")
            .idleTimeout(IDLE.toMillis(), TimeUnit.MILLISECONDS)
            .keepAliveTime(PING.toMillis(), TimeUnit.MILLISECONDS)
            .keepAliveTimeout(PING_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    if (target.plaintext()) {
      return builder.usePlaintext().build();
    }
    try {
      // The JVM's own TLS, and so its trust store: nothing is unpacked into a file system that may
      // be read-only.
      return builder
          .sslContext(
              GrpcSslContexts.configure(SslContextBuilder.forClient(), SslProvider.JDK).build())
          .build();
    } catch (SSLException e) {
      throw new IOException(e);
    }
  }

  /** The executor is told too how long its answer is waited for. */
  private CallOptions options(Duration timeout) {
    return CallOptions.DEFAULT.withDeadlineAfter(
        millis(time.ofTheMachine(timeout)), TimeUnit.MILLISECONDS);
  }

  private static long millis(Duration timeout) {
    return Math.max(1, timeout.toMillis());
  }

  private static Duration least(Duration a, Duration b) {
    return a.compareTo(b) <= 0 ? a : b;
  }

  /** Code and description, as {@code UNAVAILABLE: io exception: Connection refused}. */
  private static String said(Status status) {
    var text = new StringBuilder(status.getCode().name());
    if (status.getDescription() != null) {
      text.append(": ").append(status.getDescription());
    }
    Throwable cause = status.getCause();
    if (cause != null && cause.getMessage() != null) {
      text.append(": ").append(cause.getMessage());
    }
    return text.toString();
  }

  // --- calls ---

  /** Takes one whole answer. */
  private static class Answer<Q, A> extends ClientCall.Listener<A> {
    final CompletableFuture<A> whole = new CompletableFuture<>();
    private final ClientCall<Q, A> call;
    private @Nullable A message;

    Answer(ClientCall<Q, A> call) {
      this.call = call;
    }

    @Override
    public void onMessage(A given) {
      if (message != null) {
        call.cancel("more than one answer", null);
      }
      message = given;
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      if (!status.isOk()) {
        whole.completeExceptionally(status.asRuntimeException());
      } else if (message == null) {
        whole.completeExceptionally(
            Status.INTERNAL.withDescription("answered without a message").asRuntimeException());
      } else {
        whole.complete(message);
      }
    }
  }

  /** Stands between the call and the wire: lets one request pass, if the permit says so. */
  private static final class Fence {
    enum State {
      WAITING,
      PASSED,
      REFUSED,
      CLOSED
    }

    enum Word {
      PASSED_NOW,
      REFUSED_NOW,
      NOTHING_NEW
    }

    private final Permit permit;
    private final CompletableFuture<Void> asked = new CompletableFuture<>();
    private State state = State.WAITING;

    Fence(Permit permit) {
      this.permit = permit;
    }

    synchronized State state() {
      return state;
    }

    /** Asked when the request can be written; only the first time counts. */
    synchronized Word ask() {
      if (state != State.WAITING) {
        return Word.NOTHING_NEW;
      }
      boolean good = permit.use();
      state = good ? State.PASSED : State.REFUSED;
      asked.complete(null);
      return good ? Word.PASSED_NOW : Word.REFUSED_NOW;
    }

    /** Nothing passes any more. True if something has. */
    synchronized boolean close() {
      if (state == State.WAITING) {
        state = State.CLOSED;
      }
      return state == State.PASSED;
    }

    /** Whether, within this time, the request could be written or the call ended. */
    boolean awaitAsked(Time time, Duration longest, CompletableFuture<?> ended)
        throws InterruptedException {
      try {
        time.get(CompletableFuture.anyOf(asked, ended.handle((a, e) -> null)), longest);
        return true;
      } catch (TimeoutException e) {
        return false;
      } catch (ExecutionException e) {
        throw new IllegalStateException("neither of them fails", e);
      }
    }
  }

  /** Kept apart so that nothing of gRPC is loaded before it is needed. */
  static final class Methods {
    static final io.grpc.MethodDescriptor<RunRequest, RunResponse> RUN =
        method(
            "Run",
            MethodType.CLIENT_STREAMING,
            RunRequest.getDefaultInstance(),
            RunResponse.getDefaultInstance());
    static final io.grpc.MethodDescriptor<ValidateRequest, ValidateResponse> VALIDATE =
        method(
            "Validate",
            MethodType.UNARY,
            ValidateRequest.getDefaultInstance(),
            ValidateResponse.getDefaultInstance());
    static final io.grpc.MethodDescriptor<ObserveRequest, ObserveResponse> OBSERVE =
        method(
            "Observe",
            MethodType.UNARY,
            ObserveRequest.getDefaultInstance(),
            ObserveResponse.getDefaultInstance());
    static final io.grpc.MethodDescriptor<CancelRequest, CancelResponse> CANCEL =
        method(
            "Cancel",
            MethodType.UNARY,
            CancelRequest.getDefaultInstance(),
            CancelResponse.getDefaultInstance());

    private Methods() {}

    private static <Q extends Message, A extends Message> io.grpc.MethodDescriptor<Q, A> method(
        String name, MethodType type, Q request, A answer) {
      MethodDescriptor known =
          ExecutorProto.getDescriptor().findServiceByName("JobExecutor").findMethodByName(name);
      return io.grpc.MethodDescriptor.<Q, A>newBuilder()
          .setType(type)
          .setFullMethodName(
              io.grpc.MethodDescriptor.generateFullMethodName(
                  known.getService().getFullName(), known.getName()))
          .setRequestMarshaller(marshaller(request))
          .setResponseMarshaller(marshaller(answer))
          .build();
    }

    private static <M extends Message> Marshaller<M> marshaller(M type) {
      return new Marshaller<>() {
        @Override
        public InputStream stream(M message) {
          return message.toByteString().newInput();
        }

        @Override
        @SuppressWarnings("unchecked")
        public M parse(InputStream stream) {
          try {
            return (M) type.getParserForType().parseFrom(stream);
          } catch (IOException e) {
            throw new StatusRuntimeException(
                Status.INTERNAL.withDescription("answered what is no message").withCause(e));
          }
        }
      };
    }
  }
}
