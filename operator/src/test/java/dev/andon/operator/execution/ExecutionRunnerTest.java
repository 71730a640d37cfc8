package dev.andon.operator.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.type;
import static org.awaitility.Awaitility.await;

import dev.andon.operator.execution.LoopbackServer.Reply;
import dev.andon.operator.execution.LoopbackServer.Request;
import dev.andon.operator.pacing.Breakers;
import dev.andon.operator.pacing.RateLimits;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Gate, pace, cancelling, and the outcomes that are kept. */
class ExecutionRunnerTest {
  private final Running running = new Running();
  private final LoopbackServer target = running.target;
  private final ExecutionRunner runner = running.runner;

  @AfterEach
  void close() throws IOException {
    running.close();
  }

  // --- the gate ---

  @Test
  void a_stop_seen_sends_nothing() {
    running.gate.set(FakeGate.STOPPED);

    assertThat(running.outcome(running.attempt("/x")))
        .asInstanceOf(type(Outcome.NotBegun.class))
        .satisfies(
            not -> {
              assertThat(not.reason()).isEqualTo("EmergencyStop");
              assertThat(not.message()).contains("all").contains("\"stop\"");
            });
    assertThat(target.requests()).isEmpty();
  }

  @Test
  void a_permit_of_another_arming_sends_nothing() {
    Attempt http = running.attempt("/x").attempt();
    runner.begin(
        new Attempt(
            http.key(),
            http.namespace(),
            http.workflow(),
            http.workflowType(),
            new dev.andon.crds.WorkflowStatus.Armed("uid-1", "before the stop"),
            http.jobType(),
            http.spec(),
            http.args(),
            http.deadline(),
            http.work()));

    assertThat(running.end(http.key()))
        .asInstanceOf(type(Outcome.NotBegun.class))
        .satisfies(not -> assertThat(not.reason()).isEqualTo("EmergencyStop"));
    assertThat(target.requests()).isEmpty();
  }

  @Test
  void a_workflow_that_has_seen_a_stop_sends_nothing_though_the_gate_is_open_again() {
    // Without the policy that numbers armings both armings look the same.
    running.latched.add(Given.UID);

    Outcome outcome = running.outcome(running.attempt("/erase"));

    assertThat(outcome)
        .asInstanceOf(type(Outcome.NotBegun.class))
        .extracting(Outcome.NotBegun::reason)
        .isEqualTo("EmergencyStop");
    assertThat(target.requests()).isEmpty();
    assertThat(running.gate.permitsUsed()).isZero();
  }

  /** Of a run that "rest" continues: sent again under its key. */
  private static Attempt repeatedByRest(Given given) {
    Attempt first = given.attempt();
    return Repeated.of(first, new Attempt.Runner("rest", "rest-uid"), first.tries(), true);
  }

  private Outcome endOfRest(AttemptKey key) {
    await().until(() -> runner.outcomes("rest-uid").containsKey(key));
    return runner.outcomes("rest-uid").get(key);
  }

  @Test
  void an_attempt_of_an_earlier_run_obeys_the_stop_of_the_run_that_repeats_it() {
    running.latched.add("rest-uid");
    Attempt repeated = repeatedByRest(running.attempt("/erase"));
    runner.begin(repeated);

    assertThat(endOfRest(repeated.key())).isInstanceOf(Outcome.NotBegun.class);
    assertThat(target.requests()).isEmpty();
  }

