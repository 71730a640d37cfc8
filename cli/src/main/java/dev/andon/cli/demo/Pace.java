package dev.andon.cli.demo;

/**
 * How fast the demo's world is.
 *
 * @param fromMillis an erase takes at least so long
 * @param toMillis and at most so long
 * @param pauseSeconds between two batches
 */
record Pace(int fromMillis, int toMillis, int pauseSeconds) {
  /** A hundred machines in less than a minute. */
  static final Pace TO_WATCH = new Pace(300, 900, 1);

  /** Slow enough that the stop finds something under way. */
  static final Pace TO_STOP = new Pace(1500, 2500, 1);

  static final Pace OF_TESTS = new Pace(50, 600, 0);
}
