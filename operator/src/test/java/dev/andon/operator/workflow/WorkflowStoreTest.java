package dev.andon.operator.workflow;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.Workflow;
import io.fabric8.kubernetes.client.informers.cache.Cache;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import org.junit.jupiter.api.Test;

class WorkflowStoreTest {
  private static final KubernetesSerialization YAML = new KubernetesSerialization();

  private final WorkflowStore store = new WorkflowStore();

  private static Workflow workflow(String metadata, String status) {
    return YAML.unmarshal(
        """
        apiVersion: andon.dev/v1alpha1
        kind: Workflow
        metadata: {namespace: fleet, name: erase, uid: u, resourceVersion: "7", generation: 2%s}
        spec: {type: Erase, blocks: [{name: a, jobs: [{name: a, type: sleep}]}]}
        status: {%s}
        """
            .formatted(metadata, status),
        Workflow.class);
  }

  private Workflow kept(Workflow workflow) {
    store.put(store.getKey(workflow), workflow);
    return store.get("fleet/erase");
  }

  @Test
  void what_is_finished_is_kept_as_little_more_than_a_name() {
    Workflow kept =
        kept(
            workflow(
                ", labels: {a: b}, finalizers: [x]",
                "observedGeneration: 2, phase: Complete, conditions: [{type: Finished, status: 'True'}]"));

    assertThat(kept.getSpec()).isNull();
    assertThat(kept.getStatus().phase()).isNull();
    assertThat(kept.getMetadata().getLabels()).isNullOrEmpty();
    assertThat(Cache.metaNamespaceKeyFunc(kept)).isEqualTo("fleet/erase");
    assertThat(kept.getMetadata().getUid()).isEqualTo("u");
    assertThat(kept.getMetadata().getResourceVersion()).isEqualTo("7");
    assertThat(kept.getMetadata().getFinalizers()).containsExactly("x");
  }

  /** Else it would be taken for one that is to be decided about, and its status be lost. */
  @Test
  void what_is_kept_so_is_of_no_concern() {
    Workflow whole =
        workflow(
            ", deletionTimestamp: '2026-01-01T00:00:00Z'",
            "observedGeneration: 2, conditions: [{type: Finished, status: 'True'}]");

    assertThat(WorkflowReconciler.concerns(whole)).isFalse();
    assertThat(WorkflowReconciler.concerns(kept(whole))).isFalse();
    assertThat(kept(whole).isMarkedForDeletion()).isTrue();
  }

  @Test
  void all_that_is_to_be_decided_about_is_kept_whole() {
    Workflow running =
        workflow("", "observedGeneration: 2, conditions: [{type: Finished, status: 'False'}]");
    Workflow toggled =
        workflow("", "observedGeneration: 1, conditions: [{type: Finished, status: 'True'}]");
    Workflow heldBack =
        workflow(
            ", deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: [andon.dev/running]",
            "observedGeneration: 2, conditions: [{type: Finished, status: 'True'}]");

    assertThat(kept(running)).isSameAs(running);
    assertThat(kept(toggled)).isSameAs(toggled);
    assertThat(kept(heldBack)).isSameAs(heldBack);
  }

  @Test
  void a_spec_is_kept_once_for_as_long_as_it_is_the_same() {
    Workflow first = kept(workflow("", "observedGeneration: 1"));
    Workflow second = kept(workflow("", "observedGeneration: 1, phase: Running"));
    assertThat(second.getSpec()).isSameAs(first.getSpec());
    assertThat(second.getStatus().phase()).isEqualTo("Running");

    Workflow toggled = workflow("", "observedGeneration: 1");
    toggled.getMetadata().setGeneration(3L);
    assertThat(kept(toggled).getSpec()).isNotSameAs(first.getSpec());

    Workflow another = workflow("", "observedGeneration: 1");
    another.getMetadata().setGeneration(3L);
    another.getMetadata().setUid("v");
    assertThat(kept(another).getSpec()).isNotSameAs(toggled.getSpec());
  }
}
