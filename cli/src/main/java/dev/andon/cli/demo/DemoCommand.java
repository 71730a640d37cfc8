package dev.andon.cli.demo;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code andon demo}. */
@Command(
    name = "demo",
    description = {
      "Watch a workflow erase the machines of a satellite site, from kubectl apply to its end.",
      "Starts a real control plane, the operator and a fleet of 1,700 machines on this machine, and"
          + " ends them all again. It runs faster than real; nothing is erased but the fleet's own"
          + " bookkeeping."
    })
public final class DemoCommand implements Callable<Integer> {
  private static final int FEWEST = 25;

  @Spec private CommandSpec spec;

  @Option(
      names = "--stop",
      description =
          "Pull the cord after about 20 machines, and show how soon nothing was begun any more."
              + " Exit code 1 if anything was.")
  private boolean stop;

  @Option(
      names = "--keep",
      description = "Leave it all up until Enter or Ctrl-C, and say how to use it with kubectl.")
  private boolean keep;

  @Option(
      names = "--machines",
      paramLabel = "N",
      defaultValue = "103",
      description = "Erase only the first N of the site's 103 machines.")
  private int machines;

  @Option(names = "--fast", hidden = true, description = "For tests: no pauses, quick erases.")
  private boolean fast;

  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  public DemoCommand() {}

  @Override
  public Integer call() throws Exception {
    int fewest = stop ? FEWEST : 1;
    if (machines < fewest || machines > DemoManifests.MACHINES) {
      throw new ParameterException(
          spec.commandLine(),
          "--machines %d: from %d to %d%s"
              .formatted(
                  machines,
                  fewest,
                  DemoManifests.MACHINES,
                  stop ? " with --stop, which comes after about 20" : ""));
    }
    Pace pace = fast ? Pace.OF_TESTS : stop ? Pace.TO_STOP : Pace.TO_WATCH;
    var demo = new Demo(new Demo.Settings(stop, keep, machines, pace), Screen.ofThisProcess());
    return demo.run();
  }
}
