package dev.andon.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.crds.Workflow;
import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import dev.andon.examples.fleet.FleetOptions;
import dev.andon.examples.fleet.FleetServer;
import dev.andon.examples.fleet.LogEvent;
import dev.andon.operator.FaultyApiServer.Fault;
import dev.andon.operator.FaultyApiServer.Request;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example, end to end: kubectl, API server, operator, and a fleet that keeps its own log. */
@RealControlPlane
class SatelliteIT {
  private static final int MACHINES = 103;

  @TempDir Path folder;

  private Cluster cluster;
  private FleetServer fleet;
  private FaultyApiServer between;
  private KubernetesClient people;
  private Intents intents;
  private Process operator;

  @BeforeEach
  void given_a_cluster_and_a_fleet(ControlPlane plane) throws Exception {
    cluster = new Cluster(plane);
    between = FaultyApiServer.before(cluster.config());
    people = cluster.people();
    intents = new Intents(people);
    fleet =
        FleetServer.start(
            FleetOptions.defaults().withEraseMillis(50, 100).withLog(folder.resolve("fleet.log")));
    cluster.setUpExample(fleet, yaml -> yaml.replace("sends: 10", "sends: 1000"));
  }

  @AfterEach
  void tear_down() throws Exception {
    intents.close();
    cluster.close();
    between.close();
    fleet.close();
  }

  private String workflow() {
    return cluster
        .exampleWorkflow(fleet)
        .replace("batch: {size: 5, pauseSeconds: 1}", "batch: {size: 35, pauseSeconds: 1}")
        .replace("concurrency: 5", "concurrency: 35");
  }

  @Test
  void it_runs_to_its_end_and_every_machine_is_erased_once() throws Exception {
    cluster.operator();
    cluster.arm(Cluster.TYPE);

    cluster.apply(workflow());
    cluster.kubectl(
        "wait", "--for=condition=Finished", "awf/erase-aap", "-n", "fleet", "--timeout=60s");

    assertThat(cluster.reason("fleet", "erase-aap")).isEqualTo("Complete");
    assertThat(fleet.summary().done()).isEqualTo(MACHINES);
    assertThat(fleet.summary().erasedTwice()).isZero();
    assertThat(fleet.summary().askedAgain()).isZero();
    assertThat(cluster.get("workflow", "fleet", "erase-aap", "{.status.blocks[2].succeeded}"))
        .isEqualTo("0-102");
    assertThat(cluster.get("tokenbucket", null, "disk-erase", "{.status.tokens}")).isEqualTo("2");
    assertThat(cluster.kubectl("get", "awf", "-n", "fleet"))
        .contains("NAME", "TYPE", "PHASE", "PROGRESS", "BLOCK", "REASON", "AGE")
        .containsPattern(
            "erase-aap +SatelliteDiskErase +Complete +105/105 +erase \\(3/3\\) +Complete");
  }

  /**
   * No clock is looked at. A send needs a read of the gate that began after it was intended, so of
   * what is intended while reads of the gate get no answer nothing may be sent; and by the time
   * that they do, the answer is the stop.
   */
  @Test
  void a_stop_half_way_begins_no_further_erase_and_go_resumes_nothing() throws Exception {
    cluster.operator(between.config());
    cluster.arm(Cluster.TYPE);
    cluster.apply(
        workflow()
            .replace("batch: {size: 35, pauseSeconds: 1}", "")
            .replace("concurrency: 35", "concurrency: 20"));
    await().atMost(Duration.ofSeconds(60)).until(() -> fleet.summary().done() >= 20);

    AtomicReference<String> unanswered = new AtomicReference<>();
    try (var rule = between.choose(request -> holdReadsOnceIntended(request, unanswered))) {
      await("intents, and no read of the gate answered since")
          .until(() -> unanswered.get() != null);
      cluster.stop(Cluster.TYPE);
    }
    cluster.kubectl(
        "wait", "--for=condition=Finished", "awf/erase-aap", "-n", "fleet", "--timeout=90s");

    assertThat(cluster.get("workflow", "fleet", "erase-aap", "{.status.phase}"))
        .isEqualTo("Stopped");
    String stopped = cluster.get("workflow", "fleet", "erase-aap", "{.metadata.resourceVersion}");
    await().until(() -> intents.reached(stopped));
    Set<String> waited = intents.newerThan(unanswered.get());
    assertThat(waited).as("intents that waited at the gate").isNotEmpty();
    assertThat(fleet.log())
        .as("of what waited at the gate when it was stopped nothing was sent")
        .filteredOn(SatelliteIT::isOfASend)
        .noneMatch(event -> event.key() != null && waited.contains(event.key()));
    assertThat(fleet.summary().begun()).isLessThan(MACHINES);
    assertThat(cluster.get("workflow", "fleet", "erase-aap", "{.status.stoppedBy.value}"))
        .isEqualTo("stop");
    assertThat(cluster.get("workflow", "fleet", "erase-aap", "{.status.stoppedBy.manager}"))
        .as("who wrote it")
        .isEqualTo("kubectl-patch");
    int begun = fleet.summary().begun();

    cluster.arm(Cluster.TYPE);
    // Another one, which came after the go, has gone through a pause and to its end by then.
    cluster.apply(onlyChecks("after-the-go"));
    cluster.kubectl(
        "wait", "--for=condition=Complete", "awf/after-the-go", "-n", "fleet", "--timeout=90s");
    assertThat(fleet.summary().begun()).as("go resumes nothing").isEqualTo(begun);
    assertThat(cluster.get("workflow", "fleet", "erase-aap", "{.status.phase}"))
        .isEqualTo("Stopped");
  }

