package dev.andon.operator.workflow;

import static dev.andon.operator.workflow.Scene.CALL;
import static dev.andon.operator.workflow.Scene.range;
import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.WorkflowStatus;
import dev.andon.operator.workflow.Progress.Position;
import dev.andon.operator.workflow.Progress.Reading;
import dev.andon.plan.Plan;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a status tells of the jobs, and what it cannot be true of any. */
class ProgressTest {
  private static final KubernetesSerialization JSON = new KubernetesSerialization();

  private static final Plan PLAN =
      Plan.of(Scene.spec(range("a", 3, 5, CALL), range("b", 2, 3, CALL)));

  /** Of five jobs one succeeded, one failed, one is unknown, one is under way and one waits. */
  private static final String SOUND =
      """
      starts: 7
      startTime: 2026-01-01T00:00:00Z
      blocks:
      - name: a
        total: 5
        succeeded: "0"
        failed: "1"
        unknown: "2"
        startTime: 2026-01-01T00:00:00Z
        nextBatchTime: 2026-01-01T00:01:00Z
        unknownAttempts: [{attempt: 3, indexes: "2"}]
      active:
      - {block: a, index: 3, attempt: 1, sends: 1, startTime: 2026-01-01T00:00:00Z, deadline: 2026-01-01T00:10:00Z}
      - {block: a, index: 4, attempt: 2, sends: 0, nextAttemptTime: 2026-01-01T00:00:09Z}
      """;

  /** The second block is under way; the first has ended. */
  private static final String LATER =
      """
      starts: 9
      startTime: 2026-01-01T00:00:00Z
      blocks:
      - {name: a, total: 5, succeeded: 0-4, startTime: 2026-01-01T00:00:00Z, endTime: 2026-01-01T00:01:00Z}
      - {name: b, total: 3, skipped: "0", startTime: 2026-01-01T00:01:00Z}
      """;

  private static Reading read(String status) {
    return Progress.read(JSON.unmarshal("---\n" + status, WorkflowStatus.class), PLAN);
  }

  private static Progress sound(String status) {
    Reading reading = read(status);
    assertThat(reading).isInstanceOf(Reading.Sound.class);
    return ((Reading.Sound) reading).progress();
  }

  @Test
  void a_sound_status_is_read_and_written_back_as_it_was() {
    var status = JSON.unmarshal("---\n" + SOUND, WorkflowStatus.class);

    Progress progress = sound(SOUND);

    assertThat(JSON.asJson(progress.blockStatuses().getFirst()))
        .isEqualTo(
            JSON.asJson(
                JSON.unmarshal(
                    "---\n{name: a, total: 5, succeeded: '0', failed: '1', skipped: '', unknown: '2',"
                        + " startTime: '2026-01-01T00:00:00Z', nextBatchTime: '2026-01-01T00:01:00Z',"
                        + " unknownAttempts: [{attempt: 3, indexes: '2'}]}",
                    WorkflowStatus.BlockStatus.class)));
    assertThat(progress.active.values()).containsExactlyElementsOf(status.active());
    assertThat(progress.starts).isEqualTo(7);
    assertThat(progress.counts()).isEqualTo(new WorkflowStatus.JobCounts(8, 1, 1, 0, 1, 1));
    assertThat(progress.ended()).isEqualTo(2);
    assertThat(progress.currentBlock()).isEqualTo("a (1/2)");
    assertThat(progress.block(0).unknownAttempt(2)).isEqualTo(3);
  }

  @Test
  void each_unknown_job_has_the_number_of_its_own_attempt() {
    Progress progress =
        sound(
            """
            starts: 7
            blocks:
            - name: a
              total: 5
              unknown: 0-3
              startTime: 2026-01-01T00:00:00Z
              unknownAttempts: [{attempt: 2, indexes: "1"}, {attempt: 3, indexes: 2-3}]
            """);

    assertThat(progress.block(0).unknownAttempt(0)).isEqualTo(1);
    assertThat(progress.block(0).unknownAttempt(1)).isEqualTo(2);
    assertThat(progress.block(0).unknownAttempt(2)).isEqualTo(3);
    assertThat(progress.block(0).unknownAttempt(3)).isEqualTo(3);
  }

