package dev.andon.operator.workflow;

import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowAction;
import dev.andon.crds.WorkflowActionSpec;
import dev.andon.crds.WorkflowActionStatus;
import dev.andon.crds.WorkflowStatus;
import dev.andon.crds.WorkflowStatus.Action;
import dev.andon.operator.cluster.Existence;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.IndexerResourceCache;
import io.javaoperatorsdk.operator.processing.event.source.inbound.SimpleInboundEventSource;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hands actions to the workflow they are about, and writes into their status what became of them:
 * what the workflow's status says, or that there is no workflow which they could change.
 */
public final class ActionReconciler implements Reconciler<WorkflowAction>, ActionInbox {
  private static final Logger LOG = LoggerFactory.getLogger(ActionReconciler.class);

  private static final String BY_WORKFLOW = "by-workflow";

  /** How long a workflow may take to judge an action before it is reminded. */
  private static final Duration REMINDER = Duration.ofSeconds(2);

  private final KubernetesClient client;
  private final BiConsumer<String, String> wakeWorkflow;
  private final Clock clock;
  private final SimpleInboundEventSource<WorkflowAction> judged =
      new SimpleInboundEventSource<>("judged");

  private volatile @Nullable IndexerResourceCache<WorkflowAction> actions;

  /**
   * @param wakeWorkflow looks again at the workflow of this namespace and name
   */
  public ActionReconciler(
      KubernetesClient client, BiConsumer<String, String> wakeWorkflow, Clock clock) {
    this.client = client;
    this.wakeWorkflow = wakeWorkflow;
    this.clock = clock;
  }

  /** Whether there is still something to do about the action. */
  public static boolean concerns(WorkflowAction action) {
    return !isJudged(action);
  }

  private static boolean isJudged(WorkflowAction action) {
    return action.getStatus() != null && action.getStatus().phase() != null;
  }

  @Override
  public List<EventSource<?, WorkflowAction>> prepareEventSources(
      EventSourceContext<WorkflowAction> context) {
    IndexerResourceCache<WorkflowAction> cache = context.getPrimaryCache();
    cache.addIndexer(
        BY_WORKFLOW,
        action ->
            action.getSpec() == null || action.getSpec().workflow() == null
                ? List.of()
                : List.of(key(action.getMetadata().getNamespace(), action.getSpec().workflow())));
    actions = cache;
    return List.of(judged);
  }

  private static String key(String namespace, String workflow) {
    return namespace + "/" + workflow;
  }

  private PendingAction pending(WorkflowAction action) {
    return new PendingAction(
        action.getMetadata().getName(),
        action.getMetadata().getUid(),
        created(action),
        action.getSpec());
  }

  // --- the inbox of a workflow

  @Override
  public PendingActions pending(Workflow workflow) {
    IndexerResourceCache<WorkflowAction> cache = actions;
    if (cache == null || workflow.isMarkedForDeletion()) {
      return PendingActions.NONE;
    }
    ObjectMeta meta = workflow.getMetadata();
    List<WorkflowAction> asked =
        cache.byIndex(BY_WORKFLOW, key(meta.getNamespace(), meta.getName()));
    if (asked.isEmpty()) {
      return PendingActions.NONE;
    }
    List<Action> known = workflow.getStatus() == null ? List.of() : workflow.getStatus().actions();
    List<WorkflowAction> unjudged =
        asked.stream()
            .filter(ActionReconciler::concerns)
            .filter(action -> isAbout(action.getSpec(), meta.getUid()))
            .filter(action -> entry(known, action) == null)
            // Before the bound: a Cancel does not wait behind sixty Resolves.
            .sorted(Actions.order(this::pending))
            .limit(Actions.KEPT)
            .toList();
    if (unjudged.isEmpty()) {
      return PendingActions.NONE;
    }
    try {
      List<PendingAction> waiting = new ArrayList<>();
      for (WorkflowAction cached : unjudged) {
        WorkflowAction now = read(cached);
        if (now != null && !isJudged(now) && !now.isMarkedForDeletion()) {
          waiting.add(pending(now));
        }
      }
      boolean full = known.size() + waiting.size() > Actions.KEPT;
      return new PendingActions(waiting, full ? told(meta.getNamespace(), known) : Set.of(), false);
    } catch (KubernetesClientException e) {
      // A stop, and whatever else is to be decided, does not wait for what people ask.
      LOG.warn(
          "WorkflowActions of {}/{} cannot be read, and wait: {}",
          meta.getNamespace(),
          meta.getName(),
          e.getMessage());
      return new PendingActions(List.of(), Set.of(), true);
    }
  }

  /** Only a Pause may come without a uid: it is for whatever has the name. */
  private static boolean isAbout(@Nullable WorkflowActionSpec spec, String uid) {
    return spec != null
        && (spec.workflowUID() == null
            ? "Pause".equals(spec.verb())
            : spec.workflowUID().equals(uid));
  }

  /** From the API server itself; null if it is gone. */
  private @Nullable WorkflowAction read(WorkflowAction cached) {
    return read(
        cached.getMetadata().getNamespace(),
        cached.getMetadata().getName(),
        cached.getMetadata().getUid());
  }

