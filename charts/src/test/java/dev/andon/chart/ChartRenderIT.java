package dev.andon.chart;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What Helm makes of the chart. Needs Helm, no cluster. */
class ChartRenderIT {
  /** Every value, as far from its default as it goes. */
  static final String EVERYTHING =
      """
      image: {repository: registry.example:5000/infra/andon-operator, tag: "1.2", pullPolicy: Always}
      imagePullSecrets: [{name: registry}]
      serviceAccount: {annotations: {example.com/identity: andon}}
      rbac: {secretNames: [fleet]}
      resources: {requests: {cpu: 1, memory: 1Gi}, limits: {cpu: 1500m, memory: 2Gi}}
      runAsUser: 1000
      terminationGracePeriodSeconds: 60
      extraEnv:
      - {name: _JAVA_OPTIONS, value: -Xmx128m}
      - {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
      podLabels: {team: infra, app.kubernetes.io/name: hijacked}
      podAnnotations: {example.com/rollout: "7"}
      nodeSelector: {kubernetes.io/os: linux}
      tolerations: [{key: dedicated, operator: Equal, value: control, effect: NoSchedule}]
      affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms: [{matchExpressions: [{key: zone, operator: In, values: [a]}]}]
      topologySpreadConstraints:
      - {maxSkew: 1, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: ScheduleAnyway}
      priorityClassName: system-cluster-critical
      service: {annotations: {prometheus.io/scrape: "true"}}
      """;

  /** Without a cluster Helm has to be told. */
  private static final String[] SERVES_ALL = {
    "--api-versions", "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy",
    "--api-versions", "admissionregistration.k8s.io/v1/MutatingAdmissionPolicyBinding"
  };

  private static Tool helm;

  @TempDir private Path folder;

  @BeforeAll
  static void find() throws InterruptedException {
    helm = Tool.helm();
  }

  @Test
  void lint_has_nothing_to_complain_about() throws Exception {
    assertThat(helm.succeeds("lint", "--strict", Checkout.CHART.toString()))
        .contains("0 chart(s) failed");
    assertThat(
            helm.succeeds("lint", "--strict", Checkout.CHART.toString(), "-f", values(EVERYTHING)))
        .contains("0 chart(s) failed");
  }

  @Test
  void the_crds_arrive_as_they_are_and_stay_on_uninstall() {
    List<JsonNode> rendered = ofKind(render(), "CustomResourceDefinition");
    List<JsonNode> sources =
        Checkout.crds(Checkout.CRDS).values().stream()
            .flatMap(yaml -> Checkout.objects(yaml).stream())
            .toList();

    assertThat(rendered)
        .allSatisfy(
            crd ->
                assertThat(crd.at("/metadata/annotations").path("helm.sh/resource-policy").asText())
                    .isEqualTo("keep"));
    assertThat(rendered.stream().map(ChartRenderIT::withoutLabelsAndAnnotations))
        .containsExactlyInAnyOrderElementsOf(
            sources.stream().map(ChartRenderIT::withoutLabelsAndAnnotations).toList());
  }

  @Test
  void the_crds_and_the_namespace_of_the_stop_can_be_left_to_others() {
    List<JsonNode> rendered =
        render("--set", "crds.install=false", "--set", "stopNamespace.create=false");

    assertThat(rendered.stream().map(o -> o.path("kind").asText()))
        .doesNotContain("CustomResourceDefinition", "Namespace");
  }

  @Test
  void what_guards_the_stop_is_what_andon_install_installs() {
    List<JsonNode> installed =
        Checkout.files(Checkout.INSTALL_COPIES, ".yaml").stream()
            .flatMap(file -> Checkout.objects(Checkout.read(file)).stream())
            .toList();

    List<String> rendered = identities(render(SERVES_ALL));

    assertThat(rendered).containsAll(identities(installed));
    assertThat(rendered).doesNotHaveDuplicates();
  }

  @Test
  void what_the_api_server_does_not_serve_is_left_out() {
    List<JsonNode> rendered = render("--kube-version", "1.34.0", "--api-versions", "batch/v1");

    assertThat(identities(rendered))
        .contains("ValidatingAdmissionPolicy/andon-stop-jobs", "FlowSchema/andon-stop")
        .noneMatch(identity -> identity.startsWith("Mutating"));
  }

