package dev.andon.operator.workflow;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.JobTypeSpec;
import dev.andon.crds.WorkflowSpec;
import dev.andon.crds.WorkflowSpec.Batch;
import dev.andon.crds.WorkflowSpec.Block;
import dev.andon.crds.WorkflowStatus;
import dev.andon.crds.WorkflowStatus.Active;
import dev.andon.crds.WorkflowStatus.BlockStatus;
import dev.andon.crds.WorkflowStatus.PinnedJobType;
import dev.andon.operator.execution.Attempt;
import dev.andon.operator.execution.Attempt.Work;
import dev.andon.operator.execution.AttemptKey;
import dev.andon.operator.execution.Outcome;
import dev.andon.operator.ledger.Claim;
import dev.andon.plan.RecordName;
import dev.andon.plan.SpecHash;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A run that goes on where another one ended. */
class ContinuationTest {
  private static final String FIRST = "first";
  private static final String SECOND_UID = "uid-2";

  /** Runs the spec until something is done, and stops it. */
  private static Scene stopped(Consumer<Scene> until, Block... blocks) {
    var first = new Scene(blocks);
    first.step();
    until.accept(first);
    stop(first);
    return first;
  }

  private static void stop(Scene scene) {
    scene.stop = Scene.STOPPED;
    scene.latched = Scene.STOPPED.by();
    for (int i = 0; i < 5 && !finished(scene); i++) {
      scene.step();
      scene.throughJson();
      for (AttemptKey key : List.copyOf(scene.underWay)) {
        scene.outcome(key, new Outcome.Cancelled());
      }
    }
    assertThat(scene.status.phase()).isEqualTo("Stopped");
  }

  private static boolean finished(Scene scene) {
    return Conditions.isTrue(scene.status.conditions(), Conditions.FINISHED);
  }

  private static EarlierRun found(Scene scene) {
    return Scene.found(scene.uid, scene.spec, scene.status);
  }

  /** The same world, and a new workflow of the same spec in it. */
  private static Scene continuing(Scene first) {
    return continuing(first, FIRST, SECOND_UID);
  }

  private static Scene continuing(Scene first, String name, String uid) {
    var next = new Scene();
    next.spec = continueFrom(first.spec, name);
    next.uid = uid;
    next.now = first.now.plusSeconds(60);
    next.jobTypes.putAll(first.jobTypes);
    next.versions.putAll(first.versions);
    next.earlier = found(first);
    return next;
  }

  private static WorkflowSpec continueFrom(WorkflowSpec s, String name) {
    return new WorkflowSpec(
        s.type(),
        s.description(),
        s.runId(),
        s.start(),
        s.startDeadlineSeconds(),
        s.activeDeadlineSeconds(),
        s.paused(),
        s.maxFailures(),
        name,
        s.requestedBy(),
        s.blocks());
  }

  private static void succeed(Scene scene, String block, int... indexes) {
    for (int index : indexes) {
      AttemptKey key =
          scene.underWay.stream()
              .filter(k -> k.block().equals(block) && k.index() == index)
              .findFirst()
              .orElseThrow();
      scene.succeed(key);
      scene.step();
      scene.throughJson();
    }
  }

  private static List<String> begun(Decision decision) {
    return decision.begin().stream().map(a -> a.key().toString()).sorted().toList();
  }

  private static BlockStatus block(Scene scene, String name) {
    return scene.status.blocks().stream()
        .filter(b -> name.equals(b.name()))
        .findFirst()
        .orElseThrow();
  }

  private static void runToItsEnd(Scene scene) {
    for (int i = 0; i < 200 && !finished(scene); i++) {
      List.copyOf(scene.underWay).forEach(scene::succeed);
      scene.after(1);
      scene.step();
      scene.throughJson();
    }
    assertThat(finished(scene)).as("%s", scene.status).isTrue();
  }

  private static void onContinue(Scene scene, String type, String value) {
    JobTypeSpec t = scene.jobTypes.get(type);
    scene.jobTypes.put(
        type,
        new JobTypeSpec(
            t.description(),
            t.args(),
            t.timeoutSeconds(),
            t.retry(),
            t.retrySafe(),
            value,
            t.rateLimit(),
            t.executor()));
  }

