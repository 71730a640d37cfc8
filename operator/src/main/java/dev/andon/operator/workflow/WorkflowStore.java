package dev.andon.operator.workflow;

import dev.andon.crds.Condition;
import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowStatus;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.informers.cache.BasicItemStore;
import io.fabric8.kubernetes.client.informers.cache.Cache;
import java.util.List;
import java.util.Objects;

/**
 * What is kept in memory of the workflows there are: all of those there is something to do about,
 * and of the others no more than that there is nothing. Nobody deletes workflows by themselves, as
 * what GitOps brings back would run again, so that in time most are finished; kept whole, some
 * thousands of them would be more than the operator's heap.
 *
 * <p>A workflow comes by whole with every change of its status. Its spec, which did not change, is
 * kept once, as it came first: its values are immutable.
 *
 * <p>Safe, since a status is only ever decided upon from an object that is whole: one that becomes
 * of concern again, by a change of its spec or its deletion, comes by whole, and is kept whole
 * until its status says that this was seen. Who wants to know how one has ended reads it.
 */
public final class WorkflowStore extends BasicItemStore<Workflow> {
  private static final List<Condition> ENDED =
      List.of(new Condition(Conditions.FINISHED, "True", null, null, null, null));

  /** Keeps none yet. */
  public WorkflowStore() {
    super(Cache::metaNamespaceKeyFunc);
  }

  @Override
  public Workflow put(String key, Workflow workflow) {
    Workflow before = get(key);
    if (before != null && before.getSpec() != null && isSameSpec(before, workflow)) {
      // What is planned from it is kept too, and would keep the one that came before alive.
      workflow.setSpec(before.getSpec());
    }
    return super.put(key, kept(workflow));
  }

  private static boolean isSameSpec(Workflow before, Workflow workflow) {
    ObjectMeta was = before.getMetadata();
    ObjectMeta is = workflow.getMetadata();
    return is.getGeneration() != null
        && is.getGeneration().equals(was.getGeneration())
        && Objects.equals(is.getUid(), was.getUid());
  }

  static Workflow kept(Workflow workflow) {
    if (WorkflowReconciler.concerns(workflow)) {
      return workflow;
    }
    ObjectMeta meta = workflow.getMetadata();
    Workflow kept =
        StatusWriter.copy(
            workflow,
            new ObjectMetaBuilder()
                .withNamespace(meta.getNamespace())
                .withName(meta.getName())
                .withUid(meta.getUid())
                .withResourceVersion(meta.getResourceVersion())
                .withGeneration(meta.getGeneration())
                .withFinalizers(meta.getFinalizers())
                .withDeletionTimestamp(meta.getDeletionTimestamp())
                .build(),
            WorkflowStatus.endedAndNothingElse(meta.getGeneration(), ENDED));
    kept.setSpec(null);
    return kept;
  }
}
