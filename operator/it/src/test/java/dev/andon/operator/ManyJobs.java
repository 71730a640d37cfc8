package dev.andon.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.crds.TokenBucket;
import dev.andon.crds.TokenBucketStatus.Grant;
import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowAction;
import dev.andon.crds.WorkflowActionSpec;
import dev.andon.crds.WorkflowRecord;
import dev.andon.crds.WorkflowStatus;
import dev.andon.crds.WorkflowStatus.BlockStatus;
import dev.andon.devcluster.ControlPlane;
import dev.andon.examples.fleet.Fleet.Site;
import dev.andon.examples.fleet.FleetOptions;
import dev.andon.examples.fleet.FleetServer;
import dev.andon.examples.fleet.LogEvent;
import dev.andon.plan.IndexSet;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Workflows of several hundred jobs of every kind, the fleet they erase, a person who looks into
 * its log when the outcome of a job is unknown, and, where there is none, what a Job controller
 * does. Afterwards it judges: by the fleet's log, the API objects, and nothing an operator says of
 * itself.
 */
final class ManyJobs implements AutoCloseable {
  static final String TYPE = "ManyJobs";

  /** Of the bucket that gives each workflow its tokens. */
  private static final int TOKENS = 100_000;

  private static final Duration PATIENCE = Duration.ofMinutes(4);

  /** How a job erases, or what else it does. */
  enum Kind {
    /** Answered at once; can be observed and repeated. */
    SEEN("erase-seen"),
    /** Accepted, and polled to its end. */
    POLLED("erase-polled"),
    /** Answered at once, or nobody knows. */
    BLIND("erase-blind"),
    /** A Job of Kubernetes. */
    CONTAINER("container"),
    TOKEN("token-bucket"),
    SLEEP("sleep");

    final String jobType;

    Kind(String jobType) {
      this.jobType = jobType;
    }

    boolean erases() {
      return this == SEEN || this == POLLED || this == BLIND;
    }
  }

  private record Planned(Kind kind, Machine machine) {}

  private record Machine(String site, String name) {}

  /** One workflow, and the fleet that only it erases. */
  static final class Run {
    final String name;
    final FleetServer fleet;
    private final List<Planned> mixed;
    private final List<Machine> range;
    private String uid = "";

    private Run(String name, FleetServer fleet, List<Planned> mixed, List<Machine> range) {
      this.name = name;
      this.fleet = fleet;
      this.mixed = mixed;
      this.range = range;
    }

    int jobs() {
      return mixed.size() + range.size();
    }

    private List<Planned> planned() {
      return Stream.concat(mixed.stream(), range.stream().map(m -> new Planned(Kind.SEEN, m)))
          .toList();
    }

    private List<String> machines() {
      return planned().stream()
          .filter(job -> job.kind.erases())
          .map(job -> job.machine.name)
          .sorted()
          .toList();
    }

    private int count(Kind kind) {
      return (int) mixed.stream().filter(job -> job.kind == kind).count();
    }
  }

  final Cluster cluster;
  final KubernetesClient people;
  final String namespace;
  final FleetDoor door = new FleetDoor();
  private final Map<Kind, Integer> mix;
  private final int inRange;
  private final Random random;
  private final ScheduledExecutorService hands = Executors.newSingleThreadScheduledExecutor();
  private final List<Run> runs = new ArrayList<>();
  private final AtomicInteger resolved = new AtomicInteger();

  /**
   * @param mix how many jobs of each kind are in the first block of a workflow, in random order
   * @param inRange how many machines are erased by its second
   */
  ManyJobs(ControlPlane plane, Map<Kind, Integer> mix, int inRange, Random random)
      throws Exception {
    this.mix = mix;
    this.inRange = inRange;
    this.random = random;
    cluster = new Cluster(plane);
    namespace = plane.freshNamespace();
    people = cluster.people();
    cluster.apply(setUp().replace("FLEET", door.url()));
    hands.scheduleWithFixedDelay(this::lendAHand, 200, 200, TimeUnit.MILLISECONDS);
  }