  @Test
  void what_succeeded_is_skipped_and_the_rest_is_run_under_keys_of_its_own() {
    Scene first = stopped(s -> succeed(s, "a", 0, 1), Scene.range("a", 2, 5, Scene.ONCE));

    Scene second = continuing(first);
    Decision start = second.step();

    assertThat(begun(start)).containsExactly("uid-2/a/2/1", "uid-2/a/3/1");
    assertThat(block(second, "a").skipped()).isEqualTo("0-1");
    assertThat(second.status.progress()).isEqualTo("2/5");
    assertThat(second.status.jobs().skipped()).isEqualTo(2);
    assertThat(second.status.continued()).isEqualTo(new WorkflowStatus.Continued(FIRST, Scene.UID));
    second.throughJson();
    second.earlier = EarlierRun.NOT_ASKED; // it may be deleted by now
    runToItsEnd(second);
    assertThat(second.status.phase()).isEqualTo("Complete");
    assertThat(second.status.jobs()).isEqualTo(new WorkflowStatus.JobCounts(5, 3, 0, 2, 0, 0));
  }

  @Test
  void a_third_run_skips_what_the_first_did() {
    Scene first =
        stopped(
            s -> succeed(s, "b", 0),
            Scene.block("a", 1, Scene.sleep("s", "0")),
            Scene.range("b", 1, 4, Scene.ONCE),
            Scene.range("c", 1, 2, Scene.ONCE));
    Scene second = continuing(first);
    second.step();
    succeed(second, "b", 1);
    stop(second);

    Scene third = continuing(second, "second", "uid-3");
    Decision start = third.step();

    assertThat(block(third, "b").skipped()).isEqualTo("0-1");
    assertThat(begun(start)).containsExactly("uid-3/b/2/1");
  }

  @Test
  void a_third_run_skips_what_the_second_had_not_come_to() {
    Scene first =
        stopped(
            s -> {
              succeed(s, "a", 0);
              succeed(s, "b", 0, 1);
            },
            Scene.block("a", 1, Scene.job("x", Scene.CALL), Scene.sleep("s", "0")),
            Scene.range("b", 1, 4, Scene.ONCE));
    // "a" is to be done again, and the second run ends in it.
    onContinue(first, Scene.CALL, "Rerun");
    Scene second = continuing(first);
    assertThat(begun(second.step())).containsExactly("uid-2/a/0/1");
    second.throughJson();
    stop(second);

    Scene third = continuing(second, "second", "uid-3");
    third.step();
    third.throughJson();

    assertThat(block(third, "b").skipped()).isEqualTo("0-1");
    assertThat(block(third, "b").startTime()).isNull();
    runToItsEnd(third);
    assertThat(third.status.jobs()).isEqualTo(new WorkflowStatus.JobCounts(6, 4, 0, 2, 0, 0));
  }

  @Test
  void a_job_type_that_says_rerun_is_run_again() {
    Scene first =
        stopped(
            s -> {
              succeed(s, "check", 0);
              succeed(s, "erase", 0);
            },
            Scene.range("check", 1, 1, Scene.CALL),
            Scene.range("erase", 1, 2, Scene.ONCE));
    onContinue(first, Scene.CALL, "Rerun");

    Scene second = continuing(first);
    Decision start = second.step();

    assertThat(begun(start)).containsExactly("uid-2/check/0/1");
    succeed(second, "check", 0);
    assertThat(second.underWay).containsExactly(new AttemptKey(SECOND_UID, "erase", 1, 1));
    assertThat(block(second, "erase").skipped()).isEqualTo("0");
  }

  @Test
  void a_sleep_is_skipped_unless_a_job_before_it_is_run() {
    Block[] blocks = {
      Scene.range("drain", 1, 1, Scene.CALL),
      Scene.block("settle", 1, Scene.sleep("s", "0.5")),
      Scene.range("erase", 1, 2, Scene.ONCE)
    };
    Consumer<Scene> toErase =
        s -> {
          succeed(s, "drain", 0);
          s.after(1);
          s.step();
          succeed(s, "erase", 0);
        };
    Scene first = stopped(toErase, blocks);

    Scene second = continuing(first);
    second.step();
    assertThat(block(second, "settle").skipped()).isEqualTo("0");
    assertThat(second.underWay).containsExactly(new AttemptKey(SECOND_UID, "erase", 1, 1));

    onContinue(first, Scene.CALL, "Rerun");
    Scene again = continuing(first);
    again.step();
    assertThat(block(again, "settle").skipped()).isNullOrEmpty();
  }

  @Test
  void a_row_of_sleeps_goes_on_after_those_that_are_over() {
    Scene first = new Scene(Scene.block("a", 1, Scene.sleep("s", "1"), Scene.sleep("t", "1")));
    first.step();
    first.after(1);
    first.step();
    stop(first);

    Scene second = continuing(first);
    second.step();

    assertThat(block(second, "a").skipped()).isEqualTo("0");
    assertThat(second.status.active()).singleElement().extracting(Active::index).isEqualTo(1);
  }

