package dev.andon.operator.execution;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** What became of the work on an attempt. */
public sealed interface Outcome {
  /** It was done. */
  record Succeeded() implements Outcome {}

  /**
   * It is known to have failed.
   *
   * @param reason CamelCase
   * @param message for people, without headers or secrets
   * @param reach what has failed
   * @param retryAfter the target asked for no further attempt before this time; null: it did not
   */
  record Failed(String reason, String message, Reach reach, @Nullable Instant retryAfter)
      implements Outcome {
    /** What has failed with an attempt. */
    public enum Reach {
      /** It alone: another may follow. */
      ATTEMPT,
      /** The job: no further attempt, while other jobs go on. */
      JOB,
      /** The workflow, which ends. */
      WORKFLOW
    }

    public Failed(String reason, String message, Reach reach) {
      this(reason, message, reach, null);
    }

    /** Of the attempt alone. */
    public Failed(String reason, String message) {
      this(reason, message, Reach.ATTEMPT);
    }
  }

  /**
   * It is under way outside. The work goes on polling; a final outcome follows.
   *
   * @param operation absolute URL to poll
   */
  record Accepted(String operation) implements Outcome {}

  /**
   * It was never begun: the gate was closed, a limiter or breaker held it back, or there was no
   * token. Uses no attempt.
   *
   * @param retryAt not before this time
   * @param told whether people are told why it waits: it is for something outside that may need
   *     them, and not for a turn of its own
   * @param nextTry whether what stands for this try outside stays, so that the next has another
   *     name
   */
  record NotBegun(String reason, String message, Instant retryAt, boolean told, boolean nextTry)
      implements Outcome {
    public NotBegun(String reason, String message, Instant retryAt, boolean told) {
      this(reason, message, retryAt, told, false);
    }

    public NotBegun(String reason, String message, Instant retryAt) {
      this(reason, message, retryAt, false);
    }
  }

  /** It was ended on our demand, and is known not to go on. */
  record Cancelled() implements Outcome {}

  /**
   * It was sent, and nobody knows what became of it.
   *
   * @param mayRepeat whether it may be sent again under its key, if its job type is retrySafe:
   *     false once it was told to end, while something of it is known to be alive, and where only a
   *     person can help
   * @param nextTry as of {@link NotBegun}
   */
  record Unknown(String message, boolean mayRepeat, boolean nextTry) implements Outcome {
    public Unknown(String message, boolean mayRepeat) {
      this(message, mayRepeat, false);
    }
  }
}