  private static String setUp() {
    return """
    apiVersion: andon.dev/v1alpha1
    kind: WorkflowPolicy
    metadata: {name: many-jobs}
    spec:
      workflowTypes: [ManyJobs]
      rules:
      - restrictJobTypes:
          allowed: [erase-seen, erase-polled, erase-blind, container, token-bucket, sleep]
    ---
    apiVersion: andon.dev/v1alpha1
    kind: JobType
    metadata: {name: erase-seen}
    spec:
      args: [{name: site, required: true}, {name: machine, required: true}]
      timeoutSeconds: 60
      retrySafe: true
      rateLimit: {sends: 25, intervalSeconds: 1}
      executor:
        http:
          url: "FLEET/sites/{site}/machines/{machine}/erase"
          success: response.status in [200, 202]
          observe:
            url: "FLEET/sites/{site}/machines/{machine}/erase"
            done: response.body.status == 'done' || response.body.status == 'running'
            failed: response.body.status == 'failed' || response.body.status == 'cancelled'
    ---
    apiVersion: andon.dev/v1alpha1
    kind: JobType
    metadata: {name: erase-polled}
    spec:
      args: [{name: site, required: true}, {name: machine, required: true}]
      timeoutSeconds: 60
      retrySafe: true
      executor:
        http:
          url: "FLEET/sites/{site}/machines/{machine}/erase"
          success: response.status == 200 && response.body.status == 'done'
          poll: {intervalSeconds: 1}
          observe:
            url: "FLEET/sites/{site}/machines/{machine}/erase"
            done: response.body.status == 'done'
            failed: response.body.status == 'failed' || response.body.status == 'cancelled'
    ---
    apiVersion: andon.dev/v1alpha1
    kind: JobType
    metadata: {name: erase-blind}
    spec:
      args: [{name: site, required: true}, {name: machine, required: true}]
      timeoutSeconds: 60
      executor:
        http:
          url: "FLEET/sites/{site}/machines/{machine}/erase"
          success: response.status in [200, 202]
    ---
    apiVersion: andon.dev/v1alpha1
    kind: JobType
    metadata: {name: container}
    spec:
      timeoutSeconds: 300
      executor:
        container:
          template: {spec: {containers: [{name: nap, image: registry.example/nap:1}]}}
    ---
    apiVersion: andon.dev/v1alpha1
    kind: TokenBucket
    metadata: {name: many-jobs}
    spec: {size: %d}
    """
        .formatted(TOKENS);
  }

  /** Submits the next workflow, with a fleet of its own behind the door. */
  Run submit() throws Exception {
    FleetServer fleet =
        FleetServer.start(FleetOptions.defaults().withEraseMillis(10, 60).withEverySiteInDecom());
    door.leadsTo(fleet.uri());
    List<Site> sites =
        fleet.fleet().sites().stream()
            .sorted(Comparator.comparing(site -> -site.machines().size()))
            .toList();
    Site largest = sites.getFirst();
    List<Machine> range =
        largest.machines().stream()
            .limit(inRange)
            .map(name -> new Machine(largest.code(), name))
            .toList();
    assertThat(range).as("machines of site %s", largest.code()).hasSize(inRange);
    var others =
        sites.stream()
            .skip(1)
            .flatMap(site -> site.machines().stream().map(name -> new Machine(site.code(), name)))
            .iterator();
    List<Planned> mixed = new ArrayList<>();
    mix.forEach(
        (kind, count) ->
            IntStream.range(0, count).forEach(i -> mixed.add(new Planned(kind, others.next()))));
    Collections.shuffle(mixed, random);

    Run run = new Run("many-" + (runs.size() + 1), fleet, mixed, range);
    cluster.apply(workflow(run, largest.code()));
    run.uid = get(run).getMetadata().getUid();
    runs.add(run);
    return run;
  }

  private String workflow(Run run, String site) {
    String jobs =
        IntStream.range(0, run.mixed.size())
            .mapToObj(i -> "    - {name: j-%d, %s}\n".formatted(i, job(run.mixed.get(i))))
            .collect(Collectors.joining());
    return """
    apiVersion: andon.dev/v1alpha1
    kind: Workflow
    metadata: {name: %s, namespace: %s}
    spec:
      type: %s
      blocks:
      - name: mixed
        concurrency: 8
        jobs:
    %s  - name: range
        concurrency: 6
        forEach:
          range: {from: 1, to: %d, format: "%s-%%04d"}
          job: {type: erase-seen, args: {site: %s, machine: $(item)}}
    """
        .formatted(run.name, namespace, TYPE, jobs, inRange, site, site);
  }

  private static String job(Planned job) {
    return "type: "
        + job.kind.jobType
        + switch (job.kind) {
          case SEEN, POLLED, BLIND ->
              ", args: {site: %s, machine: %s}".formatted(job.machine.site, job.machine.name);
          case TOKEN -> ", args: {bucket: many-jobs, fatal: \"true\"}";
          case SLEEP -> ", args: {seconds: \"0.3\"}";
          case CONTAINER -> "";
        };
  }

  Workflow get(Run run) {
    return people.resources(Workflow.class).inNamespace(namespace).withName(run.name).get();
  }

  boolean isFinished(Run run) {
    return isTrue(get(run).getStatus(), "Finished");
  }

  private static boolean isTrue(WorkflowStatus status, String condition) {
    return status != null
        && status.conditions().stream()
            .anyMatch(c -> condition.equals(c.type()) && "True".equals(c.status()));
  }

  /** How many jobs were resolved by the person so far. */
  int resolved() {
    return resolved.get();
  }

