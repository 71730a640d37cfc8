package dev.andon.chart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The chart's life on a real API server, with Pods on fake nodes: they are scheduled and admitted
 * as real ones, no image is pulled and no probe asked.
 */
@RealControlPlane(controllers = true, scheduler = true, kwok = true)
@Timeout(180)
class ChartIT {
  private static final String SYSTEM = "andon-system";
  private static final String ACCOUNT = "system:serviceaccount:andon-system:andon-operator";

  /** What a person writes. */
  static final String ARMED =
      """
      apiVersion: v1
      kind: ConfigMap
      metadata:
        name: emergency-stop
        namespace: andon-stop
        annotations: {andon.dev/arm-reason: a test}
      data: {Example: go}
      """;

  private static final String WORKFLOW =
      """
      apiVersion: andon.dev/v1alpha1
      kind: Workflow
      metadata: {name: kept}
      spec:
        type: Example
        blocks: [{name: one, jobs: [{name: a, type: sleep, args: {seconds: "1"}}]}]
      """;

  /** No type is called all: it is always refused, by the stop as the API server reads it. */
  private static final String LABELLED_JOB =
      """
      apiVersion: batch/v1
      kind: Job
      metadata: {name: never, namespace: andon-system, labels: {andon.dev/workflow-type: all}}
      spec: {template: {spec: {restartPolicy: Never, containers: [{name: none, image: none}]}}}
      """;

  /**
   * Expected, verb, what, and where: resource, with a subresource after a colon, a group after a
   * dot and a name after a slash; in a namespace or in all.
   */
  private static final String RIGHTS =
      """
      yes list workflows.andon.dev -A
      yes watch workflows.andon.dev -A
      yes patch workflows.andon.dev -n default
      yes update workflows:status.andon.dev -n default
      yes operate workflows.andon.dev -n default
      yes watch jobtypes.andon.dev -A
      yes watch workflowpolicies.andon.dev -A
      yes patch workflowpolicies:status.andon.dev -A
      yes get tokenbuckets.andon.dev -A
      yes update tokenbuckets:status.andon.dev -A
      yes watch namespaces -A
      yes get configmaps/emergency-stop -n andon-stop
      yes watch configmaps -n andon-stop
      yes create configmaps -n andon-stop
      yes get secrets/fleet -n andon-system
      no update configmaps/emergency-stop -n andon-stop
      no patch configmaps/emergency-stop -n andon-stop
      no delete configmaps/emergency-stop -n andon-stop
      no deletecollection configmaps -n andon-stop
      no resume emergencystops.andon.dev -n andon-stop
      no delete namespaces/andon-stop -A
      no patch namespaces/andon-stop -A
      no create namespaces -A
      yes get configmaps -n default
      no list configmaps -n default
      no create configmaps -n default
      no get secrets -n default
      no get secrets -n andon-stop
      no get secrets -n kube-system
      no list secrets -n andon-system
      no update secrets -n andon-system
      no create pods -n andon-system
      no create pods -n default
      no create pods:exec -n andon-system
      yes create jobs.batch -n andon-system
      yes list validatingadmissionpolicybindings.admissionregistration.k8s.io -A
      yes list mutatingwebhookconfigurations.admissionregistration.k8s.io -A
      yes create jobs.batch -n default
      yes patch jobs.batch -n default
      no delete jobs.batch -n default
      no create workflows.andon.dev -n default
      no update workflows.andon.dev -n default
      no delete workflows.andon.dev -n default
      no create jobtypes.andon.dev -A
      no update jobtypes.andon.dev -A
      no run jobtypes.andon.dev -A
      no update workflowpolicies.andon.dev -A
      no delete workflowpolicies.andon.dev -A
      no update tokenbuckets.andon.dev -A
      no create workflowactions.andon.dev -n default
      no approve workflows.andon.dev -n default
      no create serviceaccounts:token -n andon-system
      no bind clusterroles.rbac.authorization.k8s.io -A
      no escalate clusterroles.rbac.authorization.k8s.io -A
      no impersonate users -A
      no update customresourcedefinitions.apiextensions.k8s.io -A
      no create validatingadmissionpolicies.admissionregistration.k8s.io -A
      """;

  private static final Pattern WHAT =
      Pattern.compile(
          "(?<resource>[a-z]+)(:(?<subresource>[a-z]+))?(\\.(?<group>[a-z0-9.]+))?(/(?<name>.+))?");

  private final ControlPlane plane;
  private final Tool helm;
  private final Tool kubectl;

  ChartIT(ControlPlane plane) throws InterruptedException {
    this.plane = plane;
    this.helm = Tool.helm(plane);
    this.kubectl = Tool.kubectl(plane);
  }

  /** Where it is to run, nothing but what keeps to the strictest of the Pod Security Standards. */
  @BeforeEach
  void namespaces() {
    kubectl.succeedsWith(
        """
        apiVersion: v1
        kind: Namespace
        metadata:
          name: andon-system
          labels: {pod-security.kubernetes.io/enforce: restricted}
        """,
        "apply",
        "-f",
        "-");
  }

