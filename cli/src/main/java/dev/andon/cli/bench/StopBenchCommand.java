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

/** {@code andon bench stop}. */
@Command(
    name = "stop",
    description = {
      "Measure the emergency stop: how soon after it the last job is sent, the gate is closed and"
          + " all workflows are Stopped; with the operator cut off and killed, too.",
      "The whole of it takes about half an hour; --workflows 100 --stops 3 about two minutes."
          + " Exit code 1 if anything was sent that must not be."
    })
public final class StopBenchCommand implements Callable<Integer> {
  private static final int MOST_WORKFLOWS = 10_000;
  private static final int MOST_STOPS = 1_000;
  private static final int HIGHEST_RATE = 1_000;

  @Spec private CommandSpec spec;
  @Mixin private Printout printout;

  @Option(
      names = "--workflows",
      paramLabel = "N",
      defaultValue = "1000",
      description = "How many run when the stop comes (default: ${DEFAULT-VALUE}).")
  private int workflows;

  @Option(
      names = "--stops",
      paramLabel = "N",
      defaultValue = "20",
      description = "How often each is measured (default: ${DEFAULT-VALUE}).")
  private int stops;

  @Option(
      names = "--rate",
      paramLabel = "N",
      defaultValue = "100",
      description =
          "Sends a second of all workflows together. Each costs two writes of a status, of which"
              + " an API server on two cores takes some hundred a second (default:"
              + " ${DEFAULT-VALUE}).")
  private int rate;

  @Option(
      names = "--only",
      paramLabel = "SCENARIO",
      split = ",",
      description = "Only these: ${COMPLETION-CANDIDATES}.")
  private @Nullable Set<Scenario> only;

  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  public StopBenchCommand() {}

  @Override
  public Integer call() throws Exception {
    BenchCommand.inRange(spec, "--workflows", workflows, 1, MOST_WORKFLOWS);
    BenchCommand.inRange(spec, "--stops", stops, 1, MOST_STOPS);
    BenchCommand.inRange(spec, "--rate", rate, 1, HIGHEST_RATE);
    var settings =
        new StopBench.Settings(
            workflows, stops, rate, only == null ? EnumSet.allOf(Scenario.class) : only);
    return printout.of(spec.commandLine().getOut(), screen -> new StopBench(settings, screen)::run);
  }
}
