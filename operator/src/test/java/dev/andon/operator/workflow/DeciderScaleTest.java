package dev.andon.operator.workflow;

import static dev.andon.operator.workflow.Scene.CALL;
import static dev.andon.operator.workflow.Scene.ONCE;
import static dev.andon.operator.workflow.Scene.key;
import static dev.andon.operator.workflow.Scene.range;
import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.WorkflowSpec.Batch;
import dev.andon.crds.WorkflowSpec.Block;
import dev.andon.crds.WorkflowSpec.ForEach;
import dev.andon.crds.WorkflowSpec.Job;
import dev.andon.crds.WorkflowSpec.Range;
import dev.andon.operator.execution.AttemptKey;
import dev.andon.operator.execution.Outcome;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The largest workflows there may be: a decision takes less than a second, a status fits etcd. */
class DeciderScaleTest {
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

  private static Duration timed(Runnable work) {
    long begun = System.nanoTime();
    work.run();
    return Duration.ofNanos(System.nanoTime() - begun);
  }

  @Test
  void ten_thousand_sleeps_of_no_time_one_after_the_other_are_one_quick_decision() {
    var scene = new Scene(sleeps(10_000, 1, null));

    assertThat(timed(scene::step)).isLessThan(Duration.ofSeconds(10));
    assertThat(scene.status.progress()).isEqualTo("10000/10000");
    assertThat(scene.status.phase()).isEqualTo("Complete");
  }

  @Test
  void in_batches_of_one_too() {
    var scene = new Scene(sleeps(10_000, 1, new Batch(1, 0)));

    assertThat(timed(scene::step)).isLessThan(Duration.ofSeconds(10));
    assertThat(scene.status.phase()).isEqualTo("Complete");
  }

  @Test
  void a_decision_about_a_hundred_thousand_jobs_is_quick() {
    var scene = new Scene(range("a", 2_000, 100_000, CALL, null, "100%"));

    assertThat(timed(scene::step)).as("the first").isLessThan(Duration.ofSeconds(10));
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
                  scene.outcome(k, new Outcome.Failed("HttpStatus", "500", false));
                }
              });
      scene.after(60);
      assertThat(timed(scene::step)).isLessThan(Duration.ofSeconds(10));
    }
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
