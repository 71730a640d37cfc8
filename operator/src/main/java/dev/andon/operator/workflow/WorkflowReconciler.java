package dev.andon.operator.workflow;

import dev.andon.crds.JobType;
import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowPolicy;
import dev.andon.crds.WorkflowStatus;
import dev.andon.crds.WorkflowStatus.Action;
import dev.andon.operator.cluster.Existence;
import dev.andon.operator.execution.Executions;
import dev.andon.operator.execution.StrayJobs;
import dev.andon.operator.execution.TemplateTries;
import dev.andon.operator.ledger.Claims;
import dev.andon.operator.ledger.Ledger;
import dev.andon.operator.ledger.LedgerView;
import dev.andon.operator.ledger.RecordCloser;
import dev.andon.operator.ledger.Records;
import dev.andon.operator.stop.Gate;
import dev.andon.operator.stop.Latch;
import dev.andon.operator.stop.StopView;
import dev.andon.plan.JobTypes;
import dev.andon.plan.Plan;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.IndexedResourceCache;
import io.javaoperatorsdk.operator.api.reconciler.PrimaryUpdateAndCacheUtils;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.SecondaryToPrimaryMapper;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import java.time.Clock;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Observes, decides, and does what was decided, in this order:
 *
 * <ol>
 *   <li>cancel what is to end: a stop waits for no write; of a status that cannot be trusted,
 *       suspend the Jobs that are not known: {@link StrayJobs};
 *   <li>enrol with the latch, so that no stop is missed between here and the next decision;
 *   <li>hold the object back from deletion, before anything of it runs outside;
 *   <li>of a start that continues another run, claim that one: {@link Claims};
 *   <li>of a start, create its record; of what still waits, see that no record says otherwise: the
 *       steps of {@link Ledger};
 *   <li>write the status, intents in it, under the resourceVersion decided from;
 *   <li>forget the outcomes it tells of;
 *   <li>begin the attempts intended;
 *   <li>have the actions told that were judged, see {@link ActionInbox};
 *   <li>of what has finished, have the record closed, some time.
 * </ol>
 *
 * <p>Of an intent whose write met no answer this process knows that it was not begun, and says so
 * when it finds it in the status. A process that dies after 6 leaves intents that nobody works on:
 * the next one observes them. One that dies between 6 and 7 has nothing to forget. One that dies
 * before 6 has sent nothing. A record that nobody closed is found by the next one.
 */
public final class WorkflowReconciler implements Reconciler<Workflow>, AutoCloseable {
  /** Holds a workflow back from deletion until nothing of it runs outside. */
  public static final String FINALIZER = "andon.dev/running";

  private static final Logger LOG = LoggerFactory.getLogger(WorkflowReconciler.class);

  /** A conflict means that a newer object is on its way through the watch. */
  private static final Duration AFTER_CONFLICT = Duration.ofMillis(50);

  /** What this process has written since is on its way through the watch, and wakes it. */
  private static final Duration BEHIND = Duration.ofMillis(500);

  private static final Duration BEHIND_FOR_LONG = Duration.ofSeconds(10);

  private static final int DECISIONS_AT_ONCE = 3;

  /**
   * How often the gate is read again after the API server refused an intent: it, too, sees a change
   * of the stop with a delay of milliseconds, and only when both disagree for longer is it told.
   */
  private static final int READS_AFTER_REFUSAL = 5;

  /**
   * The ledger may say something else once: of a run that is decided upon anew for what it said;
   * and once more that it is not to be reached. Each time can take seconds, of a place in a lane.
   */
  private static final int LEDGER_ASKED_AT_MOST = 2;

  private static final Duration AFTER_REFUSAL = Duration.ofSeconds(1);

  /**
   * So many that have not begun wait to be decided about. Each is a thread with its stack, and
   * thousands may come in one moment: more than there is memory for. The others come again.
   */
  private static final int BEGINNERS = 256;

  /**
   * Far longer than all tries of all calls of a decision, were each to run into its timeout, which
   * an API server can bring about.
   */
  private static final Duration LONGEST_DECISION = Duration.ofMinutes(15);

  private static final StopView WITHHELD =
      new StopView.NotVisible(
          "it reads go, but the API server refuses new starts (admission policy %s), which go by"
                  .formatted(StatusWriter.INTENTS_POLICY)
              + " another reading of it; see andon stop --status");

