package dev.andon.crds;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What every schema keeps to, beyond being one. */
class CrdSchemaTest {
  private static final String BLOCKS_KEPT = "self.map(block, block) == oldSelf.map(block, block)";

  static List<Crd> crds() {
    return Crd.all();
  }

  @ParameterizedTest
  @MethodSource("crds")
  void every_field_is_explained(Crd crd) {
    assertThat(crd.schema().path("description").asText()).isNotBlank();
    fields(crd)
        .forEach(
            (path, schema) -> {
              if (!path.endsWith("[]") && !path.endsWith("{}")) {
                assertThat(schema.path("description").asText()).as(path).isNotBlank();
              }
            });
  }

  @ParameterizedTest
  @MethodSource("crds")
  void only_a_pod_template_may_hold_fields_nobody_declared(Crd crd) {
    var open = new ArrayList<String>();
    fields(crd)
        .forEach(
            (path, schema) -> {
              if (schema.path("x-kubernetes-preserve-unknown-fields").asBoolean()
                  || (schema.path("type").asText().equals("object")
                      && !schema.has("properties")
                      && !schema.has("additionalProperties"))) {
                open.add(path);
              }
            });

    assertThat(open)
        .isEqualTo(
            crd.type() == JobType.class
                ? List.of("JobType.spec.executor.container.template")
                : List.of());
  }

  @ParameterizedTest
  @MethodSource("crds")
  void every_list_says_how_it_is_merged_and_every_number_how_long_it_is(Crd crd) {
    fields(crd)
        .forEach(
            (path, schema) -> {
              switch (schema.path("type").asText()) {
                case "array" ->
                    assertThat(schema.path("x-kubernetes-list-type").asText())
                        .as(path)
                        .isIn("map", "set", "atomic");
                case "integer" ->
                    assertThat(schema.path("format").asText()).as(path).isIn("int32", "int64");
                default -> {}
              }
            });
  }

  @ParameterizedTest
  @MethodSource("crds")
  void what_people_write_is_bounded(Crd crd) {
    var unbounded = new ArrayList<String>();
    fields(crd)
        .forEach(
            (path, schema) -> {
              // Only the operator writes records and status; the API server stamps the author.
              if (path.startsWith(crd + ".spec.")
                  && crd.type() != WorkflowRecord.class
                  && !path.contains(".requestedBy")
                  && !isBounded(schema)) {
                unbounded.add(path);
              }
            });

    assertThat(unbounded).isEmpty();
  }

  private static boolean isBounded(JsonNode schema) {
    return switch (schema.path("type").asText()) {
      case "integer" -> schema.has("minimum");
      case "array" -> schema.has("maxItems");
      case "string" ->
          schema.has("maxLength")
              || schema.has("enum")
              || schema.path("pattern").asText().endsWith("{64}$");
      case "object" -> !schema.has("additionalProperties") || schema.has("maxProperties");
      default -> true;
    };
  }

  @ParameterizedTest
  @MethodSource("crds")
  void every_rule_has_a_message_of_its_own(Crd crd) {
    var all = new LinkedHashMap<String, JsonNode>(fields(crd));
    all.put(crd.toString(), crd.schema());
    all.forEach(
        (path, schema) ->
            schema
                .path("x-kubernetes-validations")
                .forEach(rule -> assertThat(rule.path("message").asText()).as(path).contains(" ")));
  }

  /**
   * A default of the field alone makes no status, and kstatus calls an object without an
   * observedGeneration Current.
   */
  @ParameterizedTest
  @MethodSource("crds")
  void what_the_operator_judges_begins_with_a_generation_nobody_observed(Crd crd) {
    JsonNode status = crd.schema().at("/properties/status");
    boolean isJudged =
        crd.type() != TokenBucket.class // nothing reconciles it: it can be used at once
            && crd.type() != WorkflowRecord.class; // has no status

    assertThat(status.at("/properties/observedGeneration").isObject()).isEqualTo(isJudged);
    assertThat(status.at("/default/observedGeneration").asLong(0)).isEqualTo(isJudged ? -1 : 0);
  }

  @Test
  void a_job_of_a_for_each_is_a_job_without_a_name() {
    JsonNode block =
        Crd.of(Workflow.class).schema().at("/properties/spec/properties/blocks/items/properties");
    ObjectNode job = block.at("/jobs/items/properties").deepCopy();
    job.remove("name");

    assertThat(block.at("/forEach/properties/job/properties")).isEqualTo(job);
  }

  @Test
  void a_record_speaks_in_the_words_of_the_status_it_comes_from() {
    JsonNode status = Crd.of(Workflow.class).schema().at("/properties/status/properties");
    JsonNode spec = Crd.of(WorkflowRecord.class).schema().at("/properties/spec/properties");

    assertThat(List.of("jobs", "policies", "jobTypes", "stoppedBy", "startTime", "completionTime"))
        .allSatisfy(name -> assertThat(spec.get(name)).isEqualTo(status.get(name)));
  }

