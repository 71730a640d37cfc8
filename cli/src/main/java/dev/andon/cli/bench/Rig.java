package dev.andon.cli.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.andon.cli.CliException;
import dev.andon.cli.Pause;
import dev.andon.cli.Target;
import dev.andon.cli.install.Installation;
import dev.andon.cli.operator.OperatorProcess;
import dev.andon.devcluster.Cable;
import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.Options;
import dev.andon.operator.cluster.ClusterHttp;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.rbac.ClusterRoleBindingBuilder;
import io.fabric8.kubernetes.api.model.rbac.ClusterRoleBuilder;
import io.fabric8.kubernetes.api.model.rbac.PolicyRuleBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.io.IOException;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Everything that is measured, and everybody who acts: a control plane with Andon installed, a
 * target, a watch of all workflows, and clients with the rights of those they stand for.
 */
final class Rig implements AutoCloseable {
  static final String TYPE = "BenchStop";
  static final String NAMESPACE = "bench";

  /** As the image starts it; a test holds the two together. */
  static final List<String> SHIPPED_FLAGS =
      List.of(
          "-XX:+UseSerialGC",
          "-XX:+UseCompactObjectHeaders",
          "-XX:TieredStopAtLevel=1",
          "-Xss512k",
          "-Xmx64m",
          "-XX:+ExitOnOutOfMemoryError",
          "--sun-misc-unsafe-memory-access=allow",
          "--enable-native-access=ALL-UNNAMED");

  private static final String STOP_NAMESPACE = "andon-stop";
  private static final String STOP = "emergency-stop";
  private static final String RESPONDER = "first-responder";
  private static final String OPERATOR = "system:serviceaccount:andon-system:andon-operator";
  private static final String ALL_WORKFLOWS = "/apis/andon.dev/v1alpha1/workflows";
  private static final String STOPS = "/api/v1/namespaces/" + STOP_NAMESPACE + "/configmaps";
  private static final String RECORDS = "/apis/andon.dev/v1alpha1/workflowrecords";
  private static final String WORKFLOWS =
      "/apis/andon.dev/v1alpha1/namespaces/" + NAMESPACE + "/workflows";
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final Duration SETTLED = Duration.ofSeconds(60);
  private static final Duration CLEARED = Duration.ofMinutes(5);
  private static final int CREATORS = 8;

  /** Deleting a thousand workflows is one request. */
  private static final int PATIENCE_MILLIS = 300_000;

  private final Path folder;
  private final ControlPlane plane;
  private final KubernetesClient administrator;
  private final KubernetesClient responder;
  private final boolean responderIsOne;
  private final SendLog target;
  private final RevisionWatch watch;
  private final RevisionWatch stops;
  private final RevisionWatch records;
  private final HttpClient http = HttpClient.newHttpClient();
  private final InstantSource clock;
  private final AtomicInteger names = new AtomicInteger();

  /**
   * A stop that was written.
   *
   * @param sent when the client sent it
   * @param answered when the API server had
   * @param revision of the ConfigMap then
   */
  record StopWrite(Instant sent, Instant answered, long revision) {}

  /** {@code folder}: for logs. */
  Rig(Path folder, InstantSource clock) throws IOException, InterruptedException {
    this.folder = folder;
    this.clock = clock;
    this.plane = ControlPlane.start(Options.apiServerOnly());
    Config config = Target.forPeople(plane.kubeconfig(), null);
    config.setRequestTimeout(PATIENCE_MILLIS);
    this.administrator = client(config);
    new Installation(administrator, false, done -> {}).run();
    this.target = new SendLog(clock);
    administrator
        .resource(
            new NamespaceBuilder().withNewMetadata().withName(NAMESPACE).endMetadata().build())
        .create();
    administrator.load(yaml(JOB_TYPE.formatted(target.uri()))).create();
    administrator.load(yaml(POLICY)).create();
    this.responderIsOne = administrator.rbac().clusterRoles().withName(RESPONDER).get() != null;
    this.responder =
        client(
            Target.forPeople(responderIsOne ? user("robin", RESPONDER) : plane.kubeconfig(), null));
    this.watch = RevisionWatch.start(administrator, ALL_WORKFLOWS, clock);
    this.stops = RevisionWatch.start(administrator, STOPS, clock);
    this.records = RevisionWatch.start(administrator, RECORDS, clock);
  }

