package dev.andon.devcluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KilledJvmIT {
  /** The other JVM: starts a plane, says where, and waits for its end. */
  static final class Holder {
    public static void main(String[] arguments) throws Exception {
      ControlPlane plane = ControlPlane.start(Options.apiServerOnly());
      System.out.println("plane in " + plane.dir());
      new java.util.concurrent.CountDownLatch(1).await();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"TERM", "KILL"})
  void nothing_outlives_the_jvm(String signal) throws Exception {
    Process jvm =
        new ProcessBuilder(
                ProcessHandle.current().info().command().orElseThrow(),
                "-cp",
                System.getProperty("java.class.path"),
                Holder.class.getName())
            .redirectErrorStream(true)
            .start();
    try (BufferedReader output = jvm.inputReader()) {
      Path dir =
          output
              .lines()
              .filter(line -> line.startsWith("plane in "))
              .findFirst()
              .map(line -> Path.of(line.substring("plane in ".length())))
              .orElseThrow();
      List<ProcessHandle> processes = processesOf(dir);
      assertThat(processes).hasSize(2).allMatch(ProcessHandle::isAlive);

      new ProcessBuilder("kill", "-s", signal, Long.toString(jvm.pid())).start().waitFor();

      await()
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(
              () -> {
                assertThat(processes).noneMatch(ProcessHandle::isAlive);
                assertThat(dir).doesNotExist();
              });
    } finally {
      jvm.destroyForcibly();
    }
  }

  private static List<ProcessHandle> processesOf(Path dir) throws IOException {
    try (Stream<Path> pids = Files.list(dir.resolve("pids"))) {
      return pids.map(KilledJvmIT::pid).map(ProcessHandle::of).flatMap(Optional::stream).toList();
    }
  }

  private static long pid(Path file) {
    try {
      return Long.parseLong(Files.readString(file));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
