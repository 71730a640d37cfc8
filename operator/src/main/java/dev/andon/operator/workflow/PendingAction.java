package dev.andon.operator.workflow;

import dev.andon.crds.WorkflowActionSpec;
import java.time.Instant;

/** An action that nobody has judged, as the API server itself told after the workflow was read. */
public record PendingAction(String name, String uid, Instant created, WorkflowActionSpec spec) {}
