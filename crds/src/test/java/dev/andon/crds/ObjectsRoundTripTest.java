package dev.andon.crds;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Objects as the cluster holds them, through the Java types and back. */
class ObjectsRoundTripTest {
  private final KubernetesSerialization json = new KubernetesSerialization();

  static List<Path> examples() {
    return Crd.examples("valid");
  }

  static List<Crd> crds() {
    return Crd.all();
  }

  @ParameterizedTest
  @MethodSource("examples")
  void nothing_is_lost(Path example) {
    for (JsonNode given : Crd.documents(example)) {
      CustomResource<?, ?> object = json.unmarshal(given.toString(), Crd.kindOf(given));

      JsonNode back = json.unmarshal(json.asJson(object), JsonNode.class);

      assertThat(meant(back)).isEqualTo(meant(given));
    }
  }

  /** Else {@link #nothing_is_lost} would not speak of every field. */
  @ParameterizedTest
  @MethodSource("crds")
  void the_examples_use_every_field(Crd crd) {
    Set<String> unused = new LinkedHashSet<>();
    for (String part : List.of("spec", "status")) {
      declared(part, crd.schema().at("/properties/" + part), unused);
    }
    for (Path example : examples()) {
      for (JsonNode given : Crd.documents(example)) {
        if (Crd.kindOf(given) == crd.type()) {
          removeUsed("spec", given.path("spec"), unused);
          removeUsed("status", given.path("status"), unused);
        }
      }
    }

    assertThat(unused).isEmpty();
  }

  @Test
  void what_no_enum_knows_and_a_time_nobody_can_read_are_read_all_the_same() {
    Workflow workflow =
        json.unmarshal(
            """
            {"apiVersion": "andon.dev/v1alpha1", "kind": "Workflow",
             "metadata": {"name": "a"},
             "spec": {"type": "Example", "start": "Perhaps", "maxFailures": "two", "later": {"a": 1},
                      "blocks": [null, {"name": "one", "jobs": [], "maxFailures": 1.5}]},
             "status": {"phase": "Dreaming", "startTime": "yesterday", "completionTime": 7,
                        "policies": [{"verdict": "Perhaps"}], "conditions": null,
                        "blocks": [{"name": "one", "succeeded": "9-0,x", "startTime": ""}]}}
            """,
            Workflow.class);

    assertThat(workflow.getSpec().start()).isEqualTo("Perhaps");
    assertThat(workflow.getSpec().maxFailures().valid()).isFalse();
    assertThat(workflow.getSpec().blocks()).hasSize(1);
    assertThat(workflow.getSpec().blocks().getFirst().maxFailures().valid()).isFalse();
    assertThat(workflow.getStatus().phase()).isEqualTo("Dreaming");
    assertThat(workflow.getStatus().policies().getFirst().verdict()).isEqualTo("Perhaps");
    assertThat(workflow.getStatus().startTime()).isEqualTo(Timestamp.UNREADABLE);
    assertThat(workflow.getStatus().completionTime()).isEqualTo(Timestamp.UNREADABLE);
    assertThat(workflow.getStatus().blocks().getFirst().startTime())
        .isEqualTo(Timestamp.UNREADABLE);
    assertThat(workflow.getStatus().blocks().getFirst().succeeded()).isEqualTo("9-0,x");
    assertThat(workflow.getStatus().conditions()).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("crds")
  void an_object_with_nothing_in_it_is_read(Crd crd) {
    for (String rest : List.of("", ", \"spec\": null, \"status\": null", ", \"spec\": {}")) {
      String text =
          "{\"apiVersion\": \"andon.dev/v1alpha1\", \"kind\": \"%s\"%s}".formatted(crd, rest);

      CustomResource<?, ?> read = json.unmarshal(text, crd.type());

      assertThat(read).as(text).isInstanceOf(crd.type());
    }
  }

  /** Without what says nothing: nulls, empty lists and objects, and empty texts of a status. */
  private static JsonNode meant(JsonNode object) {
    JsonNode copy = object.deepCopy();
    strip(copy.path("status"), true);
    strip(copy, false);
    return copy;
  }

  private static void strip(JsonNode node, boolean emptyTexts) {
    node.forEach(each -> strip(each, emptyTexts));
    if (node instanceof ObjectNode object) {
      object.removeIf(
          each ->
              each.isNull()
                  || (each.isContainerNode() && each.isEmpty())
                  || (emptyTexts && each.isTextual() && each.asText().isEmpty()));
    }
  }

  private static void declared(String path, JsonNode schema, Set<String> paths) {
    for (var property : schema.path("properties").properties()) {
      String at = path + "." + property.getKey();
      paths.add(at);
      declared(at, property.getValue(), paths);
    }
    if (schema.has("items")) {
      declared(path + "[]", schema.path("items"), paths);
    }
  }

  private static void removeUsed(String path, JsonNode node, Set<String> unused) {
    for (var field : node.properties()) {
      String at = path + "." + field.getKey();
      unused.remove(at);
      removeUsed(at, field.getValue(), unused);
    }
    if (node.isArray()) {
      node.forEach(each -> removeUsed(path + "[]", each, unused));
    }
  }
}
