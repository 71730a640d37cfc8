package dev.andon.operator.workflow;

/**
 * Where a workflow stands.
 *
 * @param reason CamelCase, one of {@link Reasons}; public API
 * @param message for people
 */
record State(Stage stage, String reason, String message) {

  /** One row of the table of conditions each. */
  enum Stage {
    WAITING("Pending"),
    RUNNING("Running"),
    HELD("Paused"),
    STOPPING("Stopping"),
    STOPPED("Stopped"),
    FAILED("Failed"),
    REJECTED("Rejected"),
    COMPLETE("Complete");

    private final String phase;

    Stage(String phase) {
      this.phase = phase;
    }

    String phase() {
      return phase;
    }

    boolean finished() {
      return switch (this) {
        case WAITING, RUNNING, HELD, STOPPING -> false;
        case STOPPED, FAILED, REJECTED, COMPLETE -> true;
      };
    }
  }

  static State waiting(String reason, String message) {
    return new State(Stage.WAITING, reason, message);
  }

  static State running(String message) {
    return new State(Stage.RUNNING, Reasons.RUNNING, message);
  }

  static State held(String reason, String message) {
    return new State(Stage.HELD, reason, message);
  }

  static State stopping(String message) {
    return new State(Stage.STOPPING, Reasons.STOPPING, message);
  }

  static State stopped(String message) {
    return new State(Stage.STOPPED, Reasons.EMERGENCY_STOP, message);
  }

  static State failed(String reason, String message) {
    return new State(Stage.FAILED, reason, message);
  }

  static State rejected(String reason, String message) {
    return new State(Stage.REJECTED, reason, message);
  }

  static State complete(String reason, String message) {
    return new State(Stage.COMPLETE, reason, message);
  }
}
