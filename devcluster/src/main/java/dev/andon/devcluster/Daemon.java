package dev.andon.devcluster;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * One running program of a control plane.
 *
 * @param name of the component
 * @param identity which process it is
 * @param log where it writes
 */
record Daemon(String name, ProcessIdentity identity, Path log) {
  private static final Duration GRACE = Duration.ofSeconds(1);
  private static final Duration POLL = Duration.ofMillis(20);
  private static final Duration AFTER_KILL = Duration.ofSeconds(10);

  /**
   * Starts {@code command} in a session of its own, so that Ctrl-C at a terminal reaches this
   * program, which ends things in order, and not everything at once.
   */
  static Daemon start(String name, List<String> command, Path log) throws IOException {
    List<String> inOwnSession = new ArrayList<>(ownSession());
    inOwnSession.addAll(command);
    ProcessBuilder builder =
        new ProcessBuilder(inOwnSession)
            .redirectInput(new File("/dev/null"))
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    // etcd reads every flag from ETCD_* too.
    builder.environment().keySet().removeIf(variable -> variable.startsWith("ETCD_"));
    // With next to nothing in it a heap of Go is collected all the time: a quarter of what the API
    // server did for a write. Twice the heap halves that.
    builder.environment().putIfAbsent("GOGC", "200");
    return new Daemon(name, ProcessIdentity.of(builder.start().toHandle()), log);
  }

  boolean isAlive() {
    return identity.find().isPresent();
  }

  /** SIGTERM to all at once, after a short grace SIGKILL; returns when none is left. */
  static void stop(Collection<Daemon> daemons) throws InterruptedException {
    handles(daemons).forEach(ProcessHandle::destroy);
    if (!allEnd(daemons, GRACE)) {
      kill(daemons);
    }
  }

  /** SIGKILL, as a crash would. */
  void kill() throws InterruptedException {
    kill(List.of(this));
  }

  /** SIGKILL to all at once; returns when none is left. */
  static void kill(Collection<Daemon> daemons) throws InterruptedException {
    handles(daemons).forEach(ProcessHandle::destroyForcibly);
    if (!allEnd(daemons, AFTER_KILL)) {
      throw new IllegalStateException("still alive after SIGKILL: " + daemons);
    }
  }

  private static Stream<ProcessHandle> handles(Collection<Daemon> daemons) {
    return daemons.stream().flatMap(daemon -> daemon.identity().find().stream());
  }

  /** Not by onExit: of a process of another JVM it tells only once somebody has reaped it. */
  private static boolean allEnd(Collection<Daemon> daemons, Duration limit)
      throws InterruptedException {
    return Pause.until(limit, POLL, () -> daemons.stream().noneMatch(Daemon::isAlive));
  }

  /** {@code setsid} of Linux; macOS has none, but Perl. Both keep the process id. */
  static List<String> ownSession() {
    if (onPath("setsid")) {
      return List.of("setsid");
    }
    return onPath("perl")
        ? List.of("perl", "-e", "use POSIX; POSIX::setsid(); exec @ARGV or die $!", "--")
        : List.of();
  }

  private static boolean onPath(String program) {
    return Stream.of(Optional.ofNullable(System.getenv("PATH")).orElse("").split(":", -1))
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
  }
}
