package dev.andon.chart;

import dev.andon.devcluster.Binaries;
import dev.andon.devcluster.Component;
import dev.andon.devcluster.ControlPlane;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A program run as a person would.
 *
 * @param command how every call begins
 */
record Tool(List<String> command) {
  private static final Path HELM_HOME = Path.of("target/helm").toAbsolutePath();

  /**
   * @param output what it printed, errors among the rest
   */
  record Result(int exit, String output) {}

  Tool {
    command = List.copyOf(command);
  }

  /** Helm without a cluster. */
  static Tool helm() throws InterruptedException {
    return new Tool(
        List.of(
            Binaries.ofThisMachine().resolve(Component.HELM).toString(),
            "--kubeconfig",
            "/dev/null"));
  }

  static Tool helm(ControlPlane plane) throws InterruptedException {
    return new Tool(
        List.of(
            Binaries.ofThisMachine().resolve(Component.HELM).toString(),
            "--kubeconfig",
            plane.kubeconfig().toString()));
  }

  static Tool kubectl(ControlPlane plane) throws InterruptedException {
    return new Tool(
        List.of(plane.kubectl().toString(), "--kubeconfig", plane.kubeconfig().toString()));
  }

  /** Runs it and fails the test unless it succeeds. */
  String succeeds(String... arguments) {
    return succeedsWith("", arguments);
  }

  String succeedsWith(String stdin, String... arguments) {
    Result result = run(stdin, arguments);
    if (result.exit() != 0) {
      throw new AssertionError(
          "%s %s: %s".formatted(command.getFirst(), String.join(" ", arguments), result.output()));
    }
    return result.output();
  }

  /** Runs it and fails the test if it succeeds. */
  String fails(String... arguments) {
    Result result = run("", arguments);
    if (result.exit() == 0) {
      throw new AssertionError(
          "%s %s succeeded: %s"
              .formatted(command.getFirst(), String.join(" ", arguments), result.output()));
    }
    return result.output();
  }

  Result run(String stdin, String... arguments) {
    List<String> line = new ArrayList<>(command);
    line.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(line).redirectErrorStream(true);
    // What the person at this machine has configured is none of the tests' business.
    builder.environment().put("HELM_CACHE_HOME", HELM_HOME.resolve("cache").toString());
    builder.environment().put("HELM_CONFIG_HOME", HELM_HOME.resolve("config").toString());
    builder.environment().put("HELM_DATA_HOME", HELM_HOME.resolve("data").toString());
    try {
      Process process = builder.start();
      process.getOutputStream().write(stdin.getBytes(StandardCharsets.UTF_8));
      process.getOutputStream().close();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Result(process.waitFor(), output);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
