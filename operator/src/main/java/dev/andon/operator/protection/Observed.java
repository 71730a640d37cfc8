package dev.andon.operator.protection;

import dev.andon.operator.protection.Policy.Binding;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfiguration;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingWebhookConfiguration;
import io.fabric8.kubernetes.api.model.flowcontrol.v1.FlowSchema;
import io.fabric8.kubernetes.api.model.flowcontrol.v1.PriorityLevelConfiguration;
import java.util.List;
import java.util.Map;

/**
 * Everything that {@link Protections} is judged from.
 *
 * @param namespaceLabels of the stop's namespace
 * @param armedWithoutId workflow types that say go and have no arming id
 */
record Observed(
    Listing<Policy> validating,
    Listing<Binding> validatingBindings,
    Listing<Policy> mutating,
    Listing<Binding> mutatingBindings,
    Listing<ValidatingWebhookConfiguration> validatingWebhooks,
    Listing<MutatingWebhookConfiguration> mutatingWebhooks,
    Listing<FlowSchema> flowSchemas,
    Listing<PriorityLevelConfiguration> priorityLevels,
    Map<String, String> namespaceLabels,
    List<String> armedWithoutId) {
  Observed {
    namespaceLabels = Map.copyOf(namespaceLabels);
    armedWithoutId = List.copyOf(armedWithoutId);
  }

  Listing<Policy> policies(Policy.Kind kind) {
    return switch (kind) {
      case VALIDATING -> validating;
      case MUTATING -> mutating;
    };
  }

  Listing<Binding> bindings(Policy.Kind kind) {
    return switch (kind) {
      case VALIDATING -> validatingBindings;
      case MUTATING -> mutatingBindings;
    };
  }
}
