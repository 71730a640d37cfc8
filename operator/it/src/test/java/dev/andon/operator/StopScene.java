package dev.andon.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowStatus;
import dev.andon.devcluster.ControlPlane;
import dev.andon.examples.fleet.FleetOptions;
import dev.andon.examples.fleet.FleetServer;
import dev.andon.examples.fleet.LogEvent;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.Resource;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;

/**
 * A workflow type to be stopped: job types for every way of being under way, a fleet that logs what
 * reaches it, and a watch over what was intended.
 */
final class StopScene implements AutoCloseable {
  static final String TYPE = "Stoppable";

  /** The machine is slow, does other things besides, and a lease runs out after a kill. */
  static final Duration PATIENCE = Duration.ofSeconds(180);

  final Cluster cluster;
  final FleetServer fleet;
  final KubernetesClient people;
  final String namespace;
  private Intents intents;
  private int others;

  StopScene(ControlPlane plane) throws Exception {
    cluster = new Cluster(plane);
    namespace = plane.freshNamespace();
    fleet = FleetServer.start(FleetOptions.defaults().withEraseMillis(600_000, 600_000));
    people = cluster.people();
    cluster.apply(
        """
        apiVersion: andon.dev/v1alpha1
        kind: WorkflowPolicy
        metadata: {name: stoppable}
        spec:
          workflowTypes: [Stoppable]
          rules:
          - restrictJobTypes: {allowed: [sleep, token-bucket, touch, refused, erase, stubborn]}
        ---
        # Done as soon as it is answered, as often as one likes.
        apiVersion: andon.dev/v1alpha1
        kind: JobType
        metadata: {name: touch}
        spec:
          timeoutSeconds: 10
          retrySafe: true
          rateLimit: {sends: 20, intervalSeconds: 1}
          executor:
            http: {url: "FLEET/sites/aap/validate-decom?siteType=satellite"}
        ---
        # Is refused, and would be tried again after minutes.
        apiVersion: andon.dev/v1alpha1
        kind: JobType
        metadata: {name: refused}
        spec:
          timeoutSeconds: 10
          retry: {attempts: 5, backoff: {initialSeconds: 600, factor: 1, maxSeconds: 600}}
          executor:
            http: {url: "FLEET/no/such/path"}
        ---
        # Takes ten minutes, and ends at once when it is cancelled.
        apiVersion: andon.dev/v1alpha1
        kind: JobType
        metadata: {name: erase}
        spec:
          args: [{name: machine, required: true}]
          timeoutSeconds: 900
          executor:
            http:
              url: "FLEET/sites/aap/machines/{machine}/erase"
              success: response.body.status == 'done'
              poll: {intervalSeconds: 1}
              cancel:
                method: DELETE
                url: "FLEET/sites/aap/machines/{machine}/erase"
                undone: response.body.status == 'cancelled'
        ---
        # Takes ten minutes, and nobody hears that it is to end.
        apiVersion: andon.dev/v1alpha1
        kind: JobType
        metadata: {name: stubborn}
        spec:
          args: [{name: machine, required: true}]
          timeoutSeconds: 25
          executor:
            http:
              url: "FLEET/sites/aap/machines/{machine}/erase"
              success: response.body.status == 'done'
              poll: {intervalSeconds: 1}
              cancel: {method: DELETE, url: "FLEET/no/such/path"}
        ---
        apiVersion: andon.dev/v1alpha1
        kind: TokenBucket
        metadata: {name: stoppable}
        spec: {size: 1, refill: {tokens: 1, intervalSeconds: 86400}}
        """
            .replace("FLEET", fleet.uri().toString().replaceAll("/$", "")));
    intents = new Intents(people);
  }

  /** After the API server was away: a watch that it ended may have missed something. */
  void followAnew() {
    intents.close();
    intents = new Intents(people);
  }

  /** A workflow of the type. {@code fields}: of its spec, as flow or block YAML at two spaces. */
  void submit(String name, String fields) {
    cluster.apply(
        """
        apiVersion: andon.dev/v1alpha1
        kind: Workflow
        metadata: {name: %s, namespace: %s}
        spec:
          type: %s
        %s
        """
            .formatted(name, namespace, TYPE, fields.stripTrailing().indent(2)));
  }

  /** A workflow that keeps sending; returns once it does. */
  void keepsSending(String name) {
    submit(name, sends(5_000));
    goesOnSending(name);
  }

  static String sends(int times) {
    return """
    blocks:
    - name: touch
      concurrency: 4
      forEach: {range: {from: 1, to: %d, format: "%%d"}, job: {type: touch}}
    """
        .formatted(times);
  }

  static String erases(String type, int from, int to) {
    return """
    blocks:
    - name: erase
      concurrency: 50
      forEach: {range: {from: %d, to: %d, format: "aap-%%04d"}, job: {type: %s, args: {machine: $(item)}}}
    """
        .formatted(from, to, type);
  }

  /** Waits until more of it reaches the fleet than has so far. */
  void goesOnSending(String name) {
    String uid = uid(name);
    int before = sentBy(uid).size();
    await(name + " goes on sending").atMost(PATIENCE).until(() -> sentBy(uid).size() > before + 2);
  }

