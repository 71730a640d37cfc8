package dev.andon.crds;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a job of this type takes and how it is run.
 *
 * @param timeoutSeconds of an attempt; null is 600
 * @param retry null is one attempt
 * @param retrySafe whether a send with unknown outcome may be repeated under its key; null is false
 * @param onContinue {@code Skip} (default) or {@code Rerun}
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@JsonIgnoreProperties(ignoreUnknown = true)
public record JobTypeSpec(
    @Nullable String description,
    List<Arg> args,
    @Nullable Integer timeoutSeconds,
    WorkflowSpec.@Nullable Retry retry,
    @Nullable Boolean retrySafe,
    @Nullable String onContinue,
    @Nullable RateLimit rateLimit,
    @Nullable Executor executor) {

  public JobTypeSpec {
    args = Absent.orEmpty(args);
  }

  @JsonIgnore
  public boolean isRetrySafe() {
    return Boolean.TRUE.equals(retrySafe);
  }

  /** Its container; null: it has another executor, or none. */
  public @Nullable Container container() {
    return executor == null ? null : executor.container();
  }

  /** Whether what an earlier run has done is not done again by one that continues it. */
  @JsonIgnore
  public boolean isSkippedOnContinue() {
    return onContinue == null || "Skip".equals(onContinue);
  }

  /**
   * An argument.
   *
   * @param pattern RE2-compatible; the whole value must match
   * @param enumeration the values allowed; empty: any
   * @param type string (default), integer, boolean or duration
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Arg(
      @Nullable String name,
      @Nullable Boolean required,
      @Nullable String description,
      @Nullable String pattern,
      @JsonProperty("enum") List<String> enumeration,
      @Nullable String type) {
    public Arg {
      enumeration = Absent.orEmpty(enumeration);
    }
  }

  /** At most {@code sends} sends of this job type in {@code intervalSeconds}. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record RateLimit(@Nullable Integer sends, @Nullable Integer intervalSeconds) {}

  /** Exactly one is set. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Executor(
      @Nullable Http http,
      @Nullable Container container,
      @Nullable Grpc grpc,
      @Nullable Approval approval) {}

  /**
   * A batch/v1 Job.
   *
   * @param template the pod template, as a Job has it
   * @param ttlSecondsAfterFinished null: it stays until its workflow is deleted
   * @param finalExitCodes exit codes after which the job is not tried again; null: none
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Container(
      @Nullable JsonNode template,
      @Nullable Integer ttlSecondsAfterFinished,
      @Nullable List<Integer> finalExitCodes) {}

  /**
   * An HTTP request.
   *
   * @param method GET, POST, PUT, PATCH or DELETE; null is POST
   * @param url RFC 6570 simple expansion of args, in path and query only
   * @param success CEL over {@code response {status, headers, body}}: done; null: 2xx but 202
   * @param refused CEL, of the answer to the first send: nothing was taken on; null: 408, 425, 429,
   *     503 with Retry-After
   * @param finalFailure {@code final}: CEL: the job has failed and is not tried again; null: never
   * @param fatal CEL: the whole workflow ends; null: never
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Http(
      @Nullable String method,
      @Nullable String url,
      @Nullable List<HeaderFrom> headersFrom,
      @Nullable String success,
      @Nullable String refused,
      @JsonProperty("final") @Nullable String finalFailure,
      @Nullable String fatal,
      @Nullable Poll poll,
      @Nullable Observe observe,
      @Nullable Cancel cancel) {}

  /** A header whose value is a key of a secret in the operator's namespace. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record HeaderFrom(@Nullable String name, @Nullable SecretKeyRef secretKeyRef) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  public record SecretKeyRef(@Nullable String name, @Nullable String key) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Poll(@Nullable Integer intervalSeconds) {}

  /** How to find out what became of an attempt whose outcome is not known. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Observe(
      @Nullable String method,
      @Nullable String url,
      @Nullable String done,
      @Nullable String failed) {}

  /**
   * How to have an attempt end.
   *
   * @param undone CEL over the answer: it has ended and was not done; null: never
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Cancel(@Nullable String method, @Nullable String url, @Nullable String undone) {}

  /** A service that speaks {@code andon.executor.v1.JobExecutor}. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Grpc(@Nullable String target, @Nullable Boolean plaintext) {}

  /** Waits for Approve actions of {@code count} different people of these groups. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Approval(@Nullable List<String> groups, @Nullable Integer count) {}
}
