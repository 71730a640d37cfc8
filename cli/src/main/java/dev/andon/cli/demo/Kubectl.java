package dev.andon.cli.demo;

import dev.andon.cli.CliException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The real kubectl, on the demo's cluster and in the folder of its manifests. Every command is
 * shown as a person would type it.
 */
final class Kubectl {
  private static final int WIDTH = 78;

  private final Path binary;
  private final Path kubeconfig;
  private final Path folder;
  private final Screen screen;

  Kubectl(Path binary, Path kubeconfig, Path folder, Screen screen) {
    this.binary = binary;
    this.kubeconfig = kubeconfig;
    this.folder = folder;
    this.screen = screen;
  }

  /**
   * Shows the command, runs it, and shows what it said.
   *
   * @throws CliException if it fails
   */
  void run(String... args) throws IOException, InterruptedException {
    show(List.of(args));
    List<String> command = new ArrayList<>(List.of(binary.toString()));
    command.addAll(List.of(args));
    ProcessBuilder builder =
        new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true);
    builder.environment().put("KUBECONFIG", kubeconfig.toString());
    // What it learns of this cluster is worth nothing after it.
    builder.environment().put("KUBECACHEDIR", folder.resolve(".kube-cache").toString());
    Process process = builder.start();
    process.getOutputStream().close();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int status = process.waitFor();
    said.lines().forEach(screen::say);
    if (status != 0) {
      throw new CliException(
          "kubectl %s: exit code %d: %s"
              .formatted(args[0], status, said.strip().replace('\n', ' ')));
    }
  }

  /** Long ones on two lines, the patch on its own, such that a shell takes them too. */
  private void show(List<String> args) {
    String whole =
        "$ kubectl " + args.stream().map(Kubectl::quoted).collect(Collectors.joining(" "));
    String shown = whole.length() <= WIDTH ? whole : whole.replace(" -p ", " \\\n    -p ");
    shown.lines().forEach(line -> screen.say(screen.style().paint(Style.Tone.STRONG, line)));
  }

  /** As a shell would need it. */
  private static String quoted(String arg) {
    return arg.matches("[A-Za-z0-9_./:=,@%+-]+") ? arg : "'" + arg + "'";
  }
}
