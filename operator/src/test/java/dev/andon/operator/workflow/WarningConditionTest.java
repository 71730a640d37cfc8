package dev.andon.operator.workflow;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.Condition;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.api.Test;

class WarningConditionTest {
  private static final Instant T0 = Instant.parse("2026-01-01T00:00:00Z");

  private static Clock at(Instant time) {
    return Clock.fixed(time, ZoneOffset.UTC);
  }

  @Test
  void it_is_true_and_keeps_the_time_since_when() {
    var warning = new WarningCondition("ShellExpansion", "x");
    Condition first = warning.after(List.of(), 1L, at(T0));

    assertThat(first).isEqualTo(new Condition("Warning", "True", 1L, T0, "ShellExpansion", "x"));
    assertThat(
            new WarningCondition("ShellExpansion", "y")
                .after(List.of(first), 2L, at(T0.plusSeconds(9))))
        .isEqualTo(new Condition("Warning", "True", 2L, T0, "ShellExpansion", "y"));
  }
}
