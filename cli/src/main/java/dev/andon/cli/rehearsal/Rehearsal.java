package dev.andon.cli.rehearsal;

import dev.andon.cli.Pause;
import dev.andon.cli.operator.OperatorProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Runs the operator once, in a cluster that is none, so that its JVM writes down what it loaded: an
 * AOT cache (JEP 483, 514). With it an operator is ready in half the time. It has to be made by the
 * very program, JDK and jars that use it: so by the launcher, after a build.
 */
public final class Rehearsal {
  private static final Duration LONG_ENOUGH = Duration.ofMinutes(1);

  private Rehearsal() {}

  /**
   * @param args the file to write the cache to
   */
  public static void main(String[] args) throws Exception {
    Path cache = Path.of(args[0]);
    Path folder = Files.createTempDirectory("andon-rehearsal");
    Path kubeconfig = folder.resolve("kubeconfig");
    Path log = folder.resolve("operator.log");
    Thread.ofPlatform().daemon().start(Rehearsal::endAtTheLatest);
    try (EmptyCluster cluster = stage()) {
      cluster.kubeconfig(kubeconfig);
      try (OperatorProcess operator = OperatorProcess.rehearsing(kubeconfig, log, cache)) {
        operator.awaitReady();
        Pause.until(
            "the workflow of the rehearsal is Complete", LONG_ENOUGH, () -> isComplete(cluster));
      }
    } finally {
      delete(log);
      delete(kubeconfig);
      delete(folder);
    }
    System.exit(Files.exists(cache) ? 0 : 1);
  }

  /** Nobody waits longer than that for what is only to save time. */
  private static void endAtTheLatest() {
    try {
      Pause.of(LONG_ENOUGH);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    Runtime.getRuntime().halt(1);
  }

  /** A cluster with one workflow to be run. */
  static EmptyCluster stage() throws IOException {
    var cluster = new EmptyCluster();
    cluster.add("configmaps", STOP);
    cluster.add("workflowpolicies", POLICY);
    cluster.add("workflows", WORKFLOW);
    return cluster;
  }

  static boolean isComplete(EmptyCluster cluster) {
    return cluster.get("workflows", "rehearsal").at("/status/phase").asText().equals("Complete");
  }

  private static void delete(Path path) throws IOException {
    Files.deleteIfExists(path);
  }

  private static final String STOP =
      """
      {"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"namespace": "andon-stop", "name": "emergency-stop"},
        "data": {"Rehearsal": "go"}}
      """;

  private static final String POLICY =
      """
      {"apiVersion": "andon.dev/v1alpha1", "kind": "WorkflowPolicy",
        "metadata": {"name": "rehearsal"},
        "spec": {"workflowTypes": ["Rehearsal"],
          "rules": [{"restrictJobTypes": {"allowed": ["sleep"]}}]}}
      """;

  private static final String WORKFLOW =
      """
      {"apiVersion": "andon.dev/v1alpha1", "kind": "Workflow",
        "metadata": {"namespace": "default", "name": "rehearsal"},
        "spec": {"type": "Rehearsal", "blocks": [
          {"name": "nap", "jobs": [{"name": "nap", "type": "sleep", "args": {"seconds": "0"}}]}]}}
      """;
}
