package dev.andon.policies;

import dev.andon.crds.WorkflowPolicySpec.LabelSelector;
import dev.andon.crds.WorkflowPolicySpec.Requirement;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A label selector with the meaning Kubernetes gives it ({@code
 * k8s.io/apimachinery/pkg/labels.NewRequirement}, {@code Requirement.Matches}), save that none at
 * all selects every namespace.
 */
final class NamespaceSelector {
  private static final Pattern NAME =
      Pattern.compile("[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?");
  private static final Pattern PREFIX =
      Pattern.compile("[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*");
  private static final int PREFIX_LENGTH = 253;

  private final Map<String, String> labels;
  private final List<Requirement> requirements;

  private NamespaceSelector(@Nullable LabelSelector selector) {
    this.labels = selector == null ? Map.of() : selector.matchLabels();
    this.requirements = selector == null ? List.of() : selector.matchExpressions();
  }

  static NamespaceSelector of(@Nullable LabelSelector selector) {
    return new NamespaceSelector(selector);
  }

  /**
   * Whether a namespace with these labels is selected. A selector that is not {@linkplain #validate
   * valid} selects every namespace: its policy is unreadable, and denies wherever it may apply.
   */
  boolean matches(Map<String, String> given) {
    var faults = new Findings("");
    validate(faults);
    if (!faults.isEmpty()) {
      return true;
    }
    return labels.entrySet().stream()
            .allMatch(label -> label.getValue().equals(given.get(label.getKey())))
        && requirements.stream().allMatch(requirement -> matches(requirement, given));
  }

  private static boolean matches(Requirement requirement, Map<String, String> given) {
    String value = given.get(Objects.requireNonNullElse(requirement.key(), ""));
    return switch (Objects.requireNonNullElse(requirement.operator(), "")) {
      case "In" -> value != null && requirement.values().contains(value);
      // A namespace without the label is not in the set either.
      case "NotIn" -> value == null || !requirement.values().contains(value);
      case "Exists" -> value != null;
      case "DoesNotExist" -> value == null;
      default -> true;
    };
  }

  void validate(Findings findings) {
    labels.forEach(
        (key, value) -> {
          key("matchLabels", key, findings);
          value("matchLabels." + key, value, findings);
        });
    for (int i = 0; i < requirements.size(); i++) {
      Requirement requirement = requirements.get(i);
      String path = "matchExpressions[" + i + "]";
      key(path + ".key", Objects.requireNonNullElse(requirement.key(), ""), findings);
      String operator = Objects.requireNonNullElse(requirement.operator(), "");
      switch (operator) {
        case "In", "NotIn" -> {
          if (requirement.values().isEmpty()) {
            findings.add("%s.values: is empty; %s needs at least one value", path, operator);
          }
          requirement.values().forEach(value -> value(path + ".values", value, findings));
        }
        case "Exists", "DoesNotExist" -> {
          if (!requirement.values().isEmpty()) {
            findings.add("%s.values: %s takes none; leave them out", path, operator);
          }
        }
        default ->
            findings.add(
                "%s.operator: %s is unknown; use In, NotIn, Exists or DoesNotExist",
                path, Findings.quote(operator));
      }
    }
  }

  private static void key(String path, String key, Findings findings) {
    int slash = key.indexOf('/');
    String prefix = slash < 0 ? "" : key.substring(0, slash);
    boolean prefixed =
        slash < 0 || (prefix.length() <= PREFIX_LENGTH && PREFIX.matcher(prefix).matches());
    if (!prefixed || !NAME.matcher(key.substring(slash + 1)).matches()) {
      findings.add("%s: %s is not a label key; use name or prefix/name", path, Findings.quote(key));
    }
  }

  private static void value(String path, String value, Findings findings) {
    if (!value.isEmpty() && !NAME.matcher(value).matches()) {
      findings.add(
          "%s: %s is not a label value; use at most 63 letters, digits, '-', '_' and '.'",
          path, Findings.quote(value));
    }
  }
}
