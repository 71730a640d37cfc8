package dev.andon.operator.execution;

import dev.andon.crds.JobTypeSpec;
import dev.andon.executor.v1.CancelRequest;
import dev.andon.executor.v1.Failed;
import dev.andon.executor.v1.Job;
import dev.andon.executor.v1.ObserveRequest;
import dev.andon.executor.v1.RunRequest;
import dev.andon.executor.v1.Running;
import dev.andon.executor.v1.State;
import dev.andon.executor.v1.ValidateRequest;
import dev.andon.executor.v1.Workflow;
import dev.andon.operator.execution.GrpcSender.Sent;
import dev.andon.operator.execution.GrpcSender.Target;
import dev.andon.operator.execution.GrpcSender.Unanswered;
import dev.andon.operator.execution.Outcome.Failed.Reach;
import dev.andon.operator.pacing.Breakers;
import dev.andon.operator.pacing.RateLimits;
import dev.andon.operator.stop.Permit;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;

/** One attempt over gRPC, from the send (or from where an earlier process left it) to its end. */
final class GrpcAttempt {
  /** With what comes before it, within the gate's five seconds. */
  private static final Duration VALIDATE_TIMEOUT = Duration.ofSeconds(3);

  /** Of one Observe or Cancel. */
  private static final Duration ASK_TIMEOUT = Duration.ofSeconds(10);

  /** How long is looked for the end of an attempt that timed out. */
  private static final Duration LOOK_AFTER_TIMEOUT = Duration.ofSeconds(10);

  /** How long at most is looked for the end of an attempt that is cancelled. */
  private static final Duration LOOK_AFTER_CANCEL = Duration.ofSeconds(60);

  private static final Duration POLL = Duration.ofSeconds(1);
  private static final Duration SHORTEST_POLL = Duration.ofMillis(200);
  private static final Duration LONGEST_POLL = Duration.ofSeconds(60);
  private static final Duration LONGEST_BETWEEN_LOOKS = Duration.ofSeconds(30);
  private static final Duration LONGEST_BETWEEN_LAST_LOOKS = Duration.ofSeconds(2);
  private static final Duration LONGEST_RETRY_AFTER = Duration.ofHours(1);
  private static final Duration BEFORE_NEXT_TRY = Duration.ofSeconds(5);

  private static final Pattern REASON = Pattern.compile("[A-Za-z][A-Za-z0-9]{0,63}");

  private final GrpcExecutor executor;
  private final AttemptRun run;
  private final Attempt attempt;
  private final JobTypeSpec.Grpc grpc;

  /** Whether it may have reached the target. */
  private boolean sent;

  GrpcAttempt(GrpcExecutor executor, AttemptRun run, JobTypeSpec.Grpc grpc) {
    this.executor = executor;
    this.run = run;
    this.attempt = run.attempt();
    this.grpc = grpc;
  }

  Outcome run() {
    sent = !(attempt.work() instanceof Attempt.Work.Send);
    Optional<Target> target =
        GrpcRules.address(grpc.target())
            .map(address -> new Target(address, Boolean.TRUE.equals(grpc.plaintext())));
    if (target.isEmpty()) {
      String wrong = String.join("; ", GrpcRules.findings(attempt.spec()));
      return sent || isAgain() ? unknown(wrong, false) : failed("InvalidJobType", wrong);
    }
    try {
      return switch (attempt.work()) {
        case Attempt.Work.Send(boolean again) -> send(target.get(), again);
        case Attempt.Work.Poll poll ->
            lost(target.get(), "the operator ended before it saw an outcome");
        case Attempt.Work.Observe observe ->
            lost(target.get(), "the operator ended before it saw an outcome");
        case Attempt.Work.End end -> afterCancel(target.get());
      };
    } catch (InterruptedException e) {
      if (run.abandoned()) {
        // Not cancelled: the next operator takes up what goes on outside.
        return unknown("given up: this operator ends", false);
      }
      return sent || isAgain() ? afterCancel(target.get()) : neverSent();
    }
  }

  // --- sending ---