  @Test
  void the_columns_are_the_ones_people_were_promised() {
    var narrow = new ArrayList<String>();
    var wide = new ArrayList<String>();
    for (JsonNode column : Crd.of(Workflow.class).version().path("additionalPrinterColumns")) {
      (column.path("priority").asInt() == 0 ? narrow : wide)
          .add(column.path("name").asText().toUpperCase(Locale.ROOT));
    }

    assertThat(narrow).containsExactly("TYPE", "PHASE", "PROGRESS", "BLOCK", "REASON", "AGE");
    assertThat(wide).containsExactly("FAILED", "STOPPED-BY", "DURATION");
  }

  /**
   * A value is kept by a rule of its own, which is asked only while there is one before and after;
   * that there is one at all, where it need not be, by a rule of the spec.
   */
  @Test
  void every_field_of_a_workflow_but_paused_has_rules_that_keep_it() {
    JsonNode spec = Crd.of(Workflow.class).schema().at("/properties/spec");
    var keptThere = new LinkedHashMap<String, String>();
    for (JsonNode rule : spec.path("x-kubernetes-validations")) {
      if (!rule.path("optionalOldSelf").asBoolean()) {
        keptThere.put(rule.path("fieldPath").asText().substring(1), rule.path("rule").asText());
      }
    }
    var required = new ArrayList<String>();
    spec.path("required").forEach(name -> required.add(name.asText()));

    for (var field : spec.path("properties").properties()) {
      String name = field.getKey();
      if (name.equals("paused")) {
        assertThat(keptThere).doesNotContainKey(name);
        assertThat(rules(field.getValue())).isEmpty();
      } else {
        assertThat(rules(field.getValue()))
            .as(name)
            .contains(name.equals("blocks") ? BLOCKS_KEPT : "self == oldSelf");
        if (!required.contains(name)) {
          assertThat(keptThere.get(name))
              .as(name)
              .isEqualTo("has(self.%1$s) == has(oldSelf.%1$s)".formatted(name));
        }
      }
    }
  }

  /**
   * Of two lists that are maps by name == says that they are equal whatever their order, and of two
   * objects that they are if the one has a null where the other has something else.
   */
  @Test
  void no_equality_of_a_workflow_is_blind_to_order_or_to_nulls() {
    fields(Crd.of(Workflow.class))
        .forEach(
            (path, schema) -> {
              if (path.contains(".spec")) {
                assertThat(schema.path("nullable").asBoolean()).as(path).isFalse();
                if (schema.path("x-kubernetes-list-type").asText().equals("map")) {
                  assertThat(rules(schema))
                      .as(path)
                      .containsAnyOf(
                          BLOCKS_KEPT,
                          "size(self) == 1 || self.map(job, job.name) == oldSelf.map(job, job.name)");
                }
              }
            });
  }

  private static List<String> rules(JsonNode schema) {
    return schema.path("x-kubernetes-validations").findValuesAsText("rule");
  }

  /** A rule that is asked of a new object alone may only look at what cannot change. */
  @ParameterizedTest
  @MethodSource("crds")
  void a_rule_that_is_asked_once_says_so_and_is_below_a_spec_that_is_kept(Crd crd) {
    fields(crd)
        .forEach(
            (path, schema) ->
                schema
                    .path("x-kubernetes-validations")
                    .forEach(
                        rule -> {
                          boolean once = rule.path("optionalOldSelf").asBoolean();
                          assertThat(
                                  rule.path("rule").asText().startsWith("oldSelf.hasValue() || "))
                              .as(path)
                              .isEqualTo(once);
                          assertThat(once && crd.type() != Workflow.class).as(path).isFalse();
                          assertThat(once && path.contains(".status")).as(path).isFalse();
                        }));
  }

  /** Who owns which field of it would be half of a Workflow, and cost a third of every write. */
  @ParameterizedTest
  @MethodSource("crds")
  void what_only_the_operator_writes_is_owned_as_a_whole(Crd crd) {
    String part = crd.type() == WorkflowRecord.class ? "spec" : "status";

    assertThat(crd.schema().at("/properties/" + part + "/x-kubernetes-map-type").asText())
        .isEqualTo("atomic");
  }

  /** The schemas of spec and status and of all below them, by path. */
  private static Map<String, JsonNode> fields(Crd crd) {
    Map<String, JsonNode> fields = new LinkedHashMap<>();
    for (String part : List.of("spec", "status")) {
      collect(crd + "." + part, crd.schema().at("/properties/" + part), fields);
    }
    return fields;
  }

  private static void collect(String path, JsonNode schema, Map<String, JsonNode> fields) {
    if (schema.isMissingNode()) {
      return;
    }
    fields.put(path, schema);
    for (var property : schema.path("properties").properties()) {
      collect(path + "." + property.getKey(), property.getValue(), fields);
    }
    collect(path + "[]", schema.path("items"), fields);
    collect(path + "{}", schema.path("additionalProperties"), fields);
  }
}