  /** A workflow of the type that erases nothing. */
  private String onlyChecks(String name) {
    String example = cluster.exampleWorkflow(fleet);
    return example
        .substring(0, example.indexOf("  - name: erase\n"))
        .replace("name: erase-aap", "name: " + name)
        .replace("  - name: token\n", "  - name: token\n    pauseAfterSeconds: 1\n");
  }

  /**
   * From the first write of new intents on no read of the gate gets an answer: from when it has
   * been carried out, before the operator is told so. {@code before}: gets the revision of the
   * workflow that they are newer than.
   */
  private Optional<Fault> holdReadsOnceIntended(Request request, AtomicReference<String> before) {
    if (before.get() != null) {
      return request.isGateRead() ? Optional.of(new Fault.Held()) : Optional.empty();
    }
    if (!request.isWorkflowStatusWrite()) {
      return Optional.empty();
    }
    AtomicReference<Workflow> was = new AtomicReference<>();
    return Optional.of(
        new Fault.Around(
            () -> {
              was.set(eraseAap());
              return true;
            },
            () -> {
              if (starts(eraseAap()) > starts(was.get())) {
                before.set(was.get().getMetadata().getResourceVersion());
              }
            }));
  }

  private Workflow eraseAap() {
    return people.resources(Workflow.class).inNamespace("fleet").withName("erase-aap").get();
  }

  private static long starts(Workflow workflow) {
    return Objects.requireNonNull(workflow.getStatus().starts());
  }

  private static boolean isOfASend(LogEvent event) {
    return switch (event.event()) {
      case ERASE_BEGAN, ERASE_DONE, ERASE_FAILED, VALIDATE, REFUSED, DUPLICATE -> true;
      case ERASE_CANCELLED, CANCEL_NOTED -> false;
    };
  }

  @Test
  void an_operator_killed_half_way_erases_no_machine_twice_and_loses_none() throws Exception {
    operator = cluster.operatorProcess();
    cluster.arm(Cluster.TYPE);
    cluster.apply(workflow());
    for (int kills = 1; kills <= 3; kills++) {
      int erased = kills * 20;
      await()
          .atMost(Duration.ofSeconds(120))
          .until(() -> isKeptRunning() && fleet.summary().begun() >= erased);
      operator.destroyForcibly().waitFor();
    }
    await().atMost(Duration.ofSeconds(180)).until(() -> isKeptRunning() && isFinished("erase-aap"));

    assertThat(cluster.reason("fleet", "erase-aap")).isEqualTo("Complete");
    assertThat(fleet.summary().done()).isEqualTo(MACHINES);
    assertThat(fleet.summary().erasedTwice()).isZero();
    assertThat(fleet.summary().askedAgain())
        .as("asked under another key for a machine that was begun")
        .isZero();
  }

  /** As a kubelet does: started again where it has ended, killed or without its lease. */
  private boolean isKeptRunning() throws Exception {
    if (!operator.isAlive()) {
      operator = cluster.operatorProcess();
    }
    return true;
  }

  private boolean isFinished(String name) {
    return cluster
        .get("workflow", "fleet", name, "{.status.conditions[?(@.type=='Finished')].status}")
        .equals("True");
  }
}
