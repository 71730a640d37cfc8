package dev.andon.cli.act;

import picocli.CommandLine.Command;

/** {@code andon start}. */
@Command(
    name = "start",
    description =
        "Start a workflow whose spec.start is Manual. It starts once nothing else holds it.")
public final class StartCommand extends ActCommand {
  public StartCommand() {
    super("Start");
  }
}
