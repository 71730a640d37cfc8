package dev.andon.operator.stop;

/**
 * Hears of the emergency stop as it is seen, past any reconcile queue. Called on the stop's own
 * thread, one call at a time, after the gate has closed and the latch has closed over what runs:
 * whoever is slow here delays the others, never the gate. What it throws is logged.
 */
public interface StopListener {

  /**
   * The ConfigMap was seen in a new state. Every state stops some type, if only those it does not
   * name. Once for a change, whether the watch or a read saw it first; no state that was seen is
   * left out.
   */
  void stopSeen(EmergencyStop stop);

  /** {@link Gate#view} may now answer differently: opened, closed, lost from sight, or regained. */
  default void viewChanged() {}
}
