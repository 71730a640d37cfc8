package dev.andon.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.cli.bench.Report.Row;
import dev.andon.cli.bench.Report.Verdict;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReportTest {
  private static final Row SLOW = new Row("a|b", "1 ms", "2 ms", Verdict.MISSED);
  private static final Row BROKEN = new Row("sends", "0", "1", Verdict.BROKEN);

  @Test
  void slow_is_no_failure() {
    assertThat(new Report(List.of(), List.of(SLOW)).holds()).isTrue();
  }

  @Test
  void what_must_never_happen_is() {
    assertThat(new Report(List.of(), List.of(SLOW, BROKEN)).holds()).isFalse();
  }

  @Test
  void markdown_has_a_row_for_each_figure_and_the_conditions() {
    assertThat(new Report(List.of("two cores"), List.of(SLOW)).markdown())
        .isEqualTo(
            """
            | what | goal | seen | |
            |---|---|---|---|
            | a\\|b | 1 ms | 2 ms | missed |

            - two cores
            """);
  }
}
