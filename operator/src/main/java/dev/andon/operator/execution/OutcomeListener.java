package dev.andon.operator.execution;

/** Told that there is something new in {@link Executions#outcomes}: wakes the reconciler. */
@FunctionalInterface
public interface OutcomeListener {
  /** Called from the attempt's own thread. Must not block for long. */
  void outcome(String namespace, String workflow, String uid);
}
