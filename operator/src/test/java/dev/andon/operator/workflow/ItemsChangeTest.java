package dev.andon.operator.workflow;

import static dev.andon.operator.workflow.Scene.CALL;
import static dev.andon.operator.workflow.Scene.STOPPED;
import static dev.andon.operator.workflow.Scene.key;
import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.WorkflowSpec;
import dev.andon.crds.WorkflowSpec.Block;
import dev.andon.crds.WorkflowSpec.ConfigMapKeyRef;
import dev.andon.crds.WorkflowSpec.ForEach;
import dev.andon.crds.WorkflowSpec.Job;
import dev.andon.operator.execution.Attempt;
import dev.andon.operator.execution.Outcome;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Items of a ConfigMap are those whose hash is in spec. */
class ItemsChangeTest {
  private static final ConfigMapKeyRef REF =
      new ConfigMapKeyRef("machines", "all", "ab".repeat(32));
  private static final Items THERE =
      new Items(Map.of(REF, List.of("m-1", "m-2", "m-3")), List.of(), List.of());
  private static final Items CHANGED_SINCE =
      new Items(
          THERE.lists(),
          List.of("key all of ConfigMap machines: the content has sha256 cd"),
          List.of());

  /** As after a restart: nobody here ever saw what the hash means. */
  private static final Items LOST = new Items(Map.of(), CHANGED_SINCE.changed(), List.of());

  private static Scene scene() {
    var scene =
        new Scene(
            new Block(
                "a",
                1,
                null,
                null,
                new ForEach(
                    null,
                    null,
                    REF,
                    null,
                    new Job(null, CALL, Map.of("machine", "$(item)"), null, null)),
                null));
    scene.items = THERE;
    return scene;
  }

  @Test
  void each_line_is_a_job() {
    var scene = scene();

    assertThat(scene.step().begin())
        .extracting(Attempt::args)
        .containsExactly(Map.of("machine", "m-1"));
    assertThat(scene.status.jobs().total()).isEqualTo(3);
  }

  @Test
  void before_they_are_known_it_waits_and_is_not_judged() {
    var scene = scene();
    scene.items = LOST;

    Decision decision = scene.step();

    assertThat(decision.begin()).isEmpty();
    assertThat(decision.wakeUp()).isBeforeOrEqualTo(scene.now.plusSeconds(10));
    assertThat(scene.condition("Ready")).isEqualTo("False/ItemsChanged");
    assertThat(scene.condition("Accepted")).isEqualTo("absent");
    scene.items = THERE;
    assertThat(scene.step().begin()).hasSize(1);
  }

  @Test
  void a_start_deadline_counts_while_it_waits_for_them() {
    var scene = scene();
    WorkflowSpec s = scene.spec;
    scene.spec =
        new WorkflowSpec(s.type(), null, null, null, 60, null, null, null, null, null, s.blocks());
    scene.items = LOST;
    scene.step();
    scene.after(60);
    scene.step();

    assertThat(scene.condition("Failed")).isEqualTo("True/StartDeadlineExceeded");
  }

  @Test
  void other_content_holds_what_runs_until_it_is_what_it_was() {
    var scene = scene();
    scene.step();
    scene.items = CHANGED_SINCE;
    scene.succeed(key("a", 0, 1));

    assertThat(scene.step().begin()).isEmpty();
    assertThat(scene.status.phase()).isEqualTo("Paused");
    assertThat(scene.condition("Ready")).isEqualTo("False/ItemsChanged");
    assertThat(scene.status.progress()).isEqualTo("1/3");
    scene.items = THERE;
    assertThat(scene.step().begin())
        .extracting(Attempt::args)
        .containsExactly(Map.of("machine", "m-2"));
  }

  @Test
  void a_resume_does_not_take_other_items() {
    var scene = scene();
    scene.step();
    scene.items = CHANGED_SINCE;
    scene.step();
    var resume = scene.ask("Resume");

    assertThat(scene.step().begin()).isEmpty();
    assertThat(scene.answer(resume).phase()).isEqualTo("Refused");
  }

  @Test
  void after_a_restart_without_them_nothing_is_corrupt_and_nobody_is_asked_about_the_wrong_item() {
    var scene = scene();
    scene.step();
    scene.restart();
    scene.items = LOST;

    assertThat(scene.step().begin()).isEmpty();
    assertThat(scene.condition("Ready")).isEqualTo("False/ItemsChanged");
    assertThat(scene.status.jobs().total()).isEqualTo(3);
    assertThat(scene.status.active()).hasSize(1);

    scene.items = THERE;
    assertThat(scene.step().begin())
        .singleElement()
        .satisfies(
            a -> {
              assertThat(a.work()).isInstanceOf(Attempt.Work.Observe.class);
              assertThat(a.args()).isEqualTo(Map.of("machine", "m-1"));
            });
  }

  @Test
  void what_was_under_way_and_cannot_be_asked_about_becomes_unknown_in_time() {
    var scene = scene();
    scene.step();
    scene.restart();
    scene.items = LOST;
    scene.step();
    scene.after(606);
    scene.step();

    assertThat(scene.status.jobs().unknown()).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({"true", "false"})
  void a_stop_ends_it_whether_they_are_known_or_not(boolean known) {
    var scene = scene();
    scene.step();
    scene.items = known ? CHANGED_SINCE : LOST;
    scene.stop = STOPPED;

    assertThat(scene.step().cancel()).isTrue();
    assertThat(scene.status.phase()).isEqualTo("Stopping");
    scene.outcome(key("a", 0, 1), new Outcome.Cancelled());
    scene.step();
    assertThat(scene.status.phase()).isEqualTo("Stopped");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "null",
      value = {
        "'' | ''",
        "a | a",
        "'a\nb' | a;b",
        "'a\nb\n' | a;b",
        "'a\n\nb' | a;;b",
        "'\na' | ;a",
        "'a\r\nb' | 'a\r;b'"
      })
  void a_newline_ends_a_line(String text, String lines) {
    assertThat(String.join(";", Lines.of(text))).isEqualTo(lines);
    assertThat(Lines.of(text)).hasSize(text.isEmpty() ? 0 : lines.split(";", -1).length);
  }

  @Test
  void however_many_lines_there_are_each_is_there() {
    for (int lines = 0; lines < 70; lines++) {
      var expected = new java.util.ArrayList<String>();
      for (int i = 0; i < lines; i++) {
        expected.add("m-" + i);
      }

      assertThat(Lines.of(String.join("\n", expected))).isEqualTo(expected);
    }
  }

  @Test
  void a_resume_takes_no_other_job_type_while_the_items_are_others() {
    var scene = scene();
    scene.step();
    scene.succeed(key("a", 0, 1));
    scene.items = CHANGED_SINCE;
    scene.versions.put(CALL, new dev.andon.crds.WorkflowStatus.PinnedJobType(CALL, "call-uid", 2L));
    scene.step();
    var resume = scene.ask("Resume");

    assertThat(scene.step().begin()).isEmpty();
    assertThat(scene.answer(resume).phase()).isEqualTo("Refused");
    assertThat(scene.answer(resume).message()).isEqualTo(CHANGED_SINCE.changed().getFirst());
  }

  @Test
  void a_hundred_thousand_lines_are_as_many_items() {
    String text = "machine\n".repeat(100_000);

    assertThat(Lines.of(text)).hasSize(100_000);
    assertThat(Lines.of(text).get(99_999)).isEqualTo("machine");
  }
}
