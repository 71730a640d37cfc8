package dev.andon.operator.workflow;

import static dev.andon.operator.workflow.Scene.CALL;
import static dev.andon.operator.workflow.Scene.ONCE;
import static dev.andon.operator.workflow.Scene.key;
import static dev.andon.operator.workflow.Scene.range;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.andon.crds.WorkflowSpec.Batch;
import dev.andon.crds.WorkflowSpec.Block;
import dev.andon.crds.WorkflowSpec.ForEach;
import dev.andon.crds.WorkflowSpec.Job;
import dev.andon.crds.WorkflowSpec.Range;
import dev.andon.operator.execution.AttemptKey;
import dev.andon.operator.execution.Outcome;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * The largest workflows there may be: what a decision takes grows as they do and no faster, a
 * status fits etcd. Counted is what it allocates, which is the same on every machine; how long that
 * takes, {@code andon bench} tells.
 */
class DeciderScaleTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** Of a request to etcd, spec and status together; the spec of a range is small. */
  private static final int ETCD_LIMIT = 1_572_864;

  private static Block sleeps(int jobs, int concurrency, Batch batch) {
    var forEach =
        new ForEach(
            null,
            new Range(1, jobs, "%d"),
            null,
            batch,
            new Job(null, "sleep", Map.of("seconds", "0"), null, null));
    return new Block("a", concurrency, null, null, forEach, null);
  }

  /** In bytes. */
  private static long allocated(Runnable work) {
    long before = THREADS.getCurrentThreadAllocatedBytes();
    work.run();
    return THREADS.getCurrentThreadAllocatedBytes() - before;
  }

  /** Twice as much may take twice as much, and a little more; four times is a square. */
  private static void isAboutTwice(long twice, long once) {
    assertThat(twice).isLessThan(once * 5 / 2);
  }

  private static long allocatedAtOnce(Block block) {
    allocated(new Scene(block)::step); // the first time makes what every time after it uses
    var scene = new Scene(block);
    long allocated = allocated(scene::step);
    assertThat(scene.status.phase()).isEqualTo("Complete");
    return allocated;
  }

  @Test
  void ten_thousand_sleeps_of_no_time_one_after_the_other_are_one_decision() {
    var scene = new Scene(sleeps(10_000, 1, null));
    scene.step();
    assertThat(scene.status.progress()).isEqualTo("10000/10000");

    isAboutTwice(allocatedAtOnce(sleeps(10_000, 1, null)), allocatedAtOnce(sleeps(5_000, 1, null)));
  }

  @Test
  void in_batches_of_one_too() {
    isAboutTwice(
        allocatedAtOnce(sleeps(10_000, 1, new Batch(1, 0))),
        allocatedAtOnce(sleeps(5_000, 1, new Batch(1, 0))));
  }

  @Test
  void decisions_about_a_hundred_thousand_jobs_take_no_more_than_twice_what_half_as_many_take() {
    long ofHalf = ofFourDecisionsAbout(50_000);

    assertThat(ofFourDecisionsAbout(100_000)).isLessThan(2 * ofHalf);
  }

  private static long ofFourDecisionsAbout(int jobs) {
    var scene = new Scene(range("a", 2_000, jobs, CALL, null, "100%"));
    long allocated = allocated(scene::step);
    assertThat(scene.status.active()).hasSize(2_000);
    for (int round = 0; round < 3; round++) {
      // Every other one fails, which makes the sets as long as they can be.
      scene.underWay.stream()
          .toList()
          .forEach(
              k -> {
                if (k.index() % 2 == 0) {
                  scene.succeed(k);
                } else {
                  scene.outcome(k, new Outcome.Failed("HttpStatus", "500"));
                }
              });
      scene.after(60);
      allocated += allocated(scene::step);
    }
    return allocated;
  }

  /** What is written down of failures is how many and which, and of the latest why. */
  @Test
  void every_other_of_a_hundred_thousand_failed_takes_six_hundred_kilobytes_at_most() {
    var scene = new Scene(range("a", 2_000, 100_000, ONCE, null, "100%"));
    scene.step();
    while (!scene.underWay.isEmpty()) {
      everyOtherFails(scene);
      scene.step();
    }

    assertThat(scene.status.progress()).isEqualTo("100000/100000");
    assertThat(scene.status.jobs().failed()).isEqualTo(50_000);
    int size = Scene.json(scene.status).toString().getBytes(StandardCharsets.UTF_8).length;
    assertThat(size).isLessThan(600_000);
  }

  private static void everyOtherFails(Scene scene) {
    for (AttemptKey attempt : List.copyOf(scene.underWay)) {
      if (attempt.index() % 2 == 0) {
        scene.succeed(attempt);
      } else {
        scene.fail(attempt);
      }
    }
  }

  @Test
  void the_largest_status_fits_into_etcd() {
    var scene = new Scene(range("a", 2_000, 100_000, ONCE, null, "100%"));
    scene.step();
    while (scene.status.blocks().getFirst() != null
        && scene.underWay.stream().noneMatch(k -> k.index() > 97_000)) {
      everyOtherFails(scene);
      scene.step();
    }
    IntStream.range(98_000, 100_000)
        .mapToObj(i -> key("a", i, 1))
        .filter(scene.underWay::contains)
        .forEach(
            k ->
                scene.outcome(
                    k,
                    new Outcome.Accepted("http://fleet.example/operations/" + "x".repeat(64) + k)));
    scene.step();

    int size = Scene.json(scene.status).toString().getBytes(StandardCharsets.UTF_8).length;
    assertThat(size).isLessThan(ETCD_LIMIT);
  }
}
