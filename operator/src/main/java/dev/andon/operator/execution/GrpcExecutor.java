package dev.andon.operator.execution;

import dev.andon.crds.JobTypeSpec;
import dev.andon.operator.pacing.Breakers;
import dev.andon.operator.pacing.RateLimits;
import java.util.Objects;

/**
 * Runs attempts of job types with a {@code grpc} executor. What is asked, and what each answer
 * means, is said where those who write executors look: {@code andon/executor/v1/executor.proto}.
 */
final class GrpcExecutor implements AttemptExecutor {
  final GrpcSender sender;
  final GateKeeper gate;
  final RateLimits limits;
  final Breakers breakers;

  GrpcExecutor(GrpcSender sender, GateKeeper gate, RateLimits limits, Breakers breakers) {
    this.sender = sender;
    this.gate = gate;
    this.limits = limits;
    this.breakers = breakers;
  }

  @Override
  public Outcome run(AttemptRun run) {
    JobTypeSpec spec = run.attempt().spec();
    return new GrpcAttempt(
            this, run, Objects.requireNonNull(Objects.requireNonNull(spec.executor()).grpc()))
        .run();
  }
}
