package dev.andon.devcluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On the plane that all test classes of the JVM share. */
@RealControlPlane(controllers = true)
class ControlPlaneIT {
  private final ControlPlane plane;
  private Kubectl kubectl;

  ControlPlaneIT(ControlPlane plane) {
    this.plane = plane;
  }

  @BeforeEach
  void asAdministrator() throws Exception {
    kubectl = Kubectl.of(plane);
  }

  @Test
  void says_the_version_that_is_pinned() throws Exception {
    assertThat(kubectl.run("version").output())
        .contains("Client Version: v" + Component.KUBECTL.version())
        .contains("Server Version: v" + Component.KUBE_APISERVER.version());
  }

  @Test
  void a_custom_resource_can_be_defined_and_created() throws Exception {
    String namespace = plane.freshNamespace();

    assertThat(
            kubectl.apply(
                """
                apiVersion: apiextensions.k8s.io/v1
                kind: CustomResourceDefinition
                metadata: {name: cords.devcluster.andon.dev}
                spec:
                  group: devcluster.andon.dev
                  names: {kind: Cord, plural: cords, singular: cord}
                  scope: Namespaced
                  versions:
                  - name: v1
                    served: true
                    storage: true
                    schema:
                      openAPIV3Schema:
                        type: object
                        properties:
                          spec:
                            type: object
                            properties: {length: {type: integer}}
                            x-kubernetes-validations: [{rule: "self.length > 0"}]
                """,
                "apply",
                "-f",
                "-"))
        .extracting(Kubectl.Result::exit)
        .isEqualTo(0);
    plane.awaitCrds();

    String cord =
        """
        {"apiVersion": "devcluster.andon.dev/v1", "kind": "Cord",
         "metadata": {"name": "a"}, "spec": {"length": %d}}""";
    assertThat(kubectl.apply(cord.formatted(0), "-n", namespace, "apply", "-f", "-").output())
        .contains("failed rule: self.length > 0");
    assertThat(kubectl.apply(cord.formatted(1), "-n", namespace, "apply", "-f", "-").output())
        .contains("cord.devcluster.andon.dev/a created");
  }

