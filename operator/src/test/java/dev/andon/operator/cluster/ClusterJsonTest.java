package dev.andon.operator.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.Workflow;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.KubernetesResource;
import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.api.model.WatchEvent;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClusterJsonTest {
  private static final String MAP =
      """
      {"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "emergency-stop", "managedFields": [{"manager": "kubectl"}]},
        "data": {"Erase": "go", "Drain": "%s", "all": "go"}}
      """;

  private static KubernetesResource event(String apiVersion, String kind) {
    return ClusterJson.complete()
                .unmarshal(
                    """
            {"type": "MODIFIED",
              "object": {"apiVersion": "%s", "kind": "%s", "metadata": {"name": "a"}}}
            """
                        .formatted(apiVersion, kind),
                    WatchEvent.class)
                .getObject()
            instanceof KubernetesResource object
        ? object
        : null;
  }

  /** Else each event is read twice. */
  @ParameterizedTest
  @CsvSource({
    "andon.dev/v1alpha1, Workflow",
    "andon.dev/v1alpha1, WorkflowAction",
    "andon.dev/v1alpha1, WorkflowPolicy",
    "andon.dev/v1alpha1, JobType",
    "v1, Namespace",
    "v1, ConfigMap",
    "batch/v1, Job",
    "v1, Status"
  })
  void what_is_watched_is_known_by_its_kind(String apiVersion, String kind) {
    assertThat(event(apiVersion, kind).getClass().getSimpleName()).isEqualTo(kind);
  }

  @Test
  void what_is_not_is_read_all_the_same() {
    assertThat(event("example.dev/v1", "Thing")).isInstanceOf(GenericKubernetesResource.class);
    assertThat(event("v1", "Status")).isInstanceOf(Status.class);
  }

  @Test
  void who_wrote_a_field_is_read_where_somebody_asks_and_nowhere_else() {
    assertThat(
            ClusterJson.complete()
                .unmarshal(MAP.formatted("go"), ConfigMap.class)
                .getMetadata()
                .getManagedFields())
        .hasSize(1);
    assertThat(
            ClusterJson.withoutManagers()
                .unmarshal(MAP.formatted("go"), ConfigMap.class)
                .getMetadata()
                .getManagedFields())
        .isEmpty();
  }

  @Test
  void a_text_is_what_was_read_and_kept_once_if_it_is_not_long() {
    KubernetesSerialization json = ClusterJson.withoutManagers();
    ConfigMap first = json.unmarshal(MAP.formatted("stop it"), ConfigMap.class);
    ConfigMap second = json.unmarshal(MAP.formatted("stop it"), ConfigMap.class);
    assertThat(second.getData().get("Drain"))
        .isEqualTo("stop it")
        .isSameAs(first.getData().get("Drain"));

    String longText = "x".repeat(10_000);
    ConfigMap third = json.unmarshal(MAP.formatted(longText), ConfigMap.class);
    assertThat(third.getData().get("Drain")).isEqualTo(longText);

    // "Aa" and "BB" have one hash, and so one place.
    ConfigMap fourth = json.unmarshal(MAP.formatted("Aa"), ConfigMap.class);
    ConfigMap fifth = json.unmarshal(MAP.formatted("BB"), ConfigMap.class);
    assertThat(fourth.getData().get("Drain")).isEqualTo("Aa");
    assertThat(fifth.getData().get("Drain")).isEqualTo("BB");
  }

  @Test
  void an_empty_text_is_not_the_same_as_none() {
    Workflow workflow =
        ClusterJson.withoutManagers()
            .unmarshal(
                """
                {"apiVersion": "andon.dev/v1alpha1", "kind": "Workflow",
                  "metadata": {"name": "a"}, "spec": {"type": "Erase", "description": ""}}
                """,
                Workflow.class);
    assertThat(workflow.getSpec().description()).isEmpty();
    assertThat(workflow.getSpec().runId()).isNull();
  }
}
