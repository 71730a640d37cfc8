package dev.andon.operator.workflow;

import dev.andon.crds.JobType;
import dev.andon.crds.JobTypeSpec;
import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowPolicy;
import dev.andon.crds.WorkflowSpec;
import dev.andon.crds.WorkflowStatus;
import dev.andon.crds.WorkflowStatus.PinnedJobType;
import dev.andon.operator.execution.Executions;
import dev.andon.operator.ledger.LedgerView;
import dev.andon.operator.stop.Gate;
import dev.andon.operator.stop.Latch;
import dev.andon.operator.workflow.Snapshot.Identity;
import dev.andon.operator.workflow.Snapshot.Pace;
import dev.andon.plan.IndexSet;
import dev.andon.plan.JobTypes;
import dev.andon.plan.Plan;
import dev.andon.policies.Policy;
import dev.andon.policies.PolicyEngine;
import dev.andon.policies.PolicyInput;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.javaoperatorsdk.operator.api.reconciler.IndexedResourceCache;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.Cache;
import java.time.Clock;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Gathers everything a decision is made from, once. */
final class Snapshots {
  private final Gate gate;
  private final Latch latch;
  private final Executions executions;
  private final Turns turns;
  private final ActionInbox actions;
  private final ItemReads itemReads;
  private final EarlierRuns earlierRuns;
  private final TemplateReads templateReads;
  private final Supplier<List<String>> unprotected;
  private final Clock clock;
  private final Cache<JobType> jobTypes;
  private final Cache<WorkflowPolicy> policies;
  private final Cache<Namespace> namespaces;

  /** Expanding a spec of 10,000 items at every step would cost more than the step. */
  private final Map<String, Expanded> plans = new ConcurrentHashMap<>();

  private record Expanded(long generation, Plan plan) {}

  Snapshots(
      Gate gate,
      Latch latch,
      Executions executions,
      Turns turns,
      ActionInbox actions,
      ItemReads itemReads,
      EarlierRuns earlierRuns,
      TemplateReads templateReads,
      Supplier<List<String>> unprotected,
      Clock clock,
      Cache<JobType> jobTypes,
      Cache<WorkflowPolicy> policies,
      Cache<Namespace> namespaces) {
    this.gate = gate;
    this.latch = latch;
    this.executions = executions;
    this.turns = turns;
    this.actions = actions;
    this.itemReads = itemReads;
    this.earlierRuns = earlierRuns;
    this.templateReads = templateReads;
    this.unprotected = unprotected;
    this.clock = clock;
    this.jobTypes = jobTypes;
    this.policies = policies;
    this.namespaces = namespaces;
  }

  /**
   * @param mayIntend whether new attempts may be; else this process ends
   */
  Snapshot take(
      Workflow workflow,
      IndexedResourceCache<Workflow> workflows,
      LedgerView ledger,
      boolean mayIntend) {
    ObjectMeta meta = workflow.getMetadata();
    WorkflowSpec spec = workflow.getSpec() == null ? absent() : workflow.getSpec();
    String type = Objects.requireNonNullElse(spec.type(), "");
    String uid = meta.getUid();
    long generation = Objects.requireNonNullElse(meta.getGeneration(), 0L);
    Instant now = clock.instant().truncatedTo(ChronoUnit.MILLIS);
    // What asks the API server comes before the stop, which is to be known as it is now; and who
    // has seen a stop waits for no answer.
    boolean latched = latch.latched(uid).isPresent();
    Items items = itemReads.of(uid, meta.getNamespace(), spec, now, !latched);
    EarlierRun earlier = latched ? EarlierRun.NOT_ASKED : earlierRuns.of(workflow);
    Plan plan = plan(uid, generation, spec, items, workflow.getStatus());

    Map<String, JobTypeSpec> specs = new HashMap<>();
    Map<String, PinnedJobType> versions = new HashMap<>();
    jobTypes
        .list()
        .forEach(
            object -> {
              ObjectMeta of = object.getMetadata();
              if (object.getSpec() != null && of.getDeletionTimestamp() == null) {
                specs.put(of.getName(), object.getSpec());
                versions.put(
                    of.getName(), new PinnedJobType(of.getName(), of.getUid(), of.getGeneration()));
              }
            });
    JobTypes known = JobTypes.of(specs);
    Templates templates =
        latched || workflow.isMarkedForDeletion()
            ? Templates.NONE
            : templateReads.of(
                uid,
                meta.getNamespace(),
                meta.getName(),
                plan.jobTypes(),
                specs,
                versions,
                workflow.getStatus() == null ? List.of() : workflow.getStatus().jobTypes());
    PendingActions asked = latched ? PendingActions.NONE : actions.pending(workflow);
    return new Snapshot(
        new Identity(
            meta.getNamespace(),
            meta.getName(),
            uid,
            generation,
            time(meta.getCreationTimestamp(), now),
            meta.getDeletionTimestamp() == null ? null : time(meta.getDeletionTimestamp(), now)),
        spec,
        workflow.getStatus(),
        plan,
        known,
        versions,
        () ->
            PolicyEngine.judge(
                new PolicyInput(
                    meta.getNamespace(),
                    namespaceLabels(meta.getNamespace()),
                    meta.getName(),
                    spec,
                    plan,
                    known,
                    () -> turns.others(uid, type, running(workflows, type)),
                    now),
                policies()),
        gate.view(type),
        latch.latched(uid).orElse(null),
        ledger,
        earlier,
        executions.underWay(uid),
        executions.outcomes(uid),
        executions.waits(uid),
        pace(plan, specs, mayIntend),
        items,
        templates,
        asked,
        unprotected.get(),
        now);
  }

