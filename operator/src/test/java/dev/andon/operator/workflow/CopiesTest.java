package dev.andon.operator.workflow;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.Workflow;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CopiesTest {
  private final KubernetesSerialization serialization = new KubernetesSerialization();
  private final Copies copies = new Copies(serialization);

  @Test
  void a_workflows_copy_says_the_same_on_the_wire() throws Exception {
    Workflow workflow = workflow();

    assertThat(serialization.asJson(copies.clone(workflow)))
        .isEqualTo(serialization.asJson(workflow));
  }

  @Test
  void what_is_done_to_the_copy_is_not_done_to_the_cache() throws Exception {
    Workflow workflow = workflow();

    Workflow copy = copies.clone(workflow);
    copy.getMetadata().setResourceVersion("changed");
    copy.addFinalizer("example.com/added");
    copy.getMetadata().setLabels(Map.of("changed", "yes"));
    copy.setStatus(null);

    assertThat(serialization.asJson(workflow)).isEqualTo(serialization.asJson(workflow()));
  }

  @Test
  void others_are_copied_in_whole() {
    ConfigMap map = new ConfigMapBuilder().addToData("a", "1").build();

    ConfigMap copy = copies.clone(map);
    copy.getData().put("a", "2");

    assertThat(map.getData()).containsEntry("a", "1");
  }

  private Workflow workflow() throws Exception {
    return serialization.unmarshal(
        Files.readString(
            Path.of(System.getProperty("ANDON_HOME"), "crds/examples/valid/workflow-full.yaml")),
        Workflow.class);
  }
}