  private static final String JOB_TYPE =
      """
      apiVersion: andon.dev/v1alpha1
      kind: JobType
      metadata: {name: bench-send}
      spec:
        description: Sends once
        timeoutSeconds: 30
        executor: {http: {method: POST, url: "%s"}}
      """;

  private static final String POLICY =
      """
      apiVersion: andon.dev/v1alpha1
      kind: WorkflowPolicy
      metadata: {name: bench}
      spec:
        workflowTypes: [BenchStop]
        enforcement: Deny
        rules: [{restrictJobTypes: {allowed: [bench-send, sleep]}}]
      """;

  private static java.io.InputStream yaml(String text) {
    return new java.io.ByteArrayInputStream(text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
  }

  private static KubernetesClient client(Config config) {
    return ClusterHttp.client(config).build();
  }

  /** The kubeconfig of somebody with one ClusterRole. */
  private Path user(String name, String clusterRole) {
    administrator
        .resource(
            new ClusterRoleBindingBuilder()
                .withNewMetadata()
                .withName("bench-" + name)
                .endMetadata()
                .withNewRoleRef("rbac.authorization.k8s.io", "ClusterRole", clusterRole)
                .addNewSubject("rbac.authorization.k8s.io", "User", name, null)
                .build())
        .serverSideApply();
    return plane.userKubeconfig(name, List.of());
  }

  ControlPlane plane() {
    return plane;
  }

  SendLog target() {
    return target;
  }

  RevisionWatch watch() {
    return watch;
  }

  KubernetesClient administrator() {
    return administrator;
  }

  /** When something was written to the ledger last. */
  Instant lastRecord() {
    return records.last();
  }

  /** Entries of the ledger that do not say yet how it ended. */
  long openRecords() throws IOException {
    long open = 0;
    for (JsonNode item : JSON.readTree(administrator.raw(RECORDS)).path("items")) {
      open += item.path("spec").path("outcome").asText().isEmpty() ? 1 : 0;
    }
    return open;
  }

  /** Who writes the stops. */
  String responder() {
    return responderIsOne
        ? "a user with ClusterRole " + RESPONDER
        : "the administrator, as there is no ClusterRole " + RESPONDER;
  }

  /** The operator, with the rights of its account and the flags of its image; ready. */
  OperatorProcess operator() throws IOException, InterruptedException {
    return operator(operatorKubeconfig());
  }

  /** The same, over a cable. */
  OperatorProcess operator(Cable cable) throws IOException, InterruptedException {
    Path direct = operatorKubeconfig();
    Path file = folder.resolve("cable.kubeconfig");
    Files.writeString(
        file,
        Files.readString(direct)
            .replace("127.0.0.1:" + plane.url().getPort(), "127.0.0.1:" + cable.port()));
    return operator(file);
  }

  private OperatorProcess operator(Path kubeconfig) throws IOException, InterruptedException {
    var operator = OperatorProcess.start(kubeconfig, folder.resolve("operator.log"), SHIPPED_FLAGS);
    operator.awaitReady();
    return operator;
  }

  Path operatorKubeconfig() {
    return plane.userKubeconfig(
        OPERATOR, List.of("system:serviceaccounts", "system:serviceaccounts:andon-system"));
  }

  Figures figures(OperatorProcess operator) throws IOException, InterruptedException {
    return Figures.scrape(http, operator.metrics());
  }

  /** What the operator would do first: without the ConfigMap no status is taken. */
  void createStop() {
    administrator
        .resource(
            new ConfigMapBuilder()
                .withNewMetadata()
                .withNamespace(STOP_NAMESPACE)
                .withName(STOP)
                .endMetadata()
                .build())
        .create();
  }

  /**
   * Arms the type, as an administrator may; returns when the operator goes by it.
   *
   * @return the revision of that: whatever was written before has a lower one
   */
  long arm(OperatorProcess operator) throws Exception {
    Pause.until(
        "the operator has created the ConfigMap",
        SETTLED,
        () -> administrator.configMaps().inNamespace(STOP_NAMESPACE).withName(STOP).get() != null);
    long revision =
        patch(
            administrator,
            """
            {"metadata":{"annotations":{"andon.dev/arm-reason":"bench"}},"data":{"%s":"go"}}"""
                .formatted(TYPE));
    awaitSeen(operator, revision);
    return revision;
  }

  /** Pulls the cord as a responder does. */
  StopWrite stop() {
    Instant sent = clock.instant();
    long revision =
        patch(
            responder,
            """
            {"metadata":{"annotations":{"andon.dev/stop-reason":"bench"}},"data":{"%s":"stop"}}"""
                .formatted(TYPE));
    return new StopWrite(sent, clock.instant(), revision);
  }

  private static long patch(KubernetesClient as, String json) {
    return Long.parseLong(
        as.configMaps()
            .inNamespace(STOP_NAMESPACE)
            .withName(STOP)
            .patch(PatchContext.of(PatchType.JSON_MERGE), json)
            .getMetadata()
            .getResourceVersion());
  }

  /** When the operator's gate took up that state of the ConfigMap, by its own clock: ours too. */
  Instant awaitSeen(OperatorProcess operator, long revision) throws Exception {
    var seen = new ArrayList<Figures>();
    Pause.until(
        "the operator has seen the ConfigMap at resourceVersion " + revision,
        SETTLED,
        () -> {
          Figures figures = figures(operator);
          seen.add(figures);
          return figures.stopRevision() >= revision;
        });
    if (seen.getLast().stopRevision() != revision) {
      throw new CliException("somebody else writes the emergency stop of the bench");
    }
    return seen.getLast().stopSeen();
  }

  /** When a plain watch of the bench was told of that state of the ConfigMap. */
  Instant awaitWatched(long revision) throws Exception {
    var seen = new ArrayList<Version>();
    Pause.until(
        "a watch has told of the ConfigMap at resourceVersion " + revision,
        SETTLED,
        () -> {
          seen.addAll(stops.drain());
          return seen.stream().anyMatch(version -> version.revision() == revision);
        });
    return seen.stream()
        .filter(version -> version.revision() == revision)
        .findFirst()
        .orElseThrow()
        .seen();
  }

  /**
   * Creates workflows that send once every {@code period}, evenly over one period: so they go on
   * sending, and not all in the same second.
   *
   * @param count how many
   */
  void submit(int count, Duration period) throws Exception {
    Instant begin = clock.instant();
    try (ExecutorService creators = Executors.newFixedThreadPool(CREATORS)) {
      var done = new ArrayList<Future<?>>();
      for (int i = 0; i < count; i++) {
        Instant due = begin.plus(period.multipliedBy(i).dividedBy(count));
        done.add(
            creators.submit(
                () -> {
                  Pause.of(Duration.between(clock.instant(), due));
                  create(administrator, period);
                  return null;
                }));
      }
      for (Future<?> one : done) {
        one.get();
      }
    }
  }

  /**
   * Creates workflows as fast as they are taken.
   *
   * @param workflows as JSON
   * @param submitters how many requests are under way together
   */
  void submit(List<String> workflows, int submitters) throws Exception {
    try (ExecutorService creators = Executors.newFixedThreadPool(submitters)) {
      var done = new ArrayList<Future<?>>();
      for (String workflow : workflows) {
        done.add(creators.submit(() -> administrator.raw(WORKFLOWS, "POST", workflow)));
      }
      for (Future<?> one : done) {
        one.get();
      }
    }
  }

  /** Creates a workflow; returns its uid. */
  String submit(String workflow) throws IOException {
    return JSON.readTree(administrator.raw(WORKFLOWS, "POST", workflow))
        .path("metadata")
        .path("uid")
        .asText();
  }

  /** As the API server sends it, without what says who owns which field. */
  long objectBytes(String name) throws IOException {
    return bytes(plain(name));
  }

  long statusBytes(String name) throws IOException {
    return bytes(plain(name).path("status"));
  }

  private JsonNode plain(String name) throws IOException {
    JsonNode workflow = JSON.readTree(administrator.raw(WORKFLOWS + "/" + name));
    ((ObjectNode) workflow.path("metadata")).remove("managedFields");
    return workflow;
  }

  private static long bytes(JsonNode node) {
    return node.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8).length;
  }

