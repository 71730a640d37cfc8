package dev.andon.operator.execution;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.operator.execution.HttpMeaning.Says;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What each status says, to a send, its repeat and a poll, without rules and with them. */
class HttpMeaningTest {
  private static final HttpMeaning BARE = meaning(null, null, null, null, false);
  private static final HttpMeaning POLLING = meaning(null, null, null, null, true);

  private static HttpMeaning meaning(
      @Nullable String success,
      @Nullable String refused,
      @Nullable String finalFailure,
      @Nullable String fatal,
      boolean polls) {
    return new HttpMeaning(rule(success), rule(refused), rule(finalFailure), rule(fatal), polls);
  }

  private static @Nullable ResponseRule rule(@Nullable String expression) {
    try {
      return expression == null ? null : ResponseRule.compile(expression);
    } catch (ResponseRule.WrongExpression e) {
      throw new AssertionError(e);
    }
  }

  private static HttpAnswer answer(int status) {
    return new HttpAnswer(status, Map.of(), "", false);
  }

  private static HttpAnswer answer(int status, String body) {
    return new HttpAnswer(status, Map.of("content-type", "application/json"), body, false);
  }

  private static HttpAnswer withRetryAfter(int status) {
    return new HttpAnswer(status, Map.of("retry-after", "7"), "", false);
  }