  @Test
  void the_operators_leases_are_where_the_release_is() {
    JsonNode leases =
        render("--namespace", "elsewhere").stream()
            .filter(o -> o.path("kind").asText().equals("FlowSchema"))
            .filter(o -> o.at("/metadata/name").asText().equals("andon-operator"))
            .findFirst()
            .orElseThrow()
            .at("/spec/rules/0");

    assertThat(leases.at("/subjects/0/serviceAccount/namespace").asText()).isEqualTo("elsewhere");
    assertThat(leases.at("/resourceRules/0/namespaces/0").asText()).isEqualTo("elsewhere");
  }

  private static List<String> identities(List<JsonNode> objects) {
    return objects.stream()
        .map(o -> o.path("kind").asText() + "/" + o.at("/metadata/name").asText())
        .filter(identity -> !identity.startsWith("Role"))
        .toList();
  }

  /** Whoever applies the chart must not be able to arm or stop anything by it. */
  @Test
  void no_manifest_contains_the_stop() throws Exception {
    for (List<JsonNode> rendered :
        List.of(render(), render("-f", values(EVERYTHING)), render("--is-upgrade"))) {
      assertThat(ofKind(rendered, "ConfigMap")).isEmpty();
      assertThat(rendered.stream().map(o -> o.at("/metadata/name").asText()))
          .doesNotContain("emergency-stop");
    }
  }

  @Test
  void every_object_says_what_it_belongs_to() {
    assertThat(render())
        .isNotEmpty()
        .allSatisfy(
            object -> {
              JsonNode labels = object.at("/metadata/labels");
              assertThat(labels.path("app.kubernetes.io/name").asText()).isEqualTo("andon");
              assertThat(labels.path("app.kubernetes.io/instance").asText()).isEqualTo("here");
              assertThat(labels.path("app.kubernetes.io/managed-by").asText()).isEqualTo("Helm");
            });
  }

  @Test
  void the_operator_may_do_what_andon_install_lets_it_do() {
    assertThat(Files.isDirectory(Checkout.CLI_INSTALLS))
        .as("%s, which `andon install` installs", Checkout.CLI_INSTALLS)
        .isTrue();
    List<JsonNode> cli =
        Checkout.files(Checkout.CLI_INSTALLS, ".yaml").stream()
            .flatMap(file -> Checkout.objects(Checkout.read(file)).stream())
            .toList();

    assertThat(permissions(render()))
        .as("charts/andon/templates/rbac.yaml and %s", Checkout.CLI_INSTALLS)
        .isNotEmpty()
        .isEqualTo(permissions(cli));
  }

  @Test
  void named_secrets_are_the_only_ones_it_may_read() throws Exception {
    assertThat(permissions(render("--set", "rbac.secretNames={fleet,site}")))
        .contains("Role andon-system: get secrets fleet", "Role andon-system: get secrets site")
        .doesNotContain("Role andon-system: get secrets");
  }

  @Test
  void every_value_arrives_where_it_belongs() throws Exception {
    List<JsonNode> rendered = render("-f", values(EVERYTHING));

    JsonNode template = ofKind(rendered, "Deployment").getFirst().at("/spec/template");
    JsonNode pod = template.path("spec");
    JsonNode container = pod.at("/containers/0");
    assertThat(container.path("image").asText())
        .isEqualTo("registry.example:5000/infra/andon-operator:1.2");
    assertThat(container.path("imagePullPolicy").asText()).isEqualTo("Always");
    assertThat(container.path("env").findValuesAsText("name"))
        .containsExactly("ANDON_NAMESPACE", "_JAVA_OPTIONS", "NODE");
    assertThat(container.at("/resources/limits/memory").asText()).isEqualTo("2Gi");
    assertThat(container.at("/resources/requests/cpu").asInt()).isEqualTo(1);
    assertThat(pod.at("/imagePullSecrets/0/name").asText()).isEqualTo("registry");
    assertThat(pod.at("/securityContext/runAsUser").asInt()).isEqualTo(1000);
    assertThat(pod.path("terminationGracePeriodSeconds").asInt()).isEqualTo(60);
    assertThat(pod.path("nodeSelector").path("kubernetes.io/os").asText()).isEqualTo("linux");
    assertThat(pod.at("/tolerations/0/key").asText()).isEqualTo("dedicated");
    assertThat(pod.at("/affinity/nodeAffinity").isObject()).isTrue();
    assertThat(
            pod.at("/topologySpreadConstraints/0/labelSelector/matchLabels")
                .path("app.kubernetes.io/component")
                .asText())
        .isEqualTo("operator");
    assertThat(pod.path("priorityClassName").asText()).isEqualTo("system-cluster-critical");
    assertThat(template.at("/metadata/labels/team").asText()).isEqualTo("infra");
    assertThat(template.at("/metadata/annotations").path("example.com/rollout").asText())
        .isEqualTo("7");
    assertThat(
            ofKind(rendered, "Service")
                .getFirst()
                .at("/metadata/annotations")
                .path("prometheus.io/scrape")
                .asText())
        .isEqualTo("true");
    assertThat(
            ofKind(rendered, "ServiceAccount")
                .getFirst()
                .at("/metadata/annotations")
                .path("example.com/identity")
                .asText())
        .isEqualTo("andon");
  }

