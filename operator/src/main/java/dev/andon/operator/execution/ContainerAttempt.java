package dev.andon.operator.execution;

import dev.andon.crds.JobTypeSpec;
import dev.andon.operator.execution.JobFollower.Look;
import dev.andon.operator.execution.JobStore.Created;
import dev.andon.operator.execution.PodEnd.Says;
import dev.andon.operator.pacing.RateLimits;
import dev.andon.operator.stop.Permit;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** One attempt as a Job: creates it, or takes up where an earlier process left it. */
final class ContainerAttempt {
  private static final Duration BETWEEN_ADMISSIONS = Duration.ofSeconds(10);
  private static final Duration BETWEEN_CREATES = Duration.ofMillis(300);

  private final ContainerExecutor executor;
  private final JobStore store;
  private final AttemptRun run;
  private final Attempt attempt;
  private final JobFollower follower;
  private final JobTypeSpec.Container container;
  private final String name;

  /** Whether it may have been created. */
  private boolean sent;

  /** Whether it was sent before, and nobody knows what became of that. */
  private final boolean again;

  ContainerAttempt(ContainerExecutor executor, AttemptRun run, JobBells.Bell bell) {
    this.executor = executor;
    this.store = executor.store;
    this.run = run;
    this.attempt = run.attempt();
    this.follower = new JobFollower(executor, run, bell);
    this.container =
        Objects.requireNonNull(Objects.requireNonNull(attempt.spec().executor()).container());
    this.name = JobName.of(attempt);
    this.again = attempt.again();
  }

  Outcome run() {
    Outcome outcome = work();
    if (!again) {
      return outcome;
    }
    // What an earlier send began says nothing of this one, and this one nothing of that.
    return switch (outcome) {
      case Outcome.Failed failed ->
          new Outcome.Unknown(failed.message(), attempt.spec().isRetrySafe(), follower.isFound());
      case Outcome.Cancelled cancelled ->
          unknown("it was sent more than once: what became of the send before is not known", false);
      default -> outcome;
    };
  }

  private Outcome work() {
    sent = !(attempt.work() instanceof Attempt.Work.Send);
    try {
      return switch (attempt.work()) {
        case Attempt.Work.Send send -> send();
        case Attempt.Work.Observe observe ->
            follower.follow("the operator ended before it saw an outcome");
        case Attempt.Work.Poll poll ->
            follower.follow("the operator ended before it saw an outcome");
        case Attempt.Work.End end -> follower.endAll();
      };
    } catch (InterruptedException e) {
      if (run.abandoned()) {
        // Not cancelled: the next operator takes up what goes on outside.
        return unknown("given up: this operator ends", false);
      }
      return sent || again
          ? follower.end(JobFollower.Why.CANCELLED, null)
          : new Outcome.NotBegun("Cancelled", "cancelled before its Job was created", run.now());
    }
  }

  // --- sending ---

  private Outcome send() throws InterruptedException {
    if (run.pastDeadline()) {
      return new Outcome.NotBegun(
          "DeadlinePassed", "its deadline passed before its Job was created", run.now());
    }
    List<String> wrong = ContainerRules.findings(attempt.spec());
    if (!wrong.isEmpty()) {
      return invalid(String.join("; ", wrong));
    }
    if (again) {
      Optional<Outcome> before = before();
      if (before.isPresent()) {
        return before.get();
      }
    }
    executor.limits.configure(attempt.jobType(), attempt.spec().rateLimit());
    switch (executor.limits.reserve(attempt.jobType())) {
      case RateLimits.Reservation.Full(Instant retryAt) -> {
        return new Outcome.NotBegun(
            "RateLimited", "the rate limit of %s is used up".formatted(attempt.jobType()), retryAt);
      }
      case RateLimits.Reservation.Reserved(Duration wait) -> run.pause(wait);
    }
    while (true) {
      Created created;
      try (JobStore.Turn turn = store.turnToCreate()) {
        Permit permit;
        switch (executor.gate.enter(run)) {
          case GateKeeper.Answer.No(Outcome.NotBegun outcome) -> {
            return outcome;
          }
          case GateKeeper.Answer.Go(Permit granted) -> permit = granted;
        }
        created = store.create(permit, JobManifest.of(attempt, container, run.left()));
      } catch (JobManifest.NoTemplate e) {
        return invalid("spec.executor.container." + e.getMessage());
      }
      switch (created) {
        case Created.Done(Job ours) -> {
          sent = true;
          follower.found(ours);
          return follower.follow("");
        }
        case Created.Exists() -> {
          // Ours, from an earlier send of this attempt whose answer was lost; until it is known not
          // to be: a cancel that comes now is to end it.
          sent = true;
          Optional<Outcome> taken = taken();
          if (taken.isPresent()) {
            return taken.get();
          }
          return follower.follow("");
        }
        case Created.Unanswered(String why) -> {
          sent = true;
          return follower.follow("its Job was sent, but not answered: " + why);
        }
        case Created.Refused(int code, String message) -> {
          Optional<Outcome> refused = refused(code, message);
          if (refused.isPresent()) {
            // What was refused may be the repeat of an earlier send of this attempt.
            switch (follower.look()) {
              case Look.Own own -> {
                sent = true;
                return follower.follow("");
              }
              case Look.NoAnswer noAnswer -> {
                sent = true;
                return follower.follow(
                    "its Job was refused, and nobody could look for an earlier one");
              }
              case Look.Alien(Job alien) when JobManifest.isOwned(attempt, alien) -> {
                return follower.alien();
              }
              case Look.Alien alien -> {
                return attempt.isOfEarlierRun() ? earlierJobUnknown(message) : refused.get();
              }
              case Look.Absent absent -> {
                return attempt.isOfEarlierRun() ? earlierJobUnknown(message) : refused.get();
              }
            }
          }
          run.pause(BETWEEN_CREATES);
        }
        // Nothing was created: the gate is asked again, for its five seconds in all.
        case Created.NotSent(String why) -> run.pause(BETWEEN_CREATES);
        case Created.NoPermit() -> {}
      }
    }
  }

