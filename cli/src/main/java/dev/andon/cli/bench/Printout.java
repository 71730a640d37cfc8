package dev.andon.cli.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Runs a bench, prints what it measures, and keeps of it what is asked for. */
final class Printout {
  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "Also write the report there, as Markdown.")
  private @Nullable Path out;

  @Option(
      names = "--keep-logs",
      paramLabel = "FOLDER",
      description = "Keep the operator's logs in this folder.")
  private @Nullable Path logs;

  /** A bench. */
  @FunctionalInterface
  interface Bench {
    /** {@code folder}: for the operator's logs. */
    Report run(Path folder) throws Exception;
  }

  /**
   * @param bench made of what takes its lines as it goes on
   * @return the exit code: 1 if something happened that must not
   */
  int of(PrintWriter screen, Function<Consumer<String>, Bench> bench) throws Exception {
    Bench made =
        bench.apply(
            line -> {
              screen.println(line);
              screen.flush();
            });
    Report report = logs == null ? withoutLogs(made) : made.run(Files.createDirectories(logs));
    screen.println();
    screen.print(report.text());
    screen.flush();
    if (out != null) {
      Files.writeString(out, report.markdown());
    }
    return report.holds() ? 0 : 1;
  }

  private static Report withoutLogs(Bench bench) throws Exception {
    Path folder = Files.createTempDirectory("andon-bench-");
    try {
      return bench.run(folder);
    } finally {
      delete(folder);
    }
  }

  private static void delete(Path folder) throws IOException {
    List<Path> deepestFirst;
    try (Stream<Path> files = Files.walk(folder)) {
      deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path file : deepestFirst) {
      Files.deleteIfExists(file);
    }
  }
}
