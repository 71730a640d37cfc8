package dev.andon.operator.protection;

import dev.andon.operator.protection.ExpectedPolicy.Parameter;
import dev.andon.operator.protection.Policy.Binding;
import io.fabric8.kubernetes.api.model.LabelSelectorBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MatchResources;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MatchResourcesBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ParamKind;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ParamRef;
import io.fabric8.kubernetes.api.model.flowcontrol.v1.FlowSchema;
import io.fabric8.kubernetes.api.model.flowcontrol.v1.PriorityLevelConfiguration;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/** What a cluster holds in which everything is as Andon installs it, and what may become of it. */
final class InstalledPolicies {
  private InstalledPolicies() {}

  static Observed everything() {
    return new Observed(
        policies(Policy.Kind.VALIDATING),
        bindings(Policy.Kind.VALIDATING),
        policies(Policy.Kind.MUTATING),
        bindings(Policy.Kind.MUTATING),
        new Listing.Found<>(List.of()),
        new Listing.Found<>(List.of()),
        new Listing.Found<>(
            List.of(
                flowSchema("andon-stop", "andon-stop"),
                flowSchema("andon-operator", "andon-stop"))),
        new Listing.Found<>(List.of(priorityLevel())),
        Map.of("kubernetes.io/metadata.name", "andon-stop"),
        List.of());
  }

  private static Listing<Policy> policies(Policy.Kind kind) {
    return new Listing.Found<>(
        ExpectedPolicy.all().stream()
            .filter(expected -> expected.kind() == kind)
            .map(
                expected ->
                    new Policy(
                        expected.name(),
                        kind,
                        expected.failurePolicy(),
                        expected.parameter() == Parameter.NONE
                            ? null
                            : new ParamKind("v1", "ConfigMap"),
                        everywhere(),
                        1))
            .toList());
  }

  private static Listing<Binding> bindings(Policy.Kind kind) {
    return new Listing.Found<>(
        ExpectedPolicy.all().stream()
            .filter(expected -> expected.kind() == kind)
            .map(
                expected ->
                    new Binding(
                        expected.name(),
                        expected.name(),
                        expected.parameter() == Parameter.NONE
                            ? null
                            : new ParamRef(
                                "emergency-stop",
                                "andon-stop",
                                expected.parameter().notFoundAction(),
                                null),
                        null,
                        Set.of(expected.action())))
            .toList());
  }

  static MatchResources everywhere() {
    return new MatchResourcesBuilder()
        .addNewResourceRule()
        .withOperations("*")
        .withApiGroups("*")
        .withApiVersions("*")
        .withResources("*/*")
        .endResourceRule()
        .build();
  }

  static MatchResources onlyOperation(String operation) {
    return new MatchResourcesBuilder()
        .addNewResourceRule()
        .withOperations(operation)
        .withApiGroups("*")
        .withApiVersions("*")
        .withResources("*/*")
        .endResourceRule()
        .build();
  }

  static MatchResources exceptNamespace(String label) {
    return new MatchResourcesBuilder()
        .withNamespaceSelector(
            new LabelSelectorBuilder()
                .addNewMatchExpression()
                .withKey(label)
                .withOperator("DoesNotExist")
                .endMatchExpression()
                .build())
        .build();
  }

  static MatchResources excluding(String resource) {
    return new MatchResourcesBuilder(everywhere())
        .addNewExcludeResourceRule()
        .withOperations("*")
        .withApiGroups("*")
        .withApiVersions("*")
        .withResources(resource)
        .endExcludeResourceRule()
        .build();
  }

  static FlowSchema flowSchema(String name, String level) {
    return Serialization.unmarshal(
        """
        apiVersion: flowcontrol.apiserver.k8s.io/v1
        kind: FlowSchema
        metadata: {name: %s}
        spec:
          matchingPrecedence: 100
          priorityLevelConfiguration: {name: %s}
          rules:
          - subjects: [{kind: Group, group: {name: "system:authenticated"}}]
            resourceRules: [{verbs: ["*"], apiGroups: [""], resources: [configmaps], namespaces: [andon-stop]}]
        """
            .formatted(name, level),
        FlowSchema.class);
  }

  static PriorityLevelConfiguration priorityLevel() {
    return Serialization.unmarshal(
        """
        apiVersion: flowcontrol.apiserver.k8s.io/v1
        kind: PriorityLevelConfiguration
        metadata: {name: andon-stop}
        spec: {type: Limited, limited: {nominalConcurrencyShares: 10, limitResponse: {type: Reject}}}
        """,
        PriorityLevelConfiguration.class);
  }

  static Listing<Policy> changed(
      Listing<Policy> policies, String name, UnaryOperator<Policy> change) {
    return policies.map(policy -> policy.name().equals(name) ? change.apply(policy) : policy);
  }

  static Listing<Binding> rebound(
      Listing<Binding> bindings, String name, UnaryOperator<Binding> change) {
    return bindings.map(binding -> binding.name().equals(name) ? change.apply(binding) : binding);
  }
}
