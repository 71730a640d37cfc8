package dev.andon.operator.workflow;

import dev.andon.crds.WorkflowSpec;
import dev.andon.crds.WorkflowStatus;
import dev.andon.crds.WorkflowStatus.PinnedJobType;
import dev.andon.crds.WorkflowStatus.StoppedBy;
import dev.andon.operator.execution.AttemptKey;
import dev.andon.operator.execution.Executions.Wait;
import dev.andon.operator.execution.Outcome;
import dev.andon.operator.ledger.LedgerView;
import dev.andon.operator.stop.StopView;
import dev.andon.plan.JobTypes;
import dev.andon.plan.Plan;
import dev.andon.policies.Verdict;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Everything a decision is made from, time included. Two equal snapshots get the same decision.
 *
 * @param status null until the first one is written
 * @param jobTypes those there are now
 * @param jobTypeVersions uid and generation of the job types that are objects, by name
 * @param policies what they say now; judged only when it is asked for
 * @param stop what is known of the stop for this workflow's type
 * @param latched the stop this workflow saw since it started, whatever {@code stop} says by now
 * @param ledger what it says of a workflow that has not started
 * @param earlier the run to be continued, of a workflow that has not started
 * @param underWay attempts this process works on
 * @param outcomes what became of attempts, not yet in status
 * @param waits what attempts wait for that people may have to do something about
 * @param pace how fast each job type may be sent; absent: without limit
 * @param items of ConfigMaps; {@code plan} is made of them
 * @param templates what the API server says of pod templates that are not pinned yet
 * @param actions what people ask of it
 * @param unprotected protections of the stop that are not in place, by name
 */
public record Snapshot(
    Identity workflow,
    WorkflowSpec spec,
    @Nullable WorkflowStatus status,
    Plan plan,
    JobTypes jobTypes,
    Map<String, PinnedJobType> jobTypeVersions,
    Supplier<Verdict> policies,
    StopView stop,
    @Nullable StoppedBy latched,
    LedgerView ledger,
    EarlierRun earlier,
    Set<AttemptKey> underWay,
    Map<AttemptKey, Outcome> outcomes,
    Map<AttemptKey, Wait> waits,
    Map<String, Pace> pace,
    Items items,
    Templates templates,
    PendingActions actions,
    List<String> unprotected,
    Instant now) {

  /** The same but for what is known of the stop. */
  Snapshot seeing(StopView view) {
    return new Snapshot(
        workflow,
        spec,
        status,
        plan,
        jobTypes,
        jobTypeVersions,
        policies,
        view,
        latched,
        ledger,
        earlier,
        underWay,
        outcomes,
        waits,
        pace,
        items,
        templates,
        actions,
        unprotected,
        now);
  }

  /**
   * The object.
   *
   * @param deleted when its deletion was asked for, if it was
   */
  public record Identity(
      String namespace,
      String name,
      String uid,
      long generation,
      Instant created,
      @Nullable Instant deleted) {}

  /**
   * How fast a job type may be sent.
   *
   * @param sendsLeft how many may begin now
   * @param nextSend when the next may, if none may now
   * @param circuitOpenUntil none may before
   */
  public record Pace(
      int sendsLeft, @Nullable Instant nextSend, @Nullable Instant circuitOpenUntil) {
    static final Pace UNLIMITED = new Pace(Integer.MAX_VALUE, null, null);
  }
}
