package dev.andon.operator.workflow;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.andon.crds.IntOrPercent;
import dev.andon.crds.JobTypeSpec;
import dev.andon.crds.RequestedBy;
import dev.andon.crds.WorkflowActionSpec;
import dev.andon.crds.WorkflowPolicySpec;
import dev.andon.crds.WorkflowSpec;
import dev.andon.crds.WorkflowSpec.Batch;
import dev.andon.crds.WorkflowSpec.Block;
import dev.andon.crds.WorkflowSpec.ForEach;
import dev.andon.crds.WorkflowSpec.Job;
import dev.andon.crds.WorkflowSpec.Range;
import dev.andon.crds.WorkflowSpec.Retry;
import dev.andon.crds.WorkflowStatus;
import dev.andon.crds.WorkflowStatus.PinnedJobType;
import dev.andon.crds.WorkflowStatus.StoppedBy;
import dev.andon.operator.execution.Attempt;
import dev.andon.operator.execution.AttemptKey;
import dev.andon.operator.execution.Executions.Wait;
import dev.andon.operator.execution.Outcome;
import dev.andon.operator.ledger.Claim;
import dev.andon.operator.ledger.LedgerView;
import dev.andon.operator.stop.StopView;
import dev.andon.plan.JobTypes;
import dev.andon.plan.Plan;
import dev.andon.policies.Policy;
import dev.andon.policies.PolicyEngine;
import dev.andon.policies.PolicyInput;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A workflow and the world around it, one decision after the other. */
final class Scene {
  static final Instant T0 = Instant.parse("2026-01-01T00:00:00Z");
  static final String UID = "uid-1";
  static final String TYPE = "Erase";
  static final StopView.Open OPEN = new StopView.Open("cm-1", "", "10");
  static final StopView.Stopped STOPPED =
      new StopView.Stopped(new StoppedBy(TYPE, "stop", "11", "kubectl-patch", "smoke"));
  static final StopView.NotVisible NOT_VISIBLE = new StopView.NotVisible("timed out after 2 s");

  /** Answers, may be retried five times, may be repeated. */
  static final String CALL = "call";

  /** Answers, one attempt, may not be repeated. */
  static final String ONCE = "once";

  private static final KubernetesSerialization JSON = new KubernetesSerialization();

  /** What only lacks something is rejected at once, but where a test is about that. */
  Decider decider = new Decider(Decider.LOOK_AGAIN, Duration.ZERO);

  final Map<String, JobTypeSpec> jobTypes = new HashMap<>();
  final Map<String, PinnedJobType> versions = new HashMap<>();
  final List<Policy> policies = new ArrayList<>();
  final Set<AttemptKey> underWay = new HashSet<>();
  final Map<AttemptKey, Outcome> outcomes = new HashMap<>();
  final Map<AttemptKey, Wait> waits = new HashMap<>();
  final Map<String, Snapshot.Pace> pace = new HashMap<>();

  final List<String> unprotected = new ArrayList<>();

  Items items = Items.NONE;
  Templates templates = Templates.NONE;

  /** Actions that nobody has told what became of them. */
  final List<PendingAction> asked = new ArrayList<>();

  final Set<String> told = new HashSet<>();

  /** Whether there are more actions, which could not be read. */
  boolean unread;

  private int asks;

  WorkflowSpec spec;
  String uid = UID;
  WorkflowStatus status;
  StopView stop = OPEN;
  StoppedBy latched;
  LedgerView ledger = LedgerView.NOT_ASKED;
  EarlierRun earlier = EarlierRun.NOT_ASKED;
  Instant now = T0;
  Instant deleted;
  IntSupplier othersRunning = () -> 0;
  long generation = 1;

  Scene(Block... blocks) {
    spec = spec(blocks);
    jobType(CALL, 5, true);
    jobType(ONCE, 1, false);
    policies.add(
        policy(
            "types",
            TYPE,
            "{\"restrictJobTypes\":{\"allowed\":[\"%s\",\"%s\",\"sleep\",\"token-bucket\"]}}"
                .formatted(CALL, ONCE)));
  }

  /** One that denies. */
  static Policy policy(String name, String workflowTypes, String... rules) {
    return Policy.of(
        name,
        1L,
        new WorkflowPolicySpec(
            null,
            List.of(workflowTypes),
            null,
            "Deny",
            Stream.of(rules).map(rule -> json(rule, WorkflowPolicySpec.Rule.class)).toList()));
  }