  private @Nullable WorkflowAction read(String namespace, String name, @Nullable String uid) {
    return Existence.find(
            client.resources(WorkflowAction.class).inNamespace(namespace).withName(name))
        .filter(now -> Objects.equals(now.getMetadata().getUid(), uid) && now.getSpec() != null)
        .orElse(null);
  }

  /** Uids of those whose own status says what became of them, or that are gone. */
  private Set<String> told(String namespace, List<Action> known) {
    Set<String> told = new HashSet<>();
    for (Action action : known) {
      if (action.uid() == null || action.name() == null) {
        continue;
      }
      WorkflowAction now = read(namespace, action.name(), action.uid());
      if (now == null || isJudged(now)) {
        told.add(action.uid());
      }
    }
    return told;
  }

  private Instant created(WorkflowAction action) {
    String text = action.getMetadata().getCreationTimestamp();
    return text == null ? clock.instant() : OffsetDateTime.parse(text).toInstant();
  }

  @Override
  public void judged(String namespace, List<String> names) {
    names.forEach(name -> judged.propagateEvent(new ResourceID(name, namespace)));
  }

  // --- what became of it

  @Override
  public UpdateControl<WorkflowAction> reconcile(
      WorkflowAction action, Context<WorkflowAction> context) {
    if (isJudged(action)) {
      return UpdateControl.noUpdate();
    }
    ObjectMeta meta = action.getMetadata();
    WorkflowActionSpec spec = action.getSpec();
    if (spec == null || spec.workflow() == null) {
      return tell(action, "Refused", "spec.workflow: is missing", now());
    }
    Workflow workflow =
        Existence.find(
                client
                    .resources(Workflow.class)
                    .inNamespace(meta.getNamespace())
                    .withName(spec.workflow()))
            .orElse(null);
    WorkflowStatus status = workflow == null ? null : workflow.getStatus();
    Action entry = status == null ? null : entry(status.actions(), action);
    if (entry != null) {
      return tell(
          action,
          Objects.requireNonNullElse(entry.phase(), "Refused"),
          Objects.requireNonNullElse(entry.message(), ""),
          Objects.requireNonNullElseGet(entry.time(), this::now));
    }
    String refusal = refusal(spec, workflow, meta.getNamespace());
    if (refusal != null) {
      return tell(action, "Refused", refusal, now());
    }
    wakeWorkflow.accept(meta.getNamespace(), spec.workflow());
    return UpdateControl.<WorkflowAction>noUpdate().rescheduleAfter(REMINDER);
  }

  private static @Nullable Action entry(List<Action> known, WorkflowAction action) {
    String uid = action.getMetadata().getUid();
    return known.stream().filter(a -> uid.equals(a.uid())).findFirst().orElse(null);
  }

  /** Why no workflow will ever judge the action; null if one will. */
  private static @Nullable String refusal(
      WorkflowActionSpec spec, @Nullable Workflow workflow, String namespace) {
    if (workflow == null) {
      return "spec.workflow: namespace %s has no Workflow %s".formatted(namespace, spec.workflow());
    }
    String uid = workflow.getMetadata().getUid();
    if (!isAbout(spec, uid)) {
      return spec.workflowUID() == null
          ? "spec.workflowUID: is missing; every verb but Pause needs it"
          : "spec.workflowUID: \"%s\": Workflow %s has uid %s by now: it was deleted and created anew; look at it, then create another action"
              .formatted(spec.workflowUID(), spec.workflow(), uid);
    }
    if (workflow.isMarkedForDeletion()) {
      return "Workflow %s is being deleted".formatted(spec.workflow());
    }
    WorkflowStatus status = workflow.getStatus();
    if (status != null && Conditions.isTrue(status.conditions(), Conditions.FINISHED)) {
      return "Workflow %s has finished (%s): nothing about it changes any more; create a new Workflow for what is left"
          .formatted(spec.workflow(), status.phase());
    }
    return null;
  }

  /** Under the resourceVersion that was looked at: what was judged before is not judged again. */
  private static UpdateControl<WorkflowAction> tell(
      WorkflowAction action, String phase, String message, Instant time) {
    ObjectMeta meta = action.getMetadata();
    LOG.info(
        "{}/{}: {} of {} by action {}: {}",
        meta.getNamespace(),
        action.getSpec() == null ? "" : action.getSpec().workflow(),
        phase,
        action.getSpec() == null ? "" : action.getSpec().verb(),
        meta.getName(),
        message);
    var patch = new WorkflowAction();
    patch.setMetadata(
        new ObjectMetaBuilder()
            .withNamespace(meta.getNamespace())
            .withName(meta.getName())
            .withResourceVersion(meta.getResourceVersion())
            .build());
    patch.setStatus(new WorkflowActionStatus(meta.getGeneration(), phase, message, time));
    return UpdateControl.patchStatus(patch);
  }

  private Instant now() {
    return clock.instant().truncatedTo(ChronoUnit.MILLIS);
  }
}