  @Test
  void all_done_is_complete_at_once_and_can_be_read_back() {
    var first = new Scene(Scene.range("a", 2, 2, Scene.ONCE), Scene.range("b", 2, 2, Scene.CALL));
    first.step();
    runToItsEnd(first);

    Scene second = continuing(first);
    Decision start = second.step();

    assertThat(start.begin()).isEmpty();
    assertThat(second.status.phase()).isEqualTo("Complete");
    assertThat(second.status.progress()).isEqualTo("4/4");
    second.throughJson();
    Scene third = continuing(second, "second", "uid-3");
    third.step();
    assertThat(third.status.phase()).isEqualTo("Complete");
  }

  @Test
  void failures_of_the_first_run_are_tried_again_and_count_for_nothing() {
    var first = new Scene(Scene.range("a", 1, 3, Scene.ONCE));
    first.step();
    succeed(first, "a", 0);
    first.fail(Scene.key("a", 1, 1));
    first.step();
    first.throughJson();
    assertThat(first.condition("Ready")).isEqualTo("False/JobFailed");

    Scene second = continuing(first);
    second.step();

    assertThat(second.status.jobs().failed()).isZero();
    assertThat(second.status.failures()).isEmpty();
    runToItsEnd(second);
    assertThat(second.status.jobs()).isEqualTo(new WorkflowStatus.JobCounts(3, 2, 0, 1, 0, 0));
  }

  private static Scene unknownIn(String type) {
    var first = new Scene(Scene.range("a", 2, 3, type));
    first.step();
    succeed(first, "a", 0);
    first.stop = Scene.STOPPED;
    first.latched = Scene.STOPPED.by();
    first.outcome(Scene.key("a", 1, 1), new Outcome.Unknown("connection dropped", false));
    first.outcome(Scene.key("a", 2, 1), new Outcome.Cancelled());
    first.step();
    first.throughJson();
    assertThat(first.condition("Ready")).isEqualTo("False/EmergencyStop");
    assertThat(block(first, "a").unknown()).isEqualTo("1");
    return first;
  }

  @Test
  void what_nobody_knows_of_is_unknown_and_waits_for_a_person() {
    Scene first = unknownIn(Scene.ONCE);

    Scene second = continuing(first);
    Decision start = second.step();
    second.throughJson();

    assertThat(start.begin()).isEmpty();
    assertThat(second.condition("Ready")).isEqualTo("False/UnknownOutcome");
    assertThat(block(second, "a").unknown()).isEqualTo("1");
    assertThat(second.status.failures())
        .singleElement()
        .satisfies(f -> assertThat(f.message()).contains("sent by Workflow first"));
    second.ask("Resolve", "a", 1, "Retry");
    Decision resolved = second.step();
    second.throughJson();
    // In the order of status: the retry of a known attempt, then what is left.
    assertThat(begun(resolved)).containsExactly("uid-2/a/1/2", "uid-2/a/2/1");
    runToItsEnd(second);
    assertThat(second.status.jobs()).isEqualTo(new WorkflowStatus.JobCounts(3, 2, 0, 1, 0, 0));
  }

  @Test
  void a_person_may_say_that_it_was_done_before_anything_is_sent() {
    Scene first = unknownIn(Scene.ONCE);
    Scene second = continuing(first);
    second.step();
    second.throughJson();

    second.ask("Resolve", "a", 1, "Succeeded");
    second.step();
    second.throughJson();

    assertThat(second.status.earlierAttempts()).isEmpty();
    assertThat(second.underWay).containsExactly(new AttemptKey(SECOND_UID, "a", 2, 1));
  }

  @Test
  void what_may_be_repeated_is_sent_again_under_the_key_it_had() {
    Scene first = unknownIn(Scene.CALL);

    Scene second = continuing(first);
    Decision start = second.step();
    second.throughJson();

    assertThat(begun(start)).containsExactly("uid-1/a/1/1", "uid-2/a/2/1");
    Attempt repeated =
        start.begin().stream().filter(a -> a.key().index() == 1).findFirst().orElseThrow();
    assertThat(repeated.runner()).isEqualTo(new Attempt.Runner("erase", SECOND_UID));
    assertThat(repeated.workflow()).as("the name that is in the first request").isEqualTo(FIRST);
    assertThat(repeated.work()).isEqualTo(new Work.Send(true));
    assertThat(second.status.earlierAttempts())
        .singleElement()
        .satisfies(
            e -> {
              assertThat(e.indexes()).isEqualTo("1");
              assertThat(e.uid()).isEqualTo(Scene.UID);
            });
  }

