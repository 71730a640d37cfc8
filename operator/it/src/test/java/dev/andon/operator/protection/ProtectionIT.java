package dev.andon.operator.protection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.Options;
import dev.andon.operator.metrics.ProtectionMeters;
import dev.andon.operator.protection.Protection.State;
import dev.andon.operator.stop.StopControl;
import dev.andon.operator.stop.StopMetrics;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The protections on a real API server, looked at with the operator's own rights. On one of its
 * own: it takes away what protects everything.
 */
@Timeout(300)
class ProtectionIT {
  private static final Duration EVERY = Duration.ofSeconds(1);
  private static final String LAYER = "second-layer";

  private static ControlPlane plane;
  private static KubernetesClient admin;

  private final MeterRegistry meters = new SimpleMeterRegistry();
  private StopControl stop;
  private ProtectionWatch watch;

  @BeforeAll
  static void start() throws Exception {
    plane = ControlPlane.start(Options.apiServerOnly());
    admin = client(plane.kubeconfig());
    kubectl(plane, "apply", "--server-side", "-f", home().resolve("crds").toString());
    plane.awaitCrds();
  }

  @AfterAll
  static void end() {
    admin.close();
    plane.close();
  }

  @BeforeEach
  void everything_is_installed() throws Exception {
    kubectl(plane, "apply", "-f", home().resolve("cli/src/main/resources/install").toString());
    begin(plane);
  }

  private void begin(ControlPlane at) throws Exception {
    Config operator = operatorOf(at);
    Clock clock = Clock.systemUTC();
    stop = StopControl.of(operator, clock, StopMetrics.none());
    stop.start();
    watch =
        new ProtectionWatch(
            operator,
            "andon-system",
            stop::resourceVersionRead,
            () -> true,
            new ProtectionMeters(meters, clock),
            clock,
            EVERY);
    watch.start();
  }

  @AfterEach
  void close() {
    watch.close();
    stop.shutdown();
    stop.close();
  }

  @Test
  void what_andon_installs_is_all_in_place() throws Exception {
    eventually(() -> assertThat(watch.lastKnown().isComplete()).isTrue());

    assertThat(watch.lastKnown().all()).allMatch(p -> p.state() == State.IN_PLACE);
    assertThat(watch.missing()).isEmpty();
    for (Protection protection : watch.lastKnown().all()) {
      assertThat(inPlace(protection.name())).as(protection.name()).isEqualTo(1);
    }
    assertThat(meters.get("andon.stop.second.layer.lag").gauge().value()).isZero();

    kubectl(
        plane,
        "create",
        "clusterrolebinding",
        "responders",
        "--clusterrole=first-responder",
        "--group=responders");
    try (var responder = client(plane.userKubeconfig("rosa", List.of("responders")))) {
      assertThat(Protections.inspect(responder).isComplete())
          .as("a responder sees it too")
          .isTrue();
    }
    try (var nobody = client(plane.userKubeconfig("nobody", List.of()))) {
      assertThat(Protections.inspect(nobody).all())
          .as("who may see nothing")
          .allMatch(p -> p.state() == State.UNKNOWN);
    }
  }

  @Test
  void the_second_layer_is_seen_to_follow_every_stop_and_every_arming() {
    for (String all : List.of("go", "stop", "go")) {
      arm("SatelliteDiskErase", all);

      eventually(
          () -> {
            assertThat(stop.resourceVersionRead()).hasValue(stopConfigMap().orElseThrow());
            assertThat(watch.lastKnown().all())
                .filteredOn(p -> p.name().equals(LAYER))
                .allMatch(p -> p.state() == State.IN_PLACE)
                .isNotEmpty();
          });
    }

    admin.configMaps().inNamespace("andon-stop").withName("emergency-stop").delete();
    eventually(() -> assertThat(stopConfigMap()).as("the operator creates it, empty").isPresent());
    eventually(() -> assertThat(watch.lastKnown().isComplete()).isTrue());
    assertThat(inPlace(LAYER)).isEqualTo(1);
  }

