package dev.andon.crds;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.ShortNames;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds the Java types to the YAML. */
class CrdTypesTest {
  /** Free-form, or of rules that no Java code reads field by field. */
  private static final Set<String> READ_AS_JSON =
      Set.of(
          "JobType.spec.executor.container.template",
          "WorkflowPolicy.spec.rules[].freeze",
          "WorkflowPolicy.spec.rules[].requireApproval",
          "WorkflowPolicy.spec.rules[].cel");

  /** Jobs of a forEach are named by their items, yet are a Job in Java like the others. */
  private static final Set<String> ONLY_IN_JAVA = Set.of("Workflow.spec.blocks[].forEach.job.name");

  static List<Crd> crds() {
    return Crd.all();
  }

  @ParameterizedTest
  @MethodSource("crds")
  void schema_and_java_type_have_the_same_fields_of_the_same_types(Crd crd) {
    assertThat(differences(crd)).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("crds")
  void names_are_the_ones_java_asks_the_api_server_for(Crd crd) {
    JsonNode spec = crd.definition().path("spec");
    ShortNames shortNames = crd.type().getAnnotation(ShortNames.class);

    assertThat(spec.path("group").asText()).isEqualTo(HasMetadata.getGroup(crd.type()));
    assertThat(crd.version().path("name").asText()).isEqualTo(HasMetadata.getVersion(crd.type()));
    assertThat(spec.at("/names/kind").asText()).isEqualTo(HasMetadata.getKind(crd.type()));
    assertThat(spec.at("/names/plural").asText()).isEqualTo(HasMetadata.getPlural(crd.type()));
    assertThat(spec.at("/names/singular").asText()).isEqualTo(HasMetadata.getSingular(crd.type()));
    assertThat(spec.path("scope").asText())
        .isEqualTo(Namespaced.class.isAssignableFrom(crd.type()) ? "Namespaced" : "Cluster");
    assertThat(spec.at("/names/categories")).extracting(JsonNode::asText).containsExactly("andon");
    assertThat(spec.at("/names/shortNames"))
        .extracting(JsonNode::asText)
        .containsExactly(shortNames == null ? new String[0] : shortNames.value());
  }

  @Test
  void a_field_that_only_the_schema_has_is_found() {
    Crd workflow = Crd.of(Workflow.class);
    node(workflow, "/properties/spec/properties").putObject("priority").put("type", "string");

    assertThat(differences(workflow))
        .containsExactly(
            "Workflow.spec.priority: is in the schema, but no component of WorkflowSpec");
  }

  @Test
  void a_field_that_only_java_has_is_found() {
    Crd workflow = Crd.of(Workflow.class);
    node(workflow, "/properties/status/properties/blocks/items/properties").remove("endTime");

    assertThat(differences(workflow))
        .containsExactly(
            "Workflow.status.blocks[].endTime: is a component of BlockStatus, not of the schema");
  }

  @Test
  void a_field_of_another_type_is_found() {
    Crd workflow = Crd.of(Workflow.class);
    node(workflow, "/properties/status/properties/startTime").remove("format");
    node(workflow, "/properties/status/properties/starts").put("format", "int64");

    assertThat(differences(workflow))
        .hasSize(2)
        .anyMatch(each -> each.startsWith("Workflow.status.startTime: java.time.Instant does not"))
        .anyMatch(each -> each.startsWith("Workflow.status.starts: java.lang.Integer does not"));
  }

  private static List<String> differences(Crd crd) {
    var resource = (ParameterizedType) crd.type().getGenericSuperclass();
    assertThat(resource.getRawType()).isEqualTo(CustomResource.class);
    Type specType = resource.getActualTypeArguments()[0];
    Type statusType = resource.getActualTypeArguments()[1];

    var comparison = new TypeComparison(READ_AS_JSON, ONLY_IN_JAVA);
    comparison.compare(crd + ".spec", crd.schema().at("/properties/spec"), specType);
    JsonNode status = crd.schema().at("/properties/status");
    boolean hasStatus = statusType != Void.class;
    assertThat(status.isObject()).as("status of %s", crd).isEqualTo(hasStatus);
    assertThat(crd.version().at("/subresources/status").isObject())
        .as("subresource status of %s", crd)
        .isEqualTo(hasStatus);
    if (hasStatus) {
      comparison.compare(crd + ".status", status, statusType);
    }
    return comparison.differences();
  }

  private static ObjectNode node(Crd crd, String path) {
    return (ObjectNode) crd.schema().at(path);
  }
}
