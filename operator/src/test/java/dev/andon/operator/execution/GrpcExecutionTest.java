package dev.andon.operator.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.type;
import static org.awaitility.Awaitility.await;

import dev.andon.crds.JobTypeSpec;
import dev.andon.executor.v1.Cancelled;
import dev.andon.executor.v1.Failed;
import dev.andon.executor.v1.Job;
import dev.andon.executor.v1.NotKnown;
import dev.andon.executor.v1.Running;
import dev.andon.executor.v1.State;
import dev.andon.executor.v1.Succeeded;
import dev.andon.executor.v1.Workflow;
import dev.andon.operator.execution.LoopbackExecutor.Call;
import dev.andon.operator.execution.LoopbackExecutor.Reply;
import dev.andon.operator.stop.TestPermits;
import io.grpc.Status;
import java.io.IOException;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** What is asked of an executor, and what its answers mean: the comments of executor.proto. */
class GrpcExecutionTest {
  private static final AttemptKey KEY = new AttemptKey("4d3f", "erase", 0, 1);
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final Attempt.Work AGAIN = new Attempt.Work.Send(true);

  private final dev.andon.operator.execution.Running running =
      new dev.andon.operator.execution.Running();
  private final LoopbackExecutor executor = new LoopbackExecutor();
  private String target = executor.target();
  private Attempt.Work work = new Attempt.Work.Send();
  private boolean retrySafe;

  @AfterEach
  void close() throws IOException {
    running.close();
    executor.close();
  }

  private Attempt attempt() {
    return new Attempt(
        KEY,
        "fleet",
        "erase-aap",
        "SatelliteDiskErase",
        TestPermits.ARMED,
        "disk-erase",
        new JobTypeSpec(
            null,
            List.of(),
            2,
            null,
            retrySafe,
            null,
            null,
            new JobTypeSpec.Executor(null, null, new JobTypeSpec.Grpc(target, true), null)),
        Map.of("machine", "aap-0001"),
        JumpingClock.START.plus(LONG),
        work);
  }

  private Outcome outcome() {
    running.runner.begin(attempt());
    return running.end(KEY);
  }

  private int runs() {
    return executor.calls("Run").size();
  }

  private static Reply succeeded() {
    return say(State.newBuilder().setSucceeded(Succeeded.getDefaultInstance()));
  }

  private static Reply failed(Failed.Builder failed) {
    return say(State.newBuilder().setFailed(failed));
  }

  private static Reply cancelled() {
    return say(State.newBuilder().setCancelled(Cancelled.getDefaultInstance()));
  }

  private static Reply goesOn() {
    return say(State.newBuilder().setRunning(Running.newBuilder().setPollAfter(seconds(0))));
  }

  private static com.google.protobuf.Duration seconds(long seconds) {
    return com.google.protobuf.Duration.newBuilder().setSeconds(seconds).build();
  }

  private static Reply notKnown() {
    return say(State.newBuilder().setNotKnown(NotKnown.getDefaultInstance()));
  }

  private static Reply nothing() {
    return say(State.newBuilder());
  }

  private static Reply say(State.Builder state) {
    return new Reply.Say(state.build());
  }

  private static Reply code(Status.Code code) {
    return new Reply.Code(code.toStatus().withDescription("so it is"));
  }

  // --- the answer to Run ---

  @Test
  void it_tells_the_executor_key_args_and_workflow() {
    executor.on("Run", succeeded());

    assertThat(outcome()).isEqualTo(new Outcome.Succeeded());

    assertThat(executor.calls("Run"))
        .containsExactly(
            new Call(
                "Run",
                Job.newBuilder()
                    .setKey("4d3f/erase/0/1")
                    .setJobType("disk-erase")
                    .putArgs("machine", "aap-0001")
                    .setBlock("erase")
                    .setIndex(0)
                    .setAttempt(1)
                    .setWorkflow(
                        Workflow.newBuilder()
                            .setNamespace("fleet")
                            .setName("erase-aap")
                            .setUid("4d3f")
                            .setType("SatelliteDiskErase"))
                    .build()));
    assertThat(running.gate.permitsUsed()).isEqualTo(1);
  }

  @Test
  void a_failure_says_why_and_whether_and_when_it_may_be_tried_again() {
    executor.on(
        "Run",
        failed(
            Failed.newBuilder()
                .setReason("DiskNotFound")
                .setMessage("no disk\nin slot 3")
                .setRetryAfter(seconds(144_000))));

    assertThat(outcome())
        .asInstanceOf(type(Outcome.Failed.class))
        .satisfies(
            failed -> {
              assertThat(failed.reason()).isEqualTo("DiskNotFound");
              assertThat(failed.message()).isEqualTo("no disk in slot 3");
              assertThat(failed.reach()).isEqualTo(Outcome.Failed.Reach.ATTEMPT);
              assertThat(failed.retryAfter()).isEqualTo(JumpingClock.START.plusSeconds(3_600));
            });
  }

