package dev.andon.operator.execution;

import dev.andon.crds.JobTypeSpec;
import dev.andon.operator.execution.JobReport.Finding;
import dev.andon.operator.execution.JobStore.Created;
import dev.andon.operator.execution.Outcome.Failed.Reach;
import dev.andon.operator.pacing.RateLimits;
import dev.andon.operator.stop.Permit;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** One attempt as a Job, from its create (or from where an earlier process left it) to its end. */
final class ContainerAttempt {
  /**
   * How long a Job that may have been created is looked for. One that appears later does no harm if
   * it may be created again: the name is taken then.
   */
  private static final Duration LOOK_FOR = Duration.ofSeconds(10);

  /**
   * And how long before a person is told that there is none: an API server may take 60 s to carry
   * out a create that it was sent ({@code --request-timeout}).
   */
  private static final Duration LOOK_FOR_LATE_ONE = Duration.ofSeconds(65);

  /** How long at most is waited for the Pods of a Job that is to end. */
  private static final Duration END_WITHIN = Duration.ofSeconds(60);

  /** What the Job's own deadline has, before it is suspended. */
  private static final Duration OWN_DEADLINE_WITHIN = Duration.ofSeconds(6);

  private static final Duration BETWEEN_LOOKS = Duration.ofSeconds(1);
  private static final Duration BETWEEN_LOOKS_WITHOUT_ANSWER = Duration.ofSeconds(5);
  private static final Duration BETWEEN_ADMISSIONS = Duration.ofSeconds(10);
  private static final Duration BETWEEN_CREATES = Duration.ofMillis(300);

  /** The Job controller's. */
  private static final String CONTROLLER_UID = "batch.kubernetes.io/controller-uid";

  private final ContainerExecutor executor;
  private final JobStore store;
  private final AttemptRun run;
  private final Attempt attempt;
  private final JobBells.Bell bell;
  private final JobTypeSpec.Container container;
  private final String name;

  /** Whether it may have been created. */
  private boolean sent;

  /** Whether it was sent before, and nobody knows what became of that. */
  private final boolean again;

  /** Which Job is the attempt's own, once it was seen. */
  private @Nullable Job job;

  ContainerAttempt(ContainerExecutor executor, AttemptRun run, JobBells.Bell bell) {
    this.executor = executor;
    this.store = executor.store;
    this.run = run;
    this.attempt = run.attempt();
    this.bell = bell;
    this.container =
        Objects.requireNonNull(Objects.requireNonNull(attempt.spec().executor()).container());
    this.name = JobName.of(attempt.workflow(), attempt.key());
    this.again = attempt.work() instanceof Attempt.Work.Send(boolean before) && before;
  }

