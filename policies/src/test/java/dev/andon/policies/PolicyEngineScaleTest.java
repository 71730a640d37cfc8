package dev.andon.policies;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What judging the largest workflows there may be takes. */
class PolicyEngineScaleTest {
  @Test
  void a_large_workflow_is_judged_quickly() {
    List<Policy> policies =
        List.of(
            Given.ADMITS,
            Given.rule("sameArgs: {jobType: disk-erase, args: [site]}"),
            Given.policy(
                "q",
                "workflowTypes: [T]\nrules: [{startOrEnd: {jobType: token-bucket, args: {fatal: 'true'}, position: Start}}]"),
            Given.policy(
                "r",
                "workflowTypes: ['*']\nrules: [{limits: {maxJobs: 200000, maxBatchSize: 5, minBatchPauseSeconds: 60, maxFailures: 2%}}]"),
            Given.policy(
                "s",
                "workflowTypes: [T]\nrules: [{sameArgs: {jobType: validate-decom, args: [site]}}]"));
    String workflow =
        "{name: t, jobs: [{name: t, type: token-bucket, args: {bucket: b, fatal: 'true'}}]},"
            + "{name: e, forEach: {range: {from: 1, to: %d}, batch: {size: 5, pauseSeconds: 60},"
            + " job: {type: disk-erase, args: {site: aap, machine: 'aap-$(item)'}}}}";
    PolicyInput fleet = Given.workflow(workflow.formatted(1_700));
    PolicyInput largest = Given.workflow(workflow.formatted(99_000));

    assertThat(PolicyEngine.judge(fleet, policies).message()).isEmpty();
    assertThat(fastest(fleet, policies)).isLessThan(Duration.ofMillis(50));
    assertThat(fastest(largest, policies)).isLessThan(Duration.ofMillis(500));
  }

  /** The best of some: what the code takes, and not what else the machine does. */
  private static Duration fastest(PolicyInput input, List<Policy> policies) {
    long best = Long.MAX_VALUE;
    for (int i = 0; i < 30; i++) {
      long begin = System.nanoTime();
      PolicyEngine.judge(input, policies);
      best = Math.min(best, System.nanoTime() - begin);
    }
    return Duration.ofNanos(best);
  }
}
