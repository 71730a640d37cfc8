package dev.andon.plan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.WorkflowSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SpecHashTest {
  private static final String SMALLEST =
      """
      type: Erase
      blocks: [{name: a, jobs: [{name: x, type: sleep, args: {seconds: "1"}}]}]
      """;

  private static final String FULL =
      """
      type: Erase
      description: not hashed
      runId: second
      start: Manual
      startDeadlineSeconds: 10
      activeDeadlineSeconds: 20
      paused: true
      maxFailures: 2%
      continueFrom: first
      requestedBy: {username: jane, uid: u, groups: [g]}
      blocks:
      - name: erase
        concurrency: 5
        maxFailures: 3
        pauseAfterSeconds: 60
        forEach:
          range: {from: 1, to: 1700, format: "aap-%04d"}
          batch: {size: 5, pauseSeconds: 60}
          job:
            type: disk-erase
            args: {site: aap, machine: $(item), note: "é \\"\\u2028\\x0f"}
            timeoutSeconds: 30
            retry: {attempts: 2, backoff: {initialSeconds: 1, factor: 2, maxSeconds: 60}}
      - name: list
        forEach: {items: [b, a], job: {type: sleep, args: {seconds: "0.5"}}}
      - name: file
        forEach: {configMapKeyRef: {name: "n", key: k, sha256: "00"}, job: {type: sleep}}
      """;

  /** Made with another implementation (Python's json and hashlib). Frozen: ledgers hold them. */
  @Test
  void the_vectors_of_v1_never_change() {
    assertThat(SpecHash.of(spec(SMALLEST)))
        .isEqualTo("v1:caa1728ace7b71bee64fd76cb4f94bc5733ee8cf3031f8c5f63ecc45b7ce5a71");
    assertThat(SpecHash.of(spec(FULL)))
        .isEqualTo("v1:b217abc7306c9cbff6ec63a704701726ceeddb22904b328c2698d04e9657ceab");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "description: other words",
        "paused: true",
        "startDeadlineSeconds: 5",
        "activeDeadlineSeconds: 5",
        "requestedBy: {username: joe}",
        "runId: ''",
        "continueFrom: ''",
        "start: Automatic"
      })
  void what_does_not_change_the_work_does_not_change_the_hash(String field) {
    assertThat(SpecHash.of(spec(SMALLEST + field))).isEqualTo(SpecHash.of(spec(SMALLEST)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"runId: again", "continueFrom: first", "start: Manual", "maxFailures: 0"})
  void what_asks_for_other_work_has_another_hash(String field) {
    assertThat(SpecHash.of(spec(SMALLEST + field))).isNotEqualTo(SpecHash.of(spec(SMALLEST)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "runId: again",
        "continueFrom: first",
        "paused: true",
        "description: other words",
        "activeDeadlineSeconds: 5",
        "start: Automatic",
        "maxFailures: null"
      })
  void what_tells_a_run_from_another_of_the_same_work_is_no_difference(String field) {
    assertThat(SpecHash.differences(spec(SMALLEST + field), spec(SMALLEST))).isEmpty();
  }

  @Test
  void differences_are_told_by_their_fields() {
    WorkflowSpec one =
        spec(
            """
            type: E
            maxFailures: 3
            blocks:
            - {name: a, jobs: [{name: x, type: t}]}
            - {name: b, concurrency: 1, jobs: [{name: x, type: t}]}
            """);
    WorkflowSpec other =
        spec(
            """
            type: E
            start: Manual
            blocks:
            - {name: a, jobs: [{name: x, type: t, args: {machine: m2}}]}
            - {name: b, jobs: [{name: x, type: t}]}
            """);
    assertThat(SpecHash.differences(one, other))
        .containsExactly("spec.blocks[0]", "spec.maxFailures", "spec.start");
    assertThat(SpecHash.differences(one, spec("{type: E, maxFailures: 3, blocks: []}")))
        .containsExactly("spec.blocks");
  }

  @ParameterizedTest
  @ValueSource(strings = {"concurrency: 1", "maxFailures: 0", "pauseAfterSeconds: 0"})
  void a_default_of_a_block_written_out_makes_no_difference(String field) {
    assertThat(SpecHash.of(block(field))).isEqualTo(SpecHash.of(block("name: a")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"concurrency: 2", "maxFailures: 1", "maxFailures: 0%", "pauseAfterSeconds: 1"})
  void any_other_setting_of_a_block_does(String field) {
    assertThat(SpecHash.of(block(field))).isNotEqualTo(SpecHash.of(block("name: a")));
  }

  @Test
  void no_args_and_empty_args_are_the_same() {
    assertThat(
            SpecHash.canonical(spec("{type: E, blocks: [{name: a, jobs: [{name: x, type: t}]}]}")))
        .isEqualTo(
            SpecHash.canonical(
                spec("{type: E, blocks: [{name: a, jobs: [{name: x, type: t, args: {}}]}]}")))
        .isEqualTo(
            "{\"blocks\":[{\"jobs\":[{\"name\":\"x\",\"type\":\"t\"}],\"name\":\"a\"}],\"type\":\"E\"}");
  }

  @Test
  void the_order_of_jobs_and_items_is_part_of_the_work() {
    assertThat(SpecHash.of(spec("{type: E, blocks: [{name: a, forEach: {items: [b, c]}}]}")))
        .isNotEqualTo(
            SpecHash.of(spec("{type: E, blocks: [{name: a, forEach: {items: [c, b]}}]}")));
  }

  private static WorkflowSpec block(String field) {
    return spec(
        "type: E\nblocks:\n- name: a\n  jobs: [{name: x, type: t}]\n"
            + (field.equals("name: a") ? "" : "  " + field));
  }

  private static WorkflowSpec spec(String yaml) {
    return Yaml.read(WorkflowSpec.class, yaml);
  }
}