  /**
   * What stays on uninstall stays from test to test: an API server that is given the same CRDs
   * again and again takes minutes to let go of them.
   */
  @AfterEach
  void uninstall() {
    helm.succeeds("uninstall", "andon", "-n", SYSTEM, "--ignore-not-found");
    kubectl.run("", "-n", "andon-stop", "delete", "cm", "emergency-stop");
  }

  @Test
  void install_upgrade_rollback_uninstall_and_install_again() throws Exception {
    assertThat(install()).contains("Everything is stopped until a person arms a workflow type");

    assertThat(deployed("{.status.conditions[?(@.type==\"Available\")].status}")).isEqualTo("True");
    assertThat(
            kubectl.succeeds(
                "-n",
                SYSTEM,
                "get",
                "endpointslices",
                "-l",
                "kubernetes.io/service-name=andon-operator-metrics",
                "-o",
                "jsonpath={.items[*].ports[*].port}"))
        .isEqualTo("8080");

    // Given a person's arming, and a Workflow
    kubectl.succeedsWith(ARMED, "create", "-f", "-");
    String stop = stop();
    String namespace = plane.freshNamespace();
    // The mutating policies know a new kind some seconds after the API server serves it.
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(() -> kubectl.succeedsWith(WORKFLOW, "-n", namespace, "apply", "-f", "-"));
    String workflow = workflow(namespace);

    // When a value changes
    helm("upgrade", "--set-string", "podAnnotations.rollout=2");
    // Then the Pod is another one
    assertThat(deployed("{.spec.template.metadata.annotations.rollout}")).isEqualTo("2");
    assertThat(deployed("{.status.updatedReplicas}{.status.availableReplicas}")).isEqualTo("22");

    // When CRDs and namespace are no longer the release's: then they stay
    helm("upgrade", "--set", "crds.install=false", "--set", "stopNamespace.create=false");
    assertThat(crds()).hasSize(6);
    assertThat(stop()).isEqualTo(stop);

    helm.succeeds("rollback", "andon", "1", "-n", SYSTEM, "--wait", "--timeout", "60s");
    assertThat(deployed("{.spec.template.metadata.annotations.rollout}")).isEmpty();
    assertThat(deployed("{.status.conditions[?(@.type==\"Available\")].status}")).isEqualTo("True");

    // When it is uninstalled
    helm.succeeds("uninstall", "andon", "-n", SYSTEM, "--wait", "--timeout", "60s");
    // Then what runs and what it may do is gone
    assertThat(
            kubectl
                .succeeds(
                    "get",
                    "deployments,services,serviceaccounts,roles,rolebindings,clusterroles,"
                        + "clusterrolebindings,validatingadmissionpolicies,"
                        + "validatingadmissionpolicybindings,mutatingadmissionpolicies,"
                        + "mutatingadmissionpolicybindings,flowschemas,prioritylevelconfigurations",
                    "-A",
                    "-l",
                    "app.kubernetes.io/part-of=andon",
                    "-o",
                    "name")
                .lines()
                // But for what freezes the API server's view of the stop when it goes
                .map(name -> name.replaceAll("\\.admissionregistration\\.k8s\\.io", "")))
        .containsExactlyInAnyOrder(
            "validatingadmissionpolicy/andon-stop-jobs",
            "validatingadmissionpolicy/andon-stop-starts",
            "validatingadmissionpolicy/andon-stop-unsuspend",
            "validatingadmissionpolicybinding/andon-stop-jobs",
            "validatingadmissionpolicybinding/andon-stop-starts",
            "validatingadmissionpolicybinding/andon-stop-unsuspend");
    // And what people wrote is not
    assertThat(crds()).hasSize(6);
    assertThat(workflow(namespace)).isEqualTo(workflow);
    assertThat(stop()).isEqualTo(stop);

    // When it is installed again
    install();
    // Then it goes on from there
    assertThat(deployed("{.status.conditions[?(@.type==\"Available\")].status}")).isEqualTo("True");
    assertThat(workflow(namespace)).isEqualTo(workflow);
    assertThat(stop()).isEqualTo(stop);
    // And the API server judges by the stop as it is
    kubectl.succeeds(
        "patch",
        "cm",
        "emergency-stop",
        "-n",
        "andon-stop",
        "--type=merge",
        "-p",
        "{\"data\":{\"all\":\"stop\"}}");
    String revision =
        kubectl.succeeds(
            "get",
            "cm",
            "emergency-stop",
            "-n",
            "andon-stop",
            "-o",
            "jsonpath={.metadata.resourceVersion}");
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () ->
                assertThat(
                        kubectl
                            .run(LABELLED_JOB, "create", "--dry-run=server", "-f", "-")
                            .toString())
                    .contains("emergency-stop at resourceVersion " + revision));
    kubectl.succeeds("-n", namespace, "delete", "workflow", "kept");
  }

  @Test
  void the_api_server_accepts_every_object_with_every_value() {
    // If it is not there: as if of the release, as the tests after this one install it.
    kubectl.run(
        """
        apiVersion: v1
        kind: Namespace
        metadata:
          name: andon-stop
          labels: {app.kubernetes.io/managed-by: Helm}
          annotations:
            meta.helm.sh/release-name: andon
            meta.helm.sh/release-namespace: andon-system
        """,
        "create",
        "-f",
        "-");
    String rendered =
        helm.succeedsWith(
            ChartRenderIT.EVERYTHING,
            "template",
            "andon",
            Checkout.CHART.toString(),
            "-n",
            SYSTEM,
            "-f",
            "-");

    String output =
        kubectl.succeedsWith(
            rendered,
            "apply",
            "--server-side",
            "--force-conflicts",
            "--dry-run=server",
            "--validate=strict",
            "-f",
            "-");

    assertThat(output.lines().filter(line -> line.contains("(server dry run)")))
        .hasSize(Checkout.objects(rendered).size());
    assertThat(output).doesNotContain("Warning", "would violate");
  }

  @Test
  void a_cluster_has_one_operator() {
    install();
    String other = "andon-other";
    kubectl.succeeds("create", "namespace", other);

    assertThat(helm.fails("install", "second", Checkout.CHART.toString(), "-n", other))
        .contains("invalid ownership metadata");

    assertThat(kubectl.succeeds("-n", other, "get", "deployments", "-o", "name")).isEmpty();
    kubectl.succeeds("delete", "namespace", other);
  }

  @Test
  void the_operator_can_do_its_work_and_nothing_else() {
    install();

    List<Right> rights = RIGHTS.lines().map(Right::of).toList();

    // The API server knows new roles a moment after it has them.
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(() -> assertThat(answeredOtherwise(rights)).isEmpty());
  }

  /** Asked all at once: what is created is a question, what comes back its answer. */
  private List<Right> answeredOtherwise(List<Right> rights) {
    List<JsonNode> answers =
        Checkout.objects(
            kubectl.succeedsWith(
                rights.stream().map(Right::review).collect(Collectors.joining("---\n")),
                "create",
                "-o",
                "yaml",
                "-f",
                "-"));
    assertThat(answers.stream().map(answer -> answer.at("/spec/resourceAttributes/verb").asText()))
        .as("one for each, in their order")
        .containsExactlyElementsOf(rights.stream().map(Right::verb).toList());
    return IntStream.range(0, rights.size())
        .filter(i -> rights.get(i).expected() != answers.get(i).at("/status/allowed").asBoolean())
        .mapToObj(rights::get)
        .toList();
  }

  /**
   * One line of {@link #RIGHTS}.
   *
   * @param expected whether it may
   * @param namespace empty for all
   */
  private record Right(boolean expected, String verb, String what, String namespace) {
    static Right of(String line) {
      String[] words = line.split(" ");
      return new Right(
          words[0].equals("yes"), words[1], words[2], words[3].equals("-A") ? "" : words[4]);
    }

    String review() {
      Matcher parts = WHAT.matcher(what);
      assertThat(parts.matches()).as(what).isTrue();
      return """
          apiVersion: authorization.k8s.io/v1
          kind: SubjectAccessReview
          spec:
            user: %s
            groups: [system:serviceaccounts, system:serviceaccounts:andon-system, system:authenticated]
            resourceAttributes:
              verb: %s
              resource: %s
              subresource: "%s"
              group: "%s"
              name: "%s"
              namespace: "%s"
          """
          .formatted(
              ACCOUNT,
              verb,
              parts.group("resource"),
              Objects.requireNonNullElse(parts.group("subresource"), ""),
              Objects.requireNonNullElse(parts.group("group"), ""),
              Objects.requireNonNullElse(parts.group("name"), ""),
              namespace);
    }
  }

  private String install() {
    return helm("install");
  }

  private String helm(String verb, String... arguments) {
    return helm.succeeds(
        Stream.concat(
                Stream.of(
                    verb,
                    "andon",
                    Checkout.CHART.toString(),
                    "-n",
                    SYSTEM,
                    "--wait",
                    "--timeout",
                    "60s"),
                Stream.of(arguments))
            .toArray(String[]::new));
  }

  /** Changes with every write. */
  private String stop() {
    return kubectl.succeeds(
        "-n",
        "andon-stop",
        "get",
        "cm",
        "emergency-stop",
        "-o",
        "jsonpath={.metadata.uid} {.metadata.resourceVersion} {.data}");
  }

  private String workflow(String namespace) {
    return kubectl.succeeds(
        "-n",
        namespace,
        "get",
        "workflow",
        "kept",
        "-o",
        "jsonpath={.metadata.uid} {.metadata.resourceVersion}");
  }

  private String deployed(String jsonPath) {
    return kubectl.succeeds(
        "-n", SYSTEM, "get", "deployment", "andon-operator", "-o", "jsonpath=" + jsonPath);
  }

  private List<String> crds() {
    List<JsonNode> there =
        Checkout.objects(kubectl.succeeds("get", "crd", "-o", "yaml")).stream().toList();
    return there.getFirst().path("items").findValues("metadata").stream()
        .map(meta -> meta.path("name").asText())
        .filter(name -> name.endsWith(".andon.dev"))
        .toList();
  }
}
