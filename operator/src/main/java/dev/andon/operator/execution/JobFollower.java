package dev.andon.operator.execution;

import dev.andon.crds.JobTypeSpec;
import dev.andon.operator.execution.JobReport.Finding;
import dev.andon.operator.execution.Outcome.Failed.Reach;
import dev.andon.operator.execution.PodEnd.Says;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The Job of one attempt from when it may be there to its end: finds it, follows it, has it end.
 * Creates nothing.
 */
final class JobFollower {
  /**
   * How long a Job that may have been created is looked for, where it may be created again: one
   * that appears later does no harm, as the name is taken then.
   */
  private static final Duration LOOK_FOR = Duration.ofSeconds(10);

  /** How long at most is waited for the Pods of a Job that is to end. */
  private static final Duration END_WITHIN = Duration.ofSeconds(60);

  /** What the Job's own deadline has, before it is suspended. */
  private static final Duration OWN_DEADLINE_WITHIN = Duration.ofSeconds(6);

  /** For the last word about a Pod that is gone, which comes by the watch. */
  private static final Duration LAST_WORD_WITHIN = Duration.ofSeconds(5);

  /** A container should have been started by then; if not, something says why. */
  private static final Duration POD_WITHIN = Duration.ofSeconds(15);

  private static final Duration WAIT_TOLD_WITHIN = Duration.ofSeconds(50);

  private static final Duration BETWEEN_LOOKS = Duration.ofSeconds(1);
  private static final Duration BETWEEN_LOOKS_WITHOUT_ANSWER = Duration.ofSeconds(5);
  private static final Duration FIRST_BETWEEN_TRIES = Duration.ofSeconds(10);
  private static final Duration LONGEST_BETWEEN_TRIES = Duration.ofMinutes(5);

  /** Of a Job whose outcome is written: a minute of them, longer than an API server restarts. */
  private static final int LAST_SUSPENDS = 12;

  /** The Job controller's. */
  private static final String CONTROLLER_UID = "batch.kubernetes.io/controller-uid";

  private final JobStore store;
  private final Duration createTimeout;
  private final AttemptRun run;
  private final Attempt attempt;
  private final JobBells.Bell bell;
  private final JobTypeSpec.Container container;
  private final String name;

  /** Which Job is the attempt's own, once it was seen. */
  private @Nullable Job job;

  /** Whether others were seen to hold it. */
  private boolean held;

  /** Whether it was seen not to be suspended: it may have begun. */
  private boolean released;

  /** After how much work on the attempt the Job was seen to be finished. */
  private @Nullable Duration finishedAt;

  private int looksBeforeItBegan;

  JobFollower(ContainerExecutor executor, AttemptRun run, JobBells.Bell bell) {
    this.store = executor.store;
    this.createTimeout = executor.createTimeout;
    this.run = run;
    this.attempt = run.attempt();
    this.bell = bell;
    this.container =
        Objects.requireNonNull(Objects.requireNonNull(attempt.spec().executor()).container());
    this.name = JobName.of(attempt);
  }

  /** Whether its Job was seen. */
  boolean isFound() {
    return job != null;
  }

  /** This is its Job. */
  void found(Job own) {
    if (job == null) {
      bell.isOf(attempt.namespace(), own.getMetadata().getName());
    }
    job = identified(own);
    released |= !JobReport.isToBeSuspended(own);
  }

  // --- looking ---

  /** What is there under the attempt's name. */
  sealed interface Look {
    record Own(Job job) implements Look {}

    /** Of another workflow or attempt, or of nobody. Never touched. */
    record Alien(Job job) implements Look {}

    record Absent() implements Look {}

    record NoAnswer(String why) implements Look {}
  }

  Look look() throws InterruptedException {
    Job known = job;
    try {
      Job found =
          store.find(attempt.namespace(), known == null ? name : known.getMetadata().getName());
      if (found == null && known == null && mayHaveAnotherName()) {
        found = ofTheAttempt().stream().findFirst().orElse(null);
      }
      if (found == null) {
        return new Look.Absent();
      }
      if (!JobManifest.isOf(attempt, found)
          || (known != null
              && !Objects.equals(known.getMetadata().getUid(), found.getMetadata().getUid()))) {
        return new Look.Alien(found);
      }
      found(found);
      return new Look.Own(found);
    } catch (KubernetesClientException e) {
      return new Look.NoAnswer(Messages.of(e));
    }
  }

  /**
   * An earlier run may have named what is followed; and of an attempt whose outcome was unknown,
   * and that is to end, nobody kept which try it is.
   */
  private boolean mayHaveAnotherName() {
    return switch (attempt.work()) {
      case Attempt.Work.Send send -> false;
      case Attempt.Work.End end -> true;
      default -> attempt.isOfEarlierRun();
    };
  }