  /**
   * What a send before this one made. Nothing is created while a Job of the attempt may go on, or a
   * Pod of it is alive, nor where one of them says that it is done. Empty: none of that.
   */
  private Optional<Outcome> before() throws InterruptedException {
    try {
      if (follower.look() instanceof Look.Own) {
        sent = true;
        return Optional.of(follower.follow(""));
      }
      if (attempt.isOfEarlierRun()) {
        for (Job earlier : follower.ofTheAttempt()) {
          if (!JobReport.isFinished(earlier) && !JobReport.isMarked(earlier)) {
            sent = true;
            follower.found(earlier);
            return Optional.of(follower.follow(""));
          }
        }
      }
      List<Pod> pods = store.pods(attempt.namespace(), JobManifest.identity(attempt.key()));
      if (pods.stream().anyMatch(JobReport::isAlive)) {
        return Optional.of(
            waits("EarlierPodAlive", "not created beside " + JobFollower.alive(pods)));
      }
      return PodEnd.of(pods, List.of()).filter(Says.Succeeded.class::isInstance).isPresent()
          ? Optional.of(new Outcome.Succeeded())
          : Optional.empty();
    } catch (KubernetesClientException e) {
      return Optional.of(
          waits(
              "EarlierJobUnreadable",
              "whether a Job of an earlier send is there cannot be read: " + Messages.of(e)));
    }
  }

  private Outcome.NotBegun waits(String reason, String message) {
    return new Outcome.NotBegun(
        reason, Messages.line(message, List.of()), run.now().plus(BETWEEN_ADMISSIONS), true);
  }

  /** What was refused is its repeat. What the earlier run sent may have been a Job, gone since. */
  private Outcome earlierJobUnknown(String message) {
    return unknown(
        "there is no Job %s of the run that this one continues, and it was refused now: %s"
            .formatted(name, message),
        true);
  }

  /** Empty: it passes, so the gate is asked again. Known not to have begun in any case. */
  private Optional<Outcome> refused(int code, String message) {
    // By the stop's second layer, which may know of it before or after the gate does: no sighting.
    if (message.contains("AdmissionPolicy 'andon-stop-jobs'")) {
      return Optional.empty();
    }
    if (message.contains("status unknown for quota")) {
      // One that was created just now, and is not counted yet.
      return Optional.empty();
    }
    return switch (code) {
      // After a 401 the client has a new token, if there is one; a 409 is another writer's, such as
      // of the quota that is counted.
      case 401, 409, 429 -> Optional.empty();
      case 403 ->
          Optional.of(
              message.contains("exceeded quota")
                  ? failed("QuotaExceeded", "its Job was refused: " + message)
                  : message.contains("being terminated")
                      ? failed("NamespaceTerminating", "its Job was refused: " + message)
                      : failed("Forbidden", "its Job was refused: " + message));
      case 404 -> Optional.of(failed("NamespaceNotFound", "its Job was refused: " + message));
      default ->
          code >= 500
              ? Optional.of(
                  waits(
                      "AdmissionFailed",
                      "admission of its Job %s failed (%d): %s".formatted(name, code, message)))
              : Optional.of(
                  failed(
                      "JobRefused",
                      "the API server refused its Job (%d): %s".formatted(code, message)));
    };
  }

  /**
   * The name is taken. By somebody else's Job: then it was not begun, and is not. One of this
   * workflow has the name because an earlier send of this attempt gave it, whatever its labels say
   * now: as a failure it would let the next attempt begin beside it.
   */
  private Optional<Outcome> taken() throws InterruptedException {
    return switch (follower.look()) {
      // What an earlier run sent may have been a Job in this place, which is gone since.
      case Look.Alien(Job alien) when attempt.isOfEarlierRun() -> Optional.of(follower.alien());
      case Look.Alien(Job alien) when JobManifest.isOwned(attempt, alien) ->
          Optional.of(follower.alien());
      case Look.Alien(Job alien) ->
          Optional.of(
              failed(
                  "JobNameTaken",
                  "Job %s is there already, and is not of this attempt: find out whose it is, and delete it"
                      .formatted(name)));
      case Look.Own own -> Optional.empty();
      // Deleted since, or not readable now: looked for as if there had been no answer.
      case Look.Absent absent -> Optional.empty();
      case Look.NoAnswer noAnswer -> Optional.empty();
    };
  }

  private Outcome.Failed invalid(String what) {
    return failed("InvalidJobType", "job type %s: %s".formatted(attempt.jobType(), what));
  }

  private static Outcome.Failed failed(String reason, String message) {
    return new Outcome.Failed(reason, Messages.line(message, List.of()));
  }

  /**
   * @param mayRepeat whether a Job may be created in place of what may have been
   */
  private Outcome.Unknown unknown(String message, boolean mayRepeat) {
    return new Outcome.Unknown(
        Messages.line(message, List.of()), mayRepeat && attempt.spec().isRetrySafe());
  }
}
