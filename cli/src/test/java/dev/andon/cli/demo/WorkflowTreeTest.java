package dev.andon.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.Workflow;
import dev.andon.examples.fleet.FleetManifests;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class WorkflowTreeTest {
  private static final Instant NOW = Instant.parse("2026-11-22T08:30:00Z");

  @Test
  void a_running_workflow_shows_its_blocks_and_what_is_under_way() {
    var workflow =
        workflow(
            """
            phase: Running
            progress: 23/105
            currentBlock: erase (3/3)
            conditions: [{type: Ready, status: "False", reason: Running, message: ""}]
            blocks:
            - {name: token, total: 1, succeeded: "0", startTime: "2026-11-22T08:29:00Z"}
            - {name: check, total: 1, succeeded: "0", startTime: "2026-11-22T08:29:01Z"}
            - {name: erase, total: 103, succeeded: "0-19", failed: "20", startTime: "2026-11-22T08:29:02Z"}
            active:
            - {block: erase, index: 21, attempt: 1, startTime: "2026-11-22T08:29:58.800Z"}
            - {block: erase, index: 22, attempt: 2, nextAttemptTime: "2026-11-22T08:30:03.400Z"}
            - {block: erase, index: 23, attempt: 1}
            """);

    assertThat(unicode(workflow))
        .isEqualTo(
            """
            erase-aap  SatelliteDiskErase  Running  23/105 jobs
            ├─ ✔ token  ━━━━━━━━━━━━━━━━━━━━━━━━  1/1
            ├─ ✔ check  ━━━━━━━━━━━━━━━━━━━━━━━━  1/1
            └─ ✖ erase  ━━━━────────────────────  21/103  1 failed  batches of 5, 5 at once
               ├─ aap-0022  1.2 s
               ├─ aap-0023  attempt 2 in 3.4 s
               └─ aap-0024  next
            """);
    assertThat(ascii(workflow))
        .isEqualTo(
            """
            erase-aap  SatelliteDiskErase  Running  23/105 jobs
            |- + token  [########################]  1/1
            |- + check  [########################]  1/1
            `- x erase  [####....................]  21/103  1 failed  batches of 5, 5 at once
               |- aap-0022  1.2 s
               |- aap-0023  attempt 2 in 3.4 s
               `- aap-0024  next
            """);
  }

  @Test
  void between_batches_it_says_when_the_next_one_begins() {
    var workflow =
        workflow(
            """
            phase: Running
            progress: 7/105
            currentBlock: erase (3/3)
            conditions: [{type: Ready, status: "False", reason: Running, message: ""}]
            blocks:
            - {name: token, total: 1, succeeded: "0"}
            - {name: check, total: 1, succeeded: "0"}
            - {name: erase, total: 103, succeeded: "0-4", nextBatchTime: "2026-11-22T08:30:00.700Z"}
            """);

    assertThat(unicode(workflow))
        .isEqualTo(
            """
            erase-aap  SatelliteDiskErase  Running  7/105 jobs
            ├─ ✔ token  ━━━━━━━━━━━━━━━━━━━━━━━━  1/1
            ├─ ✔ check  ━━━━━━━━━━━━━━━━━━━━━━━━  1/1
            └─ ▶ erase  ━───────────────────────  5/103  batches of 5, 5 at once
            waits for the next batch, in 0.7 s
            """);
    assertThat(new WorkflowTree(Style.PLAIN).line(workflow, NOW))
        .isEqualTo(
            "erase-aap Running  7/105  block erase (3/3)  waits for the next batch, in 0.7 s");
  }

  @Test
  void a_stop_says_why_in_lines_that_fit_a_terminal() {
    var workflow =
        workflow(
            """
            phase: Pending
            progress: 0/105
            currentBlock: token (1/3)
            conditions:
            - {type: Ready, status: "False", reason: EmergencyStop, message: "SatelliteDiskErase is not armed: it starts once a person sets SatelliteDiskErase to go"}
            """);

    assertThat(unicode(workflow))
        .endsWith(
            """
            └─ · erase  ────────────────────────  0/103  batches of 5, 5 at once
            EmergencyStop: SatelliteDiskErase is not armed: it starts once a person sets
            SatelliteDiskErase to go
            """);
  }

  @Test
  void a_workflow_nobody_looked_at_waits_for_the_operator() {
    assertThat(unicode(workflow("observedGeneration: -1")))
        .isEqualTo(
            """
            erase-aap  SatelliteDiskErase  Pending  0/105 jobs
            ├─ · token  ────────────────────────  0/1
            ├─ · check  ────────────────────────  0/1
            └─ · erase  ────────────────────────  0/103  batches of 5, 5 at once
            waits for the operator
            """);
  }

  @Test
  void many_jobs_under_way_do_not_push_the_tree_off_the_screen() {
    var status =
        new StringBuilder(
            """
            phase: Running
            conditions: [{type: Ready, status: "False", reason: Running, message: ""}]
            active:
            """);
    for (int i = 0; i < 40; i++) {
      status.append("- {block: erase, index: %d, attempt: 1}\n".formatted(i));
    }

    assertThat(unicode(workflow(status.toString())))
        .endsWith("   ├─ aap-0005  next\n   └─ and 35 more\n");
  }

  @Test
  void a_status_edited_into_nonsense_is_shown_and_breaks_nothing() {
    var workflow =
        workflow(
            """
            phase: Running
            conditions: [{type: Ready, status: "False", reason: Running}]
            blocks: [{name: erase, total: 3, succeeded: "zzz"}, {name: other}]
            active: [{block: erase, index: 4000}, {block: erase}, {}]
            """);

    assertThat(unicode(workflow)).contains("erase  ────────────────────────  0/103", "?  next");
  }

  @Test
  void colours_are_only_where_they_are_wanted() {
    var workflow = workflow("{phase: Complete, conditions: [{type: Ready, status: \"True\"}]}");

    assertThat(String.join("", new WorkflowTree(new Style(true, true)).render(workflow, NOW)))
        .contains("\033[32mComplete\033[0m");
    assertThat(unicode(workflow)).doesNotContain("\033");
  }

  private static String unicode(Workflow workflow) {
    return render(workflow, new Style(false, true));
  }

  private static String ascii(Workflow workflow) {
    return render(workflow, Style.PLAIN);
  }

  private static String render(Workflow workflow, Style style) {
    return String.join("\n", new WorkflowTree(style).render(workflow, NOW)) + "\n";
  }

  private static Workflow workflow(String status) {
    String manifest = FleetManifests.read(FleetManifests.WORKFLOW);
    return Serialization.unmarshal(manifest + "\nstatus:\n" + status.indent(2), Workflow.class);
  }
}
