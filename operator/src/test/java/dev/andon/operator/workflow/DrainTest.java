package dev.andon.operator.workflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class DrainTest {
  private static final Duration LONG = Duration.ofSeconds(60);

  private final Drain drain = new Drain();

  @Test
  void who_comes_before_the_end_may_intend_and_who_comes_after_it_may_not() throws Exception {
    try (var turn = drain.enter()) {
      assertThat(turn.mayIntend()).isTrue();
    }

    drain.begin(LONG);

    try (var turn = drain.enter()) {
      assertThat(turn.mayIntend()).isFalse();
    }
  }

  @Test
  void the_end_waits_for_who_came_before_it_and_for_nobody_else() throws Exception {
    var before = drain.enter();
    Thread ending = ending(LONG);
    await().atMost(LONG).until(() -> ending.getState() == Thread.State.TIMED_WAITING);
    var after = drain.enter();
    assertThat(after.mayIntend()).isFalse();

    before.close();

    assertThat(ending.join(LONG)).isTrue();
    after.close();
  }

  @Test
  void the_end_waits_no_longer_than_it_may() throws Exception {
    var stuck = drain.enter();

    assertThat(ending(Duration.ofMillis(1)).join(LONG)).isTrue();

    stuck.close();
  }

  private Thread ending(Duration atMost) {
    return Thread.ofPlatform()
        .start(
            () -> {
              try {
                drain.begin(atMost);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
  }
}