  private Outcome send(Target target, boolean again) throws InterruptedException {
    if (run.pastDeadline()) {
      return new Outcome.NotBegun(
          "DeadlinePassed", "its deadline passed before it was sent", run.now());
    }
    executor.limits.configure(attempt.jobType(), attempt.spec().rateLimit());
    switch (executor.limits.reserve(attempt.jobType())) {
      case RateLimits.Reservation.Full(Instant retryAt) -> {
        return new Outcome.NotBegun(
            "RateLimited", "the rate limit of %s is used up".formatted(attempt.jobType()), retryAt);
      }
      case RateLimits.Reservation.Reserved(Duration wait) -> run.pause(wait);
    }
    return switch (executor.breakers.enter(attempt.jobType(), target.origin())) {
      case Breakers.Entry.Open(Instant retryAt) ->
          new Outcome.NotBegun(
              "CircuitOpen",
              line(
                  "%s failed too often; nothing is sent there for a while"
                      .formatted(target.origin())),
              retryAt);
      case Breakers.Entry.Passed(Breakers.Pass pass) -> {
        try {
          // What was sent before was found right then, and may be under way.
          Optional<Outcome> wrong = again ? Optional.empty() : validate(target, pass);
          yield wrong.isPresent() ? wrong.get() : send(target, pass);
        } finally {
          // Does nothing if the pass was told how it ended.
          pass.unused();
        }
      }
    };
  }

  /** Why it is not to be sent; empty if it may. */
  private Optional<Outcome> validate(Target target, Breakers.Pass pass)
      throws InterruptedException {
    try {
      List<String> findings =
          executor
              .sender
              .validate(
                  target,
                  ValidateRequest.newBuilder().setJob(job()).build(),
                  least(VALIDATE_TIMEOUT, run.left()))
              .getFindingsList();
      return findings.isEmpty()
          ? Optional.empty()
          : Optional.of(invalidArgs(String.join("; ", findings)));
    } catch (Unanswered e) {
      if (e.unimplemented()) {
        return Optional.empty();
      }
      if (e.invalidArgument()) {
        return Optional.of(invalidArgs(Messages.of(e)));
      }
      if (e.targetFailed()) {
        pass.failed();
      }
      return Optional.of(
          neverLeft(
              "NotValidated", "Validate: %s (%s)".formatted(Messages.of(e), target.origin())));
    }
  }

  private Outcome send(Target target, Breakers.Pass pass) throws InterruptedException {
    RunRequest request = RunRequest.newBuilder().setJob(job()).build();
    while (true) {
      Permit permit;
      switch (executor.gate.enter(run)) {
        case GateKeeper.Answer.No(Outcome.NotBegun outcome) -> {
          return outcome;
        }
        case GateKeeper.Answer.Go(Permit granted) -> permit = granted;
      }
      switch (executor.sender.run(permit, target, request, run.left())) {
        // It went stale while the connection was made: the gate is asked again, for its five
        // seconds in all.
        case Sent.NoPermit() -> {}
        case Sent.NoConnection(String why) -> {
          pass.failed();
          return neverLeft(
              "ConnectFailed", "no connection: %s (%s)".formatted(why, target.origin()));
        }
        case Sent.NoRoom() -> {
          return neverLeft(
              "TargetBusy", "%s has as many calls as it allows".formatted(target.origin()));
        }
        case Sent.Interrupted(boolean maySent) -> {
          sent = maySent;
          throw new InterruptedException();
        }
        case Sent.TimedOut(boolean maySent) -> {
          pass.failed();
          if (!maySent) {
            return neverLeft("TimedOut", "no connection in time (%s)".formatted(target.origin()));
          }
          sent = true;
          return timedOut(target);
        }
        case Sent.Refused(String code, String why) -> {
          pass.answered();
          return refused(code, "Run: %s (%s)".formatted(why, target.origin()));
        }
        case Sent.Lost(String why) -> {
          pass.failed();
          sent = true;
          return lost(target, "sent, but not answered: %s (%s)".formatted(why, target.origin()));
        }
        case Sent.Answered(var response) -> {
          pass.answered();
          sent = true;
          return answered(target, response.getState());
        }
      }
    }
  }

  private Outcome answered(Target target, State state) throws InterruptedException {
    return switch (read(state)) {
      case Seen.Ended(Outcome outcome) -> outcome;
      case Seen.CancelledThere() -> cancelledThere();
      case Seen.GoesOn(Duration again) -> {
        run.answered();
        yield observe(target, "it was answered to be running", again);
      }
      case Seen.NotKnown() -> lost(target, "Run answered that it does not know the attempt");
      case Seen.Nonsense() -> lost(target, "Run answered with no state that this version knows");
      case Seen.Silent(String why) -> lost(target, why);
      case Seen.Unimplemented() -> lost(target, "Run answered with nothing");
    };
  }

  /** Its code says that nothing was begun by this Run; of one before it that says nothing. */
  private Outcome refused(String code, String why) {
    if (isAgain()) {
      return unknown(why, mayRepeat());
    }
    return switch (code) {
      case "INVALID_ARGUMENT" -> invalidArgs(why);
      case "UNAUTHENTICATED" -> failed("Unauthenticated", why);
      case "PERMISSION_DENIED" -> failed("PermissionDenied", why);
      default -> failed("Unimplemented", why);
    };
  }