  int jobs() {
    return runs.stream().mapToInt(Run::jobs).sum();
  }

  int workflows() {
    return runs.size();
  }

  // --- what people and other controllers do

  private void lendAHand() {
    try {
      people
          .resources(Workflow.class)
          .inNamespace(namespace)
          .list()
          .getItems()
          .forEach(this::resolveUnknown);
      if (mix.containsKey(Kind.CONTAINER)) {
        people.batch().v1().jobs().inNamespace(namespace).list().getItems().stream()
            .filter(job -> job.getStatus() == null || job.getStatus().getSucceeded() == null)
            .forEach(this::complete);
      }
    } catch (KubernetesClientException e) {
      // Seen again in a moment.
    }
  }

  /** What became of it is in the fleet's log, or can be seen from the Jobs there are. */
  private void resolveUnknown(Workflow workflow) {
    WorkflowStatus status = workflow.getStatus();
    if (status == null || isTrue(status, "Finished")) {
      return;
    }
    for (BlockStatus block : status.blocks()) {
      indexes(block.unknown())
          .forEach(index -> resolve(workflow, block, index, attempt(block, index)));
    }
  }

  private static IntStream indexes(String set) {
    return IndexSet.parse(set).orElseThrow().toBitSet().stream();
  }

  private static int attempt(BlockStatus block, int index) {
    return block.unknownAttempts().stream()
        .filter(unknown -> indexes(unknown.indexes()).anyMatch(i -> i == index))
        .map(unknown -> Objects.requireNonNull(unknown.attempt()))
        .findFirst()
        .orElse(1);
  }

  private void resolve(Workflow workflow, BlockStatus block, int index, int attempt) {
    String uid = workflow.getMetadata().getUid();
    String key = "%s/%s/%d/%d".formatted(uid, block.name(), index, attempt);
    boolean begun =
        runs.stream()
                .flatMap(run -> run.fleet.log().stream())
                .anyMatch(e -> e.event() == LogEvent.Kind.ERASE_BEGAN && key.equals(e.key()))
            || jobsOf(uid, block.name(), index).contains(attempt)
            || grants().contains(key);
    var action = new WorkflowAction();
    action.setMetadata(
        new ObjectMetaBuilder()
            .withNamespace(namespace)
            .withName("%s-%s-%d-%d".formatted(uid, block.name(), index, attempt))
            .build());
    action.setSpec(
        new WorkflowActionSpec(
            workflow.getMetadata().getName(),
            uid,
            "Resolve",
            null,
            block.name(),
            index,
            null,
            begun ? "Succeeded" : "Retry",
            "looked into the fleet's log",
            null));
    try {
      people.resource(action).create();
      resolved.incrementAndGet();
    } catch (KubernetesClientException e) {
      if (e.getCode() != 409) {
        throw e;
      }
    }
  }

  /** The attempts there is a Job of. */
  private List<Integer> jobsOf(String uid, String block, int index) {
    return people
        .batch()
        .v1()
        .jobs()
        .inNamespace(namespace)
        .withLabels(
            Map.of(
                "andon.dev/workflow-uid",
                uid,
                "andon.dev/block",
                block,
                "andon.dev/index",
                String.valueOf(index)))
        .list()
        .getItems()
        .stream()
        .map(job -> Integer.valueOf(job.getMetadata().getLabels().get("andon.dev/attempt")))
        .toList();
  }

  private List<String> grants() {
    var status = people.resources(TokenBucket.class).withName("many-jobs").get().getStatus();
    return status == null
        ? List.of()
        : status.grants().stream().map(Grant::key).filter(Objects::nonNull).toList();
  }

  private void complete(Job job) {
    String now = Instant.now().toString();
    people
        .resource(
            new JobBuilder(job)
                .withNewStatus()
                .withStartTime(job.getMetadata().getCreationTimestamp())
                .withCompletionTime(now)
                .withSucceeded(1)
                .addNewCondition()
                .withType("SuccessCriteriaMet")
                .withStatus("True")
                .withLastTransitionTime(now)
                .endCondition()
                .addNewCondition()
                .withType("Complete")
                .withStatus("True")
                .withLastTransitionTime(now)
                .endCondition()
                .endStatus()
                .build())
        .updateStatus();
  }

  // --- the judgement