  /** Jobs of the attempt, whatever their names: those that may go on first, the latest first. */
  List<Job> ofTheAttempt() throws InterruptedException {
    return store.jobs(attempt.namespace(), JobManifest.identity(attempt.key())).stream()
        .filter(found -> JobManifest.isOf(attempt, found))
        .sorted(
            Comparator.comparing(
                    (Job found) -> JobReport.isFinished(found) || JobReport.isMarked(found))
                .thenComparing(
                    found ->
                        Objects.requireNonNullElse(found.getMetadata().getCreationTimestamp(), ""),
                    Comparator.reverseOrder()))
        .toList();
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
  List<Pod> pods() throws InterruptedException {
    return ofItsJob(store.pods(attempt.namespace(), JobManifest.identity(attempt.key())));
  }

  private List<Pod> ofItsJob(List<Pod> pods) {
    Job of = job;
    return of == null
        ? pods
        : pods.stream().filter(pod -> isOf(of.getMetadata().getUid(), pod)).toList();
  }

  /** A Pod that a deleted Job left behind has nothing but its label. */
  private static boolean isOf(@Nullable String jobUid, Pod pod) {
    List<OwnerReference> owners = pod.getMetadata().getOwnerReferences();
    return owners.isEmpty()
        ? Objects.equals(
            jobUid,
            Objects.requireNonNullElse(pod.getMetadata().getLabels(), Map.<String, String>of())
                .get(CONTROLLER_UID))
        : owners.stream().anyMatch(owner -> Objects.equals(jobUid, owner.getUid()));
  }

  /** What its Pods say: those that are there, and those that are gone, as they were last seen. */
  private Optional<Says> says(List<Pod> listed) {
    return PodEnd.of(listed, ofItsJob(bell.seen(listed, true)))
        .map(
            says ->
                says instanceof Says.NeverBegun(Finding why) && bell.sawOneStarted()
                    ? new Says.NotKnown("it had begun before: " + why.message())
                    : says);
  }

  /** Whether one that was seen is not there any more, and its last word has yet to come. */
  private boolean isLastWordToCome(List<Pod> listed) {
    return !ofItsJob(bell.seen(listed, false)).isEmpty();
  }

  // --- following ---

  /**
   * @param uncertain why it may not be there; "" if it is
   */
  Outcome follow(String uncertain) throws InterruptedException {
    run.answered();
    Duration from = run.worked();
    // Just created: nothing to see before the bell rings.
    boolean fresh = job != null;
    Duration lookFor =
        attempt.spec().isRetrySafe() ? least(LOOK_FOR, createTimeout) : createTimeout;
    while (true) {
      Duration wait = POD_WITHIN;
      Optional<Instant> deadline = Optional.empty();
      boolean timeRuns = true;
      if (!fresh) {
        switch (look()) {
          case Look.Own(Job own) -> {
            Step step = step(own);
            if (step.outcome() != null) {
              run.waitsFor(null);
              return step.outcome();
            }
            wait = step.next();
            timeRuns = !step.held();
            deadline = JobReport.deadlineAfterHold(own);
          }
          case Look.Alien alien -> {
            return alien();
          }
          case Look.Absent absent -> {
            if (job != null || isAPodAlive()) {
              return deleted(false);
            }
            if (run.worked().minus(from).compareTo(lookFor) >= 0) {
              return neverFound(uncertain);
            }
            wait = BETWEEN_LOOKS;
          }
          case Look.NoAnswer noAnswer -> {
            // It may be held; and it has a deadline of its own.
            timeRuns = false;
            wait = BETWEEN_LOOKS_WITHOUT_ANSWER;
          }
        }
      }
      fresh = false;
      Duration left = deadline.map(at -> Duration.between(run.now(), at)).orElse(run.left());
      if (timeRuns && !left.isPositive()) {
        return timedOut();
      }
      bell.await(timeRuns ? least(wait, left) : wait);
    }
  }

  /**
   * What one look at the Job showed.
   *
   * @param outcome null: it goes on
   * @param next look, if the bell does not ring
   * @param held whether it is somebody else's to let it begin: its time does not run
   */
  private record Step(@Nullable Outcome outcome, Duration next, boolean held) {
    static Step ended(Outcome outcome) {
      return new Step(outcome, Duration.ZERO, false);
    }

    static Step goesOn(Duration wait) {
      return new Step(null, wait, false);
    }
  }

  private Step step(Job own) throws InterruptedException {
    boolean finished = JobReport.isFinished(own);
    if (finished) {
      // What a Pod was seen to have come to by itself stays true, and needs no further question.
      Optional<Outcome> ended = known(PodEnd.of(ofItsJob(bell.seen()), List.of()));
      if (ended.isPresent()) {
        return Step.ended(ended.get());
      }
    }
    List<Pod> pods;
    try {
      pods = pods();
    } catch (KubernetesClientException e) {
      return new Step(null, BETWEEN_LOOKS_WITHOUT_ANSWER, true);
    }
    if (JobReport.isToBeSuspended(own)) {
      if (isHeld(own, pods)) {
        bell.atEveryChange(true);
        tell(own, JobReport.whoHolds(own));
        held = true;
        return new Step(null, JobBells.LOOK_ANYWAY, true);
      }
      return Step.ended(end(Why.SUSPENDED, null));
    }
    if (!finished && (JobReport.isLetGoJustNow(own) || (held && !JobReport.hasStarted(own)))) {
      // The Job controller gives it a start, from which its time counts.
      return new Step(null, BETWEEN_LOOKS, true);
    }
    bell.atEveryChange(false);
    Optional<Says> says = says(pods);
    Optional<Outcome> known = known(says);
    if (known.isPresent() && (finished || pods.stream().noneMatch(JobReport::isAlive))) {
      return Step.ended(known.get());
    }
    if (known.isPresent() && pods.stream().anyMatch(PodEnd::onlyStrangersRun)) {
      run.onceWritten(() -> suspendLater(own));
      return Step.ended(known.get());
    }
    if (finished) {
      if (finishedAt == null) {
        finishedAt = run.worked();
      }
      boolean lastWord =
          !isLastWordToCome(pods)
              || run.worked().minus(finishedAt).compareTo(LAST_WORD_WITHIN) >= 0;
      return says.orElse(null) instanceof Says.GoesOn || !lastWord
          ? Step.goesOn(BETWEEN_LOOKS)
          : Step.ended(finishedAndNotKnown(own, says));
    }
    return Step.goesOn(waitsFor(own, pods));
  }

  /** Empty: it goes on, or it cannot be told how it ended. */
  private Optional<Outcome> known(Optional<Says> says) {
    return switch (says.orElse(null)) {
      case Says.Succeeded succeeded -> Optional.of(new Outcome.Succeeded());
      case Says.Failed(Finding why) -> Optional.of(failed(why));
      case null, default -> Optional.empty();
    };
  }

  private Outcome finishedAndNotKnown(Job own, Optional<Says> says) {
    return switch (says.orElse(null)) {
      case Says.NeverBegun(Finding why) -> neverBegun(own, why);
      case Says.NotKnown(String why) -> over(own, why);
      case null, default ->
          JobReport.isComplete(own)
              ? over(own, "it is Complete, but its Pod is gone: it may have been told to end")
              : over(own, "it is Failed, and its Pod is gone: " + JobReport.whyFailed(own));
    };
  }

  /** Nothing of its Job begins any more, so that one of another name may follow it. */
  private Outcome.Unknown over(Job own, String why) {
    return new Outcome.Unknown(
        Messages.line("Job %s: %s".formatted(own.getMetadata().getName(), why), List.of()),
        attempt.spec().isRetrySafe(),
        true);
  }

  private Outcome.NotBegun neverBegun(Job own, Finding why) {
    Duration wait =
        least(
            FIRST_BETWEEN_TRIES.multipliedBy(1L << Math.clamp(attempt.tries() - 1, 0, 10)),
            LONGEST_BETWEEN_TRIES);
    return new Outcome.NotBegun(
        why.reason(),
        Messages.line(
            "Job %s: %s".formatted(own.getMetadata().getName(), why.message()), List.of()),
        run.now().plus(wait),
        true,
        true);
  }

  /**
   * Whether it was created suspended and has not begun: no Pod, no start, no mark, and nobody here
   * saw it otherwise.
   */
  private boolean isHeld(Job own, List<Pod> pods) {
    return JobReport.isHeld(own)
        && pods.isEmpty()
        && !released
        && ofItsJob(bell.seen(pods, true)).isEmpty();
  }

  /**
   * Tells why it does not get on, if anything says so.
   *
   * @return how long to wait for the next look, if the bell does not ring
   */
  private Duration waitsFor(Job own, List<Pod> pods) throws InterruptedException {
    if (pods.stream().anyMatch(PodEnd::wasStarted)) {
      run.waitsFor(null);
      return JobBells.LOOK_ANYWAY;
    }
    try {
      whyItWaits(own, pods).ifPresent(why -> tell(own, why));
    } catch (KubernetesClientException e) {
      // Then it is told at the next look.
    }
    return least(
        POD_WITHIN.multipliedBy(1L << Math.min(looksBeforeItBegan++, 2)), WAIT_TOLD_WITHIN);
  }

  /** What its Pods say themselves; else the Events, about them or about the Job that has none. */
  private Optional<Finding> whyItWaits(Job own, List<Pod> pods) throws InterruptedException {
    Optional<Finding> ofPods = JobReport.whyWaiting(pods);
    if (ofPods.isPresent()) {
      return ofPods;
    }
    String about =
        pods.isEmpty() ? own.getMetadata().getUid() : pods.getFirst().getMetadata().getUid();
    return JobReport.whyWaitingByEvents(store.events(attempt.namespace(), about), pods.isEmpty());
  }

  private void tell(Job own, Finding why) {
    run.waitsFor(
        "%s: %s"
            .formatted(
                why.reason(),
                Messages.line(
                    "Job %s: %s".formatted(own.getMetadata().getName(), why.message()),
                    List.of())));
  }

  /** Where all tries fail the Job's own deadline ends it. */
  private void suspendLater(Job own) {
    try {
      for (int tries = 1; !suspend(own).isEmpty() && tries < LAST_SUSPENDS; tries++) {
        run.pause(BETWEEN_LOOKS_WITHOUT_ANSWER);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  Outcome.Failed failed(Finding why) {
    boolean last =
        why.exitCode() != null
            && container.finalExitCodes() != null
            && container.finalExitCodes().contains(why.exitCode());
    Job known = job;
    return new Outcome.Failed(
        why.reason(),
        known == null
            ? Messages.line(why.message(), List.of())
            : JobReport.line(why.message(), JobReport.logs(known)),
        last ? Reach.JOB : Reach.ATTEMPT);
  }

  Outcome alien() {
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

  private boolean isAPodAlive() throws InterruptedException {
    try {
      return pods().stream().anyMatch(JobReport::isAlive);
    } catch (KubernetesClientException e) {
      // The next look asks again, and says so where nobody answers.
      return false;
    }
  }

  /** The Job is gone, and was there. Its Pods may tell how they ended, or have yet to. */
  private Outcome deleted(boolean wasToEnd) throws InterruptedException {
    Duration from = run.worked();
    String alive = "";
    do {
      try {
        List<Pod> pods = pods();
        alive = alive(pods);
        boolean lastWord =
            !isLastWordToCome(pods) || run.worked().minus(from).compareTo(LAST_WORD_WITHIN) >= 0;
        if (alive.isEmpty() && lastWord) {
          Optional<Outcome> known = known(says(pods));
          return known.isPresent()
              ? known.get()
              : unknown(
                  "Job %s was deleted while it ran; nothing of it is alive, and how it ended was not seen"
                      .formatted(named()),
                  !wasToEnd);
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
        "Job %s was deleted while it ran; still alive: %s".formatted(named(), alive), false);
  }

  private String named() {
    Job known = job;
    return known == null ? name : known.getMetadata().getName();
  }

  static String alive(List<Pod> pods) {
    return pods.stream()
        .filter(JobReport::isAlive)
        .map(pod -> "Pod " + pod.getMetadata().getName())
        .collect(Collectors.joining(", "));
  }

  // --- ending ---

  /** Why a Job is to end. */
  enum Why {
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
      if (!bell.sawOneStarted() && pods.stream().noneMatch(PodEnd::wasStarted)) {
        waiting = whyItWaits(own, pods);
      }
    } catch (KubernetesClientException e) {
      // Then it is told without.
    }
    return end(Why.TIMED_OUT, waiting.orElse(null));
  }

  /**
   * Ends every Job of the attempt. Of one whose outcome was unknown nobody kept which try it is,
   * and a try that never began leaves its Job beside that of the next: only all of them together
   * say that nothing was done.
   */
  Outcome endAll() {
    run.ending();
    List<Job> all = List.of();
    try {
      all = ofTheAttempt();
      for (Job each : all.size() > 1 ? all : List.<Job>of()) {
        if (!JobReport.isFinished(each) && !JobReport.isMarked(each)) {
          String _ = suspend(each);
        }
      }
    } catch (KubernetesClientException | InterruptedException e) {
      // Then the one of this try is looked for until there is an answer.
    }
    if (all.size() < 2) {
      return end(Why.CANCELLED, null);
    }
    List<Outcome> outcomes = new ArrayList<>();
    for (Job each : all) {
      job = null;
      found(each);
      outcomes.add(end(Why.CANCELLED, null));
    }
    return Stream.of(
            Outcome.Succeeded.class,
            Outcome.Unknown.class,
            Outcome.Failed.class,
            Outcome.Cancelled.class)
        .flatMap(kind -> outcomes.stream().filter(kind::isInstance))
        .findFirst()
        .orElseThrow();
  }

  /**
   * Suspends the Job, and waits until nothing of it is alive. A cancel suspends at once. A Job that
   * timed out has a deadline of its own, which leaves it Failed and not suspended for good; that
   * goes first.
   *
   * @param waiting why a Job that timed out had not begun; null: it had, or nobody knows
   */
  Outcome end(Why why, @Nullable Finding waiting) {
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
      while (true) {
        Duration ending = run.worked().minus(from);
        if (ending.compareTo(job == null ? createTimeout : END_WITHIN) >= 0) {
          break;
        }
        switch (look()) {
          case Look.Own(Job own) -> {
            Optional<Outcome> ended = endedNow(own, why, waiting, ending);
            if (ended.isPresent()) {
              return ended.get();
            }
            boolean mayYetEndItself =
                why == Why.TIMED_OUT && ending.compareTo(OWN_DEADLINE_WITHIN) < 0;
            if (!JobReport.isFinished(own)
                && !mayYetEndItself
                && !(JobReport.isToBeSuspended(own) && JobReport.isMarked(own))) {
              last = suspend(own);
            }
          }
          case Look.Alien alien -> {
            return alien();
          }
          case Look.Absent absent -> {
            if (job != null || isAPodAlive()) {
              return deleted(why == Why.CANCELLED);
            }
          }
          case Look.NoAnswer(String message) -> last = message;
        }
        bell.await(wait);
        wait = job == null ? wait : least(wait.multipliedBy(2), BETWEEN_LOOKS_WITHOUT_ANSWER);
      }
      if (job == null && last.isEmpty()) {
        return neverFound("it was to end");
      }
    } catch (InterruptedException e) {
      // Given up: nobody waits for this outcome.
    }
    return unknown(
        "Job %s did not end within %d s of being told to%s"
            .formatted(named(), END_WITHIN.toSeconds(), last.isEmpty() ? "" : ": " + last),
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

  private Optional<Outcome> endedNow(Job own, Why why, @Nullable Finding waiting, Duration ending)
      throws InterruptedException {
    boolean finished = JobReport.isFinished(own);
    boolean suspended = JobReport.isToBeSuspended(own) && JobReport.isMarked(own);
    if (suspended && JobReport.isAsCreated(own)) {
      // It was created suspended, nobody let it go, and now nobody can.
      return Optional.of(new Outcome.Cancelled());
    }
    if (!finished && !(suspended && JobReport.isSuspended(own) && isNothingAlive(own))) {
      return Optional.empty();
    }
    List<Pod> pods;
    try {
      pods = pods();
    } catch (KubernetesClientException e) {
      return Optional.empty();
    }
    if (pods.stream().anyMatch(JobReport::isAlive)
        || (isLastWordToCome(pods) && ending.compareTo(LAST_WORD_WITHIN) < 0)) {
      return Optional.empty();
    }
    Optional<Says> says = says(pods);
    Optional<Outcome> known = known(says);
    return known.isPresent() ? known : Optional.of(toldToEnd(own, why, waiting, says));
  }

  /** Nothing of it is alive, and it did not end by itself as far as anybody knows. */
  private Outcome toldToEnd(Job own, Why why, @Nullable Finding waiting, Optional<Says> says) {
    boolean neverBegun = says.orElse(null) instanceof Says.NeverBegun;
    String how =
        says.orElse(null) instanceof Says.NotKnown(String said)
            ? said
            : "its Pod is gone, and how it ended was not seen";
    return switch (why) {
      case CANCELLED ->
          neverBegun
              ? new Outcome.Cancelled()
              : unknown("Job %s was told to end: %s".formatted(named(), how), false);
      case TIMED_OUT -> {
        Finding reason =
            waiting == null && says.orElse(null) instanceof Says.NeverBegun(Finding never)
                ? never
                : waiting;
        yield reason != null && !bell.sawOneStarted()
            ? new Outcome.Failed(
                reason.reason(),
                Messages.line("not done within its timeout: " + reason.message(), List.of()))
            : over(
                own,
                "it did not end before %s, and was told to: %s".formatted(attempt.deadline(), how));
      }
      case SUSPENDED -> suspendedByOthers();
    };
  }

  private Outcome suspendedByOthers() {
    return unknown(
        "somebody suspended Job %s; nothing of it is alive, and it stays suspended"
            .formatted(named()),
        false);
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