  private final Decider decider;
  private final Wakes wakes = new Wakes();
  private final Gate gate;
  private final Latch latch;
  private final Executions executions;
  private final StrayJobs strayJobs;
  private final ActionInbox actions;
  private final ItemReads itemReads;
  private final EarlierRuns earlierRuns;
  private final TemplateReads templateReads;
  private final Supplier<List<String>> unprotected;
  private final Clock clock;
  private final StatusWriter statusWriter;
  private final Ledger ledger;
  private final RecordCloser closer;
  private final OwnWrites ownWrites = new OwnWrites(System::nanoTime);
  private final Turns turns = new Turns();
  private final Lanes lanes = new Lanes();
  private final Semaphore beginners = new Semaphore(BEGINNERS);
  private final Drain drain = new Drain();
  private final Map<String, ResourceID> unfinished = new ConcurrentHashMap<>();

  /** Are there, and the framework has forgotten their names: the sweep hands them over again. */
  private final Set<String> dropped = ConcurrentHashMap.newKeySet();

  private final Sweep sweep;

  private volatile Snapshots snapshots;
  private volatile @Nullable IndexedResourceCache<Workflow> workflows;

  /**
   * @param records where the ledger is kept
   * @param leads whether this process is the one that writes
   * @param lookAgain as {@link Decider#LOOK_AGAIN}
   * @param admissionGrace as {@link Decider#ADMISSION_GRACE}
   */
  @SuppressWarnings("NullAway.Init") // snapshots: JOSDK prepares event sources before it reconciles
  public WorkflowReconciler(
      Gate gate,
      Latch latch,
      Executions executions,
      StrayJobs strayJobs,
      ActionInbox actions,
      TemplateTries templates,
      Supplier<List<String>> unprotected,
      Records records,
      BooleanSupplier leads,
      Duration lookAgain,
      Duration admissionGrace,
      Clock clock,
      KubernetesClient client) {
    this.decider = new Decider(lookAgain, admissionGrace);
    this.gate = gate;
    this.latch = latch;
    this.executions = executions;
    this.strayJobs = strayJobs;
    this.actions = actions;
    this.itemReads = new ItemReads(client, lookAgain);
    this.earlierRuns = new EarlierRuns(client, records);
    this.templateReads = new TemplateReads(templates::ask, this::wake, System::nanoTime);
    this.unprotected = unprotected;
    this.clock = clock;
    this.statusWriter = new StatusWriter(client.getKubernetesSerialization(), ownWrites);
    this.ledger = new Ledger(records);
    this.closer =
        new RecordCloser(records, new ClusterWorkflows(client), leads, lanes::ending, clock);
    this.sweep =
        new Sweep(
            leads,
            this::cached,
            () -> {
              Set<String> known = known();
              ownWrites.keep(known);
              return known;
            },
            wakes::handOver,
            this::endAndForget);
  }

  /**
   * What is wrong with the decisions of this process. Each call a decision makes ends by itself, so
   * one that goes on for this long never will; with a few of them nothing is decided any more.
   */
  public Optional<String> trouble() {
    Duration longest = lanes.longestHeld();
    return longest.compareTo(LONGEST_DECISION) > 0
        ? Optional.of("a workflow has been decided about for %d s".formatted(longest.toSeconds()))
        : Optional.empty();
  }

  /** Begins what goes on beside the decisions: closing records, looking for what got lost. */
  public void start() {
    closer.start();
    sweep.start();
  }

  /** Ends that; before what it writes with is closed. */
  @Override
  public void close() {
    sweep.close();
    closer.close();
  }

  private Stream<Workflow> cached() {
    var cache = workflows;
    return cache == null ? Stream.empty() : cache.list(workflow -> true);
  }

  private Set<String> known() {
    Set<String> uids = new HashSet<>(unfinished.keySet());
    uids.addAll(turns.uids());
    if (!dropped.isEmpty()) {
      cached()
          .map(workflow -> workflow.getMetadata().getUid())
          .filter(dropped::contains)
          .forEach(uids::remove);
    }
    return uids;
  }

  private void endAndForget(String uid) {
    executions.cancel(uid);
    forget(uid);
  }

  private final class ClusterWorkflows implements RecordCloser.Workflows {
    private final KubernetesClient client;

