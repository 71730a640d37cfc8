package dev.andon.operator.execution;

import dev.andon.operator.pacing.RateLimits;
import java.time.Duration;

/**
 * Runs attempts of job types with a {@code container} executor: each as one batch/v1 Job with
 * backoffLimit 0, named by {@link JobName}, controlled by the workflow.
 *
 * <table>
 *   <caption>What becomes of it</caption>
 *   <tr><th>the Job</th><th>outcome</th></tr>
 *   <tr><td>is Complete or Failed</td><td>as its Pod says: {@link PodEnd}; Unknown where nobody saw it end</td></tr>
 *   <tr><td>has a Pod that never began</td><td>not begun: another try, as a Job of another name</td></tr>
 *   <tr><td>was suspended for a stop, a deletion or an end of the workflow, or at its deadline, and no Pod of it is alive</td><td>the same; Cancelled only if it never began, after a deadline Failed with what kept it</td></tr>
 *   <tr><td>was created suspended by others, and has not begun</td><td>waits for them; its time does not run</td></tr>
 *   <tr><td>was suspended by somebody else</td><td>Unknown: who did meant something by it</td></tr>
 *   <tr><td>was deleted under way</td><td>as its Pod says if that ended by itself, else Unknown</td></tr>
 *   <tr><td>is not there, though it may have been created</td><td>Unknown: never created, and deleted since, look alike</td></tr>
 *   <tr><td>has another controller, or is of another attempt</td><td>never adopted: Failed/JobNameTaken if ours was refused for it, else Unknown</td></tr>
 *   <tr><td>was refused by the stop's admission policy</td><td>not begun: the gate is asked again</td></tr>
 *   <tr><td>met an admission that failed (5xx)</td><td>not begun, no attempt used: tried again, and people are told</td></tr>
 *   <tr><td>was refused for another reason</td><td>Failed, known not to have begun: QuotaExceeded, NamespaceTerminating, NamespaceNotFound, Forbidden, JobRefused</td></tr>
 * </table>
 *
 * <p>A create that was not answered is looked for by name and never made again in here. The decider
 * does so if the job type is {@code retrySafe}, under the same name: whichever create arrives
 * second, even one of a process frozen with a permit in its hand, finds the name taken.
 */
final class ContainerExecutor implements AttemptExecutor, AutoCloseable {
  final JobStore store;
  final JobBells bells;
  final GateKeeper gate;
  final RateLimits limits;
  final Duration createTimeout;

  /**
   * @param createTimeout how long an API server may take to carry out a create whose answer was
   *     lost: a Job is looked for that long before people are told that there is none
   */
  ContainerExecutor(JobStore store, GateKeeper gate, RateLimits limits, Duration createTimeout) {
    this(store, gate, limits, createTimeout, JobBells.LOOK_WITHOUT_WATCH);
  }

  /** {@code lookWithoutWatch}: in place of {@link JobBells#LOOK_WITHOUT_WATCH}. */
  ContainerExecutor(
      JobStore store,
      GateKeeper gate,
      RateLimits limits,
      Duration createTimeout,
      Duration lookWithoutWatch) {
    this.store = store;
    this.createTimeout = createTimeout;
    this.bells = new JobBells(store, lookWithoutWatch);
    this.gate = gate;
    this.limits = limits;
  }

  @Override
  public Outcome run(AttemptRun run) {
    try (JobBells.Bell bell = bells.of(run.attempt().namespace(), JobName.of(run.attempt()))) {
      return new ContainerAttempt(this, run, bell).run();
    }
  }

  @Override
  public void close() {
    bells.close();
    store.close();
  }
}