  /** Else the Service and the Deployment would lose their Pod. */
  @Test
  void labels_of_the_pod_cannot_replace_those_it_is_found_by() throws Exception {
    List<JsonNode> rendered = render("-f", values(EVERYTHING));

    JsonNode labels =
        ofKind(rendered, "Deployment").getFirst().at("/spec/template/metadata/labels");
    for (JsonNode selector :
        List.of(
            ofKind(rendered, "Deployment").getFirst().at("/spec/selector/matchLabels"),
            ofKind(rendered, "Service").getFirst().at("/spec/selector"))) {
      assertThat(selector.size()).isEqualTo(2);
      selector
          .fields()
          .forEachRemaining(
              wanted -> assertThat(labels.get(wanted.getKey())).isEqualTo(wanted.getValue()));
    }
  }

  @Test
  void a_digest_wins_over_the_tag() {
    String digest = "sha256:" + "0123456789abcdef".repeat(4);

    JsonNode container =
        ofKind(
                render("--set", "image.digest=" + digest, "--set-string", "image.tag=1"),
                "Deployment")
            .getFirst()
            .at("/spec/template/spec/containers/0");

    assertThat(container.path("image").asText()).isEqualTo("andon-operator@" + digest);
  }

  @Test
  void the_platform_may_choose_the_user_but_never_root() {
    JsonNode security =
        ofKind(render("--set", "runAsUser=null"), "Deployment")
            .getFirst()
            .at("/spec/template/spec/securityContext");

    assertThat(security.has("runAsUser")).isFalse();
    assertThat(security.path("runAsNonRoot").asBoolean()).isTrue();
  }

  @Test
  void one_of_several_acts_and_they_do_not_go_at_once() {
    List<JsonNode> two = render();
    JsonNode deployment = ofKind(two, "Deployment").getFirst();

    assertThat(deployment.at("/spec/replicas").asInt()).isEqualTo(2);
    assertThat(deployment.at("/spec/strategy/rollingUpdate/maxUnavailable").asInt()).isZero();
    assertThat(
            deployment.at(
                "/spec/template/spec/affinity/podAntiAffinity"
                    + "/preferredDuringSchedulingIgnoredDuringExecution/0/podAffinityTerm"
                    + "/labelSelector"))
        .isEqualTo(deployment.at("/spec/selector"));
    assertThat(ofKind(two, "PodDisruptionBudget").getFirst().at("/spec/selector"))
        .isEqualTo(deployment.at("/spec/selector"));
    assertThat(ofKind(render("--set", "replicas=1"), "PodDisruptionBudget"))
        .as("it would keep a node from being drained for good")
        .isEmpty();
  }

  @Test
  void a_service_monitor_comes_when_asked_for() {
    assertThat(ofKind(render(), "ServiceMonitor")).isEmpty();

    List<JsonNode> rendered =
        render("--set", "serviceMonitor.enabled=true", "--set", "serviceMonitor.labels.release=p");

    JsonNode monitor = ofKind(rendered, "ServiceMonitor").getFirst();
    JsonNode service = ofKind(rendered, "Service").getFirst();
    assertThat(monitor.at("/metadata/labels/release").asText()).isEqualTo("p");
    assertThat(monitor.at("/spec/endpoints/0/port")).isEqualTo(service.at("/spec/ports/0/name"));
    monitor
        .at("/spec/selector/matchLabels")
        .fields()
        .forEachRemaining(
            wanted ->
                assertThat(service.at("/metadata/labels").get(wanted.getKey()))
                    .isEqualTo(wanted.getValue()));
  }