  @Test
  void a_process_that_takes_over_knows_the_key_it_was_repeated_under() {
    Scene second = continuing(unknownIn(Scene.CALL));
    second.step();
    second.throughJson();
    second.restart();

    Decision after = second.step();

    assertThat(begun(after)).containsExactly("uid-1/a/1/1", "uid-2/a/2/1");
    assertThat(after.begin()).allMatch(a -> a.work() instanceof Work.Observe);
  }

  @Test
  void the_attempt_after_a_known_failure_is_one_of_its_own() {
    Scene second = continuing(unknownIn(Scene.CALL));
    second.step();
    second.throughJson();
    second.fail(new AttemptKey(Scene.UID, "a", 1, 1));
    second.step();
    second.throughJson();
    second.after(60);

    Decision next = second.step();

    assertThat(begun(next)).containsExactly("uid-2/a/1/2");
    assertThat(second.status.earlierAttempts()).isEmpty();
  }

  @Test
  void a_third_run_repeats_under_the_key_of_the_first() {
    Scene second = continuing(unknownIn(Scene.CALL));
    second.step();
    second.throughJson();
    AttemptKey key = new AttemptKey(Scene.UID, "a", 1, 1);
    second.stop = Scene.STOPPED;
    second.latched = Scene.STOPPED.by();
    second.outcome(key, new Outcome.Unknown("connection dropped", false));
    second.outcome(new AttemptKey(SECOND_UID, "a", 2, 1), new Outcome.Cancelled());
    second.step();
    second.throughJson();
    assertThat(second.condition("Ready")).isEqualTo("False/EmergencyStop");
    assertThat(block(second, "a").unknown()).isEqualTo("1");

    Scene third = continuing(second, "second", "uid-3");

    assertThat(begun(third.step())).containsExactly("uid-1/a/1/1", "uid-3/a/2/1");
  }

  @Test
  void what_was_not_sent_again_before_the_end_stays_unknown() {
    Scene first = unknownIn(Scene.CALL);
    Scene second = continuing(first);
    second.pace.put(Scene.CALL, new Snapshot.Pace(0, second.now.plusSeconds(7), null));
    second.step();
    second.throughJson();
    stop(second);

    assertThat(block(second, "a").unknown()).isEqualTo("1");
    assertThat(second.condition("Ready")).isEqualTo("False/EmergencyStop");
    Scene third = continuing(second, "second", "uid-3");
    assertThat(begun(third.step())).containsExactly("uid-1/a/1/1", "uid-3/a/2/1");
  }

  @Test
  void what_was_sent_by_a_job_type_as_it_was_is_not_sent_again() {
    Scene first = unknownIn(Scene.CALL);
    Scene second = continuing(first);
    second.versions.put(Scene.CALL, new PinnedJobType(Scene.CALL, "call-uid", 2L));

    Decision start = second.step();

    assertThat(start.begin()).isEmpty();
    assertThat(second.condition("Ready")).isEqualTo("False/UnknownOutcome");
    stop(second);
    // The third run's job type is the second's, and not that of the first.
    Scene third = continuing(second, "second", "uid-3");
    assertThat(third.step().begin()).isEmpty();
    assertThat(third.condition("Ready")).isEqualTo("False/UnknownOutcome");
  }

  @Test
  void a_resume_with_another_job_type_does_not_make_the_unknown_repeatable() {
    var first = new Scene(Scene.range("a", 1, 2, Scene.CALL));
    first.step();
    // Sent five times without an answer, and so unknown.
    for (int i = 0; i < 5; i++) {
      first.outcome(Scene.key("a", 0, 1), new Outcome.Unknown("no answer", true));
      first.step();
      first.after(120);
      first.step();
    }
    first.throughJson();
    assertThat(first.condition("Ready")).isEqualTo("False/UnknownOutcome");
    first.versions.put(Scene.CALL, new PinnedJobType(Scene.CALL, "call-uid", 2L));
    first.ask("Resume");
    first.step();
    first.throughJson();
    assertThat(first.status.jobTypes())
        .containsExactly(new PinnedJobType(Scene.CALL, "call-uid", 2L));
    stop(first);

    Scene second = continuing(first);

    assertThat(second.step().begin()).isEmpty();
    assertThat(second.condition("Ready")).isEqualTo("False/UnknownOutcome");
  }