  void jobType(String name, int attempts, boolean retrySafe) {
    jobType(name, attempts, retrySafe, null);
  }

  /** Its target takes requests to end an attempt. */
  void canBeCancelled(String name) {
    JobTypeSpec type = jobTypes.get(name);
    jobType(
        name,
        type.retry().attempts(),
        type.isRetrySafe(),
        new JobTypeSpec.Cancel(null, "http://127.0.0.1:1/x", null));
  }

  /** It is done by a container. */
  void isContainer(String name) {
    JobTypeSpec type = jobTypes.get(name);
    var template = JsonNodeFactory.instance.objectNode();
    template.withArray("/spec/containers").addObject().put("name", "x").put("image", "x");
    jobTypes.put(
        name,
        new JobTypeSpec(
            null,
            type.args(),
            600,
            type.retry(),
            type.isRetrySafe(),
            null,
            null,
            new JobTypeSpec.Executor(
                null, new JobTypeSpec.Container(template, null, null), null, null)));
  }

  private void jobType(String name, int attempts, boolean retrySafe, JobTypeSpec.Cancel cancel) {
    jobTypes.put(
        name,
        new JobTypeSpec(
            null,
            List.of(new JobTypeSpec.Arg("machine", false, null, null, List.of(), null)),
            600,
            new Retry(attempts, null),
            retrySafe,
            null,
            null,
            new JobTypeSpec.Executor(
                new JobTypeSpec.Http(
                    "POST",
                    "http://127.0.0.1:1/x",
                    null,
                    null,
                    null,
                    null,
                    null,
                    null,
                    null,
                    cancel),
                null,
                null,
                null)));
    versions.put(name, new PinnedJobType(name, name + "-uid", 1L));
  }

  static WorkflowSpec spec(Block... blocks) {
    return new WorkflowSpec(
        TYPE, null, null, null, null, null, null, null, null, null, List.of(blocks));
  }

  static Job job(String name, String type) {
    return new Job(name, type, Map.of(), null, null);
  }

  static Job sleep(String name, String seconds) {
    return new Job(name, "sleep", Map.of("seconds", seconds), null, null);
  }

  static Block block(String name, int concurrency, Job... jobs) {
    return new Block(name, concurrency, null, List.of(jobs), null, null);
  }

  static Block range(String name, int concurrency, int jobs, String type, Batch batch, String max) {
    var forEach =
        new ForEach(
            null,
            new Range(1, jobs, "m-%03d"),
            null,
            batch,
            new Job(null, type, Map.of("machine", "$(item)"), null, null));
    return new Block(
        name, concurrency, max == null ? null : percentOrNumber(max), null, forEach, null);
  }

  static Block range(String name, int concurrency, int jobs, String type) {
    return range(name, concurrency, jobs, type, null, null);
  }

  /** With {@code spec.maxFailures}. */
  void mayFail(String number) {
    spec =
        new WorkflowSpec(
            spec.type(),
            spec.description(),
            spec.runId(),
            spec.start(),
            spec.startDeadlineSeconds(),
            spec.activeDeadlineSeconds(),
            spec.paused(),
            percentOrNumber(number),
            spec.continueFrom(),
            spec.requestedBy(),
            spec.blocks());
  }

  static IntOrPercent percentOrNumber(String text) {
    return new IntOrPercent(text);
  }

  Snapshot snapshot() {
    Plan plan =
        Plan.of(
            spec,
            items.lists(),
            status == null
                ? Plan.Known.NOTHING
                : new Plan.Known(
                    status.blocks().stream()
                        .collect(
                            Collectors.toMap(
                                WorkflowStatus.BlockStatus::name,
                                WorkflowStatus.BlockStatus::total)),
                    status.jobs().total()));
    JobTypes known = JobTypes.of(jobTypes);
    return new Snapshot(
        new Snapshot.Identity("fleet", "erase", uid, generation, T0, deleted),
        spec,
        status,
        plan,
        known,
        Map.copyOf(versions),
        () ->
            PolicyEngine.judge(
                new PolicyInput("fleet", Map.of(), "erase", spec, plan, known, othersRunning, now),
                policies),
        stop,
        latched,
        ledger,
        earlier,
        Set.copyOf(underWay),
        Map.copyOf(outcomes),
        Map.copyOf(waits),
        Map.copyOf(pace),
        items,
        templates,
        new PendingActions(List.copyOf(asked), Set.copyOf(told), unread),
        List.copyOf(unprotected),
        now);
  }

