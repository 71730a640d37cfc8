package dev.andon.operator.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.andon.executor.v1.Job;
import dev.andon.executor.v1.ObserveRequest;
import dev.andon.executor.v1.RunRequest;
import dev.andon.executor.v1.State;
import dev.andon.executor.v1.Succeeded;
import dev.andon.operator.execution.GrpcSender.Line;
import dev.andon.operator.execution.GrpcSender.Methods;
import dev.andon.operator.execution.GrpcSender.Sent;
import dev.andon.operator.execution.GrpcSender.Target;
import dev.andon.operator.execution.GrpcSender.Unanswered;
import dev.andon.operator.execution.LoopbackExecutor.Reply;
import dev.andon.operator.stop.Permit;
import dev.andon.operator.stop.TestPermits;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.KeyManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** One permit, one request on the wire. */
class GrpcSenderTest {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final RunRequest REQUEST =
      RunRequest.newBuilder().setJob(Job.newBuilder().setKey("4d3f/erase/0/1")).build();

  private static final ObserveRequest OBSERVE =
      ObserveRequest.newBuilder().setJob(REQUEST.getJob()).build();

  private final GrpcSender sender = new GrpcSender(Time.REAL);

  @AfterEach
  void close() {
    sender.close();
  }

  private Sent send(Permit permit, String target) {
    return sender.run(permit, new Target(target, true), REQUEST, LONG);
  }

  @ParameterizedTest
  @EnumSource(RawHttp2.Manner.class)
  void what_a_server_says_it_has_not_processed_is_not_sent_once_more(RawHttp2.Manner manner)
      throws IOException {
    try (var server = new RawHttp2(manner, 100).greet()) {
      assertThat(send(TestPermits.good(), server.target())).isInstanceOf(Sent.Lost.class);

      assertThat(server.requests()).isEqualTo(1);
      assertThat(server.connections()).isEqualTo(1);
    }
  }

  @Test
  void the_permit_is_looked_at_when_the_connection_stands() throws Exception {
    try (var server = new RawHttp2(RawHttp2.Manner.DROP, 100)) {
      var open = new AtomicBoolean(true);
      Permit permit = TestPermits.goodWhile(open::get);
      var sent = new CompletableFuture<Sent>();
      Thread.ofVirtual().start(() -> sent.complete(send(permit, server.target())));
      await().atMost(LONG).until(() -> server.connections() == 1);

      open.set(false);
      server.greet();

      assertThat(sent.get(60, TimeUnit.SECONDS)).isEqualTo(new Sent.NoPermit());
      assertThat(server.requests()).isZero();
    }
  }

  @Test
  void while_the_server_lets_no_call_begin_the_permit_is_not_used() throws Exception {
    var used = new AtomicInteger();
    var time = new TimeInHand();
    try (var server = new RawHttp2(RawHttp2.Manner.DROP, 0).greet();
        var timed = new GrpcSender(time)) {
      Permit permit = TestPermits.goodWhile(() -> used.incrementAndGet() > 0);
      var target = new Target(server.target(), true);
      var sent = new CompletableFuture<Sent>();
      Thread.ofVirtual().start(() -> sent.complete(timed.run(permit, target, REQUEST, LONG)));

      await().until(() -> server.known() == 1 && !time.waits().isEmpty());
      time.pass(GrpcSender.CONNECT_TIMEOUT);

      assertThat(sent.get(60, TimeUnit.SECONDS)).isEqualTo(new Sent.NoRoom());

      assertThat(used).hasValue(0);
      assertThat(server.requests()).isZero();
    }
  }

  @Test
  void a_server_that_never_says_who_it_is_gets_nothing() throws Exception {
    try (var server = new RawHttp2(RawHttp2.Manner.DROP, 100)) {
      assertThat(send(TestPermits.good(), server.target())).isInstanceOf(Sent.NoConnection.class);
      assertThat(
              sender.run(
                  TestPermits.good(),
                  new Target(server.target(), true),
                  REQUEST,
                  Duration.ofMillis(300)))
          .isEqualTo(new Sent.TimedOut(false));

      server.greet();
      assertThat(server.requests()).isZero();
    }
  }

