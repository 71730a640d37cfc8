package dev.andon.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.andon.plan.Plan.PlannedBlock;
import dev.andon.plan.Plan.PlannedJob;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PlanTest {
  private static final Plan FLEET =
      Plan.of(
          Yaml.blocks(
              """
              - {name: token, jobs: [{name: take, type: token-bucket, args: {bucket: b, fatal: "false"}}]}
              - name: erase
                concurrency: 5
                maxFailures: 2%
                pauseAfterSeconds: 60
                forEach:
                  range: {from: 98, to: 302, format: "aap-%04d"}
                  batch: {size: 50, pauseSeconds: 60}
                  job: {type: disk-erase, args: {site: aap, machine: $(item), note: $$(item)}}
              - name: list
                forEach: {items: [x, y], job: {type: sleep, args: {seconds: "1"}}}
              """));

  @Test
  void counts_jobs_without_making_them() {
    assertThat(FLEET.totalJobs()).isEqualTo(1 + 205 + 2);
    assertThat(FLEET.blocks()).extracting(PlannedBlock::size).containsExactly(1, 205, 2);
    assertThat(FLEET.jobs()).hasSize(208);
    assertThat(FLEET.jobTypes()).containsExactly("token-bucket", "disk-erase", "sleep");
    assertThat(FLEET.maxFailures()).isEmpty();
  }

  @Test
  void a_job_is_known_by_block_and_index() {
    PlannedJob job = FLEET.blocks().get(1).job(2);

    assertThat(job.block()).isEqualTo(1);
    assertThat(job.index()).isEqualTo(2);
    assertThat(job.name()).isEqualTo("aap-0100");
    assertThat(job.type()).isEqualTo("disk-erase");
    assertThat(job.args())
        .isEqualTo(Map.of("site", "aap", "machine", "aap-0100", "note", "$(item)"));
  }

  /** The system before this one kept one value for all jobs, and they all got the last args. */
  @Test
  void each_job_has_args_of_its_own_that_nobody_can_change() {
    PlannedBlock block = FLEET.blocks().get(1);
    PlannedJob first = block.job(0);
    PlannedJob second = block.job(1);

    assertThat(first.args()).isNotSameAs(second.args()).containsEntry("machine", "aap-0098");
    assertThat(second.args()).containsEntry("machine", "aap-0099");
    assertThatThrownBy(() -> first.args().put("machine", "all"))
        .isInstanceOf(UnsupportedOperationException.class);
    assertThat(block.jobs().map(job -> job.args().get("machine")).distinct()).hasSize(205);
  }

  /** The system before this one read the text "false" as true, because it was there. */
  @Test
  void text_false_stays_false() {
    assertThat(FLEET.blocks().get(0).job(0).args()).containsEntry("fatal", "false");
  }

  @Test
  void one_argument_is_that_of_the_whole_job() {
    for (PlannedBlock block : FLEET.blocks()) {
      for (PlannedJob job : block.jobs().toList()) {
        job.args().forEach((arg, value) -> assertThat(block.arg(job.index(), arg)).contains(value));
        assertThat(block.arg(job.index(), "absent")).isEmpty();
      }
    }
    assertThat(FLEET.blocks().get(1).argVaries(0, "machine")).isTrue();
    assertThat(FLEET.blocks().get(1).argVaries(0, "note")).isFalse();
    assertThat(FLEET.blocks().get(1).argVaries(0, "absent")).isFalse();
    assertThat(FLEET.blocks().get(0).argVaries(0, "bucket")).isFalse();
  }

  @Test
  void budgets_are_rounded_down() {
    assertThat(FLEET.blocks()).extracting(PlannedBlock::maxFailures).containsExactly(0, 4, 0);
    assertThat(
            Plan.of(
                    Yaml.spec(
                        """
                        type: T
                        maxFailures: 10%
                        blocks: [{name: a, forEach: {range: {from: 1, to: 19}, job: {type: sleep}}}]
                        """))
                .maxFailures())
        .hasValue(1);
  }

  @Test
  void without_batches_all_jobs_are_one_batch() {
    assertThat(FLEET.blocks()).extracting(PlannedBlock::batchSize).containsExactly(1, 50, 2);
    assertThat(FLEET.blocks()).extracting(PlannedBlock::concurrency).containsExactly(1, 5, 1);
    assertThat(FLEET.blocks())
        .extracting(PlannedBlock::pauseAfterSeconds)
        .containsExactly(0, 60, 0);
    assertThat(FLEET.blocks())
        .extracting(PlannedBlock::isForEach)
        .containsExactly(false, true, true);
  }

  @Test
  void blocks_are_found_by_name() {
    assertThat(FLEET.block("erase")).contains(FLEET.blocks().get(1));
    assertThat(FLEET.block("Erase")).isEmpty();
    assertThat(FLEET.block(null)).isEmpty();
  }

  @Test
  void there_is_no_job_past_the_end_of_a_block() {
    PlannedBlock block = FLEET.blocks().get(0);

    assertThatThrownBy(() -> block.job(1)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> block.job(-1)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> block.arg(1, "a")).isInstanceOf(IndexOutOfBoundsException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "blocks: []",
        "blocks: [{}]",
        "blocks: [{name: a, jobs: []}]",
        "blocks: [{name: a, jobs: [{}]}]",
        "blocks: [{name: a, forEach: {}}]",
        "blocks: [{name: a, forEach: {job: {type: sleep}}}]",
        "blocks: [{name: a, forEach: {items: [x]}}]",
        "blocks: [{name: a, forEach: {items: [], job: {}}}]",
        "blocks: [{name: a, forEach: {range: {}, job: {}}}]",
        "blocks: [{name: a, forEach: {range: {from: 5, to: 1}, job: {}}}]",
        "blocks: [{name: a, forEach: {range: {from: -3, to: 3, format: '%s'}, job: {}}}]",
        "blocks: [{name: a, forEach: {range: {from: 1, to: 3}, batch: {size: 0}, job: {}}}]",
        "blocks: [{name: a, concurrency: -1, maxFailures: 200%, jobs: [{name: b}]}]",
        "blocks: [{name: a, maxFailures: -1, jobs: [{name: b}]}]"
      })
  void of_an_invalid_spec_it_is_as_complete_as_can_be_and_never_throws(String yaml) {
    Plan plan = Plan.of(Yaml.spec(yaml));

    assertThatCode(
            () -> {
              plan.jobs().forEach(PlannedJob::args);
              assertThat(plan.jobTypes()).doesNotContainNull();
              for (PlannedBlock block : plan.blocks()) {
                assertThat(block.concurrency()).isPositive();
                assertThat(block.batchSize()).isPositive();
                assertThat(block.maxFailures()).isZero();
              }
            })
        .doesNotThrowAnyException();
  }

  @Test
  void the_longest_ranges_do_not_overflow() {
    Plan plan =
        Plan.of(
            Yaml.blocks(
                "- {name: a, forEach: {range: {from: -2147483648, to: 2147483647}, job: {}}}"));

    assertThat(plan.totalJobs()).isEqualTo(IndexSet.LIMIT);
  }

  @Test
  void random_specs_have_as_many_jobs_as_items_each_with_its_own() {
    for (long seed = 0; seed < 200; seed++) {
      var random = new Random(seed);
      int from = random.nextInt(50);
      int to = from + random.nextInt(50);
      List<String> items =
          random.ints(1 + random.nextInt(8), 0, 1000).mapToObj(i -> "i" + i).toList();
      Plan plan =
          Plan.of(
              Yaml.blocks(
                  """
                  - {name: a, forEach: {range: {from: %d, to: %d, format: "m%%03d"}, job: {type: t, args: {a: "<$(item)>"}}}}
                  - {name: b, forEach: {items: %s, job: {type: t, args: {a: "<$(item)>"}}}}
                  """
                      .formatted(from, to, items)));

      assertThat(plan.totalJobs()).as("seed %d", seed).isEqualTo(to - from + 1 + items.size());
      assertThat(plan.jobs()).as("seed %d", seed).hasSize(plan.totalJobs());
      assertThat(plan.jobs())
          .as("seed %d", seed)
          .allSatisfy(job -> assertThat(job.args()).containsEntry("a", "<" + job.name() + ">"));
      assertThat(plan.blocks().get(1).jobs().map(PlannedJob::name)).isEqualTo(items);
    }
  }
}