  @Test
  void an_attempt_of_an_earlier_run_ends_with_the_run_that_repeats_it_and_with_no_other() {
    target.answering(
        request -> request.method().equals("DELETE") ? Reply.of(200) : new Reply.Hang());
    running.latched.add(Given.UID); // the earlier run did see a stop: that is why there is another
    Attempt repeated =
        repeatedByRest(running.attempt("/x").cancel(target.url("/x"), "response.status == 200"));
    runner.begin(repeated);
    running.awaitRequests(1);
    assertThat(target.requests().getFirst().key()).isEqualTo("4d3f/erase/0/1");
    assertThat(target.requests().getFirst().body())
        .as("the request is the one that the earlier run made")
        .contains("\"name\":\"erase-aap\"", "\"uid\":\"4d3f\"");

    runner.cancel(Given.UID);
    runner.forget(Given.UID);
    assertThat(runner.underWay("rest-uid")).containsExactly(repeated.key());
    assertThat(runner.underWay(Given.UID)).isEmpty();

    runner.cancel("rest-uid");
    assertThat(endOfRest(repeated.key())).isEqualTo(new Outcome.Cancelled());
    runner.settle("rest-uid", runner.outcomes("rest-uid"));
    assertThat(runner.outcomes("rest-uid")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(longs = {-3, 3})
  void a_wall_clock_that_jumps_by_hours_does_not_change_how_long_an_attempt_has(long hours) {
    target.always(Reply.of(202).header("Location", "/operations/1"));
    Given given = running.attempt("/erase").poll();
    runner.begin(given.attempt());
    await().until(() -> !target.requests("GET").isEmpty());

    running.clock.jump(Duration.ofHours(hours));

    awaitPolls(2);
    running.time.pass(Given.DEADLINE.minusMillis(1));
    awaitPolls(2);
    assertThat(running.now(given.key())).get().isInstanceOf(Outcome.Accepted.class);
    running.time.pass(Duration.ofMillis(1));
    assertThat(running.endInTime(given.key()))
        .asInstanceOf(type(Outcome.Unknown.class))
        .satisfies(unknown -> assertThat(unknown.message()).contains("before its deadline"));
  }

  /** One that is under way may be of before, and the second is not. */
  private void awaitPolls(int more) {
    int polls = target.requests("GET").size();
    await().until(() -> target.requests("GET").size() >= polls + more);
  }

  @Test
  void a_wall_clock_set_back_while_it_is_cancelled_does_not_make_it_wait_for_hours() {
    target.answering(
        request ->
            request.method().equals("POST")
                ? Reply.of(202).header("Location", "/operations/1")
                : Reply.of(202));
    Given given = running.attempt("/erase").poll().cancel(target.url("/erase")).timeoutSeconds(3);
    runner.begin(given.attempt());
    await().until(() -> running.now(given.key()).isPresent());

    runner.cancel(Given.UID);
    await().until(() -> !target.requests("DELETE").isEmpty());
    running.clock.jump(Duration.ofHours(-3));
    running.time.pass(Duration.ofSeconds(3));

    assertThat(running.end(given.key())).isInstanceOf(Outcome.Unknown.class);
  }

  @Test
  void a_wall_clock_set_back_while_it_waits_at_the_gate_does_not_make_it_wait_for_hours() {
    running.gate.beSilent();
    Given given = running.attempt("/erase");
    runner.begin(given.attempt());
    running.awaitWaits(1, Duration.ofSeconds(5));

    running.clock.jump(Duration.ofHours(-3));
    running.time.pass(Duration.ofSeconds(5));

    assertThat(running.end(given.key())).isInstanceOf(Outcome.NotBegun.class);
    assertThat(target.requests()).isEmpty();
  }

  @Test
  void a_stop_that_is_not_visible_sends_nothing() {
    running.gate.set(FakeGate.NOT_VISIBLE);

    assertThat(running.outcome(running.attempt("/x")))
        .asInstanceOf(type(Outcome.NotBegun.class))
        .extracting(Outcome.NotBegun::reason)
        .isEqualTo("StopUnknown");
    assertThat(target.requests()).isEmpty();
  }

  @Test
  void a_gate_that_does_not_answer_withdraws_the_intent_after_five_seconds() {
    running.gate.beSilent();
    Given given = running.attempt("/x");
    runner.begin(given.attempt());
    await().until(() -> !running.time.waits().isEmpty());
    assertThat(running.time.waits()).containsExactly(Duration.ofSeconds(5));

    running.time.pass(Duration.ofSeconds(5));

    assertThat(running.end(given.key()))
        .asInstanceOf(type(Outcome.NotBegun.class))
        .satisfies(
            not -> {
              assertThat(not.reason()).isEqualTo("NoPermit");
              assertThat(not.retryAt()).isEqualTo(JumpingClock.START.plusSeconds(1));
            });
    assertThat(running.gate.asked()).isEqualTo(1);
    assertThat(target.requests()).isEmpty();
  }

  @Test
  void however_often_the_gate_is_asked_again_it_is_for_five_seconds_in_all() {
    running.gate.staleFor(Integer.MAX_VALUE);
    running.gate.whenAsked(() -> running.time.pass(Duration.ofSeconds(2)));

    assertThat(running.outcome(running.attempt("/x")))
        .asInstanceOf(type(Outcome.NotBegun.class))
        .extracting(Outcome.NotBegun::reason)
        .isEqualTo("NoPermit");
    assertThat(running.gate.asked()).isEqualTo(3);
    assertThat(target.requests()).isEmpty();
  }

  @Test
  void a_permit_that_went_stale_while_connecting_is_asked_for_again() {
    running.gate.staleFor(2);

    assertThat(running.outcome(running.attempt("/x"))).isEqualTo(new Outcome.Succeeded());
    assertThat(running.gate.asked()).isEqualTo(3);
    assertThat(target.requests()).hasSize(1);
  }

  // --- cancelling ---

  @Test
  void a_cancel_right_after_begin_never_sends() throws InterruptedException {
    running.gate.beSilent();
    for (int i = 0; i < 1_500; i++) {
      runner.begin(running.attempt("/x").index(i).attempt());
    }

    runner.cancel(Given.UID);

    running.awaitIdle();
    assertThat(runner.outcomes(Given.UID).values())
        .hasSize(1_500)
        .allSatisfy(
            outcome ->
                assertThat(outcome)
                    .asInstanceOf(type(Outcome.NotBegun.class))
                    .extracting(Outcome.NotBegun::reason)
                    .isEqualTo("Cancelled"));
    assertThat(target.requests()).isEmpty();
  }

  @Test
  void a_cancel_that_races_with_the_send_tells_truly_whether_it_was_sent()
      throws InterruptedException {
    target.always(new Reply.Hang());
    int attempts = 1_500;
    for (int i = 0; i < attempts; i++) {
      runner.begin(running.attempt("/x").index(i).attempt());
      runner.cancel(running.attempt("/x").index(i).key());
    }

    running.awaitIdle();
    Map<AttemptKey, Outcome> outcomes = runner.outcomes(Given.UID);
    assertThat(outcomes).hasSize(attempts);
    Set<AttemptKey> neverSent =
        outcomes.keySet().stream()
            .filter(key -> outcomes.get(key) instanceof Outcome.NotBegun)
            .collect(Collectors.toSet());

    assertThat(target.requests())
        .extracting(Request::key)
        .doesNotContainAnyElementsOf(neverSent.stream().map(AttemptKey::toString).toList());
    assertThat(running.gate.permitsUsed()).isEqualTo(attempts - neverSent.size());
  }

  // --- intents whose write met no answer ---

  @Test
  void what_was_not_begun_is_said_not_to_have_been_until_that_is_in_status() {
    Given given = running.attempt("/x");

    runner.neverBegun(given.attempt());
    runner.begin(given.attempt());

    assertThat(running.end(given.key())).isInstanceOf(Outcome.NotBegun.class);
    assertThat(target.requests()).isEmpty();
    runner.settle(Given.UID, runner.outcomes(Given.UID));
    runner.begin(given.attempt());
    assertThat(running.end(given.key())).isEqualTo(new Outcome.Succeeded());
  }

  @Test
  void what_is_under_way_is_not_said_not_to_have_begun() {
    target.always(new Reply.Hang());
    Given given = running.attempt("/x");
    runner.begin(given.attempt());
    running.awaitRequests(1);

    runner.neverBegun(given.attempt());

    assertThat(runner.outcomes(Given.UID)).isEmpty();
    assertThat(runner.underWay(Given.UID)).containsExactly(given.key());
  }

  @Test
  void what_was_only_to_be_observed_may_have_begun_all_the_same() {
    runner.neverBegun(running.attempt("/x").work(new Attempt.Work.Observe()).attempt());

    assertThat(runner.outcomes(Given.UID)).isEmpty();
  }

  @Test
  void a_cancel_of_a_call_under_way_aborts_it_and_is_unknown_if_nobody_can_tell() {
    target.always(new Reply.Hang());
    Given given = running.attempt("/x").isRetrySafe();
    runner.begin(given.attempt());
    running.awaitRequests(1);

    runner.cancel(given.key());

    assertThat(running.end(given.key()))
        .asInstanceOf(type(Outcome.Unknown.class))
        .extracting(Outcome.Unknown::mayRepeat)
        .isEqualTo(false);
  }

  @Test
  void a_cancel_of_a_call_under_way_makes_the_cancel_request() {
    target.answering(
        request -> request.method().equals("DELETE") ? Reply.of(200) : new Reply.Hang());
    Given given =
        running.attempt("/x").cancel(target.url("/x/{machine}"), "response.status == 200");
    runner.begin(given.attempt());
    running.awaitRequests(1);

    runner.cancel(Given.UID);

    assertThat(running.end(given.key())).isEqualTo(new Outcome.Cancelled());
    assertThat(target.requests("DELETE"))
        .extracting(Request::key)
        .containsExactly("4d3f/erase/0/1");
  }

  @Test
  void a_cancel_request_that_fails_is_made_again() {
    target.then(new Reply.Hang(), Reply.of(503), new Reply.Drop()).always(Reply.of(204));
    Given given = running.attempt("/x").cancel(target.url("/x"), "response.status == 204");
    runner.begin(given.attempt());
    running.awaitRequests(1);

    runner.cancel(given.key());

    assertThat(running.end(given.key())).isEqualTo(new Outcome.Cancelled());
  }

  @Test
  void what_was_done_before_the_cancel_arrived_has_succeeded() {
    target.answering(
        request ->
            switch (request.method()) {
              case "POST" -> Reply.of(202).header("Location", "/operations/7");
              case "DELETE" -> Reply.of(202);
              default -> target.requests("DELETE").isEmpty() ? Reply.of(202) : Reply.of(200);
            });
    Given given = running.attempt("/x").poll().cancel(target.url("/x"));
    runner.begin(given.attempt());
    await().until(() -> running.now(given.key()).isPresent());

    runner.cancel(given.key());

    assertThat(running.end(given.key())).isEqualTo(new Outcome.Succeeded());
  }

  @ParameterizedTest
  @ValueSource(ints = {404, 409, 410})
  void that_an_operation_is_not_there_any_more_after_the_cancel_says_nothing(int answer) {
    running.gate.set(FakeGate.OPEN);
    target.answering(
        request ->
            switch (request.method()) {
              case "POST" -> Reply.of(202).header("Location", "/operations/7");
              case "DELETE" -> Reply.of(202);
              default -> target.requests("DELETE").isEmpty() ? Reply.of(202) : Reply.of(answer);
            });
    Given given = running.attempt("/x").poll().cancel(target.url("/x")).timeoutSeconds(1);
    runner.begin(given.attempt());
    await().until(() -> running.now(given.key()).isPresent());
    running.gate.set(FakeGate.STOPPED);

    runner.cancel(given.key());
    awaitPolls(2);

    assertThat(running.endInTime(given.key()))
        .as("it may have been done just before")
        .isInstanceOf(Outcome.Unknown.class);
    assertThat(target.requests("DELETE")).hasSize(1);
  }

  @Test
  void an_operation_that_does_not_end_after_the_cancel_is_unknown() {
    target.answering(
        request ->
            request.method().equals("POST")
                ? Reply.of(202).header("Location", "/operations/7")
                : Reply.of(202));
    Given given = running.attempt("/x").poll().cancel(target.url("/x")).timeoutSeconds(1);
    runner.begin(given.attempt());
    await().until(() -> running.now(given.key()).isPresent());

    runner.cancel(given.key());
    await().until(() -> !target.requests("DELETE").isEmpty());
    awaitPolls(2);
    assertThat(running.now(given.key())).get().isInstanceOf(Outcome.Accepted.class);
    running.time.pass(Duration.ofSeconds(1));

    assertThat(running.end(given.key()))
        .asInstanceOf(type(Outcome.Unknown.class))
        .extracting(Outcome.Unknown::mayRepeat)
        .isEqualTo(false);
  }

  @Test
  void an_operation_left_by_an_earlier_process_is_cancelled() {
    // What the decider does after a restart under a stop: it takes the poll up, then cancels.
    running.gate.set(FakeGate.STOPPED);
    target.answering(request -> request.method().equals("DELETE") ? Reply.of(204) : Reply.of(404));
    Given given =
        running
            .attempt("/x")
            .poll()
            .cancel(target.url("/x"), "response.status == 204")
            .work(new Attempt.Work.Poll(target.url("/operations/7")));

    runner.begin(given.attempt());
    runner.cancel(given.key());

    assertThat(running.end(given.key())).isEqualTo(new Outcome.Cancelled());
    assertThat(target.requests("DELETE")).hasSize(1);
    assertThat(target.requests("POST")).isEmpty();
  }

  @Test
  void an_attempt_that_is_to_end_is_asked_to_though_nobody_can_observe_it() {
    running.gate.set(FakeGate.STOPPED);
    target.answering(request -> Reply.of(204));
    Given given = running.attempt("/x").cancel(target.url("/x")).work(new Attempt.Work.End(null));

    runner.begin(given.attempt());
    // The reconciler cancels what it has just begun: that must not cut off the cancel request.
    runner.cancel(given.key());

    assertThat(running.end(given.key()))
        .as("as cancelled it would be done once more by who continues, though it may be done")
        .isInstanceOf(Outcome.Unknown.class);
    assertThat(target.requests("DELETE")).hasSize(1);
    assertThat(target.requests("POST")).isEmpty();
  }

  @Test
  void what_is_forgotten_while_it_runs_is_still_asked_to_end() {
    target.answering(
        request -> request.method().equals("DELETE") ? Reply.of(204) : new Reply.Hang());
    Given given = running.attempt("/x").cancel(target.url("/x"));
    runner.begin(given.attempt());
    await().until(() -> !target.requests("POST").isEmpty());

    runner.cancel(given.attempt().key().uid());
    runner.forget(given.attempt().key().uid());

    await().until(() -> target.requests("DELETE").size() == 1);
    assertThat(runner.outcomes(Given.UID)).isEmpty();
  }

  @Test
  void an_intent_that_is_observed_is_cancelled() {
    target.answering(
        request ->
            request.method().equals("DELETE")
                ? Reply.of(202)
                : Reply.json(
                    200,
                    target.requests("DELETE").isEmpty()
                        ? "{\"state\": \"running\"}"
                        : "{\"state\": \"cancelled\"}"));
    Given given =
        running
            .attempt("/x")
            .observe(
                target.url("/x"),
                "response.body.state == 'done'",
                "response.body.state == 'cancelled'")
            .cancel(target.url("/x"))
            .work(new Attempt.Work.Observe());
    runner.begin(given.attempt());
    running.awaitRequests(1);

    runner.cancel(given.key());

    assertThat(running.end(given.key())).isEqualTo(new Outcome.Cancelled());
  }

  @Test
  void a_cancel_of_what_is_not_worked_on_does_nothing() {
    running.outcome(running.attempt("/x"));

    runner.cancel(running.attempt("/x").key());
    runner.cancel("another");

    assertThat(running.now(running.attempt("/x").key())).contains(new Outcome.Succeeded());
  }

  // --- outcomes ---

  @Test
  void an_outcome_stays_until_it_is_settled_and_begins_nothing_anew() {
    Given given = running.attempt("/x");
    running.outcome(given);

    runner.begin(given.attempt());
    assertThat(running.threads).as("that work on it").hasSize(1);
    assertThat(runner.underWay(Given.UID)).isEmpty();
    assertThat(runner.outcomes(Given.UID)).containsOnlyKeys(given.key());

    runner.settle(Given.UID, runner.outcomes(Given.UID));
    assertThat(runner.outcomes(Given.UID)).isEmpty();
    running.outcome(given);
    assertThat(running.threads).hasSize(2);
    assertThat(target.requests()).hasSize(2);
  }

  @Test
  void settling_an_old_outcome_keeps_the_later_one() {
    var looked = new CountDownLatch(1);
    target
        .then(Reply.of(202).header("Location", "/operations/7"))
        .answering(request -> LoopbackServer.after(looked, Reply.of(200)));
    Given given = running.attempt("/x").poll();
    runner.begin(given.attempt());
    await().until(() -> running.now(given.key()).isPresent());
    Map<AttemptKey, Outcome> written = runner.outcomes(Given.UID);
    assertThat(written.get(given.key())).isInstanceOf(Outcome.Accepted.class);
    looked.countDown();
    assertThat(running.end(given.key())).isEqualTo(new Outcome.Succeeded());

    runner.settle(Given.UID, written);

    assertThat(runner.outcomes(Given.UID)).containsEntry(given.key(), new Outcome.Succeeded());
  }

  @Test
  void a_settled_acceptance_is_still_worked_on() {
    target.then(Reply.of(202).header("Location", "/operations/7")).always(Reply.of(202));
    Given given = running.attempt("/x").poll();
    runner.begin(given.attempt());
    await().until(() -> running.now(given.key()).isPresent());

    runner.settle(Given.UID, runner.outcomes(Given.UID));
    runner.begin(given.work(new Attempt.Work.Poll(target.url("/operations/7"))).attempt());

    assertThat(runner.outcomes(Given.UID)).isEmpty();
    assertThat(runner.underWay(Given.UID)).containsExactly(given.key());
    assertThat(runner.all()).containsExactly(given.key());
  }

  @Test
  void what_is_forgotten_says_nothing_any_more() throws InterruptedException {
    target.always(new Reply.Hang());
    Given given = running.attempt("/x");
    runner.begin(given.attempt());
    running.awaitRequests(1);

    runner.forget(Given.UID);

    assertThat(runner.all()).isEmpty();
    running.awaitIdle();
    assertThat(runner.outcomes(Given.UID)).isEmpty();
    assertThat(running.wakes).hasValue(0);
  }

  @Test
  void workflows_do_not_touch_each_other() {
    target.always(new Reply.Hang());
    Given one = running.attempt("/x").uid("one");
    Given other = running.attempt("/x").uid("other");
    runner.begin(one.attempt());
    runner.begin(other.attempt());
    running.awaitRequests(2);

    runner.cancel("one");

    running.end(one.key());
    assertThat(runner.underWay("one")).isEmpty();
    assertThat(runner.underWay("other")).containsExactly(other.key());
    assertThat(runner.outcomes("other")).isEmpty();
  }

  @Test
  void close_gives_up_what_runs_and_begins_nothing() throws InterruptedException {
    target.always(new Reply.Hang());
    runner.begin(running.attempt("/x").attempt());
    running.awaitRequests(1);

    runner.close();
    runner.begin(running.attempt("/x").index(1).attempt());

    assertThat(runner.all()).isEmpty();
    assertThat(running.threads).as("of what was begun").hasSize(1);
    running.awaitIdle();
    assertThat(running.wakes).hasValue(0);
    assertThat(target.requests()).hasSize(1);
  }

  @Test
  void what_attempts_wait_for_is_kept_and_people_get_one_notice_of_each_reason() {
    Given first = Given.url("http://127.0.0.1:1/x");
    Given second = first.index(1);
    running.outcome(first);
    running.outcome(second);

    assertThat(runner.waits(Given.UID)).containsOnlyKeys(first.key(), second.key());
    assertThat(runner.waits(Given.UID).get(first.key()).reason()).isEqualTo("ConnectFailed");
    assertThat(runner.waits(Given.UID).get(first.key()).begun()).isFalse();
    assertThat(running.notices).singleElement().asString().startsWith("ConnectFailed: ");

    runner.settle(Given.UID, runner.outcomes(Given.UID));
    target.always(Reply.of(200));
    assertThat(running.outcome(running.attempt("/x"))).isEqualTo(new Outcome.Succeeded());
    assertThat(runner.waits(Given.UID)).containsOnlyKeys(second.key());
    runner.forget(Given.UID);
    assertThat(runner.waits(Given.UID)).isEmpty();
  }

  /** What is under way outside is taken up by the next operator, and is nobody's to cancel now. */
  @Test
  void what_is_given_up_is_not_cancelled_outside() throws InterruptedException {
    target.always(new Reply.Hang());
    Attempt attempt = running.attempt("/x").cancel(target.url("/x")).attempt();
    var run = new AttemptRun(attempt, running.clock, running.time, outcome -> {}, why -> {});
    try (var sender = new HttpSender(running.time)) {
      var http =
          new HttpExecutor(
              sender,
              new GateKeeper(running.gate, uid -> false, running.time),
              new RateLimits(running.clock, running.time::nanos),
              new Breakers(running.clock, running.time::nanos),
              (name, key) -> Optional.empty());
      Thread working =
          Thread.ofVirtual()
              .start(
                  () -> {
                    run.runsOn(Thread.currentThread());
                    http.run(run);
                  });
      running.awaitRequests(1);

      run.abandon();

      assertThat(working.join(Duration.ofSeconds(60))).isTrue();
    }
    assertThat(target.requests()).singleElement().returns("POST", LoopbackServer.Request::method);
  }

  @Test
  void a_job_type_without_an_executor_of_this_version_fails_and_says_so() {
    Attempt http = running.attempt("/x").attempt();
    runner.begin(
        new Attempt(
            http.key(),
            http.namespace(),
            http.workflow(),
            http.workflowType(),
            http.armed(),
            "approve",
            new dev.andon.crds.JobTypeSpec(
                null, java.util.List.of(), null, null, null, null, null, null),
            http.args(),
            http.deadline(),
            http.work()));

    assertThat(running.end(http.key()))
        .asInstanceOf(type(Outcome.Failed.class))
        .extracting(Outcome.Failed::reason)
        .isEqualTo("NoExecutor");
  }

  // --- many ---

  @Test
  void a_thousand_attempts_run_at_once() {
    var all = new CountDownLatch(1_000);
    target.answering(
        request -> {
          all.countDown();
          try {
            // Answers nobody before everybody has come.
            all.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          return Reply.of(200);
        });

    for (int i = 0; i < 1_000; i++) {
      runner.begin(running.attempt("/x").index(i).attempt());
    }

    await().atMost(Duration.ofSeconds(60)).until(() -> runner.outcomes(Given.UID).size() == 1_000);
    assertThat(runner.outcomes(Given.UID).values()).containsOnly(new Outcome.Succeeded());
    assertThat(target.requests()).extracting(Request::key).doesNotHaveDuplicates().hasSize(1_000);
    assertThat(running.gate.permitsUsed()).isEqualTo(1_000);
  }

  // --- pace ---

  @Test
  void a_rate_limit_holds_sends_back_and_uses_no_attempt() {
    for (int i = 0; i < 5; i++) {
      runner.begin(running.attempt("/x").index(i).rateLimit(2, 60).attempt());
    }

    await().until(() -> runner.outcomes(Given.UID).size() == 5);
    assertThat(runner.outcomes(Given.UID).values())
        .filteredOn(Outcome.NotBegun.class::isInstance)
        .hasSize(3)
        .allSatisfy(
            outcome ->
                assertThat(outcome)
                    .asInstanceOf(type(Outcome.NotBegun.class))
                    .satisfies(
                        not -> {
                          assertThat(not.reason()).isEqualTo("RateLimited");
                          assertThat(not.retryAt()).isEqualTo(JumpingClock.START.plusSeconds(60));
                        }));
    assertThat(target.requests()).hasSize(2);
    assertThat(runner.sendsLeft("disk-erase")).isZero();
    assertThat(runner.nextSend("disk-erase")).contains(JumpingClock.START.plusSeconds(60));
  }

  @Test
  void a_rate_limit_that_soon_lets_pass_is_waited_for() {
    for (int i = 0; i < 4; i++) {
      runner.begin(running.attempt("/x").index(i).rateLimit(2, 1).attempt());
    }

    await().until(() -> runner.outcomes(Given.UID).size() == 4);
    assertThat(runner.outcomes(Given.UID).values()).containsOnly(new Outcome.Succeeded());
    assertThat(running.time.pauses())
        .filteredOn(Duration::isPositive)
        .containsExactly(Duration.ofSeconds(1), Duration.ofSeconds(1));
  }

  @Test
  void a_job_type_without_a_limit_has_no_end_of_sends() {
    running.outcome(running.attempt("/x"));

    assertThat(runner.sendsLeft("disk-erase")).isEqualTo(Integer.MAX_VALUE);
    assertThat(runner.nextSend("disk-erase")).isEmpty();
  }

  @Test
  void a_target_that_fails_too_often_is_left_alone_and_uses_no_attempt() {
    target.always(Reply.of(500));
    for (int i = 0; i < 10; i++) {
      running.outcome(running.attempt("/x").index(i));
    }
    assertThat(target.requests()).hasSize(10);

    Outcome held = running.outcome(running.attempt("/x").index(10));

    assertThat(held)
        .asInstanceOf(type(Outcome.NotBegun.class))
        .satisfies(
            not -> {
              assertThat(not.reason()).isEqualTo("CircuitOpen");
              assertThat(not.retryAt()).isEqualTo(JumpingClock.START.plus(Breakers.OPEN_FOR));
            });
    assertThat(target.requests()).hasSize(10);
    assertThat(runner.circuitOpenUntil("disk-erase"))
        .contains(JumpingClock.START.plus(Breakers.OPEN_FOR));
  }

  @Test
  void answers_that_blame_the_request_do_not_open_the_circuit() {
    target.always(Reply.of(404));
    for (int i = 0; i < 30; i++) {
      running.outcome(running.attempt("/x").index(i));
    }

    assertThat(target.requests()).hasSize(30);
    assertThat(runner.circuitOpenUntil("disk-erase")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"429", "503", "drop", "hang"})
  void overload_and_silence_open_the_circuit(String fault) {
    target.always(
        switch (fault) {
          case "drop" -> new Reply.Drop();
          case "hang" -> new Reply.Hang();
          default -> Reply.of(Integer.parseInt(fault));
        });
    for (int i = 0; i < 10; i++) {
      runner.begin(running.attempt("/x").index(i).attempt());
    }
    if (fault.equals("hang")) {
      running.awaitRequests(10);
      running.awaitWaits(10, Given.DEADLINE);
      running.time.pass(Given.DEADLINE);
    }
    await().until(() -> runner.outcomes(Given.UID).size() == 10);

    assertThat(running.outcome(running.attempt("/x").index(10)))
        .asInstanceOf(type(Outcome.NotBegun.class))
        .extracting(Outcome.NotBegun::reason)
        .isEqualTo("CircuitOpen");
  }

  @Test
  void a_closed_gate_gives_the_breaker_its_leave_back() {
    // Else a stop would use up the three trial sends of a half-open circuit, and it never closed.
    running.gate.set(FakeGate.STOPPED);
    for (int i = 0; i < 50; i++) {
      running.outcome(running.attempt("/x").index(i));
    }
    running.gate.set(FakeGate.OPEN);

    assertThat(running.outcome(running.attempt("/x").index(50))).isEqualTo(new Outcome.Succeeded());
    assertThat(runner.circuitOpenUntil("disk-erase")).isEmpty();
  }
}
