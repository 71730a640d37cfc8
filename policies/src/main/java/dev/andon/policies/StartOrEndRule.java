package dev.andon.policies;

import dev.andon.crds.WorkflowPolicySpec.StartOrEnd;
import dev.andon.plan.JobTypes;
import dev.andon.plan.Plan.PlannedBlock;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;

/**
 * {@code startOrEnd}: the workflow starts, or ends, with a job of this type that has these args.
 *
 * <p>Read strictly. <b>Start</b>: the first block has at least one job, and all its jobs are of
 * this type and have exactly these values in these args (others are free): nothing else runs before
 * such a job, or beside it. <b>End</b> is the same of the last block. Unless {@code
 * outsideAllowed}, no other block has a job of this type, whatever its args: a second token is not
 * to be taken half way.
 *
 * <p>Guards against two faults of an engine before this one: a look past the last block (a workflow
 * without blocks is a finding here), and a token bucket's {@code fatal: "false"} that was read as
 * true because it was there (values are compared as text, whole and exact).
 */
record StartOrEndRule(StartOrEnd settings) implements Rule {
  private static final String START = "Start";
  private static final String END = "End";

  @Override
  public String kind() {
    return "startOrEnd";
  }

  @Override
  public void validate(Findings findings) {
    if (jobType().isBlank()) {
      findings.add("jobType: is missing; name the job type to start or end with");
    }
    String position = Objects.requireNonNullElse(settings.position(), "");
    if (!position.equals(START) && !position.equals(END)) {
      findings.add("position: %s is unknown; use Start or End", Findings.quote(position));
    }
    if (settings.args().keySet().stream().anyMatch(String::isBlank)) {
      findings.add("args: a name is empty; remove it");
    }
  }

  @Override
  public void guardsNothing(JobTypes jobTypes, Findings findings) {
    Names.unknown(jobTypes, jobType(), settings.args().keySet(), findings);
  }

  @Override
  public void judge(PolicyInput input, Findings findings) {
    List<PlannedBlock> blocks = input.plan().blocks();
    if (blocks.isEmpty()) {
      findings.add("spec.blocks: there is no block; the workflow must %s", must());
      return;
    }
    PlannedBlock there = atStart() ? blocks.getFirst() : blocks.getLast();
    if (there.size() == 0) {
      findings.add("spec.blocks[%d]: has no job; the workflow must %s", there.position(), must());
    }
    JobTemplate.of(there).forEach(template -> judgeThere(template, findings));
    if (!Boolean.TRUE.equals(settings.outsideAllowed())) {
      blocks.stream()
          .filter(block -> block.position() != there.position())
          .flatMap(block -> JobTemplate.of(block).stream())
          .filter(template -> template.isOf(jobType()))
          .forEach(
              template ->
                  findings.add(
                      "%s.type: %s is allowed in the %s block only; remove it here",
                      template.path(), jobType(), atStart() ? "first" : "last"));
    }
  }

  private void judgeThere(JobTemplate template, Findings findings) {
    if (!template.isOf(jobType())) {
      findings.add(
          "%s.type: %s stands in the %s block; the workflow must %s, alone in a block of its own",
          template.path(),
          Findings.quote(Objects.requireNonNullElse(template.job().type(), "")),
          atStart() ? "first" : "last",
          must());
      return;
    }
    settings.args().forEach((arg, value) -> judgeArg(template, arg, value, findings));
  }

  private void judgeArg(JobTemplate template, String arg, String value, Findings findings) {
    if (!template.has(arg)) {
      findings.add(
          "%s.args.%s: is missing; set it to %s", template.path(), arg, Findings.quote(value));
      return;
    }
    OptionalInt other = template.firstOther(arg, value);
    if (other.isPresent()) {
      findings.add(
          "%s: is %s; set it to %s",
          template.argPath(other.getAsInt(), arg),
          Findings.quote(template.value(other.getAsInt(), arg)),
          Findings.quote(value));
    }
  }

  private String must() {
    var args = new StringBuilder();
    for (Map.Entry<String, String> arg : settings.args().entrySet()) {
      args.append(args.isEmpty() ? " with " : ", ")
          .append(arg.getKey())
          .append(' ')
          .append(Findings.quote(arg.getValue()));
    }
    return (atStart() ? "start with " : "end with ") + jobType() + args;
  }

  private boolean atStart() {
    return START.equals(settings.position());
  }

  private String jobType() {
    return Objects.requireNonNullElse(settings.jobType(), "");
  }
}