  @Test
  void of_a_later_block_what_an_earlier_run_did_has_ended() {
    Progress progress = sound(LATER);

    assertThat(progress.counts()).isEqualTo(new WorkflowStatus.JobCounts(8, 5, 0, 1, 0, 0));
    assertThat(progress.block(1).nextNotEnded(0)).isEqualTo(1);
    assertThat(progress.currentBlock()).isEqualTo("b (2/2)");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        // in SOUND, replace this | by this | and it says
        "starts: 7            | starts: -1              | status.starts: -1 is negative",
        "starts: 7            | starts: 0               | status.starts: is 0, but jobs have begun",
        "starts: 7            | completionTime: soon    | status.completionTime: is no time",
        "name: a              | name: z                 | status.blocks[0].name: \"z\", but spec has \"a\"",
        "total: 5             | total: 4                | status.blocks[0].total: 4, but spec has 5 jobs",
        "total: 5             | total: null             | status.blocks[0].total: null, but spec has 5 jobs",
        "succeeded: \"0\"     | succeeded: \"0,1-\"     | status.blocks[0].succeeded: \"0,1-\" are not canonical ranges",
        "succeeded: \"0\"     | succeeded: \"0,5\"      | status.blocks[0].succeeded: index 5, but the block has 5 jobs",
        "failed: \"1\"        | failed: \"01\"          | status.blocks[0].failed: \"01\" are not canonical",
        "failed: \"1\"        | skipped: \"1,\"         | status.blocks[0].skipped: \"1,\" are not canonical",
        "unknown: \"2\"       | unknown: \"2-9\"        | status.blocks[0].unknown: index 9, but the block has 5 jobs",
        "failed: \"1\"        | failed: \"0-1\"         | status.blocks[0]: a job is in more than one of",
        "failed: \"1\"        | skipped: \"2\"          | status.blocks[0]: a job is in more than one of",
        "nextBatchTime: 2026-01-01T00:01:00Z | nextBatchTime: later | status.blocks[0].nextBatchTime: is no time",
        "nextBatchTime: 2026-01-01T00:01:00Z | endTime: later       | status.blocks[0].endTime: is no time",
        "attempt: 3, indexes  | attempt: 1, indexes     | status.blocks[0].unknownAttempts: 1; the first has no entry",
        "attempt: 3, indexes  | indexes                 | status.blocks[0].unknownAttempts: null; the first has no entry",
        "indexes: \"2\"       | indexes: \"3\"          | status.blocks[0].unknownAttempts: \"3\" are not unknown jobs",
        "indexes: \"2\"       | indexes: \"\"           | status.blocks[0].unknownAttempts: \"\" are not unknown jobs",
        "indexes: \"2\"       | indexes: 2-             | status.blocks[0].unknownAttempts: \"2-\" are not canonical",
        "indexes: \"2\"}      | indexes: \"2\"}, {attempt: 4, indexes: \"2\"} | status.blocks[0].unknownAttempts: \"2\" are not unknown jobs, each once",
        "block: a, index: 3   | block: b, index: 0      | status.active[0].block: \"b\" has not begun",
        "block: a, index: 3   | block: z, index: 0      | status.active[0].block: \"z\" has not begun",
        "block: a, index: 4   | block: b, index: 0      | status.active[1].block: \"b\" has not begun",
        "index: 3             | index: -1               | status.active[0].index: -1, but the block has 5 jobs",
        "index: 3             | index: 5                | status.active[0].index: 5, but the block has 5 jobs",
        "index: 3, attempt    | attempt                 | status.active[0].index: null, but the block has 5 jobs",
        "index: 3             | index: 0                | status.active[0]: job 0 has ended already",
        "index: 3             | index: 2                | status.active[0]: job 2 has ended already",
        "index: 3             | index: 4                | status.active[1]: job 4 of block a is there twice",
        "attempt: 1, sends    | attempt: 0, sends       | status.active[0].attempt: 0; attempts count from 1",
        "attempt: 1, sends    | sends                   | status.active[0].attempt: null; attempts count from 1",
        "sends: 1             | sends: -1               | status.active[0].sends: -1 is negative",
        "deadline: 2026-01-01T00:10:00Z | deadline: later | status.active[0].deadline: is no time",
        "nextAttemptTime: 2026-01-01T00:00:09Z | nextAttemptTime: later | status.active[1].nextAttemptTime: is no time",
        "nextAttemptTime: 2026-01-01T00:00:09Z | operation: x | status.active[1]: has neither nextAttemptTime nor",
        "nextAttemptTime: 2026-01-01T00:00:09Z | startTime: 2026-01-01T00:00:00Z | status.active[1]: has neither nextAttemptTime nor",
      })
  void what_cannot_be_true_is_named(String part, String wrong, String finding) {
    assertThat(SOUND).contains(part);
    assertCorrupt(SOUND.replace(part, wrong), finding);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        // in LATER, replace this | by this | and it says
        "succeeded: 0-4       | succeeded: 0-3          | status.blocks[0]: a later block has begun, but 4 of its 5 jobs have ended",
        "endTime              | nextBatchTime           | status.blocks[0].endTime: is missing, all jobs ended",
        "starts: 9            | starts: 0               | status.starts: is 0, but jobs have begun",
        "startTime: 2026-01-01T00:00:00Z, endTime | startTime: x, endTime | status.blocks[0].startTime: is no time",
      })
  void what_cannot_be_true_of_one_block_after_the_other_is_named(
      String part, String wrong, String finding) {
    assertThat(LATER).contains(part);
    assertCorrupt(LATER.replace(part, wrong), finding);
  }

  @Test
  void more_blocks_than_the_spec_has_are_corrupt() {
    assertCorrupt(
        LATER + "- {name: c, total: 1, startTime: 2026-01-01T00:01:00Z}\n",
        "status.blocks: 3 blocks, but spec has 2");
  }

  @Test
  void a_start_at_no_time_is_corrupt() {
    assertCorrupt(
        SOUND.replaceFirst("startTime: \\S+", "startTime: x"), "status.startTime: is no time");
    assertCorrupt(
        SOUND.replace("sends: 1, startTime: 2026-01-01T00:00:00Z", "sends: 1, startTime: x"),
        "status.active[0].startTime: is no time");
  }

  @Test
  void the_same_attempt_told_twice_of_unknown_jobs_is_corrupt() {
    assertCorrupt(
        SOUND
            .replace("failed: \"1\"", "failed: \"\"")
            .replace("unknown: \"2\"", "unknown: \"1-2\"")
            .replace(
                "{attempt: 3, indexes: \"2\"}",
                "{attempt: 3, indexes: \"2\"}, {attempt: 3, indexes: \"1\"}"),
        "status.blocks[0].unknownAttempts: attempt 3 is there twice");
  }

  @Test
  void without_starts_there_is_no_retry_that_waits() {
    assertCorrupt(
        """
        starts: 0
        blocks: [{name: a, total: 5, startTime: 2026-01-01T00:00:00Z}]
        active: [{block: a, index: 4, attempt: 1, nextAttemptTime: 2026-01-01T00:00:09Z}]
        """,
        "status.starts: is 0, but jobs have begun");
  }

  /** Of a run that continues another: a person may have resolved what that one left unknown. */
  @Test
  void without_starts_a_continuing_run_may_know_of_jobs_that_ended_and_retries_but_of_none_sent() {
    String resolved =
        """
        starts: 0
        continued: {workflow: first, uid: u}
        blocks: [{name: a, total: 5, succeeded: "1", startTime: 2026-01-01T00:00:00Z}]
        active: [{block: a, index: 4, attempt: 2, nextAttemptTime: 2026-01-01T00:00:09Z}]
        """;

    assertThat(sound(resolved).ended()).isEqualTo(1);
    assertCorrupt(
        resolved.replace(
            "nextAttemptTime: 2026-01-01T00:00:09Z",
            "startTime: 2026-01-01T00:00:00Z, deadline: 2026-01-01T00:01:00Z"),
        "status.starts: is 0, but jobs have begun");
  }

  /** Blocks that have not begun, of which an earlier run did something. */
  private static final String AHEAD =
      """
      starts: 3
      continued: {workflow: first, uid: u}
      blocks:
      - {name: a, total: 5, skipped: 0-1, startTime: 2026-01-01T00:00:00Z}
      - {name: b, total: 3, skipped: "0", unknown: "1"}
      earlierAttempts:
      - {block: b, indexes: 1-2, attempt: 1, workflow: first, uid: u}
      """;

  @Test
  void what_an_earlier_run_did_ahead_is_known_though_the_block_has_not_begun() {
    Progress progress = sound(AHEAD);

    assertThat(progress.begun(PLAN.blocks().get(1))).isFalse();
    assertThat(progress.known(PLAN.blocks().get(1))).isNotNull();
    assertThat(progress.ended()).isEqualTo(3);
    assertThat(progress.unknown()).isEqualTo(1);
    assertThat(progress.toBeRepeated()).containsExactly(new Position(1, 2));
    assertThat(progress.earlierAttempts())
        .containsExactlyElementsOf(
            JSON.unmarshal("---\n" + AHEAD, WorkflowStatus.class).earlierAttempts());
    assertThat(progress.blockStatuses()).hasSize(2);
  }

  @Test
  void a_retry_may_wait_in_a_block_ahead_and_nothing_may_run_there() {
    String retry =
        AHEAD + "active: [{block: b, index: 2, attempt: 1, nextAttemptTime: 2026-01-01T00:00:09Z}]";

    assertThat(sound(retry).toBeRepeated()).isEmpty();
    assertCorrupt(
        retry.replace(
            "nextAttemptTime: 2026-01-01T00:00:09Z",
            "startTime: 2026-01-01T00:00:00Z, deadline: 2026-01-01T00:01:00Z"),
        "status.active[0].block: \"b\" has not begun");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        // in AHEAD, replace this | by this | and it says
        "{block: b,        | {block: z,          | status.earlierAttempts[0].block: \"z\" is not in status.blocks",
        "attempt: 1        | attempt: 0          | status.earlierAttempts[0].attempt: 0; attempts count from 1",
        "attempt: 1,       | jobType: {name: x}, | status.earlierAttempts[0].attempt: null; attempts count from 1",
        "attempt: 1        | attempt: 2          | status.earlierAttempts[0].attempt: 2, but job 1 is at another",
        "indexes: 1-2, attempt: 1, workflow: first, uid: u | indexes: 1-2, attempt: 1, uid: u         | status.earlierAttempts[0]: has no workflow and uid",
        "indexes: 1-2, attempt: 1, workflow: first, uid: u | indexes: 1-2, attempt: 1, workflow: first | status.earlierAttempts[0]: has no workflow and uid",
        "indexes: 1-2      | indexes: 2-1        | status.earlierAttempts[0].indexes: \"2-1\" are not canonical",
        "indexes: 1-2      | indexes: \"\"       | status.earlierAttempts[0].indexes: there is none",
        "indexes: 1-2      | indexes: 0-2        | status.earlierAttempts[0]: job 0 has ended already",
        "1-2, attempt: 1, workflow: first, uid: u} | 1-2, attempt: 1, workflow: first, uid: u}, {block: b, indexes: \"2\", attempt: 1, workflow: first, uid: v} | status.earlierAttempts[1]: job 2 is there twice",
        "startTime: 2026-01-01T00:00:00Z} | endTime: 2026-01-01T00:00:00Z}, {name: b, total: 3, startTime: 2026-01-01T00:00:00Z} | status.blocks[1].startTime: is there, but not of the one before",
      })
  void what_cannot_be_true_of_an_earlier_run_is_named(String part, String wrong, String finding) {
    assertThat(AHEAD).contains(part);
    String changed = AHEAD.replace(part, wrong).replace("}, {", "}\n- {");
    if (finding.startsWith("status.blocks[1].startTime")) {
      changed = changed.replace("- {name: b, total: 3, skipped: \"0\", unknown: \"1\"}\n", "");
    }
    assertCorrupt(changed, finding);
  }

  @Test
  void an_attempt_under_way_and_one_of_an_earlier_run_have_one_number() {
    String retry =
        AHEAD + "active: [{block: b, index: 2, attempt: 2, nextAttemptTime: 2026-01-01T00:00:09Z}]";

    assertCorrupt(retry, "status.earlierAttempts[0].attempt: 1, but job 2 is at another");
  }

  private static void assertCorrupt(String status, String finding) {
    Reading reading = read(status);

    assertThat(reading).as(status).isInstanceOf(Reading.Corrupt.class);
    assertThat(((Reading.Corrupt) reading).finding()).startsWith(finding);
  }
}
