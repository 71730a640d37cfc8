package dev.andon.operator.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.crds.JobTypeSpec;
import dev.andon.crds.WorkflowStatus.PinnedJobType;
import dev.andon.operator.execution.TemplateAnswer.Sound;
import dev.andon.operator.execution.TemplateAnswer.Untold;
import dev.andon.operator.execution.TemplateAnswer.Wrong;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** How often the API server is asked, and what is made of its answers. */
class TemplateTriesTest {
  private static final JobTypeSpec TYPE =
      JobManifestTest.type(
          "executor: {container: {template: {spec: {containers: [{name: a, image: x}]}}}}");

  private static final Wrong WRONG = new Wrong("spec.executor.container.template: no");
  private static final Untold UNTOLD = new Untold("503");

  private final List<String> asked = Collections.synchronizedList(new ArrayList<>());
  private final BlockingQueue<TemplateAnswer> answers = new LinkedBlockingQueue<>();
  private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 5); // it overflows
  private final TemplateTries tries =
      new TemplateTries(
          job -> {
            asked.add(job.getMetadata().getNamespace());
            try {
              return answers.take();
            } catch (InterruptedException e) {
              throw new IllegalStateException(e);
            }
          },
          nanos::get);

  private static PinnedJobType version(long generation) {
    return new PinnedJobType("erase", "uid-1", generation);
  }

  private CompletableFuture<TemplateAnswer> ask(long generation) {
    return tries.ask(version(generation), TYPE, "fleet");
  }

  private TemplateAnswer answered(TemplateAnswer answer) throws Exception {
    answers.add(answer);
    TemplateAnswer given = ask(1).get(10, TimeUnit.SECONDS);
    await().until(answers::isEmpty);
    return given;
  }

  private void after(Duration time) {
    nanos.addAndGet(time.toNanos());
  }

  @Test
  void whoever_asks_while_it_is_asked_gets_the_same_answer() throws Exception {
    CompletableFuture<TemplateAnswer> first = ask(1);
    CompletableFuture<TemplateAnswer> second = ask(1);
    assertThat(first).isNotDone();

    answers.add(new Sound());

    assertThat(first.get(10, TimeUnit.SECONDS)).isEqualTo(new Sound());
    assertThat(second.get(10, TimeUnit.SECONDS)).isEqualTo(new Sound());
    assertThat(ask(1)).isCompletedWithValue(new Sound());
    after(Duration.ofDays(1));
    assertThat(ask(1)).isCompletedWithValue(new Sound());
    assertThat(asked).containsExactly("fleet");
  }

  @Test
  void each_version_and_each_namespace_is_a_question_of_its_own() throws Exception {
    assertThat(answered(WRONG)).isEqualTo(WRONG);

    answers.add(new Sound());
    assertThat(ask(2).get(10, TimeUnit.SECONDS)).isEqualTo(new Sound());
    answers.add(new Sound());
    assertThat(tries.ask(version(1), TYPE, "other").get(10, TimeUnit.SECONDS))
        .isEqualTo(new Sound());

    assertThat(ask(1)).isCompletedWithValue(WRONG);
    assertThat(asked).containsExactly("fleet", "fleet", "other");
  }

  @Test
  void what_was_refused_is_tried_again_and_stays_refused_until_something_else_is_said()
      throws Exception {
    assertThat(answered(WRONG)).isEqualTo(WRONG);
    assertThat(tries.askAgainAfter(version(1), "fleet")).isEqualTo(TemplateTries.WRONG_IS_KEPT);

    after(TemplateTries.WRONG_IS_KEPT);
    assertThat(answered(UNTOLD)).isEqualTo(WRONG);
    await().until(() -> tries.askAgainAfter(version(1), "fleet").equals(TemplateTries.FIRST_WAIT));
    assertThat(ask(1)).isCompletedWithValue(WRONG);

    after(TemplateTries.FIRST_WAIT);
    assertThat(answered(new Sound())).isEqualTo(WRONG);
    await().untilAsserted(() -> assertThat(ask(1)).isCompletedWithValue(new Sound()));
    assertThat(asked).hasSize(3);
  }

  @Test
  void where_nothing_is_said_it_is_asked_again_ever_later() throws Exception {
    var waits = new ArrayList<Long>();
    for (int i = 0; i < 9; i++) {
      assertThat(answered(UNTOLD)).isEqualTo(UNTOLD);
      assertThat(ask(1)).isCompletedWithValue(UNTOLD);
      Duration wait = tries.askAgainAfter(version(1), "fleet");
      waits.add(wait.toSeconds());
      after(wait);
    }
    assertThat(waits).containsExactly(5L, 10L, 20L, 40L, 80L, 120L, 120L, 120L, 120L);
    assertThat(asked).hasSize(9);
  }

  @Test
  void a_fault_of_ours_is_no_answer() throws Exception {
    var broken =
        new TemplateTries(
            job -> {
              throw new IllegalStateException("broken");
            },
            nanos::get);

    assertThat(broken.ask(version(1), TYPE, "fleet").get(10, TimeUnit.SECONDS))
        .isEqualTo(new Untold("broken"));
  }

  @Test
  void what_is_kept_is_bounded() throws Exception {
    var all = new TemplateTries(job -> WRONG, nanos::get);
    for (int i = 0; i <= TemplateTries.KEPT; i++) {
      assertThat(all.ask(version(i), TYPE, "fleet").get(10, TimeUnit.SECONDS)).isEqualTo(WRONG);
    }
    // The first was forgotten, and the last was not.
    assertThat(all.askAgainAfter(version(0), "fleet")).isEqualTo(TemplateTries.FIRST_WAIT);
    assertThat(all.askAgainAfter(version(TemplateTries.KEPT), "fleet"))
        .isEqualTo(TemplateTries.WRONG_IS_KEPT);
  }
}
