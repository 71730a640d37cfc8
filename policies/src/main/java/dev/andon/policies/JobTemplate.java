package dev.andon.policies;

import dev.andon.crds.WorkflowSpec.Job;
import dev.andon.plan.Plan;
import dev.andon.plan.Plan.PlannedBlock;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * A job as the spec spells it, and the jobs it stands for: itself, or one an item of a forEach.
 * Rules look at templates, and at single jobs only where an argument depends on the item, so that a
 * range of 100,000 costs no more than it must.
 *
 * @param path of the job in the spec
 * @param from index of its first job in the block
 * @param to one more than that of its last
 */
record JobTemplate(String path, PlannedBlock block, int from, int to, Job job) {
  static List<JobTemplate> of(Plan plan) {
    return plan.blocks().stream().flatMap(block -> of(block).stream()).toList();
  }

  static List<JobTemplate> of(PlannedBlock block) {
    String path = "spec.blocks[" + block.position() + "]";
    var templates = new ArrayList<JobTemplate>();
    List<Job> jobs = block.templates();
    for (int i = 0; i < jobs.size(); i++) {
      templates.add(
          block.isForEach()
              ? new JobTemplate(path + ".forEach.job", block, 0, block.size(), jobs.get(i))
              : new JobTemplate(path + ".jobs[" + i + "]", block, i, i + 1, jobs.get(i)));
    }
    return templates;
  }

  boolean isOf(String jobType) {
    return jobType.equals(job.type());
  }

  boolean has(String arg) {
    return job.args().containsKey(arg);
  }

  /** The value a job has; the argument must be one the template {@link #has}. */
  String value(int index, String arg) {
    return block.arg(index, arg).orElseThrow();
  }

  /** The first job that has another value than this in an argument the template {@link #has}. */
  OptionalInt firstOther(String arg, String value) {
    int end = block.argVaries(from, arg) ? to : Math.min(from + 1, to);
    for (int index = from; index < end; index++) {
      if (!value(index, arg).equals(value)) {
        return OptionalInt.of(index);
      }
    }
    return OptionalInt.empty();
  }

  /** The path of an argument, with the item where the value depends on it. */
  String argPath(int index, String arg) {
    String item =
        block.argVaries(index, arg) ? " (item " + Findings.quote(block.nameOf(index)) + ")" : "";
    return path + ".args." + arg + item;
  }
}
