package dev.andon.operator.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.andon.operator.execution.HttpSender.Sent;
import dev.andon.operator.execution.LoopbackServer.Reply;
import dev.andon.operator.stop.Permit;
import dev.andon.operator.stop.TestPermits;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class HttpSenderTest {
  private static final Duration LONG = Duration.ofSeconds(10);

  private final LoopbackServer target = new LoopbackServer();
  private final TimeInHand time = new TimeInHand();
  private final HttpSender sender = new HttpSender(time);

  @AfterEach
  void close() throws IOException {
    sender.close();
    target.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
  void a_dropped_answer_on_a_new_connection_is_one_request(String method) {
    target.always(new Reply.Drop());

    Sent sent = sender.send(TestPermits.good(), request(method), LONG);

    assertThat(sent).isInstanceOf(Sent.Lost.class);
    assertThat(target.requests()).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
  void a_dropped_answer_on_a_used_connection_is_one_request(String method) {
    // The first is answered, so that the second finds a connection in the client's pool.
    target.then(Reply.of(200)).always(new Reply.Drop());
    sender.send(TestPermits.good(), request(method), LONG);

    Sent sent = sender.send(TestPermits.good(), request(method), LONG);

    assertThat(sent).isInstanceOf(Sent.Lost.class);
    assertThat(target.requests()).hasSize(2);
  }

  @Test
  void without_the_fence_the_client_would_send_a_get_twice() throws Exception {
    // The reason for the fence. If this fails, the JDK has changed, and HttpSender's text with it.
    target.always(new Reply.Drop());

    assertThatThrownBy(() -> sender.ask(request("GET"), LONG)).isInstanceOf(IOException.class);

    assertThat(target.requests()).hasSize(2);
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET", "POST"})
  void a_permit_that_went_stale_sends_nothing(String method) {
    Sent sent = sender.send(TestPermits.goodWhile(() -> false), request(method), LONG);

    assertThat(sent).isEqualTo(new Sent.NoPermit());
    assertThat(target.requests()).isEmpty();
  }

  @Test
  void a_used_permit_sends_nothing() {
    Permit permit = TestPermits.good();
    sender.send(permit, request("POST"), LONG);

    assertThat(sender.send(permit, request("POST"), LONG)).isEqualTo(new Sent.NoPermit());

    assertThat(target.requests()).hasSize(1);
  }

  @Test
  void the_permit_is_asked_when_the_connection_stands() {
    var connectionsWhenAsked = new AtomicReference<Integer>();
    Permit permit =
        TestPermits.goodWhile(
            () -> {
              await().until(() -> target.connections() == 1);
              connectionsWhenAsked.set(target.connections());
              return true;
            });

    sender.send(permit, request("POST"), LONG);

    assertThat(connectionsWhenAsked).hasValue(1);
  }

  @Test
  void a_refused_connection_does_not_touch_the_permit() throws IOException {
    Permit permit = TestPermits.good();
    int closedPort;
    try (var socket = new ServerSocket(0)) {
      closedPort = socket.getLocalPort();
    }
    var nowhere =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + closedPort + "/")).build();

    assertThat(sender.send(permit, nowhere, LONG)).isInstanceOf(Sent.NoConnection.class);

    assertThat(permit.use()).isTrue();
  }

  @Test
  void garbage_in_place_of_http_is_lost() {
    target.always(new Reply.Raw("lorem ipsum\r\ndolor\r\n\r\n"));

    assertThat(sender.send(TestPermits.good(), request("POST"), LONG))
        .isInstanceOf(Sent.Lost.class);
    assertThat(target.requests()).hasSize(1);
  }

  @Test
  void half_an_answer_is_lost() {
    target.always(new Reply.Raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"));

    assertThat(sender.send(TestPermits.good(), request("POST"), LONG))
        .isInstanceOf(Sent.Lost.class);
  }

  @Test
  void no_answer_is_timed_out_and_the_connection_is_closed() {
    target.always(new Reply.Hang());

    var sent = new AtomicReference<Sent>();
    Thread.startVirtualThread(
        () -> sent.set(sender.send(TestPermits.good(), request("POST"), LONG)));
    await().until(() -> target.requests().size() == 1 && time.waits().contains(LONG));
    time.pass(LONG);

    await().until(() -> sent.get() != null);
    assertThat(sent).hasValue(new Sent.TimedOut(true));
    await().until(() -> target.givenUp() == 1);
  }

  @Test
  void an_interrupt_while_waiting_says_that_it_was_sent() throws InterruptedException {
    target.always(new Reply.Hang());
    var sent = new AtomicReference<Sent>();
    Thread waiting =
        Thread.startVirtualThread(
            () -> sent.set(sender.send(TestPermits.good(), request("POST"), LONG)));
    await().until(() -> target.requests().size() == 1);

    waiting.interrupt();

    assertThat(waiting.join(Duration.ofSeconds(60))).isTrue();
    assertThat(sent).hasValue(new Sent.Interrupted(true));
  }

  @Test
  void an_interrupt_before_the_wire_says_that_it_was_not_sent_and_nothing_is() {
    var sent = new AtomicReference<Sent>();
    var passed = new AtomicBoolean();
    Permit permit =
        TestPermits.goodWhile(
            () -> {
              passed.set(true);
              return true;
            });
    Thread sending =
        Thread.startVirtualThread(
            () -> {
              Thread.currentThread().interrupt();
              sent.set(sender.send(permit, request("POST"), LONG));
            });

    await().until(() -> sent.get() != null);

    // One that comes after it arrives, and then nothing is under way any more.
    sender.send(TestPermits.good(), request("PUT"), LONG);
    sender.close();
    assertThat(target.requests("PUT")).hasSize(1);
    // Either the fence was closed in time, or the request passed it first; both are told truly.
    assertThat(sent).hasValue(new Sent.Interrupted(passed.get()));
    if (!passed.get()) {
      assertThat(target.requests("POST")).isEmpty();
    }
    assertThat(sending.isInterrupted()).isFalse();
  }

  @Test
  void an_interrupt_as_it_is_written_says_that_it_may_have_been_sent() {
    var sent = new AtomicReference<Sent>();
    var sending = new AtomicReference<Thread>();
    Permit permit =
        TestPermits.goodWhile(
            () -> {
              sending.get().interrupt();
              return true;
            });
    sending.set(
        Thread.ofVirtual().unstarted(() -> sent.set(sender.send(permit, request("POST"), LONG))));
    sending.get().start();

    await().until(() -> sent.get() != null);

    assertThat(sent).hasValue(new Sent.Interrupted(true));
  }

  @Test
  void a_body_of_one_mebibyte_is_read_and_one_byte_more_is_not() {
    target.then(
        Reply.text(200, "x".repeat(HttpSender.MAX_BODY)),
        Reply.text(200, "x".repeat(HttpSender.MAX_BODY + 1)));

    var whole = (Sent.Answered) sender.send(TestPermits.good(), request("POST"), LONG);
    var more = (Sent.Answered) sender.send(TestPermits.good(), request("POST"), LONG);

    assertThat(whole.answer().tooLarge()).isFalse();
    assertThat(whole.answer().body()).hasSize(HttpSender.MAX_BODY);
    assertThat(more.answer().tooLarge()).isTrue();
    assertThat(more.answer().body()).hasSize(HttpSender.MAX_BODY);
  }

  @Test
  void no_redirect_is_followed() {
    target.always(Reply.of(307).header("Location", target.url("/elsewhere")));

    var sent = (Sent.Answered) sender.send(TestPermits.good(), request("POST"), LONG);

    assertThat(sent.answer().status()).isEqualTo(307);
    assertThat(target.requests()).hasSize(1);
  }

  /** What a library might answer with a second request of its own. */
  static Stream<Arguments> answersThatTemptALibrary() {
    return Stream.of(
        Arguments.of("301", Reply.of(301).header("Location", "/elsewhere")),
        Arguments.of("308", Reply.of(308).header("Location", "/elsewhere")),
        Arguments.of("401", Reply.of(401).header("WWW-Authenticate", "Basic realm=\"fleet\"")),
        Arguments.of("407", Reply.of(407).header("Proxy-Authenticate", "Basic realm=\"fleet\"")),
        Arguments.of("408", Reply.of(408)),
        Arguments.of("417", Reply.of(417)),
        Arguments.of("421", Reply.of(421)),
        Arguments.of("425", Reply.of(425)),
        Arguments.of("426", Reply.of(426).header("Upgrade", "h2c")),
        Arguments.of("429", Reply.of(429).header("Retry-After", "0")),
        Arguments.of("503", Reply.of(503).header("Retry-After", "0")),
        Arguments.of("go on", new Reply.Raw("HTTP/1.1 100 Continue\r\n\r\n")),
        Arguments.of(
            "other protocol",
            new Reply.Raw(
                "HTTP/1.1 101 Switching Protocols\r\n"
                    + "Connection: Upgrade\r\n"
                    + "Upgrade: h2c\r\n\r\n")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("answersThatTemptALibrary")
  void whatever_is_answered_is_one_request(String name, Reply reply) {
    for (String method : List.of("GET", "POST")) {
      int before = target.requests().size();
      target.then(reply);

      sender.send(TestPermits.good(), request(method), LONG);

      assertThat(target.requests()).as(method).hasSize(before + 1);
    }
    assertThat(target.requests())
        .as("nothing that invites another exchange")
        .allSatisfy(
            request ->
                assertThat(request.headers().keySet())
                    .doesNotContain("upgrade", "expect", "http2-settings", "authorization"));
  }

  @Test
  void a_connection_that_was_idle_for_long_is_not_used_again() {
    sender.send(TestPermits.good(), request("POST"), LONG);
    sender.send(TestPermits.good(), request("POST"), LONG);
    time.pass(Duration.ofSeconds(1));
    sender.send(TestPermits.good(), request("POST"), LONG);
    assertThat(target.connections()).isEqualTo(1);

    time.pass(Duration.ofMillis(1));
    sender.send(TestPermits.good(), request("POST"), LONG);

    assertThat(target.connections()).isEqualTo(2);
  }

  @Test
  void a_send_under_way_outlives_its_client() throws InterruptedException {
    var slow = new java.util.concurrent.CountDownLatch(1);
    target.answering(
        request -> {
          if (request.target().equals("/slow")) {
            try {
              slow.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          }
          return Reply.of(200);
        });
    var sent = new AtomicReference<Sent>();
    Thread waiting =
        Thread.startVirtualThread(
            () ->
                sent.set(
                    sender.send(
                        TestPermits.good(),
                        HttpRequest.newBuilder(URI.create(target.url("/slow"))).build(),
                        LONG)));
    await().until(() -> target.requests().size() == 1);
    time.pass(Duration.ofSeconds(2));
    sender.send(TestPermits.good(), request("POST"), LONG);
    assertThat(target.connections()).as("the second client has its own").isEqualTo(2);

    slow.countDown();
    waiting.join();

    assertThat(sent.get()).isInstanceOf(Sent.Answered.class);
  }

  /** They are kept here: one that nobody knows of any more would end by itself, some time. */
  @Test
  void clients_that_were_replaced_end() {
    List<HttpClient> clients = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      sender.send(TestPermits.good(), request("POST"), LONG);
      clients.add(sender.sending());
      time.pass(Duration.ofSeconds(2));
    }

    assertThat(clients).doesNotHaveDuplicates();
    await().until(() -> clients.get(0).isTerminated() && clients.get(1).isTerminated());
    assertThat(clients.get(2).isTerminated()).isFalse();
    assertThat(target.connections()).isEqualTo(3);
  }

  private HttpRequest request(String method) {
    return HttpRequest.newBuilder(URI.create(target.url("/jobs")))
        .method(
            method,
            method.startsWith("P") ? BodyPublishers.ofString("{}") : BodyPublishers.noBody())
        .build();
  }
}