  // --- by the protocol ---

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          200 | DONE           | DONE
          201 | DONE           | DONE
          202 | NOTHING        | GOES_ON
          203 | DONE           | DONE
          204 | DONE           | DONE
          206 | DONE           | DONE
          226 | DONE           | DONE
          300 | NOTHING        | NOTHING
          301 | NOTHING        | NOTHING
          302 | NOTHING        | NOTHING
          303 | NOTHING        | SEE_OTHER
          304 | NOTHING        | NOTHING
          307 | NOTHING        | NOTHING
          308 | NOTHING        | NOTHING
          400 | ATTEMPT_FAILED | NOTHING
          401 | ATTEMPT_FAILED | NOTHING
          403 | ATTEMPT_FAILED | NOTHING
          404 | ATTEMPT_FAILED | NOTHING
          407 | ATTEMPT_FAILED | NOTHING
          408 | ATTEMPT_FAILED | NOTHING
          409 | ATTEMPT_FAILED | NOTHING
          410 | ATTEMPT_FAILED | NOTHING
          422 | ATTEMPT_FAILED | NOTHING
          425 | ATTEMPT_FAILED | NOTHING
          429 | ATTEMPT_FAILED | NOTHING
          499 | ATTEMPT_FAILED | NOTHING
          500 | ATTEMPT_FAILED | NOTHING
          501 | ATTEMPT_FAILED | NOTHING
          502 | NOTHING        | NOTHING
          503 | NOTHING        | NOTHING
          504 | NOTHING        | NOTHING
          505 | ATTEMPT_FAILED | NOTHING
          507 | ATTEMPT_FAILED | NOTHING
          511 | ATTEMPT_FAILED | NOTHING
          519 | ATTEMPT_FAILED | NOTHING
          520 | NOTHING        | NOTHING
          525 | NOTHING        | NOTHING
          530 | NOTHING        | NOTHING
          531 | ATTEMPT_FAILED | NOTHING
          597 | ATTEMPT_FAILED | NOTHING
          598 | NOTHING        | NOTHING
          599 | NOTHING        | NOTHING
          600 | NOTHING        | NOTHING
          999 | NOTHING        | NOTHING
          """)
  void by_its_status(int status, Says send, Says poll) {
    assertThat(BARE.ofSend(answer(status))).isEqualTo(send);
    assertThat(POLLING.ofPoll(answer(status))).isEqualTo(poll);
  }

  @Test
  void a_202_goes_on_where_it_is_polled() {
    assertThat(POLLING.ofSend(answer(202))).isEqualTo(Says.GOES_ON);
    assertThat(POLLING.ofRepeat(answer(202))).isEqualTo(Says.GOES_ON);
    assertThat(BARE.ofRepeat(answer(202))).isEqualTo(Says.NOTHING);
  }

  @Test
  void a_503_that_says_when_to_come_again_took_nothing_on() {
    assertThat(BARE.ofSend(withRetryAfter(503))).isEqualTo(Says.ATTEMPT_FAILED);
    assertThat(HttpMeaning.isNotTakenNow(withRetryAfter(503))).isTrue();
    assertThat(HttpMeaning.isNotTakenNow(answer(503))).isFalse();
  }

  static Stream<Integer> statuses() {
    return IntStream.rangeClosed(100, 999).boxed();
  }

  /** The rule behind the table: a new key only where it is known that the work was not done. */
  @ParameterizedTest
  @MethodSource("statuses")
  void a_repeat_never_fails_and_no_poll_but_a_2xx_ends_anything(int status) {
    assertThat(BARE.ofRepeat(answer(status))).isIn(Says.DONE, Says.NOTHING);
    if (status < 200 || status > 299) {
      assertThat(POLLING.ofPoll(answer(status))).isIn(Says.NOTHING, Says.SEE_OTHER);
    }
    if (status < 400) {
      assertThat(BARE.ofSend(answer(status))).isIn(Says.DONE, Says.NOTHING);
    }
  }

  // --- by the job type's rules ---

  @Test
  void success_is_asked_first_then_fatal_then_final_then_refused() {
    String all = "response.status == 503";

    assertThat(meaning(all, all, all, all, false).ofSend(answer(503))).isEqualTo(Says.DONE);
    assertThat(meaning(null, all, all, all, false).ofSend(answer(503)))
        .isEqualTo(Says.WORKFLOW_FAILED);
    assertThat(meaning(null, all, all, null, false).ofSend(answer(503))).isEqualTo(Says.JOB_FAILED);
    assertThat(meaning(null, all, null, null, false).ofSend(answer(503)))
        .isEqualTo(Says.ATTEMPT_FAILED);
  }

  @ParameterizedTest
  @ValueSource(ints = {202, 302, 404, 409, 422, 500, 503, 504})
  void any_answer_to_a_poll_can_be_named_by_a_rule(int status) {
    String it = "response.status == " + status;

    assertThat(meaning(it, null, null, null, true).ofPoll(answer(status))).isEqualTo(Says.DONE);
    assertThat(meaning(null, null, it, null, true).ofPoll(answer(status)))
        .isEqualTo(Says.JOB_FAILED);
    assertThat(meaning(null, null, null, it, true).ofPoll(answer(status)))
        .isEqualTo(Says.WORKFLOW_FAILED);
  }

  @Test
  void refused_is_asked_of_the_first_send_alone() {
    HttpMeaning refusing = meaning(null, "response.status == 504", null, null, true);

    assertThat(refusing.ofSend(answer(504))).isEqualTo(Says.ATTEMPT_FAILED);
    assertThat(refusing.ofRepeat(answer(504))).isEqualTo(Says.NOTHING);
    assertThat(refusing.ofPoll(answer(504))).isEqualTo(Says.NOTHING);
  }

  @Test
  void of_a_repeat_only_success_is_believed() {
    String it = "response.status == 409";

    assertThat(meaning(null, it, it, it, false).ofRepeat(answer(409))).isEqualTo(Says.NOTHING);
    assertThat(meaning(it, null, null, null, false).ofRepeat(answer(409))).isEqualTo(Says.DONE);
  }

  @Test
  void a_202_is_done_only_where_success_names_it() {
    assertThat(
            meaning("response.status in [200, 202]", null, null, null, false).ofSend(answer(202)))
        .isEqualTo(Says.DONE);
    assertThat(meaning("response.status == 200", null, null, null, false).ofSend(answer(202)))
        .as("it is no failure either: it was accepted")
        .isEqualTo(Says.NOTHING);
  }

  @Test
  void a_2xx_that_is_no_success_has_failed_and_one_that_cannot_be_evaluated_is_not_known() {
    HttpMeaning rule = meaning("response.body.state == 'done'", null, null, null, true);

    assertThat(rule.ofSend(answer(200, "{\"state\":\"broken\"}"))).isEqualTo(Says.ATTEMPT_FAILED);
    assertThat(rule.ofPoll(answer(200, "{\"state\":\"broken\"}"))).isEqualTo(Says.ATTEMPT_FAILED);
    assertThat(rule.ofSend(answer(200, "{}"))).isEqualTo(Says.UNCLEAR);
    assertThat(rule.ofPoll(answer(200, "{}"))).isEqualTo(Says.UNCLEAR);
    assertThat(rule.ofSend(answer(200, "[1]"))).isEqualTo(Says.UNCLEAR);
  }

  @Test
  void a_rule_that_cannot_be_evaluated_does_not_say() {
    String body = "response.body.code == 'X'";
    HttpMeaning rule = meaning(null, body, body, body, true);

    assertThat(rule.ofSend(answer(504, "<html>"))).isEqualTo(Says.NOTHING);
    assertThat(rule.ofSend(answer(422, "<html>"))).isEqualTo(Says.ATTEMPT_FAILED);
    assertThat(rule.ofPoll(answer(404, "<html>"))).isEqualTo(Says.NOTHING);
    assertThat(rule.ofPoll(answer(404, "{\"code\":\"X\"}"))).isEqualTo(Says.WORKFLOW_FAILED);
  }

  @Test
  void of_a_body_that_was_not_read_to_its_end_only_what_asks_for_it_does_not_say() {
    var endless = new HttpAnswer(200, Map.of(), "done and mor", true);

    assertThat(BARE.ofSend(endless)).isEqualTo(Says.DONE);
    assertThat(meaning("response.status == 200", null, null, null, false).ofSend(endless))
        .isEqualTo(Says.DONE);
    assertThat(meaning("!response.body.contains('error')", null, null, null, false).ofSend(endless))
        .isEqualTo(Says.UNCLEAR);
    assertThat(meaning(null, null, null, "response.body.contains('done')", false).ofSend(endless))
        .isEqualTo(Says.DONE);
  }
}
