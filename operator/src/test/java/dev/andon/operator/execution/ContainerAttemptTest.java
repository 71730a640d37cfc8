package dev.andon.operator.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.type;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.andon.crds.JobTypeSpec;
import dev.andon.operator.execution.LoopbackServer.Reply;
import dev.andon.operator.execution.LoopbackServer.Request;
import dev.andon.operator.pacing.RateLimits;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What an attempt makes of answers that a real API server gives rarely: lost ones, refusals, Jobs
 * of others. The API server here has one Job at a time.
 */
class ContainerAttemptTest {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final AttemptKey KEY = new AttemptKey("4d3f", "erase", 17, 1);
  private static final String NAME = JobName.of("erase-aap", KEY, KEY.uid(), 1);
  private static final String TEMPLATE =
      "executor: {container: {template: {spec: {containers: [{name: erase, image: x}]}}}}";
  private static final JobTypeSpec TYPE = JobManifestTest.type(TEMPLATE);
  private static final JobTypeSpec RETRY_SAFE =
      JobManifestTest.type(TEMPLATE + "\nretrySafe: true");

  private final LoopbackServer api = new LoopbackServer();
  private final KubernetesClient client =
      SendingClient.of(new ConfigBuilder(Config.empty()).withMasterUrl(api.url("/")).build());
  private final FakeGate gate = new FakeGate();
  private final JumpingClock clock = new JumpingClock();
  private final TimeInHand time = new TimeInHand();
  private final ContainerExecutor executor =
      new ContainerExecutor(
          new JobStore(client),
          new GateKeeper(gate, uid -> false, time),
          new RateLimits(clock, time::nanos),
          ExecutionRunner.JOB_CREATE_TIMEOUT,
          Duration.ofMillis(20));

  /** What is said to creates, before they are carried out. */
  private final Queue<Reply> toCreates = new ArrayDeque<>();

  /** Whether creates that have such a reply are carried out all the same. */
  private volatile boolean carriedOut;

  private volatile Runnable beforeCreates = () -> {};
  private volatile Runnable onSuspend = () -> {};
  private volatile @Nullable ObjectNode job;

  /** One of another name, of the same attempt. */
  private volatile @Nullable ObjectNode others;

  private volatile String pods = "[]";

  private volatile String notFound =
      status(404, "NotFound", "no such job")
          .replace("\"code\":", "\"details\":{\"name\":\"%s\"},\"code\":".formatted(NAME));

  /** How much time passes with each look at the Job, or at its Pods. */
  private volatile Duration perLook = Duration.ZERO;

  /** Events, of whatever is asked. */
  private volatile String events = "[]";

  /** What each is worked on by. */
  private final Map<AttemptRun, Thread> begun = new ConcurrentHashMap<>();

  /** What the attempt said it waits for. */
  private final List<String> waits = new CopyOnWriteArrayList<>();

  /** How many reads of the Job are answered with an error. */
  private final AtomicInteger unreadable = new AtomicInteger();

  /** How many suspends of it are. */
  private final AtomicInteger unsuspended = new AtomicInteger();

  ContainerAttemptTest() {
    api.answering(this::answer);
  }

  @AfterEach
  void close() throws Exception {
    // Some go on: none of them may outlive its client.
    for (var run : begun.entrySet()) {
      run.getKey().abandon();
      assertThat(run.getValue().join(Duration.ofSeconds(60))).isTrue();
    }
    executor.close();
    client.close();
    api.close();
  }

  private synchronized Reply answer(Request request) {
    String path = request.target().replaceAll("\\?.*", "");
    if (path.endsWith("/api/v1/pods") || path.endsWith("/apis/batch/v1/jobs")) {
      // The watch: an attempt gets along without.
      return Reply.json(403, status(403, "Forbidden", "jobs is forbidden"));
    }
    if (request.method().equals("GET")) {
      time.pass(perLook);
    }
    if (path.endsWith("/pods")) {
      return list("PodList", "v1", pods);
    }
    if (path.endsWith("/events")) {
      return list("EventList", "v1", events);
    }
    if (path.endsWith("/jobs") && request.method().equals("GET")) {
      return list(
          "JobList",
          "batch/v1",
          Stream.of(Optional.ofNullable(job), Optional.ofNullable(others))
              .flatMap(Optional::stream)
              .toList()
              .toString());
    }
    if (request.method().equals("POST")) {
      beforeCreates.run();
      Reply said = toCreates.poll();
      if (said == null || carriedOut) {
        if (job != null) {
          return Reply.json(409, status(409, "AlreadyExists", "jobs.batch already exists"));
        }
        job = created(request.body(), "uid-of-job");
      }
      return said == null ? Reply.json(201, String.valueOf(job)) : said;
    }
    if (request.method().equals("PATCH") && unsuspended.getAndDecrement() > 0) {
      return Reply.json(500, status(500, "InternalError", "etcd"));
    }
    if (request.method().equals("PATCH") && job != null) {
      onSuspend.run();
      ((ObjectNode) job.path("spec")).put("suspend", true);
      ((ObjectNode) job.path("metadata"))
          .withObject("annotations")
          .put("andon.dev/suspended", "true");
      if (!job.at("/status/conditions/0/type").asText().matches("Complete|Failed")) {
        conditions("Suspended");
      }
    }
    if (request.method().equals("GET") && unreadable.getAndDecrement() > 0) {
      return Reply.json(500, status(500, "InternalError", "etcd"));
    }
    ObjectNode other = others;
    if (other != null && path.endsWith("/" + other.at("/metadata/name").asText())) {
      return Reply.json(200, other.toString());
    }
    return job == null
        ? Reply.json(404, notFound.replace(NAME, path.replaceAll(".*/", "")))
        : Reply.json(200, job.toString());
  }

