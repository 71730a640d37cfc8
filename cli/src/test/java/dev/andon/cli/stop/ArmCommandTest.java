package dev.andon.cli.stop;

import static dev.andon.cli.stop.FakeApiServer.configMap;
import static dev.andon.cli.stop.FakeApiServer.missing;
import static dev.andon.cli.stop.FakeApiServer.row;
import static dev.andon.cli.stop.FakeApiServer.status;
import static dev.andon.cli.stop.FakeApiServer.table;
import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.cli.Main;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class ArmCommandTest {
  private static final String EMPTY = configMap("5", "");
  private static final String ARMED = configMap("6", "\"data\":{\"SatelliteDiskErase\":\"go\"}");

  @TempDir Path folder;
  private final FakeApiServer api = new FakeApiServer();
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private final Deque<String> answers = new ArrayDeque<>();

  @AfterEach
  void close() {
    api.close();
  }

  @Test
  void it_shows_what_will_start_and_arms_what_was_shown() throws IOException {
    answers.add("y");
    api.getting(200, EMPTY)
        .patching(200, ARMED)
        .workflows(
            table(
                row("waits", "SatelliteDiskErase", "Pending", "EmergencyStop")
                    + ","
                    + row("held", "SatelliteDiskErase", "Pending", "StartRequired")
                    + ","
                    + row("other", "Other", "Pending", "EmergencyStop")));

    assertThat(run("arm", "SatelliteDiskErase", "--reason", "aap is empty")).isZero();
    assertThat(out.toString())
        .contains("At that moment 1 waiting workflow will start:")
        .contains("  fleet/waits  SatelliteDiskErase, 10 jobs")
        .contains("1 more waits for something else too: StartRequired.")
        .contains("ARMED: SatelliteDiskErase at resourceVersion 6.")
        .doesNotContain("fleet/other");
    assertThat(patches())
        .containsExactly(
            "{\"metadata\":{\"resourceVersion\":\"5\",\"annotations\":{\"andon.dev/arm-reason\":"
                + "\"aap is empty\",\"andon.dev/stop-reason\":null}},"
                + "\"data\":{\"SatelliteDiskErase\":\"go\"}}");
  }

  @Test
  void no_is_the_answer_unless_it_is_yes() throws IOException {
    answers.add("");
    api.getting(200, EMPTY);

    assertThat(run("arm", "SatelliteDiskErase", "--reason", "r")).isEqualTo(1);
    assertThat(patches()).isEmpty();
  }

  @Test
  void where_nobody_can_be_asked_nothing_is_armed() throws IOException {
    api.getting(200, EMPTY);

    assertThat(run("arm", "SatelliteDiskErase", "--reason", "r")).isEqualTo(2);
    assertThat(err.toString()).contains("nobody can be asked here; --yes arms without asking");
    assertThat(patches()).isEmpty();
  }

  @Test
  void a_stop_of_everything_is_not_armed_against() throws IOException {
    api.getting(200, configMap("5", "\"data\":{\"all\":\"stop\",\"SatelliteDiskErase\":\"stop\"}"));

    assertThat(run("arm", "SatelliteDiskErase", "--reason", "r", "--yes")).isEqualTo(1);
    assertThat(out.toString())
        .contains("NOT ARMED: everything is stopped: all is \"stop\"")
        .contains("andon arm all --reason TEXT");
    assertThat(patches()).isEmpty();
  }

  @Test
  void arming_all_takes_back_the_stop_of_everything_and_shows_what_that_opens() throws IOException {
    api.getting(200, configMap("5", "\"data\":{\"all\":\"stop\",\"One\":\"go\",\"Two\":\"stop\"}"))
        .patching(200, configMap("6", "\"data\":{\"One\":\"go\",\"Two\":\"stop\"}"));

    assertThat(run("arm", "all", "--reason", "r", "--yes")).isZero();
    assertThat(out.toString()).contains("This opens: One\n").contains("ARMED: One at");
    assertThat(patches())
        .as("the reason of the stop of Two stays")
        .containsExactly(
            "{\"metadata\":{\"resourceVersion\":\"5\",\"annotations\":{\"andon.dev/arm-reason\":\"r\"}},"
                + "\"data\":{\"all\":null}}");
  }

  @Test
  void a_stop_of_everything_counts_and_is_taken_back_as_it_is_spelt() throws IOException {
    String stopped =
        configMap("5", "\"data\":{\"ALL\":\"stop\",\"aLl\":\"no\",\"all\":\"go\",\"One\":\"go\"}");
    api.getting(200, stopped)
        .getting(200, stopped)
        .patching(200, configMap("6", "\"data\":{\"all\":\"go\",\"One\":\"go\"}"));

    assertThat(run("arm", "One", "--reason", "r", "--yes")).isEqualTo(1);
    assertThat(out.toString()).contains("NOT ARMED: everything is stopped: aLl is \"no\"");

    assertThat(run("arm", "all", "--reason", "r", "--yes")).isZero();
    assertThat(out.toString()).contains("This opens: One\n").contains("ARMED: One at");
    assertThat(patches())
        .singleElement()
        .asString()
        .contains("\"data\":{\"ALL\":null,\"aLl\":null}");
  }

  @Test
  void what_changed_since_it_was_shown_is_shown_again() throws IOException {
    answers.addAll(List.of("y", "n"));
    api.getting(200, EMPTY)
        .getting(200, configMap("8", ""))
        .patching(409, status(409, "Conflict", "changed"));

    assertThat(run("arm", "SatelliteDiskErase", "--reason", "r")).isEqualTo(1);
    assertThat(out.toString())
        .contains("Somebody has changed the ConfigMap since it was shown; nothing was armed.");
    assertThat(answers).isEmpty();
    assertThat(patches()).hasSize(1);
  }

  @Test
  void a_script_does_not_arm_over_what_it_has_not_seen() throws IOException {
    api.getting(200, EMPTY).patching(409, status(409, "Conflict", "changed"));

    assertThat(run("arm", "SatelliteDiskErase", "--reason", "r", "--yes")).isEqualTo(1);
    assertThat(err.toString()).contains("not armed: it may be a new stop");
    assertThat(patches()).hasSize(1);
  }

  @Test
  void the_refusal_of_the_guard_is_told_with_the_right_that_is_missing() throws IOException {
    api.getting(200, EMPTY)
        .patching(422, status(422, "Invalid", "andon-arming-guard denied request: you may not"));

    assertThat(run("arm", "SatelliteDiskErase", "--reason", "r", "--yes")).isEqualTo(1);
    assertThat(err.toString())
        .contains("andon-arming-guard denied request: you may not")
        .contains("andon-armer");
  }

  @Test
  void a_configmap_that_stops_everything_as_it_is_has_a_way_out() throws IOException {
    api.getting(200, configMap("5", "\"immutable\":true"));

    assertThat(run("arm", "SatelliteDiskErase", "--reason", "r", "--yes")).isEqualTo(1);
    assertThat(err.toString())
        .contains("nothing can be armed: the ConfigMap is immutable")
        .contains("kubectl delete cm emergency-stop -n andon-stop");
  }

  @Test
  void a_missing_configmap_has_a_way_out() throws IOException {
    api.getting(404, missing());

    assertThat(run("arm", "SatelliteDiskErase", "--reason", "r", "--yes")).isEqualTo(1);
    assertThat(err.toString()).contains("kubectl create cm emergency-stop -n andon-stop");
  }

  @Test
  void a_reason_is_required() throws IOException {
    assertThat(run("arm", "SatelliteDiskErase")).isEqualTo(2);
    assertThat(run("arm", "SatelliteDiskErase", "--reason", " ")).isEqualTo(2);
    assertThat(api.requests()).isEmpty();
  }

  @Test
  void what_is_armed_already_is_not_written() throws IOException {
    api.getting(200, ARMED);

    assertThat(run("arm", "SatelliteDiskErase", "--reason", "r")).isZero();
    assertThat(out.toString()).contains("is armed already");
    assertThat(patches()).isEmpty();
  }

  private List<String> patches() {
    return api.requests().stream()
        .filter(request -> request.startsWith("PATCH"))
        .map(request -> request.substring(request.indexOf('{')))
        .toList();
  }

  private int run(String... args) throws IOException {
    List<String> all = new ArrayList<>(List.of(args));
    all.removeFirst();
    all.addAll(List.of("--kubeconfig", api.kubeconfig(folder).toString()));
    CommandLine main = Main.commandLine();
    return new CommandLine(
            new ArmCommand(InstantSource.system(), question -> Optional.ofNullable(answers.poll())))
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true))
        .setParameterExceptionHandler(main.getParameterExceptionHandler())
        .setExecutionExceptionHandler(main.getExecutionExceptionHandler())
        .execute(all.toArray(String[]::new));
  }
}
