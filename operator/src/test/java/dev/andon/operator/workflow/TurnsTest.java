package dev.andon.operator.workflow;

import static dev.andon.operator.workflow.Scene.CALL;
import static dev.andon.operator.workflow.Scene.TYPE;
import static dev.andon.operator.workflow.Scene.block;
import static dev.andon.operator.workflow.Scene.job;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TurnsTest {
  private static final int RUNNING_AT_ONCE = 2;

  private final Turns turns = new Turns();

  /** The cache knows of none of them yet. */
  private Scene scene(String uid) {
    var scene = new Scene(block("a", 1, job("x", CALL)));
    scene.othersRunning = () -> turns.others(uid, TYPE, Set.of());
    scene.policies.add(
        Scene.policy(
            "limits", TYPE, "{\"limits\":{\"maxRunning\":%d}}".formatted(RUNNING_AT_ONCE)));
    return scene;
  }

  private boolean starts(String uid) {
    Scene scene = scene(uid);
    return turns.decide(uid, TYPE, () -> scene.decider.decide(scene.snapshot())).started();
  }

  @Test
  void those_it_let_start_are_remembered_until_they_are_over() {
    starts("a");

    assertThat(turns.uids()).containsExactly("a");
    turns.forget("a");
    assertThat(turns.uids()).isEmpty();
  }

  @Test
  void a_queue_that_is_let_go_all_at_once_starts_no_more_than_may_run() throws Exception {
    int queue = 20;
    var together = new CyclicBarrier(queue);
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Callable<Boolean>> all =
          IntStream.range(0, queue)
              .mapToObj(
                  i ->
                      (Callable<Boolean>)
                          () -> {
                            together.await(30, TimeUnit.SECONDS);
                            return starts("uid-" + i);
                          })
              .toList();
      int started = 0;
      for (var one : threads.invokeAll(all)) {
        started += one.get() ? 1 : 0;
      }
      assertThat(started).isEqualTo(RUNNING_AT_ONCE);
    }
  }

  @Test
  void whoever_finishes_gives_the_turn_to_another() {
    assertThat(starts("a")).isTrue();
    assertThat(starts("b")).isTrue();
    assertThat(starts("c")).isFalse();

    turns.forget("a");

    assertThat(starts("c")).isTrue();
  }

  @Test
  void a_start_that_was_not_written_stands_in_nobodys_way_and_not_in_its_own() {
    assertThat(starts("a")).isTrue();
    assertThat(starts("b")).isTrue();
    assertThat(starts("a")).as("decided again").isTrue();

    Scene stopped = scene("a");
    stopped.stop = Scene.STOPPED;
    turns.decide("a", TYPE, () -> stopped.decider.decide(stopped.snapshot()));

    assertThat(starts("c")).isTrue();
  }

  @Test
  void one_that_the_cache_knows_of_too_counts_once() {
    assertThat(starts("a")).isTrue();

    assertThat(turns.others("b", TYPE, Set.of("a", "z"))).isEqualTo(2);
    assertThat(turns.others("a", TYPE, Set.of("a", "z"))).isEqualTo(1);
    assertThat(turns.others("b", "Another", Set.of())).isZero();
  }

  @Test
  void once_the_cache_knew_of_it_the_cache_knows_when_it_is_gone() {
    assertThat(starts("a")).isTrue();
    assertThat(turns.others("b", TYPE, Set.of("a"))).isEqualTo(1);

    assertThat(turns.others("b", TYPE, Set.of())).isZero();
  }

  @Test
  void whoever_waits_for_a_turn_looks_again_soon() {
    starts("a");
    starts("b");
    Scene scene = scene("c");

    Decision decision = scene.decider.decide(scene.snapshot());

    assertThat(decision.wakeUp()).isBefore(scene.now.plusSeconds(10));
  }
}
