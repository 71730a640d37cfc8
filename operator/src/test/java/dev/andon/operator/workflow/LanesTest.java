package dev.andon.operator.workflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
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
    Lanes.Place place = lanes.enter("w", true, () -> asked.getAndIncrement() > 0);

    // then
    place.close();
  }

  /** A ledger that does not answer holds starts for seconds each, and there may be thousands. */
  @Test
  @Timeout(60)
  void starts_leave_room_for_what_has_begun() throws Exception {
    // given: starts wherever one may be, and one more that waits
    List<Lanes.Place> starts = new ArrayList<>();
    for (int i = 0; i < Lanes.BEGINNERS; i++) {
      starts.add(lanes.enter("start-" + i, false, () -> false));
    }
    var start = new CountDownLatch(1);
    Thread waiting = passer("start", false, false, start);
    await().atMost(LONG).until(() -> waits(waiting));

    // when and then: there is room for what has begun, all places being taken by then
    for (int i = Lanes.BEGINNERS; i < Lanes.OTHERS; i++) {
      lanes.enter("begun-" + i, true, () -> false);
    }
    assertThat(waits(waiting)).isTrue();
    starts.getFirst().close();
    await().atMost(LONG).until(() -> start.getCount() == 0);
  }

  /** However much of what has begun there is to decide about, a start has its turn. */
  @Test
  @Timeout(60)
  void who_came_first_goes_first_whether_it_has_begun_or_not() throws Exception {
    // given
    List<Lanes.Place> places = fill();
    var start = new CountDownLatch(1);
    Thread first = passer("start", false, false, start);
    await().atMost(LONG).until(() -> waits(first));
    var begun = new CountDownLatch(1);
    var stays = new CountDownLatch(1);
    Thread second = Thread.ofPlatform().daemon().start(() -> stay("begun", begun, stays));
    started.add(second);
    await().atMost(LONG).until(() -> waits(second));

    // when
    places.getFirst().close();

    // then: the start went in before, and left its place to the other
    await().atMost(LONG).until(() -> begun.getCount() == 0);
    assertThat(start.getCount()).isZero();
  }

  private void stay(String uid, CountDownLatch in, CountDownLatch until) {
    try (var _ = lanes.enter(uid, true, () -> false)) {
      in.countDown();
      until.await();
    } catch (InterruptedException e) {
      // The end of the test.
    }
  }

  @Test
  @Timeout(60)
  void a_start_that_waits_when_its_stop_comes_changes_over() throws Exception {
    for (int i = 0; i < Lanes.BEGINNERS; i++) {
      lanes.enter("start-" + i, false, () -> false);
    }
    var through = new CountDownLatch(1);
    Thread waiting = passer("stopped", false, false, through);
    await().atMost(LONG).until(() -> waits(waiting));

    lanes.stopped(List.of("stopped"));

    await().atMost(LONG).until(() -> through.getCount() == 0);
  }

  /** For the liveness probe: a decision that never ends is told by its place. */
  @Test
  void how_long_the_oldest_place_is_held_is_known() throws Exception {
    // given
    var now = new AtomicLong();
    var timed = new Lanes(now::get);
    assertThat(timed.longestHeld()).isZero();

    // when
    Lanes.Place first = timed.enter("first", true, () -> false);
    now.addAndGet(Duration.ofSeconds(5).toNanos());
    Lanes.Place second = timed.enter("second", true, () -> true);
    now.addAndGet(Duration.ofSeconds(2).toNanos());

    // then
    assertThat(timed.longestHeld()).isEqualTo(Duration.ofSeconds(7));
    first.close();
    assertThat(timed.longestHeld()).isEqualTo(Duration.ofSeconds(2));
    second.close();
    assertThat(timed.longestHeld()).isZero();
  }

  /** Takes every place of the others' lane. */
  private List<Lanes.Place> fill() throws InterruptedException {
    List<Lanes.Place> places = new ArrayList<>();
    for (int i = 0; i < Lanes.OTHERS; i++) {
      places.add(lanes.enter("w-" + i, true, () -> false));
    }
    return places;
  }

  private Thread passer(String uid, boolean stopped, CountDownLatch through) {
    return passer(uid, true, stopped, through);
  }

  private Thread passer(String uid, boolean begun, boolean stopped, CountDownLatch through) {
    Thread passer =
        Thread.ofPlatform()
            .daemon()
            .start(
                () -> {
                  try (var _ = lanes.enter(uid, begun, () -> stopped)) {
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
