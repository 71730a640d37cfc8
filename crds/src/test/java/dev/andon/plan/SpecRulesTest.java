package dev.andon.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.sun.management.ThreadMXBean;
import dev.andon.crds.JobTypeSpec;
import dev.andon.crds.WorkflowSpec;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class SpecRulesTest {
  private static List<String> findings(WorkflowSpec spec) {
    return SpecRules.findings(spec, Yaml.JOB_TYPES);
  }

  private static List<String> findingsOf(String blocks) {
    return findings(Yaml.blocks(blocks));
  }

  /** A block of one disk-erase job with these args. */
  private static List<String> findingsOfArgs(String args) {
    return findingsOf(
        "- {name: a, jobs: [{name: j, type: disk-erase, args: {%s}}]}".formatted(args));
  }

  private static List<String> findingsOfForEach(String forEach) {
    return findingsOf("- {name: a, forEach: {%s}}".formatted(forEach));
  }

  @Test
  void a_workflow_as_in_the_design_is_valid() {
    assertThat(
            findings(
                Yaml.spec(
                    """
                    type: SatelliteDiskErase
                    description: Erase every disk of satellite aap
                    runId: ""
                    start: Manual
                    startDeadlineSeconds: 3600
                    activeDeadlineSeconds: 86400
                    paused: true
                    maxFailures: 3
                    continueFrom: erase-aap.first
                    blocks:
                    - name: token
                      jobs: [{name: take, type: token-bucket, args: {bucket: disk-erase, fatal: "true"}}]
                    - name: wait
                      jobs: [{name: wait, type: sleep, args: {seconds: "0.5"}}]
                    - name: erase
                      concurrency: 2000
                      maxFailures: 100%
                      forEach:
                        range: {from: 0, to: 1700, format: "aap-%04d"}
                        batch: {size: 5, pauseSeconds: 60}
                        job:
                          type: disk-erase
                          args: {site: aap, machine: $(item), passes: "3", wait: 1m30s, mode: full}
                          timeoutSeconds: 600
                          retry: {attempts: 5, backoff: {initialSeconds: 1, factor: 10, maxSeconds: 9}}
                      pauseAfterSeconds: 0
                    """)))
        .isEmpty();
  }

  static Stream<Arguments> wrong_fields() {
    return Stream.of(
        arguments(
            "type: ''",
            "spec.type: \"\" is not a workflow type; use letters, digits, '-', '.' and"),
        arguments("type: -a", "spec.type: \"-a\" is not a workflow type"),
        arguments("type: a b", "spec.type: \"a b\" is not a workflow type"),
        arguments("type: " + "a".repeat(64), "spec.type: \"aaaa"),
        arguments("type: all", "spec.type: \"all\" is the key that stops every workflow; choose"),
        arguments("type: ALL", "spec.type: \"ALL\" is the key that stops every workflow"),
        arguments("start: manual", "spec.start: \"manual\" is unknown; use Automatic or Manual"),
        arguments("startDeadlineSeconds: 0", "spec.startDeadlineSeconds: 0 is out of bounds"),
        arguments("activeDeadlineSeconds: -1", "spec.activeDeadlineSeconds: -1 is out of bounds"),
        arguments("activeDeadlineSeconds: 31536001", "spec.activeDeadlineSeconds: 31536001 is out"),
        arguments(
            "maxFailures: 101%",
            "spec.maxFailures: \"101%\" is neither a number nor a percentage from 0% to 100%"),
        arguments("maxFailures: -1", "spec.maxFailures: \"-1\" is neither a number nor"),
        arguments("maxFailures: 1.5", "spec.maxFailures: \"1.5\" is neither"),
        arguments("maxFailures: '%'", "spec.maxFailures: \"%\" is neither"),
        arguments("maxFailures: '5 %'", "spec.maxFailures: \"5 %\" is neither"),
        arguments("maxFailures: 9999999999", "spec.maxFailures: \"9999999999\" is neither"),
        arguments("continueFrom: Other", "spec.continueFrom: \"Other\" is not the name of a"),
        arguments("continueFrom: a/b", "spec.continueFrom: \"a/b\" is not the name of a"),
        arguments("continueFrom: " + "a".repeat(254), "spec.continueFrom: \"aaa"));
  }

  @ParameterizedTest
  @MethodSource("wrong_fields")
  void wrong_fields_are_named_with_value_rule_and_way_out(String field, String expected) {
    String type = field.startsWith("type:") ? "" : "type: T\n";
    String blocks = "\nblocks: [{name: a, jobs: [{name: j, type: sleep, args: {seconds: '1'}}]}]";

    assertThat(findings(Yaml.spec(type + field + blocks)))
        .singleElement()
        .asString()
        .startsWith(expected);
  }

  @ParameterizedTest
  @ValueSource(strings = {"a", "A.b_c-9", "Allowed", "all-of-it", "satelliteDiskErase"})
  void types_may_be_anything_a_key_of_a_configmap_may(String type) {
    assertThat(
            findings(
                Yaml.spec(
                    "type: '%s'\nblocks: [{name: a, jobs: [{name: j, type: sleep, args: {seconds: '1'}}]}]"
                        .formatted(type))))
        .isEmpty();
  }

  /** The system before this one panicked. */
  @ParameterizedTest
  @ValueSource(strings = {"type: T", "type: T\nblocks: []", "type: T\nblocks: null"})
  void zero_blocks_are_a_finding_and_no_panic(String yaml) {
    assertThat(findings(Yaml.spec(yaml)))
        .containsExactly("spec.blocks: there is no block; a workflow has 1 to 200");
  }

  static Stream<Arguments> wrong_blocks() {
    String job = "jobs: [{name: j, type: sleep, args: {seconds: '1'}}]";
    return Stream.of(
        arguments(
            "- {name: a, %s}\n- {name: a, %s}".formatted(job, job),
            "spec.blocks[1].name: \"a\" is the name of another block too; names are unique"),
        arguments(
            "- {%s}".formatted(job), "spec.blocks[0].name: \"\" is not a name; use lower-case"),
        arguments("- {name: A, %s}".formatted(job), "spec.blocks[0].name: \"A\" is not a name"),
        arguments("- {name: a-, %s}".formatted(job), "spec.blocks[0].name: \"a-\" is not a name"),
        arguments(
            "- {name: a, concurrency: 0, %s}".formatted(job),
            "spec.blocks[0].concurrency: 0 is out of bounds; use 1 to 2000"),
        arguments(
            "- {name: a, concurrency: 2001, %s}".formatted(job),
            "spec.blocks[0].concurrency: 2001 is out of bounds; use 1 to 2000"),
        arguments(
            "- {name: a, maxFailures: 101%%, %s}".formatted(job),
            "spec.blocks[0].maxFailures: \"101%\" is neither a number nor a percentage"),
        arguments(
            "- {name: a, pauseAfterSeconds: -1, %s}".formatted(job),
            "spec.blocks[0].pauseAfterSeconds: -1 is out of bounds; use 0 to 31536000"),
        arguments(
            "- {name: a}", "spec.blocks[0]: has neither jobs nor forEach; a block has exactly one"),
        arguments(
            "- {name: a, %s, forEach: {items: [x], job: {type: sleep, args: {seconds: '1'}}}}"
                .formatted(job),
            "spec.blocks[0]: has both jobs and forEach; a block has exactly one"),
        arguments("- {name: a, jobs: []}", "spec.blocks[0].jobs: 0 jobs; a block has 1 to 200"),
        arguments(
            "- {name: a, jobs: [{name: j, type: sleep, args: {seconds: '1'}},"
                + " {name: j, type: sleep, args: {seconds: '1'}}]}",
            "spec.blocks[0].jobs[1].name: \"j\" is the name of another job too; names are unique"),
        arguments(
            "- {name: a, jobs: [{type: sleep, args: {seconds: '1'}}]}",
            "spec.blocks[0].jobs[0].name: \"\" is not a name"),
        arguments(
            "- {name: a, jobs: [{name: j, type: disk-wipe}]}",
            "spec.blocks[0].jobs[0].type: unknown job type \"disk-wipe\"; there are disk-erase,"
                + " in-a"),
        arguments(
            "- {name: a, jobs: [{name: j, type: Sleep, args: {seconds: '1'}}]}",
            "spec.blocks[0].jobs[0].type: unknown job type \"Sleep\"; there are disk-erase"),
        arguments(
            "- {name: a, jobs: [{name: j}]}",
            "spec.blocks[0].jobs[0].type: unknown job type \"\"; there are"),
        arguments(
            "- {name: a, jobs: [{name: j, type: in-a-vote}]}",
            "spec.blocks[0].jobs[0].type: job type \"in-a-vote\" has no executor this version"
                + " can"));
  }

  @ParameterizedTest
  @MethodSource("wrong_blocks")
  void wrong_blocks_are_named_with_value_rule_and_way_out(String blocks, String expected) {
    assertThat(findingsOf(blocks)).singleElement().asString().startsWith(expected);
  }

  static Stream<Arguments> wrong_forEach() {
    String job = "job: {type: sleep, args: {seconds: '1'}}";
    return Stream.of(
        arguments(
            "items: [], " + job,
            ".items: is empty, and an empty list is never all machines; list what is meant"),
        arguments("items: [a, ''], " + job, ".items[1]: is empty; name an item"),
        arguments(
            "items: [%s], %s".formatted("x".repeat(1025), job),
            ".items[0]: 1025 characters; at most 1024 are allowed"),
        arguments(job, ": has 0 of items, range and configMapKeyRef; it needs exactly one"),
        arguments("items: [a], range: {from: 1, to: 2}, " + job, ": has 2 of items, range and"),
        arguments("range: {from: 2, to: 1}, " + job, ".range: from 2 is after to 1; swap them"),
        arguments("range: {from: -1, to: 1}, " + job, ".range.from: -1 is negative; use 0 or more"),
        arguments("range: {from: 1}, " + job, ".range: needs both from and to"),
        arguments("range: {to: 1}, " + job, ".range: needs both from and to"),
        arguments(
            "range: {from: 2147483647, to: 2147483647}, " + job, ".range.to: 2147483647 is too"),
        arguments(
            "range: {from: 1, to: 2, format: aap}, " + job,
            ".range.format: \"aap\" needs exactly one %d or %0Nd (N from 1 to 9) and no other %"),
        arguments(
            "range: {from: 1, to: 2, format: '%d%d'}, " + job, ".range.format: \"%d%d\" needs"),
        arguments(
            "range: {from: 1, to: 2, format: '%%d%s'}, %s".formatted("x".repeat(252), job),
            ".range.format: 254 characters; at most 253 are allowed"),
        arguments(
            "configMapKeyRef: {name: a, key: b}, " + job,
            ".configMapKeyRef.sha256: \"\" is not the sha256 of the content"),
        arguments(
            "items: [a], batch: {}, " + job,
            ".batch.size: is missing; say how many jobs a batch has"),
        arguments("items: [a], batch: {size: 0}, " + job, ".batch.size: 0 is out of bounds"),
        arguments(
            "items: [a], batch: {size: 1, pauseSeconds: -1}, " + job,
            ".batch.pauseSeconds: -1 is out of bounds"),
        arguments("items: [a]", ".job: is missing; say what to do for each item"),
        arguments(
            "items: [a], job: {name: j, type: sleep, args: {seconds: '1'}}",
            ".job.name: \"j\": jobs of a forEach are named by their item; leave the name out"));
  }

  @ParameterizedTest
  @MethodSource("wrong_forEach")
  void a_wrong_forEach_is_named_with_value_rule_and_way_out(String forEach, String expected) {
    assertThat(findingsOfForEach(forEach))
        .singleElement()
        .asString()
        .startsWith("spec.blocks[0].forEach" + expected);
  }

  static Stream<Arguments> wrong_lists() {
    return Stream.of(
        arguments(List.of(), ": is empty"),
        arguments(List.of("m-1", "m-2", "m-1"), "[2]: \"m-1\" is item 0 too"),
        arguments(List.of("m-1", "", "m-2"), "[1]: is empty; name an item"),
        arguments(List.of("m-1", "m-2\r"), ": line 2 ends in a carriage return"));
  }

  @ParameterizedTest
  @MethodSource("wrong_lists")
  void what_a_config_map_holds_is_held_to_the_rules_of_items(List<String> list, String expected) {
    var ref = new WorkflowSpec.ConfigMapKeyRef("machines", "all", "ab".repeat(32));
    var job = new WorkflowSpec.Job(null, "sleep", Map.of("seconds", "1"), null, null);
    var spec =
        new WorkflowSpec(
            "T",
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            List.of(
                new WorkflowSpec.Block(
                    "b",
                    null,
                    null,
                    null,
                    new WorkflowSpec.ForEach(null, null, ref, null, job),
                    null)));

    assertThat(SpecRules.findings(spec, JobTypes.of(Map.of()))).isEmpty();
    assertThat(SpecRules.judge(spec, JobTypes.of(Map.of()), Map.of(ref, list)).all())
        .singleElement()
        .asString()
        .startsWith("spec.blocks[0].forEach.configMapKeyRef" + expected);
  }

  static Stream<Arguments> wrong_args() {
    String good = "site: aap, machine: m, ";
    return Stream.of(
        arguments(
            "site: aap, machine: m, machin: m",
            ".machin: unknown argument; disk-erase takes machine, mode, passes, site, wait"),
        // A policy on Site that never matched site: names are exact everywhere.
        arguments("site: aap, machine: m, Site: bbb", ".Site: unknown argument; disk-erase takes"),
        arguments("site: aap", ".machine: is missing; disk-erase requires it"),
        arguments("machine: m", ".site: is missing; disk-erase requires it (site code)"),
        arguments(
            "site: AAP, machine: m",
            ".site: \"AAP\" does not match the pattern [a-z]{3} of disk-erase (site code)"),
        arguments("site: aapx, machine: m", ".site: \"aapx\" does not match the pattern"),
        arguments("site: ' aap', machine: m", ".site: \" aap\" does not match the pattern"),
        arguments("site: \"aap\\n\", machine: m", ".site: \"aap\n\" does not match the pattern"),
        arguments(good + "passes: three", ".passes: \"three\" is not of type integer, such as 42"),
        arguments(good + "passes: '1.0'", ".passes: \"1.0\" is not of type integer"),
        arguments(good + "passes: '٣'", ".passes: \"٣\" is not of type integer"),
        arguments(good + "wait: 90", ".wait: \"90\" is not of type duration, such as 1m30s"),
        arguments(good + "mode: Quick", ".mode: \"Quick\" is none of quick, full"),
        arguments(
            "site: aap, machine: $(machine)",
            ".machine: $(machine) stands for nothing; only $(item) does, and $$(machine) is the"),
        arguments(
            "site: aap, machine: $(item)",
            ".machine: $(item) stands for nothing outside a forEach; $$(item) is the text itself"),
        arguments(
            good + "mode: full, passes: '%s'".formatted("1".repeat(19)), ".passes: \"1111111111"));
  }

  @ParameterizedTest
  @MethodSource("wrong_args")
  void wrong_args_are_named_with_value_rule_and_way_out(String args, String expected) {
    assertThat(findingsOfArgs(args))
        .singleElement()
        .asString()
        .startsWith("spec.blocks[0].jobs[0].args" + expected);
  }

  @ParameterizedTest
  @ValueSource(strings = {"True", "yes", "1", "", " true", "FALSE"})
  void fatal_is_true_or_false_and_nothing_like_it(String fatal) {
    assertThat(
            findingsOf(
                "- {name: a, jobs: [{name: j, type: token-bucket, args: {bucket: b, fatal: '%s'}}]}"
                    .formatted(fatal)))
        .containsExactly(
            "spec.blocks[0].jobs[0].args.fatal: \"%s\" is not of type boolean; use true or false"
                .formatted(fatal));
  }

  @Test
  void too_many_and_too_long_args_are_findings() {
    String args = String.join(", ", IntStream.range(0, 17).mapToObj(i -> "a" + i + ": x").toList());

    assertThat(findingsOfArgs(args))
        .contains("spec.blocks[0].jobs[0].args: 17 args; at most 16 are allowed");
    assertThat(findingsOfArgs("site: aap, machine: " + "m".repeat(1025)))
        .containsExactly(
            "spec.blocks[0].jobs[0].args.machine: 1025 characters; at most 1024 are allowed");
  }

  @Test
  void a_rule_of_a_job_type_that_cannot_be_read_has_no_valid_value() {
    assertThat(
            findingsOf("- {name: a, jobs: [{name: j, type: unreadable, args: {a: x, b: '1.5'}}]}"))
        .containsExactly(
            "spec.blocks[0].jobs[0].args.a: \"x\" does not match the pattern [ of unreadable",
            "spec.blocks[0].jobs[0].args.b: \"1.5\" is not of type float");
  }

  /** Java's own expressions read the first otherwise, and work on the second for hours. */
  @Test
  @Timeout(60)
  void a_pattern_means_what_it_means_to_the_API_server_and_takes_no_time() {
    JobTypes jobTypes =
        JobTypes.of(
            Map.of(
                "wipe",
                Yaml.read(
                    JobTypeSpec.class,
                    """
                    args: [{name: a, pattern: "[[:digit:]]+"}, {name: b, pattern: "(.*a){12}"}]
                    executor: {http: {url: "http://fleet.example/"}}
                    """)));
    WorkflowSpec spec =
        Yaml.blocks(
            "- {name: a, jobs: [{name: j, type: wipe, args: {a: digit, b: %s}}]}"
                .formatted("a".repeat(60) + "b"));

    assertThat(SpecRules.findings(spec, jobTypes))
        .hasSize(2)
        .anyMatch(finding -> finding.contains("\"digit\" does not match the pattern [[:digit:]]+"));
  }

  @Test
  void what_another_object_can_bring_is_told_apart_from_what_is_wrong() {
    var lacks =
        SpecRules.judge(
            Yaml.blocks(
                "- {name: a, jobs: [{name: j, type: nosuch}, {name: k, type: disk-erase, args: {site: aap, machine: m, mode: quick, later: x}}]}"),
            Yaml.JOB_TYPES,
            Map.of());
    assertThat(lacks.isWrong()).as(lacks.all().toString()).isFalse();
    assertThat(lacks.lacking()).isEqualTo(lacks.all()).isNotEmpty();

    var wrong =
        SpecRules.judge(
            Yaml.blocks("- {name: A, jobs: [{name: j, type: nosuch}]}"), Yaml.JOB_TYPES, Map.of());
    assertThat(wrong.isWrong()).isTrue();
    assertThat(wrong.all()).hasSize(2);
    assertThat(wrong.lacking()).singleElement().asString().contains("unknown job type");
  }

  @Test
  void a_hole_in_a_list_is_a_finding() {
    var hole =
        Yaml.blocks("- {name: a, jobs: [null, {name: j, type: sleep, args: {seconds: '1'}}]}");

    assertThat(findings(hole))
        .containsExactly(
            "spec.blocks[0].jobs[0]: is null; say what is to be done, or leave it out");
    assertThat(findingsOfForEach("items: [null, x], job: {type: sleep, args: {seconds: '1'}}"))
        .containsExactly("spec.blocks[0].forEach.items[0]: is empty; name an item");
  }

  /** Beside a greater one there would be no room in etcd to say what is under way. */
  @Test
  void a_spec_of_more_than_a_mebibyte_is_a_finding() {
    String items =
        IntStream.range(0, 10_000)
            .mapToObj(i -> "%05d".formatted(i) + "x".repeat(135))
            .collect(Collectors.joining(", "));

    assertThat(
            findingsOfForEach("items: [" + items + "], job: {type: sleep, args: {seconds: '1'}}"))
        .singleElement()
        .asString()
        .startsWith("spec: 1,430,")
        .contains("bytes; a Workflow has at most 1,048,576 (1 MiB)");
  }

  @Test
  void attempts_and_timeouts_stay_within_what_the_job_type_allows() {
    assertThat(
            findingsOf(
                """
                - name: a
                  jobs:
                  - name: j
                    type: disk-erase
                    args: {site: aap, machine: m}
                    timeoutSeconds: 601
                    retry: {attempts: 6, backoff: {initialSeconds: 0, factor: 11, maxSeconds: 0}}
                """))
        .containsExactly(
            "spec.blocks[0].jobs[0].timeoutSeconds: 601 is more than the 600 of job type"
                + " disk-erase",
            "spec.blocks[0].jobs[0].retry.attempts: 6 is more than the 5 of job type disk-erase",
            "spec.blocks[0].jobs[0].retry.backoff.initialSeconds: 0 is too small; use 1 or more",
            "spec.blocks[0].jobs[0].retry.backoff.factor: 11 is out of bounds; use 1 to 10",
            "spec.blocks[0].jobs[0].retry.backoff.maxSeconds: 0 is too small; use 1 or more");
  }

  @Test
  void each_item_is_held_to_the_rules_of_its_argument() {
    assertThat(
            findingsOfForEach(
                "items: [aap, BBB, ccc, dd], job: {type: disk-erase, args: {site: $(item), machine:"
                    + " m}}"))
        .containsExactly(
            "spec.blocks[0].forEach.job.args.site: \"BBB\" does not match the pattern [a-z]{3} of"
                + " disk-erase (site code) (item 1, \"BBB\")",
            "spec.blocks[0].forEach.job.args.site: \"dd\" does not match the pattern [a-z]{3} of"
                + " disk-erase (site code) (item 3, \"dd\")");
  }

  @Test
  void an_item_listed_twice_would_be_done_twice() {
    assertThat(
            findingsOfForEach(
                "items: [a, b, a], job: {type: disk-erase, args: {site: aap, machine: $(item)}}"))
        .containsExactly(
            "spec.blocks[0].forEach.items[2]: \"a\" is item 0 too, and would be done twice; leave"
                + " one out");
  }

  @Test
  void an_empty_value_of_a_required_argument_never_stands_for_everything() {
    assertThat(
            findingsOfForEach(
                "items: [a], job: {type: disk-erase, args: {site: aap, machine: ''}}"))
        .singleElement()
        .asString()
        .startsWith("spec.blocks[0].forEach.job.args.machine: is empty, and nothing is never");
  }

  @Test
  void a_fault_of_a_thousand_items_is_told_a_few_times() {
    assertThat(
            findingsOfForEach(
                "range: {from: 1, to: 1000}, job: {type: disk-erase, args: {site: $(item), machine:"
                    + " m}}"))
        .hasSize(6)
        .last()
        .isEqualTo("spec.blocks[0].forEach.job.args.site: 995 more items are wrong");
  }

  @Test
  void an_escaped_item_is_text_and_not_the_item() {
    assertThat(
            findingsOfForEach(
                "items: [aap], job: {type: disk-erase, args: {site: $$(item), machine: m}}"))
        .singleElement()
        .asString()
        .startsWith("spec.blocks[0].forEach.job.args.site: \"$(item)\" does not match the pattern");
  }

  @Test
  void a_value_that_grows_too_long_by_its_item_is_a_finding() {
    assertThat(
            findingsOfForEach(
                "items: ['%s'], job: {type: disk-erase, args: {site: aap, machine: '$(item)$(item)'}}"
                    .formatted("x".repeat(600))))
        .singleElement()
        .asString()
        .startsWith(
            "spec.blocks[0].forEach.job.args.machine: 1200 characters; at most 1024 are allowed");
  }

  /** 146 uses of an item of 500,000 characters are 73 MB, more than the operator's heap. */
  @Test
  void a_giant_item_is_told_of_without_being_put_in() {
    List<String> findings =
        findingsOfForEach(
            "items: ['%s'], job: {type: disk-erase, args: {site: aap, machine: '%s'}}"
                .formatted("x".repeat(500_000), "$(item)".repeat(146)));

    assertThat(findings)
        .isNotEmpty()
        .allSatisfy(text -> assertThat(text.length()).isLessThan(1_025));
  }

  @Test
  void all_faults_are_told_at_once_in_the_order_of_the_spec() {
    assertThat(
            findings(
                Yaml.spec(
                    """
                    type: all
                    start: now
                    blocks:
                    - {name: A, concurrency: 0, jobs: [{name: j, type: nope}]}
                    - {name: b, forEach: {items: [], job: {type: disk-erase}}}
                    """)))
        .extracting(text -> text.substring(0, text.indexOf(": ")))
        .containsExactly(
            "spec.type",
            "spec.start",
            "spec.blocks[0].name",
            "spec.blocks[0].concurrency",
            "spec.blocks[0].jobs[0].type",
            "spec.blocks[1].forEach.items",
            "spec.blocks[1].forEach.job.args.machine",
            "spec.blocks[1].forEach.job.args.site");
  }

  @Test
  void thousands_of_faults_are_told_briefly() {
    String jobs =
        String.join(
            ",", IntStream.range(0, 200).mapToObj(i -> "{name: j" + i + ", type: x}").toList());

    List<String> findings = findingsOf("- {name: a, jobs: [" + jobs + "]}");

    assertThat(findings).hasSize(51).last().isEqualTo("and 150 more");
  }

  @Test
  void what_is_wrong_is_wrong_behind_more_that_is_lacking_than_is_told() {
    String jobs =
        String.join(
            ",", IntStream.range(0, 60).mapToObj(i -> "{name: j" + i + ", type: x}").toList());

    var found =
        SpecRules.judge(
            Yaml.blocks("- {name: a, jobs: [" + jobs + "]}\n- {name: A, jobs: []}"),
            Yaml.JOB_TYPES,
            Map.of());

    assertThat(found.lacking()).hasSize(51).last().isEqualTo("and 10 more");
    assertThat(found.isWrong()).isTrue();
  }

  @Test
  void bounds_hold_over_all_blocks_together() {
    String range = "forEach: {range: {from: 1, to: %d}, job: {type: sleep, args: {seconds: '1'}}}";
    String most = "- {name: a, %s}".formatted(range.formatted(100_000));
    String jobs =
        String.join(
            ",",
            IntStream.range(0, 200)
                .mapToObj(i -> "{name: j" + i + ", type: sleep, args: {seconds: '1'}}")
                .toList());
    String six =
        String.join(
            "\n",
            IntStream.range(0, 6)
                .mapToObj(i -> "- {name: b" + i + ", jobs: [" + jobs + "]}")
                .toList());
    String blocks =
        String.join(
            "\n",
            IntStream.range(0, 201)
                .mapToObj(
                    i ->
                        "- {name: b"
                            + i
                            + ", jobs: [{name: j, type: sleep, args: {seconds: '1'}}]}")
                .toList());
    String items = "- {name: %s, forEach: {items: [%s], job: {type: sleep, args: {seconds: '1'}}}}";
    String sixThousand =
        IntStream.range(0, 6_000).mapToObj(i -> "m" + i).collect(Collectors.joining(", "));

    assertThat(findingsOf(most)).isEmpty();
    assertThat(findingsOf("- {name: a, %s}".formatted(range.formatted(100_001))))
        .contains(
            "spec.blocks[0].forEach.range: 100001 items; at most 100000 are allowed, split the work"
                + " over workflows");
    assertThat(
            findingsOf(
                most + "\n- {name: b, jobs: [{name: j, type: sleep, args: {seconds: '1'}}]}"))
        .containsExactly(
            "spec.blocks: 100001 jobs and items in all; at most 100000 are allowed, split the"
                + " work");
    assertThat(findingsOf(six))
        .containsExactly("spec.blocks: 1200 jobs in all; at most 1000 are allowed, use forEach");
    assertThat(findingsOf(blocks))
        .containsExactly(
            "spec.blocks: 201 blocks; at most 200 are allowed, split the work over workflows");
    assertThat(
            findingsOf(
                items.formatted("a", sixThousand) + "\n" + items.formatted("b", sixThousand)))
        .containsExactly(
            "spec.blocks: 12000 items in all; at most 10000 are allowed, use range or split the"
                + " work");
  }

  @Test
  void a_spec_with_millions_of_items_is_refused_without_looking_at_each() {
    // Few enough that a rule which does look at each fails here, and does not go on for hours
    // below.
    long ofSome = allocated(ranges(1_000));
    assertThat(allocated(ranges(2_000))).isLessThan(ofSome + ofSome / 10);

    assertThat(findings(ranges(100_000)))
        .containsExactly(
            "spec.blocks: 20000000 jobs and items in all; at most 100000 are allowed, split the"
                + " work");
  }

  /** In bytes; the first time makes what every time after it uses. */
  private static long allocated(WorkflowSpec spec) {
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    assertThat(findings(spec)).isNotEmpty();
    long before = threads.getCurrentThreadAllocatedBytes();
    findings(spec);
    return threads.getCurrentThreadAllocatedBytes() - before;
  }

  /** 200 blocks of so many items. */
  private static WorkflowSpec ranges(int items) {
    String blocks =
        String.join(
            "\n",
            IntStream.range(0, 200)
                .mapToObj(
                    i ->
                        "- {name: b%d, forEach: {range: {from: 1, to: %d}, job: {type: disk-erase, args: {site: aap, machine: $(item), mode: $(item), passes: $(item)}}}}"
                            .formatted(i, items))
                .toList());
    return Yaml.blocks(blocks);
  }

  /** Whatever is cut out of, or put into, a good spec: an answer, and no exception. */
  @Test
  void random_nonsense_is_judged_and_never_throws() {
    String[] words = {
      "type: T", "type: all", "start: x", "maxFailures: 200%", "maxFailures: [1]", "paused: true"
    };
    String[] blocks = {
      "{}",
      "{name: a}",
      "{name: a, jobs: []}",
      "{name: b, jobs: [{}]}",
      "{name: a, forEach: {}}",
      "{name: c, forEach: {items: [], job: {}}}",
      "{name: d, concurrency: -1, jobs: [{name: j}]}",
      "{name: e, forEach: {range: {from: 9, to: 1}, job: {type: disk-erase, args: {site:"
          + " $(item)}}}}",
      "{name: f, forEach: {range: {}, batch: {}, job: {type: sleep, args: {seconds: $(item)}}}}",
      "{name: g, forEach: {items: [a, '', '$('], job: {type: unreadable, args: {a: '$(item', b:"
          + " $(b)}}}}",
      "{name: h, jobs: [{name: j, type: token-bucket, args: {fatal: '%s', '%d': '%'}}]}",
      "{name: i, jobs: [{name: j, type: disk-erase, retry: {}, args: {site: null}}]}"
    };
    for (long seed = 0; seed < 500; seed++) {
      var random = new Random(seed);
      var yaml = new StringBuilder();
      for (String word : words) {
        if (random.nextInt(6) == 0 && yaml.indexOf(word.substring(0, word.indexOf(':'))) < 0) {
          yaml.append(word).append('\n');
        }
      }
      yaml.append("blocks: [");
      for (int n = random.nextInt(5); n > 0; n--) {
        yaml.append(blocks[random.nextInt(blocks.length)]).append(", ");
      }
      WorkflowSpec spec = Yaml.spec(yaml.append(']').toString());

      assertThatCode(() -> assertThat(findings(spec)).isNotEmpty())
          .as("seed %d: %s", seed, yaml)
          .doesNotThrowAnyException();
    }
  }
}