  Workflow get(String name) {
    return people.resources(Workflow.class).inNamespace(namespace).withName(name).get();
  }

  String uid(String name) {
    return get(name).getMetadata().getUid();
  }

  WorkflowStatus status(String name) {
    Workflow workflow = get(name);
    return Objects.requireNonNull(workflow, name).getStatus();
  }

  WorkflowStatus awaitStatus(String name, Predicate<WorkflowStatus> condition) {
    return await(name)
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(100))
        .until(() -> status(name), status -> status != null && condition.test(status));
  }

  WorkflowStatus awaitPhase(String name, String phase) {
    return awaitStatus(name, status -> phase.equals(status.phase()));
  }

  /** The reason of condition Ready. */
  static String reason(WorkflowStatus status) {
    return status.conditions().stream()
        .filter(condition -> "Ready".equals(condition.type()))
        .map(condition -> Objects.requireNonNullElse(condition.reason(), ""))
        .findFirst()
        .orElse("");
  }

  /** Everything that reached the fleet under keys of this workflow. */
  List<LogEvent> sentBy(String uid) {
    return fleet.log().stream()
        .filter(event -> event.event() != LogEvent.Kind.ERASE_CANCELLED)
        .filter(event -> event.event() != LogEvent.Kind.CANCEL_NOTED)
        .filter(event -> event.workflow().filter(uid::equals).isPresent())
        .toList();
  }

  static Resource<ConfigMap> configMap(KubernetesClient client) {
    return client.configMaps().inNamespace("andon-stop").withName("emergency-stop");
  }

  ConfigMap configMap() {
    return configMap(people).get();
  }

  /** As a responder would, with kubectl; the ConfigMap's revision afterwards. */
  String stop(String value, String why) {
    return cluster.kubectl(
        "patch",
        "cm",
        "emergency-stop",
        "-n",
        "andon-stop",
        "--type=merge",
        "-p",
        "{\"metadata\":{\"annotations\":{\"andon.dev/stop-reason\":\"%s\"}},\"data\":{\"%s\":\"%s\"}}"
            .formatted(why, TYPE, value),
        "-o",
        "jsonpath={.metadata.resourceVersion}");
  }

  /** Opens the type, whatever state the ConfigMap is in; what waits to start is not looked at. */
  void arm() {
    ConfigMap now = configMap();
    boolean odd =
        now != null
            && (now.getMetadata().getDeletionTimestamp() != null
                || Boolean.TRUE.equals(now.getImmutable())
                || (now.getBinaryData() != null && !now.getBinaryData().isEmpty())
                || (now.getData() != null
                    && (now.getData().size() > 10 || now.getData().containsKey("all"))));
    if (odd) {
      String uid = now.getMetadata().getUid();
      cluster.tryKubectl(
          null,
          "patch",
          "cm",
          "emergency-stop",
          "-n",
          "andon-stop",
          "--type=merge",
          "-p",
          "{\"metadata\":{\"finalizers\":null}}");
      cluster.tryKubectl(null, "delete", "cm", "emergency-stop", "-n", "andon-stop");
      await("an empty one in its place")
          .atMost(PATIENCE)
          .until(() -> configMap() != null && !uid.equals(configMap().getMetadata().getUid()));
    }
    cluster.arm(TYPE);
  }

  /**
   * Of no attempt that was intended after the stop did anything reach the fleet, and nothing does
   * any more.
   */
  void nothingIntendedLaterWasSent(String stopRevision) {
    for (Workflow workflow :
        people.resources(Workflow.class).inNamespace(namespace).list().getItems()) {
      String revision = workflow.getMetadata().getResourceVersion();
      await().atMost(PATIENCE).until(() -> intents.reached(revision));
    }
    Set<String> later = intents.newerThan(stopRevision);
    assertThat(fleet.log())
        .as("reached the fleet, and was intended after the stop at revision %s", stopRevision)
        .noneMatch(event -> event.key() != null && later.contains(event.key()));
  }

  /** Between now and when this has happened nothing of the workflow reaches the fleet. */
  void staysSilent(String uid, Runnable until) {
    int sent = sentBy(uid).size();
    until.run();
    assertThat(sentBy(uid)).as("sent by %s meanwhile", uid).hasSize(sent);
  }

  /**
   * Another workflow of the type, which comes now, sends, sits out a pause of a second and goes on
   * to its end: whatever the operator had left to do for the others it had as much time for.
   */
  void anotherRuns() {
    String name = "another-" + ++others;
    submit(
        name,
        """
        blocks:
        - {name: first, jobs: [{name: a, type: touch}], pauseAfterSeconds: 1}
        - {name: second, jobs: [{name: a, type: touch}]}
        """);
    awaitPhase(name, "Complete");
  }

  void delete(String... names) {
    for (String name : names) {
      cluster.kubectl(
          "delete", "workflow", name, "-n", namespace, "--ignore-not-found", "--timeout=60s");
    }
    cluster.forgetRuns();
  }

  @Override
  public void close() throws Exception {
    try {
      intents.close();
    } finally {
      cluster.close();
      fleet.close();
    }
  }
}
