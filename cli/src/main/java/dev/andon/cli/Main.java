package dev.andon.cli;

import dev.andon.cli.act.CancelCommand;
import dev.andon.cli.act.PauseCommand;
import dev.andon.cli.act.ResolveCommand;
import dev.andon.cli.act.ResumeCommand;
import dev.andon.cli.act.StartCommand;
import dev.andon.cli.bench.BenchCommand;
import dev.andon.cli.cluster.ClusterCommand;
import dev.andon.cli.demo.DemoCommand;
import dev.andon.cli.drill.DrillCommand;
import dev.andon.cli.install.InstallCommand;
import dev.andon.cli.operator.OperatorCommand;
import dev.andon.cli.prune.PruneCommand;
import dev.andon.cli.stop.ArmCommand;
import dev.andon.cli.stop.StopCommand;
import dev.andon.operator.logging.LogToStderr;
import java.io.PrintWriter;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** What {@code ./andon} hands over to. Exit codes: 0 done, 1 failed, 2 not understood. */
@Command(
    name = "andon",
    description = "Infrastructure workflows on Kubernetes that any first responder can stop.",
    synopsisSubcommandLabel = "COMMAND",
    commandListHeading = "%nCommands:%n",
    optionListHeading = "%nOptions:%n",
    footerHeading = "%nIn an emergency, and to begin with:%n",
    footer = {
      "  andon stop           stop everything, now",
      "  andon demo           watch a workflow erase a hundred machines, in a minute",
      "  andon demo --stop    and stop it part way",
    },
    subcommands = {
      StopCommand.class,
      ArmCommand.class,
      DrillCommand.class,
      StartCommand.class,
      PauseCommand.class,
      ResumeCommand.class,
      CancelCommand.class,
      ResolveCommand.class,
      DemoCommand.class,
      ClusterCommand.class,
      InstallCommand.class,
      PruneCommand.class,
      OperatorCommand.class,
      BenchCommand.class,
      Main.OfTheLauncher.Test.class,
      Main.OfTheLauncher.Mvn.class,
      Main.Help.class
    })
public final class Main implements Runnable {
  @Spec private CommandSpec spec;

  @Option(
      names = "--verbose",
      scope = ScopeType.INHERIT,
      description = "With the stack trace of what went wrong.")
  private boolean verbose;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      scope = ScopeType.INHERIT,
      description = "Show this help.")
  private boolean help;

  @SuppressWarnings("NullAway.Init") // picocli sets the spec
  Main() {}

  public static void main(String[] args) {
    // Before anything logs. The operator's own log goes to stderr, at a level people can read; all
    // other verbs speak for themselves.
    boolean operator =
        Arrays.stream(args)
            .filter(word -> !word.startsWith("-"))
            .findFirst()
            .filter("operator"::equals)
            .isPresent();
    if (!operator) {
      LogToStderr.silence();
    }
    System.exit(commandLine().execute(args));
  }

  /** The whole command, as tests use it too. */
  public static CommandLine commandLine() {
    var main = new Main();
    return new CommandLine(main)
        .setUsageHelpAutoWidth(true)
        .setParameterExceptionHandler(Main::notUnderstood)
        .setExecutionExceptionHandler(
            (e, command, parsed) -> {
              PrintWriter err = command.getErr();
              err.println("andon: " + ErrorLine.of(e));
              if (main.verbose) {
                e.printStackTrace(err);
              }
              return command.getCommandSpec().exitCodeOnExecutionException();
            });
  }

  /** A line that says what is wrong; the usage, which is long, only on request. */
  private static int notUnderstood(ParameterException e, String[] args) {
    CommandLine command = e.getCommandLine();
    PrintWriter err = command.getErr();
    String name = command.getCommandSpec().qualifiedName();
    err.println("andon: " + e.getMessage());
    CommandLine.UnmatchedArgumentException.printSuggestions(e, err);
    err.println("Try '" + name + " --help'.");
    return command.getCommandSpec().exitCodeOnInvalidInput();
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }

  /** {@code andon help demo}: what {@code andon demo --help} says. */
  @Command(name = "help", description = "Show the help of a command.")
  static final class Help implements Runnable {
    @Spec private CommandSpec spec;

    @Parameters(arity = "0..1", paramLabel = "COMMAND", description = "Which one.")
    private @Nullable String command;

    @SuppressWarnings("NullAway.Init") // picocli sets the spec
    Help() {}

    @Override
    public void run() {
      CommandLine root = spec.root().commandLine();
      CommandLine wanted = command == null ? root : root.getSubcommands().get(command);
      if (wanted == null) {
        throw new ParameterException(spec.commandLine(), "help: unknown command " + command);
      }
      wanted.usage(root.getOut());
    }
  }

  /** Verbs that Maven carries out. The launcher takes them; here they are only for the help. */
  static final class OfTheLauncher {
    private OfTheLauncher() {}

    @Command(
        name = "test",
        description =
            "Run all tests, those on a real control plane too. Arguments go to Maven: -DskipITs")
    static final class Test implements Runnable {
      @Override
      public void run() {
        throw new CliException("test: run it as ./andon test, from a checkout");
      }
    }

    @Command(name = "mvn", description = "Run Maven with the JDK that was found.")
    static final class Mvn implements Runnable {
      @Override
      public void run() {
        throw new CliException("mvn: run it as ./andon mvn, from a checkout");
      }
    }
  }
}