  @Test
  void a_binding_that_goes_is_told_and_so_is_its_return() {
    eventually(() -> assertThat(watch.lastKnown().isComplete()).isTrue());

    admin
        .admissionRegistration()
        .v1()
        .validatingAdmissionPolicyBindings()
        .withName("andon-stop-jobs")
        .delete();

    eventually(
        () -> {
          assertThat(watch.missing()).containsExactly("andon-stop-jobs", LAYER);
          assertThat(inPlace("andon-stop-jobs")).isZero();
          assertThat(inPlace(LAYER)).isZero();
          assertThat(inPlace("andon-arming-ids")).isEqualTo(1);
          assertThat(events("ProtectionMissing"))
              .anySatisfy(
                  event -> {
                    assertThat(event.getType()).isEqualTo("Warning");
                    assertThat(event.getInvolvedObject().getName()).isEqualTo("emergency-stop");
                    assertThat(event.getMessage())
                        .contains("andon-stop-jobs")
                        .contains(LAYER)
                        .contains("andon install");
                  });
        });
    assertThat(admin.batch().v1().jobs().inAnyNamespace().list().getItems())
        .as("what got through was tried, not done")
        .isEmpty();

    kubectl(plane, "apply", "-f", home().resolve("cli/src/main/resources/install").toString());

    eventually(
        () -> {
          assertThat(watch.lastKnown().isComplete()).isTrue();
          assertThat(inPlace("andon-stop-jobs")).isEqualTo(1);
          assertThat(events("ProtectionsInPlace")).isNotEmpty();
        });
  }

  @Test
  void a_webhook_of_others_in_the_way_of_a_stop_is_found_until_it_leaves_the_namespace_out() {
    eventually(() -> assertThat(watch.lastKnown().isComplete()).isTrue());
    String webhook =
        """
        apiVersion: admissionregistration.k8s.io/v1
        kind: ValidatingWebhookConfiguration
        metadata: {name: foreign}
        webhooks:
        - name: everything.example.com
          failurePolicy: Fail
          timeoutSeconds: 7
          sideEffects: None
          admissionReviewVersions: [v1]
          clientConfig: {url: "https://127.0.0.1:1/"}
          rules: [{operations: [UPDATE], apiGroups: [""], apiVersions: [v1], resources: [configmaps]}]
        """;
    try {
      apply(webhook);
      eventually(
          () ->
              assertThat(watch.lastKnown().interferences())
                  .singleElement()
                  .satisfies(
                      one -> {
                        assertThat(one.configuration())
                            .isEqualTo("ValidatingWebhookConfiguration/foreign");
                        assertThat(one.webhook()).isEqualTo("everything.example.com");
                        assertThat(one.refusesWhenBroken()).isTrue();
                        assertThat(one.timeoutSeconds()).isEqualTo(7);
                      }));
      eventually(
          () -> assertThat(meters.get("andon.stop.interferences").gauge().value()).isEqualTo(1));

      apply(
          webhook
              + """
                namespaceSelector:
                  matchExpressions:
                  - {key: kubernetes.io/metadata.name, operator: NotIn, values: [andon-stop]}
              """);

      eventually(() -> assertThat(watch.lastKnown().isComplete()).isTrue());
    } finally {
      admin
          .admissionRegistration()
          .v1()
          .validatingWebhookConfigurations()
          .withName("foreign")
          .delete();
    }
  }

  /**
   * An API server 1.36.3 then goes on judging by the state there was when the last binding went
   * (kubernetes #130887). One that does not will do as well: what counts is that the truth is told.
   */
  @Test
  void an_api_server_that_no_longer_follows_the_stop_is_found_out() throws Exception {
    eventually(() -> assertThat(watch.lastKnown().isComplete()).isTrue());
    var policies = admin.admissionRegistration().v1().validatingAdmissionPolicies();
    var bindings = admin.admissionRegistration().v1().validatingAdmissionPolicyBindings();
    List<String> withParameter =
        List.of("andon-stop-jobs", "andon-stop-starts", "andon-stop-unsuspend");
    try {
      withParameter.forEach(name -> bindings.withName(name).delete());
      withParameter.forEach(name -> policies.withName(name).delete());
      eventually(() -> assertThat(watch.missing()).containsAll(withParameter).contains(LAYER));

      kubectl(plane, "apply", "-f", home().resolve("cli/src/main/resources/install").toString());
      arm("ArmedSince", "go");

      String armed = stopConfigMap().orElseThrow();
      eventually(
          () -> {
            assertThat(watch.missing()).doesNotContainAnyElementsOf(withParameter);
            boolean follows = refusal().contains("at resourceVersion " + armed + ")");
            assertThat(state(LAYER)).isEqualTo(follows ? State.IN_PLACE : State.WEAKENED);
            assertThat(inPlace(LAYER)).isEqualTo(follows ? 1 : 0);
            double lag = meters.get("andon.stop.second.layer.lag").gauge().value();
            assertThat(lag > 0).isEqualTo(!follows);
          });
    } finally {
      plane.restartApiServer();
    }

    eventually(() -> assertThat(watch.lastKnown().isComplete()).as("the remedy helps").isTrue());
    assertThat(inPlace(LAYER)).isEqualTo(1);
  }

