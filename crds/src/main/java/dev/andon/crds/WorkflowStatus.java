package dev.andon.crds;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How far a workflow is. Small whatever the number of jobs: sets of job indexes are ranges, detail
 * is kept for active attempts and the first 20 failures only.
 *
 * @param phase a summary of the conditions, for people
 * @param progress jobs ended / jobs
 * @param currentBlock {@code name (n/of)}
 * @param starts sends ever intended; never falls
 * @param armed the arming this workflow started under
 * @param duration for people: from startTime to completionTime, as in {@code 1h2m3s}; null until
 *     then, since a status that grew older by itself would be written for nothing
 * @param paused the Pause in force
 * @param startedBy the Start of a workflow that is started by one
 * @param actions the latest that were judged; what is in here is never applied again
 * @param continued which run this one goes on from; what that one had done is in {@code blocks}
 * @param earlierAttempts attempts whose outcome is unknown, and whose key or job type is not what
 *     block, index and the pinned job types say
 * @param firstJudged when it was first found to lack something that another object can bring
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
public record WorkflowStatus(
    @Nullable Long observedGeneration,
    @Nullable String phase,
    @Nullable String progress,
    @Nullable String currentBlock,
    @Nullable Integer starts,
    @Nullable Armed armed,
    @Nullable ActedBy paused,
    @Nullable JobCounts jobs,
    List<BlockStatus> blocks,
    List<Active> active,
    List<Failure> failures,
    List<PolicyVerdict> policies,
    List<PinnedJobType> jobTypes,
    @Nullable String specHash,
    @Timestamp @Nullable Instant startTime,
    @Timestamp @Nullable Instant completionTime,
    @Nullable StoppedBy stoppedBy,
    List<Condition> conditions,
    @Nullable String duration,
    @Nullable ActedBy startedBy,
    List<Action> actions,
    @Nullable Continued continued,
    List<EarlierAttempt> earlierAttempts,
    @Timestamp @Nullable Instant firstJudged) {

  public WorkflowStatus {
    blocks = Absent.orEmpty(blocks);
    active = Absent.orEmpty(active);
    failures = Absent.orEmpty(failures);
    policies = Absent.orEmpty(policies);
    jobTypes = Absent.orEmpty(jobTypes);
    conditions = Absent.orEmpty(conditions);
    actions = Absent.orEmpty(actions);
    earlierAttempts = Absent.orEmpty(earlierAttempts);
  }

  /** Of a workflow of which no more is to be known than that it has finished. */
  public static WorkflowStatus endedAndNothingElse(Long generation, List<Condition> conditions) {
    return new WorkflowStatus(
        generation,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        null,
        null,
        null,
        null,
        conditions,
        null,
        null,
        List.of(),
        null,
        List.of(),
        null);
  }

  /** The same, of another generation of the object. */
  public WorkflowStatus observing(long generation, List<Condition> newConditions) {
    return ended(generation, phase, completionTime, newConditions);
  }

  /** The condition Finished, if it is True: nothing changes any more, and its reason says why. */
  public Optional<Condition> finished() {
    return conditions.stream()
        .filter(c -> "Finished".equals(c.type()) && "True".equals(c.status()))
        .findFirst();
  }

  /** Everything as it was found, and how it ended. */
  public WorkflowStatus ended(
      long generation,
      @Nullable String newPhase,
      @Nullable Instant time,
      List<Condition> newConditions) {
    return new WorkflowStatus(
        generation,
        newPhase,
        progress,
        currentBlock,
        starts,
        armed,
        paused,
        jobs,
        blocks,
        active,
        failures,
        policies,
        jobTypes,
        specHash,
        startTime,
        time,
        stoppedBy,
        newConditions,
        duration,
        startedBy,
        actions,
        continued,
        earlierAttempts,
        firstJudged);
  }

  /** The ConfigMap's uid, and the value of its {@code arming.andon.dev/TYPE} annotation or "". */
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Armed(@Nullable String configMapUID, @Nullable String id) {}

  /** Who did something to the workflow by an action, and why. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record ActedBy(
      @Nullable String by,
      @Nullable String action,
      @Nullable String reason,
      @Timestamp @Nullable Instant time) {}

  /**
   * An action that was judged.
   *
   * @param phase Applied or Refused
   * @param message what it changed, or why it was refused and what to do
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Action(
      @Nullable String name,
      @Nullable String uid,
      @Nullable String verb,
      @Nullable String by,
      @Nullable String reason,
      @Nullable String phase,
      @Nullable String message,
      @Timestamp @Nullable Instant time) {}

  /** The workflow that {@code spec.continueFrom} named, as it was when this one started. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Continued(@Nullable String workflow, @Nullable String uid) {}

  /**
   * Jobs of which nobody knows what became of their last attempt, and under which key it was sent.
   * Those that are not in the block's {@code unknown} are sent again, under that key.
   *
   * @param indexes in canonical ranges
   * @param workflow name of the workflow that first sent it
   * @param uid of that workflow: the first part of the key
   * @param jobType by which it was sent; null: one that is built in
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record EarlierAttempt(
      @Nullable String block,
      @Nullable String indexes,
      @Nullable Integer attempt,
      @Nullable String workflow,
      @Nullable String uid,
      @Nullable PinnedJobType jobType) {}

  /** Jobs by how they stand; {@code total} is all of them. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record JobCounts(
      @Nullable Integer total,
      @Nullable Integer succeeded,
      @Nullable Integer failed,
      @Nullable Integer skipped,
      @Nullable Integer running,
      @Nullable Integer unknown) {}

  /**
   * A block by its disjoint sets of job indexes, each in canonical ranges such as {@code
   * "0-14,17"}.
   *
   * @param nextBatchTime no job of the next batch begins before it
   * @param endTime when the last job of the block ended; the pause after the block counts from it
   * @param unknownAttempts which attempt of an unknown job it was, where not the first: a Retry
   *     takes the next number
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record BlockStatus(
      @Nullable String name,
      @Nullable Integer total,
      @Nullable String succeeded,
      @Nullable String failed,
      @Nullable String skipped,
      @Nullable String unknown,
      @Timestamp @Nullable Instant startTime,
      @Timestamp @Nullable Instant nextBatchTime,
      @Timestamp @Nullable Instant endTime,
      List<UnknownAttempts> unknownAttempts) {
    public BlockStatus {
      unknownAttempts = Absent.orEmpty(unknownAttempts);
    }
  }

  /** Unknown jobs, in canonical ranges, whose unknown attempt has this number. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record UnknownAttempts(@Nullable Integer attempt, @Nullable String indexes) {}

  /**
   * An attempt that is intended or under way.
   *
   * @param attempt from 1; rises only after a known outcome
   * @param startTime when the intent was written; null while it only waits for its time
   * @param deadline when the attempt times out; of a sleep, when it ends
   * @param nextAttemptTime nothing is sent before it; null once the intent is written
   * @param sends how often this attempt may have been sent, all under one key
   * @param operation Location of a 202, polled until it answers otherwise
   * @param tries of a container: the number of its Job. One that is known not to have begun, or
   *     that has ended nobody knows how and may be repeated, leaves its name to the next
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Active(
      @Nullable String block,
      @Nullable Integer index,
      @Nullable Integer attempt,
      @Timestamp @Nullable Instant startTime,
      @Timestamp @Nullable Instant deadline,
      @Timestamp @Nullable Instant nextAttemptTime,
      @Nullable Integer sends,
      @Nullable String operation,
      @Nullable Integer tries) {

    /** Of what is no container. */
    public Active(
        @Nullable String block,
        @Nullable Integer index,
        @Nullable Integer attempt,
        @Nullable Instant startTime,
        @Nullable Instant deadline,
        @Nullable Instant nextAttemptTime,
        @Nullable Integer sends,
        @Nullable String operation) {
      this(block, index, attempt, startTime, deadline, nextAttemptTime, sends, operation, null);
    }

    /** The same, ending at another time. */
    public Active withDeadline(Instant time) {
      return new Active(
          block, index, attempt, startTime, time, nextAttemptTime, sends, operation, tries);
    }

    /** The same, under way outside as this operation. */
    public Active withOperation(String url) {
      return new Active(block, index, attempt, startTime, deadline, null, sends, url, tries);
    }
  }

  /** Why a job failed; the first 20 are kept. {@code message} has at most 256 characters. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Failure(
      @Nullable String block,
      @Nullable Integer index,
      @Nullable String job,
      @Nullable Integer attempt,
      @Nullable String reason,
      @Nullable String message,
      @Timestamp @Nullable Instant time) {}

  /** What a policy said, and which generation of it. Verdict: Allowed, Denied or Warned. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record PolicyVerdict(
      @Nullable String name,
      @Nullable Long generation,
      @Nullable String verdict,
      @Nullable String message) {}

  /** A job type as it was when the workflow was accepted. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record PinnedJobType(
      @Nullable String name, @Nullable String uid, @Nullable Long generation) {}

  /** The stop that was seen: which key had which value, in which revision, written by whom. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record StoppedBy(
      @Nullable String key,
      @Nullable String value,
      @Nullable String configMapResourceVersion,
      @Nullable String manager,
      @Nullable String reason) {}
}
