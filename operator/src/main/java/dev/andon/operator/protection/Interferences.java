package dev.andon.operator.protection;

import dev.andon.operator.protection.Policy.Binding;
import dev.andon.operator.stop.EmergencyStop;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MatchCondition;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhook;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfiguration;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.RuleWithOperations;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingWebhook;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingWebhookConfiguration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Finds webhooks and policies of others that are asked about writes of the stop. */
final class Interferences {
  /** The API server's default. */
  private static final int DEFAULT_TIMEOUT = 10;

  private static final String EXCLUDE =
      "Exclude the namespace: namespaceSelector: {matchExpressions: [{key:"
          + " kubernetes.io/metadata.name, operator: NotIn, values: [andon-stop]}]}";

  private final Observed observed;
  private final List<Request> stopWrites;

  private Interferences(Observed observed) {
    this.observed = observed;
    this.stopWrites = ExpectedPolicy.stopWrites(observed.namespaceLabels());
  }

  static List<Interference> in(Observed observed) {
    var found = new Interferences(observed);
    return Stream.of(
            found.validatingWebhooks(),
            found.mutatingWebhooks(),
            found.policies(Policy.Kind.VALIDATING),
            found.policies(Policy.Kind.MUTATING))
        .flatMap(s -> s)
        .toList();
  }

  private Stream<Interference> validatingWebhooks() {
    return items(observed.validatingWebhooks()).stream()
        .flatMap(
            (ValidatingWebhookConfiguration configuration) ->
                Objects.requireNonNullElse(
                        configuration.getWebhooks(), List.<ValidatingWebhook>of())
                    .stream()
                    .flatMap(
                        hook ->
                            webhook(
                                "ValidatingWebhookConfiguration/"
                                    + configuration.getMetadata().getName(),
                                hook.getName(),
                                hook.getRules(),
                                hook.getNamespaceSelector(),
                                hook.getObjectSelector(),
                                hook.getMatchConditions(),
                                hook.getFailurePolicy(),
                                hook.getTimeoutSeconds())));
  }

  private Stream<Interference> mutatingWebhooks() {
    return items(observed.mutatingWebhooks()).stream()
        .flatMap(
            (MutatingWebhookConfiguration configuration) ->
                Objects.requireNonNullElse(configuration.getWebhooks(), List.<MutatingWebhook>of())
                    .stream()
                    .flatMap(
                        hook ->
                            webhook(
                                "MutatingWebhookConfiguration/"
                                    + configuration.getMetadata().getName(),
                                hook.getName(),
                                hook.getRules(),
                                hook.getNamespaceSelector(),
                                hook.getObjectSelector(),
                                hook.getMatchConditions(),
                                hook.getFailurePolicy(),
                                hook.getTimeoutSeconds())));
  }

  private Stream<Interference> webhook(
      String configuration,
      String name,
      @Nullable List<RuleWithOperations> rules,
      @Nullable LabelSelector namespaceSelector,
      @Nullable LabelSelector objectSelector,
      @Nullable List<MatchCondition> conditions,
      @Nullable String failurePolicy,
      @Nullable Integer timeoutSeconds) {
    List<String> operations =
        stopWrites.stream()
            .filter(r -> Matching.matches(rules, namespaceSelector, objectSelector, r))
            .map(Request::operation)
            .toList();
    if (operations.isEmpty()) {
      return Stream.empty();
    }
    String failure = Objects.requireNonNullElse(failurePolicy, "Fail");
    int timeout = Objects.requireNonNullElse(timeoutSeconds, DEFAULT_TIMEOUT);
    String whenBroken =
        failure.equals("Fail")
            ? "while it does not answer, no such write gets through (failurePolicy Fail, after up"
                + " to %d s)"
            : "while it does not answer, each takes up to %d s longer (failurePolicy Ignore)";
    return Stream.of(
        new Interference(
            configuration,
            name,
            failure,
            timeout,
            "It is asked about %s of ConfigMap %s/%s and may refuse a stop; %s.%s"
                .formatted(
                    String.join(", ", operations),
                    EmergencyStop.NAMESPACE,
                    EmergencyStop.NAME,
                    whenBroken.formatted(timeout),
                    conditions == null || conditions.isEmpty()
                        ? ""
                        : " Its matchConditions may leave them out, which is not looked at."),
            EXCLUDE));
  }

  private Stream<Interference> policies(Policy.Kind kind) {
    Set<String> ours =
        ExpectedPolicy.all().stream().map(ExpectedPolicy::name).collect(Collectors.toSet());
    List<Binding> bindings = items(observed.bindings(kind));
    return items(observed.policies(kind)).stream()
        .filter(policy -> !ours.contains(policy.name()) && refuses(policy, kind))
        .flatMap(
            policy -> {
              List<String> operations =
                  stopWrites.stream()
                      .filter(r -> Matching.constrainedTo(policy.constraints(), r))
                      .filter(
                          r ->
                              bindings.stream()
                                  .filter(
                                      b -> b.policy().equals(policy.name()) && b.refusesOrChanges())
                                  .anyMatch(b -> Matching.boundTo(b.resources(), r)))
                      .map(Request::operation)
                      .toList();
              return operations.isEmpty()
                  ? Stream.empty()
                  : Stream.of(
                      new Interference(
                          kind + "/" + policy.name(),
                          "",
                          policy.failurePolicy(),
                          0,
                          "It judges %s of ConfigMap %s/%s and may refuse or change a stop."
                              .formatted(
                                  String.join(", ", operations),
                                  EmergencyStop.NAMESPACE,
                                  EmergencyStop.NAME),
                          EXCLUDE + " in matchResources of its binding"));
            });
  }

  private static boolean refuses(Policy policy, Policy.Kind kind) {
    return kind == policy.kind() && policy.clauses() > 0;
  }

  private static <T> List<T> items(Listing<T> listing) {
    return switch (listing) {
      case Listing.Found<T>(List<T> items) -> items;
      case Listing.NotServed<T>(), Listing.NotVisible<T>(_) -> List.of();
    };
  }
}