  @Test
  void rbac_refuses_a_user_until_a_role_is_bound() throws Exception {
    String namespace = plane.freshNamespace();
    Kubectl jane = kubectl.as(plane.userKubeconfig("jane", List.of("responders")));

    assertThat(jane.run("auth", "whoami").output())
        .contains("jane")
        .contains("responders")
        .contains("system:authenticated");
    assertThat(jane.run("-n", namespace, "get", "configmaps").output())
        .contains("User \"jane\" cannot list resource \"configmaps\"");

    kubectl.run(
        "-n", namespace, "create", "rolebinding", "x", "--clusterrole=view", "--group=responders");

    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () -> assertThat(jane.run("-n", namespace, "get", "configmaps").exit()).isZero());
  }

  @Test
  void controllers_make_service_accounts_and_collect_garbage() throws Exception {
    String namespace = plane.freshNamespace();

    assertThat(kubectl.run("-n", namespace, "get", "serviceaccount", "default").exit()).isZero();

    kubectl.run("-n", namespace, "create", "configmap", "owner");
    String uid =
        kubectl
            .run("-n", namespace, "get", "cm", "owner", "-o", "jsonpath={.metadata.uid}")
            .output();
    kubectl.apply(
        """
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "child", "ownerReferences":
          [{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": "%s"}]}}"""
            .formatted(uid),
        "-n",
        namespace,
        "create",
        "-f",
        "-");
    kubectl.run("-n", namespace, "delete", "cm", "owner");

    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () ->
                assertThat(kubectl.run("-n", namespace, "get", "cm", "child").output())
                    .contains("NotFound"));
  }

  @Test
  void admission_policies_are_served_and_change_objects() throws Exception {
    String namespace = plane.freshNamespace();
    kubectl.apply(
        """
        apiVersion: admissionregistration.k8s.io/v1
        kind: MutatingAdmissionPolicy
        metadata: {name: stamp.devcluster.andon.dev}
        spec:
          matchConstraints:
            resourceRules:
            - {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}
          matchConditions: [{name: asked, expression: "object.metadata.name == 'stamp-me'"}]
          failurePolicy: Fail
          reinvocationPolicy: Never
          mutations:
          - patchType: ApplyConfiguration
            applyConfiguration:
              expression: "Object{data: {'by': request.userInfo.username}}"
        ---
        apiVersion: admissionregistration.k8s.io/v1
        kind: MutatingAdmissionPolicyBinding
        metadata: {name: stamp.devcluster.andon.dev}
        spec: {policyName: stamp.devcluster.andon.dev}
        """,
        "apply",
        "-f",
        "-");

    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () -> {
              kubectl.run("-n", namespace, "delete", "cm", "stamp-me", "--ignore-not-found");
              assertThat(
                      kubectl
                          .run(
                              "-n",
                              namespace,
                              "create",
                              "cm",
                              "stamp-me",
                              "-o",
                              "jsonpath={.data.by}")
                          .output())
                  .isEqualTo("kubernetes-admin");
            });
  }

  @Test
  void a_restart_of_the_api_server_keeps_data_and_address() throws Exception {
    String namespace = plane.freshNamespace();
    kubectl.run("-n", namespace, "create", "configmap", "kept", "--from-literal=a=b");
    var address = plane.url();

    plane.restartApiServer();

    assertThat(plane.url()).isEqualTo(address);
    assertThat(
            kubectl
                .run("-n", namespace, "get", "configmap", "kept", "-o", "jsonpath={.data.a}")
                .output())
        .isEqualTo("b");
  }

  @Test
  void a_stopped_api_server_refuses_until_it_is_started_again() throws Exception {
    plane.stopApiServer();
    try {
      assertThat(kubectl.run("get", "namespaces").output()).contains("refused");
    } finally {
      plane.startApiServer();
    }

    assertThat(kubectl.run("get", "namespaces").exit()).isZero();
  }

  @Test
  void planes_side_by_side_do_not_meet_and_close_leaves_nothing() throws Exception {
    ControlPlane other = ControlPlane.start(Options.apiServerOnly());
    List<Daemon> processes = other.facts().daemons();
    Path dir = other.dir();
    String namespace = plane.freshNamespace();
    try (other) {
      assertThat(processes).hasSize(2).allMatch(Daemon::isAlive);
      assertThat(other.url()).isNotEqualTo(plane.url());
      assertThat(Kubectl.of(other).run("get", "namespace", namespace).output())
          .contains("NotFound");
    }

    assertThat(processes).noneMatch(Daemon::isAlive);
    assertThat(dir).doesNotExist();
    assertThat(kubectl.run("get", "namespace", namespace).exit()).isZero();
  }

  @Test
  void a_failed_start_says_why_and_leaves_nothing(@TempDir Path temporary) {
    Path dir = temporary.resolve("plane");

    assertThatThrownBy(
            () ->
                ControlPlane.start(
                    Options.apiServerOnly().withDir(dir).withApiServerFlags("--no-such-flag")))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("kube-apiserver 1.36.3 ended")
        .hasMessageContaining("unknown flag: --no-such-flag");

    // One that has ended is there until it is reaped, which its parent does some time.
    assertThat(dir.resolve("pids/etcd"))
        .satisfies(
            pid ->
                ProcessHandle.of(Long.parseLong(Files.readString(pid)))
                    .ifPresent(
                        etcd -> assertThat(etcd.onExit()).succeedsWithin(Duration.ofSeconds(60))));
  }

  @Test
  void a_folder_with_content_is_not_used(@TempDir Path temporary) throws Exception {
    Files.writeString(temporary.resolve("precious"), "");

    assertThatThrownBy(() -> ControlPlane.start(Options.apiServerOnly().withDir(temporary)))
        .rootCause()
        .hasMessageContaining("is not empty: precious");
  }
}
