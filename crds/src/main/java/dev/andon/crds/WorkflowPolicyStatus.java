package dev.andon.crds;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Whether the policy can be applied; {@code Ready=False/Vacuous} when it guards nothing. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
public record WorkflowPolicyStatus(@Nullable Long observedGeneration, List<Condition> conditions) {
  public WorkflowPolicyStatus {
    conditions = Absent.orEmpty(conditions);
  }
}
