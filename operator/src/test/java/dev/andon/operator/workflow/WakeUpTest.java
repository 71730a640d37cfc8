package dev.andon.operator.workflow;

import static dev.andon.operator.workflow.Scene.CALL;
import static dev.andon.operator.workflow.Scene.NOT_VISIBLE;
import static dev.andon.operator.workflow.Scene.STOPPED;
import static dev.andon.operator.workflow.Scene.T0;
import static dev.andon.operator.workflow.Scene.TYPE;
import static dev.andon.operator.workflow.Scene.block;
import static dev.andon.operator.workflow.Scene.job;
import static dev.andon.operator.workflow.Scene.key;
import static dev.andon.operator.workflow.Scene.sleep;
import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.WorkflowSpec;
import dev.andon.crds.WorkflowSpec.Block;
import dev.andon.crds.WorkflowSpec.Job;
import dev.andon.crds.WorkflowStatus.PinnedJobType;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * When it is decided again, should nothing happen before. Whatever is waited for is sooner than the
 * minute after which every workflow is looked at anyway.
 */
class WakeUpTest {
  private static final Job QUICK = new Job("x", CALL, Map.of(), 20, null);

  private static Scene limited(Integer startSeconds, Integer activeSeconds) {
    var scene = new Scene(block("a", 1, job("x", CALL)));
    scene.spec =
        new WorkflowSpec(
            TYPE,
            null,
            null,
            null,
            startSeconds,
            activeSeconds,
            null,
            null,
            null,
            null,
            scene.spec.blocks());
    return scene;
  }

  @Test
  void what_runs_is_looked_at_after_a_minute_though_every_event_were_lost() {
    var scene = new Scene(block("a", 1, job("x", CALL)));

    assertThat(scene.step().wakeUp()).isBetween(T0.plusSeconds(60), T0.plusSeconds(80));
  }

  /** After a restart all are decided about in one moment, and would be again a minute later. */
  @Test
  void a_thousand_workflows_do_not_wake_in_one_moment() {
    Map<Long, Long> inOneSecond =
        IntStream.range(0, 1_000)
            .mapToObj(
                i -> {
                  var scene = new Scene(block("a", 1, job("x", CALL)));
                  scene.uid =
                      UUID.nameUUIDFromBytes(new byte[] {(byte) i, (byte) (i >> 8)}).toString();
                  return scene.step().wakeUp();
                })
            .collect(Collectors.groupingBy(Instant::getEpochSecond, Collectors.counting()));

    assertThat(inOneSecond.values()).allMatch(count -> count < 100);
  }

  @Test
  void at_the_start_deadline() {
    var scene = limited(30, null);
    scene.stop = STOPPED;

    assertThat(scene.step().wakeUp()).isEqualTo(T0.plusSeconds(30));
  }

  @Test
  void at_the_active_deadline() {
    assertThat(limited(null, 30).step().wakeUp()).isEqualTo(T0.plusSeconds(30));
  }

  @Test
  void a_second_after_nobody_could_see_the_stop() {
    var waiting = new Scene(block("a", 1, job("x", CALL)));
    waiting.stop = NOT_VISIBLE;
    assertThat(waiting.step().wakeUp()).isEqualTo(T0.plusSeconds(1));
    assertThat(waiting.condition("Ready")).isEqualTo("False/StopUnknown");
    assertThat(waiting.status.phase()).isEqualTo("Pending");

    var running = new Scene(block("a", 1, job("x", CALL)));
    running.step();
    running.stop = NOT_VISIBLE;
    assertThat(running.step().wakeUp()).isEqualTo(T0.plusSeconds(1));
  }

  @Test
  void at_the_end_of_the_pause_after_a_block() {
    var scene =
        new Scene(
            new Block("a", 1, null, List.of(job("x", CALL)), null, 30),
            block("b", 1, job("y", CALL)));
    scene.step();
    scene.after(10);
    scene.succeed(key("a", 0, 1));

    assertThat(scene.step().wakeUp()).isEqualTo(T0.plusSeconds(40));
  }

