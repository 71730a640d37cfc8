package dev.andon.cli.rehearsal;

import static org.awaitility.Awaitility.await;

import dev.andon.operator.AndonOperator;
import dev.andon.operator.kubeconfig.KubeConfig;
import dev.andon.operator.leadership.Terms;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RehearsalTest {
  /** Else what is written down is little, and nobody would notice but by the time a start takes. */
  @Test
  void an_operator_gets_ready_and_runs_a_workflow_to_its_end(@TempDir Path dir) throws Exception {
    try (EmptyCluster cluster = Rehearsal.stage()) {
      cluster.kubeconfig(dir.resolve("kubeconfig"));

      try (AndonOperator _ =
          AndonOperator.start(
              KubeConfig.of(dir.resolve("kubeconfig"), null),
              new AndonOperator.Options("andon-system", 0).electing(Terms.DEFAULT))) {
        await().atMost(Duration.ofMinutes(1)).until(() -> Rehearsal.isComplete(cluster));
      }
    }
  }
}
