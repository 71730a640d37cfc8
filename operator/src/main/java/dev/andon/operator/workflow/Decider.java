package dev.andon.operator.workflow;

import dev.andon.crds.WorkflowStatus;
import dev.andon.crds.WorkflowStatus.StoppedBy;
import dev.andon.operator.ledger.LedgerView;
import dev.andon.operator.stop.StopView;
import dev.andon.plan.Plan;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Turns everything observed into what is to be done next. Pure: no clock, no client, no state.
 *
 * <p>The rules are asked in order, and the first that has an answer decides. The order is the
 * safety argument: what ends a workflow comes before what holds it, and what holds it before what
 * lets it go on.
 */
public final class Decider {
  private static final List<Function<Deciding, @Nullable State>> RULES =
      List.of(
          Decider::corrupt, //      a status that cannot be true: Failed, nothing guessed
          Decider::deleted, //      cancel what runs, then let the object go
          Decider::stopped, //      started, and saw a stop: Stopping, Stopped, for good
          Admission::of, //         not yet accepted: NotAdmittedYet, or InvalidSpec, PolicyDenied
          Duplicates::of, //        not yet started, and the ledger tells of a run: DuplicateRun
          Actions::of, //           what people ask for: applied, or refused; decides nothing itself
          Decider::notStarted, //   waits for its start, or starts
          Decider::ending, //       fatal failure, deadline: cancel what runs, then Failed
          Decider::overBudget, //   too many failures: what runs finishes, then Failed
          Advance::of); //          holds, blocks, batches, retries, new jobs; Complete

  /**
   * How soon that is looked at again which no event tells of: whether others of its type still run,
   * the ledger is there again, a ConfigMap has changed.
   */
  public static final Duration LOOK_AGAIN = Duration.ofSeconds(5);

  /**
   * How long a workflow may lack what another object can still bring, before it is rejected. From
   * the later of its creation and its first judgement, so that an operator that was down for an
   * hour rejects nothing at once.
   */
  public static final Duration ADMISSION_GRACE = Duration.ofSeconds(30);

  private final Duration lookAgain;
  private final Duration admissionGrace;

  Decider() {
    this(LOOK_AGAIN, ADMISSION_GRACE);
  }

  /**
   * @param lookAgain in place of {@link #LOOK_AGAIN}
   * @param admissionGrace in place of {@link #ADMISSION_GRACE}
   */
  Decider(Duration lookAgain, Duration admissionGrace) {
    this.lookAgain = lookAgain;
    this.admissionGrace = admissionGrace;
  }

  /** Decides what is to be done next. */
  public Decision decide(Snapshot snapshot) {
    WorkflowStatus status = snapshot.status();
    if (status != null && Conditions.isTrue(status.conditions(), Conditions.FINISHED)) {
      return finished(snapshot, status);
    }
    var deciding = new Deciding(snapshot, lookAgain, admissionGrace);
    deciding.attempts().applyOutcomes();
    for (var rule : RULES) {
      State state = rule.apply(deciding);
      if (state != null) {
        return deciding.decision(state);
      }
    }
    throw new IllegalStateException("the last rule always has an answer");
  }

  /** Nothing changes any more but the generation observed. */
  private static Decision finished(Snapshot snapshot, WorkflowStatus status) {
    long generation = snapshot.workflow().generation();
    boolean deleted = snapshot.workflow().deleted() != null;
    WorkflowStatus observed =
        Objects.equals(status.observedGeneration(), generation)
            ? status
            : status.observing(generation, Conditions.observing(status.conditions(), generation));
    return new Decision(
        deleted ? null : observed, null, List.of(), false, false, snapshot.outcomes(), false, null);
  }

  private static @Nullable State corrupt(Deciding d) {
    if (d.corruption() == null) {
      return null;
    }
    d.cancelAll();
    if (d.snapshot().workflow().deleted() != null) {
      // Once finished it would not be looked at again, and never be let go.
      d.letGo();
    }
    return State.failed(
        Reasons.CORRUPT_STATUS,
        d.corruption()
            + "; nothing more is run, since it cannot be known what was; its Kubernetes Jobs are"
            + " suspended. Look at what the jobs"
            + " did, then create a new Workflow for what is left");
  }

  private static @Nullable State deleted(Deciding d) {
    Instant deleted = d.snapshot().workflow().deleted();
    if (deleted == null) {
      return null;
    }
    d.end(Reasons.CANCELLED, "the Workflow is being deleted");
    d.attempts().letEverythingEnd();
    int alive = d.progress().active.size();
    if (alive > 0) {
      return State.running(
          "the Workflow is being deleted; %d attempts under way are being cancelled"
              .formatted(alive));
    }
    d.letGo();
    return State.failed(Reasons.CANCELLED, "the Workflow was deleted");
  }

  /**
   * A stop is latched: it was seen, or it is seen now, or the type was armed anew since this
   * workflow started, which cannot be without a stop.
   */
  private static @Nullable State stopped(Deciding d) {
    if (!d.started()) {
      return null;
    }
    var by = d.stopSeen();
    if (by == null) {
      return null;
    }
    d.stopBy(by);
    d.attempts().letEverythingEnd();
    String why =
        "stopped: %s in ConfigMap emergency-stop%s%s"
            .formatted(
                said(by),
                by.manager() == null ? "" : ", written by " + by.manager(),
                by.reason() == null ? "" : ": " + by.reason());
    int alive = d.progress().active.size();
    if (alive > 0) {
      return State.stopping("%s; %d attempts under way are being cancelled".formatted(why, alive));
    }
    return State.stopped(why + d.unknownJobs() + d.howToGoOn());
  }

