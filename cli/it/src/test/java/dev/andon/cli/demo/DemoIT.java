package dev.andon.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.andon.cli.operator.OperatorProcess;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The demo as people see it, and the fleet's log as it is: the one must not say more. */
class DemoIT {
  @TempDir Path folder;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  @Test
  void it_erases_every_machine_once_and_says_so() throws Exception {
    int exit = run(new Demo.Settings(false, false, 23, Pace.OF_TESTS));

    assertThat(said())
        .contains("$ kubectl apply -f erase-aap.yaml\nworkflow.andon.dev/erase-aap created\n")
        .contains("EmergencyStop: ")
        .contains(
            """
            $ kubectl patch cm emergency-stop -n andon-stop --type merge \\
                -p '{"metadata":{"annotations":{"andon.dev/arm-reason":"demo"}},"data":{"SatelliteDiskErase":"go"}}'
            configmap/emergency-stop patched
            """)
        .contains("Nothing runs: a fresh installation is stopped until a person arms the type.")
        .containsPattern("erase-aap +SatelliteDiskErase +Complete +25/25")
        .contains("+ By the fleet's own count 23 of 23 machines erased, 0 twice");
    assertThat(exit).isZero();
    assertThat(events("erase-began")).hasSize(23);
    assertThat(events("erase-done")).hasSize(23);
    assertThat(events("refused")).isEmpty();
    assertThat(events("erase-began").getFirst())
        .as("nothing before the check")
        .satisfies(
            first -> assertThat(seq(first)).isGreaterThan(seq(events("validate").getFirst())));
  }

  @Test
  void the_stop_ends_it_and_nothing_is_begun_after() throws Exception {
    // So slow that on no machine all are erased before the stop is written.
    int exit = run(new Demo.Settings(true, false, 103, new Pace(1000, 2000, 0)));

    assertThat(said())
        .contains("Now somebody pulls the cord.")
        .containsPattern("stop written +\\d\\d:\\d\\d:\\d\\d")
        .containsPattern("begun after it +0")
        .containsPattern("final status +Stopped, \\d+/105 jobs; SatelliteDiskErase is \"stop\"")
        .contains("+ Nothing was begun after the stop.");
    assertThat(exit).isZero();
    assertThat(events("erase-began")).hasSizeBetween(20, 102);
    assertThat(events("erase-done").size() + events("erase-cancelled").size())
        .as("every erase that was begun has ended")
        .isEqualTo(events("erase-began").size());
  }

  @Test
  void an_andon_operator_without_our_kinds_says_what_to_do() throws Exception {
    try (var plane =
        dev.andon.devcluster.ControlPlane.start(dev.andon.devcluster.Options.apiServerOnly())) {
      Path log = folder.resolve("operator.log");
      try (var operator = OperatorProcess.start(plane.kubeconfig(), log)) {
        assertThat(catchThrowable(operator::awaitReady))
            .hasMessageContaining("does not serve andon.dev/v1alpha1; run andon install first");
      }
    }
  }

  private int run(Demo.Settings settings) throws IOException, InterruptedException {
    var screen =
        new Screen(new PrintStream(out, true, StandardCharsets.UTF_8), false, Style.PLAIN, 24);
    return new Demo(settings, screen).run(folder);
  }

  private String said() {
    return out.toString(StandardCharsets.UTF_8);
  }

  private List<String> events(String kind) throws IOException {
    return Files.readAllLines(folder.resolve("fleet.log")).stream()
        .filter(line -> line.contains("\"event\":\"" + kind + "\""))
        .toList();
  }

  private static int seq(String line) {
    return Integer.parseInt(line.replaceAll("^.*\"seq\":(\\d+).*$", "$1"));
  }
}