  /** A channel fails its calls a moment before it says that it has no connection. */
  @Test
  void each_call_tries_for_itself_however_soon_it_comes() throws Exception {
    var connections = new AtomicInteger();
    try (var door = new ServerSocket(0, 100, InetAddress.getLoopbackAddress())) {
      Thread.ofVirtual()
          .start(
              () -> {
                try {
                  while (true) {
                    Socket caller = door.accept();
                    connections.incrementAndGet();
                    caller.close();
                  }
                } catch (IOException e) {
                  // The door is closed.
                }
              });

      for (int i = 1; i <= 200; i++) {
        assertThat(send(TestPermits.good(), "127.0.0.1:" + door.getLocalPort()))
            .isInstanceOf(Sent.NoConnection.class);
        assertThat(connections).hasValueGreaterThanOrEqualTo(i);
      }
    }
  }

  @Test
  void a_call_whose_channel_another_has_discarded_takes_one_of_its_own() throws Exception {
    try (var server = new LoopbackExecutor()) {
      server.on("Run", done());
      server.on("Observe", done());
      var target = new Target(server.target(), true);

      assertThat(sender.run(discarded(target), TestPermits.good(), target, REQUEST, LONG))
          .isInstanceOf(Sent.Answered.class);
      assertThat(
              sender
                  .ask(discarded(target), target, () -> Methods.OBSERVE, OBSERVE, LONG)
                  .getState()
                  .hasSucceeded())
          .isTrue();

      assertThat(server.calls()).hasSize(2);
    }
  }

  @Test
  void it_takes_no_third() throws Exception {
    try (var server = new RawHttp2(RawHttp2.Manner.DROP, 100).greet()) {
      var target = new Target(server.target(), true);

      assertThat(sender.run(discarded(target), TestPermits.good(), target, REQUEST, LONG))
          .isInstanceOf(Sent.Lost.class);

      assertThat(server.requests()).isEqualTo(1);
    }
    var nobody = new Target("127.0.0.1:1", true);
    assertThat(sender.run(discarded(nobody), TestPermits.good(), nobody, REQUEST, LONG))
        .isInstanceOfSatisfying(
            Sent.NoConnection.class, no -> assertThat(no.why()).contains("refused"));
  }

  private Line discarded(Target target) throws IOException {
    Line line = sender.take(target);
    assertThat(sender.discard(target, line)).isTrue();
    return line;
  }

  /** As of a node that lost its power: what is sent to it is gone, and nothing says so. */
  @Test
  void after_a_call_without_an_answer_the_next_has_a_connection_of_its_own() throws Exception {
    try (var server = new LoopbackExecutor();
        var proxy = new SwallowingProxy(server.port())) {
      server.on("Observe", done());
      var target = new Target("127.0.0.1:" + proxy.port(), true);
      sender.observe(target, OBSERVE, LONG);
      proxy.swallow();

      assertThatThrownBy(() -> sender.observe(target, OBSERVE, Duration.ofSeconds(1)))
          .isInstanceOf(Unanswered.class)
          .hasMessageContaining("DEADLINE_EXCEEDED");

      assertThat(sender.observe(target, OBSERVE, LONG).getState().hasSucceeded()).isTrue();
      assertThat(proxy.connections()).isEqualTo(2);
    }
  }

  @Test
  void after_a_run_without_an_answer_the_next_has_a_connection_of_its_own() throws Exception {
    var time = new TimeInHand();
    try (var server = new LoopbackExecutor();
        var proxy = new SwallowingProxy(server.port());
        var timed = new GrpcSender(time)) {
      server.on("Run", done());
      server.on("Observe", done());
      var target = new Target("127.0.0.1:" + proxy.port(), true);
      timed.observe(target, OBSERVE, LONG);
      proxy.swallow();
      Duration longer = LONG.plusSeconds(1);
      var sent = new CompletableFuture<Sent>();
      Thread.ofVirtual()
          .start(() -> sent.complete(timed.run(TestPermits.good(), target, REQUEST, longer)));

      // It is written, and its answer waited for.
      await().until(() -> time.waits().contains(longer));
      time.pass(longer);

      assertThat(sent.get(60, TimeUnit.SECONDS)).isEqualTo(new Sent.TimedOut(true));
      assertThat(timed.observe(target, OBSERVE, LONG).getState().hasSucceeded()).isTrue();
      assertThat(server.calls("Run")).isEmpty();
    }
  }

