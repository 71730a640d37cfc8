package dev.andon.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Items that a ConfigMap holds: those whose hash is in spec, and no others. */
@RealControlPlane
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ItemsIT {
  private static final Duration SLOW_MACHINE = Duration.ofSeconds(60);
  private static final String CONTENT = "0.1\n8\n0.2\n";

  private Cluster cluster;

  @BeforeAll
  void given_an_operator(ControlPlane plane) throws Exception {
    cluster = new Cluster(plane);
    cluster.operator();
    cluster.arm("Nap");
    cluster.apply(
        """
        apiVersion: v1
        kind: Namespace
        metadata: {name: items}
        ---
        apiVersion: andon.dev/v1alpha1
        kind: WorkflowPolicy
        metadata: {name: naps}
        spec:
          workflowTypes: [Nap]
          enforcement: Deny
          rules: [{restrictJobTypes: {allowed: [sleep]}}]
        """);
  }

  @AfterAll
  void tear_down() throws Exception {
    cluster.close();
  }

  private void content(String content) {
    cluster.apply(
        """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: naps, namespace: items}
        data: {seconds: "%s"}
        """
            .formatted(content.replace("\n", "\\n")));
  }

  private void waitForReason(String reason) {
    await().atMost(SLOW_MACHINE).until(() -> cluster.reason("items", "naps").equals(reason));
  }

  private String field(String path) {
    return cluster.get("workflow", "items", "naps", path);
  }

  @Test
  void it_waits_for_them_holds_while_they_are_others_and_runs_each_once() throws Exception {
    String hash =
        HexFormat.of()
            .formatHex(
                MessageDigest.getInstance("SHA-256")
                    .digest(CONTENT.getBytes(StandardCharsets.UTF_8)));
    cluster.apply(
        """
        apiVersion: andon.dev/v1alpha1
        kind: Workflow
        metadata: {name: naps, namespace: items}
        spec:
          type: Nap
          blocks:
          - name: one
            forEach:
              configMapKeyRef: {name: naps, key: seconds, sha256: %s}
              job: {type: sleep, args: {seconds: "$(item)"}}
        """
            .formatted(hash));
    waitForReason("ItemsChanged");
    assertThat(field("{.status.conditions[?(@.type=='Ready')].message}"))
        .contains("there is no ConfigMap naps");

    content(CONTENT);
    await().atMost(SLOW_MACHINE).until(() -> field("{.status.progress}").equals("1/3"));
    content("0.1\n8\n600\n");
    waitForReason("ItemsChanged");
    assertThat(field("{.status.phase} {.status.progress} {.status.starts}"))
        .isEqualTo("Paused 2/3 2");

    content(CONTENT);
    cluster.kubectl("wait", "--for=condition=Complete", "awf/naps", "-n", "items", "--timeout=60s");
    assertThat(field("{.status.progress} {.status.starts}")).isEqualTo("3/3 3");
  }
}