  /** The workflow is over. */
  void forget(String uid) {
    plans.remove(uid);
    itemReads.forget(uid);
    templateReads.forget(uid);
  }

  private Plan plan(
      String uid,
      long generation,
      WorkflowSpec spec,
      Items items,
      @Nullable WorkflowStatus status) {
    Expanded expanded = plans.get(uid);
    if (expanded != null && expanded.generation() == generation) {
      return expanded.plan();
    }
    Plan plan = Plan.of(spec, items.lists(), known(status));
    if (plan.isComplete()) {
      plans.put(uid, new Expanded(generation, plan));
    }
    return plan;
  }

  private static Plan.Known known(@Nullable WorkflowStatus status) {
    if (status == null) {
      return Plan.Known.NOTHING;
    }
    Map<String, Integer> sizes = new HashMap<>();
    for (WorkflowStatus.BlockStatus block : status.blocks()) {
      if (block.name() != null && block.total() != null && block.total() >= 0) {
        sizes.put(block.name(), Math.min(block.total(), IndexSet.LIMIT));
      }
    }
    Integer total = status.jobs() == null ? null : status.jobs().total();
    return new Plan.Known(sizes, Objects.requireNonNullElse(total, 0));
  }

  private Map<String, Pace> pace(Plan plan, Map<String, JobTypeSpec> specs, boolean mayIntend) {
    Map<String, Pace> pace = new HashMap<>();
    for (String type : plan.jobTypes()) {
      JobTypeSpec spec = specs.get(type);
      if (!mayIntend) {
        pace.put(type, new Pace(0, null, executions.circuitOpenUntil(type).orElse(null)));
      } else if (spec != null && !JobTypes.isBuiltIn(type)) {
        executions.jobTypeChanged(type, spec);
        pace.put(
            type,
            new Pace(
                executions.sendsLeft(type),
                executions.nextSend(type).orElse(null),
                executions.circuitOpenUntil(type).orElse(null)));
      }
    }
    return pace;
  }

  private List<Policy> policies() {
    return policies
        .list()
        .map(
            p -> Policy.of(p.getMetadata().getName(), p.getMetadata().getGeneration(), p.getSpec()))
        .toList();
  }

  private Map<String, String> namespaceLabels(String namespace) {
    return namespaces
        .get(new ResourceID(namespace))
        .map(n -> n.getMetadata().getLabels())
        .orElse(Map.of());
  }

  /** Uids of workflows of the type that run. */
  private static Set<String> running(IndexedResourceCache<Workflow> workflows, String type) {
    return workflows
        .list(
            other -> {
              WorkflowStatus status = other.getStatus();
              return other.getSpec() != null
                  && type.equals(other.getSpec().type())
                  && status != null
                  && status.startTime() != null
                  && !Conditions.isTrue(status.conditions(), Conditions.FINISHED);
            })
        .map(other -> other.getMetadata().getUid())
        .collect(Collectors.toSet());
  }

  private static WorkflowSpec absent() {
    return new WorkflowSpec(null, null, null, null, null, null, null, null, null, null, List.of());
  }

  private static Instant time(@Nullable String text, Instant otherwise) {
    return text == null ? otherwise : OffsetDateTime.parse(text).toInstant();
  }
}
