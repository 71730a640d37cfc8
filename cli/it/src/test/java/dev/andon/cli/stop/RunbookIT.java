package dev.andon.cli.stop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.cli.stop.PeopleCluster.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The runbook, line by line as it is printed, by people with the shipped roles. A command in it
 * that no step here runs is a failure.
 */
@Timeout(900)
class RunbookIT {
  private static final Path RUNBOOK =
      Path.of(System.getProperty("ANDON_HOME")).resolve("docs/emergency-stop.md");
  private static final Pattern BLOCK =
      Pattern.compile("(?:<!-- run: ([a-z-]+) -->\n)?```sh\n(.*?)```", Pattern.DOTALL);

  @TempDir Path folder;
  private final Map<String, String> blocks = new LinkedHashMap<>();
  private final Set<String> run = new HashSet<>();
  private PeopleCluster cluster;

  @Test
  void every_command_of_the_runbook_does_what_it_says() throws Exception {
    read();
    try (var started = new PeopleCluster(folder)) {
      cluster = started;
      Path admin = cluster.admin();
      as(admin, "bind");
      Path responder = cluster.person("jane", "on-call");
      Path armer = cluster.person("joe", "site-owners");

      // Waiting, looked at, and armed
      cluster.workflow("erase-aap", "SatelliteDiskErase");
      cluster.workflow("erase-aap-again", "SatelliteDiskErase");
      cluster.awaitPhase("erase-aap", "Pending");
      cluster.awaitPhase("erase-aap-again", "Pending");
      assertThat(as(admin, "arm-look")).contains("EmergencyStop").contains("deleted");
      assertThat(as(armer, "arm-type")).contains("patched");
      cluster.awaitPhase("erase-aap", "Running");

      // What a responder looks at
      assertThat(as(responder, "right-cluster")).contains("workflows");
      assertThat(as(responder, "may-i")).isEqualTo("yes\nyes\n");
      as(responder, "webhooks");
      as(responder, "operator");
      assertThat(as(responder, "alive")).contains("erase[0] attempt 1").contains("Running");
      as(responder, "alive-pods");

      // One type
      assertThat(as(responder, "stop-type")).contains("patched");
      assertThat(as(responder, "verify-configmap")).contains("\"SatelliteDiskErase\":\"stop\"");
      assertThat(as(responder, "verify-one")).contains("condition met").contains("\"key\"");
      assertThat(as(responder, "verify-workflows")).contains("Stopped");
      assertThat(as(responder, "status-cli")).contains("fleet/erase-aap").contains("Alive");
      assertThat(as(responder, "rest")).contains("erase: of 20 done , failed , unknown");
      assertThat(as(responder, "stop-type-reason")).contains("patched");

      // A responder cannot undo it
      Run refused = cluster.sh(responder, blocks.get("arm-type"));
      assertThat(refused.exit()).isNotZero();
      assertThat(refused.output()).contains("andon-arming-guard");

      // Everything, and back
      as(armer, "arm-type");
      assertThat(as(responder, "stop-all")).contains("patched");
      assertThat(as(responder, "verify-configmap")).contains("\"all\":\"stop\"");
      assertThat(as(armer, "arm-all")).contains("patched");
      assertThat(as(responder, "verify-configmap"))
          .contains("\"SatelliteDiskErase\":\"go\"")
          .doesNotContain("all");
      assertThat(as(responder, "stop-cli")).contains("Nothing is alive.");
      assertThat(as(armer, "arm-cli")).contains("ARMED: SatelliteDiskErase");
      assertThat(cluster.phase("erase-aap")).as("stays stopped").isEqualTo("Stopped");

      // Gone on with
      assertThat(as(admin, "continue")).contains("erase-aap-rest created");
      cluster.awaitPhase("erase-aap-rest", "Running");
      assertThat(cluster.get("awf erase-aap-rest -n fleet", "{.status.continued.workflow}"))
          .isEqualTo("erase-aap");

      // Dead
      cluster.workflow("erase-bbb", "SatelliteDiskErase");
      cluster.awaitPhase("erase-bbb", "Running");
      cluster.stopOperator();
      as(responder, "stop-all");
      assertThat(cluster.phase("erase-bbb")).as("nobody is there to tell").isEqualTo("Running");
      Awaitility.await()
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(
              () ->
                  assertThat(cluster.sh(admin, JOB).output())
                      .as("the API server itself refuses")
                      .contains("emergency stop: "));
      String start =
          "kubectl patch awf erase-bbb -n fleet --subresource=status --type merge"
              + " -p '{\"status\":{\"starts\":99}}'";
      assertThat(cluster.sh(cluster.operatorsRights(), start).output())
          .contains("emergency stop: ");
      as(armer, "arm-all");
      cluster.startOperator();
      cluster.awaitPhase("erase-bbb", "Stopped");

      // Deleted
      String before = cluster.get("cm emergency-stop -n andon-stop", "{.metadata.uid}");
      assertThat(as(responder, "stop-delete")).contains("deleted");
      cluster.succeeds(
          admin, "kubectl wait --for=create cm/emergency-stop -n andon-stop --timeout=120s");
      assertThat(cluster.get("cm emergency-stop -n andon-stop", "{.metadata.uid}"))
          .isNotEqualTo(before);
      assertThat(cluster.get("cm emergency-stop -n andon-stop", "{.data}")).isEmpty();

      // Drill
      as(admin, "drill-setup");
      assertThat(as(admin, "drill")).contains("PASSED");

      // An operator that nobody trusts
      cluster.apply(DEPLOYMENT);
      as(admin, "operator-off");
      assertThat(cluster.get("deploy andon-operator -n andon-system", "{.spec.replicas}"))
          .isEqualTo("0");
    }
    assertThat(blocks.keySet()).as("commands of the runbook that nothing tries").isEqualTo(run);
  }

  /** Runs a block as it is printed, but that there is no terminal to say yes on. */
  private String as(Path person, String block) {
    run.add(block);
    String script = blocks.get(block);
    assertThat(script).as("block %s of the runbook", block).isNotNull();
    return cluster.succeeds(person, script.replaceAll("(?m)^(andon arm .*)$", "$1 --yes"));
  }

  private void read() throws IOException {
    List<String> nameless = new ArrayList<>();
    Matcher matcher = BLOCK.matcher(Files.readString(RUNBOOK));
    while (matcher.find()) {
      if (matcher.group(1) == null) {
        nameless.add(matcher.group(2));
      } else {
        blocks.put(matcher.group(1), matcher.group(2));
      }
    }
    assertThat(nameless).as("commands without a name to run them by").isEmpty();
    assertThat(blocks).isNotEmpty();
  }

  private static final String JOB =
      """
      kubectl create --dry-run=server -f - <<'END' || true
      apiVersion: batch/v1
      kind: Job
      metadata:
        name: erase
        namespace: fleet
        labels: {andon.dev/workflow-type: SatelliteDiskErase}
      spec:
        template:
          metadata: {labels: {andon.dev/workflow-type: SatelliteDiskErase}}
          spec:
            restartPolicy: Never
            containers: [{name: c, image: none}]
      END
      """;

  private static final String DEPLOYMENT =
      """
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: andon-operator, namespace: andon-system}
      spec:
        replicas: 1
        selector: {matchLabels: {app: andon-operator}}
        template:
          metadata: {labels: {app: andon-operator}}
          spec: {containers: [{name: c, image: none}]}
      """;
}
