package dev.andon.examples.fleet;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Runs the fleet until the process is ended. */
@Command(
    name = "fleet",
    description = "A fleet of 28 sites and 1,700 machines to erase, on the loopback address.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class Main implements Callable<Integer> {
  @Option(
      names = "--port",
      paramLabel = "PORT",
      description = "0 takes a free one (default: ${DEFAULT-VALUE})")
  private int port;

  @Option(
      names = "--log",
      paramLabel = "FILE",
      description = "append-only log, replayed at the start (default: in memory only)")
  private @Nullable Path log;

  @Option(
      names = "--erase-millis",
      paramLabel = "FROM..TO",
      description = "how long an erase takes (default: 1000..2000)")
  private EraseMillis eraseMillis = EraseMillis.DEFAULT;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "the same seed makes the same fleet (default: ${DEFAULT-VALUE})")
  private long seed = FleetOptions.DEFAULT_SEED;

  @Spec private @Nullable CommandSpec spec;

  private Main() {}

  public static void main(String[] args) {
    int code =
        new CommandLine(new Main())
            .registerConverter(EraseMillis.class, Main::eraseMillis)
            .execute(args);
    // On success the server's threads keep the process alive.
    if (code != 0) {
      System.exit(code);
    }
  }

  private static EraseMillis eraseMillis(String text) {
    try {
      return EraseMillis.parse(text);
    } catch (IllegalArgumentException e) {
      throw new CommandLine.TypeConversionException(e.getMessage());
    }
  }

  @Override
  public Integer call() {
    var commandLine = Objects.requireNonNull(spec).commandLine();
    PrintWriter out = commandLine.getOut();
    try {
      var options =
          FleetOptions.defaults()
              .withPort(port)
              .withSeed(seed)
              .withEraseMillis(eraseMillis)
              .withLog(log);
      // Not closed: it serves until the process ends, and the log is good at any moment of that.
      @SuppressWarnings("resource")
      var server = FleetServer.start(options);
      out.println("listening on " + server.uri());
      out.flush();
      return 0;
    } catch (IOException e) {
      commandLine.getErr().println("cannot start: " + e.getMessage());
      return 1;
    }
  }
}
