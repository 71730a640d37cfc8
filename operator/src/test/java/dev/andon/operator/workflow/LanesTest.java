package dev.andon.operator.workflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class LanesTest {
  private static final Duration LONG = Duration.ofSeconds(60);

  private final Lanes lanes = new Lanes();
  private final List<Thread> started = new ArrayList<>();

  @AfterEach
  void end() {
    started.forEach(Thread::interrupt);
  }

  @Test
  void what_a_stop_ends_does_not_wait_behind_the_others() throws Exception {
    // given
    fill();
    Thread waiting = passer("waiting", false, new CountDownLatch(1));
    await().atMost(LONG).until(() -> waits(waiting));

    // when
    var through = new CountDownLatch(1);
    passer("stopped", true, through);

    // then
    await().atMost(LONG).until(() -> through.getCount() == 0);
    assertThat(waits(waiting)).isTrue();
  }

  @Test
  void a_place_that_is_left_is_for_the_next() throws Exception {
    // given
    List<Lanes.Place> places = fill();
    var through = new CountDownLatch(1);
    Thread waiting = passer("waiting", false, through);
    await().atMost(LONG).until(() -> waits(waiting));
    assertThat(through.getCount()).isEqualTo(1);

    // when
    places.getFirst().close();

    // then
    await().atMost(LONG).until(() -> through.getCount() == 0);
  }

  @Test
  void who_waits_when_its_stop_comes_changes_over() throws Exception {
    // given
    fill();
    var stopped = new CountDownLatch(1);
    var other = new CountDownLatch(1);
    Thread first = passer("other", false, other);
    await().atMost(LONG).until(() -> waits(first));
    Thread second = passer("stopped", false, stopped);
    await().atMost(LONG).until(() -> waits(second));

    // when
    lanes.stopped(List.of("stopped", "one that does not wait"));

    // then
    await().atMost(LONG).until(() -> stopped.getCount() == 0);
    assertThat(other.getCount()).isEqualTo(1);
    assertThat(waits(first)).isTrue();
  }

  @Test
  void who_gives_up_waiting_leaves_its_place_to_the_next() throws Exception {
    // given
    List<Lanes.Place> places = fill();
    Thread first = passer("first", false, new CountDownLatch(1));
    await().atMost(LONG).until(() -> waits(first));
    var through = new CountDownLatch(1);
    Thread second = passer("second", false, through);
    await().atMost(LONG).until(() -> waits(second));

    // when
    first.interrupt();
    first.join();
    places.getFirst().close();

    // then
    await().atMost(LONG).until(() -> through.getCount() == 0);
  }

  @Test
  @Timeout(60)
  void a_stop_that_comes_while_it_queues_is_not_missed() throws Exception {
    // given
    fill();
    var asked = new AtomicInteger();

    // when: the first answer is from before the stop
    Lanes.Place place = lanes.enter("w", () -> asked.getAndIncrement() > 0);

    // then
    place.close();
  }

  /** Takes every place of the others' lane. */
  private List<Lanes.Place> fill() throws InterruptedException {
    List<Lanes.Place> places = new ArrayList<>();
    for (int i = 0; i < Lanes.OTHERS; i++) {
      places.add(lanes.enter("w-" + i, () -> false));
    }
    return places;
  }

  private Thread passer(String uid, boolean stopped, CountDownLatch through) {
    Thread passer =
        Thread.ofPlatform()
            .daemon()
            .start(
                () -> {
                  try (var _ = lanes.enter(uid, () -> stopped)) {
                    through.countDown();
                  } catch (InterruptedException e) {
                    // The end of the test.
                  }
                });
    started.add(passer);
    return passer;
  }

  private static boolean waits(Thread thread) {
    return thread.getState() == Thread.State.WAITING;
  }
}
