package dev.andon.devcluster;

import java.io.Console;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Tells people on stderr what a step of minutes is doing: one line rewritten every second on a
 * terminal, a new line every 15 seconds elsewhere, so that a log neither floods nor looks dead.
 */
final class Progress {
  private static final Duration ON_A_TERMINAL = Duration.ofSeconds(1);
  private static final Duration IN_A_LOG = Duration.ofSeconds(15);

  private final PrintStream out;
  private final InstantSource clock;
  private final boolean terminal;
  private final Duration period;

  Progress(PrintStream out, InstantSource clock, boolean terminal, Duration period) {
    this.out = out;
    this.clock = clock;
    this.terminal = terminal;
    this.period = period;
  }

  @SuppressWarnings("SystemConsoleNull") // NullAway doesn't know yet that it is never null
  static Progress onStderr() {
    Console console = System.console();
    boolean terminal =
        console != null && console.isTerminal() && !"dumb".equals(System.getenv("TERM"));
    return new Progress(
        System.err, InstantSource.system(), terminal, terminal ? ON_A_TERMINAL : IN_A_LOG);
  }

  /** Work that takes long. */
  @FunctionalInterface
  interface Work<E extends Exception> {
    void run() throws E, InterruptedException;
  }

  void say(String line) {
    out.println(line);
  }

  /**
   * Runs {@code work} and keeps saying for how long it has been running.
   *
   * @param what the line, for example {@code [2/5] kube-apiserver 1.36.3: building from source}
   * @param expectation for example {@code about 4½ min on two cores}; empty for none
   */
  <E extends Exception> void during(String what, String expectation, Work<E> work)
      throws E, InterruptedException {
    Instant start = clock.instant();
    String suffix = expectation.isEmpty() ? "" : " (" + expectation + ")";
    CountDownLatch done = new CountDownLatch(1);
    show(what + suffix);
    Thread ticker =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    while (!done.await(period.toMillis(), TimeUnit.MILLISECONDS)) {
                      show(what + ", " + elapsed(start) + suffix);
                    }
                  } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                  }
                });
    boolean succeeded = false;
    try {
      work.run();
      succeeded = true;
    } finally {
      done.countDown();
      ticker.join();
      show(what + (succeeded ? ": done after " : ": given up after ") + elapsed(start));
      if (terminal) {
        out.println();
      }
    }
  }

  private String elapsed(Instant start) {
    return Duration.between(start, clock.instant()).toSeconds() + " s";
  }

  private void show(String line) {
    if (terminal) {
      out.print("\r\033[K" + line);
      out.flush();
    } else {
      out.println(line);
    }
  }

  /** {@code 20 s}, {@code 1½ min}, {@code 5 min}: to the half minute, as the real time varies. */
  static String roughly(Duration duration) {
    if (duration.compareTo(Duration.ofSeconds(75)) < 0) {
      return duration.toSeconds() + " s";
    }
    long halves = Math.round(duration.toSeconds() / 30.0);
    return String.format(Locale.ROOT, "%d%s min", halves / 2, halves % 2 == 0 ? "" : "½");
  }
}
