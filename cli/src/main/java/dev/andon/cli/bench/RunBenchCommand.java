package dev.andon.cli.bench;

import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code andon bench run}. */
@Command(
    name = "run",
    description = {
      "Measure what running workflows costs: how many a second, writes to the API server, the"
          + " operator's processor time and memory, the size of objects, a restart.",
      "The whole of it takes about a quarter of an hour; --percent 10 about four minutes."
    })
public final class RunBenchCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private Printout printout;

  @Option(
      names = "--percent",
      paramLabel = "N",
      defaultValue = "100",
      description = "Of all numbers of workflows and jobs (default: ${DEFAULT-VALUE}).")
  private int percent;

  @Option(
      names = "--only",
      paramLabel = "SCENARIO",
      split = ",",
      description = "Only these: ${COMPLETION-CANDIDATES}.")
  private @Nullable Set<RunScenario> only;

  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  public RunBenchCommand() {}

  @Override
  public Integer call() throws Exception {
    BenchCommand.inRange(spec, "--percent", percent, 1, 100);
    var settings =
        new RunBench.Settings(percent, only == null ? EnumSet.allOf(RunScenario.class) : only);
    return printout.of(spec.commandLine().getOut(), screen -> new RunBench(settings, screen)::run);
  }
}
