package dev.andon.operator.workflow;

import dev.andon.operator.execution.ExecutorRules;
import dev.andon.operator.stop.StopView;
import dev.andon.plan.JobTypes;
import dev.andon.plan.SpecRules;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Whether a workflow is accepted. What is wrong with it, or denied by a policy, rejects it at once.
 * What it only lacks another object can still bring (a job type, one of which Jobs can be made, an
 * arg, a policy that admits it, a ConfigMap): objects that are applied together arrive in any
 * order. For that it waits a while ({@link Decider#ADMISSION_GRACE}), and is rejected then.
 */
final class Admission {
  private Admission() {}

  static @Nullable State of(Deciding d) {
    if (d.accepted()) {
      return null;
    }
    Snapshot snapshot = d.snapshot();
    SpecRules.Found spec = judge(snapshot);
    List<String> ofJobTypes = jobTypeFindings(snapshot).toList();
    if (spec.isWrong()) {
      return State.rejected(Reasons.INVALID_SPEC, joined(spec.all(), ofJobTypes));
    }
    List<String> notContinued = Continuation.findings(snapshot);
    if (!notContinued.isEmpty()) {
      return State.rejected(Continuation.reason(snapshot), String.join("; ", notContinued));
    }
    Items items = snapshot.items();
    if (items.areOthers() || snapshot.earlier() instanceof EarlierRun.Unreadable) {
      return null; // held as long as it is not known what is asked for
    }
    var lacking = new ArrayList<String>();
    lacking.addAll(spec.lacking());
    lacking.addAll(ofJobTypes);
    lacking.addAll(snapshot.templates().findings());
    lacking.addAll(items.absent());
    String reason = lacking.isEmpty() ? Reasons.POLICY_DENIED : Reasons.INVALID_SPEC;
    // Without its items nobody knows which jobs there are to be judged.
    if (items.absent().isEmpty()) {
      if (d.isDeniedByPolicies()) {
        return State.rejected(Reasons.POLICY_DENIED, joined(lacking, List.of(d.policyMessage())));
      }
      lacking.addAll(d.lackingByPolicies());
    }
    if (lacking.isEmpty()) {
      if (snapshot.templates().awaited()) {
        return asks(d);
      }
      d.accept();
      return null;
    }
    return lacks(d, reason, String.join("; ", lacking));
  }

  private static State lacks(Deciding d, String reason, String findings) {
    Instant until =
        Deciding.later(d.snapshot().workflow().created(), d.judgedSince()).plus(d.admissionGrace());
    Instant deadline = d.startDeadline();
    if (deadline != null && deadline.isBefore(until)) {
      until = deadline;
    }
    if (!d.now().isBefore(until)) {
      return State.rejected(reason, findings);
    }
    d.wakeAt(until);
    // Not everything that may bring it tells so.
    d.lookAgainLater();
    String waits = "not admitted yet, rejected after %s: %s".formatted(until, findings);
    return d.snapshot().stop() instanceof StopView.Stopped stopped
        ? State.waiting(Reasons.EMERGENCY_STOP, Decider.notArmed(d, stopped) + "; " + waits)
        : State.waiting(Reasons.NOT_ADMITTED_YET, waits);
  }

  /** For seconds at most: who does not get an answer goes on without. */
  private static State asks(Deciding d) {
    d.lookAgainSoon();
    return d.snapshot().stop() instanceof StopView.Stopped stopped
        ? State.waiting(Reasons.EMERGENCY_STOP, Decider.notArmed(d, stopped))
        : State.waiting(
            Reasons.NOT_ADMITTED_YET,
            "not admitted yet: the API server is asked what it says of the pod templates of its job types");
  }

  /** What is wrong with the spec, what it lacks, and what is wrong with the job types it uses. */
  static List<String> findings(Snapshot snapshot) {
    return Stream.of(
            judge(snapshot).all().stream(),
            jobTypeFindings(snapshot),
            snapshot.templates().findings().stream())
        .flatMap(all -> all)
        .toList();
  }

  private static SpecRules.Found judge(Snapshot snapshot) {
    return SpecRules.judge(snapshot.spec(), snapshot.jobTypes(), snapshot.items().lists());
  }

  /** What is wrong with the job types themselves, which no workflow can then use. */
  private static Stream<String> jobTypeFindings(Snapshot snapshot) {
    return snapshot.plan().jobTypes().stream()
        .filter(name -> !JobTypes.isBuiltIn(name))
        .flatMap(
            name ->
                snapshot.jobTypes().find(name).stream()
                    .flatMap(type -> ExecutorRules.findings(type).stream())
                    .map(finding -> "JobType " + name + ": " + finding));
  }

  private static String joined(List<String> some, List<String> more) {
    return Stream.concat(some.stream(), more.stream()).collect(Collectors.joining("; "));
  }
}