  /**
   * What the API server takes at most: the status of every workflow is written once, with another
   * text in it, by a client that does nothing else.
   *
   * @param atOnce how many requests are under way together
   * @return from the first request to the last answer
   */
  Duration rewriteAll(int atOnce) throws Exception {
    var writes = new ArrayList<Map.Entry<String, String>>();
    for (JsonNode item : JSON.readTree(administrator.raw(WORKFLOWS)).path("items")) {
      ((ObjectNode) item.path("metadata")).remove("managedFields");
      ObjectNode status = (ObjectNode) item.path("status");
      status.put("progress", status.path("progress").asText() + ".");
      String path = WORKFLOWS + "/" + item.path("metadata").path("name").asText() + "/status";
      writes.add(Map.entry(path, item.toString()));
    }
    try (KubernetesClient client =
            client(
                new ConfigBuilder(Target.forPeople(plane.kubeconfig(), null))
                    .withHttp2Disable(true)
                    .build());
        ExecutorService writers = Executors.newFixedThreadPool(atOnce)) {
      Instant begin = clock.instant();
      var done = new ArrayList<Future<?>>();
      for (var write : writes) {
        done.add(writers.submit(() -> client.raw(write.getKey(), "PUT", write.getValue())));
      }
      for (Future<?> one : done) {
        one.get();
      }
      return Duration.between(begin, clock.instant());
    }
  }

