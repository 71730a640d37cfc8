package dev.andon.operator.execution;

/** For tests elsewhere that have to meet a Job under its name. */
public final class JobNames {
  private JobNames() {}

  /** Of the first attempt of a block's first job. */
  public static String first(String workflow, String uid, String block) {
    return JobName.of(workflow, new AttemptKey(uid, block, 0, 1), uid, 1);
  }
}
