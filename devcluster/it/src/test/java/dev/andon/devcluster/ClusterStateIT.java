package dev.andon.devcluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClusterStateIT {
  @TempDir Path stateDir;
  private ClusterState cluster;

  @BeforeEach
  void noCluster() {
    cluster = new ClusterState(stateDir, Binaries.ofThisMachine());
  }

  @AfterEach
  void end() throws Exception {
    cluster.down();
  }

  @Test
  void up_twice_is_one_cluster_and_down_twice_is_none() throws Exception {
    assertThat(cluster.status()).isInstanceOf(ClusterState.Down.class);

    ClusterState.Up first = cluster.up(Options.apiServerOnly());
    ClusterState.Up second = cluster.up(Options.apiServerOnly());

    assertThat(second).as("the very processes").isEqualTo(first);
    assertThat(cluster.status()).isEqualTo(first);
    assertThat(first.ready()).isTrue();
    assertThat(first.processes())
        .extracting(ClusterState.ProcessStatus::name)
        .containsExactlyInAnyOrder("etcd", "kube-apiserver");
    assertThat(kubectl(first).run("get", "namespaces").exit()).isZero();
    assertThat(stateDir.resolve("state.json"))
        .content()
        .contains(first.kubeconfig().toString(), first.url().toString(), "\"pid\"", "\"started\"");

    assertThat(cluster.down()).isTrue();
    assertThat(cluster.down()).isFalse();

    assertThat(cluster.status()).isInstanceOf(ClusterState.Down.class);
    awaitGone(first);
  }

  @Test
  void up_adds_what_is_missing_to_the_running_cluster() throws Exception {
    ClusterState.Up small = cluster.up(Options.apiServerOnly());
    kubectl(small).run("create", "namespace", "kept");

    ClusterState.Up larger = cluster.up(Options.apiServerOnly().withControllers());

    assertThat(larger.processes())
        .containsAll(small.processes())
        .extracting(ClusterState.ProcessStatus::name)
        .contains("kube-controller-manager");
    assertThat(kubectl(larger).run("-n", "kept", "get", "serviceaccount", "default").exit())
        .isZero();
  }

  @Test
  void a_cluster_that_lost_a_process_is_seen_as_such_and_replaced() throws Exception {
    ClusterState.Up broken = cluster.up(Options.apiServerOnly());
    ClusterState.ProcessStatus victim = broken.processes().getFirst();
    ProcessHandle handle = ProcessHandle.of(victim.pid()).orElseThrow();
    handle.destroyForcibly();
    handle.onExit().join();

    assertThat(cluster.status())
        .isInstanceOfSatisfying(
            ClusterState.Up.class,
            status -> {
              assertThat(status.ready()).isFalse();
              assertThat(status.processes())
                  .contains(new ClusterState.ProcessStatus(victim.name(), victim.pid(), false));
            });

    ClusterState.Up fresh = cluster.up(Options.apiServerOnly());

    assertThat(fresh.ready()).isTrue();
    assertThat(fresh.processes()).doesNotContainAnyElementsOf(broken.processes());
    awaitGone(broken);
  }

  @Test
  void down_spares_a_process_that_only_has_the_pid_on_record() throws Exception {
    cluster.up(Options.apiServerOnly());
    Process bystander = new ProcessBuilder("sleep", "300").start();
    try {
      Path state = stateDir.resolve("state.json");
      String recorded = Files.readString(state);
      long etcd =
          ((ClusterState.Up) cluster.status())
              .processes().stream()
                  .filter(process -> process.name().equals("etcd"))
                  .findFirst()
                  .orElseThrow()
                  .pid();
      Files.writeString(
          state, recorded.replace("\"pid\" : " + etcd, "\"pid\" : " + bystander.pid()));

      cluster.down();

      assertThat(bystander.isAlive()).isTrue();
      ProcessHandle.of(etcd).ifPresent(ProcessHandle::destroyForcibly);
    } finally {
      bystander.destroyForcibly();
    }
  }

  /** Dead they are at once; that their parent, this JVM, has reaped them takes a moment more. */
  private static void awaitGone(ClusterState.Up ended) {
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () ->
                assertThat(ended.processes())
                    .allSatisfy(process -> assertThat(ProcessHandle.of(process.pid())).isEmpty()));
  }

  private static Kubectl kubectl(ClusterState.Up up) throws InterruptedException {
    return new Kubectl(
        Binaries.ofThisMachine().resolve(List.of(Component.KUBECTL)).get(Component.KUBECTL),
        up.kubeconfig());
  }
}