    ClusterWorkflows(KubernetesClient client) {
      this.client = client;
    }

    @Override
    public Optional<Workflow> unfinished(String namespace, String name) {
      var cache = workflows;
      return cache == null
          ? Optional.empty()
          : cache
              .get(new ResourceID(name, namespace))
              .filter(w -> w.getStatus() == null || w.getStatus().finished().isEmpty());
    }

    @Override
    public Optional<Workflow> read(String namespace, String name) {
      return Existence.find(client.resources(Workflow.class).inNamespace(namespace).withName(name));
    }
  }

  /** Whether there is still something to do about the object; what is finished costs nothing. */
  public static boolean concerns(Workflow workflow) {
    WorkflowStatus status = workflow.getStatus();
    boolean finished =
        status != null && Conditions.isTrue(status.conditions(), Conditions.FINISHED);
    boolean observed =
        status != null
            && Objects.equals(status.observedGeneration(), workflow.getMetadata().getGeneration());
    boolean heldBack =
        workflow.isMarkedForDeletion()
            && workflow.getMetadata().getFinalizers().contains(FINALIZER);
    return !finished || !observed || heldBack;
  }

  @Override
  public List<EventSource<?, Workflow>> prepareEventSources(EventSourceContext<Workflow> context) {
    var jobTypes =
        watch(
            JobType.class,
            context,
            changed -> workflowsUsing(changed.getMetadata().getName(), context));
    var policies = watch(WorkflowPolicy.class, context, changed -> allUnfinished());
    var namespaces = watch(Namespace.class, context, changed -> Set.of());
    workflows = context.getPrimaryCache();
    snapshots =
        new Snapshots(
            gate,
            latch,
            executions,
            turns,
            actions,
            itemReads,
            earlierRuns,
            templateReads,
            unprotected,
            clock,
            jobTypes,
            policies,
            namespaces);
    return List.of(jobTypes, policies, namespaces, wakes);
  }

  private static <R extends HasMetadata> InformerEventSource<R, Workflow> watch(
      Class<R> type, EventSourceContext<Workflow> context, SecondaryToPrimaryMapper<R> mapper) {
    return new InformerEventSource<>(
        InformerEventSourceConfiguration.from(type, Workflow.class)
            .withName(type.getSimpleName())
            .withWatchAllNamespaces()
            .withSecondaryToPrimaryMapper(mapper)
            .withPrimaryToSecondaryMapper(workflow -> Set.of())
            .build(),
        context);
  }

  private Set<ResourceID> workflowsUsing(String jobType, EventSourceContext<Workflow> context) {
    return context
        .getPrimaryCache()
        .list(
            w ->
                unfinished.containsKey(w.getMetadata().getUid())
                    && w.getSpec() != null
                    && Plan.of(w.getSpec()).jobTypes().contains(jobType))
        .map(ResourceID::fromResource)
        .collect(Collectors.toSet());
  }

  private Set<ResourceID> allUnfinished() {
    return Set.copyOf(unfinished.values());
  }

  /**
   * Starts nothing, and intends nothing, from now on; returns when what was intended is written,
   * and begun.
   *
   * @param atMost after which it returns all the same
   */
  public void drain(Duration atMost) throws InterruptedException {
    drain.begin(atMost);
  }

  /** Looks again at a workflow: an attempt of it has an outcome, or what it asked is answered. */
  public void wake(String namespace, String name) {
    wakes.propagateEvent(new ResourceID(name, namespace));
  }

  /**
   * Looks again at every workflow that is not finished: what is known of the stop has changed. Not
   * at those that have seen a stop: whatever is known now, they go on ending.
   */
  public void wakeAll() {
    unfinished.forEach(
        (uid, id) -> {
          if (latch.latched(uid).isEmpty()) {
            wakes.propagateEvent(id);
          }
        });
  }

  /** These saw a stop: cancels what is in flight at once, and then decides. */
  public void stopped(List<Latch.Latched> latched) {
    latched.forEach(l -> executions.cancel(l.uid()));
    lanes.stopped(latched.stream().map(Latch.Latched::uid).toList());
    latched.stream()
        .map(l -> unfinished.get(l.uid()))
        .filter(Objects::nonNull)
        .forEach(wakes::propagateEvent);
  }

