package dev.andon.cli.drill;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.cli.drill.Canary.Version;
import dev.andon.crds.Workflow;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class DrillResultTest {
  /** The stop is revision 100, sent at 1,000 ns. */
  private static DrillResult of(Version... versions) {
    return DrillResult.of(List.of(versions), 100, 1_000);
  }

  @Test
  void nothing_started_after_the_stop_and_it_is_stopped() {
    DrillResult result =
        of(
            version(90, "Running", 1, 500),
            version(99, "Running", 2, 900),
            version(101, "Stopping", 2, 3_000),
            version(102, "Stopped", 2, 5_000));

    assertThat(result.holds()).isTrue();
    assertThat(result.startsBefore()).isEqualTo(2);
    assertThat(result.startsAfter()).isZero();
    assertThat(result.firstSeen()).contains(Duration.ofNanos(2_000));
    assertThat(result.stopped()).contains(Duration.ofNanos(4_000));
  }

  @Test
  void a_start_that_was_written_before_the_stop_and_seen_after_it_is_none_of_its_faults() {
    DrillResult result =
        of(
            version(90, "Running", 1, 500),
            version(99, "Running", 2, 2_000),
            version(101, "Stopped", 2, 5_000));

    assertThat(result.holds()).isTrue();
  }

  @Test
  void a_start_written_after_the_stop_is_a_failure_however_it_ends() {
    DrillResult result =
        of(
            version(90, "Running", 2, 500),
            version(101, "Running", 3, 2_000),
            version(102, "Stopped", 3, 5_000));

    assertThat(result.startsAfter()).isEqualTo(1);
    assertThat(result.holds()).isFalse();
  }

  @Test
  void not_stopped_in_time_is_a_failure() {
    DrillResult result = of(version(90, "Running", 2, 500), version(101, "Stopping", 2, 2_000));

    assertThat(result.holds()).isFalse();
    assertThat(result.stopped()).isEmpty();
  }

  private static Version version(long revision, String phase, int starts, long seen) {
    return new Version(revision, phase, starts, phase.equals("Stopped"), new Workflow(), seen);
  }
}
