package dev.andon.cli.act;

import picocli.CommandLine.Command;

/** {@code andon resume}. */
@Command(
    name = "resume",
    description = "Let a paused workflow go on, with job types as they are now. It undoes no stop.")
public final class ResumeCommand extends ActCommand {
  public ResumeCommand() {
    super("Resume");
  }
}
