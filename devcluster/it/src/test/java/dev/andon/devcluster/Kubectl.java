package dev.andon.devcluster;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Runs kubectl as a person would. */
record Kubectl(Path binary, Path kubeconfig) {
  record Result(int exit, String output) {}

  static Kubectl of(ControlPlane plane) throws InterruptedException {
    return new Kubectl(plane.kubectl(), plane.kubeconfig());
  }

  Kubectl as(Path otherKubeconfig) {
    return new Kubectl(binary, otherKubeconfig);
  }

  Result run(String... arguments) throws IOException, InterruptedException {
    return apply("", arguments);
  }

  Result apply(String stdin, String... arguments) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(List.of(binary.toString(), "--kubeconfig", kubeconfig.toString()));
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().write(stdin.getBytes(StandardCharsets.UTF_8));
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Result(process.waitFor(), output);
  }
}
