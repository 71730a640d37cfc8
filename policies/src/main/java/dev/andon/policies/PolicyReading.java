package dev.andon.policies;

import com.fasterxml.jackson.databind.JsonNode;
import dev.andon.crds.WorkflowPolicySpec;
import dev.andon.plan.JobTypes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A policy read: the rules that can be judged, and what is to be said about the rest.
 *
 * @param rules those with valid settings
 * @param invalid settings that cannot be right
 * @param unsupported rules this version does not know
 * @param guardsNothing rules without effect, because a name in them exists nowhere
 * @param warnings what does not make the policy less strict
 */
record PolicyReading(
    List<Rule> rules,
    List<String> invalid,
    List<String> unsupported,
    List<String> guardsNothing,
    List<String> warnings) {
  private static final Pattern TYPE =
      Pattern.compile("[A-Za-z0-9]([-._A-Za-z0-9]{0,61}[A-Za-z0-9])?");

  static PolicyReading of(Policy policy, JobTypes jobTypes) {
    var reading =
        new PolicyReading(
            new ArrayList<>(),
            new ArrayList<>(),
            new ArrayList<>(),
            new ArrayList<>(),
            new ArrayList<>());
    WorkflowPolicySpec spec = policy.spec();
    reading.scope(spec);
    if (spec.rules().isEmpty()) {
      reading.invalid.add("spec.rules: there is no rule; add one, or delete the policy");
    }
    for (int i = 0; i < spec.rules().size(); i++) {
      reading.rule("spec.rules[" + i + "]", spec.rules().get(i), policy, jobTypes);
    }
    return reading;
  }

  private void scope(WorkflowPolicySpec spec) {
    var findings = new Findings("spec.");
    if (spec.workflowTypes().isEmpty()) {
      findings.add("workflowTypes: is empty, so that it judges nothing; name a type, or \"*\"");
    }
    for (String type : spec.workflowTypes()) {
      boolean valid = TYPE.matcher(type).matches() && !type.equalsIgnoreCase("all");
      if (!valid && !type.equals(Policy.EVERY_TYPE)) {
        findings.add(
            "workflowTypes: %s is not a workflow type; use exact names, or \"*\" for every type",
            Findings.quote(type));
      }
    }
    if (!Enforcement.known(spec.enforcement())) {
      findings.add(
          "enforcement: %s is unknown and taken as Deny; use Deny, Warn or Audit",
          Findings.quote(Objects.requireNonNullElse(spec.enforcement(), "")));
    }
    invalid.addAll(findings.all());
    var selector = new Findings("spec.namespaces.");
    NamespaceSelector.of(spec.namespaces()).validate(selector);
    invalid.addAll(selector.all());
  }

  private void rule(String path, WorkflowPolicySpec.Rule rule, Policy policy, JobTypes jobTypes) {
    List<Rule> known = known(rule);
    List<String> unknown = unknown(rule);
    if (known.isEmpty() && unknown.isEmpty()) {
      unsupported.add(path + ": has no rule this version knows; it knows " + KINDS);
    }
    for (String kind : unknown) {
      unsupported.add(path + "." + kind + ": this version cannot judge it; it knows " + KINDS);
    }
    if (known.size() + unknown.size() > 1) {
      invalid.add(path + ": has more than one rule; make it one item each");
    }
    known.forEach(each -> rule(path + "." + each.kind() + ".", each, policy, jobTypes));
  }

  private void rule(String path, Rule rule, Policy policy, JobTypes jobTypes) {
    var settings = new Findings(path);
    rule.validate(settings);
    if (!settings.isEmpty()) {
      invalid.addAll(settings.all());
      return;
    }
    rules.add(rule);
    var unguarded = new Findings(path);
    rule.guardsNothing(jobTypes, unguarded);
    // A baseline for every type may speak of job types that only some clusters have.
    (policy.namesAnyTypeExactly() ? guardsNothing : warnings).addAll(unguarded.all());
    var names = new Findings(path);
    rule.unknownNames(jobTypes, names);
    warnings.addAll(names.all());
  }

  private static final String KINDS = "restrictJobTypes, sameArgs, startOrEnd and limits";

  private static List<Rule> known(WorkflowPolicySpec.Rule rule) {
    var known = new ArrayList<Rule>();
    if (rule.restrictJobTypes() != null) {
      known.add(new RestrictJobTypesRule(rule.restrictJobTypes()));
    }
    if (rule.sameArgs() != null) {
      known.add(new SameArgsRule(rule.sameArgs()));
    }
    if (rule.startOrEnd() != null) {
      known.add(new StartOrEndRule(rule.startOrEnd()));
    }
    if (rule.limits() != null) {
      known.add(new LimitsRule(rule.limits()));
    }
    return known;
  }

  private static List<String> unknown(WorkflowPolicySpec.Rule rule) {
    Map<String, @Nullable JsonNode> unknown = new LinkedHashMap<>();
    unknown.put("freeze", rule.freeze());
    unknown.put("requireApproval", rule.requireApproval());
    unknown.put("cel", rule.cel());
    // An explicit null is an absent field.
    return unknown.entrySet().stream()
        .filter(entry -> entry.getValue() != null && !entry.getValue().isNull())
        .map(Map.Entry::getKey)
        .toList();
  }
}
