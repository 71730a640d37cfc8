package dev.andon.operator.stop;

/** The question "may this workflow type act now?", asked before every send. */
public interface Gate {

  /**
   * Asks the API server, by a read that begins after this call; blocks the calling (virtual) thread
   * until it is answered.
   *
   * @throws InterruptedException when the attempt is cancelled while it waits
   */
  Entry enter(String workflowType) throws InterruptedException;

  /** What was last known, without asking. {@code NotVisible} once that is older than 2.5 s. */
  StopView view(String workflowType);

  /** The answer to {@link #enter}. */
  sealed interface Entry {
    /** Go, once, within a second of the beginning of the read. */
    record Granted(Permit permit) implements Entry {}

    /** {@code why} is Stopped or NotVisible. */
    record Refused(StopView why) implements Entry {}
  }
}
