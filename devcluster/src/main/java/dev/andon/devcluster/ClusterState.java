package dev.andon.devcluster;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;

/**
 * A control plane that goes on after the program that started it: the one of {@code andon cluster}.
 *
 * <p>{@code state.json} in the state folder says which processes belong to it. Commands that run at
 * the same time take turns.
 */
public final class ClusterState {
  private static final ObjectMapper JSON =
      JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  private final Path stateDir;
  private final Binaries binaries;

  /**
   * @param stateDir holds {@code state.json} and the data; made if need be
   */
  public ClusterState(Path stateDir, Binaries binaries) {
    this.stateDir = stateDir.toAbsolutePath();
    this.binaries = binaries;
  }

  /** The one cluster of this user, in {@code cluster/} of the user's cache. */
  public static ClusterState ofThisUser() {
    return new ClusterState(Binaries.cacheFolder().resolve("cluster"), Binaries.ofThisMachine());
  }

  /** What there is. */
  public sealed interface Status {}

  /** Nothing was started, or it was ended. */
  public record Down() implements Status {}

  /**
   * Something was started.
   *
   * @param kubeconfig of the administrator
   * @param url of the API server
   * @param logs folder of the logs
   * @param processes what was started
   * @param ready every process is alive and the API server says it is ready
   */
  public record Up(
      Path kubeconfig, URI url, Path logs, List<ProcessStatus> processes, boolean ready)
      implements Status {}

  /**
   * One process.
   *
   * @param name for example {@code kube-apiserver}
   * @param pid its process id when it was started
   * @param alive false if it ended, also if its pid now belongs to another process
   */
  public record ProcessStatus(String name, long pid, boolean alive) {}

  /**
   * Starts the cluster, or only what is missing of it: quick if everything runs. A cluster that
   * isn't whole any more, as after a reboot, is replaced by a new and empty one.
   *
   * @param options their {@code dir} is not used
   */
  public Up up(Options options) throws InterruptedException {
    try (LockedFile _ = lock()) {
      Optional<ControlPlane.Facts> recorded = read();
      if (recorded.isPresent()) {
        Optional<Up> whole = complete(recorded.get(), options);
        if (whole.isPresent()) {
          return whole.get();
        }
        end(recorded.get());
      }
      ControlPlane.deleteRecursively(dataDir());
      ControlPlane plane = ControlPlane.start(options.withDir(dataDir()), binaries);
      // Saved before it is let go: a program killed in between takes the processes with it, and
      // killed after it leaves a true record.
      save(plane.facts());
      plane.detach();
      return describe(plane.facts(), true);
    } catch (IOException e) {
      throw new UncheckedIOException("the cluster in " + stateDir + " could not be started", e);
    }
  }

  /**
   * Ends the processes on record, each only if it still is the one that was started, and deletes
   * the data.
   *
   * @return false if there was no cluster
   */
  public boolean down() throws InterruptedException {
    try (LockedFile _ = lock()) {
      Optional<ControlPlane.Facts> recorded = read();
      if (recorded.isPresent()) {
        end(recorded.get());
      }
      ControlPlane.deleteRecursively(dataDir());
      return recorded.isPresent();
    } catch (IOException e) {
      throw new UncheckedIOException("the cluster in " + stateDir + " could not be ended", e);
    }
  }

  /** What there is now; asks the API server, and changes nothing. */
  public Status status() throws InterruptedException {
    try {
      Optional<ControlPlane.Facts> recorded = read();
      return recorded.isEmpty() ? new Down() : describe(recorded.get(), isReady(recorded.get()));
    } catch (IOException e) {
      throw new UncheckedIOException("the state in " + stateDir + " could not be read", e);
    }
  }

  /** The running cluster with everything the options ask for; empty if it isn't whole any more. */
  private Optional<Up> complete(ControlPlane.Facts recorded, Options options)
      throws IOException, InterruptedException {
    if (!isReady(recorded)) {
      return Optional.empty();
    }
    ControlPlane plane = ControlPlane.attach(recorded, binaries);
    try {
      plane.ensure(options);
    } finally {
      save(plane.facts());
      plane.detach();
    }
    return Optional.of(describe(plane.facts(), true));
  }

  private boolean isReady(ControlPlane.Facts recorded) throws InterruptedException {
    try {
      ControlPlane plane = ControlPlane.attach(recorded, binaries);
      try {
        return plane.isReady();
      } finally {
        plane.detach();
      }
    } catch (IOException itsKeysAreGone) {
      return false;
    }
  }

  private void end(ControlPlane.Facts recorded) throws IOException, InterruptedException {
    // Not SIGTERM first: what they would bring to its end is deleted.
    Daemon.kill(recorded.daemons());
    ControlPlane.deleteRecursively(recorded.dir());
    Files.deleteIfExists(stateFile());
  }

  private static Up describe(ControlPlane.Facts facts, boolean ready) {
    return new Up(
        facts.dir().resolve("admin.kubeconfig"),
        URI.create("https://127.0.0.1:" + facts.port()),
        facts.dir().resolve("logs"),
        facts.daemons().stream()
            .map(
                daemon ->
                    new ProcessStatus(daemon.name(), daemon.identity().pid(), daemon.isAlive()))
            .toList(),
        ready);
  }

  private LockedFile lock() throws IOException, InterruptedException {
    Files.createDirectories(stateDir);
    return LockedFile.lock(stateDir.resolve("lock"), () -> {});
  }

  /** What stands in {@code state.json}: plain types, for other programs to read. */
  record State(
      int version,
      String dir,
      String url,
      int port,
      String kubeconfig,
      List<String> apiServerFlags,
      List<ProcessState> processes) {}

  record ProcessState(String name, long pid, String started, String log) {}

  private void save(ControlPlane.Facts facts) throws IOException {
    Up up = describe(facts, true);
    State state =
        new State(
            1,
            facts.dir().toString(),
            up.url().toString(),
            facts.port(),
            up.kubeconfig().toString(),
            facts.apiServerFlags(),
            facts.daemons().stream()
                .map(
                    daemon ->
                        new ProcessState(
                            daemon.name(),
                            daemon.identity().pid(),
                            daemon.identity().started(),
                            daemon.log().toString()))
                .toList());
    Path temporary = stateDir.resolve("state.json.part");
    JSON.writerWithDefaultPrettyPrinter().writeValue(temporary.toFile(), state);
    Files.move(temporary, stateFile(), StandardCopyOption.ATOMIC_MOVE);
  }

  private Optional<ControlPlane.Facts> read() throws IOException {
    if (!Files.exists(stateFile())) {
      return Optional.empty();
    }
    State state = JSON.readValue(stateFile().toFile(), State.class);
    return Optional.of(
        new ControlPlane.Facts(
            Path.of(state.dir()),
            state.port(),
            state.apiServerFlags(),
            state.processes().stream()
                .map(
                    process ->
                        new Daemon(
                            process.name(),
                            new ProcessIdentity(process.pid(), process.started()),
                            Path.of(process.log())))
                .toList()));
  }

  private Path stateFile() {
    return stateDir.resolve("state.json");
  }

  private Path dataDir() {
    return stateDir.resolve("plane");
  }
}
