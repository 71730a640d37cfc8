package dev.andon.operator.stop;

import java.time.Duration;
import java.time.Instant;

/** What the stop counts. Called on its own threads: be quick. */
public interface StopMetrics {

  /** A gate read that saw the ConfigMap, or saw that there is none. */
  default void read(Duration took) {}

  /** A gate read that saw nothing. */
  default void readFailed(Duration took) {}

  /** Somebody was answered at the gate after so long. */
  default void entered(Duration waited, boolean granted) {}

  /**
   * The ConfigMap was seen in a new state, and the gate goes by it.
   *
   * @param resourceVersion of that state; "" when there is no ConfigMap
   * @param at when the gate knew
   */
  default void stateSeen(String resourceVersion, Instant at) {}

  /** The watch was set up: once at the start, and again each time it broke or fell behind. */
  default void watchStarted() {}

  static StopMetrics none() {
    return new StopMetrics() {};
  }
}
