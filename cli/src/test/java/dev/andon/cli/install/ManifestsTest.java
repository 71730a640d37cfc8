package dev.andon.cli.install;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ManifestsTest {
  private final List<GenericKubernetesResource> all =
      Stream.of(
              Manifests.beforeCrds(),
              Manifests.crds(),
              Manifests.afterCrds(),
              Manifests.protections())
          .flatMap(List::stream)
          .toList();

  @Test
  void no_manifest_holds_the_stop() {
    assertThat(all).extracting(GenericKubernetesResource::getKind).doesNotContain("ConfigMap");
  }

  @Test
  void every_kind_is_there() {
    assertThat(Manifests.crds())
        .extracting(crd -> crd.getMetadata().getName())
        .containsExactlyInAnyOrder(
            "workflows.andon.dev",
            "workflowactions.andon.dev",
            "workflowrecords.andon.dev",
            "jobtypes.andon.dev",
            "workflowpolicies.andon.dev",
            "tokenbuckets.andon.dev");
  }

  @Test
  void what_is_ours_can_be_told_from_the_rest() {
    assertThat(all.stream().filter(object -> !Manifests.crds().contains(object)))
        .allSatisfy(
            object ->
                assertThat(object.getMetadata().getLabels())
                    .containsEntry("app.kubernetes.io/part-of", "andon"));
  }
}
