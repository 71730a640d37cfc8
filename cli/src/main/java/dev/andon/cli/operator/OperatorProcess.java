package dev.andon.cli.operator;

import dev.andon.cli.CliException;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** {@code andon operator}, as a process of its own that ends with this one, however that ends. */
public final class OperatorProcess implements AutoCloseable {
  private static final Duration READY = Duration.ofMinutes(3);
  private static final Duration POLL = Duration.ofMillis(50);
  private static final Duration GRACE = Duration.ofSeconds(30);
  private static final int LOG_LINES = 10;

  private final Process process;
  private final Path log;
  private final int port;

  private OperatorProcess(Process process, Path log, int port) {
    this.process = process;
    this.log = log;
    this.port = port;
  }

  /**
   * With the flags of this JVM.
   *
   * @param kubeconfig whose rights it acts with
   */
  public static OperatorProcess start(Path kubeconfig, Path log) throws IOException {
    return start(kubeconfig, log, flagsOfThisJvm());
  }

  /**
   * @param kubeconfig whose rights it acts with
   * @param flags of its JVM
   */
  public static OperatorProcess start(Path kubeconfig, Path log, List<String> flags)
      throws IOException {
    List<String> all = new ArrayList<>(flags);
    cache().ifPresent(file -> all.addAll(List.of("-XX:AOTCache=" + file, "-Xlog:aot=off")));
    return launch(kubeconfig, log, all);
  }

  /**
   * One whose JVM writes down, when it ends, what it has loaded.
   *
   * @param cache the file to write
   */
  public static OperatorProcess rehearsing(Path kubeconfig, Path log, Path cache)
      throws IOException {
    List<String> flags = new ArrayList<>(flagsOfThisJvm());
    flags.add("-XX:AOTCacheOutput=" + cache);
    return launch(kubeconfig, log, flags);
  }

  /** Where the launcher put what a rehearsal wrote; it fits these jars and no others. */
  public static Optional<Path> cache() {
    return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
        .map(Path::of)
        .map(jar -> jar.resolveSibling("operator.aot"))
        .filter(Files::isRegularFile)
        .findFirst();
  }

  private static OperatorProcess launch(Path kubeconfig, Path log, List<String> flags)
      throws IOException {
    int port = freePort();
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(flags);
    command.addAll(
        List.of(
            "-cp",
            System.getProperty("java.class.path"),
            "dev.andon.cli.Main",
            "operator",
            "--kubeconfig",
            kubeconfig.toString(),
            "--port",
            Integer.toString(port),
            "--until-stdin-closes"));
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start();
    return new OperatorProcess(process, log, port);
  }

  /**
   * Returns when it says it is ready.
   *
   * @throws CliException with the end of its log, if it ends or isn't ready in time
   */
  public void awaitReady() throws InterruptedException {
    long end = System.nanoTime() + READY.toNanos();
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/readyz"))
            .timeout(Duration.ofSeconds(2))
            .build();
    try (HttpClient http = HttpClient.newHttpClient()) {
      while (!isReady(http, request)) {
        // Waits for the end of the process, which is the one thing that can make it pointless.
        if (process.waitFor(POLL.toMillis(), TimeUnit.MILLISECONDS)) {
          throw new CliException("the operator ended; the end of its log:\n" + endOfLog());
        }
        if (System.nanoTime() - end >= 0) {
          throw new CliException(
              "the operator is not ready after %d s; the end of its log:\n%s"
                  .formatted(READY.toSeconds(), endOfLog()));
        }
      }
    }
  }

  /** Where its metrics are read. */
  public URI metrics() {
    return URI.create("http://127.0.0.1:" + port + "/metrics");
  }

  /** Processor time it has used since its start; zero where the system does not tell. */
  public Duration cpu() {
    return process.info().totalCpuDuration().orElse(Duration.ZERO);
  }

  /**
   * Of its memory, what is in the machine's.
   *
   * @throws IOException where there is no /proc
   */
  public long residentBytes() throws IOException {
    try (Stream<String> lines =
        Files.lines(Path.of("/proc", Long.toString(process.pid()), "status"))) {
      return lines
          .filter(line -> line.startsWith("VmRSS:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024)
          .findFirst()
          .orElseThrow(() -> new IOException("the system does not tell how much memory it has"));
    }
  }

  /** SIGKILL; returns when it is gone. */
  public void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  /** The gate is closed first; what is under way outside goes on. */
  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(GRACE.toMillis(), TimeUnit.MILLISECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }

  private static boolean isReady(HttpClient http, HttpRequest request) throws InterruptedException {
    try {
      return http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
    } catch (IOException notYet) {
      return false;
    }
  }

  /** What the launcher starts us with suits it too; what a debugger or an agent adds does not. */
  private static List<String> flagsOfThisJvm() {
    return ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(
            flag ->
                flag.startsWith("-XX:")
                    || flag.startsWith("-Xs")
                    || flag.startsWith("-Xm")
                    || flag.startsWith("--sun-misc-unsafe")
                    || flag.startsWith("--enable-native-access"))
        .filter(flag -> !flag.contains("SharedArchive") && !flag.startsWith("-XX:AOT"))
        .toList();
  }

  private String endOfLog() {
    try {
      List<String> lines = Files.readAllLines(log);
      return lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size()).stream()
          .collect(Collectors.joining("\n"));
    } catch (IOException e) {
      return "(" + log + " cannot be read: " + e.getMessage() + ")";
    }
  }

  private static int freePort() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
