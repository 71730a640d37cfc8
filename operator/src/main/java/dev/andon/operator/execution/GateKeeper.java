package dev.andon.operator.execution;

import dev.andon.crds.WorkflowStatus.Armed;
import dev.andon.operator.stop.Gate;
import dev.andon.operator.stop.Permit;
import dev.andon.operator.stop.StopView;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;

/** Asks the gate for an attempt's permit, for five seconds after the work on it began. */
final class GateKeeper {
  /** An intent that got no permit by then is withdrawn, as never begun. */
  static final Duration PATIENCE = Duration.ofSeconds(5);

  /** The decider waits for the gate anyway; this is for the case that it does not see it. */
  private static final Duration RETRY = Duration.ofSeconds(1);

  private final Gate gate;
  private final Predicate<String> latched;
  private final Time time;

  /**
   * @param latched whether the workflow of this uid has seen a stop. Whoever did gets no permit,
   *     though the gate is open again
   */
  GateKeeper(Gate gate, Predicate<String> latched, Time time) {
    this.gate = gate;
    this.latched = latched;
    this.time = time;
  }

  /** The answer to {@link #enter}. */
  sealed interface Answer {
    /** Go, once. */
    record Go(Permit permit) implements Answer {}

    /** The attempt was not begun. */
    record No(Outcome.NotBegun outcome) implements Answer {}
  }

  /**
   * @throws InterruptedException when the attempt is cancelled
   */
  Answer enter(AttemptRun run) throws InterruptedException {
    Duration left = PATIENCE.minus(run.worked());
    if (!left.isPositive()) {
      return no(run, "NoPermit", "the gate gave no permit within 5 s");
    }
    // On a thread of its own: the gate answers when the API server does, and this waits no longer
    // than its five seconds.
    var answer = new CompletableFuture<Gate.Entry>();
    Thread asking =
        Thread.ofVirtual()
            .name("gate " + run.attempt().key())
            .start(
                () -> {
                  try {
                    answer.complete(gate.enter(run.attempt().workflowType()));
                  } catch (InterruptedException | RuntimeException e) {
                    answer.completeExceptionally(e);
                  }
                });
    try {
      return switch (time.get(answer, left)) {
        // Read later than what the decision was made from: a stop may have come and gone between.
        case Gate.Entry.Granted(Permit permit) when !sameArming(permit, run) ->
            no(run, "EmergencyStop", "the type was stopped and armed again");
        // Where no admission policy numbers the armings, the stop that was seen is all there is.
        case Gate.Entry.Granted(Permit permit) when latched.test(run.attempt().runner().uid()) ->
            no(run, "EmergencyStop", "the workflow has seen a stop");
        case Gate.Entry.Granted(Permit permit) -> new Answer.Go(permit);
        case Gate.Entry.Refused(StopView.Stopped(var by)) ->
            no(
                run,
                "EmergencyStop",
                "key %s of the emergency stop is \"%s\"".formatted(by.key(), by.value()));
        case Gate.Entry.Refused(StopView.NotVisible(String why)) ->
            no(run, "StopUnknown", "the emergency stop cannot be read: " + why);
        case Gate.Entry.Refused(StopView.Open open) ->
            no(run, "NoPermit", "the gate gave no permit");
      };
    } catch (TimeoutException e) {
      return no(run, "NoPermit", "the gate gave no permit within 5 s");
    } catch (ExecutionException e) {
      return no(
          run,
          "StopUnknown",
          "the emergency stop cannot be read: "
              + Messages.of(e.getCause() == null ? e : e.getCause()));
    } finally {
      asking.interrupt();
    }
  }

  private static boolean sameArming(Permit permit, AttemptRun run) {
    StopView.Open view = permit.view();
    return new Armed(view.configMapUid(), view.armingId()).equals(run.attempt().armed());
  }

  private static Answer no(AttemptRun run, String reason, String message) {
    return new Answer.No(
        new Outcome.NotBegun(
            reason, Messages.line(message, java.util.List.of()), run.now().plus(RETRY)));
  }
}
