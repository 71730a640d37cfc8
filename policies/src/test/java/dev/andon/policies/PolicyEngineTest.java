package dev.andon.policies;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.WorkflowStatus.PolicyVerdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PolicyEngineTest {
  private static final PolicyInput SLEEPS =
      Given.workflow("{name: a, jobs: [{name: j, type: sleep, args: {seconds: '1'}}]}");
  private static final String ALLOWS_SLEEP = "rules: [{restrictJobTypes: {allowed: [sleep]}}]";
  private static final String ALLOWS_NO_SLEEP =
      "rules: [{restrictJobTypes: {allowed: [disk-erase]}}]";

  private static Verdict judge(Policy... policies) {
    return PolicyEngine.judge(SLEEPS, List.of(policies));
  }

  @Test
  void a_type_without_a_policy_is_not_admitted() {
    Verdict verdict = judge();

    assertThat(verdict.admitted()).isFalse();
    assertThat(verdict.message())
        .isEqualTo(
            "workflow type \"T\": no policy admits it in namespace fleet; a WorkflowPolicy with"
                + " enforcement Deny must name it in workflowTypes and carry restrictJobTypes");
    assertThat(verdict.toStatus()).isEmpty();
  }

  @Test
  void a_deny_policy_that_names_the_type_and_restricts_its_job_types_admits_it() {
    Verdict verdict = judge(Given.policy("p", "workflowTypes: [T]\n" + ALLOWS_SLEEP));

    assertThat(verdict.admitted()).isTrue();
    assertThat(verdict.message()).isEmpty();
    assertThat(verdict.toStatus()).containsExactly(new PolicyVerdict("p", 3L, "Allowed", null));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "workflowTypes: ['*']                                          | in namespace fleet",
        "workflowTypes: [T], enforcement: Warn                         | the enforcement of policy p is Warn",
        "workflowTypes: [T], enforcement: Audit                        | the enforcement of policy p is Audit",
        "workflowTypes: [t]                                            | policy p writes it in another case",
        "workflowTypes: [T2]                                           | in namespace fleet",
        "workflowTypes: [T], namespaces: {matchLabels: {env: prod}}    | the namespaces of policy p do not match"
      })
  void what_comes_near_does_not_admit_and_says_why(String scope, String why) {
    Verdict verdict =
        judge(
            Given.policy("p", "{" + scope + ", rules: [{restrictJobTypes: {allowed: [sleep]}}]}"));

    assertThat(verdict.admitted()).isFalse();
    assertThat(verdict.message()).contains(why);
  }

  @Test
  void a_policy_without_restrictJobTypes_does_not_admit() {
    Verdict verdict = judge(Given.rule("limits: {maxJobs: 5}"));

    assertThat(verdict.admitted()).isFalse();
    assertThat(verdict.message()).endsWith("(policy p has no restrictJobTypes)");
  }

  @Test
  void of_two_policies_one_that_denies_is_enough_and_all_findings_are_told() {
    Verdict verdict =
        judge(
            Given.policy("z", "workflowTypes: [T]\n" + ALLOWS_SLEEP),
            Given.policy("a", "workflowTypes: ['*']\n" + ALLOWS_NO_SLEEP),
            Given.policy(
                "m",
                "workflowTypes: [T]\nrules: [{startOrEnd: {jobType: disk-erase, position: End}}]"));

    assertThat(verdict.admitted()).isFalse();
    assertThat(verdict.judgements()).extracting(Judgement::policy).containsExactly("a", "m", "z");
    assertThat(verdict.denials())
        .containsExactly(
            "policy a: restrictJobTypes: spec.blocks[0].jobs[0].type: \"sleep\" is not allowed;"
                + " workflow type T may use disk-erase",
            "policy m: startOrEnd: spec.blocks[0].jobs[0].type: \"sleep\" stands in the last block;"
                + " the workflow must end with disk-erase, alone in a block of its own");
  }

  @Test
  void what_another_object_can_bring_is_told_apart_from_what_is_denied() {
    Policy vacuous =
        Given.policy(
            "v", "workflowTypes: [T]\nrules: [{sameArgs: {jobType: later, args: [site]}}]");
    Policy small = Given.policy("s", "workflowTypes: [T]\nrules: [{limits: {maxJobs: 0}}]");

    Verdict lacks = judge(Given.policy("a", "workflowTypes: [T]\n" + ALLOWS_NO_SLEEP), vacuous);
    assertThat(lacks.admitted()).isFalse();
    assertThat(lacks.denies()).isFalse();
    assertThat(lacks.lacking()).isEqualTo(lacks.denials()).hasSize(2);

    Verdict nobody = judge();
    assertThat(nobody.denies()).isFalse();
    assertThat(nobody.lacking()).isEqualTo(nobody.denials()).hasSize(1);

    Verdict denies = judge(small);
    assertThat(denies.denies()).isTrue();
    assertThat(denies.denials()).hasSize(2);
    assertThat(denies.lacking()).singleElement().asString().contains("no policy admits it");

    assertThat(judge(Given.policy("a", "workflowTypes: [T]\n" + ALLOWS_SLEEP)).lacking()).isEmpty();
  }

  @Test
  void a_policy_for_another_type_is_not_asked() {
    Verdict verdict =
        judge(Given.ADMITS, Given.policy("other", "workflowTypes: [T2]\n" + ALLOWS_NO_SLEEP));

    assertThat(verdict.admitted()).isTrue();
    assertThat(verdict.judgements()).extracting(Judgement::policy).containsExactly("admits");
  }

  @ParameterizedTest
  @CsvSource({"Warn, true", "Audit, false"})
  void warn_and_audit_record_and_do_not_deny(String enforcement, boolean shown) {
    Verdict verdict =
        judge(
            Given.ADMITS,
            Given.policy(
                "w", "workflowTypes: [T]\nenforcement: " + enforcement + "\n" + ALLOWS_NO_SLEEP));

    assertThat(verdict.admitted()).isTrue();
    assertThat(verdict.toStatus().get(1).verdict()).isEqualTo("Warned");
    assertThat(verdict.toStatus().get(1).message()).contains("\"sleep\" is not allowed");
    assertThat(!verdict.message().isEmpty()).isEqualTo(shown);
  }

  @ParameterizedTest
  @ValueSource(strings = {"warn", "Wran", "''", "DENY"})
  void an_enforcement_nobody_can_read_denies(String enforcement) {
    Policy policy =
        Given.policy("w", "workflowTypes: [T]\nenforcement: " + enforcement + "\n" + ALLOWS_SLEEP);

    assertThat(judge(Given.ADMITS, policy).admitted()).isFalse();
    assertThat(PolicyHealth.of(policy, Given.JOB_TYPES).reason().text())
        .isEqualTo("InvalidSettings");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "freeze: {windows: []}",
        "requireApproval: {}",
        "cel: {expression: 'true'}",
        "",
        "quota: {}",
        "sameArg: {jobType: disk-erase, args: [site]}"
      })
  void a_rule_of_another_version_is_not_ready_and_denies(String rule) {
    Policy policy = Given.rule(rule);

    Verdict verdict = judge(Given.ADMITS, policy);

    assertThat(PolicyHealth.of(policy, Given.JOB_TYPES).reason().text())
        .isEqualTo("UnsupportedRule");
    assertThat(verdict.admitted()).isFalse();
    assertThat(verdict.message()).startsWith("policy p: is not ready: spec.rules[0]");
  }

  @ParameterizedTest
  @ValueSource(strings = {"freeze", "requireApproval", "cel"})
  void a_rule_of_another_version_is_named(String kind) {
    assertThat(PolicyHealth.of(Given.rule(kind + ": {}"), Given.JOB_TYPES).problems())
        .containsExactly(
            "spec.rules[0]."
                + kind
                + ": this version cannot judge it; it knows restrictJobTypes, sameArgs, startOrEnd"
                + " and limits");
  }

  @Test
  void one_beside_a_known_rule_is_named_too_and_both_want_items_of_their_own() {
    assertThat(
            PolicyHealth.of(Given.rule("limits: {maxJobs: 1}, freeze: {}"), Given.JOB_TYPES)
                .problems())
        .satisfiesExactly(
            problem ->
                assertThat(problem)
                    .isEqualTo("spec.rules[0]: has more than one rule; make it one item each"),
            problem -> assertThat(problem).startsWith("spec.rules[0].freeze: this version cannot"));
  }

  @Test
  void an_explicit_null_is_no_rule_of_another_version() {
    assertThat(judge(Given.ADMITS, Given.rule("limits: {maxJobs: 1}, freeze: null")).admitted())
        .isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"Warn", "Audit"})
  void a_policy_that_is_not_ready_but_only_warns_does_not_deny(String enforcement) {
    Verdict verdict =
        judge(
            Given.ADMITS,
            Given.policy(
                "w", "workflowTypes: [T]\nenforcement: " + enforcement + "\nrules: [{cel: {}}]"));

    assertThat(verdict.admitted()).isTrue();
    assertThat(verdict.toStatus().get(1).verdict()).isEqualTo("Warned");
  }

  @Test
  void a_policy_with_bad_settings_denies_also_under_every_type() {
    assertThat(
            judge(Given.ADMITS, Given.policy("p", "workflowTypes: ['*']\nrules: [{limits: {}}]"))
                .admitted())
        .isFalse();
  }

  /** A policy on Site never matched site, and guarded nothing. */
  @Test
  void a_policy_on_Site_does_not_pass_for_one_on_site() {
    Policy policy = Given.rule("sameArgs: {jobType: disk-erase, args: [Site]}");

    PolicyHealth health = PolicyHealth.of(policy, Given.JOB_TYPES);

    assertThat(health.ready()).isFalse();
    assertThat(health.reason().text()).isEqualTo("Vacuous");
    assertThat(health.message())
        .isEqualTo(
            "spec.rules[0].sameArgs.args: disk-erase has no arg \"Site\"; it takes site, machine;"
                + " there is \"site\", and case matters");
    assertThat(judge(Given.ADMITS, policy).admitted()).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "jobType: gone, position: End                            | jobType: there is no job type \"gone\"",
        "jobType: disk-erase, position: End, args: {Site: aap}   | args: disk-erase has no arg \"Site\"",
        "jobType: sleep, position: End, args: {minutes: '1'}     | args: sleep has no arg \"minutes\"; it takes seconds",
      })
  void a_start_or_end_that_exists_nowhere_guards_nothing(String settings, String expected) {
    Policy policy = Given.rule("startOrEnd: {" + settings + "}");

    PolicyHealth health = PolicyHealth.of(policy, Given.JOB_TYPES);

    assertThat(health.reason().text()).isEqualTo("Vacuous");
    assertThat(health.message()).startsWith("spec.rules[0].startOrEnd." + expected);
    assertThat(judge(Given.ADMITS, policy).admitted()).isFalse();
  }

  @Test
  void under_every_type_a_rule_that_guards_nothing_only_warns() {
    Policy policy =
        Given.policy("p", "workflowTypes: ['*']\nrules: [{sameArgs: {jobType: gone, args: [a]}}]");

    PolicyHealth health = PolicyHealth.of(policy, Given.JOB_TYPES);

    assertThat(health.ready()).isTrue();
    assertThat(health.message()).contains("there is no job type \"gone\"");
    assertThat(judge(Given.ADMITS, policy).admitted()).isTrue();
  }

  @Test
  void an_unknown_name_in_allowed_only_warns() {
    Policy policy = Given.rule("restrictJobTypes: {allowed: [sleep, Disk-Erase]}");

    PolicyHealth health = PolicyHealth.of(policy, Given.JOB_TYPES);

    assertThat(health.ready()).isTrue();
    assertThat(health.message())
        .contains("there is no job type \"Disk-Erase\"; there is \"disk-erase\"");
    assertThat(judge(policy).admitted()).isTrue();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "restrictJobTypes: {}                                    | restrictJobTypes.allowed: is empty",
        "restrictJobTypes: {allowed: []}                         | restrictJobTypes.allowed: is empty",
        "restrictJobTypes: {allowed: [sleep, '']}                | restrictJobTypes.allowed: a name is empty",
        "sameArgs: {args: [site]}                                | sameArgs.jobType: is missing",
        "sameArgs: {jobType: disk-erase}                         | sameArgs.args: is empty",
        "sameArgs: {jobType: disk-erase, args: ['']}             | sameArgs.args: a name is empty",
        "startOrEnd: {jobType: sleep}                            | startOrEnd.position: \"\" is unknown; use Start or End",
        "startOrEnd: {jobType: sleep, position: start}           | startOrEnd.position: \"start\" is unknown",
        "startOrEnd: {jobType: sleep, position: End, args: {'': a}} | startOrEnd.args: a name is empty",
        "startOrEnd: {position: Start}                           | startOrEnd.jobType: is missing",
        "limits: {}                                              | limits.sets no limit",
        "limits: {maxJobs: 0}                                    | limits.maxJobs: 0 is too small; use 1 or more",
        "limits: {maxRunning: 0}                                 | limits.maxRunning: 0 is too small",
        "limits: {maxConcurrency: -1}                            | limits.maxConcurrency: -1 is too small",
        "limits: {maxBatchSize: 0}                               | limits.maxBatchSize: 0 is too small",
        "limits: {minBatchPauseSeconds: -1}                      | limits.minBatchPauseSeconds: -1 is too small",
        "limits: {maxFailures: 101%}                             | limits.maxFailures: \"101%\" is neither",
        "limits: {maxJobs: 1}, sameArgs: {jobType: disk-erase, args: [site]} | : has more than one rule"
      })
  void bad_settings_are_named_and_deny(String rule, String expected) {
    Policy policy = Given.rule(rule);

    PolicyHealth health = PolicyHealth.of(policy, Given.JOB_TYPES);

    assertThat(health.reason().text()).isEqualTo("InvalidSettings");
    assertThat(health.message()).startsWith("spec.rules[0]").contains(expected);
    assertThat(judge(Given.ADMITS, policy).admitted()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"all", "ALL", "T*", "-T", "''", "'**'"})
  void what_is_no_workflow_type_is_named_and_denies_where_the_policy_applies(String type) {
    Policy policy = Given.policy("p", "workflowTypes: [T, " + type + "]\n" + ALLOWS_SLEEP);

    PolicyHealth health = PolicyHealth.of(policy, Given.JOB_TYPES);

    assertThat(health.reason().text()).isEqualTo("InvalidSettings");
    assertThat(health.message())
        .isEqualTo(
            "spec.workflowTypes: \"%s\" is not a workflow type; use exact names, or \"*\" for every"
                    .formatted(type.replace("'", ""))
                + " type");
    assertThat(judge(Given.ADMITS, policy).admitted()).isFalse();
  }

  @Test
  void a_policy_without_rules_or_spec_is_not_ready() {
    assertThat(PolicyHealth.of(Policy.of("p", null, null), Given.JOB_TYPES).problems())
        .containsExactly(
            "spec.workflowTypes: is empty, so that it judges nothing; name a type, or \"*\"",
            "spec.rules: there is no rule; add one, or delete the policy");
    assertThat(judge(Given.ADMITS, Given.policy("p", "workflowTypes: [T]")).admitted()).isFalse();
  }

  @Test
  void an_unreadable_selector_denies_wherever_it_may_apply() {
    Policy policy =
        Given.policy(
            "p",
            "workflowTypes: [T]\nnamespaces: {matchExpressions: [{key: env, operator: Is, values: [a]}]}\n"
                + ALLOWS_SLEEP);

    assertThat(judge(Given.ADMITS, policy).message())
        .isEqualTo(
            "policy p: is not ready: spec.namespaces.matchExpressions[0].operator: \"Is\" is"
                + " unknown; use In, NotIn, Exists or DoesNotExist");
  }

  @Test
  void too_many_running_is_a_wait_and_no_denial() {
    Policy policy = Given.rule("limits: {maxRunning: 2}");
    String yaml = "type: T\nblocks: [{name: a, jobs: [{name: j, type: sleep}]}]";
    List<Policy> policies = List.of(Given.ADMITS, policy);

    Verdict free = PolicyEngine.judge(Given.spec(yaml, 1, Map.of()), policies);
    Verdict full = PolicyEngine.judge(Given.spec(yaml, 2, Map.of()), policies);

    assertThat(free.waits()).isEmpty();
    assertThat(full.admitted()).isTrue();
    assertThat(full.toStatus()).extracting(PolicyVerdict::verdict).containsOnly("Allowed");
    assertThat(full.waitMessage())
        .isEqualTo(
            "policy p: limits: 2 of workflow type T running; maxRunning is 2, waits until one has"
                + " finished");
  }

  @Test
  void a_policy_that_only_warns_makes_nobody_wait() {
    Policy policy =
        Given.policy(
            "p", "workflowTypes: [T]\nenforcement: Warn\nrules: [{limits: {maxRunning: 1}}]");

    Verdict verdict =
        PolicyEngine.judge(
            Given.spec("type: T\nblocks: []", 9, Map.of()), List.of(Given.ADMITS, policy));

    assertThat(verdict.waits()).isEmpty();
  }

  @Test
  void status_stays_small_and_keeps_what_denied() {
    var policies = new ArrayList<Policy>();
    IntStream.range(0, 200)
        .forEach(i -> policies.add(Given.policy("a" + i, "workflowTypes: [T]\n" + ALLOWS_SLEEP)));
    policies.add(Given.policy("z", "workflowTypes: [T]\n" + ALLOWS_NO_SLEEP));

    Verdict verdict = PolicyEngine.judge(SLEEPS, policies);

    assertThat(verdict.toStatus()).hasSize(50);
    assertThat(verdict.toStatus().getFirst().name()).isEqualTo("z");
  }

  @Test
  void of_too_many_policies_status_keeps_what_warned_before_what_allowed() {
    var policies = new ArrayList<Policy>();
    IntStream.range(0, 200)
        .forEach(i -> policies.add(Given.policy("a" + i, "workflowTypes: [T]\n" + ALLOWS_SLEEP)));
    policies.add(Given.policy("y", "workflowTypes: [T]\nenforcement: Warn\n" + ALLOWS_NO_SLEEP));
    policies.add(Given.policy("z", "workflowTypes: [T]\n" + ALLOWS_NO_SLEEP));

    Verdict verdict = PolicyEngine.judge(SLEEPS, policies);

    assertThat(verdict.toStatus())
        .extracting(PolicyVerdict::verdict)
        .startsWith("Denied", "Warned", "Allowed");
  }

  @Test
  void fifty_policies_are_in_status_by_name() {
    var policies = new ArrayList<Policy>();
    IntStream.range(0, 49)
        .forEach(i -> policies.add(Given.policy("a" + i, "workflowTypes: [T]\n" + ALLOWS_SLEEP)));
    policies.add(Given.policy("z", "workflowTypes: [T]\n" + ALLOWS_NO_SLEEP));

    assertThat(PolicyEngine.judge(SLEEPS, policies).toStatus())
        .hasSize(50)
        .extracting(PolicyVerdict::name)
        .isSorted();
  }

  @Test
  void a_long_list_of_allowed_job_types_is_told_in_part() {
    String allowed = String.join(", ", IntStream.range(0, 13).mapToObj(i -> "type-" + i).toList());
    Policy policy = Given.rule("restrictJobTypes: {allowed: [" + allowed + "]}");

    assertThat(Given.findings(policy, SLEEPS))
        .singleElement()
        .asString()
        .endsWith("may use " + allowed.replace(", type-10, type-11, type-12", "") + " and 3 more");
  }

  @Test
  void ten_allowed_job_types_are_all_told() {
    String allowed = String.join(", ", IntStream.range(0, 10).mapToObj(i -> "type-" + i).toList());

    assertThat(Given.findings(Given.rule("restrictJobTypes: {allowed: [" + allowed + "]}"), SLEEPS))
        .singleElement()
        .asString()
        .endsWith("may use " + allowed);
  }

  @Test
  void messages_are_cut_and_say_how_much_is_missing() {
    String jobs =
        String.join(
            ", ",
            IntStream.range(0, 200)
                .mapToObj(i -> "{name: j" + i + ", type: " + "x".repeat(200) + "}")
                .toList());

    Verdict verdict =
        PolicyEngine.judge(
            Given.workflow("{name: a, jobs: [" + jobs + "]}"), List.of(Given.ADMITS));

    assertThat(verdict.message().length()).isBetween(700, 1_024);
    assertThat(verdict.message()).matches("(?s).*\\(and \\d+ more\\)");
    assertThat(verdict.toStatus().getFirst().message().length()).isBetween(100, 256);
    assertThat(verdict.denials()).last().asString().endsWith("and 190 more");
  }
}
