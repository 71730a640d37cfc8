package dev.andon.crds;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import org.jspecify.annotations.Nullable;

/**
 * @param size the most tokens the bucket holds; it is created full
 * @param refill null: never refilled
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@JsonIgnoreProperties(ignoreUnknown = true)
public record TokenBucketSpec(@Nullable Integer size, @Nullable Refill refill) {

  /** {@code tokens} every {@code intervalSeconds}. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Refill(@Nullable Integer tokens, @Nullable Integer intervalSeconds) {}
}
