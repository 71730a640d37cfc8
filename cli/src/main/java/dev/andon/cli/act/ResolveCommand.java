package dev.andon.cli.act;

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
      "Say what became of a job whose outcome is unknown, after looking at it.",
      "With retry it is tried again as a new attempt: only if it is certain that the last one did"
          + " nothing, or that doing it twice does no harm."
    })
public final class ResolveCommand extends ActCommand {
  private static final Pattern JOB =
      Pattern.compile("([a-z0-9]([-a-z0-9]*[a-z0-9])?)/([0-9]{1,6})");

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
      paramLabel = "BLOCK/INDEX",
      description = "The job, as status.blocks names it: erase/44. Indexes begin with 0.")
  private String job;

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
    Matcher named = JOB.matcher(job);
    if (!named.matches()) {
      throw new ParameterException(
          spec.commandLine(), job + ": not a job such as erase/44, by block and index");
    }
    return new Resolution(named.group(1), Integer.parseInt(named.group(3)), outcome.word);
  }
}
