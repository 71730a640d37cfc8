package dev.andon.cli.install;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.andon.cli.CliException;
import dev.andon.cli.Target;
import dev.andon.cli.install.Installation.Done;
import dev.andon.cli.install.Installation.Outcome;
import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.Options;
import dev.andon.devcluster.RealControlPlane;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.authorization.v1.SubjectAccessReviewBuilder;
import io.fabric8.kubernetes.api.model.rbac.ClusterRoleBuilder;
import io.fabric8.kubernetes.api.model.rbac.PolicyRuleBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@RealControlPlane
class InstallationIT {
  private static final String OPERATOR = "system:serviceaccount:andon-system:andon-operator";

  private final KubernetesClient client;

  InstallationIT(ControlPlane plane) {
    client =
        new KubernetesClientBuilder()
            .withConfig(Target.forPeople(plane.kubeconfig(), null))
            .build();
  }

  @BeforeEach
  void installed() {
    install(true);
  }

  @AfterEach
  void close() {
    client.close();
  }

  @Test
  void doing_it_again_changes_nothing() {
    assertThat(install(false))
        .hasSize(47)
        .extracting(Done::outcome)
        .containsOnly(Outcome.UNCHANGED);
  }

  @Test
  void it_never_touches_the_stop() {
    client.configMaps().inNamespace("andon-stop").withName("emergency-stop").delete();
    install(false);
    assertThat(stop()).as("not created").isNull();

    client
        .resource(
            new ConfigMapBuilder()
                .withNewMetadata()
                .withName("emergency-stop")
                .withNamespace("andon-stop")
                .addToAnnotations("andon.dev/arm-reason", "a test")
                .endMetadata()
                .addToData("Example", "go")
                .build())
        .create();
    ConfigMap before = stop();
    install(true);
    assertThat(stop().getMetadata().getResourceVersion())
        .isEqualTo(before.getMetadata().getResourceVersion());
  }

  @Test
  void what_the_api_server_does_not_serve_is_left_out_and_named() throws Exception {
    try (ControlPlane old =
            ControlPlane.start(
                Options.apiServerOnly()
                    .withApiServerFlags(
                        "--runtime-config=admissionregistration.k8s.io/v1/mutatingadmissionpolicies=false,"
                            + "admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings=false",
                        "--disable-admission-plugins=TaintNodesByCondition,MutatingAdmissionPolicy"));
        KubernetesClient there =
            new KubernetesClientBuilder()
                .withConfig(Target.forPeople(old.kubeconfig(), null))
                .build()) {
      var done = new ArrayList<Done>();

      List<String> missing = new Installation(there, false, done::add).run();

      assertThat(missing)
          .satisfiesExactly(
              marks -> assertThat(marks).startsWith("andon-mark-suspended: "),
              ids -> assertThat(ids).startsWith("andon-arming-ids: "),
              authors -> assertThat(authors).startsWith("andon-requested-by: "));
      assertThat(done)
          .contains(
              new Done("mutatingadmissionpolicy/andon-arming-ids", Outcome.SKIPPED),
              new Done("validatingadmissionpolicy/andon-stop-jobs", Outcome.CREATED));
      // And what is there works
      ConfigMap open =
          new ConfigMapBuilder()
              .withNewMetadata()
              .withName("emergency-stop")
              .withNamespace("andon-stop")
              .endMetadata()
              .addToData("Example", "go")
              .build();
      await()
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(
              () ->
                  assertThatThrownBy(() -> there.resource(open).dryRun(true).create())
                      .hasMessageContaining("andon-arming-guard"));
    }
  }

  @Test
  void what_somebody_else_set_is_not_taken_over_unless_asked_for() {
    client
        .resource(
            new ClusterRoleBuilder()
                .withNewMetadata()
                .withName("andon-operator")
                .endMetadata()
                .withRules(
                    new PolicyRuleBuilder()
                        .withApiGroups("")
                        .withResources("podtemplates")
                        .withVerbs("get")
                        .build())
                .build())
        .fieldManager("somebody")
        .forceConflicts()
        .serverSideApply();

    assertThatThrownBy(() -> install(false))
        .isInstanceOf(CliException.class)
        .hasMessageStartingWith("clusterrole/andon-operator: ")
        .hasMessageContaining("somebody")
        .hasMessageEndingWith("andon install --force-conflicts");
    assertThat(install(true)).contains(new Done("clusterrole/andon-operator", Outcome.CONFIGURED));
    assertThat(client.rbac().clusterRoles().withName("andon-operator").get().getRules())
        .noneSatisfy(rule -> assertThat(rule.getResources()).contains("podtemplates"));
  }

  @Test
  void the_operator_can_read_the_stop_and_neither_open_nor_close_it() {
    assertThat(may("get", "", "configmaps", "andon-stop")).isTrue();
    assertThat(may("create", "", "configmaps", "andon-stop")).isTrue();
    for (String verb : List.of("update", "patch", "delete")) {
      assertThat(may(verb, "", "configmaps", "andon-stop")).as(verb).isFalse();
    }
    // Items of a forEach, by name: it need not know what else there is.
    assertThat(may("get", "", "configmaps", "default")).isTrue();
    assertThat(may("list", "", "configmaps", "default")).isFalse();
  }

  @Test
  void the_operator_cannot_change_what_it_runs_by() {
    assertThat(may("patch", "andon.dev", "workflowpolicies", "")).isFalse();
    assertThat(may("update", "andon.dev", "jobtypes", "")).isFalse();
    assertThat(may("delete", "andon.dev", "workflows", "fleet")).isFalse();
    assertThat(may("create", "andon.dev", "workflows", "fleet")).isFalse();
    assertThat(may("get", "", "secrets", "andon-system")).isTrue();
    assertThat(may("list", "", "secrets", "andon-system")).isFalse();
    assertThat(may("get", "", "secrets", "default")).isFalse();
  }

  private List<Done> install(boolean force) {
    var done = new ArrayList<Done>();
    new Installation(client, force, done::add).run();
    return done;
  }

  private ConfigMap stop() {
    return client.configMaps().inNamespace("andon-stop").withName("emergency-stop").get();
  }

  private boolean may(String verb, String group, String resource, String namespace) {
    return client
        .authorization()
        .v1()
        .subjectAccessReview()
        .create(
            new SubjectAccessReviewBuilder()
                .withNewSpec()
                .withUser(OPERATOR)
                .withNewResourceAttributes()
                .withVerb(verb)
                .withGroup(group)
                .withResource(resource)
                .withNamespace(namespace)
                .endResourceAttributes()
                .endSpec()
                .build())
        .getStatus()
        .getAllowed();
  }
}
