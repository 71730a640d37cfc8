package dev.andon.cli.stop;

import java.io.Console;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The person in front of it, if there is one. */
public final class Terminal {
  private Terminal() {}

  /** Their answer, empty at the end of input; no answer at all where nobody can be asked. */
  public static Optional<String> ask(String question) {
    Console console = System.console();
    if (console == null || !console.isTerminal()) {
      return Optional.empty();
    }
    @Nullable String answer = console.readLine("%s", question);
    return Optional.of(answer == null ? "" : answer);
  }
}
