package dev.andon.operator.stop;

import dev.andon.crds.WorkflowStatus.StoppedBy;

/** What is known of the stop for one workflow type. */
public sealed interface StopView {

  /**
   * Nothing stops the type.
   *
   * @param configMapUid with {@code armingId} the arming: a workflow that started under another one
   *     has missed a stop
   * @param armingId value of annotation {@code arming.andon.dev/TYPE}; "" without
   */
  record Open(String configMapUid, String armingId, String resourceVersion) implements StopView {}

  /** The ConfigMap was read and is not open for the type: a stop seen. */
  record Stopped(StoppedBy by) implements StopView {}

  /** Nobody can read the ConfigMap: nothing is sent, nothing is stopped for good. */
  record NotVisible(String why) implements StopView {}
}
