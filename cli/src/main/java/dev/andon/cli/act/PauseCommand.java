package dev.andon.cli.act;

import picocli.CommandLine.Command;

/** {@code andon pause}. */
@Command(
    name = "pause",
    description = "Begin nothing more of a workflow; what is under way goes on until it ends.")
public final class PauseCommand extends ActCommand {
  public PauseCommand() {
    super("Pause");
  }
}