  /**
   * To be repeated under the first run's key, and sent to nobody yet: not begun, or refused by the
   * gate, a rate limit or an open circuit.
   */
  @Test
  void a_resume_with_another_job_type_does_not_send_it_the_key_of_an_earlier_run() {
    Scene second = continuing(unknownIn(Scene.CALL));
    second.step();
    second.throughJson();
    AttemptKey key = new AttemptKey(Scene.UID, "a", 1, 1);
    second.outcome(key, new Outcome.NotBegun("Unreachable", "refused", second.now.plusSeconds(1)));
    second.succeed(new AttemptKey(SECOND_UID, "a", 2, 1));
    second.step();
    second.throughJson();
    PinnedJobType then = second.versions.get(Scene.CALL);
    second.versions.put(Scene.CALL, new PinnedJobType(Scene.CALL, "call-uid", 2L));
    second.step();
    assertThat(second.condition("Ready")).isEqualTo("False/JobTypeChanged");

    PendingAction resume = second.ask("Resume");
    List<Attempt> begun = new ArrayList<>(second.step().begin());
    second.throughJson();
    second.after(60);
    begun.addAll(second.step().begin());
    second.throughJson();

    assertThat(second.answer(resume).phase()).isEqualTo("Applied");
    assertThat(begun).extracting(Attempt::key).doesNotContain(key);
    assertThat(second.condition("Ready")).isEqualTo("False/UnknownOutcome");
    assertThat(block(second, "a").unknown()).isEqualTo("1");
    assertThat(second.status.earlierAttempts())
        .singleElement()
        .satisfies(
            e -> {
              assertThat(e.uid()).isEqualTo(Scene.UID);
              assertThat(e.jobType()).as("by which it was sent").isEqualTo(then);
            });
  }

  @Test
  void a_retry_in_a_block_to_come_waits_for_its_turn() {
    Scene first =
        stopped(
            s -> {
              succeed(s, "check", 0);
              s.outcome(Scene.key("erase", 0, 1), new Outcome.Unknown("dropped", false));
            },
            Scene.range("check", 1, 1, Scene.CALL),
            Scene.range("erase", 1, 2, Scene.ONCE));
    onContinue(first, Scene.CALL, "Rerun");
    Scene second = continuing(first);
    second.step();
    second.throughJson();
    assertThat(second.condition("Ready")).isEqualTo("False/UnknownOutcome");

    second.ask("Resolve", "erase", 0, "Retry");
    Decision resolved = second.step();
    second.throughJson();

    assertThat(begun(resolved)).containsExactly("uid-2/check/0/1");
    succeed(second, "check", 0);
    assertThat(second.underWay).containsExactly(new AttemptKey(SECOND_UID, "erase", 0, 2));
    runToItsEnd(second);
    assertThat(second.status.phase()).isEqualTo("Complete");
  }

  @Test
  void pauses_between_batches_and_after_blocks_go_on_counting() {
    Block batches = Scene.range("a", 2, 4, Scene.ONCE, new Batch(2, 600), null);
    Scene first = stopped(s -> succeed(s, "a", 0, 1), batches);

    Scene second = continuing(first); // 60 s later
    Decision start = second.step();
    second.throughJson();

    assertThat(start.begin()).isEmpty();
    assertThat(Duration.between(second.now, start.wakeUp()))
        .isLessThanOrEqualTo(Duration.ofSeconds(80));
    second.after(530);
    assertThat(second.step().begin()).as("590 s after").isEmpty();
    second.after(20);
    assertThat(begun(second.step())).containsExactly("uid-2/a/2/1", "uid-2/a/3/1");
  }

