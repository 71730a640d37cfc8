package dev.andon.cli.bench;

import dev.andon.cli.Target;
import dev.andon.operator.cluster.ClusterHttp;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.ServiceAccountBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import io.fabric8.kubernetes.api.model.rbac.PolicyRuleBuilder;
import io.fabric8.kubernetes.api.model.rbac.RoleBindingBuilder;
import io.fabric8.kubernetes.api.model.rbac.RoleBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What the API server itself does about Jobs and Pods of a stopped type, when there is no operator
 * and somebody acts in its name: they must be refused by the emergency stop, not for want of
 * rights, so the account is given those here.
 */
final class SecondLayer {
  private static final String LABEL = "andon.dev/workflow-type";
  private static final String LAYER = "andon-stop-jobs";
  private static final String REFUSAL = "emergency stop";
  private static final int FORBIDDEN_OR_INVALID = 422;

  private SecondLayer() {}

  /**
   * @param said what came of it, for people
   * @param taken whether the API server took any
   * @param layerMissing whether the admission policy is not installed
   */
  record Seen(String said, boolean taken, boolean layerMissing) {}

  /** Once the stop is written. */
  static Seen tried(Rig rig) {
    boolean missing =
        rig.administrator()
                .genericKubernetesResources(
                    "admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy")
                .withName(LAYER)
                .get()
            == null;
    grantJobs(rig);
    Config config =
        new ConfigBuilder(Target.forPeople(rig.operatorKubeconfig(), null))
            .withRequestRetryBackoffLimit(0)
            .build();
    List<String> said = new ArrayList<>();
    boolean taken = false;
    try (KubernetesClient operator = ClusterHttp.client(config).build()) {
      for (HasMetadata one : List.of(job(), pod())) {
        try {
          HasMetadata _ = operator.resource(one).inNamespace(Rig.NAMESPACE).create();
          taken = true;
          said.add(one.getKind() + " taken");
        } catch (KubernetesClientException e) {
          String message =
              Objects.requireNonNullElse(
                  e.getStatus() == null ? e.getMessage() : e.getStatus().getMessage(), "");
          boolean byStop = e.getCode() <= FORBIDDEN_OR_INVALID && message.contains(REFUSAL);
          taken |= !byStop;
          said.add(
              byStop
                  ? one.getKind() + " refused by the emergency stop"
                  : "%s refused, but not by the stop: %s".formatted(one.getKind(), message));
        }
      }
    }
    if (missing) {
      said.add(LAYER + " is not installed");
    }
    return new Seen(String.join("; ", said), taken, missing);
  }

  /** With the service account that the controller manager, which is not there, would make. */
  private static void grantJobs(Rig rig) {
    rig.administrator()
        .resource(
            new ServiceAccountBuilder()
                .withNewMetadata()
                .withName("default")
                .withNamespace(Rig.NAMESPACE)
                .endMetadata()
                .build())
        .serverSideApply();
    rig.administrator()
        .resource(
            new RoleBuilder()
                .withNewMetadata()
                .withName("bench-jobs")
                .withNamespace(Rig.NAMESPACE)
                .endMetadata()
                .addToRules(
                    new PolicyRuleBuilder()
                        .withApiGroups("batch", "")
                        .withResources("jobs", "pods")
                        .withVerbs("create")
                        .build())
                .build())
        .serverSideApply();
    rig.administrator()
        .resource(
            new RoleBindingBuilder()
                .withNewMetadata()
                .withName("bench-jobs")
                .withNamespace(Rig.NAMESPACE)
                .endMetadata()
                .withNewRoleRef("rbac.authorization.k8s.io", "Role", "bench-jobs")
                .addNewSubject("", "ServiceAccount", "andon-operator", "andon-system")
                .build())
        .serverSideApply();
  }

  private static HasMetadata job() {
    return new JobBuilder()
        .withNewMetadata()
        .withName("bench-late")
        .withLabels(Map.of(LABEL, Rig.TYPE))
        .endMetadata()
        .withNewSpec()
        .withNewTemplate()
        .withNewMetadata()
        .withLabels(Map.of(LABEL, Rig.TYPE))
        .endMetadata()
        .withNewSpec()
        .withAutomountServiceAccountToken(false)
        .withRestartPolicy("Never")
        .addNewContainer()
        .withName("late")
        .withImage("late")
        .endContainer()
        .endSpec()
        .endTemplate()
        .endSpec()
        .build();
  }

  private static HasMetadata pod() {
    return new PodBuilder()
        .withNewMetadata()
        .withName("bench-late")
        .withLabels(Map.of(LABEL, Rig.TYPE))
        .endMetadata()
        .withNewSpec()
        .withAutomountServiceAccountToken(false)
        .addNewContainer()
        .withName("late")
        .withImage("late")
        .endContainer()
        .endSpec()
        .build();
  }
}
