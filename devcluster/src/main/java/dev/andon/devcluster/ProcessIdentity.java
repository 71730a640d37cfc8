package dev.andon.devcluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A process that can be found again by another program: a pid alone may be somebody else's by then.
 *
 * @param pid process id
 * @param started when it started, in whatever form this system tells it exactly; only compared
 */
record ProcessIdentity(long pid, String started) {
  static ProcessIdentity of(ProcessHandle process) {
    return new ProcessIdentity(process.pid(), startOf(process));
  }

  /** The process, if it is alive and the very one that was recorded. */
  Optional<ProcessHandle> find() {
    return ProcessHandle.of(pid)
        .filter(ProcessHandle::isAlive)
        .filter(process -> startOf(process).equals(started));
  }

  private static String startOf(ProcessHandle process) {
    // Java derives the start time from the wall clock at boot, which Linux corrects as it runs: the
    // same process would seem to have started at another time. Ticks since boot don't move.
    try {
      String stat = Files.readString(Path.of("/proc/" + process.pid() + "/stat"));
      // The second field is the name in parentheses and may hold blanks: count from its end. The
      // state is field 3, the start field 22 (man 5 proc).
      String[] fromState = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      if (fromState[0].equals("Z")) {
        // Dead, but its parent hasn't asked; in a container nobody may ever ask.
        return "ended";
      }
      String boot = Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
      return boot + "/" + fromState[19];
    } catch (IOException noSuchProcessOrNotLinux) {
      return process.info().startInstant().map(Object::toString).orElse("unknown");
    }
  }
}
