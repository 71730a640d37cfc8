package dev.andon.devcluster;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Ends a control plane whose JVM was killed and could not do it.
 *
 * <p>A shell that reads from a pipe of this JVM: the pipe closes however the JVM ends, and no
 * polling is needed. It then ends the processes recorded in the plane's folder, each only if its
 * arguments name that folder, so that a reused process id does no harm, and deletes the folder.
 */
final class Watchdog {
  private static final String SCRIPT =
      """
      trap '' INT HUP TERM
      read -r word && [ "$word" = done ] && exit 0
      ours() {
        if [ -r "/proc/$1/cmdline" ]; then tr '\\0' ' ' < "/proc/$1/cmdline"
        else ps -ww -o args= -p "$1"; fi 2>/dev/null | grep -qF -- "$dir"
      }
      dir=$1
      for signal in TERM KILL; do
        for file in "$dir"/pids/*; do
          [ -f "$file" ] || continue
          pid=$(cat "$file")
          ours "$pid" && kill -s "$signal" "$pid" 2>/dev/null
        done
        sleep 1
      done
      [ "$2" = delete ] && rm -rf -- "$dir"
      """;

  private final Process shell;

  private Watchdog(Process shell) {
    this.shell = shell;
  }

  static Watchdog start(Path dir, boolean deleteDir) throws IOException {
    List<String> command = new ArrayList<>(Daemon.ownSession());
    command.addAll(
        List.of(
            "sh", "-c", SCRIPT, "andon-watchdog", dir.toString(), deleteDir ? "delete" : "keep"));
    return new Watchdog(
        new ProcessBuilder(command)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start());
  }

  /** The plane was ended in order: nothing to do any more. */
  void dismiss() throws InterruptedException {
    try (OutputStream in = shell.getOutputStream()) {
      in.write("done\n".getBytes(StandardCharsets.UTF_8));
    } catch (IOException alreadyGone) {
      // Then it has nothing to do either.
    }
    shell.waitFor();
  }
}
