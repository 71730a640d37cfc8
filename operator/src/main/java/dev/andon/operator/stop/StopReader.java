package dev.andon.operator.stop;

/** One linearizable read of the ConfigMap. */
interface StopReader extends AutoCloseable {

  /**
   * Reads; answers within 2 s whatever happens.
   *
   * @throws InterruptedException when the operator is closing
   */
  Reading read() throws InterruptedException;

  @Override
  void close();

  /** What came of it. */
  sealed interface Reading {
    /** The API server said what is, or that there is nothing. */
    record Seen(EmergencyStop stop) implements Reading {}

    /** Any other answer, or none. */
    record Failed(String why) implements Reading {}
  }
}
