package dev.andon.policies;

import dev.andon.crds.WorkflowSpec;
import dev.andon.plan.JobTypes;
import dev.andon.plan.Plan;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.IntSupplier;

/**
 * Everything policies judge by.
 *
 * @param namespace of the workflow
 * @param namespaceLabels of that namespace; {@code kubernetes.io/metadata.name} is always among
 *     them, as Kubernetes sees to
 * @param name of the workflow
 * @param plan of this spec
 * @param othersRunning how many other workflows of this type, in any namespace, have started and
 *     are not finished; 0 or more. Asked only by a rule that needs it, since to know it all of them
 *     are looked at
 * @param now for rules about time
 */
public record PolicyInput(
    String namespace,
    Map<String, String> namespaceLabels,
    String name,
    WorkflowSpec spec,
    Plan plan,
    JobTypes jobTypes,
    IntSupplier othersRunning,
    Instant now) {
  private static final String NAME_LABEL = "kubernetes.io/metadata.name";

  public PolicyInput {
    var labels = new HashMap<>(namespaceLabels);
    labels.put(NAME_LABEL, namespace);
    namespaceLabels = Map.copyOf(labels);
  }

  /** The workflow type; "" if the spec has none. */
  public String type() {
    return Objects.requireNonNullElse(spec.type(), "");
  }
}
