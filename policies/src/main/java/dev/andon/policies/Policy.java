package dev.andon.policies;

import dev.andon.crds.WorkflowPolicySpec;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A WorkflowPolicy as the engine sees it.
 *
 * @param name metadata.name
 * @param generation metadata.generation, which verdicts repeat
 */
public record Policy(String name, long generation, WorkflowPolicySpec spec) {
  /** In {@code workflowTypes}: every type. Adds a baseline, and admits nothing. */
  public static final String EVERY_TYPE = "*";

  /** A policy of an object as it was read; one without a spec is a policy without settings. */
  public static Policy of(
      String name, @Nullable Long generation, @Nullable WorkflowPolicySpec spec) {
    return new Policy(
        name,
        generation == null ? 0 : generation,
        spec == null ? new WorkflowPolicySpec(null, List.of(), null, null, List.of()) : spec);
  }

  /** What its findings lead to. */
  public Enforcement enforcement() {
    return Enforcement.of(spec.enforcement());
  }

  boolean namesExactly(String type) {
    return !type.equals(EVERY_TYPE) && spec.workflowTypes().contains(type);
  }

  boolean namesAnyTypeExactly() {
    return spec.workflowTypes().stream().anyMatch(type -> !type.equals(EVERY_TYPE));
  }

  boolean coversType(String type) {
    return namesExactly(type) || spec.workflowTypes().contains(EVERY_TYPE);
  }

  /** Whether it speaks about this workflow: its type, and its namespace. */
  boolean matches(PolicyInput input) {
    return coversType(input.type())
        && NamespaceSelector.of(spec.namespaces()).matches(input.namespaceLabels());
  }

  boolean restrictsJobTypes() {
    return spec.rules().stream().anyMatch(rule -> rule.restrictJobTypes() != null);
  }
}