  /** What the API server says to a Job that is never allowed. */
  private static String refusal() {
    return withFile(
            """
            apiVersion: batch/v1
            kind: Job
            metadata: {name: never, namespace: default, labels: {andon.dev/workflow-type: all}}
            spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}
            """,
            file -> run(plane, "create", "--dry-run=server", "-f", file))
        .output();
  }

  @Test
  void an_api_server_without_mutating_policies_is_told_what_it_lacks() throws Exception {
    close();
    try (ControlPlane old =
        ControlPlane.start(
            Options.apiServerOnly()
                .withApiServerFlags(
                    "--runtime-config=admissionregistration.k8s.io/v1/mutatingadmissionpolicies=false,admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings=false",
                    "--disable-admission-plugins=MutatingAdmissionPolicy"))) {
      kubectl(old, "apply", "--server-side", "-f", home().resolve("crds").toString());
      old.awaitCrds();
      // Without those kinds: kubectl says so, and installs the rest.
      var _ = run(old, "apply", "-f", home().resolve("cli/src/main/resources/install").toString());
      begin(old);

      eventually(
          () -> {
            assertThat(watch.missing())
                .containsExactly("andon-mark-suspended", "andon-arming-ids", "andon-requested-by");
            assertThat(inPlace(LAYER)).isEqualTo(1);
          });

      assertThat(watch.lastKnown().all())
          .filteredOn(Protection::isMissing)
          .allSatisfy(p -> assertThat(p.found()).contains("does not serve"));
      close();
    }
  }

  private State state(String protection) {
    return watch.lastKnown().all().stream()
        .filter(p -> p.name().equals(protection))
        .findFirst()
        .orElseThrow()
        .state();
  }

  /** NaN where nothing is told of it. */
  private double inPlace(String protection) {
    return meters.find("andon.protection.in.place").tag("protection", protection).gauges().stream()
        .mapToDouble(Gauge::value)
        .findFirst()
        .orElse(Double.NaN);
  }

  private static List<Event> events(String reason) {
    return admin.v1().events().inNamespace("andon-stop").list().getItems().stream()
        .filter(event -> reason.equals(event.getReason()))
        .toList();
  }

  /** Its resourceVersion. */
  private static Optional<String> stopConfigMap() {
    return Optional.ofNullable(
            admin.configMaps().inNamespace("andon-stop").withName("emergency-stop").get())
        .map(map -> map.getMetadata().getResourceVersion());
  }

  private static void arm(String type, String all) {
    eventually(() -> assertThat(stopConfigMap()).isPresent());
    ConfigMap _ =
        admin
            .configMaps()
            .inNamespace("andon-stop")
            .withName("emergency-stop")
            .edit(
                map ->
                    new ConfigMapBuilder(map)
                        .editMetadata()
                        .addToAnnotations("andon.dev/arm-reason", "a test")
                        .endMetadata()
                        .addToData(type, "go")
                        .addToData("all", all)
                        .build());
  }

  private static void eventually(ThrowingRunnable assertion) {
    await().atMost(Duration.ofSeconds(60)).untilAsserted(assertion);
  }

  private static void apply(String yaml) {
    Run run = withFile(yaml, file -> run(plane, "apply", "-f", file));
    assertThat(run.exit()).as(run.output()).isZero();
  }

  private static Run withFile(String yaml, Function<String, Run> use) {
    try {
      Path file = Files.createTempFile("andon", ".yaml");
      try {
        Files.writeString(file, yaml);
        return use.apply(file.toString());
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static void kubectl(ControlPlane at, String... args) {
    Run run = run(at, args);
    assertThat(run.exit()).as("kubectl %s: %s", String.join(" ", args), run.output()).isZero();
  }

  private record Run(int exit, String output) {}

  private static Run run(ControlPlane at, String... args) {
    try {
      List<String> command = new ArrayList<>(List.of(at.kubectl().toString()));
      command.addAll(List.of(args));
      var builder = new ProcessBuilder(command).redirectErrorStream(true);
      builder.environment().put("KUBECONFIG", at.kubeconfig().toString());
      Process process = builder.start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Run(process.waitFor(), output);
    } catch (IOException e) {
      throw new AssertionError(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  private static Config operatorOf(ControlPlane at) throws IOException {
    return Config.fromKubeconfig(
        Files.readString(
            at.userKubeconfig(
                "system:serviceaccount:andon-system:andon-operator",
                List.of("system:serviceaccounts", "system:serviceaccounts:andon-system"))));
  }

  private static KubernetesClient client(Path kubeconfig) throws IOException {
    return new KubernetesClientBuilder()
        .withConfig(Config.fromKubeconfig(Objects.requireNonNull(Files.readString(kubeconfig))))
        .build();
  }

  private static Path home() {
    return Path.of(System.getProperty("ANDON_HOME"));
  }
}
