package dev.andon.examples.fleet;

import static dev.andon.examples.fleet.FleetClient.json;
import static dev.andon.examples.fleet.FleetClient.location;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.andon.examples.fleet.Fleet.State;
import dev.andon.examples.fleet.LogEvent.Kind;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FleetServerTest {
  private static final int FOREVER = 3_600_000;

  private static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");

  private final TimerInHand timer = new TimerInHand();
  private final List<AutoCloseable> open = new ArrayList<>();
  private FleetServer server;
  private FleetClient client;

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable it : open.reversed()) {
      it.close();
    }
  }

  private void start(int fromMillis, int toMillis) throws IOException {
    server = FleetServer.start(FleetOptions.defaults().withEraseMillis(fromMillis, toMillis));
    open.add(server);
    client = new FleetClient(server.uri());
    open.add(client);
  }

  /** Erases end when the test lets the timer go off, at noon. */
  private void startAtNoon() throws IOException {
    server =
        FleetServer.start(
            FleetOptions.defaults()
                .withEraseMillis(1_500, 1_500)
                .withClock(Clock.fixed(NOON, ZoneOffset.UTC)),
            timer);
    open.add(server);
    client = new FleetClient(server.uri());
    open.add(client);
  }

  private List<Kind> kinds() {
    return server.log().stream().map(LogEvent::event).toList();
  }

  private void awaitDone(int erases) {
    await().atMost(Duration.ofSeconds(60)).until(() -> server.summary().done() == erases);
  }

  private static void assertError(HttpResponse<String> response, int status, String code)
      throws IOException {
    assertThat(response.statusCode()).isEqualTo(status);
    assertThat(json(response).path("code").asText()).isEqualTo(code);
    assertThat(json(response).path("error").asText()).isNotBlank();
  }

  // ---- sites

  @Test
  void sites_and_machines_are_those_of_the_generated_fleet() throws Exception {
    start(50, 100);

    var sites = json(client.get("/sites")).path("sites");
    assertThat(sites).hasSize(28);
    assertThat(json(client.get("/sites/aap")).toString())
        .isEqualTo(
            "{\"site\":\"aap\",\"type\":\"satellite\",\"state\":\"decom\",\"machines\":103}");
    for (JsonNode site : sites) {
      var machines =
          json(client.get("/sites/%s/machines".formatted(site.path("site").asText())))
              .path("machines");
      assertThat(machines).hasSize(site.path("machines").asInt());
    }
    assertThat(json(client.get("/sites/aap/machines")).path("machines").get(102).toString())
        .isEqualTo("{\"machine\":\"aap-0103\",\"erase\":\"none\"}");
  }

  @Test
  void what_does_not_exist_is_404_and_a_wrong_method_405() throws Exception {
    start(50, 100);

    assertError(client.get("/sites/zzzz"), 404, "NoSuchSite");
    assertError(client.get("/sites/zzzz/machines"), 404, "NoSuchSite");
    assertError(client.post("/sites/zzzz/validate-decom", "{}"), 404, "NoSuchSite");
    assertError(client.erase("aap-9999", "k"), 404, "NoSuchMachine");
    assertError(client.observe("aap-9999", "k"), 404, "NoSuchMachine");
    assertError(client.cancel("aap-9999", "k"), 404, "NoSuchMachine");
    assertError(client.get("/operations/op-1"), 404, "NoSuchOperation");
    assertError(client.delete("/operations/op-1"), 404, "NoSuchOperation");
    assertError(client.get("/nothing"), 404, "NoSuchPath");
    var wrongMethod = client.post("/sites", "{}");
    assertError(wrongMethod, 405, "MethodNotAllowed");
    assertThat(wrongMethod.headers().firstValue("Allow")).hasValue("GET");
    assertThat(server.log()).isEmpty();
  }

  @Test
  void the_index_lists_every_endpoint() throws Exception {
    start(50, 100);
    assertThat(json(client.get("/")).path("endpoints").valueStream().map(JsonNode::asText))
        .contains("POST /sites/{site}/machines/{machine}/erase", "GET /summary");
  }

  // ---- validate-decom

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "?siteType=satellite |",
        "''                  | {\"siteType\": \"satellite\"}",
        "''                  | {\"args\": {\"site\": \"aap\", \"siteType\": \"satellite\"}}",
      })
  void a_satellite_in_decom_is_valid_wherever_its_type_is_said(String query, String body)
      throws Exception {
    start(50, 100);

    var response =
        client.send(
            "POST",
            "/sites/aap/validate-decom" + query,
            "uid-1/check/0/1",
            body == null ? "" : body);

    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(server.log())
        .singleElement()
        .satisfies(
            event -> {
              assertThat(event.event()).isEqualTo(Kind.VALIDATE);
              assertThat(event.site()).isEqualTo("aap");
              assertThat(event.reason()).isEqualTo("InDecom");
              assertThat(event.workflow()).hasValue("uid-1");
            });
  }

  @Test
  void a_live_site_or_another_type_is_a_conflict_and_logged() throws Exception {
    start(50, 100);
    var live =
        server.fleet().sites().stream()
            .filter(site -> site.state() == State.LIVE && site.type() == Fleet.Type.SATELLITE)
            .findFirst()
            .orElseThrow();

    var onLive =
        client.post("/sites/%s/validate-decom?siteType=satellite".formatted(live.code()), "");
    var otherType = client.post("/sites/aap/validate-decom?siteType=cluster", "");

    assertError(onLive, 409, "SiteNotInDecom");
    assertThat(json(onLive).path("error").asText())
        .isEqualTo("site %s: is live, not in decom".formatted(live.code()));
    assertError(otherType, 409, "SiteOfOtherType");
    assertThat(json(otherType).path("error").asText())
        .isEqualTo("siteType: cluster: site aap is a satellite");
    assertThat(server.log())
        .extracting(LogEvent::reason)
        .containsExactly("SiteNotInDecom", "SiteOfOtherType");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {"{}", "{\"siteType\": \"Satellite\"}", "{\"siteType\":", "''", "[1]"})
  void a_site_type_that_is_none_is_a_bad_request(String body) throws Exception {
    start(50, 100);
    assertThat(client.post("/sites/aap/validate-decom", body).statusCode()).isEqualTo(400);
    assertThat(server.log()).isEmpty();
  }

  // ---- erase

  @Test
  void an_erase_is_accepted_polled_and_done() throws Exception {
    startAtNoon();

    var accepted = client.erase("aap-0001", "uid-1/erase/0/1");
    assertThat(accepted.statusCode()).isEqualTo(202);
    assertThat(location(accepted)).startsWith("/operations/");
    var underWay = client.get(location(accepted));
    assertThat(underWay.statusCode()).isEqualTo(202);
    assertThat(location(underWay)).isEqualTo(location(accepted));
    assertThat(underWay.headers().firstValue("Retry-After")).hasValue("1");
    assertThat(json(client.get("/summary")).path("active").asInt()).isEqualTo(1);

    timer.goOff();
    var done = client.get(location(accepted));
    assertThat(done.statusCode()).isEqualTo(200);
    assertThat(json(done).path("status").asText()).isEqualTo("done");
    assertThat(json(client.get("/sites/aap/machines")).path("machines").get(0).toString())
        .isEqualTo("{\"machine\":\"aap-0001\",\"erase\":\"done\"}");

    var began = server.log().get(0);
    var ended = server.log().get(1);
    assertThat(kinds()).containsExactly(Kind.ERASE_BEGAN, Kind.ERASE_DONE);
    assertThat(began.time()).isEqualTo(NOON);
    assertThat(timer.delays()).containsExactly(Duration.ofMillis(1_500));
    assertThat(List.of(began, ended))
        .allSatisfy(
            event -> {
              assertThat(event.site()).isEqualTo("aap");
              assertThat(event.machine()).isEqualTo("aap-0001");
              assertThat(event.key()).isEqualTo("uid-1/erase/0/1");
              assertThat(event.workflow()).hasValue("uid-1");
              assertThat("/operations/" + event.operation()).isEqualTo(location(accepted));
            });
  }

  @Test
  void without_a_key_nothing_is_erased_and_the_answer_says_why() throws Exception {
    start(50, 100);

    var response = client.erase("aap-0001", null);

    assertError(response, 400, "IdempotencyKeyMissing");
    assertThat(json(response).path("error").asText()).contains("Idempotency-Key: missing");
    assertThat(kinds()).containsExactly(Kind.REFUSED);
    assertError(client.erase("aap-0001", "has space"), 400, "BadIdempotencyKey");
    assertError(client.erase("aap-0001", "x".repeat(257)), 400, "BadIdempotencyKey");
  }

  @Test
  void the_same_key_names_the_same_operation_before_and_after_the_end() throws Exception {
    start(100, 100);

    var first = client.erase("aap-0001", "k");
    var again = client.erase("aap-0001", "k");
    awaitDone(1);
    var afterwards = client.erase("aap-0001", "k");

    assertThat(List.of(again, afterwards))
        .allSatisfy(
            response -> {
              assertThat(response.statusCode()).isEqualTo(202);
              assertThat(location(response)).isEqualTo(location(first));
            });
    assertThat(client.get(location(first)).statusCode()).isEqualTo(200);
    assertThat(server.summary().begun()).isEqualTo(1);
    assertThat(server.summary().duplicates()).isEqualTo(2);
    assertThat(server.summary().askedAgain()).isZero();
  }

  @Test
  void concurrent_posts_of_one_key_begin_one_erase() throws Exception {
    start(50, 100);
    int posts = 16;
    int rounds = 20;
    for (int round = 1; round <= rounds; round++) {
      String machine = "aap-%04d".formatted(round);
      var barrier = new CyclicBarrier(posts);
      Callable<HttpResponse<String>> post =
          () -> {
            barrier.await();
            return client.erase(machine, "key-of-" + machine);
          };
      try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
        var responses =
            threads.invokeAll(IntStream.range(0, posts).mapToObj(i -> post).toList()).stream()
                .map(future -> future.resultNow())
                .toList();
        assertThat(responses).allMatch(response -> response.statusCode() == 202);
        assertThat(responses.stream().map(FleetClient::location).distinct()).hasSize(1);
      }
    }
    awaitDone(rounds);
    assertThat(server.summary().begun()).isEqualTo(rounds);
    assertThat(server.summary().erasedTwice()).isZero();
    assertThat(server.summary().duplicates()).isEqualTo(rounds * (posts - 1));
  }

  @Test
  void concurrent_posts_of_many_keys_for_one_machine_begin_one_erase() throws Exception {
    start(50, 100);
    int posts = 16;
    var barrier = new CyclicBarrier(posts);
    var tasks =
        IntStream.range(0, posts)
            .<Callable<Integer>>mapToObj(
                i ->
                    () -> {
                      barrier.await();
                      return client.erase("aap-0001", "key-" + i).statusCode();
                    })
            .toList();

    List<Integer> statuses;
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      statuses = threads.invokeAll(tasks).stream().map(future -> future.resultNow()).toList();
    }

    assertThat(statuses.stream().filter(status -> status == 202)).hasSize(1);
    assertThat(statuses.stream().filter(status -> status == 409)).hasSize(posts - 1);
    assertThat(server.summary().begun()).isEqualTo(1);
    assertThat(server.summary().askedAgain()).isEqualTo(posts - 1);
  }

  @Test
  void another_key_is_refused_while_a_machine_is_erased_and_after() throws Exception {
    startAtNoon();

    client.erase("aap-0001", "first");
    assertError(client.erase("aap-0001", "second"), 409, "EraseUnderWay");
    timer.goOff();
    assertError(client.erase("aap-0001", "third"), 409, "AlreadyErased");

    assertThat(kinds())
        .containsExactly(Kind.ERASE_BEGAN, Kind.REFUSED, Kind.ERASE_DONE, Kind.REFUSED);
    assertThat(server.summary().askedAgain()).isEqualTo(2);
  }

  @Test
  void a_key_cannot_be_used_for_a_second_machine() throws Exception {
    start(50, 100);
    client.erase("aap-0001", "k");
    assertError(client.erase("aap-0002", "k"), 422, "IdempotencyKeyReused");
    assertThat(server.summary().begun()).isEqualTo(1);
    assertThat(json(client.observe("aap-0002", "k")).path("status").asText()).isEqualTo("none");
  }

  @Test
  void no_machine_of_a_live_site_is_erased() throws Exception {
    start(50, 100);
    for (var site : server.fleet().sites()) {
      if (site.state() == State.LIVE) {
        assertError(
            client.erase(site.machines().getFirst(), "key-" + site.code()), 409, "SiteNotInDecom");
      }
    }
    assertThat(server.summary().begun()).isZero();
    assertThat(server.summary().refused()).isEqualTo(27);
  }

  // ---- cancel and observe

  @Test
  void a_cancelled_operation_never_completes_and_a_new_key_may_try_again() throws Exception {
    startAtNoon();
    var accepted = client.erase("aap-0001", "k1");

    assertThat(json(client.delete(location(accepted))).path("status").asText())
        .isEqualTo("cancelled");
    assertThat(client.delete(location(accepted)).statusCode()).isEqualTo(200);
    assertError(client.get(location(accepted)), 200, "EraseCancelled");
    assertThat(client.erase("aap-0001", "k2").statusCode()).isEqualTo(202);
    timer.goOff();

    // The second began after the first, so by now the first would have ended too.
    assertThat(server.log().stream().filter(event -> event.event() == Kind.ERASE_DONE))
        .extracting(LogEvent::key)
        .containsExactly("k2");
    assertThat(server.summary().cancelled()).isEqualTo(1);
    assertThat(server.summary().erasedTwice()).isZero();
  }

  @Test
  void cancelling_what_is_done_changes_nothing() throws Exception {
    start(0, 0);
    var accepted = client.erase("aap-0001", "k");
    awaitDone(1);

    assertThat(json(client.delete(location(accepted))).path("status").asText()).isEqualTo("done");
    assertThat(json(client.cancel("aap-0001", "k")).path("status").asText()).isEqualTo("done");
    assertThat(client.get(location(accepted)).statusCode()).isEqualTo(200);
    assertThat(kinds()).containsExactly(Kind.ERASE_BEGAN, Kind.ERASE_DONE);
  }

  @Test
  void cancelling_a_machine_by_key_cancels_that_attempt_only() throws Exception {
    start(FOREVER, FOREVER);
    client.erase("aap-0001", "k1");
    client.cancel("aap-0001", "k1");
    client.erase("aap-0001", "k2");

    var again = client.cancel("aap-0001", "k1");

    assertThat(json(again).path("status").asText()).isEqualTo("cancelled");
    assertThat(json(client.observe("aap-0001", "k1")).path("status").asText())
        .isEqualTo("cancelled");
    assertThat(json(client.observe("aap-0001", "k2")).path("status").asText()).isEqualTo("running");
  }

  @Test
  void cancelling_a_machine_without_a_key_cancels_what_is_running() throws Exception {
    start(FOREVER, FOREVER);
    assertThat(json(client.cancel("aap-0001", null)).path("status").asText()).isEqualTo("none");
    client.erase("aap-0001", "k");

    assertThat(json(client.cancel("aap-0001", null)).path("status").asText())
        .isEqualTo("cancelled");

    assertThat(kinds()).containsExactly(Kind.ERASE_BEGAN, Kind.ERASE_CANCELLED);
    assertThat(server.summary().active()).isZero();
  }

  @Test
  void a_request_that_comes_after_its_own_cancel_begins_nothing() throws Exception {
    start(50, 100);

    var cancelled = client.cancel("aap-0001", "late");
    assertThat(json(client.cancel("aap-0001", "late"))).isEqualTo(json(cancelled));
    assertThat(json(cancelled).path("status").asText()).isEqualTo("cancelled");
    assertError(client.erase("aap-0001", "late"), 409, "IdempotencyKeyCancelled");

    assertThat(json(client.observe("aap-0001", "late")).path("status").asText())
        .isEqualTo("cancelled");
    assertThat(kinds()).containsExactly(Kind.CANCEL_NOTED, Kind.REFUSED);
    assertThat(client.erase("aap-0001", "new").statusCode()).isEqualTo(202);
  }

  @Test
  void observing_tells_what_became_of_a_key() throws Exception {
    startAtNoon();

    assertThat(json(client.observe("aap-0001", "k")).toString())
        .isEqualTo("{\"status\":\"none\",\"site\":\"aap\",\"machine\":\"aap-0001\",\"key\":\"k\"}");
    client.erase("aap-0001", "k");
    assertThat(json(client.observe("aap-0001", "k")).path("status").asText()).isEqualTo("running");
    assertThat(json(client.observe("aap-0001", "other")).path("status").asText()).isEqualTo("none");
    timer.goOff();
    assertThat(json(client.observe("aap-0001", "k")).path("status").asText()).isEqualTo("done");
    assertThat(json(client.observe("aap-0001", null)).path("status").asText()).isEqualTo("done");
    assertThat(kinds()).containsExactly(Kind.ERASE_BEGAN, Kind.ERASE_DONE);
  }

  // ---- log and summary

  @Test
  void the_log_is_json_lines_with_times_to_the_microsecond() throws Exception {
    start(0, 0);
    client.erase("aap-0001", "4b1c/erase/0/1");
    awaitDone(1);
    client.erase("aap-0001", "plain-key");

    var lines = client.get("/log").body().lines().toList();

    assertThat(lines).hasSize(3).isEqualTo(server.log().stream().map(LogEvent::line).toList());
    assertThat(lines.get(0))
        .matches(
            "\\{\"seq\":1,\"time\":\"\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}Z\","
                + "\"event\":\"erase-began\",\"site\":\"aap\",\"machine\":\"aap-0001\","
                + "\"key\":\"4b1c/erase/0/1\",\"operation\":\"op-1\",\"workflow\":\"4b1c\"}");
    assertThat(lines.get(2)).contains("\"refused\"", "\"reason\":\"AlreadyErased\"");
    assertThat(lines.get(2)).doesNotContain("workflow");
    assertThat(client.get("/log?after=2").body()).isEqualTo(lines.get(2) + "\n");
    assertThat(client.get("/log?after=x").statusCode()).isEqualTo(400);
  }

  @Test
  void the_summary_counts_what_the_log_says() throws Exception {
    start(FOREVER, FOREVER);
    client.post("/sites/aap/validate-decom?siteType=satellite", "");
    for (int i = 1; i <= 5; i++) {
      client.erase("aap-000" + i, "k" + i);
    }
    client.cancel("aap-0005", "k5");
    client.erase("aap-0004", "k4");
    client.erase("aap-0004", "other");

    var summary = json(client.get("/summary"));

    assertThat(summary.toString())
        .isEqualTo(
            "{\"begun\":5,\"done\":0,\"failed\":0,\"cancelled\":1,\"active\":4,\"mostActive\":5,"
                + "\"erasedTwice\":0,\"askedAgain\":1,\"refused\":1,\"duplicates\":1,"
                + "\"validations\":1,\"sites\":{\"aap\":{\"begun\":5,\"done\":0,\"failed\":0,"
                + "\"cancelled\":1,\"active\":4,\"erasedTwice\":0}}}");
  }

  @Test
  void a_log_in_which_a_machine_was_erased_twice_is_counted_so() {
    var log =
        List.of(
            event(1, Kind.ERASE_BEGAN, "op-1"),
            event(2, Kind.ERASE_DONE, "op-1"),
            event(3, Kind.ERASE_BEGAN, "op-3"),
            event(4, Kind.ERASE_DONE, "op-3"));
    assertThat(Summary.of(log).erasedTwice()).isEqualTo(1);
    assertThat(Summary.of(log).sites().get("aap").erasedTwice()).isEqualTo(1);
    assertThat(Summary.of(log.subList(0, 3)).erasedTwice()).isZero();
  }

  private static LogEvent event(long seq, Kind kind, String operation) {
    return new LogEvent(
        seq, Instant.EPOCH, kind, "aap", "aap-0001", "key-" + operation, operation, null);
  }

  @Test
  void a_body_too_large_is_refused() throws Exception {
    start(50, 100);
    assertError(
        client.send("POST", FleetClient.erasePath("aap-0001"), "k", "x".repeat(70_000)),
        413,
        "BodyTooLarge");
    assertThat(server.log()).isEmpty();
  }

  @Test
  void a_port_that_is_taken_is_named() throws Exception {
    start(50, 100);
    int port = server.uri().getPort();
    assertThatThrownBy(() -> FleetServer.start(FleetOptions.defaults().withPort(port)))
        .isInstanceOf(IOException.class)
        .hasMessage("port %d: taken; give another, or 0 for a free one".formatted(port));
  }

  @Test
  void a_whole_site_is_erased_five_at_a_time() throws Exception {
    start(5, 10);
    var machines = server.fleet().site("aap").orElseThrow().machines();

    for (int from = 0; from < machines.size(); from += 5) {
      int to = Math.min(from + 5, machines.size());
      for (String machine : machines.subList(from, to)) {
        assertThat(client.erase(machine, "key-" + machine).statusCode()).isEqualTo(202);
      }
      awaitDone(to);
    }

    assertThat(server.summary().begun()).isEqualTo(103);
    assertThat(server.summary().mostActive()).isLessThanOrEqualTo(5);
    assertThat(server.summary().erasedTwice()).isZero();
  }
}
