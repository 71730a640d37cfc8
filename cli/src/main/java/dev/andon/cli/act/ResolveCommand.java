package dev.andon.cli.act;

import dev.andon.plan.IndexSet;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** {@code andon resolve}. */
@Command(
    name = "resolve",
    description = {
      "Say what became of jobs whose outcome is unknown, after looking at them.",
      "With retry they are tried again as new attempts: only if it is certain that the last one did"
          + " nothing, or that doing it twice does no harm."
    })
public final class ResolveCommand extends ActCommand {
  private static final Pattern JOBS = Pattern.compile("([a-z0-9]([-a-z0-9]*[a-z0-9])?)/([-,0-9]+)");

  enum Outcome {
    SUCCEEDED("Succeeded"),
    FAILED("Failed"),
    RETRY("Retry");

    private final String word;

    Outcome(String word) {
      this.word = word;
    }

    /** As people type it. */
    @Override
    public String toString() {
      return word.toLowerCase(Locale.ROOT);
    }
  }

  @Parameters(
      index = "1",
      paramLabel = "BLOCK/INDEXES",
      description =
          "The jobs, as status.blocks[].unknown has them: erase/44, or erase/0-14,17 for many."
              + " Indexes begin with 0.")
  private String jobs;

  @Option(
      names = "--outcome",
      required = true,
      paramLabel = "OUTCOME",
      description = "succeeded, failed or retry.")
  private Outcome outcome;

  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  public ResolveCommand() {
    super("Resolve");
  }

  @Override
  Resolution resolution() {
    Matcher named = JOBS.matcher(jobs);
    IndexSet indexes =
        named.matches() ? IndexSet.parse(named.group(3)).orElse(IndexSet.EMPTY) : IndexSet.EMPTY;
    if (indexes.isEmpty()) {
      throw new ParameterException(
          spec.commandLine(),
          jobs
              + ": not jobs such as erase/44 or erase/0-14,17: a block, and ascending ranges of"
              + " indexes that neither overlap nor touch");
    }
    return new Resolution(named.group(1), indexes.toString(), outcome.word);
  }
}
