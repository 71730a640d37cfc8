package dev.andon.crds;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A condition in the sense of the Kubernetes API conventions and kstatus.
 *
 * @param status {@code True}, {@code False} or {@code Unknown}
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@JsonIgnoreProperties(ignoreUnknown = true)
public record Condition(
    @Nullable String type,
    @Nullable String status,
    @Nullable Long observedGeneration,
    @Timestamp @Nullable Instant lastTransitionTime,
    @Nullable String reason,
    @Nullable String message) {}
