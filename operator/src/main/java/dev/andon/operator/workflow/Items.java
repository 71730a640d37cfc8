package dev.andon.operator.workflow;

import dev.andon.crds.WorkflowSpec.ConfigMapKeyRef;
import java.util.List;
import java.util.Map;

/**
 * The items of ConfigMaps that a workflow refers to.
 *
 * @param lists of those that held once what spec says they do: the hash pins them, whatever becomes
 *     of the ConfigMap
 * @param changed what is wrong with the ConfigMaps now, in a sentence each
 * @param absent of these, what is not there at all, and may be still to come
 */
record Items(Map<ConfigMapKeyRef, List<String>> lists, List<String> changed, List<String> absent) {
  static final Items NONE = new Items(Map.of(), List.of(), List.of());

  /** Whether there is something else than what spec says. */
  boolean areOthers() {
    return changed.size() > absent.size();
  }
}
