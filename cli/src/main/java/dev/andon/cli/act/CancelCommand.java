package dev.andon.cli.act;

import picocli.CommandLine.Command;

/** {@code andon cancel}. */
@Command(name = "cancel", description = "End a workflow for good, and cancel what is under way.")
public final class CancelCommand extends ActCommand {
  public CancelCommand() {
    super("Cancel");
  }
}