  Outcome run() {
    sent = !(attempt.work() instanceof Attempt.Work.Send);
    try {
      return switch (attempt.work()) {
        case Attempt.Work.Send send -> {
          Outcome outcome = send();
          // A Job of an earlier send may have been there, and be gone.
          yield again && job == null && outcome instanceof Outcome.Failed failed
              ? unknown(failed.message(), true)
              : outcome;
        }
        case Attempt.Work.Observe observe -> follow("the operator ended before it saw an outcome");
        case Attempt.Work.Poll poll -> follow("the operator ended before it saw an outcome");
        case Attempt.Work.End end -> end(Why.CANCELLED, null);
      };
    } catch (InterruptedException e) {
      if (run.abandoned()) {
        // Not cancelled: the next operator takes up what goes on outside.
        return unknown("given up: this operator ends", false);
      }
      return sent || again
          ? end(Why.CANCELLED, null)
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
          job = identified(ours);
          return follow("");
        }
        case Created.Exists() -> {
          // Ours, from an earlier send of this attempt whose answer was lost; until it is known not
          // to be: a cancel that comes now is to end it.
          sent = true;
          Optional<Outcome> taken = taken();
          if (taken.isPresent()) {
            return taken.get();
          }
          return follow("");
        }
        case Created.Unanswered(String why) -> {
          sent = true;
          return follow("its Job was sent, but not answered: " + why);
        }
        case Created.Refused(int code, String message) -> {
          Optional<Outcome> refused = refused(code, message);
          if (refused.isPresent()) {
            // What was refused may be the repeat of an earlier send of this attempt.
            switch (look()) {
              case Look.Own own -> {
                sent = true;
                return follow("");
              }
              case Look.NoAnswer noAnswer -> {
                sent = true;
                return follow("its Job was refused, and nobody could look for an earlier one");
              }
              case Look.Alien(Job alien) when JobManifest.isOwned(attempt, alien) -> {
                return alien();
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
                  new Outcome.NotBegun(
                      "AdmissionFailed",
                      Messages.line(
                          "admission of its Job %s failed (%d): %s".formatted(name, code, message),
                          List.of()),
                      run.now().plus(BETWEEN_ADMISSIONS),
                      true))
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
    return switch (look()) {
      // What an earlier run sent may have been a Job in this place, which is gone since.
      case Look.Alien(Job alien) when attempt.isOfEarlierRun() -> Optional.of(alien());
      case Look.Alien(Job alien) when JobManifest.isOwned(attempt, alien) -> Optional.of(alien());
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

  // --- looking ---

  /** What is there under the attempt's name. */
  private sealed interface Look {
    record Own(Job job) implements Look {}

    /** Of another workflow or attempt, or of nobody. Never touched. */
    record Alien(Job job) implements Look {}

    record Absent() implements Look {}

    record NoAnswer(String why) implements Look {}
  }

  private Look look() throws InterruptedException {
    Job found;
    try {
      found = store.find(attempt.namespace(), name);
    } catch (KubernetesClientException e) {
      return new Look.NoAnswer(Messages.of(e));
    }
    if (found == null) {
      return new Look.Absent();
    }
    Job known = job;
    if (!JobManifest.isOf(attempt, found)
        || (known != null
            && !Objects.equals(known.getMetadata().getUid(), found.getMetadata().getUid()))) {
      return new Look.Alien(found);
    }
    job = identified(found);
    return new Look.Own(found);
  }

  /** Thousands may be followed for hours: no more is kept of each than tells it from others. */
  private static Job identified(Job whole) {
    return new JobBuilder()
        .withNewMetadata()
        .withNamespace(whole.getMetadata().getNamespace())
        .withName(whole.getMetadata().getName())
        .withUid(whole.getMetadata().getUid())
        .endMetadata()
        .build();
  }

  /** Pods of the attempt; of its Job alone, once that is known. */
  private List<Pod> pods() throws InterruptedException {
    Job of = job;
    return store.pods(attempt.namespace(), JobManifest.identity(attempt.key())).stream()
        .filter(pod -> of == null || isOf(of.getMetadata().getUid(), pod))
        .toList();
  }

  /** A Pod that a deleted Job left behind has nothing but its label. */
  private static boolean isOf(String jobUid, Pod pod) {
    List<OwnerReference> owners = pod.getMetadata().getOwnerReferences();
    return owners.isEmpty()
        ? jobUid.equals(
            Objects.requireNonNullElse(pod.getMetadata().getLabels(), Map.<String, String>of())
                .get(CONTROLLER_UID))
        : owners.stream().anyMatch(owner -> jobUid.equals(owner.getUid()));
  }

  // --- following ---

  /**
   * @param uncertain why it may not be there; "" if it is
   */
  private Outcome follow(String uncertain) throws InterruptedException {
    run.answered();
    Duration from = run.worked();
    // Just created: nothing to see before the bell rings.
    boolean fresh = job != null;
    Duration lookFor = attempt.spec().isRetrySafe() ? LOOK_FOR : LOOK_FOR_LATE_ONE;
    while (true) {
      Duration wait = JobBells.LOOK_ANYWAY;
      if (!fresh) {
        switch (look()) {
          case Look.Own(Job own) -> {
            Optional<Outcome> ended = ended(own);
            if (ended.isPresent()) {
              return ended.get();
            }
            wait = JobReport.isWorthALook(own) ? BETWEEN_LOOKS : wait;
          }
          case Look.Alien alien -> {
            return alien();
          }
          case Look.Absent absent -> {
            if (job != null) {
              return deleted(false);
            }
            if (run.worked().minus(from).compareTo(lookFor) >= 0) {
              return neverFound(uncertain);
            }
            wait = BETWEEN_LOOKS;
          }
          case Look.NoAnswer noAnswer -> wait = BETWEEN_LOOKS_WITHOUT_ANSWER;
        }
      }
      fresh = false;
      if (run.pastDeadline()) {
        return timedOut();
      }
      bell.await(least(wait, run.left()));
    }
  }

  /** How it ended, if it has and nothing of it is alive. */
  private Optional<Outcome> ended(Job own) throws InterruptedException {
    if (JobReport.isComplete(own)) {
      return Optional.of(new Outcome.Succeeded());
    }
    // First, since what a suspension ends with SIGTERM can make the Job look failed.
    if (JobReport.isToBeSuspended(own)) {
      return Optional.of(end(Why.SUSPENDED, null));
    }
    if (JobReport.isFailed(own)) {
      return jobFailed(own, null);
    }
    return Optional.empty();
  }

  /**
   * Empty while a Pod of it is alive, as before Kubernetes 1.31 a Job could be Failed while one was
   * still ending.
   */
  private Optional<Outcome> jobFailed(Job own, @Nullable Finding waiting)
      throws InterruptedException {
    List<Pod> pods;
    try {
      pods = pods();
    } catch (KubernetesClientException e) {
      return Optional.empty();
    }
    if (pods.stream().anyMatch(JobReport::isAlive)) {
      return Optional.empty();
    }
    Finding why = JobReport.whyFailed(own, pods);
    if (waiting != null && why.reason().equals("TimedOut")) {
      return Optional.of(timedOut(waiting));
    }
    return Optional.of(
        pods.isEmpty()
            ? failed(why)
            : failed(why, JobReport.line(why.message(), JobReport.logs(own))));
  }

  private Outcome.Failed failed(Finding why) {
    return failed(why, Messages.line(why.message(), List.of()));
  }

  private Outcome.Failed failed(Finding why, String message) {
    boolean last =
        why.exitCode() != null
            && container.finalExitCodes() != null
            && container.finalExitCodes().contains(why.exitCode());
    return new Outcome.Failed(why.reason(), message, last ? Reach.JOB : Reach.ATTEMPT);
  }

  private Outcome.Failed timedOut(Finding waiting) {
    return failed(waiting.reason(), "not done within its timeout: " + waiting.message());
  }

  private Outcome alien() {
    return unknown(
        "Job %s is not of this attempt, which may have had one of its own before: look whose it is"
            .formatted(name),
        false);
  }

  /**
   * Never created, or created and deleted since: by a person, by its TTL, with its namespace. One
   * looks like the other, so that it is not begun again unless the job type says that it may be.
   */
  private Outcome neverFound(String why) {
    return unknown(
        "there is no Job %s: never created, or deleted since%s"
            .formatted(name, why.isEmpty() ? "" : " (" + why + ")"),
        true);
  }

  /** The Job is gone, and was there. Its Pods may tell how they ended, or have yet to. */
  private Outcome deleted(boolean wasToEnd) throws InterruptedException {
    Duration from = run.worked();
    String alive = "";
    do {
      try {
        List<Pod> pods = pods();
        if (pods.stream()
            // One that was being deleted may have been cut short, and have said 0 all the same.
            .filter(p -> p.getMetadata().getDeletionTimestamp() == null)
            .anyMatch(p -> p.getStatus() != null && "Succeeded".equals(p.getStatus().getPhase()))) {
          return new Outcome.Succeeded();
        }
        alive = alive(pods);
        if (alive.isEmpty()) {
          Optional<Finding> byItself =
              pods.stream()
                  .filter(pod -> pod.getMetadata().getDeletionTimestamp() == null)
                  .flatMap(pod -> JobReport.whyFailed(pod).stream())
                  .findFirst();
          if (byItself.isPresent()) {
            return failed(byItself.get());
          }
          return wasToEnd
              ? new Outcome.Cancelled()
              : unknown(
                  "Job %s was deleted while it ran; nothing of it is alive".formatted(name), true);
        }
      } catch (KubernetesClientException e) {
        alive = "nobody can say whether its Pods are: " + Messages.of(e);
      }
      run.pause(BETWEEN_LOOKS);
      // Not before its time is over while a Pod lives: a repeat would run beside it.
    } while (run.worked().minus(from).compareTo(END_WITHIN) < 0
        || (!wasToEnd && !run.pastDeadline()));
    // On a node that is lost it may run for long: a repeat would run beside it.
    return unknown(
        "Job %s was deleted while it ran; still alive: %s".formatted(name, alive), false);
  }

  private static String alive(List<Pod> pods) {
    return pods.stream()
        .filter(JobReport::isAlive)
        .map(pod -> "Pod " + pod.getMetadata().getName())
        .collect(Collectors.joining(", "));
  }

  // --- ending ---

  private enum Why {
    CANCELLED,
    TIMED_OUT,
    /** By somebody else. */
    SUSPENDED
  }

  /** Looks first why it hangs: what its end deletes cannot be asked afterwards. */
  private Outcome timedOut() throws InterruptedException {
    Job own = job;
    if (own == null) {
      return end(Why.TIMED_OUT, null);
    }
    Optional<Finding> waiting = Optional.empty();
    try {
      List<Pod> pods = pods();
      List<Event> events =
          pods.isEmpty()
              ? store.events(attempt.namespace(), own.getMetadata().getUid())
              : List.of();
      waiting = JobReport.whyWaiting(pods, events);
    } catch (KubernetesClientException e) {
      // Then it is told without.
    }
    return end(
        Why.TIMED_OUT,
        waiting.orElse(
            new Finding("TimedOut", "it did not end before %s".formatted(attempt.deadline()))));
  }

  /**
   * Suspends the Job, and waits until nothing of it is alive. A cancel suspends at once. A Job that
   * timed out has a deadline of its own, which leaves it Failed and not suspended for good; that
   * goes first.
   *
   * @param waiting why a Job timed out
   */
  private Outcome end(Why why, @Nullable Finding waiting) {
    run.ending();
    Duration from = run.worked();
    Duration wait = BETWEEN_LOOKS;
    String last = "";
    try {
      Job known = job;
      if (why == Why.CANCELLED && known != null) {
        // First of all: of hundreds that a stop ends together none waits for the others to look.
        last = suspend(known);
        bell.await(wait);
      }
      while (run.worked().minus(from).compareTo(END_WITHIN) < 0) {
        switch (look()) {
          case Look.Own(Job own) -> {
            Optional<Outcome> ended = endedNow(own, why, waiting);
            if (ended.isPresent()) {
              return ended.get();
            }
            boolean mayYetEndItself =
                why == Why.TIMED_OUT && run.worked().minus(from).compareTo(OWN_DEADLINE_WITHIN) < 0;
            if (!JobReport.isToBeSuspended(own) && !mayYetEndItself) {
              last = suspend(own);
            }
          }
          case Look.Alien alien -> {
            return alien();
          }
          case Look.Absent absent -> {
            if (job != null) {
              return deleted(why == Why.CANCELLED);
            }
            if (run.worked().minus(from).compareTo(LOOK_FOR) >= 0) {
              return neverFound("it was to end");
            }
          }
          case Look.NoAnswer(String message) -> last = message;
        }
        bell.await(wait);
        wait = least(wait.multipliedBy(2), BETWEEN_LOOKS_WITHOUT_ANSWER);
      }
    } catch (InterruptedException e) {
      // Given up: nobody waits for this outcome.
    }
    return unknown(
        "Job %s did not end within %d s of being told to%s"
            .formatted(name, END_WITHIN.toSeconds(), last.isEmpty() ? "" : ": " + last),
        false);
  }

  private String suspend(Job own) throws InterruptedException {
    try {
      store.suspend(own);
      return "";
    } catch (KubernetesClientException e) {
      return "it could not be suspended: " + Messages.of(e);
    }
  }

  private Optional<Outcome> endedNow(Job own, Why why, @Nullable Finding waiting)
      throws InterruptedException {
    if (JobReport.isComplete(own)) {
      return Optional.of(new Outcome.Succeeded());
    }
    boolean failed = JobReport.isFailed(own);
    if (failed && (why == Why.TIMED_OUT || !JobReport.isToBeSuspended(own))) {
      return jobFailed(own, waiting);
    }
    if (!failed && !JobReport.isSuspended(own)) {
      return Optional.empty();
    }
    if (!isNothingAlive(own)) {
      return Optional.empty();
    }
    return Optional.of(
        switch (why) {
          case CANCELLED -> new Outcome.Cancelled();
          case TIMED_OUT ->
              waiting == null
                  ? failed("TimedOut", "it did not end before %s".formatted(attempt.deadline()))
                  : timedOut(waiting);
          case SUSPENDED ->
              unknown(
                  "somebody suspended Job %s; nothing of it is alive, and it stays suspended"
                      .formatted(name),
                  false);
        });
  }

  /** Of a Job that is suspended, so that nothing of it begins any more. */
  private boolean isNothingAlive(Job own) throws InterruptedException {
    OptionalInt counted = JobReport.alive(own);
    if (counted.isPresent()) {
      return counted.getAsInt() == 0;
    }
    try {
      return alive(pods()).isEmpty();
    } catch (KubernetesClientException e) {
      return false;
    }
  }

  // --- words and times ---

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

  private static Duration least(Duration a, Duration b) {
    return a.compareTo(b) <= 0 ? a : b;
  }
}
