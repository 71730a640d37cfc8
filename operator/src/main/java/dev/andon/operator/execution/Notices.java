package dev.andon.operator.execution;

/** Tells people, beside status, that attempts of a workflow wait. */
@FunctionalInterface
public interface Notices {
  /** Tells nobody. */
  Notices NONE = (attempt, wait) -> {};

  /**
   * An attempt waits, for a reason that none of its workflow waited for. Called under a lock: must
   * not block.
   */
  void waits(Attempt attempt, Executions.Wait wait);
}
