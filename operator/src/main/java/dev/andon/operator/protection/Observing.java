package dev.andon.operator.protection;

import dev.andon.operator.protection.Policy.Binding;
import dev.andon.operator.stop.EmergencyStop;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.KubernetesResourceList;
import io.fabric8.kubernetes.api.model.ListOptions;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingAdmissionPolicy;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingAdmissionPolicyBinding;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.Listable;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Asks the API server; ten requests, all answered from its caches. Good for one time. */
final class Observing {
  private static final String NAMESPACE_NAME = "kubernetes.io/metadata.name";

  /** From the API server's cache, which is some milliseconds old: nothing here decides a send. */
  private static final ListOptions CACHED =
      new ListOptionsBuilder().withResourceVersion("0").build();

  /** Of a workflow type; other keys of the ConfigMap open nothing. */
  private static final Pattern TYPE =
      Pattern.compile("[A-Za-z0-9]([-._A-Za-z0-9]{0,61}[A-Za-z0-9])?");

  private static final int FORBIDDEN = 403;
  private static final int NOT_FOUND = 404;

  private final KubernetesClient client;

  /** Set once the API server does not answer at all: it is not asked for the rest. */
  private @Nullable String unreachable;

  Observing(KubernetesClient client) {
    this.client = client;
  }

  Observed observe() {
    var v1 = client.admissionRegistration().v1();
    var v1beta1 = client.admissionRegistration().v1beta1();
    var flows = client.flowControl().v1();
    return new Observed(
        list(v1.validatingAdmissionPolicies()).map(Policy::of),
        list(v1.validatingAdmissionPolicyBindings()).map(Binding::of),
        newest(
                list(v1.mutatingAdmissionPolicies()),
                () ->
                    list(v1beta1.mutatingAdmissionPolicies())
                        .map(old -> as(MutatingAdmissionPolicy.class, old)))
            .map(Policy::of),
        newest(
                list(v1.mutatingAdmissionPolicyBindings()),
                () ->
                    list(v1beta1.mutatingAdmissionPolicyBindings())
                        .map(old -> as(MutatingAdmissionPolicyBinding.class, old)))
            .map(Binding::of),
        list(v1.validatingWebhookConfigurations()),
        list(v1.mutatingWebhookConfigurations()),
        list(flows.flowSchema()),
        list(flows.priorityLevelConfigurations()),
        namespaceLabels(),
        armedWithoutId());
  }

  /** The kinds came with Kubernetes 1.36; before, they look the same under v1beta1. */
  private static <T> Listing<T> newest(Listing<T> v1, Supplier<Listing<T>> v1beta1) {
    return v1 instanceof Listing.NotServed<T> ? v1beta1.get() : v1;
  }

  private <T> T as(Class<T> type, HasMetadata old) {
    return client.getKubernetesSerialization().convertValue(old, type);
  }

  private <T extends HasMetadata, L extends KubernetesResourceList<T>> Listing<T> list(
      Listable<L> all) {
    return asked(() -> new Listing.Found<>(all.list(CACHED).getItems()));
  }

  private <T> Listing<T> asked(Supplier<Listing<T>> question) {
    if (unreachable != null) {
      return new Listing.NotVisible<>(unreachable);
    }
    try {
      return question.get();
    } catch (KubernetesClientException e) {
      return switch (e.getCode()) {
        case NOT_FOUND -> new Listing.NotServed<>();
        case FORBIDDEN -> new Listing.NotVisible<>("not allowed to look");
        case 0 -> {
          unreachable = "the API server does not answer";
          yield new Listing.NotVisible<>(unreachable);
        }
        default -> new Listing.NotVisible<>("the API server answered %d".formatted(e.getCode()));
      };
    }
  }

  private Map<String, String> namespaceLabels() {
    Map<String, String> labels = new HashMap<>();
    if (asked(() -> found(client.namespaces().withName(EmergencyStop.NAMESPACE).get()))
        instanceof Listing.Found<Namespace>(List<Namespace> one)) {
      one.stream()
          .map(namespace -> namespace.getMetadata().getLabels())
          .filter(Objects::nonNull)
          .forEach(labels::putAll);
    }
    // The API server itself sees to this one; it is what is known where nobody may look.
    labels.put(NAMESPACE_NAME, EmergencyStop.NAMESPACE);
    return labels;
  }

  private List<String> armedWithoutId() {
    var stop = client.configMaps().inNamespace(EmergencyStop.NAMESPACE);
    return asked(() -> found(stop.withName(EmergencyStop.NAME).get()))
            instanceof Listing.Found<ConfigMap>(List<ConfigMap> one)
        ? one.stream().flatMap(map -> armedWithoutId(map).stream()).toList()
        : List.of();
  }

  static List<String> armedWithoutId(ConfigMap stop) {
    Map<String, String> annotations =
        Objects.requireNonNullElse(stop.getMetadata().getAnnotations(), Map.of());
    return Objects.requireNonNullElse(stop.getData(), Map.<String, String>of()).entrySet().stream()
        .filter(key -> EmergencyStop.GO.equals(key.getValue()))
        .map(Map.Entry::getKey)
        .filter(type -> !type.equalsIgnoreCase(EmergencyStop.ALL) && TYPE.matcher(type).matches())
        .filter(type -> !annotations.containsKey(EmergencyStop.ARMING + type))
        .sorted()
        .collect(Collectors.toList());
  }

  private static <T> Listing<T> found(@Nullable T one) {
    return new Listing.Found<>(one == null ? List.of() : List.of(one));
  }
}
