package dev.andon.operator.execution;

/** The same attempt, as it is sent or looked for another time. */
final class Repeated {
  private Repeated() {}

  static Attempt of(Attempt first, Attempt.Runner runner, int tries, boolean again) {
    return of(first, runner, tries, again, first.work());
  }

  static Attempt of(
      Attempt first, Attempt.Runner runner, int tries, boolean again, Attempt.Work work) {
    return new Attempt(
        first.key(),
        runner,
        first.namespace(),
        first.workflow(),
        first.workflowType(),
        first.armed(),
        first.jobType(),
        first.spec(),
        first.args(),
        first.deadline(),
        tries,
        again,
        work);
  }
}
