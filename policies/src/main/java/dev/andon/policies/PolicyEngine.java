package dev.andon.policies;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/**
 * Judges a workflow by all policies. Pure, and quick enough to be asked at acceptance, at the start
 * and before each block and batch.
 *
 * <p>Two questions are asked. <b>Is its type admitted?</b> Only if a policy with enforcement Deny
 * names the type exactly, matches the namespace and carries {@code restrictJobTypes}: a type nobody
 * wrote a policy for runs nothing. <b>Does a policy find something?</b> Every rule of every policy
 * that matches is asked, and everything found is reported.
 *
 * <p>Fails closed: a policy that is not {@linkplain PolicyHealth ready} denies what it matches.
 */
public final class PolicyEngine {
  private PolicyEngine() {}

  /**
   * @param policies all there are, in any order; those that do not match are left out of the
   *     verdict
   */
  public static Verdict judge(PolicyInput input, Collection<Policy> policies) {
    List<Policy> sorted = policies.stream().sorted(Comparator.comparing(Policy::name)).toList();
    List<Policy> matching = sorted.stream().filter(policy -> policy.matches(input)).toList();
    boolean admitted = matching.stream().anyMatch(policy -> admits(policy, input.type()));
    return new Verdict(
        admitted ? List.of() : List.of(notAdmitted(input, sorted)),
        matching.stream().map(policy -> judge(input, policy)).toList());
  }

  private static boolean admits(Policy policy, String type) {
    return policy.namesExactly(type)
        && policy.enforcement() == Enforcement.DENY
        && policy.restrictsJobTypes();
  }

  private static Judgement judge(PolicyInput input, Policy policy) {
    PolicyReading reading = PolicyReading.of(policy, input.jobTypes());
    var findings = new ArrayList<String>();
    var lacking = new ArrayList<String>();
    var waits = new ArrayList<String>();
    reading.invalid().forEach(text -> findings.add("is not ready: " + text));
    reading.unsupported().forEach(text -> findings.add("is not ready: " + text));
    if (policy.namesExactly(input.type())) {
      reading.guardsNothing().forEach(text -> lacking.add("is not ready: " + text));
      findings.addAll(lacking);
    }
    for (Rule rule : reading.rules()) {
      var found = new Findings(rule.kind() + ": ");
      rule.judge(input, found);
      findings.addAll(found.all());
      if (rule.canBeMet()) {
        lacking.addAll(found.all());
      }
      var now = new Findings(rule.kind() + ": ");
      rule.judgeStart(input, now);
      waits.addAll(now.all());
    }
    return Judgement.of(policy, findings, lacking, waits);
  }

  /** Why, and what comes near: most often a policy is there and one word of it is wrong. */
  private static String notAdmitted(PolicyInput input, List<Policy> policies) {
    var near = new ArrayList<String>();
    for (Policy policy : policies) {
      String type = input.type();
      if (!policy.namesExactly(type)) {
        if (policy.spec().workflowTypes().stream().anyMatch(type::equalsIgnoreCase)) {
          near.add("policy " + policy.name() + " writes it in another case");
        }
      } else if (!policy.matches(input)) {
        near.add("the namespaces of policy " + policy.name() + " do not match");
      } else if (policy.enforcement() != Enforcement.DENY) {
        near.add(
            "the enforcement of policy " + policy.name() + " is " + policy.enforcement().text());
      } else if (!policy.restrictsJobTypes()) {
        near.add("policy " + policy.name() + " has no restrictJobTypes");
      }
    }
    return "workflow type %s: no policy admits it in namespace %s; a WorkflowPolicy with enforcement"
            .formatted(Findings.quote(input.type()), input.namespace())
        + " Deny must name it in workflowTypes and carry restrictJobTypes"
        + (near.isEmpty() ? "" : " (" + Names.listed(near) + ")");
  }
}