  @ParameterizedTest
  @CsvSource({"''", "disk not found", "1st", "'a-b'"})
  void a_reason_that_is_no_word_is_not_told(String reason) {
    executor.on("Run", failed(Failed.newBuilder().setReason(reason).setFatal(true)));

    assertThat(outcome())
        .isEqualTo(
            new Outcome.Failed(
                "ExecutorFailed", "the executor gave no message", Outcome.Failed.Reach.WORKFLOW));
  }

  @Test
  void what_goes_on_is_observed_until_it_has_ended() {
    executor.on("Run", goesOn());
    executor.on("Observe", goesOn(), code(Status.Code.UNAVAILABLE), goesOn(), succeeded());

    assertThat(outcome()).isEqualTo(new Outcome.Succeeded());

    assertThat(runs()).isEqualTo(1);
    assertThat(executor.calls("Observe"))
        .hasSize(4)
        .allSatisfy(call -> assertThat(call.job().getKey()).isEqualTo("4d3f/erase/0/1"));
    assertThat(running.gate.permitsUsed()).isEqualTo(1);
  }

  @Test
  void cancelled_by_others_it_has_failed() {
    executor.on("Run", cancelled());

    assertThat(outcome())
        .isEqualTo(new Outcome.Failed("Cancelled", "it was cancelled, and not by Andon"));
  }

  @ParameterizedTest
  @CsvSource({
    "UNAUTHENTICATED, Unauthenticated",
    "PERMISSION_DENIED, PermissionDenied",
    "UNIMPLEMENTED, Unimplemented"
  })
  void four_codes_say_that_nothing_was_begun(Status.Code code, String reason) {
    executor.on("Run", code(code));
    executor.on("Observe", succeeded());

    assertThat(outcome())
        .asInstanceOf(type(Outcome.Failed.class))
        .satisfies(
            failed -> {
              assertThat(failed.reason()).isEqualTo(reason);
              assertThat(failed.message()).contains(code + ": so it is");
              assertThat(failed.reach()).isEqualTo(Outcome.Failed.Reach.ATTEMPT);
            });
  }

  @ParameterizedTest
  @EnumSource(
      value = Status.Code.class,
      mode = Mode.EXCLUDE,
      names = {"OK", "INVALID_ARGUMENT", "UNAUTHENTICATED", "PERMISSION_DENIED", "UNIMPLEMENTED"})
  void any_other_code_says_nothing_and_without_observe_it_is_unknown(Status.Code code) {
    executor.on("Run", code(code));

    assertThat(outcome()).isInstanceOf(Outcome.Unknown.class);
    assertThat(runs()).isEqualTo(1);
  }

