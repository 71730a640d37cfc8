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
 */
record Items(Map<ConfigMapKeyRef, List<String>> lists, List<String> changed) {
  static final Items NONE = new Items(Map.of(), List.of());
}