  void create(KubernetesClient as, Duration period) {
    String name = "sends-" + names.incrementAndGet();
    String _ = as.raw(WORKFLOWS, "POST", workflow(name, period));
  }

  /** Sends once in a period, each time decided anew: a batch of one job. */
  private static String workflow(String name, Duration period) {
    return """
    {"apiVersion":"andon.dev/v1alpha1","kind":"Workflow",
     "metadata":{"name":"%s","namespace":"%s"},
     "spec":{"type":"%s","blocks":[{"name":"sends","forEach":{
       "range":{"from":1,"to":1000,"format":"%%d"},
       "batch":{"size":1,"pauseSeconds":%d},
       "job":{"type":"bench-send"}}}]}}"""
        .formatted(name, NAMESPACE, TYPE, Math.max(1, period.toSeconds()));
  }

  /**
   * Clients that may submit workflows and nothing else, each a user and a connection of its own.
   */
  List<KubernetesClient> submitters(int count) {
    administrator
        .resource(
            new ClusterRoleBuilder()
                .withNewMetadata()
                .withName("bench-submitter")
                .endMetadata()
                .addToRules(
                    new PolicyRuleBuilder()
                        .withApiGroups("andon.dev")
                        .withResources("workflows")
                        .withVerbs("create")
                        .build())
                .build())
        .serverSideApply();
    List<KubernetesClient> clients = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Config config = Target.forPeople(user("submitter-" + i, "bench-submitter"), null);
      clients.add(client(new ConfigBuilder(config).withHttp2Disable(true).build()));
    }
    return clients;
  }

  void delete(String name) {
    String _ = administrator.raw(WORKFLOWS + "/" + name, "DELETE", null);
  }

  /** Whatever is written from now on has a higher one. */
  long revision() throws IOException {
    return JSON.readTree(administrator.raw(WORKFLOWS + "?limit=1"))
        .path("metadata")
        .path("resourceVersion")
        .asLong();
  }

  /** Deletes all workflows; returns when the operator has let go of them. */
  void clear() throws Exception {
    String _ = administrator.raw(WORKFLOWS, "DELETE", null);
    Pause.until("all workflows are gone", CLEARED, () -> remaining() == 0);
    watch.drain();
    records.drain();
    target.clear();
  }

  private int remaining() {
    return administrator
        .genericKubernetesResources("andon.dev/v1alpha1", "Workflow")
        .inNamespace(NAMESPACE)
        .list(new io.fabric8.kubernetes.api.model.ListOptionsBuilder().withLimit(1L).build())
        .getItems()
        .size();
  }

  @Override
  public void close() throws IOException {
    watch.close();
    stops.close();
    records.close();
    http.close();
    responder.close();
    administrator.close();
    target.close();
    plane.close();
  }
}
