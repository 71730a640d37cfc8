package dev.andon.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.examples.fleet.LogEvent;
import dev.andon.examples.fleet.LogEvent.Kind;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class StopProofTest {
  private static final Instant STOP = Instant.parse("2026-11-22T08:30:00Z");

  @Test
  void an_erase_begun_after_the_stop_refutes_it() {
    var proof = StopProof.of(STOP, Set.of("u/erase/0/1"), List.of(begun("u/erase/1/1", 1)));

    assertThat(proof.holds()).isFalse();
    assertThat(proof.begunAfter()).isEqualTo(1);
    assertThat(proof.toLastBegun()).contains(Duration.ofMillis(1));
  }

  @Test
  void another_attempt_of_a_job_under_way_refutes_it_too() {
    var proof = StopProof.of(STOP, Set.of("u/erase/0/1"), List.of(begun("u/erase/0/2", 1)));

    assertThat(proof.holds()).isFalse();
  }

  @Test
  void a_request_on_its_way_is_told_apart() {
    var proof = StopProof.of(STOP, Set.of("u/erase/0/1"), List.of(begun("u/erase/0/1", 1)));

    assertThat(proof.holds()).isTrue();
    assertThat(proof.begunAfter()).isZero();
    assertThat(proof.underWay()).isEqualTo(1);
  }

  @Test
  void what_was_under_way_is_counted_by_its_end() {
    var proof =
        StopProof.of(
            STOP,
            Set.of(),
            List.of(
                begun("a", -900),
                event(Kind.ERASE_DONE, "a", -100),
                begun("b", -90),
                begun("c", -80),
                event(Kind.ERASE_CANCELLED, "b", 5),
                event(Kind.ERASE_DONE, "c", 6)));

    assertThat(proof.holds()).isTrue();
    assertThat(proof.cancelledAfter()).isEqualTo(1);
    assertThat(proof.doneAfter()).isEqualTo(1);
    assertThat(proof.toLastBegun()).contains(Duration.ofMillis(-80));
  }

  @Test
  void nothing_begun_at_all_is_no_distance() {
    assertThat(StopProof.of(STOP, Set.of(), List.of()).toLastBegun()).isEmpty();
  }

  private static LogEvent begun(String key, int millis) {
    return event(Kind.ERASE_BEGAN, key, millis);
  }

  private static LogEvent event(Kind kind, String key, int millis) {
    return new LogEvent(1, STOP.plusMillis(millis), kind, "aap", "aap-0001", key, "op-1", null);
  }
}
