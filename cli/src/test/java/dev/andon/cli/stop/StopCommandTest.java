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
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StopCommandTest {
  private static final String PATCH =
      "PATCH /api/v1/namespaces/andon-stop/configmaps/emergency-stop ";
  private static final String ALL_STOPPED = configMap("7", "\"data\":{\"all\":\"stop\"}");

  @TempDir Path folder;
  private final FakeApiServer api = new FakeApiServer();
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @AfterEach
  void close() {
    api.close();
  }

  @Test
  void the_write_comes_before_every_read_and_stops_everything() throws IOException {
    api.patching(200, ALL_STOPPED);

    int exit = run("stop", "--reason", "wrong \"site\"");

    assertThat(exit).isZero();
    assertThat(api.requests().getFirst())
        .isEqualTo(
            PATCH
                + "{\"metadata\":{\"annotations\":{\"andon.dev/stop-reason\":\"wrong \\\"site\\\"\"}},"
                + "\"data\":{\"all\":\"stop\"}}");
    assertThat(out.toString())
        .contains("Stopping EVERYTHING on http://127.0.0.1:")
        .contains("(context prod)")
        .contains("all is \"stop\" at resourceVersion 7.")
        .contains("Nothing is alive.");
  }

  @ParameterizedTest
  @ValueSource(strings = {"all", "ALL", "All"})
  void all_in_any_case_means_everything(String all) throws IOException {
    api.patching(200, ALL_STOPPED);

    assertThat(run("stop", all)).isZero();
    assertThat(api.requests().getFirst()).contains("\"data\":{\"all\":\"stop\"}");
  }

  @Test
  void without_a_reason_it_says_who_did_it() throws IOException {
    api.patching(200, ALL_STOPPED);

    assertThat(run("stop", "--wait=false")).isZero();
    assertThat(api.requests().getFirst())
        .contains("\"andon.dev/stop-reason\":\"andon stop by " + System.getProperty("user.name"));
  }

  @Test
  void what_passes_is_tried_again_and_each_time_is_told() throws IOException {
    api.patching(409, status(409, "Conflict", "changed"))
        .patching(429, status(429, "TooManyRequests", "slow down"))
        .patching(500, status(500, "InternalError", "etcd leader changed"))
        .patching(0, "")
        .patching(200, ALL_STOPPED);

    assertThat(run("stop")).isZero();
    assertThat(out.toString())
        .contains("not yet: the API server answered 409: changed; trying again (2 of 6)")
        .contains("not yet: the API server answered 429: slow down; trying again (3 of 6)")
        .contains("500: etcd leader changed; trying again (4 of 6)")
        .contains("trying again (5 of 6)");
  }

  @Test
  void a_missing_configmap_is_a_stop_already() throws IOException {
    api.patching(404, missing());

    assertThat(run("stop", "SatelliteDiskErase")).isZero();
    assertThat(out.toString()).contains("IT IS A STOP ALREADY: there is no ConfigMap");
  }

  @Test
  void a_cluster_without_andon_is_not_taken_for_a_stopped_one() throws IOException {
    api.withoutAndon().patching(404, missing());

    assertThat(run("stop")).isEqualTo(1);
    assertThat(out.toString()).contains("NOTHING WAS STOPPED").doesNotContain("STOP ALREADY");
  }

  @Test
  void somebody_elses_404_is_no_stop() throws IOException {
    api.patching(404, "404 page not found").deleting(404, "404 page not found");

    assertThat(run("stop", "SatelliteDiskErase")).isEqualTo(1);
    assertThat(err.toString()).contains("NOT STOPPED: the API server answered 404");
  }

  @Test
  void an_immutable_configmap_takes_no_write_and_is_a_stop() throws IOException {
    api.patching(422, status(422, "Invalid", "field is immutable"))
        .getting(
            200, configMap("9", "\"immutable\":true,\"data\":{\"SatelliteDiskErase\":\"go\"}"));

    assertThat(run("stop", "SatelliteDiskErase")).isZero();
    assertThat(out.toString())
        .contains("IT IS A STOP: the ConfigMap is immutable, which stops every type");
  }

  @Test
  void where_the_patch_is_refused_everything_is_stopped_by_deletion() throws IOException {
    api.patching(400, status(400, "BadRequest", "admission webhook \\\"x\\\" denied the request"))
        .getting(200, configMap("9", "\"data\":{\"SatelliteDiskErase\":\"go\"}"))
        .deleting(200, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Success\"}");

    assertThat(run("stop")).isZero();
    assertThat(out.toString())
        .contains("deleting the ConfigMap instead, which is a stop too")
        .contains("IT IS A STOP: the ConfigMap was deleted");
  }

  @Test
  void where_something_holds_the_patch_up_everything_is_stopped_by_deletion() throws IOException {
    api.patching(0, "")
        .getting(200, configMap("9", "\"data\":{\"SatelliteDiskErase\":\"go\"}"))
        .deleting(200, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Success\"}");

    assertThat(run("stop")).isZero();
    assertThat(out.toString())
        .contains("the patch gets no answer; deleting the ConfigMap instead")
        .contains("IT IS A STOP: the ConfigMap was deleted");
  }

  @Test
  void where_nothing_answers_it_is_not_known_to_be_stopped() throws IOException {
    api.patching(0, "").getting(0, "").deleting(0, "");

    assertThat(run("stop")).isEqualTo(1);
    assertThat(err.toString())
        .contains("NOT KNOWN TO BE STOPPED: ")
        .contains("kubectl patch cm emergency-stop -n andon-stop");
  }

  @Test
  void one_type_is_never_stopped_by_deleting_all_of_them() throws IOException {
    api.patching(400, status(400, "BadRequest", "denied"))
        .getting(200, configMap("9", "\"data\":{\"SatelliteDiskErase\":\"go\"}"));

    assertThat(run("stop", "SatelliteDiskErase")).isEqualTo(1);
    assertThat(api.requests()).noneMatch(request -> request.startsWith("DELETE"));
    assertThat(err.toString())
        .contains("NOT STOPPED: the API server answered 400: denied")
        .contains("kubectl delete cm emergency-stop -n andon-stop");
  }

  @Test
  void without_the_right_it_says_what_to_run_and_whom_to_ask() throws IOException {
    String forbidden =
        status(403, "Forbidden", "User \\\"jane\\\" cannot patch resource \\\"configmaps\\\"");
    api.patching(403, forbidden).getting(403, forbidden).deleting(403, forbidden);

    assertThat(run("stop")).isEqualTo(1);
    assertThat(err.toString())
        .contains("User \"jane\" cannot patch resource \"configmaps\"")
        .contains("first-responder")
        .contains(
            "kubectl patch cm emergency-stop -n andon-stop --type merge -p '{\"data\":{\"all\":\"stop\"}}'");
  }

  @Test
  void a_typing_error_does_not_look_like_a_stop() throws IOException {
    api.patching(200, configMap("7", "\"data\":{\"SatelliteDiskErese\":\"stop\"}"))
        .workflows(table(row("a", "SatelliteDiskErase", "Running", "Running")));

    assertThat(run("stop", "SatelliteDiskErese")).isEqualTo(1);
    assertThat(api.requests().getFirst()).startsWith(PATCH);
    assertThat(out.toString())
        .contains("WARNING: NO WORKFLOW AND NO POLICY HAS THE TYPE SatelliteDiskErese.")
        .contains("did you mean   andon stop SatelliteDiskErase");
  }

  @Test
  void what_is_still_alive_is_named_and_is_no_success() throws IOException {
    api.patching(200, configMap("7", "\"data\":{\"SatelliteDiskErase\":\"stop\"}"))
        .workflows(
            table(
                row("a", "SatelliteDiskErase", "Running", "Running")
                    + ","
                    + row("b", "SatelliteDiskErase", "Stopped", "EmergencyStop")
                    + ","
                    + row("c", "Other", "Running", "Running")));

    assertThat(run("stop", "SatelliteDiskErase", "--timeout", "0")).isEqualTo(1);
    assertThat(out.toString())
        .contains("1 Running, 1 Stopped")
        .contains("STILL ALIVE after 0 s: 1 workflow.")
        .contains("  fleet/a  Running")
        .contains("no operator has seen this stop")
        .doesNotContain("fleet/c");
  }

  @Test
  void that_nothing_can_be_seen_is_no_success_either() throws IOException {
    api.patching(200, ALL_STOPPED).workflowsAnswer(403);

    assertThat(run("stop", "--timeout", "0")).isEqualTo(1);
    assertThat(out.toString()).contains("The stop holds. What is still alive cannot be seen: ");
  }

  @Test
  void a_write_that_something_turned_into_no_stop_is_none() throws IOException {
    api.patching(200, configMap("7", "\"data\":{\"all\":\"go\"}"));

    assertThat(run("stop")).isEqualTo(1);
    assertThat(err.toString()).contains("NOT STOPPED").contains("who changes it?");
  }

  @ParameterizedTest
  @ValueSource(strings = {"Satellite DiskErase", "-x", "a/b", ""})
  void what_can_be_no_type_is_not_understood(String type) throws IOException {
    assertThat(run("stop", "--", type)).isEqualTo(2);
    assertThat(err.toString()).contains("nothing was written. To stop everything: andon stop");
    assertThat(api.requests()).isEmpty();
  }

  @Test
  void status_writes_nothing() throws IOException {
    api.getting(200, configMap("9", "\"data\":{\"SatelliteDiskErase\":\"go\",\"Other\":\"stop\"}"))
        .workflows(table(row("a", "SatelliteDiskErase", "Running", "Running")));

    assertThat(run("stop", "--status")).isZero();
    assertThat(api.requests()).allMatch(request -> request.startsWith("GET "));
    assertThat(out.toString())
        .contains(
            "ARMED, every other type is stopped:\n  go     SatelliteDiskErase\n  stop   Other\n")
        .contains("Alive: 1\n  Running   fleet/a  SatelliteDiskErase  1/10");
    assertThat(out.toString().lines()).allMatch(line -> line.length() <= 100);
  }

  private int run(String... args) throws IOException {
    List<String> all = new ArrayList<>(List.of(args));
    all.addAll(1, List.of("--kubeconfig", api.kubeconfig(folder).toString()));
    return Main.commandLine()
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true))
        .execute(all.toArray(String[]::new));
  }
}
