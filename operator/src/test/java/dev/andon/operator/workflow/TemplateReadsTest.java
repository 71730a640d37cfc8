package dev.andon.operator.workflow;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.JobTypeSpec;
import dev.andon.crds.WorkflowStatus.PinnedJobType;
import dev.andon.operator.execution.TemplateAnswer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** What a workflow asks, and how long it waits. */
class TemplateReadsTest {
  private static final JobTypeSpec CONTAINER =
      Scene.json(
          "{\"executor\":{\"container\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"a\"}]}}}}}",
          JobTypeSpec.class);

  private static final Map<String, JobTypeSpec> TYPES =
      Map.of("erase", CONTAINER, "call", new Scene().jobTypes.get(Scene.CALL));
  private static final PinnedJobType ERASE = new PinnedJobType("erase", "uid-1", 1L);
  private static final Map<String, PinnedJobType> VERSIONS =
      Map.of("erase", ERASE, "call", new PinnedJobType("call", "uid-2", 1L));

  private final CompletableFuture<TemplateAnswer> answer = new CompletableFuture<>();
  private final List<String> asked = new ArrayList<>();
  private final List<String> woken = new ArrayList<>();
  private final AtomicLong nanos = new AtomicLong();
  private final TemplateReads reads =
      new TemplateReads(
          (version, spec, namespace) -> {
            asked.add(version.name() + " in " + namespace);
            return answer;
          },
          (namespace, name) -> woken.add(namespace + "/" + name),
          nanos::get);

  private Templates of(List<String> used, PinnedJobType... pinned) {
    return reads.of("uid", "fleet", "aap", used, TYPES, VERSIONS, List.of(pinned));
  }

  @Test
  void it_waits_for_the_answer_which_wakes_it() {
    assertThat(of(List.of("call", "erase"))).isEqualTo(new Templates(List.of(), true));

    answer.complete(new TemplateAnswer.Wrong("spec.executor.container.template: no"));
    assertThat(woken).containsExactly("fleet/aap");

    assertThat(of(List.of("call", "erase")))
        .isEqualTo(
            new Templates(
                List.of(
                    "job type erase: cannot be run in namespace fleet: spec.executor.container.template: no"),
                false));
    assertThat(asked).containsOnly("erase in fleet");
  }

  @Test
  void it_waits_three_seconds_and_then_goes_on_without() {
    assertThat(of(List.of("erase")).awaited()).isTrue();
    nanos.addAndGet(Duration.ofMillis(2_999).toNanos());
    assertThat(of(List.of("erase")).awaited()).isTrue();
    nanos.addAndGet(Duration.ofMillis(1).toNanos());
    assertThat(of(List.of("erase"))).isEqualTo(Templates.NONE);
  }

  @Test
  void another_question_later_is_waited_for_anew() {
    var first = new CompletableFuture<TemplateAnswer>();
    var second = new CompletableFuture<TemplateAnswer>();
    var both = new ArrayList<>(List.of(first, first, second));
    var reads =
        new TemplateReads(
            (version, spec, namespace) -> both.removeFirst(), (a, b) -> {}, nanos::get);
    assertThat(reads.of("uid", "n", "w", List.of("erase"), TYPES, VERSIONS, List.of()).awaited())
        .isTrue();
    first.complete(new TemplateAnswer.Wrong("x"));
    nanos.addAndGet(Duration.ofMinutes(1).toNanos());
    assertThat(reads.of("uid", "n", "w", List.of("erase"), TYPES, VERSIONS, List.of()).awaited())
        .isFalse();

    // The job type was repaired.
    assertThat(reads.of("uid", "n", "w", List.of("erase"), TYPES, VERSIONS, List.of()).awaited())
        .isTrue();
  }

  @Test
  void without_a_container_or_with_one_that_is_pinned_as_it_is_nothing_is_asked() {
    assertThat(of(List.of("call", "sleep", "nosuch"))).isEqualTo(Templates.NONE);
    assertThat(of(List.of("erase"), ERASE)).isEqualTo(Templates.NONE);
    assertThat(asked).isEmpty();

    of(List.of("erase"), new PinnedJobType("erase", "uid-1", 0L));
    assertThat(asked).hasSize(1);
  }

  @Test
  void an_answer_that_says_nothing_holds_nothing() {
    of(List.of("erase"));
    answer.complete(new TemplateAnswer.Untold("403"));

    assertThat(of(List.of("erase"))).isEqualTo(Templates.NONE);
  }
}
