package dev.andon.proto;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.UnknownFieldSet;
import dev.andon.workflow.v1.Block;
import dev.andon.workflow.v1.Job;
import dev.andon.workflow.v1.JobList;
import dev.andon.workflow.v1.Workflow;
import dev.andon.workflow.v1.WorkflowSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorkflowRequestsTest {
  private static final Workflow FULL =
      new Generated(new Values.Distinct(0)).message(Workflow.getDefaultInstance());
  private static final UnknownFieldSet STRANGER = varint(5000, 1);

  @Test
  void a_request_is_read() {
    Parsed parsed = WorkflowRequests.parse(FULL.toByteArray());

    assertThat(parsed)
        .isInstanceOfSatisfying(
            Parsed.Request.class,
            request -> assertThat(WorkflowMapping.toProto(request.workflow())).isEqualTo(FULL));
  }

  @Test
  void an_empty_request_is_a_workflow_without_a_spec() {
    assertThat(WorkflowRequests.parse(new byte[0]))
        .isInstanceOfSatisfying(
            Parsed.Request.class, request -> assertThat(request.workflow().getSpec()).isNull());
  }

  @Test
  void an_unknown_field_is_named_with_where_it_is_and_what_would_be_known() {
    var workflow = jobs(Job.newBuilder().setUnknownFields(varint(17, 1)).build());

    assertThat(findings(workflow.toByteArray()))
        .containsExactly(
            "spec.blocks[2].jobs[0]: unknown field 17 (varint); Job has name = 1, type = 2, args ="
                + " 3, timeoutSeconds = 4, retry = 5: leave it out, or send it to an Andon that"
                + " knows it");
  }

  @Test
  void all_unknown_fields_are_named_at_once() {
    UnknownFieldSet many =
        UnknownFieldSet.newBuilder()
            .mergeFrom(varint(16, 1))
            .addField(17, UnknownFieldSet.Field.newBuilder().addFixed32(1).addFixed32(2).build())
            .addField(18, UnknownFieldSet.Field.newBuilder().addFixed64(1).build())
            .addField(
                19,
                UnknownFieldSet.Field.newBuilder()
                    .addLengthDelimited(ByteString.copyFromUtf8("x"))
                    .build())
            .addField(20, UnknownFieldSet.Field.newBuilder().addGroup(STRANGER).build())
            .build();
    var workflow =
        jobs(Job.newBuilder().setUnknownFields(many).build(), withUnknown(Job.newBuilder()))
            .toBuilder();
    workflow.setUnknownFields(STRANGER).getSpecBuilder().setUnknownFields(STRANGER);
    workflow.getMetadataBuilder().setUnknownFields(STRANGER);
    workflow.getSpecBuilder().getBlocksBuilder(2).getJobsBuilder().setUnknownFields(STRANGER);
    workflow.getSpecBuilder().getMaxFailuresBuilder().setUnknownFields(STRANGER);
    workflow.getStatusBuilder().getStartTimeBuilder().setUnknownFields(STRANGER);

    assertThat(findings(workflow.build().toByteArray()))
        .extracting(finding -> finding.substring(0, finding.indexOf(';')))
        .containsExactlyInAnyOrder(
            "request: unknown field 5000 (varint)",
            "metadata: unknown field 5000 (varint)",
            "spec: unknown field 5000 (varint)",
            "spec.maxFailures: unknown field 5000 (varint)",
            "spec.blocks[2].jobs: unknown field 5000 (varint)",
            "spec.blocks[2].jobs[0]: unknown field 16 (varint)",
            "spec.blocks[2].jobs[0]: unknown field 17 (fixed32)",
            "spec.blocks[2].jobs[0]: unknown field 18 (fixed64)",
            "spec.blocks[2].jobs[0]: unknown field 19 (length-delimited)",
            "spec.blocks[2].jobs[0]: unknown field 20 (group)",
            "spec.blocks[2].jobs[1]: unknown field 5000 (varint)",
            "status.startTime: unknown field 5000 (varint)");
  }

  @Test
  void an_unknown_field_is_found_in_every_message_there_is() {
    List<Message> requests = eachWithAStranger(FULL);

    assertThat(requests).hasSizeGreaterThan(60);
    for (Message request : requests) {
      assertThat(findings(request.toByteArray()))
          .singleElement()
          .asString()
          .contains("unknown field 5000 (varint)");
    }
  }

  /** The parser of protobuf-java drops these, so its UnknownFieldSet would show nothing. */
  @Test
  void an_unknown_field_in_the_entry_of_a_map_is_named() {
    ByteString entry =
        UnknownFieldSet.newBuilder()
            .mergeFrom(text(1, "site"))
            .mergeFrom(text(2, "aap"))
            .mergeFrom(varint(3, 1))
            .build()
            .toByteString();
    Job job =
        Job.newBuilder()
            .setName("a")
            .setUnknownFields(
                UnknownFieldSet.newBuilder()
                    .addField(
                        Job.ARGS_FIELD_NUMBER,
                        UnknownFieldSet.Field.newBuilder().addLengthDelimited(entry).build())
                    .build())
            .build();

    assertThat(findings(jobs(job).toByteArray()))
        .singleElement()
        .asString()
        .startsWith("spec.blocks[2].jobs[0].args[0]: unknown field 3 (varint)");
  }

  @Test
  void a_known_field_in_another_encoding_is_named() {
    Job job =
        Job.newBuilder()
            .setUnknownFields(
                UnknownFieldSet.newBuilder()
                    .mergeFrom(varint(Job.TYPE_FIELD_NUMBER, 1))
                    .mergeFrom(text(Job.TIMEOUT_SECONDS_FIELD_NUMBER, "60"))
                    .build())
            .build();

    assertThat(findings(jobs(job).toByteArray()))
        .containsExactlyInAnyOrder(
            "spec.blocks[2].jobs[0].type: field 2 is encoded as varint, not as length-delimited;"
                + " encode it with workflow.proto of andon.workflow.v1",
            "spec.blocks[2].jobs[0].timeoutSeconds: field 4 is encoded as length-delimited, not as"
                + " varint; encode it with workflow.proto of andon.workflow.v1");
  }

  @Test
  void text_that_is_not_utf_8_is_named() {
    UnknownFieldSet latin1 =
        UnknownFieldSet.newBuilder()
            .addField(
                Job.NAME_FIELD_NUMBER,
                UnknownFieldSet.Field.newBuilder()
                    .addLengthDelimited(ByteString.copyFrom(new byte[] {(byte) 0xe9}))
                    .build())
            .build();

    assertThat(findings(jobs(Job.newBuilder().setUnknownFields(latin1).build()).toByteArray()))
        .containsExactly("spec.blocks[2].jobs[0].name: not UTF-8; strings are encoded as UTF-8");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"spec\": {\"type\": \"T\"}}",
        "apiVersion: andon.dev/v1alpha1\nkind: Workflow\n",
        "\u0000\u0000",
        "\u0007",
        "\u000c",
      })
  void bytes_of_something_else_are_refused(String text) {
    assertThat(findings(text.getBytes(UTF_8)))
        .singleElement()
        .asString()
        .startsWith("request: not an encoded andon.workflow.v1.Workflow: ");
  }

  @Test
  void a_request_cut_short_is_refused_and_never_read_as_a_smaller_one_within_a_field() {
    byte[] bytes = Workflow.newBuilder().setSpec(FULL.getSpec()).build().toByteArray();
    // All of it is one field: only nothing at all is a whole message, too.
    for (int length = 1; length < bytes.length; length++) {
      assertThat(WorkflowRequests.parse(Arrays.copyOf(bytes, length)))
          .as("first %d of %d bytes", length, bytes.length)
          .isInstanceOf(Parsed.Refused.class);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void no_bytes_throw_and_nothing_unknown_passes(long seed) {
    var random = new SplittableRandom(seed);
    byte[] whole =
        new Generated(new Values.Seeded(seed)).message(Workflow.getDefaultInstance()).toByteArray();
    int read = 0;
    for (int round = 0; round < 1_500; round++) {
      byte[] bytes;
      if (round % 4 == 0) {
        bytes = new byte[random.nextInt(40)];
        random.nextBytes(bytes);
      } else {
        bytes = whole.clone();
        for (int changes = random.nextInt(1, 4); changes > 0; changes--) {
          bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
        }
      }

      Parsed parsed = WorkflowRequests.parse(bytes);

      switch (parsed) {
        case Parsed.Refused refused -> assertThat(refused.findings()).isNotEmpty();
        case Parsed.Request request -> {
          read++;
          assertThat(hasUnknown(bytes)).as("unknown fields in %s", request).isFalse();
        }
      }
    }
    assertThat(read).as("changed requests that were still requests").isPositive();
  }

  @Test
  void a_request_of_one_mebibyte_is_read_and_one_byte_more_is_refused() {
    byte[] most = ofSize(WorkflowRequests.MAX_BYTES);
    byte[] more = ofSize(WorkflowRequests.MAX_BYTES + 1);

    assertThat(WorkflowRequests.parse(most)).isInstanceOf(Parsed.Request.class);
    assertThat(findings(more))
        .containsExactly(
            "request: 1,048,577 bytes; a Workflow has at most 1,048,576 (1 MiB): use forEach with"
                + " range or configMapKeyRef instead of listing every job");
  }

  @Test
  void more_parts_than_the_heap_should_hold_are_refused_before_they_are_made() {
    var list = JobList.newBuilder();
    for (int i = 0; i <= WireCheck.MAX_PARTS; i++) {
      list.addJobs(Job.getDefaultInstance());
    }

    assertThat(findings(block(Block.newBuilder().setJobs(list).build()).toByteArray()))
        .containsExactly(
            "request: more than 60000 blocks, jobs, items and arguments; a Workflow has at most"
                + " 1,000 jobs and 10,000 items listed: use forEach with range or"
                + " configMapKeyRef");
  }

  @Test
  void the_largest_valid_workflow_is_read() {
    var spec = WorkflowSpec.newBuilder().setType("T");
    for (int block = 0; block < 200; block++) {
      var list = JobList.newBuilder();
      for (int index = 0; index < 5; index++) {
        var job = Job.newBuilder().setName("j" + index).setType("t");
        job.getRetryBuilder().setAttempts(2).getBackoffBuilder().setFactor(2);
        for (int arg = 0; arg < 16; arg++) {
          job.putArgs("a" + arg, "v");
        }
        list.addJobs(job);
      }
      spec.addBlocks(Block.newBuilder().setName("b" + block).setJobs(list));
    }
    var forEach = spec.addBlocksBuilder().setName("items").getForEachBuilder();
    for (int item = 0; item < 10_000; item++) {
      forEach.getItemsBuilder().addItems("aap-" + item);
    }

    assertThat(WorkflowRequests.parse(Workflow.newBuilder().setSpec(spec).build().toByteArray()))
        .isInstanceOf(Parsed.Request.class);
  }

  @Test
  void groups_within_groups_are_refused_and_not_followed_to_the_end_of_the_stack() {
    byte[] bytes = new byte[WorkflowRequests.MAX_BYTES];
    Arrays.fill(bytes, (byte) ((15 << 3) | 3));

    assertThat(findings(bytes)).hasSize(1);
  }

  @Test
  void findings_stop_at_a_hundred_and_the_others_are_counted() {
    Job stranger = withUnknown(Job.newBuilder());
    Job[] jobs = new Job[250];
    Arrays.fill(jobs, stranger);

    assertThat(findings(jobs(jobs).toByteArray()))
        .hasSize(101)
        .last()
        .isEqualTo("request: 150 more findings like these");
  }

  private static List<String> findings(byte[] bytes) {
    return switch (WorkflowRequests.parse(bytes)) {
      case Parsed.Refused refused -> refused.findings();
      case Parsed.Request request ->
          throw new AssertionError("read as " + WorkflowMapping.toProto(request.workflow()));
    };
  }

  private static Workflow jobs(Job... jobs) {
    return block(
        Block.newBuilder().setJobs(JobList.newBuilder().addAllJobs(Arrays.asList(jobs))).build());
  }

  private static Workflow block(Block third) {
    return Workflow.newBuilder()
        .setSpec(
            WorkflowSpec.newBuilder()
                .setType("T")
                .addBlocks(Block.newBuilder().setName("a"))
                .addBlocks(Block.newBuilder().setName("b"))
                .addBlocks(third))
        .build();
  }

  private static byte[] ofSize(int bytes) {
    var spec = WorkflowSpec.newBuilder();
    int text = bytes - 12;
    while (true) {
      byte[] encoded =
          Workflow.newBuilder()
              .setSpec(spec.setDescription("x".repeat(text)))
              .build()
              .toByteArray();
      if (encoded.length == bytes) {
        return encoded;
      }
      text += bytes - encoded.length;
    }
  }

  private static Job withUnknown(Job.Builder job) {
    return job.setUnknownFields(STRANGER).build();
  }

  private static UnknownFieldSet varint(int field, long value) {
    return UnknownFieldSet.newBuilder()
        .addField(field, UnknownFieldSet.Field.newBuilder().addVarint(value).build())
        .build();
  }

  private static UnknownFieldSet text(int field, String value) {
    return UnknownFieldSet.newBuilder()
        .addField(
            field,
            UnknownFieldSet.Field.newBuilder()
                .addLengthDelimited(ByteString.copyFromUtf8(value))
                .build())
        .build();
  }

  /** The message once for each message in it, that one with an unknown field. */
  private static List<Message> eachWithAStranger(Message message) {
    var all = new ArrayList<Message>();
    all.add(message.toBuilder().setUnknownFields(STRANGER).build());
    for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
      if (field.getJavaType() != FieldDescriptor.JavaType.MESSAGE || field.isMapField()) {
        continue;
      }
      if (field.isRepeated()) {
        for (int i = 0; i < message.getRepeatedFieldCount(field); i++) {
          for (Message each : eachWithAStranger((Message) message.getRepeatedField(field, i))) {
            all.add(message.toBuilder().setRepeatedField(field, i, each).build());
          }
        }
      } else if (message.hasField(field)) {
        for (Message each : eachWithAStranger((Message) message.getField(field))) {
          all.add(message.toBuilder().setField(field, each).build());
        }
      }
    }
    return all;
  }

  /**
   * By another reader than the one under test; a DynamicMessage keeps those of map entries, too.
   */
  private static boolean hasUnknown(byte[] bytes) {
    try {
      return hasUnknown(DynamicMessage.parseFrom(Workflow.getDescriptor(), bytes));
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError("read, but not by another reader", e);
    }
  }

  private static boolean hasUnknown(Message message) {
    if (!message.getUnknownFields().asMap().isEmpty()) {
      return true;
    }
    return message.getAllFields().entrySet().stream()
        .filter(field -> field.getKey().getJavaType() == FieldDescriptor.JavaType.MESSAGE)
        .anyMatch(
            field ->
                field.getKey().isRepeated()
                    ? ((List<?>) field.getValue())
                        .stream().anyMatch(each -> hasUnknown((Message) each))
                    : hasUnknown((Message) field.getValue()));
  }
}
