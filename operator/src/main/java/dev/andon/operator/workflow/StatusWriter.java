package dev.andon.operator.workflow;

import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowStatus;
import dev.andon.operator.cluster.Existence;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import io.javaoperatorsdk.operator.OperatorException;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.PrimaryUpdateAndCacheUtils;
import java.net.HttpURLConnection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The one place that writes a workflow's status: under the resourceVersion the decision was made
 * from, and only if it says something else.
 */
final class StatusWriter {
  /** What became of a write. */
  enum Written {
    /** The API server holds the status now, or held it already. */
    YES,
    /** The object has changed since the decision, or is gone: decide again. */
    DECIDE_AGAIN,
    /**
     * The API server itself holds back new intents: in its eyes the emergency stop is not open. No
     * sighting of a stop: the gate is to be read again.
     */
    INTENTS_REFUSED
  }

  /** The admission policy that refuses a status whose {@code starts} rises while stopped. */
  static final String INTENTS_POLICY = "andon-stop-starts";

  private static final int INVALID = 422;

  private final KubernetesSerialization serialization;
  private final OwnWrites ownWrites;

  /** {@code ownWrites}: is told of every write. */
  StatusWriter(KubernetesSerialization serialization, OwnWrites ownWrites) {
    this.serialization = serialization;
    this.ownWrites = ownWrites;
  }

  Written write(Workflow workflow, WorkflowStatus status, Context<Workflow> context) {
    if (same(workflow.getStatus(), status)) {
      return Written.YES;
    }
    try {
      // No retry: a retry would put an old decision onto a newer object.
      PrimaryUpdateAndCacheUtils.updateAndCacheResource(
          workflow,
          context,
          current -> with(current, status),
          changed -> {
            Workflow written = context.getClient().resource(changed).updateStatus();
            ownWrites.wrote(written.getMetadata());
            return written;
          },
          0,
          PrimaryUpdateAndCacheUtils.DEFAULT_RESOURCE_CACHE_TIMEOUT_MILLIS,
          PrimaryUpdateAndCacheUtils.DEFAULT_RESOURCE_CACHE_POLL_PERIOD_MILLIS);
      return Written.YES;
    } catch (OperatorException e) {
      if (e.getCause() instanceof KubernetesClientException cause) {
        return refusal(cause).orElseThrow(() -> e);
      }
      throw e;
    } catch (KubernetesClientException e) {
      return refusal(e).orElseThrow(() -> e);
    }
  }

  /** What an answer of the API server means for the decision; empty: it is an error. */
  static Optional<Written> refusal(KubernetesClientException e) {
    if (e.getCode() == HttpURLConnection.HTTP_CONFLICT || Existence.isNotFound(e)) {
      return Optional.of(Written.DECIDE_AGAIN);
    }
    boolean denied = e.getCode() == HttpURLConnection.HTTP_FORBIDDEN || e.getCode() == INVALID;
    // The API server names the policy in quotes, whatever the message of the policy says.
    return denied
            && Objects.requireNonNullElse(e.getMessage(), "")
                .contains("ValidatingAdmissionPolicy '" + INTENTS_POLICY + "'")
        ? Optional.of(Written.INTENTS_REFUSED)
        : Optional.empty();
  }

  /** Whether writing the status would change anything. */
  boolean differs(Workflow workflow, WorkflowStatus status) {
    return !same(workflow.getStatus(), status);
  }

  /**
   * Absent and empty are the same on the wire, though not in memory. Turning both into trees costs
   * as much as a write, and most differ in what is plain to see.
   */
  private boolean same(@Nullable WorkflowStatus now, WorkflowStatus next) {
    return Objects.equals(now, next)
        || (now != null
            && Objects.equals(now.phase(), next.phase())
            && Objects.equals(now.starts(), next.starts())
            && Objects.equals(now.progress(), next.progress())
            && serialization
                .convertValue(now, com.fasterxml.jackson.databind.JsonNode.class)
                .equals(
                    serialization.convertValue(
                        next, com.fasterxml.jackson.databind.JsonNode.class)));
  }

  /**
   * Without managedFields: absent means that the API server goes by its own, and they are half of
   * what would be sent.
   */
  private static Workflow with(Workflow workflow, WorkflowStatus status) {
    return copy(
        workflow,
        new ObjectMetaBuilder(workflow.getMetadata()).withManagedFields(List.of()).build(),
        status);
  }

  /** Shares what is immutable. */
  static Workflow copy(Workflow workflow, ObjectMeta metadata, @Nullable WorkflowStatus status) {
    var copy = new Workflow();
    copy.setMetadata(metadata);
    copy.setSpec(workflow.getSpec());
    copy.setStatus(status);
    return copy;
  }
}
