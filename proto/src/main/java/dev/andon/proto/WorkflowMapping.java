package dev.andon.proto;

import dev.andon.crds.Workflow;
import io.fabric8.kubernetes.api.model.ObjectMeta;

/**
 * A Workflow from the one form to the other, both ways, field by field.
 *
 * <p>Both ways are total: every object and every message has a counterpart, and nothing is thrown.
 * Whether a value makes sense is not judged here. Nothing is lost on the way, with these
 * exceptions:
 *
 * <ul>
 *   <li>Of the metadata, managedFields and selfLink have no counterpart.
 *   <li>Absent metadata becomes empty metadata, for code everywhere asks an object for its name.
 *   <li>A null where the API server never stores one, in a list or map, is left out; but a null job
 *       becomes an empty job and a null item an empty item, so that a list with a hole in it stays
 *       as invalid, and the others keep their index.
 *   <li>What a message can spell in more than one way comes back in the usual one: an {@code
 *       IntOrPercent} whose {@code text} is a number or percentage, or which has no value; a
 *       Timestamp that is no time, which becomes {@link dev.andon.crds.Timestamp#UNREADABLE}; the
 *       text of metadata's times.
 * </ul>
 */
public final class WorkflowMapping {
  private WorkflowMapping() {}

  /** The message that says what {@code workflow} says. */
  public static dev.andon.workflow.v1.Workflow toProto(Workflow workflow) {
    var message = dev.andon.workflow.v1.Workflow.newBuilder();
    // CustomResource declares none of the three nullable, and hands out null for each.
    if (workflow.getMetadata() != null) {
      message.setMetadata(MetadataMapping.toProto(workflow.getMetadata()));
    }
    if (workflow.getSpec() != null) {
      message.setSpec(SpecMapping.toProto(workflow.getSpec()));
    }
    if (workflow.getStatus() != null) {
      message.setStatus(StatusMapping.toProto(workflow.getStatus()));
    }
    return message.build();
  }

  /**
   * The object that says what {@code message} says. Its metadata is never null; its spec and status
   * are where the message has none. Unknown fields of the message are not looked at: {@link
   * WorkflowRequests} refuses them.
   */
  public static Workflow fromProto(dev.andon.workflow.v1.Workflow message) {
    var workflow = new Workflow();
    workflow.setMetadata(
        message.hasMetadata()
            ? MetadataMapping.fromProto(message.getMetadata())
            : new ObjectMeta());
    if (message.hasSpec()) {
      workflow.setSpec(SpecMapping.fromProto(message.getSpec()));
    }
    if (message.hasStatus()) {
      workflow.setStatus(StatusMapping.fromProto(message.getStatus()));
    }
    return workflow;
  }
}