  /** Decides, and does what was decided as the reconciler would. */
  Decision step() {
    Decision decision = decider.decide(snapshot());
    carryOut(decision);
    return decision;
  }

  void carryOut(Decision decision) {
    if (decision.status() != null) {
      status = decision.status();
    }
    decision.settled().forEach(outcomes::remove);
    for (Attempt attempt : decision.begin()) {
      underWay.add(attempt.key());
    }
  }

  /** An attempt under way ends so. */
  void outcome(AttemptKey key, Outcome outcome) {
    if (!(outcome instanceof Outcome.Accepted)) {
      underWay.remove(key);
    }
    outcomes.put(key, outcome);
  }

  void succeed(AttemptKey key) {
    outcome(key, new Outcome.Succeeded());
  }

  void fail(AttemptKey key) {
    outcome(key, new Outcome.Failed("HttpStatus", "500"));
  }

  /** A person asks for it. */
  PendingAction ask(String verb) {
    return ask(verb, null, null, null);
  }

  PendingAction ask(String verb, String block, Integer index, String outcome) {
    return ask("a-" + asks, verb, block, index, outcome);
  }

  PendingAction ask(String name, String verb, String block, Integer index, String outcome) {
    return ask(name, verb, block, index, null, outcome);
  }

  /** A Resolve of many jobs. */
  PendingAction resolve(String block, String indexes, String outcome) {
    return ask("a-" + asks, "Resolve", block, null, indexes, outcome);
  }

  private PendingAction ask(
      String name, String verb, String block, Integer index, String indexes, String outcome) {
    var spec =
        new WorkflowActionSpec(
            "erase",
            UID,
            verb,
            null,
            block,
            index,
            indexes,
            outcome,
            "looks odd",
            new RequestedBy("ann", null, List.of()));
    var action = new PendingAction(name, "action-uid-" + asks++, now, spec);
    asked.add(action);
    return action;
  }

  /** What became of it, by its entry in status. */
  WorkflowStatus.Action answer(PendingAction action) {
    return status.actions().stream()
        .filter(a -> action.uid().equals(a.uid()))
        .reduce((a, b) -> a)
        .orElseThrow();
  }

  /** Its own status says so now. */
  void tell(PendingAction action) {
    asked.remove(action);
    told.add(action.uid());
  }

  static AttemptKey key(String block, int index, int attempt) {
    return new AttemptKey(UID, block, index, attempt);
  }

  String condition(String type) {
    return Conditions.find(status.conditions(), type)
        .map(c -> c.status() + "/" + c.reason())
        .orElse("absent");
  }

  /** Of condition Ready. */
  String message() {
    return Conditions.find(status.conditions(), "Ready").map(c -> c.message()).orElse("");
  }

  void after(long seconds) {
    now = now.plusSeconds(seconds);
  }

  /** The status as it comes back from an API server. */
  void throughJson() {
    if (status != null) {
      status = JSON.unmarshal(JSON.asJson(status), WorkflowStatus.class);
    }
  }

  /** What {@link StatusWriter} compares, and writes only if it differs. */
  static JsonNode json(WorkflowStatus status) {
    return JSON.convertValue(status, JsonNode.class);
  }

  static <T> T json(String text, Class<T> as) {
    return JSON.unmarshal(text, as);
  }

  static JsonNode json(String text) {
    return JSON.unmarshal(text, JsonNode.class);
  }

  /** A run that nobody else goes on with. */
  static EarlierRun.Found found(String uid, WorkflowSpec spec, WorkflowStatus status) {
    return new EarlierRun.Found(uid, spec, status, Claim.FREE);
  }

  /** The same with another value of a field; null: without it. */
  static WorkflowStatus with(WorkflowStatus status, String field, Object value) {
    Map<String, Object> fields = yaml(JSON.asJson(status));
    if (value == null) {
      fields.remove(field);
    } else {
      fields.put(field, value);
    }
    return JSON.unmarshal(JSON.asJson(fields), WorkflowStatus.class);
  }

  @SuppressWarnings("unchecked")
  static Map<String, Object> yaml(String text) {
    return JSON.unmarshal("---\n" + text, Map.class);
  }

  /** The operator was killed, and another one starts: memory is gone, status stays. */
  void restart() {
    underWay.clear();
    outcomes.clear();
    latched = null;
  }
}
