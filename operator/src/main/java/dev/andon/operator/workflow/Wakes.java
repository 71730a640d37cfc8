package dev.andon.operator.workflow;

import dev.andon.crds.Workflow;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.controller.ResourceAction;
import io.javaoperatorsdk.operator.processing.event.source.controller.ResourceEvent;
import io.javaoperatorsdk.operator.processing.event.source.inbound.SimpleInboundEventSource;

/** Has workflows decided about for what no watch tells: outcomes, stops, what got lost. */
final class Wakes extends SimpleInboundEventSource<Workflow> {
  Wakes() {
    super("outcomes-and-stops");
  }

  /**
   * As if the watch told of it. The framework keeps nothing of a name once its deletion is dealt
   * with, and drops every other event of such a name.
   */
  void handOver(Workflow workflow) {
    if (isRunning()) {
      getEventHandler()
          .handleEvent(
              new ResourceEvent(
                  ResourceAction.UPDATED, ResourceID.fromResource(workflow), workflow));
    }
  }
}