  static Stream<Arguments> what_cannot_be_continued() {
    return Stream.of(
        Arguments.of(
            "missing",
            (UnaryOperator<EarlierRun>) f -> EarlierRun.MISSING,
            "there is no such Workflow in namespace fleet"),
        row(
            "itself",
            f -> Scene.found(SECOND_UID, f.spec(), f.status()),
            "is this Workflow itself"),
        row(
            "never looked at",
            f -> Scene.found(f.uid(), f.spec(), null),
            "has not finished (phase Pending)"),
        row(
            "running",
            f -> {
              var running = new Scene();
              running.spec = f.spec();
              running.step();
              return Scene.found(f.uid(), f.spec(), running.status);
            },
            "has not finished (phase Running)"),
        row(
            "of other work",
            f -> Scene.found(f.uid(), Scene.spec(Scene.range("a", 2, 6, Scene.ONCE)), f.status()),
            "asks for other work, in spec.blocks[0]"),
        claimed(Claim.Standing.STARTED, "Workflow other has continued it already"),
        claimed(Claim.Standing.STARTED, "name other, which knows what both did"),
        claimed(Claim.Standing.WAITS, "Workflow other is about to continue it"),
        claimed(Claim.Standing.LOST, "has lost its status"),
        claimed(Claim.Standing.GONE, "is gone, so that nobody knows what both did"),
        claimed(Claim.Standing.GONE, "see WorkflowRecord record-of-other"),
        claimed(Claim.Standing.GONE, "leave the field out and list the jobs that are left"),
        row(
            "without a record",
            f ->
                new EarlierRun.Found(
                    f.uid(), f.spec(), f.status(), new Claim.Untold("its-record", "is not there")),
            "WorkflowRecord its-record, which tells whether another has continued it already, is not there"),
        row(
            "never started",
            f -> {
              var rejected = new Scene();
              rejected.spec = f.spec();
              rejected.policies.clear();
              rejected.step();
              return Scene.found(f.uid(), f.spec(), rejected.status);
            },
            "ended as PolicyDenied and never started"),
        row(
            "ranges nobody can read",
            f -> Scene.found(f.uid(), f.spec(), corrupt(f.status())),
            "its status cannot be trusted: status.blocks[0].succeeded"),
        row(
            "ended as corrupt",
            f -> {
              var scene = new Scene();
              scene.spec = f.spec();
              scene.jobTypes.putAll(new Scene().jobTypes);
              scene.step();
              scene.status = Scene.with(scene.status, "armed", null);
              scene.step();
              return Scene.found(f.uid(), f.spec(), scene.status);
            },
            "its status cannot be trusted: it ended as CorruptStatus"),
        row(
            "the status of another spec",
            f -> Scene.found(f.uid(), f.spec(), Scene.with(f.status(), "specHash", "v1:0")),
            "its status cannot be trusted: status.specHash"));
  }

  private static Arguments claimed(Claim.Standing standing, String expected) {
    var claim = new Claim.Taken("other", "uid-other", "record-of-other", standing);
    return row(
        "continued by another: " + standing,
        f -> new EarlierRun.Found(f.uid(), f.spec(), f.status(), claim),
        expected);
  }

  private static Arguments row(
      String name, UnaryOperator<EarlierRun.Found> change, String expected) {
    UnaryOperator<EarlierRun> any = f -> change.apply((EarlierRun.Found) f);
    return Arguments.of(name, any, expected);
  }

