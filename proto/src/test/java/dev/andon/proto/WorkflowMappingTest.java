package dev.andon.proto;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Timestamp;
import dev.andon.crds.IntOrPercent;
import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowSpec;
import dev.andon.crds.WorkflowStatus;
import dev.andon.workflow.v1.JobList;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.OwnerReference;
import java.lang.reflect.Field;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class WorkflowMappingTest {
  private static final dev.andon.workflow.v1.Workflow EMPTY =
      dev.andon.workflow.v1.Workflow.getDefaultInstance();

  @Test
  void types_and_messages_have_the_same_fields() {
    var differences = new ArrayList<String>();
    compare(WorkflowSpec.class, EMPTY.getSpec().getDescriptorForType(), differences);
    compare(WorkflowStatus.class, EMPTY.getStatus().getDescriptorForType(), differences);
    compare(ObjectMeta.class, EMPTY.getMetadata().getDescriptorForType(), differences);
    assertThat(differences).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5})
  void every_component_of_the_object_survives(int variant) {
    Workflow workflow = new Generated(new Values.Distinct(variant)).workflow();

    Workflow back = WorkflowMapping.fromProto(WorkflowMapping.toProto(workflow));

    assertThat(Leaves.of(back)).isEqualTo(Leaves.of(workflow));
    assertThat(back.getSpec()).isEqualTo(workflow.getSpec());
    assertThat(back.getStatus()).isEqualTo(workflow.getStatus());
    assertThat(back.getMetadata()).isEqualTo(workflow.getMetadata());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5})
  void every_field_of_the_message_survives(int variant) {
    dev.andon.workflow.v1.Workflow message =
        new Generated(new Values.Distinct(variant)).message(EMPTY);

    dev.andon.workflow.v1.Workflow back =
        WorkflowMapping.toProto(WorkflowMapping.fromProto(message));

    assertThat(Leaves.of(back)).isEqualTo(Leaves.of(message));
    assertThat(back).isEqualTo(message);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void every_value_keeps_its_name(int variant) {
    Workflow workflow = new Generated(new Values.Distinct(variant)).workflow();
    dev.andon.workflow.v1.Workflow message =
        new Generated(new Values.Distinct(variant)).message(EMPTY);

    assertThat(Leaves.of(WorkflowMapping.toProto(workflow))).isEqualTo(Leaves.of(workflow));
    assertThat(Leaves.of(WorkflowMapping.fromProto(message))).isEqualTo(Leaves.of(message));
  }

  /** Without this the tests above could compare nothing with nothing. */
  @Test
  void generated_objects_and_messages_have_a_value_everywhere() {
    Map<String, Object> object = Leaves.of(new Generated(new Values.Distinct(0)).workflow());
    Map<String, Object> message = Leaves.of(new Generated(new Values.Distinct(0)).message(EMPTY));

    // Texts are numbered, so are the keys of maps: without them both have the same lines.
    assertThat(withoutKeys(object)).isEqualTo(withoutKeys(message)).hasSizeGreaterThan(200);
    List<Object> values =
        object.values().stream()
            .filter(value -> !value.equals("present") && !(value instanceof Boolean))
            .toList();
    assertThat(values).doesNotHaveDuplicates().hasSizeGreaterThan(200);
  }

  static LongStream seeds() {
    return LongStream.range(0, 150);
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void random_objects_and_messages_survive(long seed) throws Exception {
    Workflow workflow = new Generated(new Values.Seeded(seed)).workflow();

    dev.andon.workflow.v1.Workflow message = WorkflowMapping.toProto(workflow);

    assertThat(Leaves.of(message)).isEqualTo(Leaves.of(workflow));
    assertThat(Leaves.of(WorkflowMapping.fromProto(message))).isEqualTo(Leaves.of(workflow));
    assertThat(dev.andon.workflow.v1.Workflow.parseFrom(message.toByteArray())).isEqualTo(message);

    // A generated message may spell a percentage as text: its lines are the same, its bytes not.
    dev.andon.workflow.v1.Workflow generated =
        new Generated(new Values.Seeded(seed)).message(EMPTY);
    Workflow object = WorkflowMapping.fromProto(generated);
    Map<String, Object> said = new TreeMap<>(Leaves.of(generated));
    said.put("metadata", "present");
    assertThat(Leaves.of(object)).isEqualTo(said);
    assertThat(Leaves.of(WorkflowMapping.toProto(object))).isEqualTo(said);
  }

  @Test
  void an_empty_list_of_jobs_is_not_an_absent_one() {
    var empty = block(new WorkflowSpec.Block("b", null, null, List.of(), null, null));
    var absent = block(new WorkflowSpec.Block("b", null, null, null, null, null));

    assertThat(WorkflowMapping.toProto(empty).getSpec().getBlocks(0).hasJobs()).isTrue();
    assertThat(WorkflowMapping.toProto(absent).getSpec().getBlocks(0).hasJobs()).isFalse();
    assertThat(thereAndBack(empty).getSpec()).isEqualTo(empty.getSpec());
    assertThat(thereAndBack(absent).getSpec()).isEqualTo(absent.getSpec());
  }

  @Test
  void an_empty_list_of_items_is_not_an_absent_one() {
    var empty =
        block(
            new WorkflowSpec.Block(
                "b",
                null,
                null,
                null,
                new WorkflowSpec.ForEach(List.of(), null, null, null, null),
                null));
    var absent =
        block(
            new WorkflowSpec.Block(
                "b",
                null,
                null,
                null,
                new WorkflowSpec.ForEach(null, null, null, null, null),
                null));

    assertThat(thereAndBack(empty).getSpec()).isEqualTo(empty.getSpec());
    assertThat(thereAndBack(absent).getSpec()).isEqualTo(absent.getSpec());
  }

  @ParameterizedTest
  @CsvSource({
    "0, NUMBER",
    "3, NUMBER",
    "-3, NUMBER",
    "2147483647, NUMBER",
    "2147483648, TEXT",
    "007, TEXT",
    "+3, TEXT",
    "٣, TEXT",
    "2%, PERCENT",
    "150%, PERCENT",
    "-1%, PERCENT",
    "02%, TEXT",
    "%, TEXT",
    "2%%, TEXT",
    "2 %, TEXT",
    "'', TEXT",
    "many, TEXT",
  })
  void a_number_or_percentage_survives_letter_by_letter(
      String text, dev.andon.workflow.v1.IntOrPercent.ValueCase as) {
    var workflow =
        block(new WorkflowSpec.Block("b", null, new IntOrPercent(text), null, null, null));

    assertThat(
            WorkflowMapping.toProto(workflow)
                .getSpec()
                .getBlocks(0)
                .getMaxFailures()
                .getValueCase())
        .isEqualTo(as);
    assertThat(thereAndBack(workflow).getSpec()).isEqualTo(workflow.getSpec());
  }

  static List<Instant> times() {
    return List.of(
        dev.andon.crds.Timestamp.UNREADABLE,
        Instant.MIN.plusNanos(1),
        Instant.MAX,
        Instant.EPOCH,
        Instant.EPOCH.minusNanos(1),
        Instant.parse("0000-12-31T23:59:59.999Z"),
        Instant.parse("+10000-01-01T00:00:00Z"));
  }

  @ParameterizedTest
  @MethodSource("times")
  void a_time_survives_even_if_it_is_unreadable_or_out_of_range(Instant time) {
    var condition = new dev.andon.crds.Condition("Ready", "True", 1L, time, "r", "m");
    var workflow = new Workflow();
    workflow.setStatus(
        new WorkflowStatus(
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            time,
            null,
            null,
            List.of(condition),
            null,
            null,
            null,
            null,
            null,
            null));

    assertThat(thereAndBack(workflow).getStatus()).isEqualTo(workflow.getStatus());
  }

  @ParameterizedTest
  @CsvSource({
    "9223372036854775807, 0",
    "-9223372036854775808, 0",
    "-31557014167219201, 0",
    "31556889864403200, 0",
    "0, -1",
    "0, 1000000000",
    "0, 2147483647",
  })
  void a_timestamp_that_is_no_time_becomes_unreadable(long seconds, int nanos) {
    Timestamp time = Timestamp.newBuilder().setSeconds(seconds).setNanos(nanos).build();
    var message = dev.andon.workflow.v1.Workflow.newBuilder();
    message.getStatusBuilder().setStartTime(time);
    message.getMetadataBuilder().setCreationTimestamp(time);

    Workflow workflow = WorkflowMapping.fromProto(message.build());

    assertThat(workflow.getStatus().startTime()).isEqualTo(dev.andon.crds.Timestamp.UNREADABLE);
    assertThat(workflow.getMetadata().getCreationTimestamp()).isEqualTo("unreadable");
    assertThat(thereAndBack(workflow).getMetadata()).isEqualTo(workflow.getMetadata());
  }

  @Test
  void times_of_metadata_are_spelled_as_the_api_server_does() {
    var workflow = new Workflow();
    workflow.getMetadata().setCreationTimestamp("2026-11-22T08:00:00Z");
    workflow.getMetadata().setDeletionTimestamp("2026-11-22T10:00:00+01:00");

    ObjectMeta back = thereAndBack(workflow).getMetadata();

    assertThat(back.getCreationTimestamp()).isEqualTo("2026-11-22T08:00:00Z");
    assertThat(back.getDeletionTimestamp()).isEqualTo("2026-11-22T09:00:00Z");
  }

  @Test
  void a_hole_in_a_list_stays_invalid_and_moves_no_index() {
    var job = new WorkflowSpec.Job("a", "sleep", Map.of(), null, null);
    var workflow =
        block(
            new WorkflowSpec.Block(
                "b",
                null,
                null,
                Arrays.asList(null, job),
                new WorkflowSpec.ForEach(Arrays.asList(null, "x"), null, null, null, null),
                null));

    WorkflowSpec.Block back = thereAndBack(workflow).getSpec().blocks().getFirst();

    assertThat(back.jobs())
        .containsExactly(new WorkflowSpec.Job(null, null, Map.of(), null, null), job);
    assertThat(back.forEach().items()).containsExactly("", "x");
  }

  @Test
  void metadata_with_nulls_in_it_is_mapped() {
    var labels = new HashMap<String, String>();
    labels.put("team", null);
    labels.put("site", "aap");
    var workflow = new Workflow();
    workflow.getMetadata().setLabels(labels);
    workflow.getMetadata().setAnnotations(null);
    workflow.getMetadata().setFinalizers(Arrays.asList(null, "andon.dev/cancel"));
    workflow.getMetadata().setOwnerReferences(null);

    ObjectMeta back = thereAndBack(workflow).getMetadata();

    assertThat(back.getLabels()).isEqualTo(Map.of("site", "aap"));
    assertThat(back.getAnnotations()).isEmpty();
    assertThat(back.getFinalizers()).containsExactly("andon.dev/cancel");
    assertThat(back.getOwnerReferences()).isEmpty();
  }

  @Test
  void a_workflow_with_nothing_in_it_is_mapped() {
    var bare = new Workflow();
    bare.setMetadata(null);

    assertThat(WorkflowMapping.toProto(bare)).isEqualTo(EMPTY);
    assertThat(WorkflowMapping.fromProto(EMPTY).getMetadata()).isEqualTo(new ObjectMeta());
    assertThat(WorkflowMapping.fromProto(EMPTY).getSpec()).isNull();
    assertThat(WorkflowMapping.fromProto(EMPTY).getStatus()).isNull();
  }

  @Test
  void args_keep_the_order_of_the_request() {
    var args = new java.util.LinkedHashMap<String, String>();
    for (String name : List.of("zulu", "alpha", "mike", "bravo", "x-ray", "charlie")) {
      args.put(name, name);
    }
    var workflow =
        block(
            new WorkflowSpec.Block(
                "b",
                null,
                null,
                List.of(new WorkflowSpec.Job("a", "sleep", args, null, null)),
                null,
                null));

    Map<String, String> back =
        thereAndBack(workflow).getSpec().blocks().getFirst().jobs().getFirst().args();

    assertThat(back.keySet()).containsExactlyElementsOf(args.keySet());
  }

  private static Workflow thereAndBack(Workflow workflow) {
    return WorkflowMapping.fromProto(WorkflowMapping.toProto(workflow));
  }

  private static Workflow block(WorkflowSpec.Block block) {
    var workflow = new Workflow();
    workflow.setSpec(
        new WorkflowSpec(
            "T", null, null, null, null, null, null, null, null, null, List.of(block)));
    return workflow;
  }

  private static List<String> withoutKeys(Map<String, Object> lines) {
    return lines.keySet().stream().map(path -> path.replaceAll("\\{.*}", "{}")).sorted().toList();
  }

  /** Adds each field that only one of the two has, of them and of everything below. */
  private static void compare(Class<?> type, Descriptor message, List<String> differences) {
    Map<String, Type> ofType = new TreeMap<>();
    if (type.isRecord()) {
      for (RecordComponent component : type.getRecordComponents()) {
        ofType.put(component.getName(), component.getGenericType());
      }
    } else {
      for (Field field : Generated.properties(type)) {
        ofType.put(field.getName(), field.getGenericType());
      }
    }
    Map<String, FieldDescriptor> ofMessage = new TreeMap<>();
    message.getFields().forEach(field -> ofMessage.put(field.getJsonName(), field));
    ofType.forEach(
        (name, of) -> {
          FieldDescriptor field = ofMessage.remove(name);
          if (field == null) {
            differences.add(type.getSimpleName() + "." + name + " is not in workflow.proto");
            return;
          }
          Class<?> element = element(of);
          if (element.isRecord() && element != IntOrPercent.class
              || element == OwnerReference.class) {
            compare(element, element(field.getMessageType()), differences);
          }
        });
    ofMessage
        .keySet()
        .forEach(
            name ->
                differences.add(
                    message.getName() + "." + name + " of workflow.proto is in no Java type"));
  }

  private static Class<?> element(Type type) {
    return type instanceof ParameterizedType generic
        ? element(generic.getActualTypeArguments()[generic.getActualTypeArguments().length - 1])
        : (Class<?>) type;
  }

  private static Descriptor element(Descriptor message) {
    return message == JobList.getDescriptor()
        ? message.getFields().getFirst().getMessageType()
        : message;
  }
}
