package dev.andon.crds;

import dev.andon.devcluster.ControlPlane;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Runs kubectl as a person would. */
record Kubectl(Path binary, Path kubeconfig) {
  /**
   * @param output what it printed, errors among the rest
   */
  record Result(int exit, String output) {}

  static Kubectl of(ControlPlane plane) throws InterruptedException {
    return new Kubectl(plane.kubectl(), plane.kubeconfig());
  }

  /** Runs it and fails the test unless it succeeds. */
  String succeeds(String... arguments) {
    Result result = run("", arguments);
    if (result.exit() != 0) {
      throw new AssertionError(
          "kubectl %s: %s".formatted(String.join(" ", arguments), result.output()));
    }
    return result.output();
  }

  Result run(String stdin, String... arguments) {
    List<String> command =
        new ArrayList<>(List.of(binary.toString(), "--kubeconfig", kubeconfig.toString()));
    command.addAll(List.of(arguments));
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
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