  @Test
  void a_cluster_that_is_too_old_is_told() {
    assertThat(template("--kube-version", "1.32.9").fails())
        .contains("requires kubeVersion: >=1.33.0-0");
    template("--kube-version", "1.33.1-gke.100").succeeds();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          replica=2                                   | additional properties 'replica' not allowed
          replicas=0                                  | at '/replicas': minimum: got 0, want 1
          image.repo=x                                | at '/image': additional properties 'repo' not allowed
          image.pullPolicy=always                     | at '/image/pullPolicy': value must be one of 'Always', 'IfNotPresent', 'Never'
          image.repository=Andon                      | at '/image/repository'
          image.digest=sha256:abc                     | at '/image/digest'
          crds.install=maybe                          | at '/crds/install': got string, want boolean
          stopNamespace.name=elsewhere                | at '/stopNamespace': additional properties 'name' not allowed
          runAsUser=0                                 | at '/runAsUser': minimum: got 0, want 1
          terminationGracePeriodSeconds=1             | at '/terminationGracePeriodSeconds': minimum: got 1, want 10
          resources.limits.memory=lots                | at '/resources/limits/memory'
          resources.limit.memory=1Gi                  | at '/resources': additional properties 'limit' not allowed
          tolerations[0].effect=Never                 | at '/tolerations/0/effect': value must be one of
          image.tag=2026                              | at '/image/tag': got number, want string
          extraEnv[0].value=x                         | at '/extraEnv/0': missing property 'name'
          extraEnv[0].name=ANDON_NAMESPACE            | at '/extraEnv/0/name'
          podLabels.count=3                           | at '/podLabels/count': got number, want string
          rbac.secretNames={Fleet}                    | at '/rbac/secretNames/0'
          serviceMonitor.interval=often               | at '/serviceMonitor/interval'
          """)
  void a_bad_value_is_refused_by_name(String setting, String message) {
    assertThat(template("--set", setting).fails()).contains(message);
  }

  /** A line a permission, so that a difference names itself. */
  private static Set<String> permissions(List<JsonNode> objects) {
    Set<String> permissions = new TreeSet<>();
    for (JsonNode object : objects) {
      String kind = object.path("kind").asText();
      String where = (kind + " " + object.at("/metadata/namespace").asText("")).strip();
      if (kind.endsWith("Role")) {
        for (JsonNode rule : object.path("rules")) {
          rule.path("apiGroups")
              .forEach(
                  group ->
                      rule.path("resources")
                          .forEach(
                              resource ->
                                  rule.path("verbs")
                                      .forEach(
                                          verb ->
                                              names(rule)
                                                  .forEach(
                                                      name ->
                                                          permissions.add(
                                                              "%s: %s %s %s"
                                                                  .formatted(
                                                                      where,
                                                                      verb.asText(),
                                                                      resource.asText()
                                                                          + (group
                                                                                  .asText()
                                                                                  .isEmpty()
                                                                              ? ""
                                                                              : "."
                                                                                  + group.asText()),
                                                                      name)
                                                                  .strip())))));
        }
      } else if (kind.endsWith("RoleBinding")) {
        JsonNode role = object.path("roleRef");
        object
            .path("subjects")
            .forEach(
                subject ->
                    permissions.add(
                        "%s: %s %s to %s %s/%s"
                            .formatted(
                                where,
                                role.path("kind").asText(),
                                role.path("name").asText(),
                                subject.path("kind").asText(),
                                subject.path("namespace").asText(),
                                subject.path("name").asText())));
      }
    }
    return permissions;
  }

  private static List<String> names(JsonNode rule) {
    List<String> names = new ArrayList<>();
    rule.path("resourceNames").forEach(name -> names.add(name.asText()));
    return names.isEmpty() ? List.of("") : names;
  }

  private static List<JsonNode> ofKind(List<JsonNode> objects, String kind) {
    return objects.stream().filter(o -> o.path("kind").asText().equals(kind)).toList();
  }

  private static JsonNode withoutLabelsAndAnnotations(JsonNode crd) {
    ObjectNode bare = crd.deepCopy();
    ((ObjectNode) bare.path("metadata")).remove(List.of("labels", "annotations"));
    return bare;
  }

  private static List<JsonNode> render(String... arguments) {
    return Checkout.objects(template(arguments).succeeds());
  }

  private static Tool template(String... arguments) {
    return new Tool(
        Stream.of(
                helm.command().stream(),
                Stream.of(
                    "template", "here", Checkout.CHART.toString(), "--namespace", "andon-system"),
                Stream.of(arguments))
            .flatMap(s -> s)
            .toList());
  }

  private String values(String yaml) throws Exception {
    return Files.writeString(Files.createTempFile(folder, "values", ".yaml"), yaml).toString();
  }
}
