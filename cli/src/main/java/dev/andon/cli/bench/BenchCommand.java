package dev.andon.cli.bench;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code andon bench}. */
@Command(
    name = "bench",
    description = {
      "Measure Andon on a control plane of its own, on this machine.",
      "A report, not a test: only what must never happen makes it fail."
    },
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {StopBenchCommand.class, RunBenchCommand.class, SoakBenchCommand.class})
public final class BenchCommand implements Runnable {
  @Spec private CommandSpec spec;

  @SuppressWarnings("NullAway.Init") // picocli sets the spec
  public BenchCommand() {}

  /** Refuses a number that a bench cannot do anything with. */
  static void inRange(CommandSpec spec, String option, int value, int from, int to) {
    if (value < from || value > to) {
      throw new ParameterException(
          spec.commandLine(), "%s %d: from %d to %d".formatted(option, value, from, to));
    }
  }

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "what to measure is missing: stop, run or soak");
  }
}
