package dev.andon.operator.health;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class SentinelTest {
  private static final Supplier<Optional<String>> WELL = Optional::empty;

  private final AtomicLong nanos = new AtomicLong();

  private Sentinel sentinel(List<Supplier<Optional<String>>> posts) {
    return new Sentinel(posts, nanos::get);
  }

  private void pass(Duration time) {
    nanos.addAndGet(time.toNanos());
  }

  @Test
  void all_is_well_while_it_comes_back_and_no_post_complains() {
    Sentinel sentinel = sentinel(List.of(WELL, WELL));
    for (int i = 0; i < 10; i++) {
      pass(Sentinel.LATE);
      assertThat(sentinel.trouble()).isEmpty();
      sentinel.round();
    }
    assertThat(sentinel.trouble()).isEmpty();
  }

  @Test
  void everything_that_is_wrong_is_told_until_it_is_no_more() {
    var gate = new AtomicReference<>(Optional.of("the gate is dead"));
    Sentinel sentinel =
        sentinel(
            List.of(
                gate::get,
                WELL,
                () -> {
                  throw new IllegalStateException("cannot look");
                }));

    sentinel.round();
    assertThat(sentinel.trouble().orElseThrow())
        .startsWith("the gate is dead; ")
        .contains("cannot look");

    gate.set(Optional.empty());
    sentinel.round();
    assertThat(sentinel.trouble().orElseThrow()).doesNotContain("gate").contains("cannot look");
  }

  @Test
  void one_that_never_set_out_is_late_too() {
    Sentinel sentinel = sentinel(List.of(WELL));

    pass(Sentinel.LATE.plusMillis(1));

    assertThat(sentinel.trouble().orElseThrow()).contains("has not come back for 60 s");
  }

  /** As with a deadlock of what every decision goes through. */
  @Test
  @Timeout(60)
  void held_up_at_a_post_it_is_late_and_asking_it_waits_for_nothing() {
    var held = new CountDownLatch(1);
    var there = new CountDownLatch(1);
    try (Sentinel sentinel =
        sentinel(
            List.of(
                () -> {
                  there.countDown();
                  try {
                    held.await();
                  } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                  }
                  return Optional.empty();
                }))) {
      sentinel.start();
      await().until(() -> there.getCount() == 0);
      assertThat(sentinel.trouble()).isEmpty();

      pass(Duration.ofSeconds(61));
      assertThat(sentinel.trouble().orElseThrow()).contains("has not come back for 61 s");

      held.countDown();
      await().until(() -> sentinel.trouble().isEmpty());
    }
  }
}
