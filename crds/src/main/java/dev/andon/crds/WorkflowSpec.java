package dev.andon.crds;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The request. Immutable once created, but for {@code paused}.
 *
 * @param type the key by which policies judge and responders stop
 * @param start {@code Automatic} (default) or {@code Manual}
 * @param startDeadlineSeconds from creation; every wait counts
 * @param activeDeadlineSeconds from the start; pauses count
 * @param maxFailures over all blocks together; null: no further limit
 * @param continueFrom name of a finished workflow of the same spec
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@JsonIgnoreProperties(ignoreUnknown = true)
public record WorkflowSpec(
    @Nullable String type,
    @Nullable String description,
    @Nullable String runId,
    @Nullable String start,
    @Nullable Integer startDeadlineSeconds,
    @Nullable Integer activeDeadlineSeconds,
    @Nullable Boolean paused,
    @Nullable IntOrPercent maxFailures,
    @Nullable String continueFrom,
    @Nullable RequestedBy requestedBy,
    List<Block> blocks) {

  public WorkflowSpec {
    blocks = Absent.orEmpty(blocks);
  }

  @JsonIgnore
  public boolean isPaused() {
    return Boolean.TRUE.equals(paused);
  }

  @JsonIgnore
  public boolean startsManually() {
    return "Manual".equals(start);
  }

  /**
   * A step of the workflow; has either {@code jobs} or {@code forEach}.
   *
   * @param concurrency 1 to 2,000; null is 1
   * @param maxFailures a number, or a percentage of the block's jobs rounded down; null is 0
   * @param pauseAfterSeconds before the next block begins; not after the last, nor a failed one
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Block(
      @Nullable String name,
      @Nullable Integer concurrency,
      @Nullable IntOrPercent maxFailures,
      @Nullable List<Job> jobs,
      @Nullable ForEach forEach,
      @Nullable Integer pauseAfterSeconds) {
    public Block {
      jobs = Absent.orNull(jobs);
    }
  }

  /**
   * One unit of work.
   *
   * @param name absent in {@code forEach.job}
   * @param type metadata.name of a JobType
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Job(
      @Nullable String name,
      @Nullable String type,
      Map<String, String> args,
      @Nullable Integer timeoutSeconds,
      @Nullable Retry retry) {
    public Job {
      args = Absent.orEmpty(args);
    }
  }

  /** One job an item; has exactly one of {@code items}, {@code range}, {@code configMapKeyRef}. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record ForEach(
      @Nullable List<String> items,
      @Nullable Range range,
      @Nullable ConfigMapKeyRef configMapKeyRef,
      @Nullable Batch batch,
      @Nullable Job job) {}

  /** The numbers from {@code from} to {@code to}, both included, in {@code format}'s one %d. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Range(@Nullable Integer from, @Nullable Integer to, @Nullable String format) {}

  /** One item a line, of a key whose content has this sha256 (hex). */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record ConfigMapKeyRef(
      @Nullable String name, @Nullable String key, @Nullable String sha256) {}

  /** Groups of {@code size} jobs, {@code pauseSeconds} after every job of the last has ended. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Batch(@Nullable Integer size, @Nullable Integer pauseSeconds) {}

  /** How often a job is tried; {@code attempts} counts the first. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Retry(@Nullable Integer attempts, @Nullable Backoff backoff) {}

  /** Exponential, with full jitter always. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Backoff(
      @Nullable Integer initialSeconds, @Nullable Integer factor, @Nullable Integer maxSeconds) {}
}