  @Override
  public UpdateControl<Workflow> reconcile(Workflow workflow, Context<Workflow> context) {
    String uid = workflow.getMetadata().getUid();
    if (context.isPrimaryResourceDeleted()) {
      if (isThere(workflow, context)) {
        dropped.add(uid);
        sweep.soon();
      } else {
        deleted(workflow);
      }
      return UpdateControl.noUpdate();
    }
    dropped.remove(uid);
    if (!concerns(workflow)) {
      if (unfinished.containsKey(uid)) {
        // Its last status was written, and the answer lost.
        closer.lookSoon();
      }
      forget(uid);
      return UpdateControl.noUpdate();
    }
    unfinished.put(uid, ResourceID.fromResource(workflow));
    if (ownWrites.isAheadOf(workflow) && !isSetBack(workflow, context)) {
      return again(ownWrites.isLongAgo(uid) ? BEHIND_FOR_LONG : BEHIND);
    }
    boolean begun = hasStarted(workflow);
    if (begun) {
      ledger.forget(uid);
    } else if (!beginners.tryAcquire()) {
      return again(comeAgain());
    }
    try (var _ = lanes.enter(uid, begun, () -> latch.latched(uid).isPresent());
        var turn = drain.enter()) {
      return turn.mayIntend() || begun
          ? decideAndCarryOut(workflow, context, turn.mayIntend())
          : UpdateControl.noUpdate();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return again(AFTER_CONFLICT);
    } finally {
      if (!begun) {
        beginners.release();
      }
    }
  }

  /**
   * Whether what this process wrote is no more, since the API server was set back: it says itself
   * that the older version is what there is.
   */
  private boolean isSetBack(Workflow seen, Context<Workflow> context) {
    String uid = seen.getMetadata().getUid();
    if (!ownWrites.isLongAgo(uid)) {
      return false;
    }
    boolean setBack =
        Existence.find(context.getClient().resource(seen))
            .map(now -> now.getMetadata().getResourceVersion())
            .filter(seen.getMetadata().getResourceVersion()::equals)
            .isPresent();
    if (setBack) {
      ownWrites.forget(uid);
    }
    return setBack;
  }

  /** Not all at once. */
  private static Duration comeAgain() {
    return Duration.ofMillis(ThreadLocalRandom.current().nextLong(1_000, 3_000));
  }

  private void deleted(Workflow workflow) {
    executions.cancel(workflow.getMetadata().getUid());
    forget(workflow.getMetadata().getUid());
    closer.deleted(workflow);
  }

  /**
   * One that was deleted and created again while it was decided about: the framework hands over the
   * new object, says of it that it was deleted, and forgets its name, with every wake-up, when this
   * returns. It has to be handed over again.
   */
  private static boolean isThere(Workflow workflow, Context<Workflow> context) {
    return context
        .getPrimaryCache()
        .get(ResourceID.fromResource(workflow))
        .filter(now -> !now.isMarkedForDeletion())
        .map(now -> now.getMetadata().getUid())
        .filter(workflow.getMetadata().getUid()::equals)
        .isPresent();
  }

  private UpdateControl<Workflow> decideAndCarryOut(
      Workflow seen, Context<Workflow> context, boolean mayIntend) {
    Workflow workflow = seen;
    LedgerView said = ledger.known(workflow.getMetadata().getUid());
    int refusals = 0;
    int asked = 0;
    while (refusals <= READS_AFTER_REFUSAL && asked <= LEDGER_ASKED_AT_MOST) {
      Decision decision =
          decide(workflow, context, refusals == READS_AFTER_REFUSAL, said, mayIntend);
      if (decision == null) {
        return again(AFTER_CONFLICT);
      }
      Workflow current = prepare(decision, workflow, context);
      if (current == null) {
        return again(AFTER_CONFLICT);
      }
      Workflow over = current;
      LedgerView claimed = earlierRuns.claim(over, decision);
      LedgerView answer =
          claimed != null
              ? claimed
              : LedgerEntry.before(
                  ledger, decision, over, said, status -> statusWriter.differs(over, status));
      if (answer != null) {
        asked++;
        said = answer;
        workflow = current;
        continue;
      }
      switch (carryOut(decision, current, context)) {
        case YES -> {
          return next(decision);
        }
        case DECIDE_AGAIN -> {
          return again(AFTER_CONFLICT);
        }
        case INTENTS_REFUSED -> {
          refusals++;
          workflow = current;
          readGate(workflow);
        }
      }
    }
    return again(AFTER_REFUSAL);
  }

