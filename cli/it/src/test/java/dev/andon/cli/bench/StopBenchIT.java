package dev.andon.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.cli.bench.Report.Row;
import dev.andon.cli.bench.Report.Verdict;
import java.nio.file.Path;
import java.util.EnumSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A small bench: only that it measures, and that nothing forbidden happens. */
class StopBenchIT {
  @TempDir Path folder;

  @Test
  void running_workflows_are_stopped_and_send_nothing_after() throws Exception {
    var settings = new StopBench.Settings(20, 1, 10, EnumSet.of(Scenario.RUNNING));

    Report report = new StopBench(settings, line -> {}).run(folder);

    assertThat(report.rows()).filteredOn(row -> row.verdict() == Verdict.BROKEN).isEmpty();
    assertThat(report.holds()).isTrue();
    assertThat(seen(report, "from the send of the stop to the gate closed")).endsWith("of 1");
    assertThat(seen(report, "sends whose intent is newer")).startsWith("0;");
    assertThat(seen(report, "from the send of the stop to 20 Stopped"))
        .endsWith("of 1")
        .doesNotContain("did not end");
  }

  @Test
  @Tag("long")
  void nothing_is_sent_that_must_not_be_and_everything_is_measured() throws Exception {
    var settings = new StopBench.Settings(20, 2, 10, EnumSet.allOf(Scenario.class));

    Report report = new StopBench(settings, line -> {}).run(folder);

    assertThat(report.rows()).filteredOn(row -> row.verdict() == Verdict.BROKEN).isEmpty();
    assertThat(report.holds()).isTrue();
    assertThat(report.rows())
        .filteredOn(row -> row.what().startsWith("from the send of the stop to the gate closed"))
        .hasSize(3);
    assertThat(seen(report, "sends whose intent is newer")).startsWith("0;");
    assertThat(seen(report, "from the send of the stop to 20 Stopped"))
        .endsWith("of 2")
        .doesNotContain("did not end");
    assertThat(seen(report, "operator cut off")).isNotEmpty();
    assertThat(seen(report, "operator killed")).endsWith("sends: 0");
  }

  private static String seen(Report report, String what) {
    return report.rows().stream()
        .filter(row -> row.what().startsWith(what))
        .map(Row::seen)
        .findFirst()
        .orElseThrow();
  }
}
