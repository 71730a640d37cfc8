package dev.andon.operator.stop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.WorkflowStatus.StoppedBy;
import dev.andon.operator.stop.Latch.Latched;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class LatchTest {
  private static final String TYPE = "SatelliteDiskErase";

  private final AtomicReference<EmergencyStop> gate = new AtomicReference<>(World.go(10, TYPE));
  private final Latch latch = new Latch(type -> gate.get().view(type));

  @Test
  void a_stop_latches_what_is_enrolled_for_its_type_and_says_so_once() {
    latch.enroll("w-1", TYPE);
    latch.enroll("w-2", TYPE);
    gate.set(World.at(10, java.util.Map.of(TYPE, "go", "Other", "go")));
    latch.enroll("w-3", "Other");

    List<Latched> newly =
        latch.stopSeen(World.at(11, java.util.Map.of(TYPE, "stop", "Other", "go"))::view);

    assertThat(newly).extracting(Latched::uid).containsExactly("w-1", "w-2");
    assertThat(latch.latched("w-1")).map(StoppedBy::value).contains("stop");
    assertThat(latch.latched("w-3")).isEmpty();
    assertThat(latch.stopSeen(World.stop(12, TYPE)::view))
        .extracting(Latched::uid)
        .containsExactly("w-3");
  }

  @Test
  void go_a_moment_later_unlatches_nothing() {
    latch.enroll("w-1", TYPE);
    latch.stopSeen(World.stop(11, TYPE)::view);
    gate.set(World.go(12, TYPE));
    latch.stopSeen(World.go(12, TYPE)::view);

    assertThat(latch.latched("w-1")).map(StoppedBy::configMapResourceVersion).contains("11");
    assertThat(latch.enroll("w-1", TYPE)).map(StoppedBy::configMapResourceVersion).contains("11");
    assertThat(latch.enroll("w-2", TYPE)).isEmpty();
    assertThat(latch.runs("w-1", TYPE)).isFalse();
    assertThat(latch.runs("w-2", TYPE)).isTrue();
    assertThat(latch.runs("w-2", "Other")).isFalse();
    assertThat(latch.runs("w-3", TYPE)).isFalse();
  }

  @Test
  void enrolling_while_stopped_is_latched_at_once_and_can_be_released_again() {
    gate.set(World.stop(11, TYPE));

    assertThat(latch.enroll("w-1", TYPE)).isPresent();
    latch.release("w-1");
    gate.set(World.go(12, TYPE));
    assertThat(latch.enroll("w-1", TYPE)).isEmpty();
  }

  @Test
  void a_stop_told_late_that_was_over_before_the_workflow_started_is_not_its_own() {
    gate.set(World.go(12, TYPE));
    latch.enroll("w-1", TYPE);

    assertThat(latch.stopSeen(World.stop(11, TYPE)::view)).isEmpty();
    assertThat(latch.stopSeen(World.stop(13, TYPE)::view)).hasSize(1);
  }

  @Test
  void revisions_are_compared_as_numbers() {
    gate.set(World.go(99, TYPE));
    latch.enroll("w-1", TYPE);

    assertThat(latch.stopSeen(World.stop(100, TYPE)::view)).hasSize(1);
  }

  @Test
  void a_stop_without_a_revision_always_counts() {
    latch.enroll("w-1", TYPE);

    assertThat(latch.stopSeen(EmergencyStop.missing()::view)).hasSize(1);
  }

  @Test
  void enrolled_while_nothing_is_visible_every_stop_counts() {
    Latch blind = new Latch(_ -> new StopView.NotVisible("503"));
    assertThat(blind.enroll("w-1", TYPE)).isEmpty();

    assertThat(blind.stopSeen(World.stop(1, TYPE)::view)).hasSize(1);
  }

  @Test
  void who_is_released_is_forgotten() {
    latch.enroll("w-1", TYPE);
    latch.release("w-1");
    latch.release("w-1");

    assertThat(latch.stopSeen(World.stop(11, TYPE)::view)).isEmpty();
    assertThat(latch.latched("w-1")).isEmpty();
  }

  @Test
  @Timeout(30)
  void a_stop_seen_while_enrolling_is_never_lost() throws Exception {
    for (int round = 0; round < 5_000; round++) {
      long revision = 10 + 2L * round;
      gate.set(World.go(revision, TYPE));
      CyclicBarrier together = new CyclicBarrier(2);
      String uid = "w-" + round;
      AtomicReference<Optional<StoppedBy>> enrolled = new AtomicReference<>(Optional.empty());
      Thread enrolling =
          Thread.ofVirtual()
              .start(
                  () -> {
                    await(together);
                    enrolled.set(latch.enroll(uid, TYPE));
                  });
      Thread stopping =
          Thread.ofVirtual()
              .start(
                  () -> {
                    await(together);
                    EmergencyStop stop = World.stop(revision + 1, TYPE);
                    gate.set(stop); // the gate knows first
                    latch.stopSeen(stop::view);
                  });
      enrolling.join();
      stopping.join();

      assertThat(latch.latched(uid)).isPresent();
      latch.release(uid);
    }
  }

  private static void await(CyclicBarrier barrier) {
    try {
      barrier.await();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }
}
