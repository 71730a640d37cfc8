package dev.andon.cli.bench;

import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code andon bench soak}. */
@Command(
    name = "soak",
    description = {
      "Look for what grows: memory, threads and open files of the operator while workflows go on"
          + " sending, and short ones come, end and are deleted.",
      "Exit code 1 if anything was sent twice."
    })
public final class SoakBenchCommand implements Callable<Integer> {
  private static final int MOST_WORKFLOWS = 10_000;
  private static final int A_WEEK = 7 * 24 * 60;

  @Spec private CommandSpec spec;
  @Mixin private Printout printout;

  @Option(
      names = "--workflows",
      paramLabel = "N",
      defaultValue = "1000",
      description = "How many go on sending (default: ${DEFAULT-VALUE}).")
  private int workflows;

  @Option(
      names = "--minutes",
      paramLabel = "N",
      defaultValue = "30",
      description = "For how long, once all of them run (default: ${DEFAULT-VALUE}).")
  private int minutes;

  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  public SoakBenchCommand() {}

  @Override
  public Integer call() throws Exception {
    BenchCommand.inRange(spec, "--workflows", workflows, 1, MOST_WORKFLOWS);
    BenchCommand.inRange(spec, "--minutes", minutes, 1, A_WEEK);
    var settings = new SoakBench.Settings(workflows, Duration.ofMinutes(minutes));
    return printout.of(spec.commandLine().getOut(), screen -> new SoakBench(settings, screen)::run);
  }
}
