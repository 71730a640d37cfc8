package dev.andon.policies;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * What judging the largest workflows there may be takes: counted in what it allocates, which is the
 * same on every machine. How long that is, {@code andon bench} tells.
 */
class PolicyEngineScaleTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private static final List<Policy> POLICIES =
      List.of(
          Given.ADMITS,
          Given.rule("sameArgs: {jobType: disk-erase, args: [site]}"),
          Given.policy(
              "q",
              "workflowTypes: [T]\n"
                  + "rules: [{startOrEnd: {jobType: token-bucket, args: {fatal: 'true'}, position:"
                  + " Start}}]"),
          Given.policy(
              "r",
              "workflowTypes: ['*']\n"
                  + "rules: [{limits: {maxJobs: 200000, maxBatchSize: 5, minBatchPauseSeconds: 60,"
                  + " maxFailures: 2%}}]"),
          Given.policy(
              "s",
              "workflowTypes: [T]\nrules: [{sameArgs: {jobType: validate-decom, args: [site]}}]"));

  @Test
  void a_large_workflow_takes_no_more_to_judge_than_a_small_one() {
    PolicyInput small = workflow(1_700, "aap");
    PolicyInput largest = workflow(99_000, "aap");
    assertThat(PolicyEngine.judge(small, POLICIES).message()).isEmpty();

    long ofSmall = allocated(small);

    assertThat(allocated(largest)).isLessThan(ofSmall + ofSmall / 10);
  }

  /** What differs with each item is compared until the first that differs. */
  @Test
  void of_a_large_workflow_that_is_wrong_no_more_is_looked_at_than_shows_it() {
    PolicyInput small = workflow(1_700, "$(item)");
    PolicyInput largest = workflow(99_000, "$(item)");
    assertThat(PolicyEngine.judge(largest, POLICIES).message()).contains("disk-erase has site");

    long ofSmall = allocated(small);

    assertThat(allocated(largest)).isLessThan(ofSmall + ofSmall / 10);
  }

  private static PolicyInput workflow(int machines, String site) {
    return Given.workflow(
        ("{name: t, jobs: [{name: t, type: token-bucket, args: {bucket: b, fatal: 'true'}}]},{name:"
                + " e, forEach: {range: {from: 1, to: %d}, batch: {size: 5, pauseSeconds: 60}, job:"
                + " {type: disk-erase, args: {site: '%s', machine: 'aap-$(item)'}}}}")
            .formatted(machines, site));
  }

  /** In bytes; the first time makes what every time after it uses. */
  private static long allocated(PolicyInput input) {
    PolicyEngine.judge(input, POLICIES);
    long before = THREADS.getCurrentThreadAllocatedBytes();
    PolicyEngine.judge(input, POLICIES);
    return THREADS.getCurrentThreadAllocatedBytes() - before;
  }
}
