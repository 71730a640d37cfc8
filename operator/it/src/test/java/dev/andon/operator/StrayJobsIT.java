package dev.andon.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Jobs that go on though no attempt answers for them, with the real Job controller and Pods. */
@RealControlPlane(controllers = true, scheduler = true, kwok = true)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class StrayJobsIT {
  private static final Duration SLOW_MACHINE = Duration.ofSeconds(120);

  /** Of a stop to a Job that nobody knows of; a second of it is left to the workflows. */
  private static final Duration SECONDS = Duration.ofSeconds(10);

  private ControlPlane plane;
  private Cluster cluster;
  private KubernetesClient people;
  private AndonOperator operator;
  private String namespace;

  @BeforeAll
  void given_a_job_type_that_hangs(ControlPlane plane) throws Exception {
    this.plane = plane;
    cluster = new Cluster(plane);
    people = cluster.people();
    cluster.apply(
        """
        apiVersion: andon.dev/v1alpha1
        kind: JobType
        metadata: {name: hangs}
        spec:
          args: [{name: machine, required: true}]
          executor:
            container:
              template:
                metadata: {annotations: {andon.dev/fake-outcome: hang}}
                spec:
                  containers:
                  - {name: erase, image: registry.example/erase:1, args: ["--machine", "$(machine)"]}
        ---
        apiVersion: andon.dev/v1alpha1
        kind: WorkflowPolicy
        metadata: {name: it-strays}
        spec:
          workflowTypes: [%s]
          rules: [{restrictJobTypes: {allowed: [hangs, sleep]}}]
        """
            .formatted(Cluster.TYPE));
    operator = cluster.operator();
  }

  @BeforeEach
  void an_armed_type_and_a_namespace() throws Exception {
    namespace = plane.freshNamespace();
    cluster.arm(Cluster.TYPE);
  }

  @AfterEach
  void clear() {
    cluster.clear();
  }

  @AfterAll
  void tear_down() throws Exception {
    cluster.close();
  }

  private void erase(String name, String job) {
    cluster.apply(
        """
        apiVersion: andon.dev/v1alpha1
        kind: Workflow
        metadata: {name: %s, namespace: %s}
        spec:
          type: %s
          blocks: [{name: erase, jobs: [%s]}]
        """
            .formatted(name, namespace, Cluster.TYPE, job));
  }

  private void waitFor(String name, String condition) {
    cluster.kubectl(
        "wait", "--for=condition=" + condition, "awf/" + name, "-n", namespace, "--timeout=120s");
  }

  /** The one Job of the namespace, once its Pod runs. */
  private Job awaitRunningJob() {
    await()
        .atMost(SLOW_MACHINE)
        .until(
            () ->
                people.batch().v1().jobs().inNamespace(namespace).list().getItems().stream()
                    .anyMatch(
                        j ->
                            j.getStatus() != null
                                && Integer.valueOf(1).equals(j.getStatus().getReady())));
    return people.batch().v1().jobs().inNamespace(namespace).list().getItems().getFirst();
  }

  private boolean isSuspended(String job) {
    Job now = people.batch().v1().jobs().inNamespace(namespace).withName(job).get();
    return Boolean.TRUE.equals(now.getSpec().getSuspend());
  }

  /** By hand: as the operator's would look, or those of a version before. */
  private void job(String name, String type, String owner) {
    cluster.apply(
        """
        apiVersion: batch/v1
        kind: Job
        metadata:
          name: %s
          namespace: %s
          labels: {andon.dev/workflow-type: %s}
          ownerReferences: %s
        spec:
          template:
            metadata:
              labels: {andon.dev/workflow-type: %s}
              annotations: {andon.dev/fake-outcome: hang}
            spec: {restartPolicy: Never, containers: [{name: stray, image: stray}]}
        """
            .formatted(name, namespace, type, owner, type));
  }

  private String owner(String workflow) {
    return "[{apiVersion: andon.dev/v1alpha1, kind: Workflow, name: %s, uid: %s, controller: true}]"
        .formatted(workflow, cluster.get("workflow", namespace, workflow, "{.metadata.uid}"));
  }

  /** The operator that wrote the attempt is gone, and its status says nothing of it any more. */
  @Test
  void of_a_status_that_was_made_corrupt_the_jobs_are_suspended() throws Exception {
    erase("corrupt", "{name: x, type: hangs, args: {machine: aap-0001}}");
    Job job = awaitRunningJob();
    operator.close();
    cluster.kubectl(
        "patch",
        "awf",
        "corrupt",
        "-n",
        namespace,
        "--subresource=status",
        "--type=json",
        "-p",
        "[{\"op\":\"remove\",\"path\":\"/status/active\"},{\"op\":\"replace\",\"path\":\"/status/blocks/0/total\",\"value\":7}]");

    operator = cluster.operator();
    waitFor("corrupt", "Failed");

    assertThat(cluster.reason(namespace, "corrupt")).isEqualTo("CorruptStatus");
    assertThat(isSuspended(job.getMetadata().getName())).as("before the status said so").isTrue();
    await()
        .atMost(SLOW_MACHINE)
        .until(
            () ->
                people.pods().inNamespace(namespace).list().getItems().stream()
                    .noneMatch(pod -> "Running".equals(pod.getStatus().getPhase())));
  }

  @Test
  void a_stop_reaches_jobs_of_its_type_whose_workflow_has_ended_or_that_have_none() {
    erase("ended", "{name: x, type: sleep, args: {seconds: \"0\"}}");
    waitFor("ended", "Complete");
    cluster.stopConfigMap(Map.of("Another", "go"));
    job("left-over", Cluster.TYPE, owner("ended"));
    job("of-nobody", Cluster.TYPE, "[]");
    job("of-another-type", "Another", "[]");
    await()
        .atMost(SLOW_MACHINE)
        .until(
            () ->
                people.pods().inNamespace(namespace).list().getItems().stream()
                        .filter(pod -> "Running".equals(pod.getStatus().getPhase()))
                        .count()
                    == 3);

    cluster.stop(Cluster.TYPE);

    await().atMost(SECONDS).until(() -> isSuspended("left-over") && isSuspended("of-nobody"));
    assertThat(isSuspended("of-another-type")).isFalse();
  }

  @Test
  void what_was_begun_after_it_was_armed_again_is_let_alone() {
    job("left-over", Cluster.TYPE, "[]");

    cluster.stop(Cluster.TYPE);
    cluster.arm(Cluster.TYPE);
    erase("since", "{name: x, type: hangs, args: {machine: aap-0001}}");

    await().atMost(SECONDS).until(() -> isSuspended("left-over"));
    await()
        .atMost(SLOW_MACHINE)
        .until(() -> cluster.get("workflow", namespace, "since", "{.status.starts}").equals("1"));
    await()
        .during(Duration.ofSeconds(4))
        .atMost(SLOW_MACHINE)
        .until(
            () ->
                people
                        .batch()
                        .v1()
                        .jobs()
                        .inNamespace(namespace)
                        .withLabel("andon.dev/block", "erase")
                        .list()
                        .getItems()
                        .stream()
                        .filter(job -> !Boolean.TRUE.equals(job.getSpec().getSuspend()))
                        .count()
                    == 1);
    assertThat(cluster.reason(namespace, "since")).isEqualTo("Running");
  }
}