  @ParameterizedTest
  @EnumSource(
      value = Status.Code.class,
      names = {"UNAVAILABLE", "UNKNOWN", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION"})
  void an_answer_that_got_lost_is_asked_for(Status.Code code) {
    executor.on("Run", code(code));
    executor.on("Observe", code(Status.Code.UNAVAILABLE), goesOn(), succeeded());

    assertThat(outcome()).isEqualTo(new Outcome.Succeeded());
    assertThat(runs()).isEqualTo(1);
  }

  @Test
  void an_answer_that_is_too_large_is_none() {
    executor.on("Run", failed(Failed.newBuilder().setMessage("x".repeat(1 << 20))));
    executor.on("Observe", succeeded());

    assertThat(outcome()).isEqualTo(new Outcome.Succeeded());
  }

  // --- nonsense ---

  @Test
  void an_answer_without_a_state_is_no_outcome() {
    executor.on("Run", nothing());
    executor.on("Observe", nothing());

    assertThat(outcome())
        .asInstanceOf(type(Outcome.Unknown.class))
        .satisfies(
            unknown -> {
              assertThat(unknown.message()).contains("no state that this version knows");
              assertThat(unknown.mayRepeat()).isFalse();
            });
  }

  @Test
  void a_run_that_does_not_know_itself_is_asked_about() {
    executor.on("Run", notKnown());
    executor.on("Observe", succeeded());

    assertThat(outcome()).isEqualTo(new Outcome.Succeeded());
  }

  @Test
  void a_poll_interval_that_is_no_interval_does_not_matter() {
    executor.on(
        "Run",
        say(
            State.newBuilder()
                .setRunning(
                    Running.newBuilder()
                        .setPollAfter(
                            com.google.protobuf.Duration.newBuilder()
                                .setSeconds(Long.MIN_VALUE)
                                .setNanos(Integer.MIN_VALUE)))));
    executor.on("Observe", succeeded());

    assertThat(outcome()).isEqualTo(new Outcome.Succeeded());
  }

  // --- not known ---

  @Test
  void what_is_not_known_may_be_repeated_if_that_is_safe() {
    retrySafe = true;
    executor.on("Run", code(Status.Code.UNAVAILABLE));
    executor.on("Observe", notKnown());

    assertThat(outcome())
        .asInstanceOf(type(Outcome.Unknown.class))
        .satisfies(unknown -> assertThat(unknown.mayRepeat()).isTrue());
    assertThat(runs()).isEqualTo(1);
  }

  @Test
  void what_is_not_known_and_may_not_be_repeated_is_unknown_when_its_time_is_over() {
    executor.on("Run", code(Status.Code.UNAVAILABLE));
    executor.on("Observe", notKnown());
    executor.on("Cancel", notKnown());
    running.runner.begin(attempt());
    await().until(() -> executor.calls("Observe").size() > 1);
    assertThat(executor.calls("Cancel")).as("before its time is over").isEmpty();
    running.time.pass(LONG);
    await().until(() -> !executor.calls("Cancel").isEmpty());

    assertThat(running.endInTime(KEY)).isInstanceOf(Outcome.Unknown.class);
    assertThat(runs()).isEqualTo(1);
    assertThat(executor.calls("Cancel")).isNotEmpty();
  }

  @Test
  void after_a_crash_it_is_observed_and_never_sent() {
    work = new Attempt.Work.Observe();
    executor.on("Observe", goesOn(), succeeded());

    assertThat(outcome()).isEqualTo(new Outcome.Succeeded());
    assertThat(executor.calls()).extracting(Call::method).containsOnly("Observe");
    assertThat(running.gate.asked()).isZero();
  }

  @Test
  void after_a_crash_what_cannot_be_observed_is_unknown() {
    work = new Attempt.Work.Observe();

    assertThat(outcome())
        .asInstanceOf(type(Outcome.Unknown.class))
        .satisfies(unknown -> assertThat(unknown.mayRepeat()).isFalse());
    assertThat(runs()).isZero();
  }

  // --- never begun ---

  @Test
  void no_connection_is_known_not_to_have_begun() throws IOException {
    target = "127.0.0.1:" + closedPort();

    assertThat(outcome())
        .as("what never left uses no attempt")
        .asInstanceOf(type(Outcome.NotBegun.class))
        .satisfies(
            not -> {
              assertThat(not.reason()).isEqualTo("NotValidated");
              assertThat(not.told()).isTrue();
            });
    assertThat(running.gate.permitsUsed()).isZero();
  }

  @Test
  void a_name_that_stands_for_nothing_is_known_not_to_have_begun() {
    target = "executor.invalid:50051";

    assertThat(outcome()).isInstanceOf(Outcome.NotBegun.class);
    assertThat(running.gate.permitsUsed()).isZero();
  }

  @Test
  void that_a_second_send_found_no_connection_says_nothing_of_the_first() throws IOException {
    work = AGAIN;
    target = "127.0.0.1:" + closedPort();

    assertThat(outcome())
        .asInstanceOf(type(Outcome.NotBegun.class))
        .satisfies(not -> assertThat(not.reason()).isEqualTo("ConnectFailed"));
  }

  @ParameterizedTest
  @EnumSource(
      value = Status.Code.class,
      names = {"INVALID_ARGUMENT", "UNAUTHENTICATED", "PERMISSION_DENIED", "UNIMPLEMENTED"})
  void that_a_second_send_was_refused_says_nothing_of_the_first(Status.Code code) {
    work = AGAIN;
    executor.on("Validate", new Reply.Find(List.of("never")));
    executor.on("Run", code(code));

    assertThat(outcome()).isInstanceOf(Outcome.Unknown.class);
    assertThat(executor.calls("Validate")).isEmpty();
  }

  private static int closedPort() throws IOException {
    try (var socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  // --- Validate ---

  @Test
  void what_validate_finds_is_not_run_and_ends_the_workflow() {
    executor.on(
        "Validate", new Reply.Find(List.of("machine: \"aap-0001\" is of another site", "and ...")));
    executor.on("Run", succeeded());

    assertThat(outcome())
        .isEqualTo(
            new Outcome.Failed(
                "InvalidArgs",
                "machine: \"aap-0001\" is of another site; and ...",
                Outcome.Failed.Reach.WORKFLOW));
    assertThat(runs()).isZero();
    assertThat(running.gate.asked()).isZero();
  }

  @Test
  void invalid_argument_is_a_finding_too() {
    executor.on("Run", code(Status.Code.INVALID_ARGUMENT));

    assertThat(outcome())
        .asInstanceOf(type(Outcome.Failed.class))
        .satisfies(
            failed -> {
              assertThat(failed.reason()).isEqualTo("InvalidArgs");
              assertThat(failed.reach()).isEqualTo(Outcome.Failed.Reach.WORKFLOW);
            });
  }

  @Test
  void nothing_found_is_run() {
    executor.on("Validate", new Reply.Find(List.of()));
    executor.on("Run", succeeded());

    assertThat(outcome()).isEqualTo(new Outcome.Succeeded());
    assertThat(executor.calls()).extracting(Call::method).containsExactly("Validate", "Run");
  }

  @Test
  void what_validate_cannot_tell_is_not_run() {
    executor.on("Validate", code(Status.Code.INTERNAL));
    executor.on("Run", succeeded());

    assertThat(outcome())
        .asInstanceOf(type(Outcome.NotBegun.class))
        .satisfies(not -> assertThat(not.reason()).isEqualTo("NotValidated"));
    assertThat(runs()).isZero();
  }

  @Test
  void a_validate_that_does_not_answer_is_not_waited_for() {
    executor.on("Validate", new Reply.Never());
    executor.on("Run", succeeded());
    running.runner.begin(attempt());
    running.awaitWaits(1, Duration.ofSeconds(3));
    running.time.pass(Duration.ofSeconds(3));

    assertThat(running.end(KEY)).isInstanceOf(Outcome.NotBegun.class);
    assertThat(runs()).isZero();
  }

  // --- the stop ---

  @Test
  void a_stop_between_the_decision_and_the_gate_sends_nothing() {
    executor.on(
        "Validate",
        job -> {
          running.gate.set(FakeGate.STOPPED);
          return new Reply.Find(List.of());
        });
    executor.on("Run", succeeded());

    assertThat(outcome())
        .asInstanceOf(type(Outcome.NotBegun.class))
        .satisfies(not -> assertThat(not.reason()).isEqualTo("EmergencyStop"));
    assertThat(runs()).isZero();
  }

  @Test
  void a_stop_between_the_gate_and_the_send_sends_nothing() throws IOException {
    // The second time, so that nothing is asked before.
    work = AGAIN;
    try (var server = new RawHttp2(RawHttp2.Manner.DROP, 100)) {
      target = server.target();
      running.runner.begin(attempt());
      await().atMost(LONG).until(() -> server.connections() == 1);

      running.gate.set(FakeGate.STOPPED);
      server.greet();

      assertThat(running.end(KEY))
          .asInstanceOf(type(Outcome.NotBegun.class))
          .satisfies(not -> assertThat(not.reason()).isEqualTo("EmergencyStop"));
      assertThat(server.requests()).isZero();
      assertThat(running.gate.permitsUsed()).isZero();
    }
  }

  @Test
  void a_permit_that_went_stale_is_asked_for_anew() {
    running.gate.staleFor(2);
    executor.on("Run", succeeded());

    assertThat(outcome()).isEqualTo(new Outcome.Succeeded());
    assertThat(runs()).isEqualTo(1);
    assertThat(running.gate.permitsUsed()).isEqualTo(1);
  }

  @Test
  void cancelled_it_gives_up_the_call_and_asks_the_executor_to_end_it() {
    executor.on("Run", new Reply.Never());
    executor.on("Cancel", code(Status.Code.UNAVAILABLE), goesOn());
    executor.on("Observe", goesOn(), cancelled());
    running.runner.begin(attempt());
    await().atMost(LONG).until(() -> runs() == 1);

    running.gate.set(FakeGate.STOPPED);
    running.runner.cancel(KEY.uid());

    assertThat(running.end(KEY)).isEqualTo(new Outcome.Cancelled());
    await().until(() -> executor.givenUp().contains("Run"));
    assertThat(executor.calls("Cancel")).hasSize(2);
    assertThat(executor.calls("Observe")).hasSize(2);
    assertThat(runs()).isEqualTo(1);
  }

  @Test
  void cancelled_too_late_it_is_what_it_became() {
    executor.on("Run", goesOn());
    executor.on("Observe", goesOn());
    executor.on("Cancel", succeeded());
    running.runner.begin(attempt());
    await().atMost(LONG).until(() -> !executor.calls("Observe").isEmpty());

    running.runner.cancel(KEY.uid());

    assertThat(running.end(KEY)).isEqualTo(new Outcome.Succeeded());
  }

  @Test
  void where_there_is_no_observe_cancel_tells_how_it_ended() {
    executor.on("Run", new Reply.Never());
    executor.on("Cancel", goesOn(), goesOn(), cancelled());
    running.runner.begin(attempt());
    await().atMost(LONG).until(() -> runs() == 1);

    running.runner.cancel(KEY.uid());

    assertThat(running.end(KEY)).isEqualTo(new Outcome.Cancelled());
  }

  @Test
  void where_there_is_neither_cancel_nor_observe_it_is_unknown() {
    executor.on("Run", new Reply.Never());
    running.runner.begin(attempt());
    await().atMost(LONG).until(() -> runs() == 1);

    running.runner.cancel(KEY.uid());

    assertThat(running.end(KEY)).isInstanceOf(Outcome.Unknown.class);
  }

  @Test
  void a_cancelled_key_that_is_not_known_may_still_arrive() {
    executor.on("Run", new Reply.Never());
    executor.on("Cancel", notKnown());
    executor.on("Observe", notKnown());
    running.runner.begin(attempt());
    await().atMost(LONG).until(() -> runs() == 1);

    running.runner.cancel(KEY.uid());
    await().until(() -> executor.calls("Observe").size() > 1);

    assertThat(running.endInTime(KEY)).isInstanceOf(Outcome.Unknown.class);
  }

  @Test
  void cancelled_before_it_was_sent_it_was_not_begun() {
    running.gate.beSilent();
    running.runner.begin(attempt());
    await().atMost(LONG).until(() -> running.gate.asked() > 0);

    running.runner.cancel(KEY.uid());

    assertThat(running.end(KEY)).isInstanceOf(Outcome.NotBegun.class);
    assertThat(runs()).isZero();
  }

  @Test
  void cancelled_before_it_was_sent_again_the_first_send_is_ended() {
    work = AGAIN;
    executor.on("Cancel", cancelled());
    running.gate.beSilent();
    running.runner.begin(attempt());
    await().atMost(LONG).until(() -> running.gate.asked() > 0);

    running.runner.cancel(KEY.uid());

    assertThat(running.end(KEY)).isEqualTo(new Outcome.Cancelled());
    assertThat(runs()).isZero();
  }

  @Test
  void what_a_dead_operator_left_is_ended() {
    work = new Attempt.Work.End(null);
    executor.on("Cancel", cancelled());

    assertThat(outcome()).isEqualTo(new Outcome.Cancelled());
    assertThat(executor.calls()).extracting(Call::method).containsExactly("Cancel");
  }

  @Test
  void when_its_time_is_over_it_is_cancelled() {
    executor.on("Run", new Reply.Never());
    executor.on("Cancel", cancelled());
    running.runner.begin(attempt());
    await().until(() -> runs() == 1);
    running.awaitWaits(1, LONG);
    running.time.pass(LONG);

    assertThat(running.end(KEY))
        .asInstanceOf(type(Outcome.Failed.class))
        .satisfies(failed -> assertThat(failed.reason()).isEqualTo("TimedOut"));
    await().until(() -> executor.givenUp().contains("Run"));
  }

  @Test
  void an_operator_that_ends_leaves_it_running() {
    executor.on("Run", new Reply.Never());
    running.runner.begin(attempt());
    await().atMost(LONG).until(() -> runs() == 1);

    running.runner.close();

    await().atMost(LONG).until(() -> executor.givenUp().contains("Run"));
    assertThat(executor.calls()).extracting(Call::method).doesNotContain("Cancel");
  }

  @Test
  void a_target_that_fails_again_and_again_is_left_alone_for_a_while() {
    executor.on("Validate", code(Status.Code.UNAVAILABLE));
    for (int i = 0; i < 10; i++) {
      assertThat(outcome())
          .asInstanceOf(type(Outcome.NotBegun.class))
          .satisfies(not -> assertThat(not.reason()).isEqualTo("NotValidated"));
      running.runner.settle(KEY.uid(), running.runner.outcomes(KEY.uid()));
    }

    assertThat(outcome())
        .asInstanceOf(type(Outcome.NotBegun.class))
        .satisfies(not -> assertThat(not.reason()).isEqualTo("CircuitOpen"));
    assertThat(executor.calls()).hasSize(10);
  }
}
