package dev.andon.plan;

import dev.andon.crds.JobTypeSpec;
import dev.andon.crds.WorkflowSpec.Backoff;
import dev.andon.crds.WorkflowSpec.Job;
import dev.andon.crds.WorkflowSpec.Retry;
import java.time.Duration;
import java.util.Optional;

/**
 * How the attempts of a job go: its own settings where it has them, else its job type's, field by
 * field.
 *
 * @param attempts 1 or more, the first included
 * @param timeout of one attempt
 * @param retrySafe whether a send with unknown outcome may be repeated under its key
 */
public record AttemptRules(
    int attempts,
    Duration timeout,
    boolean retrySafe,
    Duration initialBackoff,
    int backoffFactor,
    Duration maxBackoff) {
  static final int DEFAULT_TIMEOUT_SECONDS = 600;

  public static AttemptRules of(Job job, JobTypeSpec type) {
    Optional<Retry> own = Optional.ofNullable(job.retry());
    Optional<Retry> inherited = Optional.ofNullable(type.retry());
    Optional<Backoff> ownBackoff = own.map(Retry::backoff);
    Optional<Backoff> backoff = inherited.map(Retry::backoff);
    return new AttemptRules(
        Math.max(1, own.map(Retry::attempts).or(() -> inherited.map(Retry::attempts)).orElse(1)),
        Duration.ofSeconds(
            Math.max(1, Optional.ofNullable(job.timeoutSeconds()).orElse(timeoutSeconds(type)))),
        type.isRetrySafe(),
        Duration.ofSeconds(
            Math.max(
                1,
                ownBackoff
                    .map(Backoff::initialSeconds)
                    .or(() -> backoff.map(Backoff::initialSeconds))
                    .orElse(1))),
        Math.max(
            1, ownBackoff.map(Backoff::factor).or(() -> backoff.map(Backoff::factor)).orElse(2)),
        Duration.ofSeconds(
            Math.max(
                1,
                ownBackoff
                    .map(Backoff::maxSeconds)
                    .or(() -> backoff.map(Backoff::maxSeconds))
                    .orElse(60))));
  }

  static int timeoutSeconds(JobTypeSpec type) {
    return type.timeoutSeconds() == null ? DEFAULT_TIMEOUT_SECONDS : type.timeoutSeconds();
  }
}