  /** Run did not leave, which uses no attempt; of one before it nothing is known by that. */
  private Outcome.NotBegun neverLeft(String reason, String message) {
    return new Outcome.NotBegun(
        reason, line(message), run.now().plus(jittered(BEFORE_NEXT_TRY)), true);
  }

  private boolean isAgain() {
    return attempt.work() instanceof Attempt.Work.Send(boolean again) && again;
  }

  private Outcome.Failed invalidArgs(String message) {
    return new Outcome.Failed("InvalidArgs", line(message), Reach.WORKFLOW);
  }

  // --- finding out ---

  /** What one look at the attempt showed. */
  private sealed interface Seen {
    /** It has ended by itself. */
    record Ended(Outcome outcome) implements Seen {}

    /** It was cancelled. */
    record CancelledThere() implements Seen {}

    /**
     * It has not ended.
     *
     * @param again when to look again
     */
    record GoesOn(Duration again) implements Seen {}

    record NotKnown() implements Seen {}

    /** No state, or one that this version does not know. */
    record Nonsense() implements Seen {}

    /** No answer. */
    record Silent(String why) implements Seen {}

    /** There is no such method. */
    record Unimplemented() implements Seen {}
  }

  private Seen read(State state) {
    return switch (state.getStateCase()) {
      case SUCCEEDED -> new Seen.Ended(new Outcome.Succeeded());
      case FAILED -> new Seen.Ended(failed(state.getFailed()));
      case CANCELLED -> new Seen.CancelledThere();
      case RUNNING -> new Seen.GoesOn(pollAfter(state.getRunning()));
      case NOT_KNOWN -> new Seen.NotKnown();
      case STATE_NOT_SET -> new Seen.Nonsense();
    };
  }

  private Outcome.Failed failed(Failed failed) {
    String reason = failed.getReason();
    return new Outcome.Failed(
        REASON.matcher(reason).matches() ? reason : "ExecutorFailed",
        line(failed.getMessage().isBlank() ? "the executor gave no message" : failed.getMessage()),
        failed.getFatal() ? Reach.WORKFLOW : Reach.ATTEMPT,
        failed.hasRetryAfter()
            ? run.now().plus(within(failed.getRetryAfter(), Duration.ZERO, LONGEST_RETRY_AFTER))
            : null);
  }

  private static Duration pollAfter(Running running) {
    return running.hasPollAfter()
        ? within(running.getPollAfter(), SHORTEST_POLL, LONGEST_POLL)
        : POLL;
  }

  /** Of any two numbers that somebody may have put there. */
  private static Duration within(
      com.google.protobuf.Duration given, Duration shortest, Duration longest) {
    long seconds = Math.clamp(given.getSeconds(), -1, longest.toSeconds());
    Duration asked = Duration.ofSeconds(seconds, given.getNanos());
    return asked.compareTo(shortest) < 0 ? shortest : least(asked, longest);
  }

  /** It may have been done, and the answer was lost: asks what became of it. */
  private Outcome lost(Target target, String why) throws InterruptedException {
    return observe(target, why, Duration.ZERO);
  }

  private Outcome observe(Target target, String why, Duration first) throws InterruptedException {
    Duration wait = first;
    int round = 0;
    while (true) {
      run.pause(least(jittered(wait), run.left()));
      if (run.pastDeadline()) {
        return timedOut(target);
      }
      switch (look(target, least(ASK_TIMEOUT, run.left()))) {
        case Seen.Ended(Outcome outcome) -> {
          return outcome;
        }
        case Seen.CancelledThere() -> {
          return cancelledThere();
        }
        case Seen.GoesOn(Duration again) -> {
          wait = again;
          round = 0;
        }
        case Seen.NotKnown() -> {
          if (mayRepeat()) {
            return unknown(why + "; Observe does not know it", true);
          }
          wait = backoff(POLL, round++, LONGEST_BETWEEN_LOOKS);
        }
        case Seen.Silent silent -> wait = backoff(POLL, round++, LONGEST_BETWEEN_LOOKS);
        case Seen.Nonsense() -> {
          return unknown(why + "; Observe answered with no state that this version knows", false);
        }
        case Seen.Unimplemented() -> {
          return unknown(why + "; there is no Observe", mayRepeat());
        }
      }
    }
  }

  private Seen look(Target target, Duration timeout) throws InterruptedException {
    try {
      return read(
          executor
              .sender
              .observe(target, ObserveRequest.newBuilder().setJob(job()).build(), timeout)
              .getState());
    } catch (Unanswered e) {
      return silent(e);
    }
  }

  private Seen cancel(Target target, Duration timeout) throws InterruptedException {
    try {
      return read(
          executor
              .sender
              .cancel(target, CancelRequest.newBuilder().setJob(job()).build(), timeout)
              .getState());
    } catch (Unanswered e) {
      return silent(e);
    }
  }

