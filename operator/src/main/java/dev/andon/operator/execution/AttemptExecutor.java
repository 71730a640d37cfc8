package dev.andon.operator.execution;

/** Does what is to be done about an attempt, on the calling thread, until it has ended. */
interface AttemptExecutor {
  /**
   * Never throws: an interrupt is a cancel, and what cannot be found out is {@link
   * Outcome.Unknown}.
   *
   * @return how it ended; never {@link Outcome.Accepted}
   */
  Outcome run(AttemptRun run);
}