  /**
   * Steps 1 and 3: the object as the status is to be written over it. Null if it has changed, and
   * is to be decided about again.
   */
  private @Nullable Workflow prepare(
      Decision decision, Workflow workflow, Context<Workflow> context) {
    if (decision.cancel()) {
      executions.cancel(workflow.getMetadata().getUid());
    }
    if (decision.strayJobs()) {
      if (!isCurrent(workflow, context)) {
        return null;
      }
      // Before the status: once that says how it ended nobody looks at the workflow any more.
      strayJobs.suspendOf(workflow.getMetadata().getNamespace(), workflow.getMetadata().getUid());
    }
    return decision.status() == null ? workflow : heldBack(decision, workflow, context);
  }

  /** A cache that lags can make a sound workflow look corrupt: one whose start it has not seen. */
  private static boolean isCurrent(Workflow workflow, Context<Workflow> context) {
    return Existence.find(context.getClient().resource(workflow))
        .map(now -> now.getMetadata().getResourceVersion())
        .filter(workflow.getMetadata().getResourceVersion()::equals)
        .isPresent();
  }

  /** What is known of the stop afterwards was read after the refusal. */
  private void readGate(Workflow workflow) {
    try {
      gate.enter(typeOf(workflow));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static String typeOf(Workflow workflow) {
    String type = workflow.getSpec() == null ? null : workflow.getSpec().type();
    return Objects.requireNonNullElse(type, "");
  }

  private static UpdateControl<Workflow> again(Duration after) {
    return UpdateControl.<Workflow>noUpdate().rescheduleAfter(after);
  }

  /**
   * Step 2 is part of it: a stop that is seen while the workflow enrols is decided upon at once.
   * Null if the stop changes faster than that.
   *
   * @param said what the ledger said of it
   * @param withheld the API server goes on refusing intents though the gate is open: they are left
   *     out, and outcomes are written
   */
  private @Nullable Decision decide(
      Workflow workflow,
      Context<Workflow> context,
      boolean withheld,
      LedgerView said,
      boolean mayIntend) {
    String uid = workflow.getMetadata().getUid();
    boolean startedBefore = hasStarted(workflow);
    if (startedBefore) {
      // Met after a restart it has to be enrolled before anything is read that takes time: who has
      // seen a stop waits for no answer.
      latch.enroll(uid, typeOf(workflow));
    }
    for (int i = 0; i < DECISIONS_AT_ONCE; i++) {
      Snapshot taken = snapshots.take(workflow, context.getPrimaryCache(), said, mayIntend);
      Snapshot snapshot =
          withheld && taken.stop() instanceof StopView.Open ? taken.seeing(WITHHELD) : taken;
      String type = typeOf(workflow);
      Decision decision =
          startedBefore
              ? decider.decide(snapshot)
              : turns.decide(uid, type, () -> decider.decide(snapshot));
      if (!decision.started()) {
        letGo(workflow, context);
        return decision;
      }
      if (snapshot.latched() != null || latch.enroll(uid, type).isEmpty()) {
        return decision;
      }
      if (!startedBefore) {
        letGo(workflow, context);
      }
    }
    return null;
  }

  private static boolean hasStarted(Workflow workflow) {
    return workflow.getStatus() != null && workflow.getStatus().startTime() != null;
  }

  /**
   * A start that was decided upon and not written leaves the workflow enrolled: a stop that latched
   * it since is not its own. The API server is asked, since the write may have gone through and
   * only its answer been lost.
   */
  private void letGo(Workflow workflow, Context<Workflow> context) {
    String uid = workflow.getMetadata().getUid();
    if (latch.latched(uid).isPresent()) {
      Optional<Workflow> now = Existence.find(context.getClient().resource(workflow));
      if (now.filter(WorkflowReconciler::hasStarted).isEmpty()) {
        latch.release(uid);
      }
    }
  }

  private StatusWriter.Written carryOut(
      Decision decision, Workflow workflow, Context<Workflow> context) {
    String uid = workflow.getMetadata().getUid();
    WorkflowStatus status = decision.status();
    if (status == null) {
      release(context);
      forget(uid);
      closer.deleted(workflow);
      return StatusWriter.Written.YES;
    }
    StatusWriter.Written written = write(decision, status, workflow, context);
    if (written != StatusWriter.Written.YES) {
      return written;
    }
    if (decision.started()) {
      ledger.forget(uid);
    }
    executions.settle(uid, decision.settled());
    decision.begin().forEach(executions::begin);
    // A stop that was seen since step 2 cancelled what ran then, and not what has begun just now;
    // by the time it asks the gate the stop may be over.
    if (decision.cancel() || latch.latched(uid).isPresent()) {
      executions.cancel(uid);
    }
    tellActions(workflow, status);
    if (Conditions.isTrue(status.conditions(), Conditions.FINISHED)) {
      LOG.info(
          "{}/{} {}: {}",
          workflow.getMetadata().getNamespace(),
          workflow.getMetadata().getName(),
          status.phase(),
          status.progress());
      forget(uid);
      closer.finished(StatusWriter.copy(workflow, workflow.getMetadata(), status));
    }
    return StatusWriter.Written.YES;
  }

  /**
   * Should it be written though nothing says so, since the answer was lost, it is known here what
   * nobody else could find out: that what it intends was not begun.
   */
  private StatusWriter.Written write(
      Decision decision, WorkflowStatus status, Workflow workflow, Context<Workflow> context) {
    boolean written = false;
    try {
      StatusWriter.Written answer = statusWriter.write(workflow, status, context);
      written = answer == StatusWriter.Written.YES;
      return answer;
    } finally {
      if (!written) {
        decision.begin().forEach(executions::neverBegun);
      }
    }
  }

  private void tellActions(Workflow workflow, WorkflowStatus status) {
    List<Action> before = workflow.getStatus() == null ? List.of() : workflow.getStatus().actions();
    if (!before.equals(status.actions())) {
      actions.judged(
          workflow.getMetadata().getNamespace(),
          status.actions().stream()
              .filter(action -> !before.contains(action))
              .map(Action::name)
              .filter(Objects::nonNull)
              .toList());
    }
  }

  /** Seen twice, through a cache that lags, it may be gone by the second time. */
  private static void release(Context<Workflow> context) {
    try {
      PrimaryUpdateAndCacheUtils.removeFinalizer(context, FINALIZER);
    } catch (KubernetesClientException e) {
      if (!Existence.isNotFound(e)) {
        throw e;
      }
    }
  }

  /**
   * The object with the finalizer, if it needs one: before the first attempt that runs outside.
   * Null if it has changed meanwhile, and is to be decided about again.
   */
  private @Nullable Workflow heldBack(
      Decision decision, Workflow workflow, Context<Workflow> context) {
    boolean needed =
        decision.begin().stream().anyMatch(a -> !JobTypes.SLEEP.equals(a.jobType()))
            && !workflow.hasFinalizer(FINALIZER)
            && !workflow.isMarkedForDeletion();
    if (!needed) {
      return workflow;
    }
    Workflow held = PrimaryUpdateAndCacheUtils.addFinalizer(context, FINALIZER);
    if (held != null) {
      ownWrites.wrote(held.getMetadata());
    }
    boolean unchanged =
        held != null
            && !held.isMarkedForDeletion()
            && Objects.equals(held.getMetadata().getUid(), workflow.getMetadata().getUid())
            && Objects.equals(
                held.getMetadata().getGeneration(), workflow.getMetadata().getGeneration())
            && Objects.equals(held.getStatus(), workflow.getStatus());
    return unchanged ? held : null;
  }

  private UpdateControl<Workflow> next(Decision decision) {
    if (decision.wakeUp() == null) {
      return UpdateControl.noUpdate();
    }
    Duration wait = Duration.between(clock.instant(), decision.wakeUp());
    return UpdateControl.<Workflow>noUpdate()
        .rescheduleAfter(wait.isPositive() ? wait : Duration.ofMillis(1));
  }

  /** But for what was written of it last: until that is seen, what was before may still be. */
  private void forget(String uid) {
    unfinished.remove(uid);
    dropped.remove(uid);
    latch.release(uid);
    executions.forget(uid);
    snapshots.forget(uid);
    turns.forget(uid);
    ledger.forget(uid);
  }
}
