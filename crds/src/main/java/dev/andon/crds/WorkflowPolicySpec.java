package dev.andon.crds;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which workflows a policy judges, and by what.
 *
 * @param workflowTypes exact names; {@code "*"} adds a baseline but admits nothing
 * @param namespaces null: all
 * @param enforcement Deny (default), Warn or Audit
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@JsonIgnoreProperties(ignoreUnknown = true)
public record WorkflowPolicySpec(
    @Nullable String description,
    List<String> workflowTypes,
    @Nullable LabelSelector namespaces,
    @Nullable String enforcement,
    List<Rule> rules) {

  public WorkflowPolicySpec {
    workflowTypes = Absent.orEmpty(workflowTypes);
    rules = Absent.orEmpty(rules);
  }

  /** A Kubernetes label selector. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record LabelSelector(Map<String, String> matchLabels, List<Requirement> matchExpressions) {
    public LabelSelector {
      matchLabels = Absent.orEmpty(matchLabels);
      matchExpressions = Absent.orEmpty(matchExpressions);
    }
  }

  /** Operator: In, NotIn, Exists or DoesNotExist. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Requirement(@Nullable String key, @Nullable String operator, List<String> values) {
    public Requirement {
      values = Absent.orEmpty(values);
    }
  }

  /** Exactly one is set. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Rule(
      @Nullable RestrictJobTypes restrictJobTypes,
      @Nullable SameArgs sameArgs,
      @Nullable StartOrEnd startOrEnd,
      @Nullable Limits limits,
      @Nullable JsonNode freeze,
      @Nullable JsonNode requireApproval,
      @Nullable JsonNode cel) {}

  /** Only these job types may be used. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record RestrictJobTypes(@Nullable List<String> allowed) {}

  /** All jobs of this type have the same value in each of these args. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record SameArgs(@Nullable String jobType, @Nullable List<String> args) {}

  /**
   * The workflow starts, or ends, with a job of this type and these args.
   *
   * @param args values the job must have; empty: any
   * @param position Start or End
   * @param outsideAllowed whether the job may also stand elsewhere; null is false
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record StartOrEnd(
      @Nullable String jobType,
      Map<String, String> args,
      @Nullable String position,
      @Nullable Boolean outsideAllowed) {
    public StartOrEnd {
      args = Absent.orEmpty(args);
    }
  }

  /** Bounds; null: no bound. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Limits(
      @Nullable Integer maxJobs,
      @Nullable Integer maxConcurrency,
      @Nullable Integer maxRunning,
      @Nullable Integer minBatchPauseSeconds,
      @Nullable Integer maxBatchSize,
      @Nullable IntOrPercent maxFailures) {}
}
