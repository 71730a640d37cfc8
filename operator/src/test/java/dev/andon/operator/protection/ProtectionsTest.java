package dev.andon.operator.protection;

import static dev.andon.operator.protection.InstalledPolicies.changed;
import static dev.andon.operator.protection.InstalledPolicies.everything;
import static dev.andon.operator.protection.InstalledPolicies.everywhere;
import static dev.andon.operator.protection.InstalledPolicies.exceptNamespace;
import static dev.andon.operator.protection.InstalledPolicies.excluding;
import static dev.andon.operator.protection.InstalledPolicies.onlyOperation;
import static dev.andon.operator.protection.InstalledPolicies.rebound;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.andon.operator.protection.Policy.Binding;
import dev.andon.operator.protection.Protection.State;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfiguration;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ParamRef;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingWebhookConfiguration;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ProtectionsTest {
  private static final String JOBS = "andon-stop-jobs";
  private static final Set<String> DENY = Set.of(Binding.DENY);
  private static final Set<String> WARN = Set.of(Binding.WARN);

  @Test
  void everything_as_installed_is_in_place() {
    Protections protections = Protections.judge(everything());

    assertThat(protections.all()).allMatch(p -> p.state() == State.IN_PLACE);
    assertThat(protections.missing()).isEmpty();
    assertThat(protections.isComplete()).isTrue();
  }

  @Test
  void on_an_empty_cluster_each_says_what_is_missed_and_what_to_do() {
    Observed nothing =
        new Observed(
            none(), none(), none(), none(), none(), none(), none(), none(), Map.of(), List.of());

    Protections protections = Protections.judge(nothing);

    assertThat(protections.missing())
        .containsExactly(
            "andon-stop-jobs",
            "andon-stop-starts",
            "andon-no-unsuspend",
            "andon-stop-unsuspend",
            "andon-mark-suspended",
            "andon-arming-guard",
            "andon-arming-ids",
            "andon-stop-warning",
            "andon-operator-only",
            "andon-operator-only-jobs",
            "andon-requested-by",
            "andon-requested-by-guard",
            "andon-action-verbs",
            "PriorityLevelConfiguration/andon-stop",
            "FlowSchema/andon-stop",
            "FlowSchema/andon-operator");
    assertThat(protections.all())
        .allSatisfy(
            p -> {
              assertThat(p.state()).isEqualTo(State.MISSING);
              assertThat(p.meaning()).endsWith(".");
              assertThat(p.remedy()).contains("andon install");
            });
  }

  @Test
  void a_kind_that_is_not_served_is_missing_and_says_which_kubernetes_has_it() {
    Observed all = everything();
    Protections protections =
        Protections.judge(
            new Observed(
                all.validating(),
                all.validatingBindings(),
                new Listing.NotServed<>(),
                new Listing.NotServed<>(),
                all.validatingWebhooks(),
                all.mutatingWebhooks(),
                all.flowSchemas(),
                all.priorityLevels(),
                all.namespaceLabels(),
                all.armedWithoutId()));

    assertThat(protections.missing())
        .containsExactly("andon-mark-suspended", "andon-arming-ids", "andon-requested-by");
    Protection ids = named("andon-arming-ids", protections);
    assertThat(ids.found()).isEqualTo("this API server does not serve MutatingAdmissionPolicy");
    assertThat(ids.meaning()).contains("Only stops that a running operator observed latch");
    assertThat(ids.remedy()).contains("1.36");
  }

  @Test
  void who_may_not_look_is_told_so_and_nothing_is_called_missing() {
    Protections protections =
        Protections.judge(
            new Observed(
                forbidden(),
                forbidden(),
                forbidden(),
                forbidden(),
                forbidden(),
                forbidden(),
                forbidden(),
                forbidden(),
                Map.of(),
                List.of()));

    assertThat(protections.missing()).isEmpty();
    assertThat(protections.isComplete()).isFalse();
    assertThat(protections.all()).allMatch(p -> p.state() == State.UNKNOWN);
    assertThat(protections.notVisible())
        .containsExactly(
            "ValidatingWebhookConfiguration: not allowed to look",
            "MutatingWebhookConfiguration: not allowed to look");
  }

  static Stream<Arguments> weakened_policies() {
    return Stream.of(
        arguments(
            "failurePolicy is Ignore, not Fail",
            policy(p -> new Policy(JOBS, p.kind(), "Ignore", p.paramKind(), everywhere(), 1))),
        arguments(
            "it has no clause",
            policy(p -> new Policy(JOBS, p.kind(), "Fail", p.paramKind(), everywhere(), 0))),
        arguments(
            "its paramKind is not v1 ConfigMap",
            policy(p -> new Policy(JOBS, p.kind(), "Fail", null, everywhere(), 1))),
        arguments(
            "its matchConstraints leave out (some) CREATE of jobs.batch",
            policy(
                p ->
                    new Policy(JOBS, p.kind(), "Fail", p.paramKind(), onlyOperation("UPDATE"), 1))),
        arguments(
            "its matchConstraints leave out (some) CREATE of pods",
            policy(p -> new Policy(JOBS, p.kind(), "Fail", p.paramKind(), excluding("pods"), 1))));
  }

  private static UnaryOperator<Policy> policy(UnaryOperator<Policy> change) {
    return change;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("weakened_policies")
  void a_policy_that_protects_less_is_weakened(String fault, UnaryOperator<Policy> change) {
    Observed all = everything();

    Protections protections =
        Protections.judge(with(changed(all.validating(), JOBS, change), all.validatingBindings()));

    assertThat(protections.missing()).containsExactly(JOBS);
    assertThat(named(JOBS, protections).state()).isEqualTo(State.WEAKENED);
    assertThat(named(JOBS, protections).found()).contains(fault);
    assertThat(named(JOBS, protections).remedy()).contains("andon install --force-conflicts");
  }

  static Stream<Arguments> weakened_bindings() {
    ParamRef stop = new ParamRef("emergency-stop", "andon-stop", "Deny", null);
    return Stream.of(
        arguments(
            "validationActions of its binding have no Deny",
            binding(b -> new Binding(JOBS, JOBS, stop, null, WARN))),
        arguments(
            "paramRef of its binding is not andon-stop/emergency-stop",
            binding(b -> new Binding(JOBS, JOBS, null, null, DENY))),
        arguments(
            "paramRef of its binding is not andon-stop/emergency-stop",
            binding(
                b ->
                    new Binding(
                        JOBS,
                        JOBS,
                        new ParamRef("emergency-stop", "andon-stop", "Allow", null),
                        null,
                        DENY))),
        arguments(
            "paramRef of its binding is not andon-stop/emergency-stop",
            binding(
                b ->
                    new Binding(
                        JOBS,
                        JOBS,
                        new ParamRef("emergency-stop", "elsewhere", "Deny", null),
                        null,
                        DENY))),
        arguments(
            "matchResources of its binding leave out (some) CREATE of jobs.batch",
            binding(b -> new Binding(JOBS, JOBS, stop, exceptNamespace("team"), DENY))),
        arguments(
            "there is no ValidatingAdmissionPolicyBinding",
            binding(b -> new Binding(JOBS, "andon-stop-starts", stop, null, DENY))));
  }

  private static UnaryOperator<Binding> binding(UnaryOperator<Binding> change) {
    return change;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("weakened_bindings")
  void a_binding_that_protects_less_weakens_its_policy(
      String fault, UnaryOperator<Binding> change) {
    Observed all = everything();

    Protections protections =
        Protections.judge(with(all.validating(), rebound(all.validatingBindings(), JOBS, change)));

    assertThat(protections.missing()).containsExactly(JOBS);
    assertThat(named(JOBS, protections).state()).isEqualTo(State.WEAKENED);
    assertThat(named(JOBS, protections).found()).contains(fault);
  }

  /** With the ConfigMap missing it would then refuse to suspend a Job. */
  @Test
  void what_must_not_ask_for_the_configmap_is_weakened_where_it_does() {
    Observed all = everything();
    ParamRef required = new ParamRef("emergency-stop", "andon-stop", "Deny", null);
    String unsuspend = "andon-stop-unsuspend";

    Protections protections =
        Protections.judge(
            with(
                changed(
                    all.validating(),
                    unsuspend,
                    p -> new Policy(unsuspend, p.kind(), "Fail", p.paramKind(), everywhere(), 1)),
                rebound(
                    all.validatingBindings(),
                    unsuspend,
                    b -> new Binding(unsuspend, unsuspend, required, null, DENY))));

    assertThat(protections.missing()).containsExactly(unsuspend);
    assertThat(named(unsuspend, protections).found())
        .contains("failurePolicy is Fail, not Ignore")
        .contains("parameterNotFoundAction Allow");
  }

  @Test
  void an_arming_without_id_is_a_policy_that_did_not_run() {
    Observed all = everything();
    var stop =
        new ConfigMapBuilder()
            .withNewMetadata()
            .addToAnnotations("arming.andon.dev/Known", "1")
            .endMetadata()
            .addToData(Map.of("Known", "go", "Old", "go", "Stopped", "stop", "all", "go"))
            .build();

    Protections protections =
        Protections.judge(
            new Observed(
                all.validating(),
                all.validatingBindings(),
                all.mutating(),
                all.mutatingBindings(),
                all.validatingWebhooks(),
                all.mutatingWebhooks(),
                all.flowSchemas(),
                all.priorityLevels(),
                all.namespaceLabels(),
                Observing.armedWithoutId(stop)));

    assertThat(protections.missing()).containsExactly("andon-arming-ids");
    assertThat(named("andon-arming-ids", protections).found())
        .isEqualTo("armed without an id: Old");
  }

  @Test
  void a_flow_schema_of_another_level_protects_nothing() {
    Observed all = everything();

    Protections protections =
        Protections.judge(
            new Observed(
                all.validating(),
                all.validatingBindings(),
                all.mutating(),
                all.mutatingBindings(),
                all.validatingWebhooks(),
                all.mutatingWebhooks(),
                new Listing.Found<>(
                    List.of(InstalledPolicies.flowSchema("andon-stop", "catch-all"))),
                all.priorityLevels(),
                all.namespaceLabels(),
                List.of()));

    assertThat(protections.missing())
        .containsExactly("FlowSchema/andon-stop", "FlowSchema/andon-operator");
    assertThat(named("FlowSchema/andon-stop", protections).state()).isEqualTo(State.WEAKENED);
    assertThat(named("FlowSchema/andon-operator", protections).state()).isEqualTo(State.MISSING);
  }

  @Test
  void what_is_to_warn_is_weakened_where_it_refuses() {
    Protections protections =
        Protections.judge(
            with(
                everything().validating(),
                new Listing.Found<>(
                    ((Listing.Found<Binding>) everything().validatingBindings())
                        .items().stream()
                            .map(
                                b ->
                                    b.name().equals("andon-stop-warning")
                                        ? new Binding(
                                            b.name(),
                                            b.policy(),
                                            null,
                                            null,
                                            Set.of(Binding.WARN, Binding.DENY))
                                        : b)
                            .toList())));

    assertThat(protections.missing()).containsExactly("andon-stop-warning");
    assertThat(named("andon-stop-warning", protections).found()).contains("have Deny");
  }

  @Test
  void webhooks_of_others_that_are_asked_about_a_stop_are_found() {
    Observed all = everything();
    var validating =
        Serialization.unmarshal(
            """
            apiVersion: admissionregistration.k8s.io/v1
            kind: ValidatingWebhookConfiguration
            metadata: {name: gatekeeper}
            webhooks:
            - name: validation.gatekeeper.sh
              failurePolicy: Fail
              timeoutSeconds: 3
              rules: [{operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*"]}]
            - name: pods.gatekeeper.sh
              failurePolicy: Fail
              rules: [{operations: ["*"], apiGroups: [""], apiVersions: ["v1"], resources: [pods]}]
            """,
            ValidatingWebhookConfiguration.class);
    var mutating =
        Serialization.unmarshal(
            """
            apiVersion: admissionregistration.k8s.io/v1
            kind: MutatingWebhookConfiguration
            metadata: {name: labels}
            webhooks:
            - name: labels.example.com
              failurePolicy: Ignore
              rules: [{operations: [CREATE, UPDATE], apiGroups: [""], apiVersions: ["v1"], resources: [configmaps]}]
            """,
            MutatingWebhookConfiguration.class);

    Protections protections =
        Protections.judge(
            new Observed(
                all.validating(),
                all.validatingBindings(),
                all.mutating(),
                all.mutatingBindings(),
                new Listing.Found<>(List.of(validating)),
                new Listing.Found<>(List.of(mutating)),
                all.flowSchemas(),
                all.priorityLevels(),
                all.namespaceLabels(),
                List.of()));

    assertThat(protections.isComplete()).isFalse();
    assertThat(protections.missing()).isEmpty();
    assertThat(protections.interferences())
        .satisfiesExactly(
            first -> {
              assertThat(first.configuration())
                  .isEqualTo("ValidatingWebhookConfiguration/gatekeeper");
              assertThat(first.webhook()).isEqualTo("validation.gatekeeper.sh");
              assertThat(first.refusesWhenBroken()).isTrue();
              assertThat(first.timeoutSeconds()).isEqualTo(3);
              assertThat(first.message())
                  .contains("CREATE, UPDATE, DELETE of ConfigMap andon-stop/emergency-stop")
                  .contains("no such write gets through");
              assertThat(first.remedy()).contains("kubernetes.io/metadata.name");
            },
            second -> {
              assertThat(second.webhook()).isEqualTo("labels.example.com");
              assertThat(second.refusesWhenBroken()).isFalse();
              assertThat(second.timeoutSeconds()).isEqualTo(10);
              assertThat(second.message()).contains("CREATE, UPDATE of").contains("up to 10 s");
            });
  }

  @Test
  void a_policy_of_others_that_may_refuse_a_stop_is_found_if_it_is_in_force() {
    Policy foreign =
        new Policy("labels-required", Policy.Kind.VALIDATING, "Fail", null, everywhere(), 1);
    Policy unbound = new Policy("unbound", Policy.Kind.VALIDATING, "Fail", null, everywhere(), 1);
    Policy warning = new Policy("warning", Policy.Kind.VALIDATING, "Fail", null, everywhere(), 1);

    Protections protections =
        Protections.judge(
            with(
                and(everything().validating(), foreign, unbound, warning),
                and(
                    everything().validatingBindings(),
                    new Binding("any-name", "labels-required", null, null, DENY),
                    new Binding("warns", "warning", null, null, WARN))));

    assertThat(protections.interferences())
        .singleElement()
        .satisfies(
            one -> {
              assertThat(one.configuration())
                  .isEqualTo("ValidatingAdmissionPolicy/labels-required");
              assertThat(one.message()).contains("may refuse or change a stop");
            });
  }

  @SafeVarargs
  private static <T> Listing<T> and(Listing<T> some, T... more) {
    return some instanceof Listing.Found<T>(List<T> items)
        ? new Listing.Found<>(Stream.concat(items.stream(), Stream.of(more)).toList())
        : some;
  }

  private static Observed with(Listing<Policy> policies, Listing<Binding> bindings) {
    Observed all = everything();
    return new Observed(
        policies,
        bindings,
        all.mutating(),
        all.mutatingBindings(),
        all.validatingWebhooks(),
        all.mutatingWebhooks(),
        all.flowSchemas(),
        all.priorityLevels(),
        all.namespaceLabels(),
        all.armedWithoutId());
  }

  private static Protection named(String name, Protections protections) {
    return protections.all().stream().filter(p -> p.name().equals(name)).findFirst().orElseThrow();
  }

  private static <T> Listing<T> none() {
    return new Listing.Found<>(List.of());
  }

  private static <T> Listing<T> forbidden() {
    return new Listing.NotVisible<>("not allowed to look");
  }
}
