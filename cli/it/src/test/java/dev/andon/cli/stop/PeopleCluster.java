package dev.andon.cli.stop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.cli.Target;
import dev.andon.cli.install.Installation;
import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.Options;
import dev.andon.operator.AndonOperator;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A control plane with Andon installed, an operator, and people with the shipped roles. */
final class PeopleCluster implements AutoCloseable {
  private static final Path HOME = Path.of(System.getProperty("ANDON_HOME")).toAbsolutePath();
  private static final Duration PATIENCE = Duration.ofSeconds(120);

  private final ControlPlane plane;
  private final Path folder;
  private final Path operatorKubeconfig;
  private @Nullable AndonOperator operator;

  /** What a shell command did. */
  record Run(int exit, String output) {}

  PeopleCluster(Path folder) throws Exception {
    this.folder = folder;
    plane = ControlPlane.start(Options.apiServerOnly());
    operatorKubeconfig =
        plane.userKubeconfig(
            "system:serviceaccount:andon-system:andon-operator",
            List.of("system:serviceaccounts", "system:serviceaccounts:andon-system"));
    try (var client =
        new KubernetesClientBuilder()
            .withConfig(Target.forPeople(plane.kubeconfig(), null))
            .build()) {
      new Installation(client, false, done -> {}).run();
    }
    // What the first one loads the others find loaded. Of jars alone: the JVM keeps no others.
    String jars =
        Stream.of(System.getProperty("java.class.path").split(File.pathSeparator, -1))
            .filter(entry -> entry.endsWith(".jar"))
            .collect(Collectors.joining(File.pathSeparator));
    Path andon = folder.resolve("andon");
    Files.writeString(
        andon,
        """
        #!/bin/sh
        exec '%s' -XX:+AutoCreateSharedArchive -XX:SharedArchiveFile='%s' -Xlog:cds=off -Xlog:aot=off \\
          -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx128m -cp '%s' dev.andon.cli.Main "$@"
        """
            .formatted(
                Path.of(System.getProperty("java.home"), "bin", "java"),
                folder.resolve("andon.jsa"),
                jars));
    Files.setPosixFilePermissions(andon, PosixFilePermissions.fromString("rwx------"));
    apply(
        """
        apiVersion: v1
        kind: Namespace
        metadata: {name: fleet}
        ---
        apiVersion: andon.dev/v1alpha1
        kind: WorkflowPolicy
        metadata: {name: only-sleep}
        spec:
          workflowTypes: [SatelliteDiskErase, Reboot]
          rules: [{restrictJobTypes: {allowed: [sleep]}}]
        """);
    startOperator();
    awaitStop();
  }

  /** Until the operator has created the ConfigMap, empty. */
  void awaitStop() {
    succeeds(
        admin(),
        "kubectl wait --for=create cm/emergency-stop -n andon-stop --timeout=%ds"
            .formatted(PATIENCE.toSeconds()));
  }

  void startOperator() throws IOException {
    operator =
        AndonOperator.start(
            Target.forPeople(operatorKubeconfig, null),
            new AndonOperator.Options("andon-system", 0));
  }

  void stopOperator() {
    if (operator != null) {
      operator.close();
      operator = null;
    }
  }

  Path admin() {
    return plane.kubeconfig();
  }

  /** The operator's own rights. */
  Path operatorsRights() {
    return operatorKubeconfig;
  }

  Path person(String name, String... groups) {
    return plane.userKubeconfig(name, List.of(groups));
  }

  /** In a shell, with kubectl and andon in its path, in the root of the checkout. */
  Run sh(Path kubeconfig, String script) {
    try {
      var builder =
          new ProcessBuilder("sh", "-ec", script)
              .directory(HOME.toFile())
              .redirectErrorStream(true);
      builder.environment().put("KUBECONFIG", kubeconfig.toString());
      builder.environment().put("KUBECACHEDIR", folder.resolve("cache").toString());
      builder
          .environment()
          .merge(
              "PATH",
              folder + ":" + plane.kubectl().getParent(),
              (path, ours) -> ours + ":" + path);
      Process process = builder.start();
      process.getOutputStream().close();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Run(process.waitFor(), output);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** Its output; fails the test if it fails. */
  String succeeds(Path kubeconfig, String script) {
    Run run = sh(kubeconfig, script);
    assertThat(run.exit()).as("%s%n%s", script, run.output()).isZero();
    return run.output();
  }

  void apply(String yaml) {
    succeeds(admin(), "kubectl apply -f - <<'END'\n" + yaml + "\nEND");
  }

  /**
   * Sleeps a hundred seconds at a time.
   *
   * @param name in namespace fleet, or {@code namespace/name}
   */
  void workflow(String name, String type) {
    apply(
        """
        apiVersion: andon.dev/v1alpha1
        kind: Workflow
        metadata: {name: %s, namespace: %s}
        spec:
          type: %s
          blocks:
          - name: erase
            concurrency: 2
            forEach:
              range: {from: 1, to: 20, format: "aap-%%d"}
              job: {type: sleep, args: {seconds: "100"}}
        """
            .formatted(nameOf(name), namespaceOf(name), type));
  }

  String get(String what, String jsonPath) {
    return succeeds(admin(), "kubectl get %s -o jsonpath='%s'".formatted(what, jsonPath)).strip();
  }

  /**
   * @param workflow in namespace fleet, or {@code namespace/name}
   */
  String phase(String workflow) {
    return get(
        "awf %s -n %s".formatted(nameOf(workflow), namespaceOf(workflow)), "{.status.phase}");
  }

  /** By one watch: a kubectl after the other would take the time of what is waited for. */
  void awaitPhase(String workflow, String phase) {
    Run waited =
        sh(
            admin(),
            "kubectl wait awf %s -n %s --for=jsonpath='{.status.phase}'=%s --timeout=%ds"
                .formatted(nameOf(workflow), namespaceOf(workflow), phase, PATIENCE.toSeconds()));
    assertThat(waited.exit())
        .as("%s is to be %s, and is %s: %s", workflow, phase, phase(workflow), waited.output())
        .isZero();
  }

  private static String nameOf(String workflow) {
    return workflow.substring(workflow.indexOf('/') + 1);
  }

  private static String namespaceOf(String workflow) {
    return workflow.contains("/") ? workflow.substring(0, workflow.indexOf('/')) : "fleet";
  }

  @Override
  public void close() {
    stopOperator();
    plane.close();
  }
}
