package dev.andon.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Objects that belong together arrive in any order, and that decides nothing. */
@RealControlPlane
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ArrivalIT {
  private static final Duration SLOW_MACHINE = Duration.ofSeconds(120);
  private static final int SETS = 50;
  private static final String NAMESPACE = "arrivals";

  private Cluster cluster;
  private KubernetesClient admin;

  @BeforeAll
  void given_an_operator(ControlPlane plane) throws Exception {
    cluster = new Cluster(plane);
    // A machine may be slow, and nothing here is to be rejected.
    cluster.admissionGrace = "10m";
    cluster.operator();
    admin = cluster.people();
    cluster.apply("{apiVersion: v1, kind: Namespace, metadata: {name: arrivals}}");
    Map<String, String> go = new HashMap<>();
    IntStream.rangeClosed(0, SETS).forEach(i -> go.put("Arrive-" + i, "go"));
    cluster.stopConfigMap(go);
  }

  @AfterAll
  void tear_down() throws Exception {
    cluster.close();
  }

  private static String jobType(int i) {
    return """
    apiVersion: andon.dev/v1alpha1
    kind: JobType
    metadata: {name: arrive-%d}
    spec:
      args: [{name: machine, required: true}]
      timeoutSeconds: 600
      executor: {http: {method: GET, url: "http://127.0.0.1:1/{machine}"}}
    """
        .formatted(i);
  }

  private static String policy(int i) {
    return """
    apiVersion: andon.dev/v1alpha1
    kind: WorkflowPolicy
    metadata: {name: arrive-%1$d}
    spec:
      workflowTypes: [Arrive-%1$d]
      rules:
      - restrictJobTypes: {allowed: [sleep, arrive-%1$d]}
      - sameArgs: {jobType: arrive-%1$d, args: [machine]}
    """
        .formatted(i);
  }

  /** The job of the type that has to be there is in a block that is never reached. */
  private static String workflow(int i) {
    return """
    apiVersion: andon.dev/v1alpha1
    kind: Workflow
    metadata: {name: arrive-%1$d, namespace: arrivals}
    spec:
      type: Arrive-%1$d
      blocks:
      - name: nap
        jobs: [{name: a, type: sleep, args: {seconds: "0"}}]
        pauseAfterSeconds: 86400
      - name: call
        jobs: [{name: b, type: arrive-%1$d, args: {machine: m-1}}]
    """
        .formatted(i);
  }

  private List<String> notStarted() {
    return admin
        .genericKubernetesResources("andon.dev/v1alpha1", "Workflow")
        .inNamespace(NAMESPACE)
        .list()
        .getItems()
        .stream()
        .filter(w -> !"1/2".equals(w.get("status", "progress")))
        .map(
            w ->
                "%s %s %s"
                    .formatted(
                        w.getMetadata().getName(),
                        w.get("status", "phase"),
                        w.get("status", "conditions")))
        .toList();
  }

  @Test
  void fifty_sets_that_arrive_in_every_order_all_run() {
    var random = new Random(4711);
    var sets = new ArrayList<CompletableFuture<?>>();
    for (int i = 1; i <= SETS; i++) {
      var objects = new ArrayList<>(List.of(jobType(i), policy(i), workflow(i)));
      Collections.shuffle(objects, random);
      if (i % 2 == 0) {
        // All at once.
        objects.forEach(yaml -> sets.add(begin(() -> create(yaml))));
      } else {
        sets.add(begin(() -> objects.forEach(this::create)));
      }
    }
    CompletableFuture.allOf(sets.toArray(CompletableFuture[]::new)).join();

    await().atMost(SLOW_MACHINE).untilAsserted(() -> assertThat(notStarted()).isEmpty());
    assertThat(
            admin
                .genericKubernetesResources("andon.dev/v1alpha1", "Workflow")
                .inNamespace(NAMESPACE)
                .list()
                .getItems())
        .hasSizeGreaterThanOrEqualTo(SETS);
  }

  /** On a thread of its own: what blocks the common pool holds up the client's own answers. */
  private static CompletableFuture<Void> begin(Runnable work) {
    return CompletableFuture.runAsync(work, Thread::startVirtualThread);
  }

  private void create(String yaml) {
    admin.resource(yaml).create();
  }

  @Test
  void three_files_applied_by_three_people_at_once_run(@TempDir Path folder) throws Exception {
    var applies = new ArrayList<CompletableFuture<String>>();
    for (String yaml : List.of(workflow(0), policy(0), jobType(0))) {
      Path file = Files.writeString(folder.resolve("f" + applies.size() + ".yaml"), yaml);
      applies.add(
          CompletableFuture.supplyAsync(
              () -> cluster.kubectl("apply", "-f", file.toString()), Thread::startVirtualThread));
    }
    applies.forEach(apply -> assertThat(apply.join()).contains("created"));

    await()
        .atMost(SLOW_MACHINE)
        .until(
            () -> cluster.get("workflow", NAMESPACE, "arrive-0", "{.status.progress}"),
            "1/2"::equals);
  }

  @Test
  void what_is_lacking_is_told_and_brought_by_hand() throws Exception {
    cluster.arm("Arrive-lacks");
    cluster.apply(workflow(0).replace("arrive-0", "lacks").replace("Arrive-0", "Arrive-lacks"));
    await()
        .atMost(SLOW_MACHINE)
        .until(() -> cluster.reason(NAMESPACE, "lacks"), "NotAdmittedYet"::equals);
    assertThat(
            cluster.get(
                "workflow", NAMESPACE, "lacks", "{.status.conditions[?(@.type=='Ready')].message}"))
        .contains("unknown job type \"lacks\"", "no policy admits it", "rejected after ");
    assertThat(cluster.get("workflow", NAMESPACE, "lacks", "{.status.phase}")).isEqualTo("Pending");

    cluster.apply(policy(0).replace("arrive-0", "lacks").replace("Arrive-0", "Arrive-lacks"));
    cluster.apply(jobType(0).replace("arrive-0", "lacks"));

    await()
        .atMost(SLOW_MACHINE)
        .until(
            () -> cluster.get("workflow", NAMESPACE, "lacks", "{.status.progress}"), "1/2"::equals);
  }
}