  void awaitFinished(Run run, String hint) {
    await("%s finished; %s".formatted(run.name, hint))
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(200))
        .untilAsserted(
            () ->
                assertThat(isFinished(run))
                    .as("finished: %s", summary(get(run).getStatus()))
                    .isTrue());
  }

  private static String summary(WorkflowStatus status) {
    return status == null
        ? "no status"
        : "%s %s, active %s, blocks %s, conditions %s"
            .formatted(
                status.phase(),
                status.progress(),
                status.active(),
                status.blocks(),
                status.conditions());
  }

  /** Of every workflow that was submitted. All of them must have finished. */
  void everythingWasDoneOnceAndNothingIsMissing() {
    runs.forEach(this::judge);
    Set<String> grants = Set.copyOf(grants());
    int tokens = runs.stream().mapToInt(run -> run.count(Kind.TOKEN)).sum();
    if (tokens > 0) {
      assertThat(grants()).as("grants").doesNotHaveDuplicates().hasSize(tokens);
      assertThat(grants).hasSize(tokens);
      assertThat(
              people.resources(TokenBucket.class).withName("many-jobs").get().getStatus().tokens())
          .as("tokens left")
          .isEqualTo(TOKENS - tokens);
    }
  }

  /** Of one workflow, which must have finished. */
  void judge(Run run) {
    Workflow workflow = get(run);
    WorkflowStatus status = workflow.getStatus();
    assertThat(cluster.reason(namespace, run.name))
        .as("%s: %s", run.name, summary(status))
        .isEqualTo("Complete");
    assertThat(status.progress()).isEqualTo(run.jobs() + "/" + run.jobs());
    assertThat(status.active()).isEmpty();
    assertThat(status.failures()).isEmpty();
    assertThat(status.blocks())
        .extracting(BlockStatus::succeeded)
        .containsExactly("0-" + (run.mixed.size() - 1), "0-" + (run.range.size() - 1));

    // The fleet's own log: once, none missing, and nobody asked it a second time.
    assertThat(machines(run, LogEvent.Kind.ERASE_BEGAN))
        .as("%s: machines whose erase began", run.name)
        .isEqualTo(run.machines());
    await()
        .untilAsserted(
            () ->
                assertThat(machines(run, LogEvent.Kind.ERASE_DONE))
                    .as("%s: machines erased", run.name)
                    .isEqualTo(run.machines()));
    assertThat(run.fleet.log())
        .as("refused, cancelled or failed")
        .noneMatch(
            e ->
                switch (e.event()) {
                  case REFUSED, CANCEL_NOTED, ERASE_CANCELLED, ERASE_FAILED -> true;
                  case ERASE_BEGAN, ERASE_DONE, VALIDATE, DUPLICATE -> false;
                });
    blindOnesWereAskedOnce(run);
    if (run.count(Kind.CONTAINER) > 0) {
      eachContainerIsOneJob(run);
    }
    theRecordIsClosed(run);
  }

  private static List<String> machines(Run run, LogEvent.Kind kind) {
    return run.fleet.log().stream()
        .filter(e -> e.event() == kind)
        .map(e -> String.valueOf(e.machine()))
        .sorted()
        .toList();
  }

  /** Whether they reached the fleet or were lost on the way to it. */
  private void blindOnesWereAskedOnce(Run run) {
    Map<String, Integer> asked = new TreeMap<>();
    door.asked().forEach(key -> asked.merge(key, 1, Integer::sum));
    for (int i = 0; i < run.mixed.size(); i++) {
      if (run.mixed.get(i).kind == Kind.BLIND) {
        String prefix = "%s/mixed/%d/".formatted(run.uid, i);
        assertThat(asked.entrySet())
            .as("requests by key of a job that must not be repeated")
            .filteredOn(entry -> entry.getKey().startsWith(prefix))
            .isNotEmpty()
            .allSatisfy(entry -> assertThat(entry.getValue()).as(entry.getKey()).isOne());
      }
    }
  }

  private void eachContainerIsOneJob(Run run) {
    for (int i = 0; i < run.mixed.size(); i++) {
      if (run.mixed.get(i).kind == Kind.CONTAINER) {
        assertThat(jobsOf(run.uid, "mixed", i))
            .as("%s: attempts of container %d with a Job", run.name, i)
            .hasSize(1);
      }
    }
  }

  private void theRecordIsClosed(Run run) {
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(
                        people.resources(WorkflowRecord.class).list().getItems().stream()
                            .filter(r -> run.uid.equals(r.getSpec().workflow().uid())))
                    .as("the record of %s", run.name)
                    .singleElement()
                    .satisfies(
                        r -> {
                          assertThat(r.getSpec().outcome()).isEqualTo("Complete");
                          assertThat(r.getSpec().completionTime()).isNotNull();
                          assertThat(r.getSpec().jobs().succeeded()).isEqualTo(run.jobs());
                          assertThat(r.getMetadata().getLabels())
                              .containsEntry(WorkflowRecord.STATE_LABEL, WorkflowRecord.CLOSED);
                        }));
  }

  @Override
  public void close() throws Exception {
    hands.shutdownNow();
    try {
      cluster.close();
    } finally {
      door.close();
      for (Run run : runs) {
        run.fleet.close();
      }
    }
  }
}
