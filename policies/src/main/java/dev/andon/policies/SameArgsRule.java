package dev.andon.policies;

import dev.andon.crds.WorkflowPolicySpec.SameArgs;
import dev.andon.plan.JobTypes;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * {@code sameArgs}: all jobs of one type, in all blocks, have the same value in each of these args:
 * a workflow that erases disks erases those of one site.
 *
 * <p>Names are matched exactly: a rule on {@code Site} once guarded nothing, because the argument
 * was {@code site}. A job that lacks the argument violates the rule, be it the only one: what an
 * absent argument means is the target's to say, and may be "all".
 */
record SameArgsRule(SameArgs settings) implements Rule {
  @Override
  public String kind() {
    return "sameArgs";
  }

  @Override
  public void validate(Findings findings) {
    if (jobType().isBlank()) {
      findings.add("jobType: is missing; name the job type to compare");
    }
    if (args().isEmpty()) {
      findings.add("args: is empty; name the args that must be the same");
    }
    if (args().stream().anyMatch(String::isBlank)) {
      findings.add("args: a name is empty; remove it");
    }
  }

  @Override
  public void guardsNothing(JobTypes jobTypes, Findings findings) {
    Names.unknown(jobTypes, jobType(), args(), findings);
  }

  @Override
  public void judge(PolicyInput input, Findings findings) {
    List<JobTemplate> templates =
        JobTemplate.of(input.plan()).stream().filter(template -> template.isOf(jobType())).toList();
    for (String arg : args()) {
      judge(arg, templates, findings);
    }
  }

  private void judge(String arg, List<JobTemplate> templates, Findings findings) {
    JobTemplate first = null;
    for (JobTemplate template : templates) {
      if (!template.has(arg)) {
        findings.add(
            "%s.args.%s: is missing; all %s jobs must have the same %s",
            template.path(), arg, jobType(), arg);
      } else if (template.from() < template.to()) {
        first = first == null ? template : first;
        compare(arg, first, template, findings);
      }
    }
  }

  private void compare(String arg, JobTemplate first, JobTemplate template, Findings findings) {
    String value = first.value(first.from(), arg);
    OptionalInt other = template.firstOther(arg, value);
    if (other.isPresent()) {
      findings.add(
          "%s: %s has %s %s, but %s has %s; all %s jobs must have the same %s",
          template.argPath(other.getAsInt(), arg),
          jobType(),
          arg,
          Findings.quote(template.value(other.getAsInt(), arg)),
          first.argPath(first.from(), arg),
          Findings.quote(value),
          jobType(),
          arg);
    }
  }

  private String jobType() {
    return Objects.requireNonNullElse(settings.jobType(), "");
  }

  private List<String> args() {
    @Nullable List<String> args = settings.args();
    return args == null ? List.of() : args.stream().filter(Objects::nonNull).distinct().toList();
  }
}
