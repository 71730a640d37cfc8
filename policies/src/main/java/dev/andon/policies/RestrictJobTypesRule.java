package dev.andon.policies;

import dev.andon.crds.WorkflowPolicySpec.RestrictJobTypes;
import dev.andon.plan.JobTypes;
import java.util.List;
import java.util.Objects;

/**
 * {@code restrictJobTypes}: a workflow uses these job types and no other. Names are matched
 * exactly. What the list does not name is not allowed, hence a name in it that exists nowhere takes
 * nothing from the rule: it only warns.
 */
record RestrictJobTypesRule(RestrictJobTypes settings) implements Rule {
  @Override
  public String kind() {
    return "restrictJobTypes";
  }

  @Override
  public void validate(Findings findings) {
    if (allowed().isEmpty()) {
      findings.add("allowed: is empty, so that no workflow could pass; list the job types meant");
    }
    if (allowed().stream().anyMatch(String::isBlank)) {
      findings.add("allowed: a name is empty; remove it");
    }
  }

  @Override
  public void unknownNames(JobTypes jobTypes, Findings findings) {
    for (String name : allowed()) {
      if (jobTypes.find(name).isEmpty()) {
        findings.add(
            "allowed: there is no job type %s%s",
            Findings.quote(name), Names.alike(name, jobTypes.names()));
      }
    }
  }

  @Override
  public void judge(PolicyInput input, Findings findings) {
    List<String> allowed = allowed();
    for (JobTemplate template : JobTemplate.of(input.plan())) {
      String type = Objects.requireNonNullElse(template.job().type(), "");
      if (!allowed.contains(type)) {
        findings.add(
            "%s.type: %s is not allowed; workflow type %s may use %s",
            template.path(), Findings.quote(type), input.type(), Names.listed(allowed));
      }
    }
  }

  @Override
  public boolean canBeMet() {
    return true;
  }

  private List<String> allowed() {
    List<String> allowed = settings.allowed();
    return allowed == null ? List.of() : allowed.stream().filter(Objects::nonNull).toList();
  }
}
