package dev.andon.operator.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.type;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.andon.operator.execution.LoopbackServer.Reply;
import dev.andon.operator.execution.LoopbackServer.Request;
import java.io.IOException;
import java.net.ServerSocket;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is sent, and what the answers mean. */
class HttpExecutionTest {
  private final Running running = new Running();
  private final LoopbackServer target = running.target;

  @AfterEach
  void close() throws IOException {
    running.close();
  }

  // --- the request ---

  @Test
  void it_sends_args_keys_and_workflow() throws IOException {
    Outcome outcome = running.outcome(running.attempt("/sites/{site}/machines/{machine}/erase"));

    assertThat(outcome).isEqualTo(new Outcome.Succeeded());
    assertThat(target.requests()).hasSize(1);
    Request request = target.requests().get(0);
    assertThat(request.line()).isEqualTo("POST /sites/aap/machines/aap-0001/erase");
    assertThat(request.key()).isEqualTo("4d3f/erase/0/1");
    assertThat(request.headers()).containsEntry("content-type", "application/json");
    assertThat(JsonMapper.builder().build().readTree(request.body()))
        .isEqualTo(
            JsonMapper.builder()
                .build()
                .readTree(
                    """
                    {"key": "4d3f/erase/0/1", "jobType": "disk-erase",
                     "args": {"site": "aap", "machine": "aap-0001"},
                     "block": "erase", "index": 0, "attempt": 1,
                     "workflow": {"namespace": "fleet", "name": "erase-aap", "uid": "4d3f",
                                  "type": "SatelliteDiskErase"}}
                    """));
    assertThat(running.gate.permitsUsed()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET", "DELETE"})
  void methods_without_a_body_send_none(String method) {
    assertThat(running.outcome(running.attempt("/x").method(method)))
        .isEqualTo(new Outcome.Succeeded());

    assertThat(target.requests())
        .singleElement()
        .satisfies(
            request -> {
              assertThat(request.method()).isEqualTo(method);
              assertThat(request.body()).isEmpty();
              assertThat(request.key()).isEqualTo("4d3f/erase/0/1");
            });
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          ../x              | /sites/..%2Fx/erase?m=..%2Fx
          a/b               | /sites/a%2Fb/erase?m=a%2Fb
          a?force=true      | /sites/a%3Fforce%3Dtrue/erase?m=a%3Fforce%3Dtrue
          a#b               | /sites/a%23b/erase?m=a%23b
          a&b=c             | /sites/a%26b%3Dc/erase?m=a%26b%3Dc
          50%               | /sites/50%25/erase?m=50%25
          a b               | /sites/a%20b/erase?m=a%20b
          a+b               | /sites/a%2Bb/erase?m=a%2Bb
          @evil.example:80  | /sites/%40evil.example%3A80/erase?m=%40evil.example%3A80
          {site}            | /sites/%7Bsite%7D/erase?m=%7Bsite%7D
          a\\b              | /sites/a%5Cb/erase?m=a%5Cb
          größe             | /sites/gr%C3%B6%C3%9Fe/erase?m=gr%C3%B6%C3%9Fe
          x.y-z_~           | /sites/x.y-z_~/erase?m=x.y-z_~
          """)
  void a_value_stays_in_its_place(String value, String expected) {
    running.outcome(running.attempt("/sites/{site}/erase?m={site}").args(Map.of("site", value)));

    assertThat(target.requests()).extracting(Request::target).containsExactly(expected);
  }

  @ParameterizedTest
  @ValueSource(strings = {"..", ".", "%2e%2e", "%2E.", ""})
  void a_value_that_would_change_the_path_is_not_sent(String value) {
    Outcome outcome =
        running.outcome(running.attempt("/sites/{site}/erase").args(Map.of("site", value)));

    assertThat(outcome)
        .asInstanceOf(type(Outcome.Failed.class))
        .satisfies(
            failed -> {
              assertThat(failed.reason()).isEqualTo("InvalidUrl");
              assertThat(failed.message()).contains("args.site");
            });
    assertThat(target.requests()).isEmpty();
    assertThat(running.gate.permitsUsed()).isZero();
  }

  @Test
  void control_characters_and_line_breaks_cannot_split_the_request() {
    running.outcome(
        running
            .attempt("/sites/{site}")
            .args(Map.of("site", "a HTTP/1.1\r\nX-Evil: 1\r\n\r\nDELETE /all")));

    assertThat(target.requests())
        .singleElement()
        .satisfies(
            request -> {
              assertThat(request.target()).startsWith("/sites/a%20HTTP%2F1.1%0D%0AX-Evil");
              assertThat(request.headers()).doesNotContainKey("x-evil");
            });
  }

  // --- answers ---

  @ParameterizedTest
  @ValueSource(ints = {200, 201, 204})
  void any_2xx_but_202_is_success_by_default(int status) {
    target.always(Reply.of(status));

    assertThat(running.outcome(running.attempt("/x"))).isEqualTo(new Outcome.Succeeded());
  }

  @Test
  void a_500_is_a_failure_with_what_it_said() {
    target.always(Reply.text(500, "disk\tis\u0000 on \u001b[31mfire\r\n"));

    assertThat(running.outcome(running.attempt("/x")))
        .isEqualTo(
            new Outcome.Failed(
                "HttpStatus500",
                "answered 500: disk is on [31mfire (POST http://127.0.0.1:%d/x)"
                    .formatted(target.port())));
    assertThat(target.requests()).hasSize(1);
  }

  @Test
  void a_message_has_at_most_256_characters() {
    target.always(Reply.text(500, "long ".repeat(10_000)));

    assertThat(running.outcome(running.attempt("/" + "p".repeat(500))))
        .asInstanceOf(type(Outcome.Failed.class))
        .satisfies(failed -> assertThat(failed.message()).hasSize(256).startsWith("answered 500"));
  }

  @Test
  void a_429_is_a_failure_not_to_be_retried_before_it_says() {
    target.always(Reply.of(429).header("Retry-After", "7"));

    assertThat(running.outcome(running.attempt("/x")))
        .asInstanceOf(type(Outcome.Failed.class))
        .satisfies(
            failed -> {
              assertThat(failed.reason()).isEqualTo("TooManyRequests");
              assertThat(failed.reach()).isEqualTo(Outcome.Failed.Reach.ATTEMPT);
              assertThat(failed.retryAfter()).isEqualTo(JumpingClock.START.plusSeconds(7));
            });
    assertThat(target.requests()).hasSize(1);
  }

  @Test
  void a_503_may_say_when_as_a_date_and_never_more_than_an_hour() {
    target.then(
        Reply.of(503)
            .header(
                "Retry-After",
                DateTimeFormatter.RFC_1123_DATE_TIME.format(
                    JumpingClock.START.plusSeconds(30).atOffset(ZoneOffset.UTC))),
        Reply.of(503).header("Retry-After", "99999999"),
        Reply.of(503).header("Retry-After", "soon"));

    var byDate = (Outcome.Failed) running.outcome(running.attempt("/x"));
    var forever = (Outcome.Failed) running.outcome(running.attempt("/x").index(1));
    var soon = (Outcome.Failed) running.outcome(running.attempt("/x").index(2));

    assertThat(byDate.retryAfter()).isEqualTo(JumpingClock.START.plusSeconds(30));
    assertThat(forever.retryAfter()).isEqualTo(JumpingClock.START.plusSeconds(3600));
    assertThat(soon.retryAfter()).isNull();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          response.status == 200                                    | true
          response.status in [200, 204]                             | true
          response.body.state == 'done'                             | true
          response.body.count == 3                                  | true
          response.body.ratio > 0.4                                 | true
          response.body.parts.all(p, p.ok)                          | true
          has(response.body.state) && !has(response.body.error)     | true
          response.body.nothing == null                             | true
          response.headers['x-result'] == 'fine'                    | true
          response.body.state.matches('d.*e')                       | true
          response.status == 201                                    | false
          response.body.state == 'failed'                           | false
          """)
  void success_is_what_its_rule_says(String rule, boolean succeeded) {
    target.always(
        Reply.json(
                200,
                """
                {"state": "done", "count": 3, "ratio": 0.5, "nothing": null,
                 "parts": [{"ok": true}, {"ok": true}]}
                """)
            .header("X-Result", "fine"));

    Outcome outcome = running.outcome(running.attempt("/x").success(rule));

    if (succeeded) {
      assertThat(outcome).isEqualTo(new Outcome.Succeeded());
    } else {
      assertThat(outcome)
          .asInstanceOf(type(Outcome.Failed.class))
          .extracting(Outcome.Failed::reason)
          .isEqualTo("HttpStatus200");
    }
  }

  @Test
  void a_2xx_whose_body_the_rule_cannot_be_held_against_is_unknown() {
    // Failed would begin another attempt, under another key, of what may well have been done.
    target.always(Reply.text(200, "<html>all good</html>"));

    assertThat(running.outcome(running.attempt("/x").success("response.body.state == 'done'")))
        .asInstanceOf(type(Outcome.Unknown.class))
        .satisfies(
            unknown -> {
              assertThat(unknown.mayRepeat()).isFalse();
              assertThat(unknown.message()).contains("success").contains("all good");
            });
  }

  @Test
  void fatal_is_what_its_rule_says() {
    target.always(Reply.json(409, "{\"error\": \"not in decom\"}"));

    assertThat(running.outcome(running.attempt("/x").fatal("response.status == 409")))
        .asInstanceOf(type(Outcome.Failed.class))
        .satisfies(
            failed -> {
              assertThat(failed.reach()).isEqualTo(Outcome.Failed.Reach.WORKFLOW);
              assertThat(failed.reason()).isEqualTo("HttpStatus409");
              assertThat(failed.message()).contains("not in decom");
            });
  }

  @Test
  void final_ends_the_job_and_not_the_workflow() {
    target.always(Reply.json(422, "{\"error\": \"no such disk\"}"));

    assertThat(running.outcome(running.attempt("/x").finalFailure("response.status == 422")))
        .asInstanceOf(type(Outcome.Failed.class))
        .satisfies(
            failed -> {
              assertThat(failed.reach()).isEqualTo(Outcome.Failed.Reach.JOB);
              assertThat(failed.reason()).isEqualTo("HttpStatus422");
              assertThat(failed.message()).contains("no such disk");
            });
    assertThat(target.requests()).hasSize(1);
  }

  @Test
  void a_redirect_is_not_followed_and_says_nothing() {
    target.always(Reply.of(302).header("Location", "/elsewhere"));

    assertThat(running.outcome(running.attempt("/x")))
        .as("a login page, say, in front of a target that has it under way")
        .isInstanceOf(Outcome.Unknown.class);
    assertThat(target.requests()).hasSize(1);
  }

  @Test
  void a_body_over_one_mebibyte_is_no_reason_to_do_it_once_more() {
    target.always(Reply.text(200, "x".repeat(HttpSender.MAX_BODY + 1)));

    assertThat(running.outcome(running.attempt("/x"))).isEqualTo(new Outcome.Succeeded());
    assertThat(
            running.outcome(running.attempt("/x").index(1).success("response.body.contains('x')")))
        .as("a rule is held against the whole body, or not at all")
        .isInstanceOf(Outcome.Unknown.class);
  }

  /** What meshes, gateways and content networks say after a request went through. */
  @ParameterizedTest
  @ValueSource(ints = {502, 503, 504, 520, 521, 522, 524, 527, 530, 598, 599})
  void that_a_gateway_got_no_answer_is_none(int status) {
    target.always(Reply.text(status, "<html>Bad Gateway</html>"));

    assertThat(running.outcome(running.attempt("/x")))
        .as("what it handed on may be under way")
        .asInstanceOf(type(Outcome.Unknown.class))
        .satisfies(
            unknown -> {
              assertThat(unknown.mayRepeat()).isFalse();
              assertThat(unknown.message()).contains("answered " + status);
            });
    assertThat(
            running.outcome(running.attempt("/x").index(1).fatal("response.status == " + status)))
        .as("its job type knows better")
        .isInstanceOf(Outcome.Failed.class);
    assertThat(
            running.outcome(running.attempt("/x").index(2).refused("response.status == " + status)))
        .as("its job type knows that nothing was taken on")
        .asInstanceOf(type(Outcome.Failed.class))
        .extracting(Outcome.Failed::reach)
        .isEqualTo(Outcome.Failed.Reach.ATTEMPT);
  }

  @Test
  void where_a_gateway_got_no_answer_the_target_is_observed() {
    target.answering(request -> request.method().equals("GET") ? Reply.of(200) : Reply.of(504));

    assertThat(
            running.outcome(
                running.attempt("/x").observe(target.url("/x"), "response.status == 200", null)))
        .isEqualTo(new Outcome.Succeeded());
  }

  // --- answers to a repeat ---

  @Test
  void success_of_a_repeat_is_success() {
    assertThat(running.outcome(running.attempt("/x").work(new Attempt.Work.Send(true))))
        .isEqualTo(new Outcome.Succeeded());
  }

  /** By a proxy, an authenticator, a target that has lost its memory, or has the key under way. */
  @ParameterizedTest
  @ValueSource(ints = {302, 400, 401, 403, 404, 409, 410, 422, 500, 501, 502, 504})
  void that_a_repeat_was_refused_says_nothing_of_the_first_send(int status) {
    target.always(Reply.of(status));

    assertThat(
            running.outcome(
                running
                    .attempt("/x")
                    .isRetrySafe()
                    .fatal("response.status == 409")
                    .work(new Attempt.Work.Send(true))))
        .as("a failure would let the next attempt begin beside it, under another key")
        .asInstanceOf(type(Outcome.Unknown.class))
        .satisfies(
            unknown -> {
              assertThat(unknown.mayRepeat()).isTrue();
              assertThat(unknown.message()).contains("answered " + status);
            });
  }

  @ParameterizedTest
  @ValueSource(ints = {408, 425, 429, 503})
  void a_repeat_that_is_not_taken_now_is_sent_later(int status) {
    target.always(Reply.of(status).header("Retry-After", "40"));

    assertThat(running.outcome(running.attempt("/x").work(new Attempt.Work.Send(true))))
        .asInstanceOf(type(Outcome.NotBegun.class))
        .satisfies(
            not -> {
              assertThat(not.message()).contains("answered " + status);
              assertThat(not.retryAt()).isEqualTo(JumpingClock.START.plusSeconds(40));
            });
  }

  @Test
  void a_repeat_that_is_refused_is_observed() {
    target.answering(
        request ->
            request.method().equals("GET")
                ? Reply.json(200, "{\"state\": \"broken\"}")
                : Reply.of(500));

    assertThat(
            running.outcome(
                running
                    .attempt("/x")
                    .observe(target.url("/x"), "false", "response.body.state == 'broken'")
                    .work(new Attempt.Work.Send(true))))
        .asInstanceOf(type(Outcome.Failed.class))
        .extracting(Outcome.Failed::reason)
        .isEqualTo("ObservedFailed");
  }

  // --- no answer ---

  @Test
  void that_a_second_send_found_no_connection_says_nothing_of_the_first() throws IOException {
    int closedPort;
    try (var socket = new ServerSocket(0)) {
      closedPort = socket.getLocalPort();
    }

    assertThat(
            running.outcome(
                Given.url("http://127.0.0.1:" + closedPort + "/x")
                    .work(new Attempt.Work.Send(true))))
        .asInstanceOf(type(Outcome.NotBegun.class))
        .satisfies(not -> assertThat(not.reason()).isEqualTo("ConnectFailed"));
  }

  @Test
  void that_a_second_send_cannot_be_made_says_nothing_of_the_first() {
    assertThat(
            running.outcome(
                running.attempt("/x").method("TRACE").work(new Attempt.Work.Send(true))))
        .isInstanceOf(Outcome.Unknown.class);
    assertThat(target.requests()).isEmpty();
  }

  @Test
  void cancelled_before_it_was_sent_again_the_first_send_is_ended() {
    running.gate.beSilent();
    Given given =
        running.attempt("/x").cancel(target.url("/cancel")).work(new Attempt.Work.Send(true));
    running.runner.begin(given.attempt());
    await().atMost(Duration.ofSeconds(60)).until(() -> running.gate.asked() > 0);

    running.runner.cancel(given.key().uid());

    assertThat(running.end(given.key()))
        .as("it may have been done before")
        .isInstanceOf(Outcome.Unknown.class);
    assertThat(target.requests()).extracting(Request::line).containsExactly("DELETE /cancel");
  }

  @Test
  void a_refused_connection_is_known_not_to_have_begun() throws IOException {
    int closedPort;
    try (var socket = new ServerSocket(0)) {
      closedPort = socket.getLocalPort();
    }

    assertThat(running.outcome(Given.url("http://127.0.0.1:" + closedPort + "/x")))
        .as("what never left uses no attempt")
        .asInstanceOf(type(Outcome.NotBegun.class))
        .satisfies(
            not -> {
              assertThat(not.reason()).isEqualTo("ConnectFailed");
              assertThat(not.retryAt()).isAfter(JumpingClock.START.plusSeconds(4));
              assertThat(not.told()).isTrue();
            });
    assertThat(running.gate.permitsUsed()).isZero();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void a_connection_dropped_after_the_send_is_unknown_and_sent_once(boolean retrySafe) {
    target.always(new Reply.Drop());
    Given given = running.attempt("/x").method("GET");

    assertThat(running.outcome(retrySafe ? given.isRetrySafe() : given))
        .asInstanceOf(type(Outcome.Unknown.class))
        .extracting(Outcome.Unknown::mayRepeat)
        .isEqualTo(retrySafe);
    assertThat(target.requests()).hasSize(1);
    assertThat(running.gate.permitsUsed()).isEqualTo(1);
  }

  @Test
  void garbage_is_unknown() {
    target.always(new Reply.Raw("SSH-2.0-OpenSSH_9.6\r\n"));

    assertThat(running.outcome(running.attempt("/x"))).isInstanceOf(Outcome.Unknown.class);
    assertThat(target.requests()).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void no_answer_before_the_deadline_is_unknown_and_sent_once(boolean retrySafe) {
    target.always(new Reply.Hang());
    Given given = running.attempt("/x");

    assertThat(outcomeOfAWait(retrySafe ? given.isRetrySafe() : given))
        .asInstanceOf(type(Outcome.Unknown.class))
        .extracting(Outcome.Unknown::mayRepeat)
        .isEqualTo(retrySafe);
    assertThat(target.requests()).hasSize(1);
  }

  /** Its deadline passes when its request has arrived. */
  private Outcome outcomeOfAWait(Given given) {
    running.runner.begin(given.attempt());
    running.awaitRequests(1);
    running.awaitWaits(1, Given.DEADLINE);
    running.time.pass(Given.DEADLINE);
    return running.end(given.key());
  }

  @Test
  void an_attempt_that_timed_out_is_cancelled_and_known_to_have_ended() {
    target.answering(
        request ->
            request.method().equals("DELETE")
                ? Reply.json(200, "{\"state\": \"undone\"}")
                : new Reply.Hang());

    assertThat(
            outcomeOfAWait(
                running
                    .attempt("/x")
                    .cancel(target.url("/x/{machine}"), "response.body.state == 'undone'")))
        .asInstanceOf(type(Outcome.Failed.class))
        .extracting(Outcome.Failed::reason)
        .isEqualTo("TimedOut");
    assertThat(target.requests("DELETE"))
        .singleElement()
        .satisfies(
            request -> {
              assertThat(request.target()).isEqualTo("/x/aap-0001");
              assertThat(request.key()).isEqualTo("4d3f/erase/0/1");
            });
  }

  /** That it was taken, or that there is nothing to cancel: the work may just have been done. */
  @ParameterizedTest
  @CsvSource({
    "200, true",
    "202, true",
    "204, true",
    "404, true",
    "410, true",
    "409, true",
    "204, false",
    "410, false"
  })
  void that_a_cancel_was_answered_says_nothing_of_the_work(int status, boolean retrySafe) {
    target.answering(
        request -> request.method().equals("DELETE") ? Reply.of(status) : new Reply.Hang());
    Given given = running.attempt("/x").cancel(target.url("/x"), "response.body.state == 'undone'");

    assertThat(outcomeOfAWait(retrySafe ? given.isRetrySafe() : given))
        .as("after a timeout too; what is retrySafe is repeated under its key")
        .asInstanceOf(type(Outcome.Unknown.class))
        .extracting(Outcome.Unknown::mayRepeat)
        .isEqualTo(retrySafe);
    assertThat(target.requests("DELETE")).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          201 | {}                    | Unknown
          404 | {}                    | Unknown
          410 | {}                    | Unknown
          200 | {"state": "undone"}   | Cancelled
          200 | {"state": "done"}     | Unknown
          409 | {"state": "undone"}   | Cancelled
          """)
  void a_stop_ends_as_cancelled_only_where_the_answer_says_undone(
      int status, String body, String outcome) {
    target.answering(
        request -> request.method().equals("DELETE") ? Reply.json(status, body) : new Reply.Hang());
    Given given = running.attempt("/x").cancel(target.url("/x"), "response.body.state == 'undone'");
    running.runner.begin(given.attempt());
    running.awaitRequests(1);

    running.runner.cancel(given.key().uid());

    assertThat(running.end(given.key()).getClass().getSimpleName()).isEqualTo(outcome);
    assertThat(target.requests("DELETE")).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource({"done, Succeeded", "gone, Cancelled"})
  void a_stop_believes_what_is_observed(String state, String outcome) {
    target.answering(
        request ->
            switch (request.method()) {
              case "DELETE" -> Reply.of(204);
              case "GET" -> Reply.json(200, "{\"state\": \"" + state + "\"}");
              default -> new Reply.Hang();
            });
    Given given =
        running
            .attempt("/x")
            .cancel(target.url("/x"))
            .observe(
                target.url("/x"), "response.body.state == 'done'", "response.body.state == 'gone'");
    running.runner.begin(given.attempt());
    running.awaitRequests(1);

    running.runner.cancel(given.key().uid());

    assertThat(running.end(given.key()).getClass().getSimpleName()).isEqualTo(outcome);
  }

  // --- observing ---

  @Test
  void a_lost_answer_is_observed_and_found_done() {
    target.answering(
        request ->
            request.method().equals("POST")
                ? new Reply.Drop()
                : Reply.json(200, "{\"state\": \"done\"}"));

    assertThat(running.outcome(observed())).isEqualTo(new Outcome.Succeeded());
    assertThat(target.requests("POST")).hasSize(1);
    assertThat(target.requests("GET"))
        .singleElement()
        .satisfies(
            request -> {
              assertThat(request.target()).isEqualTo("/x/aap-0001");
              assertThat(request.key()).isEqualTo("4d3f/erase/0/1");
            });
  }

  @Test
  void a_lost_answer_is_observed_and_found_failed() {
    target.answering(
        request ->
            request.method().equals("POST") ? new Reply.Drop() : Reply.text(404, "never heard of"));

    assertThat(running.outcome(observed()))
        .asInstanceOf(type(Outcome.Failed.class))
        .extracting(Outcome.Failed::reason)
        .isEqualTo("ObservedFailed");
  }

  @Test
  void what_is_neither_done_nor_failed_is_repeated_if_that_is_safe() {
    target.answering(
        request ->
            request.method().equals("POST")
                ? new Reply.Drop()
                : Reply.json(200, "{\"state\": \"unclear\"}"));

    assertThat(running.outcome(observed().isRetrySafe()))
        .asInstanceOf(type(Outcome.Unknown.class))
        .extracting(Outcome.Unknown::mayRepeat)
        .isEqualTo(true);
    assertThat(target.requests("POST")).hasSize(1);
  }

  @Test
  void what_is_neither_is_observed_until_it_is_done() {
    target
        .then(
            new Reply.Drop(),
            Reply.json(200, "{\"state\": \"running\"}"),
            Reply.of(503),
            new Reply.Drop())
        .always(Reply.json(200, "{\"state\": \"done\"}"));

    assertThat(running.outcome(observed())).isEqualTo(new Outcome.Succeeded());
    assertThat(target.requests("POST")).hasSize(1);
  }

  @Test
  void what_is_neither_until_its_deadline_is_unknown() {
    target.then(new Reply.Drop()).always(Reply.json(200, "{\"state\": \"running\"}"));
    Given given = observed().timeoutSeconds(1);
    running.runner.begin(given.attempt());
    running.awaitRequests(2);
    running.time.pass(Given.DEADLINE.minusMillis(1));
    running.awaitRequests(target.requests().size() + 2);
    assertThat(running.now(given.key())).isEmpty();

    assertThat(running.endInTime(given.key()))
        .asInstanceOf(type(Outcome.Unknown.class))
        .extracting(Outcome.Unknown::mayRepeat)
        .isEqualTo(false);
  }

  @Test
  void an_intent_left_by_an_earlier_process_is_observed_and_not_sent() {
    running.gate.set(FakeGate.STOPPED);
    target.always(Reply.json(200, "{\"state\": \"done\"}"));

    assertThat(running.outcome(observed().work(new Attempt.Work.Observe())))
        .isEqualTo(new Outcome.Succeeded());
    assertThat(target.requests()).extracting(Request::method).containsExactly("GET");
    assertThat(running.gate.asked()).isZero();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void an_intent_that_cannot_be_observed_is_unknown_and_not_sent(boolean retrySafe) {
    Given given = running.attempt("/x").work(new Attempt.Work.Observe());

    assertThat(running.outcome(retrySafe ? given.isRetrySafe() : given))
        .asInstanceOf(type(Outcome.Unknown.class))
        .extracting(Outcome.Unknown::mayRepeat)
        .isEqualTo(retrySafe);
    assertThat(target.requests()).isEmpty();
  }

  private Given observed() {
    return running
        .attempt("/x")
        .observe(
            target.url("/x/{machine}"),
            "response.status == 200 && response.body.state == 'done'",
            "response.status == 404");
  }

  // --- polling ---

  @Test
  void a_202_is_accepted_and_polled_to_its_end() {
    var looked = new CountDownLatch(1);
    target
        .then(Reply.of(202).header("Location", "/operations/7#top"))
        .answering(
            request ->
                switch (target.requests("GET").size()) {
                  case 1 -> LoopbackServer.after(looked, Reply.of(202));
                  case 2 -> Reply.of(503);
                  default -> Reply.json(200, "{}");
                });
    Given given = running.attempt("/x").poll();

    running.runner.begin(given.attempt());
    await().until(() -> running.now(given.key()).isPresent());

    assertThat(running.now(given.key()))
        .contains(new Outcome.Accepted(target.url("/operations/7")));
    assertThat(running.runner.underWay(Given.UID)).containsExactly(given.key());
    looked.countDown();
    assertThat(running.end(given.key())).isEqualTo(new Outcome.Succeeded());
    assertThat(running.runner.underWay(Given.UID)).isEmpty();
    assertThat(target.requests("POST")).hasSize(1);
    assertThat(target.requests("GET")).hasSize(3);
    assertThat(running.gate.permitsUsed()).isEqualTo(1);
    await().until(() -> running.wakes.get() == 2);
  }

  @Test
  void a_poll_is_judged_like_an_answer() {
    target
        .then(Reply.of(202).header("Location", "/operations/7"))
        .always(Reply.json(200, "{\"state\": \"broken\"}"));

    assertThat(
            running.outcome(
                running
                    .attempt("/x")
                    .poll()
                    .success("response.body.state == 'done'")
                    .fatal("response.body.state == 'broken'")))
        .asInstanceOf(type(Outcome.Failed.class))
        .extracting(Outcome.Failed::reach)
        .isEqualTo(Outcome.Failed.Reach.WORKFLOW);
  }

  @Test
  void polling_goes_on_while_the_gate_is_closed() {
    target
        .then(Reply.of(202).header("Location", "/operations/7"), Reply.of(202))
        .always(Reply.of(200));
    Given given = running.attempt("/x").poll();
    running.runner.begin(given.attempt());
    running.awaitRequests(1);

    running.gate.set(FakeGate.NOT_VISIBLE);

    assertThat(running.end(given.key())).isEqualTo(new Outcome.Succeeded());
  }

  @Test
  void an_operation_in_status_is_polled_after_a_restart_without_asking_the_gate() {
    running.gate.set(FakeGate.NOT_VISIBLE);

    assertThat(
            running.outcome(
                running
                    .attempt("/x")
                    .poll()
                    .work(new Attempt.Work.Poll(target.url("/operations/7")))))
        .isEqualTo(new Outcome.Succeeded());
    assertThat(target.requests()).extracting(Request::line).containsExactly("GET /operations/7");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://evil.example/operations/7",
        "https://127.0.0.1/operations/7",
        "//evil.example/7",
        "http://user@127.0.0.1/7",
        "ftp://127.0.0.1/7",
        "not a url"
      })
  void an_operation_of_another_origin_is_not_polled_and_not_repeated(String location) {
    // Failed would begin another attempt beside what the target has accepted.
    target.always(Reply.of(202).header("Location", location));

    assertThat(running.outcome(running.attempt("/x").poll()))
        .asInstanceOf(type(Outcome.Unknown.class))
        .extracting(Outcome.Unknown::mayRepeat)
        .isEqualTo(false);
    assertThat(target.requests()).hasSize(1);
  }

  @Test
  void an_operation_of_another_origin_in_a_hand_edited_status_gets_no_secrets() throws Exception {
    try (var elsewhere = new LoopbackServer()) {
      running.secrets.put("fleet/token", "Bearer s3cr3t-value");

      Outcome outcome =
          running.outcome(
              running
                  .attempt("/x")
                  .poll()
                  .header("Authorization", "fleet", "token")
                  .work(new Attempt.Work.Poll(elsewhere.url("/operations/7"))));

      assertThat(outcome).isInstanceOf(Outcome.Unknown.class);
      assertThat(elsewhere.requests()).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({"410, Unknown", "404, Unknown", "200, Failed"})
  void an_operation_that_does_not_end_before_the_deadline_is_cancelled(
      int afterwards, String outcome) {
    target.answering(
        request ->
            switch (request.method()) {
              case "POST" -> Reply.of(202).header("Location", "/operations/7");
              case "DELETE" -> Reply.of(202);
              default ->
                  target.requests("DELETE").isEmpty()
                      ? Reply.of(202)
                      : Reply.json(afterwards, "{\"state\": \"ended\"}");
            });

    Given given =
        running
            .attempt("/x")
            .poll()
            .success("response.body.state == 'done'")
            .cancel(target.url("/x"))
            .timeoutSeconds(1);
    running.runner.begin(given.attempt());
    await().until(() -> !target.requests("GET").isEmpty());
    running.time.pass(Given.DEADLINE);
    await().until(() -> !target.requests("DELETE").isEmpty());

    assertThat(running.endInTime(given.key()).getClass().getSimpleName()).isEqualTo(outcome);
  }

  @Test
  void without_poll_a_202_is_not_known_for_accepted_is_not_done() {
    target.always(Reply.of(202).header("Location", "/operations/7"));

    assertThat(running.outcome(running.attempt("/x"))).isInstanceOf(Outcome.Unknown.class);
    assertThat(running.outcome(running.attempt("/x").index(1).success("response.status == 202")))
        .as("where its job type says so it is")
        .isEqualTo(new Outcome.Succeeded());
    assertThat(target.requests()).hasSize(2);
  }

  /** A load balancer whose other half has not heard of the operation yet, and the like. */
  @Test
  void what_a_poll_is_answered_that_says_nothing_is_asked_again() {
    target
        .then(
            Reply.of(202).header("Location", "/operations/7"),
            Reply.of(404),
            Reply.of(404),
            Reply.of(401),
            Reply.of(429),
            Reply.of(500),
            Reply.of(410),
            Reply.of(302).header("Location", "https://login.example/"),
            Reply.of(202))
        .always(Reply.of(200));

    assertThat(running.outcome(running.attempt("/x").poll())).isEqualTo(new Outcome.Succeeded());
    assertThat(target.requests("POST")).hasSize(1);
    assertThat(target.requests("GET")).hasSize(9);
  }

  @ParameterizedTest
  @ValueSource(ints = {302, 404, 410, 500})
  void what_says_nothing_to_the_deadline_is_not_known(int status) {
    target.then(Reply.of(202).header("Location", "/operations/7")).always(Reply.of(status));
    Given given = running.attempt("/x").poll().isRetrySafe();
    running.runner.begin(given.attempt());
    running.awaitRequests(3);
    assertThat(running.now(given.key()))
        .contains(new Outcome.Accepted(target.url("/operations/7")));

    running.time.pass(Given.DEADLINE);

    assertThat(running.endInTime(given.key()))
        .asInstanceOf(type(Outcome.Unknown.class))
        .extracting(Outcome.Unknown::mayRepeat)
        .isEqualTo(true);
    assertThat(target.requests("POST")).hasSize(1);
  }

  @Test
  void a_303_of_a_poll_is_fetched_once_and_that_answer_is_judged() {
    target
        .then(
            Reply.of(202).header("Location", "/operations/7"),
            Reply.of(303).header("Location", "/results/7"),
            Reply.json(200, "{\"state\": \"broken\"}"))
        .always(Reply.of(500));

    assertThat(
            running.outcome(running.attempt("/x").poll().success("response.body.state == 'done'")))
        .asInstanceOf(type(Outcome.Failed.class))
        .extracting(Outcome.Failed::reason)
        .isEqualTo("HttpStatus200");
    assertThat(target.requests("GET"))
        .extracting(Request::target)
        .containsExactly("/operations/7", "/results/7");
  }

  @Test
  void a_303_that_leads_elsewhere_or_on_and_on_says_nothing() throws Exception {
    try (var elsewhere = new LoopbackServer()) {
      target
          .then(
              Reply.of(202).header("Location", "/operations/7"),
              Reply.of(303).header("Location", elsewhere.url("/results/7")),
              Reply.of(303),
              Reply.of(303).header("Location", "/operations/8"),
              Reply.of(303).header("Location", "/operations/9"))
          .always(Reply.of(200));

      assertThat(running.outcome(running.attempt("/x").poll())).isEqualTo(new Outcome.Succeeded());
      assertThat(elsewhere.requests()).isEmpty();
      assertThat(target.requests("GET"))
          .extracting(Request::target)
          .containsExactly(
              "/operations/7", "/operations/7", "/operations/7", "/operations/8", "/operations/7");
    }
  }

  static Stream<String> locations_that_status_does_not_hold() {
    return Stream.of(
        "/operations/" + "7".repeat(1_500), "/operations/7?sig=s3cr3t-signature&se=2026");
  }

  @ParameterizedTest
  @MethodSource("locations_that_status_does_not_hold")
  void such_an_operation_is_polled_to_its_end_and_stands_nowhere(String location) {
    target
        .then(Reply.of(202).header("Location", location), Reply.of(202))
        .always(
            Reply.text(
                200, "see " + location + " and s3cr3t-signature and sig=s3cr3t-signature&se=2026"));
    Given given = running.attempt("/x").poll().success("response.body.state == 'done'");

    Outcome outcome = running.outcome(given);

    assertThat(target.requests("GET"))
        .hasSize(2)
        .extracting(Request::target)
        .containsOnly(location);
    assertThat(running.wakes.get())
        .as("it was never Accepted: nothing of it is in status")
        .isEqualTo(1);
    assertThat(outcome)
        .asInstanceOf(type(Outcome.Unknown.class))
        .satisfies(
            unknown ->
                assertThat(unknown.message())
                    .doesNotContain("s3cr3t")
                    .doesNotContain("7".repeat(200)));
  }

  // --- secrets ---

  @Test
  void secrets_go_into_headers_and_into_no_message() {
    running.secrets.put("fleet/token", "Bearer s3cr3t-value\n");
    target.answering(
        request ->
            Reply.text(
                500,
                "you said %s, that is %s"
                    .formatted(request.headers().get("authorization"), "s3cr3t-value")));

    Outcome outcome =
        running.outcome(running.attempt("/x").header("Authorization", "fleet", "token"));

    assertThat(target.requests())
        .singleElement()
        .satisfies(
            request ->
                assertThat(request.headers())
                    .containsEntry("authorization", "Bearer s3cr3t-value"));
    assertThat(outcome)
        .asInstanceOf(type(Outcome.Failed.class))
        .satisfies(
            failed ->
                assertThat(failed.message()).doesNotContain("s3cr3t").contains("you said ***"));
  }

  @Test
  void a_missing_secret_is_named_and_uses_no_attempt() {
    assertThat(running.outcome(running.attempt("/x").header("Authorization", "fleet", "token")))
        .asInstanceOf(type(Outcome.NotBegun.class))
        .satisfies(
            not -> {
              assertThat(not.reason()).isEqualTo("SecretNotFound");
              assertThat(not.message()).contains("fleet").contains("token");
              assertThat(not.told()).isTrue();
            });
    assertThat(target.requests()).isEmpty();
  }

  @Test
  void a_secret_that_cannot_be_read_now_uses_no_attempt() {
    assertThat(
            running.outcome(running.attempt("/x").header("Authorization", "unreadable", "token")))
        .asInstanceOf(type(Outcome.NotBegun.class))
        .extracting(Outcome.NotBegun::reason)
        .isEqualTo("SecretUnreadable");
    assertThat(target.requests()).isEmpty();
  }

  @Test
  void a_secret_that_is_no_header_value_is_not_quoted() {
    running.secrets.put("fleet/token", "Bearer s3cr3t\r\nX-Evil: 1");

    assertThat(running.outcome(running.attempt("/x").header("Authorization", "fleet", "token")))
        .asInstanceOf(type(Outcome.Failed.class))
        .satisfies(
            failed -> {
              assertThat(failed.reason()).isEqualTo("InvalidHeader");
              assertThat(failed.message()).doesNotContain("s3cr3t");
            });
    assertThat(target.requests()).isEmpty();
  }

  // --- job types that are wrong ---

  @Test
  void a_rule_that_does_not_compile_sends_nothing() {
    assertThat(running.outcome(running.attempt("/x").success("response.staus == 200")))
        .asInstanceOf(type(Outcome.Failed.class))
        .satisfies(
            failed -> {
              assertThat(failed.reason()).isEqualTo("InvalidJobType");
              assertThat(failed.message()).contains("spec.executor.http.success");
            });
    assertThat(target.requests()).isEmpty();
  }
}