  @Test
  void where_nobody_listens_it_is_known_at_once_and_tried_afresh_the_next_time() throws Exception {
    int port;
    try (var socket = new ServerSocket(0)) {
      port = socket.getLocalPort();
    }
    String target = "127.0.0.1:" + port;
    assertThat(send(TestPermits.good(), target))
        .isInstanceOfSatisfying(
            Sent.NoConnection.class, no -> assertThat(no.why()).contains("refused"));
    assertThat(send(TestPermits.good(), target)).isInstanceOf(Sent.NoConnection.class);

    try (var server = new LoopbackExecutor(port)) {
      server.on("Run", done());

      // gRPC by itself would wait for more than a second before it tried this address again.
      assertThat(send(TestPermits.good(), target)).isInstanceOf(Sent.Answered.class);
    }
  }

  @Test
  void an_executor_that_speaks_no_tls_is_not_reached_with_it() {
    try (var server = new LoopbackExecutor()) {
      server.on("Run", done());

      assertThat(sender.run(TestPermits.good(), new Target(server.target(), false), REQUEST, LONG))
          .isInstanceOf(Sent.NoConnection.class);

      assertThat(server.calls()).isEmpty();
    }
  }

  @Test
  void with_tls_it_speaks_to_whom_the_trust_store_knows_and_to_nobody_else(@TempDir Path folder)
      throws Exception {
    Path store = folder.resolve("executor.p12");
    assertThat(
            new ProcessBuilder(
                    Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                    "-genkeypair",
                    "-alias",
                    "executor",
                    "-keyalg",
                    "EC",
                    "-dname",
                    "CN=executor",
                    "-ext",
                    "san=ip:127.0.0.1",
                    "-storetype",
                    "PKCS12",
                    "-storepass",
                    "changeit",
                    "-keystore",
                    store.toString())
                .inheritIO()
                .start()
                .waitFor())
        .isZero();
    try (var server = new LoopbackExecutor(0, tls(store))) {
      server.on("Run", done());
      var target = new Target(server.target(), false);

      assertThat(sender.run(TestPermits.good(), target, REQUEST, LONG))
          .isInstanceOf(Sent.NoConnection.class);
      assertThat(server.calls()).isEmpty();

      System.setProperty("javax.net.ssl.trustStore", store.toString());
      System.setProperty("javax.net.ssl.trustStorePassword", "changeit");
      try {
        assertThat(sender.run(TestPermits.good(), target, REQUEST, LONG))
            .isInstanceOf(Sent.Answered.class);
      } finally {
        System.clearProperty("javax.net.ssl.trustStore");
        System.clearProperty("javax.net.ssl.trustStorePassword");
      }
    }
  }

  private static SslContext tls(Path store) throws Exception {
    KeyStore keys = KeyStore.getInstance(store.toFile(), "changeit".toCharArray());
    var factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    factory.init(keys, "changeit".toCharArray());
    return GrpcSslContexts.configure(SslContextBuilder.forServer(factory), SslProvider.JDK).build();
  }

  @Test
  void a_closed_sender_sends_nothing() {
    try (var server = new LoopbackExecutor()) {
      server.on("Run", done());
      assertThat(send(TestPermits.good(), server.target())).isInstanceOf(Sent.Answered.class);

      sender.close();

      assertThat(send(TestPermits.good(), server.target())).isInstanceOf(Sent.NoConnection.class);
      assertThat(server.calls()).hasSize(1);
    }
  }

  @Test
  void closing_ends_what_is_under_way() throws Exception {
    try (var server = new LoopbackExecutor()) {
      server.on("Run", new Reply.Never());
      var sent = new CompletableFuture<Sent>();
      Thread.ofVirtual().start(() -> sent.complete(send(TestPermits.good(), server.target())));
      await().atMost(LONG).until(() -> server.calls().size() == 1);

      sender.close();

      assertThat(sent.get(60, TimeUnit.SECONDS)).isInstanceOf(Sent.Lost.class);
    }
  }

  private static Reply done() {
    return new Reply.Say(State.newBuilder().setSucceeded(Succeeded.getDefaultInstance()).build());
  }
}
