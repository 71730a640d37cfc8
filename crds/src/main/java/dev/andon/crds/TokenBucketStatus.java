package dev.andon.crds;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * @param tokens left at {@code lastRefill}; null: never used, so full
 * @param grants recent ones by attempt key, so that asking twice grants once
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
public record TokenBucketStatus(
    @Nullable Integer tokens, @Timestamp @Nullable Instant lastRefill, List<Grant> grants) {
  public TokenBucketStatus {
    grants = Absent.orEmpty(grants);
  }

  /**
   * @param key {@code uid/block/index/attempt}
   */
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Grant(@Nullable String key, @Timestamp @Nullable Instant time) {}
}
