package dev.andon.crds;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * @param phase Applied or Refused
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
public record WorkflowActionStatus(
    @Nullable Long observedGeneration,
    @Nullable String phase,
    @Nullable String message,
    @Timestamp @Nullable Instant time) {}