  private static @Nullable State notStarted(Deciding d) {
    if (d.started()) {
      return null;
    }
    if (d.isEnding()) {
      return State.failed(d.ending(), d.endingMessage());
    }
    Snapshot snapshot = d.snapshot();
    Instant deadline = d.startDeadline();
    if (deadline != null) {
      if (!snapshot.now().isBefore(deadline)) {
        return State.failed(Reasons.START_DEADLINE_EXCEEDED, "it was not started by " + deadline);
      }
      d.wakeAt(deadline);
    }
    switch (snapshot.stop()) {
      case StopView.Stopped stopped -> {
        return State.waiting(Reasons.EMERGENCY_STOP, notArmed(d, stopped));
      }
      case StopView.NotVisible notVisible -> {
        d.lookAgainAtTheStop();
        return State.waiting(
            Reasons.STOP_UNKNOWN,
            "it is not known whether ConfigMap emergency-stop of namespace andon-stop stops it: "
                + notVisible.why());
      }
      case StopView.Open open -> {
        if (snapshot.latched() != null) {
          // It was about to start, and its start was not written. The latch lets go of it now.
          d.lookAgainAtTheStop();
          return State.waiting(
              Reasons.EMERGENCY_STOP, "a stop came while it was about to start; it starts anew");
        }
        if (d.paused()) {
          return State.held(Reasons.PAUSED, d.pausedMessage());
        }
        State itemsChanged = ItemsChange.hold(d);
        if (itemsChanged != null) {
          return itemsChanged;
        }
        State notContinued = Continuation.beforeTheStart(d);
        if (notContinued != null) {
          return notContinued;
        }
        if (snapshot.spec().startsManually() && d.startedBy() == null) {
          return State.waiting(
              Reasons.START_REQUIRED, "spec.start is Manual: it waits for a WorkflowAction Start");
        }
        State changed = JobTypeChange.beforeTheStart(d);
        if (changed != null) {
          return changed;
        }
        if (!d.allowedByPolicies()) {
          return State.held(Reasons.POLICY_DENIED, d.policyMessage());
        }
        if (!d.policyWait().isEmpty()) {
          d.lookAgainLater();
          return State.waiting(Reasons.POLICY_DENIED, d.policyWait());
        }
        if (snapshot.ledger() instanceof LedgerView.Unavailable unavailable) {
          d.lookAgainLater();
          return State.waiting(
              Reasons.LEDGER_UNAVAILABLE,
              "nothing starts without its WorkflowRecord, and that is not there: "
                  + unavailable.why());
        }
        d.start(open);
        return null;
      }
    }
  }

  static String notArmed(Deciding d, StopView.Stopped stopped) {
    return "not armed: %s in ConfigMap emergency-stop of namespace andon-stop; it starts once a person sets %s to go"
        .formatted(said(stopped.by()), Objects.requireNonNullElse(d.snapshot().spec().type(), ""));
  }

  /**
   * Words in parentheses are the gate's own, where there is no value to quote. An empty value is
   * left out of status, and so comes back as null.
   */
  private static String said(StoppedBy by) {
    String value = Objects.requireNonNullElse(by.value(), "");
    return by.key() + (value.startsWith("(") ? " " + value : " is \"" + value + "\"");
  }

  private static @Nullable State ending(Deciding d) {
    Integer seconds = d.snapshot().spec().activeDeadlineSeconds();
    if (seconds != null && !d.isEnding()) {
      Instant deadline = d.startTime().plusSeconds(seconds);
      if (d.snapshot().now().isBefore(deadline)) {
        d.wakeAt(deadline);
      } else if (d.progress().current().isPresent()) {
        d.end(
            Reasons.DEADLINE_EXCEEDED,
            "spec.activeDeadlineSeconds: %d s after the start not all jobs had ended"
                .formatted(seconds));
      }
    }
    if (!d.isEnding()) {
      return null;
    }
    d.attempts().letEverythingEnd();
    int alive = d.progress().active.size();
    return alive > 0
        ? State.running(d.endingMessage())
        : State.failed(d.ending(), d.endingMessage() + d.unknownJobs() + d.howToGoOn());
  }

  private static @Nullable State overBudget(Deciding d) {
    var over = d.progress().overBudget();
    if (over.isEmpty()) {
      return null;
    }
    var block = over.get();
    d.attempts().settleSleeps();
    d.attempts().dropWaiting();
    d.attempts().resumeLost();
    d.attempts().giveUpUnreachable();
    boolean ofBlock = block.failed.cardinality() > block.plan.maxFailures();
    Plan plan = d.snapshot().plan();
    String message =
        "%s: %d of %d jobs failed, %d may%s"
            .formatted(
                ofBlock ? "block " + block.plan.name() : "spec.maxFailures",
                ofBlock ? block.failed.cardinality() : d.progress().failed(),
                ofBlock ? block.plan.size() : plan.totalJobs(),
                ofBlock ? block.plan.maxFailures() : plan.maxFailures().orElse(0),
                d.firstFailure());
    int alive = d.progress().active.size();
    return alive > 0
        ? State.running("%s; %d running jobs finish first".formatted(message, alive))
        : State.failed(Reasons.JOB_FAILED, message + d.unknownJobs() + d.howToGoOn());
  }
}
