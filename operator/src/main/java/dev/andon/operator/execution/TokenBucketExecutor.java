package dev.andon.operator.execution;

import dev.andon.crds.TokenBucket;
import dev.andon.crds.TokenBucketSpec;
import dev.andon.crds.TokenBucketStatus;
import dev.andon.operator.execution.Outcome.Failed.Reach;
import dev.andon.operator.stop.Permit;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * The built-in job type {@code token-bucket}: takes a token of a TokenBucket.
 *
 * <p>Taking is one PUT of the bucket's status under the resourceVersion it was read with, and it
 * holds both the count and the grant for the attempt's key. So whatever is lost, two operators or
 * two answers, the worst that happens is a 409 or another look, and the grant is there once.
 */
final class TokenBucketExecutor implements AttemptExecutor {
  /** With so many conflicts in a row the bucket is put off, not the others. */
  private static final int CONFLICTS = 20;

  /** No answer, or none that says anything: the decider asks again later, this one not for long. */
  private static final int FAULTS = 5;

  /** A person can make the bucket larger at any time. */
  private static final Duration LOOK_AGAIN = Duration.ofMinutes(5);

  private static final Duration SOON = Duration.ofSeconds(2);

  private final TokenBucketStore store;
  private final GateKeeper gate;

  TokenBucketExecutor(TokenBucketStore store, GateKeeper gate) {
    this.store = store;
    this.gate = gate;
  }

  @Override
  public Outcome run(AttemptRun run) {
    String name = run.attempt().args().getOrDefault("bucket", "");
    boolean mayHaveTaken = !(run.attempt().work() instanceof Attempt.Work.Send);
    String last = "";
    int faults = 0;
    for (int round = 0; round < CONFLICTS && faults < FAULTS; round++) {
      if (run.cancelled() && !mayHaveTaken) {
        return new Outcome.NotBegun("Cancelled", "cancelled before a token was taken", run.now());
      }
      try {
        TokenBucket bucket = store.find(name);
        if (bucket == null) {
          return mayHaveTaken && run.attempt().work() instanceof Attempt.Work.Send
              ? unknown("the TokenBucket is gone, and a token may have been taken")
              : notFound(name);
        }
        switch (take(bucket, run)) {
          case TokenBuckets.Taken.AlreadyGranted() -> {
            return new Outcome.Succeeded();
          }
          case TokenBuckets.Taken.Empty(Instant nextRefill, TokenBucketStatus repaired) -> {
            if (!(run.attempt().work() instanceof Attempt.Work.Send)) {
              return unknown("no token was taken yet");
            }
            if (repaired != null) {
              store.repair(bucket, repaired);
            }
            return noToken(run, name, nextRefill);
          }
          case TokenBuckets.Taken.Granted(TokenBucketStatus taken) -> {
            if (!(run.attempt().work() instanceof Attempt.Work.Send)) {
              return unknown("no token was taken yet");
            }
            if (run.cancelled()) {
              // The write before may still arrive: then a token is lost, and no job passes for it.
              return new Outcome.Cancelled();
            }
            switch (gate.enter(run)) {
              case GateKeeper.Answer.No(Outcome.NotBegun outcome) -> {
                return mayHaveTaken ? unknown(outcome.message()) : outcome;
              }
              case GateKeeper.Answer.Go(Permit permit) -> {
                boolean before = mayHaveTaken;
                mayHaveTaken = true;
                if (store.take(permit, bucket, taken)) {
                  return new Outcome.Succeeded();
                }
                mayHaveTaken = before;
              }
            }
          }
        }
      } catch (KubernetesClientException e) {
        // A cancel interrupts the client too; what was written shows at the next look.
        Thread.interrupted();
        last = "HTTP %d".formatted(e.getCode());
        if (e.getCode() == 409 || e.getCode() == 401) {
          // Known not to be written. After a 401 the client has a new token, if there is one.
          mayHaveTaken = !(run.attempt().work() instanceof Attempt.Work.Send);
          faults += e.getCode() == 401 ? 1 : 0;
        } else if (e.getCode() >= 400 && e.getCode() < 500 && e.getCode() != 429) {
          return new Outcome.Failed(
              "BucketRefused",
              Messages.line("TokenBucket %s: %s".formatted(name, Messages.of(e)), List.of()));
        } else {
          faults++;
        }
        rest(run, round);
      } catch (InterruptedException e) {
        // Cancelled: looked at once more above, if anything was written.
      }
    }
    String message = "TokenBucket %s could not be read and written (%s)".formatted(name, last);
    return mayHaveTaken
        ? unknown(message)
        : new Outcome.NotBegun("BucketBusy", message, run.now().plus(SOON));
  }

  private static TokenBuckets.Taken take(TokenBucket bucket, AttemptRun run) {
    TokenBucketSpec spec = bucket.getSpec();
    return TokenBuckets.take(
        spec == null ? new TokenBucketSpec(0, null) : spec,
        bucket.getStatus(),
        run.attempt().key().toString(),
        run.now());
  }

  private static Outcome noToken(AttemptRun run, String name, @Nullable Instant nextRefill) {
    String message =
        "TokenBucket %s has no token%s"
            .formatted(
                name,
                nextRefill == null
                    ? " and no refill; raise its size or tokens"
                    : "; the next is due at " + nextRefill);
    // "true" and nothing else: "false" is also a text that is there.
    if ("true".equals(run.attempt().args().get("fatal"))) {
      return new Outcome.Failed("NoToken", Messages.line(message, List.of()), Reach.WORKFLOW);
    }
    Instant latest = run.now().plus(LOOK_AGAIN);
    Instant retryAt =
        Optional.ofNullable(nextRefill).filter(next -> next.isBefore(latest)).orElse(latest);
    return new Outcome.NotBegun("NoToken", Messages.line(message, List.of()), retryAt);
  }

  private static Outcome notFound(String name) {
    return new Outcome.Failed(
        "BucketNotFound",
        Messages.line(
            "args.bucket: there is no TokenBucket \"%s\"; create it, or name one of: kubectl get tokenbuckets"
                .formatted(name),
            List.of()));
  }

  private static Outcome unknown(String message) {
    return new Outcome.Unknown(Messages.line(message, List.of()), true);
  }

  private static void rest(AttemptRun run, int round) {
    try {
      run.pause(
          Duration.ofMillis(ThreadLocalRandom.current().nextLong(5, 20L << Math.min(round, 5))));
    } catch (InterruptedException e) {
      // Cancelled: seen at the beginning of the next round.
    }
  }
}