  private static Seen silent(Unanswered e) {
    return e.unimplemented() ? new Seen.Unimplemented() : new Seen.Silent(Messages.of(e));
  }

  // --- ending ---

  private Outcome neverSent() {
    return new Outcome.NotBegun("Cancelled", "cancelled before it was sent", run.now());
  }

  /** Nobody here asked for it. */
  private Outcome cancelledThere() {
    return failed("Cancelled", "it was cancelled, and not by Andon");
  }

  /** Cancelled while under way. */
  private Outcome afterCancel(Target target) {
    return end(
        target,
        LOOK_AFTER_CANCEL,
        new Outcome.Cancelled(),
        unknown("cancelled while under way, and nobody knows how it ended", false));
  }

  /** Its deadline has passed while it was under way. */
  private Outcome timedOut(Target target) {
    return end(
        target,
        LOOK_AFTER_TIMEOUT,
        failed("TimedOut", "not done before its deadline %s".formatted(attempt.deadline())),
        unknown("not done before its deadline, and nobody knows whether it goes on", mayRepeat()));
  }

  /**
   * Calls Cancel until it is answered, then looks how the attempt ended. Where there is no Observe,
   * Cancel's answers tell.
   *
   * @param longest how long that may take; never longer than the job type gives a whole attempt
   * @param ended the outcome if it is known not to go on, and was not done
   * @param unknown the outcome if that is not known
   */
  private Outcome end(Target target, Duration longest, Outcome ended, Outcome.Unknown unknown) {
    run.ending();
    Integer timeout = attempt.spec().timeoutSeconds();
    Duration own = timeout == null ? longest : Duration.ofSeconds(Math.max(1, timeout));
    Duration until = run.worked().plus(least(own, longest));
    boolean toBeCancelled = true;
    boolean observes = true;
    boolean cancels = true;
    try {
      for (int round = 0; run.worked().compareTo(until) < 0; round++) {
        boolean cancelling = cancels && (toBeCancelled || !observes);
        Duration left = least(ASK_TIMEOUT, until.minus(run.worked()));
        switch (cancelling ? cancel(target, left) : look(target, left)) {
          case Seen.Ended(Outcome outcome) -> {
            return outcome;
          }
          case Seen.CancelledThere() -> {
            return ended;
          }
          case Seen.GoesOn goesOn -> toBeCancelled = false;
          case Seen.NotKnown() -> toBeCancelled = false;
          case Seen.Silent silent -> {}
          case Seen.Nonsense() -> {
            if (!cancelling) {
              return unknown;
            }
            toBeCancelled = false;
          }
          case Seen.Unimplemented() -> {
            if (cancelling) {
              cancels = false;
            } else {
              observes = false;
            }
            if (!cancels && !observes) {
              return unknown;
            }
            continue;
          }
        }
        Duration wait = backoff(SHORTEST_POLL, round, LONGEST_BETWEEN_LAST_LOOKS);
        run.pause(least(jittered(wait), until.minus(run.worked())));
      }
    } catch (InterruptedException e) {
      // Given up: nobody waits for this outcome.
    }
    return unknown;
  }

  // --- words and times ---

  private Job job() {
    return Job.newBuilder()
        .setKey(attempt.key().toString())
        .setJobType(attempt.jobType())
        .putAllArgs(attempt.args())
        .setBlock(attempt.key().block())
        .setIndex(attempt.key().index())
        .setAttempt(attempt.key().attempt())
        .setWorkflow(
            Workflow.newBuilder()
                .setNamespace(attempt.namespace())
                .setName(attempt.workflow())
                .setUid(attempt.key().uid())
                .setType(attempt.workflowType()))
        .build();
  }

  private boolean mayRepeat() {
    return attempt.spec().isRetrySafe();
  }

  private static Outcome.Failed failed(String reason, String message) {
    return new Outcome.Failed(reason, line(message));
  }

  private static Outcome.Unknown unknown(String message, boolean mayRepeat) {
    return new Outcome.Unknown(line(message), mayRepeat);
  }

  /** This executor is given no secrets. */
  private static String line(String message) {
    return Messages.line(message, List.of());
  }

  private static Duration backoff(Duration first, int failures, Duration longest) {
    return least(first.multipliedBy(1L << Math.clamp(failures, 0, 10)), longest);
  }

  private static Duration jittered(Duration wait) {
    return wait.multipliedBy(ThreadLocalRandom.current().nextInt(90, 111)).dividedBy(100);
  }

  private static Duration least(Duration a, Duration b) {
    return a.compareTo(b) <= 0 ? a : b;
  }
}