  @Test
  void when_an_open_circuit_lets_one_try_through() {
    var scene = new Scene(block("a", 1, job("x", CALL)));
    scene.pace.put(CALL, new Snapshot.Pace(10, null, T0.plusSeconds(30)));

    assertThat(scene.step().wakeUp()).isEqualTo(T0.plusSeconds(30));
  }

  @Test
  void a_second_after_a_rate_limit_that_does_not_say_when() {
    var scene = new Scene(block("a", 1, job("x", CALL)));
    scene.pace.put(CALL, new Snapshot.Pace(0, null, null));

    assertThat(scene.step().wakeUp()).isEqualTo(T0.plusSeconds(1));
  }

  @Test
  void when_what_is_being_cancelled_has_had_its_time() {
    var scene = new Scene(block("a", 1, QUICK));
    scene.step();
    scene.stop = STOPPED;

    assertThat(scene.step().wakeUp()).as("its timeout, and 5 s").isEqualTo(T0.plusSeconds(25));
  }

  @Test
  void when_what_nobody_can_be_asked_about_has_had_its_time() {
    var scene = new Scene(block("a", 1, QUICK));
    scene.step();
    scene.restart();
    scene.versions.put(CALL, new PinnedJobType(CALL, "call-uid", 2L));

    assertThat(scene.step().wakeUp()).as("its timeout, and 5 s").isEqualTo(T0.plusSeconds(25));
  }

  @Test
  void a_second_after_actions_could_not_be_read() {
    var scene = new Scene(block("a", 1, job("x", CALL)));
    scene.unread = true;

    assertThat(scene.step().wakeUp()).isEqualTo(T0.plusSeconds(1));
  }

  @Test
  void five_seconds_after_the_run_to_be_continued_could_not_be_read() {
    var scene = new Scene(block("a", 1, job("x", CALL)));
    scene.spec =
        new WorkflowSpec(
            TYPE, null, null, null, null, null, null, null, "first", null, scene.spec.blocks());
    scene.earlier = new EarlierRun.Unreadable("timeout");

    assertThat(scene.step().wakeUp()).isEqualTo(T0.plusSeconds(5));
  }

  @Test
  void at_the_end_of_the_sleep_that_is_over_first() {
    var scene = new Scene(block("a", 3, sleep("s", "9"), sleep("t", "7"), sleep("u", "8")));

    assertThat(scene.step().wakeUp()).isEqualTo(T0.plusSeconds(7));
  }

  /** The rest of a batch or block follows from its own beginning, not from slots of the last. */
  @Test
  void a_sleep_follows_the_one_before_it_in_its_own_block() {
    var scene =
        new Scene(
            block("a", 2, sleep("s", "1"), sleep("t", "1")),
            block("b", 1, sleep("u", "0.5"), sleep("v", "5")));
    scene.step();
    scene.now = T0.plusMillis(1_800);

    assertThat(scene.step().wakeUp()).isEqualTo(T0.plusMillis(6_500));
  }

  @Test
  void a_block_that_was_held_begins_when_it_is_let_go_and_not_when_it_could_have() {
    var scene = new Scene(block("a", 1, sleep("s", "1")), block("b", 1, sleep("t", "1")));
    scene.step();
    scene.ask("Pause");
    scene.after(1);
    scene.step();
    assertThat(scene.status.phase()).isEqualTo("Paused");
    scene.ask("Resume");
    scene.now = T0.plusMillis(1_500);

    assertThat(scene.step().wakeUp()).isEqualTo(T0.plusMillis(2_500));
  }

  @Test
  void never_once_it_is_over() {
    var scene = new Scene(block("a", 1, sleep("s", "0")));

    assertThat(scene.step().wakeUp()).isNull();
  }
}
