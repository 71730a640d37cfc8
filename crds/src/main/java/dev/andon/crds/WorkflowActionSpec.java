package dev.andon.crds;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import org.jspecify.annotations.Nullable;

/**
 * @param workflowUID required but for Pause
 * @param verb Start, Pause, Resume, Cancel, Approve, Reject or Resolve
 * @param specHash of what is approved or rejected
 * @param index of the one job to resolve; null where {@code indexes} names many
 * @param indexes of the jobs to resolve, as canonical ranges (see {@link dev.andon.plan.IndexSet})
 * @param outcome of Resolve: Succeeded, Failed or Retry
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@JsonIgnoreProperties(ignoreUnknown = true)
public record WorkflowActionSpec(
    @Nullable String workflow,
    @Nullable String workflowUID,
    @Nullable String verb,
    @Nullable String specHash,
    @Nullable String block,
    @Nullable Integer index,
    @Nullable String indexes,
    @Nullable String outcome,
    @Nullable String reason,
    @Nullable RequestedBy requestedBy) {}
