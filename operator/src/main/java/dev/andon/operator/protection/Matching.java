package dev.andon.operator.protection;

import dev.andon.operator.protection.Request.Place;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.LabelSelectorRequirement;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MatchResources;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.NamedRuleWithOperations;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.RuleWithOperations;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Whether the API server asks a webhook or a policy about a request. The rules are those of {@code
 * k8s.io/apiserver/pkg/admission/plugin/webhook/predicates}; matchConditions, which are CEL, are
 * not looked at: what may match counts as matching.
 */
final class Matching {
  private static final String ANY = "*";

  private Matching() {}

  /** Of a webhook. */
  static boolean matches(
      @Nullable List<RuleWithOperations> rules,
      @Nullable LabelSelector namespaceSelector,
      @Nullable LabelSelector objectSelector,
      Request request) {
    return orEmpty(rules).stream().anyMatch(rule -> matches(rule, request))
        && selectsPlace(namespaceSelector, request.place())
        && selects(objectSelector, request.labels());
  }

  /** Of a policy: {@code matchConstraints}, which name the resources. */
  static boolean constrainedTo(@Nullable MatchResources constraints, Request request) {
    return constraints != null
        && orEmpty(constraints.getResourceRules()).stream().anyMatch(r -> matches(r, request))
        && withinRest(constraints, request);
  }

  /** Of a binding: {@code matchResources}, which can only narrow down; without them, all. */
  static boolean boundTo(@Nullable MatchResources resources, Request request) {
    return resources == null
        || ((orEmpty(resources.getResourceRules()).isEmpty()
                || orEmpty(resources.getResourceRules()).stream()
                    .anyMatch(r -> matches(r, request)))
            && withinRest(resources, request));
  }

  private static boolean withinRest(MatchResources match, Request request) {
    return orEmpty(match.getExcludeResourceRules()).stream().noneMatch(r -> matches(r, request))
        && selectsPlace(match.getNamespaceSelector(), request.place())
        && selects(match.getObjectSelector(), request.labels());
  }

  private static boolean matches(RuleWithOperations rule, Request request) {
    return matches(
        rule.getOperations(),
        rule.getApiGroups(),
        rule.getApiVersions(),
        rule.getResources(),
        rule.getScope(),
        request);
  }

  private static boolean matches(NamedRuleWithOperations rule, Request request) {
    List<String> names = orEmpty(rule.getResourceNames());
    return matches(
            rule.getOperations(),
            rule.getApiGroups(),
            rule.getApiVersions(),
            rule.getResources(),
            rule.getScope(),
            request)
        && (names.isEmpty() || names.contains(request.name()));
  }

  private static boolean matches(
      @Nullable List<String> operations,
      @Nullable List<String> groups,
      @Nullable List<String> versions,
      @Nullable List<String> resources,
      @Nullable String scope,
      Request request) {
    return has(operations, request.operation())
        && has(groups, request.group())
        && has(versions, request.version())
        && orEmpty(resources).stream().anyMatch(resource -> isResource(resource, request))
        && inScope(scope, request.place());
  }

  private static boolean has(@Nullable List<String> values, String wanted) {
    return orEmpty(values).contains(ANY) || orEmpty(values).contains(wanted);
  }

  /**
   * {@code pods}, {@code pods/status}, {@code pods/*}, {@code *} (no subresources), {@code *}/*.
   */
  private static boolean isResource(String resource, Request request) {
    int slash = resource.indexOf('/');
    String object = slash < 0 ? resource : resource.substring(0, slash);
    String sub = slash < 0 ? "" : resource.substring(slash + 1);
    return (object.equals(ANY) || object.equals(request.resource()))
        && (sub.equals(ANY) || sub.equals(request.subresource()));
  }

  private static boolean inScope(@Nullable String scope, Place place) {
    return switch (Objects.requireNonNullElse(scope, ANY)) {
      case "Cluster" -> place instanceof Place.ClusterWide;
      case "Namespaced" -> !(place instanceof Place.ClusterWide);
      default -> true;
    };
  }

  private static boolean selectsPlace(@Nullable LabelSelector selector, Place place) {
    return switch (place) {
      case Place.ClusterWide() -> true;
      case Place.Everywhere() -> isEmpty(selector);
      case Place.In(Map<String, String> labels) -> selects(selector, labels);
    };
  }

  private static boolean isEmpty(@Nullable LabelSelector selector) {
    return selector == null
        || (orEmpty(selector.getMatchLabels()).isEmpty()
            && orEmpty(selector.getMatchExpressions()).isEmpty());
  }

  static boolean selects(@Nullable LabelSelector selector, Map<String, String> labels) {
    return selector == null
        || (orEmpty(selector.getMatchLabels()).entrySet().stream()
                .allMatch(one -> one.getValue().equals(labels.get(one.getKey())))
            && orEmpty(selector.getMatchExpressions()).stream().allMatch(r -> holds(r, labels)));
  }

  private static boolean holds(LabelSelectorRequirement requirement, Map<String, String> labels) {
    @Nullable String value = labels.get(requirement.getKey());
    List<String> values = orEmpty(requirement.getValues());
    return switch (requirement.getOperator()) {
      case "In" -> value != null && values.contains(value);
      case "NotIn" -> value == null || !values.contains(value);
      case "Exists" -> value != null;
      case "DoesNotExist" -> value == null;
      // None other is admitted by today's API servers.
      default -> true;
    };
  }

  private static <T> List<T> orEmpty(@Nullable List<T> list) {
    return list == null ? List.of() : list;
  }

  private static Map<String, String> orEmpty(@Nullable Map<String, String> map) {
    return map == null ? Map.of() : map;
  }
}
