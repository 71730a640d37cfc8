package dev.andon.cli.stop;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.andon.cli.stop.PeopleCluster.Run;
import java.nio.file.Path;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Stop, arm, status and drill as people with the shipped roles run them. The plane is its own: some
 * stop everything.
 *
 * <p>Each scene has a type and a namespace of its own, and leaves behind what it likes. Those that
 * look at everything there is, or are about all types, begin by {@linkplain #clear clearing} it
 * away; those that spoil the ConfigMap leave a new one.
 */
@Timeout(600)
class PeopleIT {
  @TempDir static Path folder;
  private static PeopleCluster cluster;
  private static Path responder;
  private static Path armer;
  private static Path stranger;

  private static final String NOTHING_TO_DO =
      """
      apiVersion: andon.dev/v1alpha1
      kind: Workflow
      metadata: {name: done, namespace: fleet}
      spec:
        type: SatelliteDiskErase
        blocks:
        - name: nothing
          jobs: [{name: none, type: sleep, args: {seconds: "0"}}]
      """;

  @BeforeAll
  static void start() throws Exception {
    cluster = new PeopleCluster(folder);
    responder = cluster.person("jane");
    armer = cluster.person("joe");
    stranger = cluster.person("nobody");
    cluster.succeeds(
        cluster.admin(),
        """
        kubectl create clusterrolebinding jane --clusterrole=first-responder --user=jane
        kubectl create clusterrolebinding joe-sees --clusterrole=first-responder --user=joe
        kubectl create clusterrolebinding joe --clusterrole=andon-armer --user=joe
        kubectl apply -f examples/drill/drill.yaml
        kubectl create rolebinding joe -n andon-drill --role=andon-drill --user=joe
        kubectl apply -f - <<'END'
        apiVersion: v1
        kind: Namespace
        metadata: {name: supervised}
        ---
        apiVersion: v1
        kind: Namespace
        metadata: {name: orphaned}
        ---
        apiVersion: v1
        kind: Namespace
        metadata: {name: busy}
        ---
        apiVersion: andon.dev/v1alpha1
        kind: WorkflowPolicy
        metadata: {name: scenes}
        spec:
          workflowTypes: [Supervised, NotForMe, Immutable, Orphaned, Busy]
          rules: [{restrictJobTypes: {allowed: [sleep]}}]
        END
        """);
  }

  @AfterAll
  static void end() {
    if (cluster != null) {
      cluster.close();
    }
  }

  /** Nothing is armed, and nothing there. */
  private static void clear() {
    cluster.succeeds(
        cluster.admin(),
        """
        kubectl delete awf --all -A --timeout=120s
        kubectl delete workflowrecords --all
        """);
    newStop();
  }

  private static void newStop() {
    cluster.succeeds(
        cluster.admin(), "kubectl delete cm emergency-stop -n andon-stop --ignore-not-found");
    cluster.awaitStop();
  }

  @Test
  void an_armer_sees_what_will_start_and_a_responder_stops_it() throws Exception {
    // Given two workflows that wait, one of them for a person
    clear();
    cluster.workflow("erase-aap", "SatelliteDiskErase");
    cluster.workflow("reboot", "Reboot");
    cluster.awaitPhase("erase-aap", "Pending");
    cluster.awaitPhase("reboot", "Pending");

    // When the type is armed
    String armed =
        cluster.succeeds(armer, "andon arm SatelliteDiskErase --reason 'site checked' --yes");

    // Then it said what would start, and that does
    assertThat(armed)
        .contains("At that moment 1 waiting workflow will start:\n  fleet/erase-aap  ")
        .contains(", 20 jobs")
        .contains("ARMED: SatelliteDiskErase at resourceVersion ")
        .doesNotContain("fleet/reboot");
    cluster.awaitPhase("erase-aap", "Running");
    JsonNode status = json(responder);
    assertThat(status.at("/stop/state").asText()).isEqualTo("open");
    assertThat(status.at("/stop/types/0/type").asText()).isEqualTo("SatelliteDiskErase");
    assertThat(status.at("/stop/types/0/armed").asBoolean()).isTrue();
    assertThat(status.at("/stop/types/0/by").asText())
        .isEqualTo("andon-arm/" + System.getProperty("user.name"));
    assertThat(status.at("/stop/armReason").asText()).isEqualTo("site checked");
    assertThat(status.at("/alive/0/workflow").asText()).isEqualTo("fleet/erase-aap");
    assertThat(status.at("/alive/0/activeAttempts").asInt()).isEqualTo(2);
    assertThat(status.at("/waiting/0/workflow").asText()).isEqualTo("fleet/reboot");

    // When it is stopped
    String stopped =
        cluster.succeeds(responder, "andon stop SatelliteDiskErase --reason 'wrong site'");

    // Then it is
    assertThat(stopped)
        .contains("WRITTEN after ")
        .contains("SatelliteDiskErase is \"stop\" at resourceVersion ")
        .contains("Nothing is alive.")
        .doesNotContain("WARNING");
    assertThat(cluster.phase("erase-aap")).isEqualTo("Stopped");
    assertThat(cluster.get("awf erase-aap -n fleet", "{.status.stoppedBy.reason}"))
        .isEqualTo("wrong site");
    assertThat(cluster.phase("reboot")).as("was never started").isEqualTo("Pending");
    String text = cluster.succeeds(responder, "andon stop --status");
    assertThat(text)
        .contains("EVERYTHING IS STOPPED: no type is armed.")
        .contains("Alive     nothing")
        .contains("Stopped in the last 24 h: 1\n  fleet/erase-aap  SatelliteDiskErase")
        .contains(": wrong site")
        .doesNotContain("NOT KNOWN");
    assertThat(text.lines()).allMatch(line -> line.length() <= 100);
  }

  @Test
  void what_finished_long_ago_is_pruned_and_its_record_keeps_it_from_running_again() {
    // given one that has ended, one that runs, and one that waits
    clear();
    cluster.apply(NOTHING_TO_DO);
    cluster.workflow("erase-aap", "SatelliteDiskErase");
    cluster.workflow("reboot", "Reboot");
    cluster.succeeds(armer, "andon arm SatelliteDiskErase --reason 'site checked' --yes");
    cluster.awaitPhase("done", "Complete");
    cluster.awaitPhase("erase-aap", "Running");
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () ->
                assertThat(cluster.get("workflowrecords", "{.items[*].spec.outcome}"))
                    .contains("Complete"));

    // when and then: nobody has waited long enough
    assertThat(cluster.succeeds(cluster.admin(), "andon prune --older-than 1h -n fleet"))
        .isEqualTo("deleted 0 Workflows; their records stay.\n");
    // only told
    assertThat(cluster.succeeds(cluster.admin(), "andon prune --older-than 0s -n fleet --dry-run"))
        .startsWith("would delete fleet/done (Complete at ")
        .endsWith("would delete 1 Workflows; their records stay.\n");
    assertThat(cluster.phase("done")).isEqualTo("Complete");
    // elsewhere
    assertThat(cluster.succeeds(cluster.admin(), "andon prune --older-than 0s -n default"))
        .isEqualTo("deleted 0 Workflows; their records stay.\n");
    // done
    assertThat(cluster.succeeds(cluster.admin(), "andon prune --older-than 0s -A"))
        .startsWith("deleted  fleet/done (Complete at ")
        .endsWith("deleted 1 Workflows; their records stay.\n");
    assertThat(cluster.get("awf -n fleet", "{.items[*].metadata.name}"))
        .isEqualTo("erase-aap reboot");

    // and the record answers whoever applies it again
    cluster.apply(NOTHING_TO_DO);
    cluster.awaitPhase("done", "Rejected");
    assertThat(cluster.get("awf done -n fleet", "{.status.conditions[*].reason}"))
        .contains("DuplicateRun");
  }

  @Test
  void a_supervisor_acts_on_one_workflow_and_is_told_what_became_of_it() {
    cluster.succeeds(
        cluster.admin(),
        """
        kubectl create rolebinding susi -n supervised --clusterrole=workflow-supervisor --user=susi
        """);
    Path supervisor = cluster.person("susi");
    cluster.workflow("supervised/erase-aap", "Supervised");
    cluster.awaitPhase("supervised/erase-aap", "Pending");

    assertThat(
            cluster.succeeds(
                supervisor, "andon pause erase-aap -n supervised --reason 'looks odd'"))
        .startsWith("Applied: ");
    assertThat(cluster.get("awf erase-aap -n supervised", "{.status.paused.by}")).isEqualTo("susi");
    Run start = cluster.sh(supervisor, "andon start erase-aap -n supervised --reason 'by mistake'");
    assertThat(start.exit()).isEqualTo(1);
    assertThat(start.output()).startsWith("andon: Refused: ").contains("Automatic");
    assertThat(
            cluster.succeeds(
                supervisor, "andon cancel erase-aap -n supervised --reason 'wrong site'"))
        .startsWith("Applied: ");
    cluster.awaitPhase("supervised/erase-aap", "Failed");
    Run late = cluster.sh(responder, "andon pause erase-aap -n supervised --reason x");
    assertThat(late.exit()).isEqualTo(1);
    assertThat(late.output())
        .contains("workflowactions", "Forbidden".toLowerCase(java.util.Locale.ROOT));
  }

  @Test
  void a_responder_cannot_arm_and_is_told_who_can() {
    Run run = cluster.sh(responder, "andon arm NotForMe --reason 'let me' --yes");

    assertThat(run.exit()).isEqualTo(1);
    assertThat(run.output())
        .contains("andon-arming-guard")
        .contains("resume")
        .contains("--clusterrole=andon-armer");
    assertThat(cluster.get("cm emergency-stop -n andon-stop", "{.data.NotForMe}")).isEmpty();
  }

  @Test
  void without_any_right_the_line_to_pass_on_is_printed() {
    Run run = cluster.sh(stranger, "andon stop SatelliteDiskErase");

    assertThat(run.exit()).isEqualTo(1);
    assertThat(run.output())
        .contains("NOT STOPPED: the API server answered 403: ")
        .contains("User \"nobody\" cannot patch resource \"configmaps\"")
        .contains(
            "kubectl patch cm emergency-stop -n andon-stop --type merge -p"
                + " '{\"data\":{\"SatelliteDiskErase\":\"stop\"}}'");
  }

  @Test
  void a_typing_error_is_written_and_told() {
    Run run = cluster.sh(responder, "andon stop SateliteDiskErase");

    assertThat(run.exit()).isEqualTo(1);
    assertThat(run.output())
        .contains("NO WORKFLOW AND NO POLICY HAS THE TYPE SateliteDiskErase")
        .contains("andon stop SatelliteDiskErase\n");
    assertThat(cluster.get("cm emergency-stop -n andon-stop", "{.data.SateliteDiskErase}"))
        .isEqualTo("stop");
  }

  @Test
  void an_immutable_configmap_is_a_stop_and_arming_says_the_way_out() {
    cluster.succeeds(
        cluster.admin(),
        "kubectl patch cm emergency-stop -n andon-stop --type merge -p '{\"immutable\":true}'");

    try {
      assertThat(cluster.succeeds(responder, "andon stop"))
          .contains("IT IS A STOP: the ConfigMap is immutable");
      Run arm = cluster.sh(armer, "andon arm Immutable --reason r --yes");
      assertThat(arm.exit()).isEqualTo(1);
      assertThat(arm.output()).contains("kubectl delete cm emergency-stop -n andon-stop");
    } finally {
      newStop();
    }
  }

  @Test
  void a_full_configmap_is_stopped_by_deletion() {
    // Given one in which nothing has room any more
    cluster.succeeds(
        cluster.admin(),
        """
        head -c 1048576 /dev/zero | tr '\\0' x > "%1$s/full"
        kubectl create cm emergency-stop -n andon-stop --from-file=full="%1$s/full" \
          --dry-run=client -o yaml | kubectl replace -f -
        """
            .formatted(folder));

    try {
      String said = cluster.succeeds(responder, "andon stop --reason 'a reason that has no room'");

      assertThat(said)
          .contains("deleting the ConfigMap instead, which is a stop too")
          .contains("IT IS A STOP: the ConfigMap was deleted");
      assertThat(cluster.get("cm emergency-stop -n andon-stop --ignore-not-found", "{.data.full}"))
          .isEmpty();
    } finally {
      newStop();
    }
  }

  @Test
  void it_stops_with_the_operator_dead_and_says_that_nobody_has_looked() throws Exception {
    cluster.workflow("orphaned/erase-aap", "Orphaned");
    cluster.succeeds(armer, "andon arm Orphaned --reason 'site checked' --yes");
    cluster.awaitPhase("orphaned/erase-aap", "Running");
    cluster.stopOperator();
    try {
      Run run = cluster.sh(responder, "andon stop Orphaned --timeout 1");
      assertThat(run.exit()).as("not everything is known to be dead").isEqualTo(1);
      assertThat(run.output())
          .contains("WRITTEN after ")
          .contains("STILL ALIVE after 1 s: 1 workflow.")
          .contains("orphaned/erase-aap  Running");
    } finally {
      cluster.startOperator();
    }
    cluster.awaitPhase("orphaned/erase-aap", "Stopped");
  }

  @Test
  void what_arming_all_opens_is_shown() {
    clear();
    cluster.succeeds(armer, "andon arm Reboot --reason one --yes");
    cluster.succeeds(responder, "andon stop --reason 'all of it'");
    cluster.workflow("reboot", "Reboot");
    cluster.awaitPhase("reboot", "Pending");

    Run refused = cluster.sh(armer, "andon arm SatelliteDiskErase --reason two --yes");
    assertThat(refused.exit()).isEqualTo(1);
    assertThat(refused.output())
        .contains("NOT ARMED: everything is stopped: all is \"stop\"")
        .contains("all of it");
    assertThat(cluster.succeeds(armer, "andon arm all --reason over --yes"))
        .contains(
            "This opens: Reboot\nAt that moment 1 waiting workflow will start:\n  fleet/reboot")
        .contains("ARMED: Reboot at");
    cluster.awaitPhase("reboot", "Running");
    assertThat(
            cluster.get(
                "cm emergency-stop -n andon-stop",
                "{.metadata.annotations.andon\\.dev/stop-reason}"))
        .isEmpty();
  }

  @Test
  void a_drill_stops_its_canary_and_leaves_the_type_stopped() {
    Run notArmed = cluster.sh(armer, "andon drill Drill --yes");
    assertThat(notArmed.exit()).isEqualTo(1);
    assertThat(notArmed.output()).contains("Drill is not armed");

    String said = cluster.succeeds(armer, "andon drill Drill --rearm --yes --timeout 120");

    assertThat(said)
        .contains("  sends after it           0\n")
        .contains("PASSED: nothing was sent after the stop.");
    assertThat(cluster.get("cm emergency-stop -n andon-stop", "{.data.Drill}")).isEqualTo("stop");
    cluster.succeeds(
        cluster.admin(), "kubectl wait awf --all -n andon-drill --for=delete --timeout=120s");
  }

  @Test
  void a_drill_refuses_a_type_of_which_something_runs() {
    cluster.workflow("busy/erase-aap", "Busy");
    cluster.succeeds(armer, "andon arm Busy --reason 'site checked' --yes");
    cluster.awaitPhase("busy/erase-aap", "Running");

    Run run = cluster.sh(armer, "andon drill Busy --yes -n busy");

    assertThat(run.exit()).isEqualTo(1);
    assertThat(run.output()).contains("would stop them for good: busy/erase-aap");
    assertThat(cluster.phase("busy/erase-aap")).isEqualTo("Running");
  }

  private static JsonNode json(Path person) throws Exception {
    return new ObjectMapper().readTree(cluster.succeeds(person, "andon stop --status -o json"));
  }
}