  private static Reply list(String kind, String version, String items) {
    return Reply.json(
        200,
        "{\"kind\":\"%s\",\"apiVersion\":\"%s\",\"items\":%s}".formatted(kind, version, items));
  }

  private static ObjectNode created(String body, String uid) {
    try {
      ObjectNode made = (ObjectNode) JSON.readTree(body);
      ((ObjectNode) made.path("metadata")).put("uid", uid);
      return made;
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Its Pod ended with 0 by itself, and the Job controller has seen it. */
  private void succeeds() {
    pods = pod("", exited("Succeeded", 0));
    conditions("Complete");
  }

  private static String exited(String phase, int code) {
    return "\"phase\":\"%s\",\"containerStatuses\":[{\"name\":\"erase\",\"state\":{\"terminated\":{\"exitCode\":%d,\"finishedAt\":\"2026-11-22T08:00:10Z\"}}}]"
        .formatted(phase, code);
  }

  /** The Pods of the Job: one. */
  private static String pod(String metadata, String status) {
    return "[{\"metadata\":{\"name\":\"p\",\"uid\":\"uid-of-pod\",\"annotations\":{\"andon.dev/containers\":\"erase\"},%s\"ownerReferences\":[{\"uid\":\"uid-of-job\"}]},\"spec\":{\"nodeName\":\"n\"},\"status\":{%s}}]"
        .formatted(metadata, status);
  }

  private static final String RUNNING =
      "\"phase\":\"Running\",\"containerStatuses\":[{\"name\":\"erase\",\"state\":{\"running\":{}}}]";

  /** At 08:00:05, before its exit. */
  private static final String TOLD_TO_END_BEFORE =
      "\"deletionTimestamp\":\"2026-11-22T08:00:35Z\",\"deletionGracePeriodSeconds\":30,";

  /** At 08:00:20, after its exit. */
  private static final String TOLD_TO_END_AFTER =
      "\"deletionTimestamp\":\"2026-11-22T08:00:50Z\",\"deletionGracePeriodSeconds\":30,";

  private synchronized void conditions(String... types) {
    ObjectNode status = JSON.createObjectNode();
    for (String type : types) {
      status.withArray("/conditions").addObject().put("type", type).put("status", "True");
    }
    if (job != null) {
      job.set("status", status);
    }
  }

  private static String status(int code, String reason, String message) {
    return JSON.createObjectNode()
        .put("kind", "Status")
        .put("apiVersion", "v1")
        .put("status", "Failure")
        .put("code", code)
        .put("reason", reason)
        .put("message", message)
        .toString();
  }

  private static Attempt attempt(JobTypeSpec type, Duration left, Attempt.Work work) {
    Attempt send = JobManifestTest.attempt(KEY, type, Map.of());
    return new Attempt(
        KEY,
        send.namespace(),
        send.workflow(),
        send.workflowType(),
        send.armed(),
        send.jobType(),
        type,
        Map.of(),
        JumpingClock.START.plus(left),
        work);
  }

  private AttemptRun run(Attempt attempt) {
    return new AttemptRun(attempt, clock, time, outcome -> {}, waits::add);
  }

  private AttemptRun run(JobTypeSpec type, Duration left, Attempt.Work work) {
    return run(attempt(type, left, work));
  }

  /** On a virtual thread, as the runner does it. */
  private CompletableFuture<Outcome> begin(AttemptRun run) {
    var outcome = new CompletableFuture<Outcome>();
    begun.put(
        run,
        Thread.ofVirtual()
            .start(
                () -> {
                  run.runsOn(Thread.currentThread());
                  outcome.complete(executor.run(run));
                }));
    return outcome;
  }

  private Outcome outcome(Attempt.Work work) throws Exception {
    return begin(run(attempt(TYPE, Duration.ofSeconds(60), work))).get(60, TimeUnit.SECONDS);
  }

  private Outcome send() throws Exception {
    return outcome(new Attempt.Work.Send());
  }

  /** Creates are all that begins anything. */
  private int creates() {
    return api.requests("POST").size();
  }

  /** At the Job itself: who watches all of them looks before anything is created. */
  private int looks() {
    return looksAt(NAME);
  }

  private int looksAt(String name) {
    return (int)
        api.requests("GET").stream()
            .filter(request -> request.target().endsWith("/jobs/" + name))
            .count();
  }

  private void jobIsThere(Function<ObjectNode, ObjectNode> change) throws Exception {
    var manifest =
        JobManifest.of(
            attempt(TYPE, Duration.ofSeconds(60), new Attempt.Work.Send()),
            TYPE.executor().container(),
            Duration.ofSeconds(60));
    job = change.apply(created(JSON.writeValueAsString(manifest), "uid-of-job"));
  }

  @Test
  void that_a_second_create_was_refused_says_nothing_of_the_first() throws Exception {
    toCreates.add(Reply.json(403, status(403, "Forbidden", "exceeded quota: q")));

    assertThat(outcome(new Attempt.Work.Send(true)))
        .isInstanceOfSatisfying(
            Outcome.Unknown.class,
            unknown -> assertThat(unknown.message()).contains("exceeded quota: q"));
  }

  @Test
  void an_answer_that_was_lost_is_looked_for_and_the_job_is_not_made_again() throws Exception {
    toCreates.add(new Reply.Drop());
    carriedOut = true;
    CompletableFuture<Outcome> outcome =
        begin(run(attempt(TYPE, Duration.ofSeconds(60), new Attempt.Work.Send())));
    await().atMost(Duration.ofSeconds(60)).until(() -> creates() == 1);

    succeeds();

    assertThat(outcome.get(60, TimeUnit.SECONDS)).isEqualTo(new Outcome.Succeeded());
    assertThat(creates()).isEqualTo(1);
    assertThat(gate.permitsUsed()).isEqualTo(1);
  }

  @Test
  void a_create_that_left_no_job_is_unknown_and_is_not_made_again() throws Exception {
    toCreates.add(new Reply.Drop());
    perLook = Duration.ofSeconds(33);
    AttemptRun send = run(TYPE, Duration.ofHours(1), new Attempt.Work.Send());

    assertThat(begin(send).get(60, TimeUnit.SECONDS))
        .asInstanceOf(type(Outcome.Unknown.class))
        .satisfies(
            unknown -> {
              assertThat(unknown.message()).contains(NAME, "never created, or deleted since");
              assertThat(unknown.mayRepeat()).isFalse();
            });
    assertThat(creates()).isEqualTo(1);
    assertThat(time.nanos())
        .as("it may appear for 65 s")
        .isEqualTo(Duration.ofSeconds(66).toNanos());
  }

  /** An API server may be at a create for 60 s. */
  @Test
  void a_job_that_appears_long_after_its_create_was_lost_is_followed() throws Exception {
    toCreates.add(new Reply.Drop());
    CompletableFuture<Outcome> outcome =
        begin(run(TYPE, Duration.ofHours(1), new Attempt.Work.Send()));
    await().atMost(Duration.ofSeconds(60)).until(() -> looks() > 0);
    time.pass(Duration.ofSeconds(64));
    int looks = looks();
    await().atMost(Duration.ofSeconds(60)).until(() -> outcome.isDone() || looks() > looks + 1);

    jobIsThere(j -> j);
    succeeds();

    assertThat(outcome.get(60, TimeUnit.SECONDS)).isEqualTo(new Outcome.Succeeded());
  }

  @Test
  void one_that_appears_long_after_its_attempt_was_cancelled_is_suspended() throws Exception {
    toCreates.add(new Reply.Drop());
    AttemptRun send = run(TYPE, Duration.ofHours(1), new Attempt.Work.Send());
    CompletableFuture<Outcome> outcome = begin(send);
    await().atMost(Duration.ofSeconds(60)).until(() -> looks() > 0);
    send.cancel();
    time.pass(Duration.ofSeconds(64));
    int looks = looks();
    await().atMost(Duration.ofSeconds(60)).until(() -> outcome.isDone() || looks() > looks + 1);

    jobIsThere(j -> j);

    assertThat(outcome.get(60, TimeUnit.SECONDS))
        .asInstanceOf(type(Outcome.Unknown.class))
        .extracting(Outcome.Unknown::message)
        .asString()
        .contains("was told to end");
    assertThat(job.at("/spec/suspend").asBoolean()).isTrue();
  }

  @Test
  void an_intent_of_another_process_without_a_job_is_unknown_and_creates_nothing()
      throws Exception {
    perLook = Duration.ofSeconds(33);
    AttemptRun observe = run(TYPE, Duration.ofHours(1), new Attempt.Work.Observe());

    assertThat(begin(observe).get(60, TimeUnit.SECONDS)).isInstanceOf(Outcome.Unknown.class);
    assertThat(creates()).isZero();
    assertThat(gate.asked()).isZero();
  }

  @Test
  void an_intent_of_another_process_is_followed_by_its_job() throws Exception {
    jobIsThere(j -> j);
    succeeds();

    assertThat(outcome(new Attempt.Work.Observe())).isEqualTo(new Outcome.Succeeded());
    assertThat(creates()).isZero();
  }

  @Test
  void its_own_job_from_an_earlier_send_is_followed() throws Exception {
    jobIsThere(j -> j);
    succeeds();

    assertThat(send()).isEqualTo(new Outcome.Succeeded());
  }

  @Test
  void cancelled_in_the_moment_it_finds_its_name_taken_by_its_own_job_it_ends_that()
      throws Exception {
    jobIsThere(j -> j);
    AttemptRun send = run(attempt(TYPE, Duration.ofSeconds(60), new Attempt.Work.Send()));
    beforeCreates = send::cancel;

    assertThat(begin(send).get(60, TimeUnit.SECONDS)).isInstanceOf(Outcome.Unknown.class);
    assertThat(job.at("/spec/suspend").asBoolean()).isTrue();
  }

  @Test
  void cancelled_before_it_was_sent_again_it_ends_the_job_of_the_first_send() throws Exception {
    jobIsThere(j -> j);
    AttemptRun again = run(attempt(TYPE, Duration.ofSeconds(60), new Attempt.Work.Send(true)));
    CompletableFuture<Outcome> outcome = begin(again);
    await().atMost(Duration.ofSeconds(60)).until(() -> looks() > 0);

    again.cancel();

    assertThat(outcome.get(60, TimeUnit.SECONDS)).isInstanceOf(Outcome.Unknown.class);
    assertThat(job.at("/spec/suspend").asBoolean()).isTrue();
    assertThat(creates()).isZero();
  }

  @Test
  void one_whose_job_was_deleted_and_whose_pod_is_alive_is_not_to_run_a_second_time_beside_it()
      throws Exception {
    jobIsThere(j -> j);
    pods = pod("", RUNNING);
    AttemptRun observe = run(RETRY_SAFE, Duration.ofMinutes(2), new Attempt.Work.Observe());
    CompletableFuture<Outcome> outcome = begin(observe);
    await().atMost(Duration.ofSeconds(60)).until(() -> looks() > 0);

    job = null;
    perLook = Duration.ofSeconds(7);

    assertThat(outcome.get(60, TimeUnit.SECONDS))
        .asInstanceOf(type(Outcome.Unknown.class))
        .satisfies(
            unknown -> {
              assertThat(unknown.message()).contains("still alive: Pod p");
              assertThat(unknown.mayRepeat()).isFalse();
            });
    assertThat(time.nanos())
        .as("not before its time is over")
        .isGreaterThanOrEqualTo(Duration.ofMinutes(2).toNanos());
  }

  @Test
  void that_something_on_the_way_knows_no_job_says_nothing() throws Exception {
    jobIsThere(j -> j);
    CompletableFuture<Outcome> outcome =
        begin(run(TYPE, Duration.ofHours(1), new Attempt.Work.Observe()));
    await().atMost(Duration.ofSeconds(60)).until(() -> looks() > 0);
    JsonNode there = job;
    perLook = Duration.ofSeconds(70);

    String told = notFound;
    notFound = "404 page not found";
    job = null;
    int looks = looks();
    await().atMost(Duration.ofSeconds(120)).until(() -> outcome.isDone() || looks() > looks + 1);
    job = (ObjectNode) there;
    succeeds();
    notFound = told;

    assertThat(outcome.get(60, TimeUnit.SECONDS)).isEqualTo(new Outcome.Succeeded());
  }

  @Test
  void what_left_no_job_may_be_created_again_by_a_job_type_that_says_so() throws Exception {
    perLook = Duration.ofSeconds(6);
    AttemptRun observe = run(RETRY_SAFE, Duration.ofSeconds(5), new Attempt.Work.Observe());

    assertThat(begin(observe).get(60, TimeUnit.SECONDS))
        .asInstanceOf(type(Outcome.Unknown.class))
        .extracting(Outcome.Unknown::mayRepeat)
        .isEqualTo(true);
  }

  /** What an earlier send of it made, or it could not have this name and this owner. */
  @ParameterizedTest
  @CsvSource({"andon.dev/attempt, 2", "andon.dev/workflow-uid, other", "andon.dev/index, 3"})
  void its_own_job_with_an_edited_label_is_not_followed_by_another(String label, String value)
      throws Exception {
    jobIsThere(
        j -> {
          ((ObjectNode) j.at("/metadata/labels")).put(label, value);
          return j;
        });
    succeeds();
    JsonNode before = job.deepCopy();

    assertThat(send())
        .as("a failure would let the next attempt begin")
        .isInstanceOf(Outcome.Unknown.class);
    assertThat(outcome(new Attempt.Work.Observe())).isInstanceOf(Outcome.Unknown.class);
    assertThat(outcome(new Attempt.Work.End(null))).isInstanceOf(Outcome.Unknown.class);
    assertThat(job).isEqualTo(before);
  }

  @Test
  void somebody_elses_job_of_its_name_is_not_adopted() throws Exception {
    jobIsThere(
        j -> {
          ((ObjectNode) j.at("/metadata/ownerReferences/0")).put("uid", "other");
          return j;
        });
    succeeds();
    JsonNode before = job.deepCopy();

    assertThat(send())
        .asInstanceOf(type(Outcome.Failed.class))
        .extracting(Outcome.Failed::reason)
        .isEqualTo("JobNameTaken");
    assertThat(outcome(new Attempt.Work.Observe())).isInstanceOf(Outcome.Unknown.class);
    assertThat(outcome(new Attempt.Work.End(null))).isInstanceOf(Outcome.Unknown.class);
    assertThat(job).isEqualTo(before);
  }

  @Test
  void a_refusal_of_the_stops_second_layer_is_neither_a_stop_nor_a_failure() throws Exception {
    String refusal =
        "jobs.batch \"x\" is forbidden: ValidatingAdmissionPolicy 'andon-stop-jobs' with binding"
            + " 'andon-stop-jobs' denied request: emergency stop: no Job of workflow type";
    toCreates.add(Reply.json(403, status(403, "Forbidden", refusal)));
    toCreates.add(Reply.json(403, status(403, "Forbidden", refusal)));
    CompletableFuture<Outcome> outcome =
        begin(run(attempt(TYPE, Duration.ofSeconds(60), new Attempt.Work.Send())));
    await().atMost(Duration.ofSeconds(60)).until(() -> creates() == 3);

    succeeds();

    assertThat(outcome.get(60, TimeUnit.SECONDS)).isEqualTo(new Outcome.Succeeded());
    assertThat(gate.permitsUsed()).as("a permit for each").isEqualTo(3);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "403|jobs.batch \"x\" is forbidden: exceeded quota: q, requested:"
            + " count/jobs.batch=1|QuotaExceeded",
        "403|jobs.batch \"x\" is forbidden: unable to create new content in namespace fleet because"
            + " it is being terminated|NamespaceTerminating",
        "403|jobs.batch is forbidden: User cannot create resource|Forbidden",
        "404|namespaces \"fleet\" not found|NamespaceNotFound",
        "422|Job.batch \"x\" is invalid: spec.template.spec.containers[0].image: Required"
            + " value|JobRefused",
        "400|strict decoding error: unknown field \"spec.template.spec.contaners\"|JobRefused"
      })
  void a_refusal_is_a_failure_that_says_why(int code, String message, String reason)
      throws Exception {
    toCreates.add(Reply.json(code, status(code, "Whatever", message)));

    assertThat(send())
        .asInstanceOf(type(Outcome.Failed.class))
        .satisfies(
            failed -> {
              assertThat(failed.reason()).isEqualTo(reason);
              assertThat(failed.message()).contains(message.substring(0, 20));
              assertThat(failed.reach()).isEqualTo(Outcome.Failed.Reach.ATTEMPT);
            });
    assertThat(creates()).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "500|Internal error occurred: failed calling webhook \"w\": failed to call webhook: Post: context deadline exceeded",
        "500|Internal error occurred: resource quota evaluation timed out",
        "503|admission webhook \"w\" denied the request: not now",
        "504|admission webhook \"w\" denied the request without explanation"
      })
  void an_admission_that_fails_uses_no_attempt_and_says_what_it_waits_for(int code, String message)
      throws Exception {
    toCreates.add(Reply.json(code, status(code, "InternalError", message)));

    assertThat(send())
        .asInstanceOf(type(Outcome.NotBegun.class))
        .satisfies(
            not -> {
              assertThat(not.reason()).isEqualTo("AdmissionFailed");
              assertThat(not.message()).contains(NAME, message.substring(0, 20));
              assertThat(not.told()).isTrue();
            });
    assertThat(creates()).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({"2, JOB", "3, ATTEMPT"})
  void a_final_exit_code_ends_the_job(int exitCode, Outcome.Failed.Reach reach) throws Exception {
    jobIsThere(j -> j);
    conditions("Failed");
    pods = pod("", exited("Failed", exitCode));
    JobTypeSpec type =
        JobManifestTest.type(TEMPLATE.replace("container: {", "container: {finalExitCodes: [2], "));

    assertThat(
            begin(run(attempt(type, Duration.ofSeconds(60), new Attempt.Work.Observe())))
                .get(60, TimeUnit.SECONDS))
        .asInstanceOf(type(Outcome.Failed.class))
        .satisfies(
            failed -> {
              assertThat(failed.reason()).isEqualTo("ExitCode" + exitCode);
              assertThat(failed.reach()).isEqualTo(reach);
            });
  }

  @Test
  void cancelled_it_suspends_its_job_and_ends_when_nothing_of_it_is_alive() throws Exception {
    pods = pod("", RUNNING);
    AttemptRun run = run(attempt(TYPE, Duration.ofSeconds(60), new Attempt.Work.Send()));
    CompletableFuture<Outcome> outcome = begin(run);
    await().atMost(Duration.ofSeconds(60)).until(() -> job != null);

    run.cancel();
    await().atMost(Duration.ofSeconds(60)).until(() -> job.at("/spec/suspend").asBoolean());
    int looks = looks();
    await().atMost(Duration.ofSeconds(60)).until(() -> looks() > looks + 3);
    assertThat(outcome).as("its Pod is still alive").isNotDone();
    pods = "[]";

    assertThat(outcome.get(60, TimeUnit.SECONDS))
        .asInstanceOf(type(Outcome.Unknown.class))
        .satisfies(
            unknown -> {
              assertThat(unknown.message())
                  .isEqualTo(
                      "Job %s was told to end: its Pod is gone, and how it ended was not seen"
                          .formatted(NAME));
              assertThat(unknown.mayRepeat()).isFalse();
            });
  }

  /** What a Pod comes to that a stop tells to end. */
  @ParameterizedTest
  @CsvSource({
    "after its exit, Succeeded, 0, Succeeded",
    "after its exit, Failed, 3, Failed",
    "before its exit, Succeeded, 0, Unknown",
    "before its exit, Failed, 143, Unknown"
  })
  void an_exit_counts_for_a_cancelled_job_if_it_came_before_the_cancel(
      String told, String phase, int code, String outcome) throws Exception {
    jobIsThere(j -> j);
    pods =
        pod(told.startsWith("after") ? TOLD_TO_END_AFTER : TOLD_TO_END_BEFORE, exited(phase, code));

    assertThat(outcome(new Attempt.Work.End(null)).getClass().getSimpleName()).isEqualTo(outcome);
    assertThat(job.at("/spec/suspend").asBoolean()).isTrue();
  }

  @Test
  void one_that_was_cancelled_before_its_node_began_it_is_known_not_to_be_done() throws Exception {
    jobIsThere(j -> j);
    pods = pod(TOLD_TO_END_BEFORE, "\"phase\":\"Failed\",\"reason\":\"OutOfcpu\"");

    assertThat(outcome(new Attempt.Work.End(null))).isEqualTo(new Outcome.Cancelled());
  }

  @Test
  void what_was_drained_and_exited_with_0_is_not_known_to_be_done() throws Exception {
    jobIsThere(j -> j);
    pods =
        pod(
            "",
            exited("Succeeded", 0)
                + ",\"conditions\":[{\"type\":\"DisruptionTarget\",\"status\":\"True\",\"reason\":\"EvictionByEvictionAPI\"}]");
    conditions("Complete");

    assertThat(
            begin(run(RETRY_SAFE, Duration.ofSeconds(60), new Attempt.Work.Observe()))
                .get(60, TimeUnit.SECONDS))
        .isEqualTo(
            new Outcome.Unknown(
                "Job %s: its Pod was evicted: EvictionByEvictionAPI".formatted(NAME), true, true));
    assertThat(outcome(new Attempt.Work.Observe()))
        .asInstanceOf(type(Outcome.Unknown.class))
        .extracting(Outcome.Unknown::mayRepeat)
        .isEqualTo(false);
  }

  @Test
  void a_job_that_is_complete_and_whose_pod_nobody_saw_end_is_unknown() throws Exception {
    jobIsThere(j -> j);
    conditions("Complete");

    assertThat(outcome(new Attempt.Work.Observe()))
        .asInstanceOf(type(Outcome.Unknown.class))
        .extracting(Outcome.Unknown::message)
        .isEqualTo(
            "Job %s: it is Complete, but its Pod is gone: it may have been told to end"
                .formatted(NAME));
  }

  @Test
  void a_pod_that_its_node_refused_uses_no_attempt_and_leaves_its_name_to_it() throws Exception {
    jobIsThere(j -> j);
    pods = pod("", "\"phase\":\"Failed\",\"reason\":\"OutOfpods\",\"message\":\"too many\"");
    conditions("Failed");

    assertThat(send())
        .isEqualTo(
            new Outcome.NotBegun(
                "OutOfpods",
                "Job %s: its Pod failed before a container of it was started: OutOfpods: too many"
                    .formatted(NAME),
                JumpingClock.START.plusSeconds(10),
                true,
                true));
  }

  @Test
  void what_admission_added_and_runs_on_is_suspended_once_the_outcome_is_written()
      throws Exception {
    jobIsThere(j -> j);
    pods =
        pod("", exited("Running", 0))
            .replace(
                "containerStatuses\":[",
                "containerStatuses\":[{\"name\":\"proxy\",\"state\":{\"running\":{}}},");
    AttemptRun run = run(TYPE, Duration.ofSeconds(60), new Attempt.Work.Observe());

    assertThat(begin(run).get(60, TimeUnit.SECONDS)).isEqualTo(new Outcome.Succeeded());
    assertThat(api.requests("PATCH")).as("not before it is written").isEmpty();

    unsuspended.set(3);
    run.onceWritten().run();
    assertThat(job.at("/spec/suspend").asBoolean()).as("in spite of three errors").isTrue();
  }

  @Test
  void a_job_that_was_created_suspended_waits_for_who_holds_it_and_its_time_does_not_run()
      throws Exception {
    jobIsThere(ContainerAttemptTest::held);
    perLook = Duration.ofMinutes(5);
    CompletableFuture<Outcome> outcome =
        begin(run(TYPE, Duration.ofSeconds(60), new Attempt.Work.Observe()));
    await().atMost(Duration.ofSeconds(60)).until(() -> looks() > 5);
    assertThat(outcome).isNotDone();
    assertThat(waits)
        .contains(
            "Held: Job %s: it was created suspended, and begins when it is let go; held by kueue.x-k8s.io/queue-name=night"
                .formatted(NAME));
    assertThat(api.requests("PATCH")).isEmpty();

    perLook = Duration.ZERO;
    ((ObjectNode) job.path("spec")).put("suspend", false);
    succeeds();

    assertThat(outcome.get(60, TimeUnit.SECONDS)).isEqualTo(new Outcome.Succeeded());
  }

  private static ObjectNode held(ObjectNode job) {
    ((ObjectNode) job.path("spec")).put("suspend", true);
    ((ObjectNode) job.path("metadata")).put("generation", 1);
    ((ObjectNode) job.at("/metadata/labels")).put("kueue.x-k8s.io/queue-name", "night");
    return job;
  }

  @Test
  void cancelled_while_others_hold_it_it_is_held_for_good_and_was_never_begun() throws Exception {
    jobIsThere(ContainerAttemptTest::held);

    assertThat(outcome(new Attempt.Work.End(null))).isEqualTo(new Outcome.Cancelled());
    assertThat(job.at("/metadata/annotations/andon.dev~1suspended").asText()).isEqualTo("true");
  }

  @Test
  void one_that_ran_and_was_suspended_by_others_is_unknown_and_never_let_go_again()
      throws Exception {
    jobIsThere(ContainerAttemptTest::held);
    ((ObjectNode) job.path("metadata")).put("generation", 3);
    conditions("Suspended");
    ((ObjectNode) job.path("status")).put("startTime", "2026-11-22T08:00:00Z");

    assertThat(outcome(new Attempt.Work.Observe())).isInstanceOf(Outcome.Unknown.class);
    assertThat(job.at("/metadata/annotations/andon.dev~1suspended").asText()).isEqualTo("true");
  }

  @Test
  void why_it_does_not_get_on_is_told_while_it_waits() throws Exception {
    jobIsThere(j -> j);
    begin(run(TYPE, Duration.ofHours(1), new Attempt.Work.Observe()));
    events =
        "[{\"type\":\"Warning\",\"reason\":\"FailedCreate\",\"message\":\"exceeded quota: q\"}]";
    await()
        .atMost(Duration.ofSeconds(60))
        .until(
            () ->
                waits.contains(
                    "QuotaExceeded: Job %s: its Pod cannot be created: exceeded quota: q"
                        .formatted(NAME)));

    pods =
        pod(
            "",
            "\"phase\":\"Pending\",\"containerStatuses\":[{\"name\":\"erase\",\"state\":{\"waiting\":{\"reason\":\"ErrImagePull\"}}}]");
    await()
        .atMost(Duration.ofSeconds(60))
        .until(
            () ->
                waits.contains(
                    "ImagePullBackOff: Job %s: container erase cannot start: ErrImagePull"
                        .formatted(NAME)));

    pods = pod("", RUNNING);
    await().atMost(Duration.ofSeconds(60)).until(() -> waits.getLast() == null);
  }

  @Test
  void past_its_time_one_that_could_not_begin_has_failed_for_that() throws Exception {
    jobIsThere(j -> j);
    pods =
        pod(
            "",
            "\"phase\":\"Pending\",\"containerStatuses\":[{\"name\":\"erase\",\"state\":{\"waiting\":{\"reason\":\"ErrImagePull\"}}}]");
    perLook = Duration.ofSeconds(4);
    onSuspend =
        () -> {
          perLook = Duration.ZERO;
          pods = "[]";
        };

    assertThat(
            begin(run(RETRY_SAFE, Duration.ofSeconds(50), new Attempt.Work.Observe()))
                .get(60, TimeUnit.SECONDS))
        .isEqualTo(
            new Outcome.Failed(
                "ImagePullBackOff",
                "not done within its timeout: container erase cannot start: ErrImagePull"));
  }

  /** Told to end it may have done its work, or a part: no next attempt under another key. */
  @Test
  void past_its_time_one_that_ran_is_unknown_and_may_be_repeated_under_its_key() throws Exception {
    jobIsThere(j -> j);
    pods = pod("", RUNNING);
    perLook = Duration.ofSeconds(4);
    onSuspend =
        () -> {
          perLook = Duration.ZERO;
          pods = pod(TOLD_TO_END_BEFORE, exited("Failed", 143));
        };

    assertThat(
            begin(run(RETRY_SAFE, Duration.ofSeconds(50), new Attempt.Work.Observe()))
                .get(60, TimeUnit.SECONDS))
        .asInstanceOf(type(Outcome.Unknown.class))
        .satisfies(
            unknown -> {
              assertThat(unknown.message()).contains("it did not end before", "was told to end");
              assertThat(unknown.mayRepeat()).isTrue();
              assertThat(unknown.nextTry()).isTrue();
            });
  }

  @Test
  void a_second_try_has_a_job_of_its_own() throws Exception {
    Attempt first = attempt(TYPE, Duration.ofSeconds(60), new Attempt.Work.Send());

    begin(run(Repeated.of(first, first.runner(), 2, first.again())));
    await().atMost(Duration.ofSeconds(60)).until(() -> job != null);

    assertThat(job.at("/metadata/name").asText())
        .isEqualTo(JobName.of("erase-aap", KEY, KEY.uid(), 2))
        .isNotEqualTo(NAME);
  }

  private Attempt sentBefore(Attempt.Work work) {
    Attempt first = attempt(RETRY_SAFE, Duration.ofSeconds(60), work);
    return Repeated.of(first, first.runner(), 1, true, work);
  }

  @Test
  void that_a_repeat_failed_says_nothing_of_the_send_before_it() throws Exception {
    jobIsThere(j -> j);
    pods = pod("", exited("Failed", 3));
    conditions("Failed");

    assertThat(begin(run(sentBefore(new Attempt.Work.Observe()))).get(60, TimeUnit.SECONDS))
        .asInstanceOf(type(Outcome.Unknown.class))
        .satisfies(
            unknown -> {
              assertThat(unknown.message()).contains("exit code 3");
              assertThat(unknown.mayRepeat()).isTrue();
              assertThat(unknown.nextTry()).isTrue();
            });
  }

  @Test
  void nor_does_it_that_the_repeat_never_began() throws Exception {
    jobIsThere(ContainerAttemptTest::held);

    assertThat(begin(run(sentBefore(new Attempt.Work.End(null)))).get(60, TimeUnit.SECONDS))
        .isEqualTo(
            new Outcome.Unknown(
                "it was sent more than once: what became of the send before is not known", false));
  }

  @Test
  void to_be_ended_all_its_jobs_say_what_became_of_it() throws Exception {
    jobIsThere(j -> j);
    conditions("Failed");
    ObjectNode refused = job.deepCopy();
    ((ObjectNode) refused.path("metadata")).put("uid", "uid-of-first");
    others = refused;
    ((ObjectNode) job.path("metadata")).put("name", JobName.of("erase-aap", KEY, KEY.uid(), 2));
    String first =
        pod("", "\"phase\":\"Failed\",\"reason\":\"OutOfcpu\"")
            .replace("uid-of-job", "uid-of-first")
            .replace("uid-of-pod", "uid-of-first-pod");
    String evicted =
        pod(
            "",
            exited("Failed", 143)
                + ",\"conditions\":[{\"type\":\"DisruptionTarget\",\"status\":\"True\"}]");
    pods = first.replaceAll("]$", ",") + evicted.substring(1);

    assertThat(outcome(new Attempt.Work.End(null)))
        .as("the first try never began, the second did")
        .isInstanceOf(Outcome.Unknown.class);

    pods = first.replaceAll("]$", ",") + first.substring(1).replace("uid-of-first", "uid-of-job");
    assertThat(outcome(new Attempt.Work.End(null)))
        .as("neither began")
        .isEqualTo(new Outcome.Cancelled());
  }

  @Test
  void let_go_its_time_runs_when_the_job_controller_has_given_it_a_start() throws Exception {
    jobIsThere(ContainerAttemptTest::held);
    ((ObjectNode) job.path("spec")).put("suspend", false);
    conditions("Suspended");
    perLook = Duration.ofMinutes(5);
    CompletableFuture<Outcome> outcome =
        begin(run(TYPE, Duration.ofSeconds(60), new Attempt.Work.Observe()));
    await().atMost(Duration.ofSeconds(60)).until(() -> looks() > 5);

    assertThat(outcome).isNotDone();
    assertThat(api.requests("PATCH")).isEmpty();
  }

  /** Of a run that "rest" continues. */
  private CompletableFuture<Outcome> repeatedByRest() {
    Attempt sentBefore = attempt(RETRY_SAFE, Duration.ofSeconds(60), new Attempt.Work.Send(true));
    return begin(
        run(
            Repeated.of(
                sentBefore, new Attempt.Runner("rest", "rest-uid"), 1, sentBefore.again())));
  }

  private void suspendedByTheStop() throws Exception {
    jobIsThere(
        j -> {
          ((ObjectNode) j.path("spec")).put("suspend", true);
          ((ObjectNode) j.at("/metadata/annotations")).put("andon.dev/suspended", "true");
          return j;
        });
    conditions("Suspended");
  }

  @Test
  void what_a_stop_suspended_is_done_again_by_who_continues_as_a_job_of_its_own() throws Exception {
    suspendedByTheStop();
    others = job;
    job = null;

    repeatedByRest();
    await().atMost(Duration.ofSeconds(60)).until(() -> job != null);

    assertThat(job.at("/metadata/name").asText())
        .isEqualTo(JobName.of("erase-aap", KEY, "rest-uid", 1));
    assertThat(job.at("/metadata/annotations/andon.dev~1attempt-key").asText())
        .as("same key")
        .isEqualTo(KEY.toString());
  }

  @Test
  void not_while_a_pod_of_the_earlier_one_is_alive() throws Exception {
    suspendedByTheStop();
    others = job;
    job = null;
    pods = pod(TOLD_TO_END_BEFORE, RUNNING);

    assertThat(repeatedByRest().get(60, TimeUnit.SECONDS))
        .asInstanceOf(type(Outcome.NotBegun.class))
        .satisfies(
            not -> {
              assertThat(not.reason()).isEqualTo("EarlierPodAlive");
              assertThat(not.message()).isEqualTo("not created beside Pod p");
              assertThat(not.told()).isTrue();
              assertThat(not.nextTry()).isFalse();
            });
    assertThat(creates()).isZero();
  }

  @Test
  void nor_where_the_earlier_one_did_it() throws Exception {
    suspendedByTheStop();
    others = job;
    job = null;
    pods = pod(TOLD_TO_END_AFTER, exited("Succeeded", 0));

    assertThat(repeatedByRest().get(60, TimeUnit.SECONDS)).isEqualTo(new Outcome.Succeeded());
    assertThat(creates()).isZero();
  }

  @Test
  void nor_while_the_earlier_one_may_go_on() throws Exception {
    jobIsThere(j -> j);
    others = job;
    job = null;
    CompletableFuture<Outcome> outcome = repeatedByRest();
    await().atMost(Duration.ofSeconds(60)).until(() -> looksAt(NAME) > 2);

    job = others;
    others = null;
    succeeds();

    assertThat(outcome.get(60, TimeUnit.SECONDS)).isEqualTo(new Outcome.Succeeded());
    assertThat(creates()).isZero();
  }

  @Test
  void suspended_by_somebody_else_it_is_for_a_person_to_say_what_becomes_of_it() throws Exception {
    jobIsThere(
        j -> {
          ((ObjectNode) j.path("spec")).put("suspend", true);
          return j;
        });
    conditions("Suspended");
    ((ObjectNode) job.path("status")).put("startTime", "2026-11-22T08:00:00Z");

    assertThat(
            begin(run(attempt(RETRY_SAFE, Duration.ofSeconds(60), new Attempt.Work.Observe())))
                .get(60, TimeUnit.SECONDS))
        .asInstanceOf(type(Outcome.Unknown.class))
        .satisfies(
            unknown -> {
              assertThat(unknown.message()).contains("somebody suspended Job " + NAME);
              assertThat(unknown.mayRepeat()).isFalse();
            });
  }

  /** What SIGTERM ends says 143, and the Job controller may see that before the Pod is gone. */
  @Test
  void a_suspended_job_that_looks_failed_is_not_failed() throws Exception {
    jobIsThere(
        j -> {
          ((ObjectNode) j.path("spec")).put("suspend", true);
          return j;
        });
    conditions("Failed");

    assertThat(outcome(new Attempt.Work.Observe())).isInstanceOf(Outcome.Unknown.class);
    assertThat(outcome(new Attempt.Work.End(null))).isInstanceOf(Outcome.Unknown.class);
  }

  @Test
  void a_refused_repeat_is_no_failure_of_what_an_earlier_send_began() throws Exception {
    jobIsThere(j -> j);
    succeeds();
    toCreates.add(Reply.json(403, status(403, "Forbidden", "exceeded quota: q")));

    assertThat(outcome(new Attempt.Work.Send())).isEqualTo(new Outcome.Succeeded());
  }

  @Test
  void a_refused_repeat_is_no_failure_where_nobody_can_look_what_an_earlier_send_began()
      throws Exception {
    jobIsThere(j -> j);
    succeeds();
    toCreates.add(Reply.json(403, status(403, "Forbidden", "exceeded quota: q")));
    unreadable.set(1);

    assertThat(outcome(new Attempt.Work.Send())).isEqualTo(new Outcome.Succeeded());
    assertThat(unreadable).as("it was looked, in vain").hasValueLessThan(1);
  }

  @Test
  void given_up_it_leaves_its_job_alone() throws Exception {
    AttemptRun run = run(attempt(TYPE, Duration.ofSeconds(60), new Attempt.Work.Send()));
    CompletableFuture<Outcome> outcome = begin(run);
    await().atMost(Duration.ofSeconds(60)).until(() -> job != null);

    run.abandon();

    assertThat(outcome.get(60, TimeUnit.SECONDS)).isInstanceOf(Outcome.Unknown.class);
    assertThat(api.requests("PATCH")).isEmpty();
  }

  @Test
  void a_job_type_that_would_repeat_work_by_itself_creates_nothing() throws Exception {
    JobTypeSpec restarts =
        JobManifestTest.type(
            TEMPLATE.replace("containers:", "restartPolicy: OnFailure, containers:"));

    assertThat(
            begin(run(attempt(restarts, Duration.ofSeconds(60), new Attempt.Work.Send())))
                .get(60, TimeUnit.SECONDS))
        .asInstanceOf(type(Outcome.Failed.class))
        .extracting(Outcome.Failed::reason)
        .isEqualTo("InvalidJobType");
    assertThat(creates()).isZero();
  }
}