  private static WorkflowStatus corrupt(WorkflowStatus status) {
    return Scene.with(
        status, "blocks", List.of(Scene.yaml("{name: a, total: 5, succeeded: '1,0'}")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("what_cannot_be_continued")
  void what_cannot_be_continued_is_rejected_and_says_why(
      String name, UnaryOperator<EarlierRun> change, String expected) {
    Scene first = stopped(s -> succeed(s, "a", 0, 1), Scene.range("a", 2, 5, Scene.ONCE));
    Scene second = continuing(first);
    second.earlier = change.apply(second.earlier);

    Decision decision = second.step();

    assertThat(second.condition("Ready")).isEqualTo("False/InvalidSpec");
    assertThat(second.status.phase()).isEqualTo("Rejected");
    assertThat(Conditions.find(second.status.conditions(), "Ready").orElseThrow().message())
        .startsWith("spec.continueFrom: \"first\": ")
        .contains(expected);
    assertThat(decision.begin()).isEmpty();
    assertThat(decision.record()).as("nothing ran").isNull();
  }

  @Test
  void a_continuation_created_again_as_it_was_is_a_duplicate() {
    Scene first = stopped(s -> succeed(s, "a", 0, 1), Scene.range("a", 2, 5, Scene.ONCE));
    Scene second = continuing(first);
    var found = (EarlierRun.Found) second.earlier;
    var me = second.snapshot().workflow();
    String own = RecordName.of(me.namespace(), me.name(), SpecHash.of(second.spec));
    second.earlier =
        new EarlierRun.Found(
            found.uid(),
            found.spec(),
            found.status(),
            new Claim.Taken(me.name(), "uid-before", own, Claim.Standing.GONE));

    Decision decision = second.step();

    assertThat(second.condition("Ready")).isEqualTo("False/DuplicateRun");
    assertThat(second.status.phase()).isEqualTo("Rejected");
    assertThat(decision.begin()).isEmpty();
  }

  @Test
  void a_job_type_that_says_neither_skip_nor_rerun_is_rejected() {
    Scene first = stopped(s -> succeed(s, "a", 0, 1), Scene.range("a", 2, 5, Scene.ONCE));
    Scene second = continuing(first);
    onContinue(second, Scene.ONCE, "Perhaps");
    second.step();

    assertThat(second.condition("Ready")).isEqualTo("False/InvalidSpec");
    assertThat(Conditions.find(second.status.conditions(), "Ready").orElseThrow().message())
        .contains("job type once", "onContinue: \"Perhaps\"");
  }

  @Test
  void a_token_that_was_taken_is_not_taken_again() {
    Scene first =
        stopped(
            s -> {
              succeed(s, "token", 0);
              succeed(s, "erase", 0);
            },
            Scene.block(
                "token",
                1,
                new WorkflowSpec.Job(
                    "t", "token-bucket", java.util.Map.of("bucket", "b"), null, null)),
            Scene.range("erase", 1, 2, Scene.ONCE));

    Scene second = continuing(first);

    assertThat(begun(second.step())).containsExactly("uid-2/erase/1/1");
    assertThat(block(second, "token").skipped()).isEqualTo("0");
  }

  /** Its status was edited, or written by another version: what it tells of may have been sent. */
  @Test
  void what_the_earlier_run_still_tells_of_as_under_way_is_unknown_if_it_may_have_been_sent() {
    Scene first = stopped(s -> succeed(s, "a", 0), Scene.range("a", 4, 4, Scene.ONCE));
    first.status =
        Scene.with(
            first.status,
            "active",
            List.of(
                Scene.yaml(
                    "{block: a, index: 1, attempt: 1, sends: 1, startTime: '2026-01-01T00:00:00Z', deadline: '2026-01-01T00:01:00Z'}"),
                Scene.yaml(
                    "{block: a, index: 2, attempt: 1, sends: 1, nextAttemptTime: '2026-01-01T00:00:00Z'}"),
                Scene.yaml(
                    "{block: a, index: 3, attempt: 2, sends: 0, nextAttemptTime: '2026-01-01T00:00:00Z'}")));

    Scene second = continuing(first);
    second.step();

    assertThat(block(second, "a").unknown()).isEqualTo("1-2");
    assertThat(second.condition("Ready")).isEqualTo("False/UnknownOutcome");
  }

  @Test
  void what_the_earlier_run_was_to_send_again_and_did_not_is_sent_under_the_first_key() {
    Scene first = stopped(s -> succeed(s, "a", 0), Scene.range("a", 1, 3, Scene.CALL));
    WorkflowStatus status =
        Scene.with(first.status, "continued", Scene.yaml("{workflow: w0, uid: u0}"));
    first.status =
        Scene.with(
            status,
            "earlierAttempts",
            List.of(
                Scene.yaml(
                    "{block: a, indexes: '2', attempt: 3, workflow: w0, uid: u0, jobType: {name: call, uid: call-uid, generation: 1}}")));
    Scene second = continuing(first);
    second.step();
    succeed(second, "a", 1);

    assertThat(second.underWay).containsExactly(new AttemptKey("u0", "a", 2, 3));
  }

  @Test
  void by_which_of_two_job_types_it_was_sent_is_kept_for_each() {
    Scene first =
        stopped(
            s -> {
              s.outcome(Scene.key("a", 0, 1), new Outcome.Unknown("dropped", false));
              s.outcome(Scene.key("a", 1, 1), new Outcome.Unknown("dropped", false));
            },
            Scene.block("a", 2, Scene.job("x", Scene.ONCE), Scene.job("y", Scene.CALL)));
    Scene second = continuing(first);
    Decision start = second.step();

    assertThat(second.status.earlierAttempts())
        .extracting(e -> e.indexes() + " " + e.jobType().name())
        .containsExactlyInAnyOrder("0 once", "1 call");
    assertThat(start.begin()).as("a person is to look at the first").isEmpty();
  }

  @Test
  void over_the_budget_what_was_to_be_sent_again_stays_unknown() {
    Scene first =
        stopped(
            s -> s.outcome(Scene.key("a", 1, 1), new Outcome.Unknown("dropped", false)),
            Scene.block("a", 2, Scene.job("x", Scene.ONCE), Scene.job("y", Scene.CALL)));
    assertThat(block(first, "a").unknown()).isEqualTo("1");
    Scene second = continuing(first);
    second.pace.put(Scene.CALL, new Snapshot.Pace(0, second.now.plusSeconds(7), null));
    assertThat(begun(second.step())).containsExactly("uid-2/a/0/1");
    second.fail(new AttemptKey(SECOND_UID, "a", 0, 1));
    second.step();

    assertThat(second.condition("Ready")).isEqualTo("False/JobFailed");
    assertThat(block(second, "a").unknown()).isEqualTo("1");
  }

  @Test
  void one_that_is_gone_when_it_comes_to_the_start_is_rejected_then() {
    Scene first = stopped(s -> succeed(s, "a", 0, 1), Scene.range("a", 2, 5, Scene.ONCE));
    Scene second = continuing(first);
    second.stop = Scene.STOPPED;
    second.step();
    assertThat(second.condition("Accepted")).isEqualTo("True/Accepted");

    second.stop = Scene.OPEN;
    second.earlier = EarlierRun.MISSING;
    second.step();

    assertThat(second.condition("Ready")).isEqualTo("False/InvalidSpec");
    assertThat(second.condition("Accepted")).isEqualTo("False/InvalidSpec");
  }

  @Test
  void while_it_cannot_be_read_nothing_starts_and_nothing_is_rejected() {
    Scene first = stopped(s -> succeed(s, "a", 0, 1), Scene.range("a", 2, 5, Scene.ONCE));
    Scene second = continuing(first);
    EarlierRun readable = second.earlier;
    second.earlier = new EarlierRun.Unreadable("timeout");
    Decision decision = second.step();

    assertThat(decision.begin()).isEmpty();
    assertThat(second.condition("Ready")).isEqualTo("False/EarlierRunUnavailable");
    assertThat(Conditions.find(second.status.conditions(), "Ready").orElseThrow().message())
        .isEqualTo("spec.continueFrom: \"first\" could not be read: timeout");
    second.earlier = readable;
    assertThat(begun(second.step())).containsExactly("uid-2/a/2/1", "uid-2/a/3/1");
  }

  @Test
  void a_start_that_lost_what_it_took_over_is_corrupt() {
    Scene first = stopped(s -> succeed(s, "a", 0, 1), Scene.range("a", 2, 5, Scene.ONCE));
    Scene second = continuing(first);
    second.step();
    second.restart();
    second.status = Scene.with(second.status, "continued", null);

    second.step();

    assertThat(second.condition("Ready")).isEqualTo("False/CorruptStatus");
    assertThat(Conditions.find(second.status.conditions(), "Ready").orElseThrow().message())
        .startsWith("status.continued: is missing, but the workflow has started");
  }

  static Stream<Arguments> corrupt_earlier_attempts() {
    return Stream.of(
        Arguments.of("{block: b, indexes: '1', attempt: 1, workflow: first, uid: u}", "block"),
        Arguments.of("{block: a, indexes: '1', attempt: 0, workflow: first, uid: u}", "attempt"),
        Arguments.of("{block: a, indexes: '1', attempt: 2, workflow: first, uid: u}", "attempt"),
        Arguments.of("{block: a, indexes: '1-', attempt: 1, workflow: first, uid: u}", "indexes"),
        Arguments.of("{block: a, indexes: '0', attempt: 1, workflow: first, uid: u}", "ended"),
        Arguments.of("{block: a, indexes: '1', attempt: 1, workflow: first}", "uid"));
  }

  @ParameterizedTest
  @MethodSource("corrupt_earlier_attempts")
  void earlier_attempts_that_cannot_be_are_corrupt(String yaml, String named) {
    Scene second = continuing(unknownIn(Scene.ONCE));
    second.step();
    second.status = Scene.with(second.status, "earlierAttempts", List.of(Scene.yaml(yaml)));

    second.step();

    assertThat(second.condition("Ready")).isEqualTo("False/CorruptStatus");
    assertThat(Conditions.find(second.status.conditions(), "Ready").orElseThrow().message())
        .contains("status.earlierAttempts[0]")
        .contains(named);
  }

  @Test
  void the_status_stays_small_whatever_was_done() {
    Scene first = new Scene(Scene.range("a", 50, 20_000, Scene.ONCE));
    first.step();
    for (int i = 0; i < 300; i++) {
      List.copyOf(first.underWay).forEach(first::succeed);
      first.step();
    }
    stop(first);

    Scene second = continuing(first);
    second.step();

    assertThat(block(second, "a").skipped()).matches("0-\\d{5}");
    assertThat(Scene.json(second.status).toString().length()).isLessThan(16_384);
  }
}
