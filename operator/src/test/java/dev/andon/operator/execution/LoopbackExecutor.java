package dev.andon.operator.execution;

import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Message;
import dev.andon.executor.v1.CancelRequest;
import dev.andon.executor.v1.CancelResponse;
import dev.andon.executor.v1.ExecutorProto;
import dev.andon.executor.v1.Job;
import dev.andon.executor.v1.ObserveRequest;
import dev.andon.executor.v1.ObserveResponse;
import dev.andon.executor.v1.RunRequest;
import dev.andon.executor.v1.RunResponse;
import dev.andon.executor.v1.State;
import dev.andon.executor.v1.ValidateRequest;
import dev.andon.executor.v1.ValidateResponse;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;

/**
 * An executor that answers as a test says. What it was not told to answer it does not implement.
 */
final class LoopbackExecutor implements AutoCloseable {
  /** A request that came in whole. */
  record Call(String method, Job job) {}

  /** What is answered. */
  sealed interface Reply {
    record Say(State state) implements Reply {}

    record Find(List<String> findings) implements Reply {}

    record Code(Status status) implements Reply {}

    /** Nothing, until the caller gives up. */
    record Never() implements Reply {}
  }

  private final Map<String, Function<Job, Reply>> replies = new ConcurrentHashMap<>();
  private final List<Call> calls = new CopyOnWriteArrayList<>();
  private final List<String> cancelled = new CopyOnWriteArrayList<>();
  private final Server server;

  LoopbackExecutor() {
    this(0);
  }

  LoopbackExecutor(int port) {
    this(port, null);
  }

  /** {@code tls}: null for without. */
  LoopbackExecutor(int port, SslContext tls) {
    ServerServiceDefinition service =
        ServerServiceDefinition.builder(
                ExecutorProto.getDescriptor().findServiceByName("JobExecutor").getFullName())
            .addMethod(
                method(
                    "Validate",
                    ValidateRequest.getDefaultInstance(),
                    ValidateResponse.getDefaultInstance()),
                (call, headers) -> new Listener<>(call, ValidateRequest::getJob))
            .addMethod(
                method("Run", RunRequest.getDefaultInstance(), RunResponse.getDefaultInstance()),
                (call, headers) -> new Listener<>(call, RunRequest::getJob))
            .addMethod(
                method(
                    "Observe",
                    ObserveRequest.getDefaultInstance(),
                    ObserveResponse.getDefaultInstance()),
                (call, headers) -> new Listener<>(call, ObserveRequest::getJob))
            .addMethod(
                method(
                    "Cancel",
                    CancelRequest.getDefaultInstance(),
                    CancelResponse.getDefaultInstance()),
                (call, headers) -> new Listener<>(call, CancelRequest::getJob))
            .build();
    try {
      server =
          NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", port))
              .sslContext(tls)
              .addService(service)
              .build()
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  int port() {
    return server.getPort();
  }

  String target() {
    return "127.0.0.1:" + server.getPort();
  }

  /** From now on. */
  void on(String method, Reply reply) {
    replies.put(method, job -> reply);
  }

  /** From now on: one after the other, and the last one again and again. */
  void on(String method, Reply first, Reply... then) {
    var left = new java.util.ArrayDeque<Reply>(List.of(then));
    left.addFirst(first);
    on(
        method,
        job -> {
          synchronized (left) {
            return left.size() > 1 ? left.poll() : left.peek();
          }
        });
  }

  void on(String method, Function<Job, Reply> reply) {
    replies.put(method, reply);
  }

  List<Call> calls() {
    return List.copyOf(calls);
  }

  List<Call> calls(String method) {
    return calls.stream().filter(call -> call.method().equals(method)).toList();
  }

  /** Methods of calls that the caller gave up. */
  List<String> givenUp() {
    return List.copyOf(cancelled);
  }

  @Override
  public void close() {
    server.shutdownNow();
    try {
      server.awaitTermination();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private final class Listener<Q, A> extends ServerCall.Listener<Q> {
    private final ServerCall<Q, A> call;
    private final Function<Q, Job> jobOf;
    private Q request;

    Listener(ServerCall<Q, A> call, Function<Q, Job> jobOf) {
      this.call = call;
      this.jobOf = jobOf;
      call.request(2);
    }

    @Override
    public void onMessage(Q message) {
      request = message;
    }

    @Override
    @SuppressWarnings("unchecked")
    public void onHalfClose() {
      String method = call.getMethodDescriptor().getBareMethodName();
      Job job = jobOf.apply(request);
      calls.add(new Call(method, job));
      Function<Job, Reply> reply = replies.get(method);
      switch (reply == null ? new Reply.Code(Status.UNIMPLEMENTED) : reply.apply(job)) {
        case Reply.Code(Status status) -> call.close(status, new Metadata());
        case Reply.Never() -> {}
        case Reply.Find(List<String> findings) ->
            answer((A) ValidateResponse.newBuilder().addAllFindings(findings).build());
        case Reply.Say(State state) ->
            answer(
                (A)
                    switch (method) {
                      case "Run" -> RunResponse.newBuilder().setState(state).build();
                      case "Observe" -> ObserveResponse.newBuilder().setState(state).build();
                      default -> CancelResponse.newBuilder().setState(state).build();
                    });
      }
    }

    private void answer(A message) {
      call.sendHeaders(new Metadata());
      call.sendMessage(message);
      call.close(Status.OK, new Metadata());
    }

    @Override
    public void onCancel() {
      cancelled.add(call.getMethodDescriptor().getBareMethodName());
    }
  }

  private static <Q extends Message, A extends Message> io.grpc.MethodDescriptor<Q, A> method(
      String name, Q request, A answer) {
    MethodDescriptor known =
        ExecutorProto.getDescriptor().findServiceByName("JobExecutor").findMethodByName(name);
    return io.grpc.MethodDescriptor.<Q, A>newBuilder()
        .setType(MethodType.UNARY)
        .setFullMethodName(known.getService().getFullName() + "/" + known.getName())
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
          throw new UncheckedIOException(e);
        }
      }
    };
  }
}
