package dev.andon.policies;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What each rule says about workflows. */
class RulesTest {
  private static final Policy ONE_SITE =
      Given.rule("sameArgs: {jobType: disk-erase, args: [site]}");
  private static final String TOKEN =
      "{name: token, jobs: [{name: t, type: token-bucket, args: {bucket: b, fatal: 'true'}}]}";
  private static final String SLEEP =
      "{name: wait, jobs: [{name: s, type: sleep, args: {seconds: '1'}}]}";

  private static String erase(String site) {
    return "{name: e%s, jobs: [{name: e, type: disk-erase, args: {site: '%s', machine: m}}]}"
        .formatted(site.length(), site);
  }

  private static String forEach(String items, String site) {
    return "{name: f, forEach: {%s, job: {type: disk-erase, args: {site: '%s', machine: $(item)}}}}"
        .formatted(items, site);
  }

  @Test
  void sameArgs_names_both_jobs_and_both_values() {
    assertThat(
            Given.findings(
                ONE_SITE, Given.workflow(TOKEN + "," + erase("aap") + "," + erase("bbb"))))
        .containsExactly(
            "sameArgs: spec.blocks[2].jobs[0].args.site: disk-erase has site \"bbb\", but"
                + " spec.blocks[1].jobs[0].args.site has \"aap\"; all disk-erase jobs must have the"
                + " same site");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "items: [a, b]               | aap       | 0",
        "'range: {from: 1, to: 9}'   | aap       | 0",
        "items: [aap, bbb]           | $(item)   | 1",
        "items: [aap, aap]           | $(item)   | 0",
        "items: [a]                  | $(item)   | 0",
        "items: [a, b]               | $$(item)  | 0",
        "items: [a, b]               | $$$(item) | 1",
        "'range: {from: 1, to: 9}'   | $(item)   | 1",
        "'range: {from: 1, to: 1}'   | $(item)   | 0"
      })
  void sameArgs_judges_what_the_jobs_of_a_forEach_really_get(String items, String site, int found) {
    assertThat(Given.findings(ONE_SITE, Given.workflow(forEach(items.replace("'", ""), site))))
        .hasSize(found);
  }

  @Test
  void sameArgs_compares_text_and_wants_the_argument_to_be_there() {
    String without = "{name: n, jobs: [{name: e, type: disk-erase, args: {machine: m}}]}";

    assertThat(Given.findings(ONE_SITE, Given.workflow(erase("aap") + "," + erase("AAP"))))
        .hasSize(1);
    assertThat(Given.findings(ONE_SITE, Given.workflow(erase("aap") + "," + erase("aap "))))
        .hasSize(1);
    assertThat(Given.findings(ONE_SITE, Given.workflow(without)))
        .containsExactly(
            "sameArgs: spec.blocks[0].jobs[0].args.site: is missing; all disk-erase jobs must have"
                + " the same site");
    assertThat(Given.findings(ONE_SITE, Given.workflow(SLEEP))).isEmpty();
  }

  @Test
  void sameArgs_takes_nothing_from_a_forEach_without_items() {
    String none = forEach("items: []", "$(item)");

    assertThat(Given.findings(ONE_SITE, Given.workflow(none + "," + erase("aap")))).isEmpty();
    assertThat(
            Given.findings(
                ONE_SITE, Given.workflow(none + "," + erase("aap") + "," + erase("bbbb"))))
        .hasSize(1);
  }

  @Test
  void sameArgs_finds_something_exactly_if_the_expanded_jobs_differ() {
    String[] sites = {"a", "b", "$(item)", "$$(item)", "x$(item)"};
    String[] items = {"items: [a]", "items: [a, b]", "items: [b, b]", "range: {from: 1, to: 3}"};
    int violations = 0;
    for (long seed = 0; seed < 500; seed++) {
      var random = new Random(seed);
      var blocks = new StringBuilder();
      for (int n = 1 + random.nextInt(3); n > 0; n--) {
        blocks
            .append(blocks.isEmpty() ? "" : ",")
            .append(
                forEach(items[random.nextInt(items.length)], sites[random.nextInt(sites.length)]));
      }
      PolicyInput input = Given.workflow(blocks.toString());
      var values = new HashSet<String>();
      input.plan().jobs().forEach(job -> values.add(job.args().get("site")));

      boolean violated = !Given.findings(ONE_SITE, input).isEmpty();

      assertThat(violated).as("seed %d: %s", seed, blocks).isEqualTo(values.size() > 1);
      violations += violated ? 1 : 0;
    }
    assertThat(violations).isBetween(50, 450);
  }

  private static Policy token(String position, boolean outside) {
    return Given.rule(
        "startOrEnd: {jobType: token-bucket, args: {fatal: 'true'}, position: %s, outsideAllowed: %s}"
            .formatted(position, outside));
  }

  @Test
  void startOrEnd_holds_for_the_first_and_the_last_block() {
    assertThat(Given.findings(token("Start", false), Given.workflow(TOKEN + "," + SLEEP)))
        .isEmpty();
    assertThat(Given.findings(token("End", false), Given.workflow(SLEEP + "," + TOKEN))).isEmpty();
    assertThat(Given.findings(token("Start", false), Given.workflow(TOKEN))).isEmpty();
    assertThat(Given.findings(token("End", false), Given.workflow(TOKEN + "," + SLEEP)))
        .containsExactly(
            "startOrEnd: spec.blocks[1].jobs[0].type: \"sleep\" stands in the last block; the"
                + " workflow must end with token-bucket with fatal \"true\", alone in a block of its"
                + " own",
            "startOrEnd: spec.blocks[0].jobs[0].type: token-bucket is allowed in the last block"
                + " only; remove it here");
  }

  /** The engine before this one looked past the end of the blocks. */
  @Test
  void startOrEnd_of_a_workflow_without_blocks_or_jobs_is_a_finding() {
    for (String position : new String[] {"Start", "End"}) {
      assertThat(Given.findings(token(position, false), Given.workflow(""))).hasSize(1);
      assertThat(Given.findings(token(position, false), Given.workflow("{name: a, jobs: []}")))
          .hasSize(1);
    }
  }

  /** The engine before this one took fatal: "false" for true, because it was there. */
  @ParameterizedTest
  @CsvSource({"false", "True", "' true'", "''"})
  void startOrEnd_does_not_take_other_text_for_true(String fatal) {
    String block =
        "{name: token, jobs: [{name: t, type: token-bucket, args: {bucket: b, fatal: '%s'}}]}"
            .formatted(fatal);

    assertThat(Given.findings(token("Start", false), Given.workflow(block)))
        .containsExactly(
            "startOrEnd: spec.blocks[0].jobs[0].args.fatal: is \"%s\"; set it to \"true\""
                .formatted(fatal));
  }

  @Test
  void startOrEnd_lets_nothing_run_beside_and_wants_the_argument_to_be_there() {
    String beside =
        "{name: b, jobs: [{name: t, type: token-bucket, args: {fatal: 'true'}}, {name: s, type: sleep}]}";
    String without = "{name: w, jobs: [{name: t, type: token-bucket, args: {bucket: b}}]}";

    assertThat(Given.findings(token("Start", true), Given.workflow(beside)))
        .singleElement()
        .asString()
        .contains("spec.blocks[0].jobs[1].type: \"sleep\" stands in the first block");
    assertThat(Given.findings(token("Start", true), Given.workflow(without)))
        .containsExactly(
            "startOrEnd: spec.blocks[0].jobs[0].args.fatal: is missing; set it to \"true\"");
  }

  @Test
  void startOrEnd_outside_is_any_job_of_the_type_and_allowed_only_if_said_so() {
    String later = "{name: l, jobs: [{name: t, type: token-bucket, args: {bucket: other}}]}";
    PolicyInput input = Given.workflow(TOKEN + "," + later);

    assertThat(Given.findings(token("Start", true), input)).isEmpty();
    assertThat(Given.findings(token("Start", false), input))
        .containsExactly(
            "startOrEnd: spec.blocks[1].jobs[0].type: token-bucket is allowed in the first block"
                + " only; remove it here");
  }

  private static final String BATCHED =
      "{name: e, %s, forEach: {range: {from: 1, to: 100}, %s job: {type: disk-erase, args: {site: a, machine: m}}}}";

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "maxJobs: 100              | concurrency: 1   |                                   | ",
        "maxJobs: 99               | concurrency: 1   |                                   | limits: spec.blocks: 100 jobs; maxJobs is 99, split the work over workflows",
        "maxConcurrency: 5         | concurrency: 5   |                                   | ",
        "maxConcurrency: 5         | concurrency: 6   |                                   | limits: spec.blocks[0].concurrency: 6 is more than maxConcurrency 5; lower it",
        "maxBatchSize: 5           | concurrency: 1   | 'batch: {size: 5},'               | ",
        "maxBatchSize: 5           | concurrency: 1   | 'batch: {size: 6},'               | limits: spec.blocks[0].forEach.batch.size: 6 is more than maxBatchSize 5; lower it",
        "maxBatchSize: 5           | concurrency: 1   |                                   | limits: spec.blocks[0].forEach.batch: is missing, so that all 100 jobs are one batch; maxBatchSize is 5, add a batch",
        "minBatchPauseSeconds: 60  | concurrency: 1   | 'batch: {size: 5, pauseSeconds: 60},' | ",
        "minBatchPauseSeconds: 60  | concurrency: 1   | 'batch: {size: 5, pauseSeconds: 59},' | limits: spec.blocks[0].forEach.batch.pauseSeconds: 59 is less than minBatchPauseSeconds 60; raise it",
        "minBatchPauseSeconds: 60  | concurrency: 1   | 'batch: {size: 5},'               | limits: spec.blocks[0].forEach.batch.pauseSeconds: 0 is less than minBatchPauseSeconds 60; raise it",
        "minBatchPauseSeconds: 60  | concurrency: 1   |                                   | limits: spec.blocks[0].forEach.batch: is missing; minBatchPauseSeconds is 60, add a batch with pauseSeconds 60 or more",
        "maxFailures: 2%           | maxFailures: 2   |                                   | ",
        "maxFailures: 2            | maxFailures: 2%  |                                   | "
      })
  void limits_hold_at_the_bound_and_not_beyond(
      String limit, String block, String batch, String expected) {
    PolicyInput input =
        Given.workflow(BATCHED.formatted(block, batch == null ? "" : batch.replace("'", "")));

    var findings = Given.findings(Given.rule("limits: {" + limit + "}"), input);

    if (expected == null) {
      assertThat(findings).isEmpty();
    } else {
      assertThat(findings).containsExactly(expected);
    }
  }

  @Test
  void limits_of_failures_hold_for_blocks_and_for_the_workflow() {
    String block =
        "{name: %s, maxFailures: 2, forEach: {range: {from: 1, to: 100}, job: {type: sleep}}}";
    String two = block.formatted("a") + "," + block.formatted("b");
    Policy policy = Given.rule("limits: {maxFailures: 2}");

    assertThat(Given.findings(policy, Given.workflow(two)))
        .containsExactly(
            "limits: spec.maxFailures: is missing, and the blocks together let 4 of 200 jobs fail;"
                + " maxFailures of the policy is 2, set it to 2 or less");
    assertThat(
            Given.findings(
                policy,
                Given.spec(
                    "type: T\nmaxFailures: 2\nblocks: [" + two + "]", 0, java.util.Map.of())))
        .isEmpty();
    assertThat(
            Given.findings(
                policy,
                Given.spec(
                    "type: T\nmaxFailures: 2%\nblocks: [" + two + "]", 0, java.util.Map.of())))
        .containsExactly(
            "limits: spec.maxFailures: lets 4 of 200 jobs fail; maxFailures of the policy is 2,"
                + " lower it");
    assertThat(Given.findings(Given.rule("limits: {maxFailures: 1%}"), Given.workflow(two)))
        .contains(
            "limits: spec.blocks[0].maxFailures: lets 2 of 100 jobs fail; maxFailures of the policy"
                + " is 1%, lower it");
  }

  @Test
  void limits_of_batches_are_not_got_round_by_listing_jobs() {
    Policy policy = Given.rule("limits: {minBatchPauseSeconds: 60}");
    String two = "{name: a, jobs: [{name: j, type: sleep}, {name: k, type: sleep}]}";

    assertThat(Given.findings(policy, Given.workflow(SLEEP))).isEmpty();
    assertThat(Given.findings(policy, Given.workflow(two)))
        .containsExactly(
            "limits: spec.blocks[0].jobs: 2 jobs without a pause; minBatchPauseSeconds is 60, use a"
                + " forEach with a batch, or a block for each job");
    assertThat(Given.findings(Given.rule("limits: {maxBatchSize: 1}"), Given.workflow(two)))
        .hasSize(1);
  }
}
