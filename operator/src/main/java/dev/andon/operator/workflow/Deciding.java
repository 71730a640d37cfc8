package dev.andon.operator.workflow;

import dev.andon.crds.Condition;
import dev.andon.crds.WorkflowRecordSpec;
import dev.andon.crds.WorkflowRecordSpec.WorkflowRef;
import dev.andon.crds.WorkflowStatus;
import dev.andon.crds.WorkflowStatus.ActedBy;
import dev.andon.crds.WorkflowStatus.Action;
import dev.andon.crds.WorkflowStatus.Active;
import dev.andon.crds.WorkflowStatus.Armed;
import dev.andon.crds.WorkflowStatus.Continued;
import dev.andon.crds.WorkflowStatus.PinnedJobType;
import dev.andon.crds.WorkflowStatus.PolicyVerdict;
import dev.andon.crds.WorkflowStatus.StoppedBy;
import dev.andon.operator.stop.StopView;
import dev.andon.operator.workflow.Progress.BlockProgress;
import dev.andon.operator.workflow.Progress.Reading;
import dev.andon.plan.IndexSet;
import dev.andon.plan.JobTypes;
import dev.andon.plan.Plan;
import dev.andon.plan.SpecHash;
import dev.andon.policies.Verdict;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** One decision in the making: what the status will say, and what will be begun and cancelled. */
final class Deciding {
  /** A decision that waits for an event still looks again after this, should the event be lost. */
  private static final Duration LOOK_AGAIN = Duration.ofMinutes(1);

  /** By how much later at most: what a restart had decided in one moment spreads out. */
  private static final Duration LOOK_AGAIN_SPREAD = Duration.ofSeconds(20);

  /** While the stop cannot be read, or an executor is waited for. */
  private static final Duration LOOK_AGAIN_SOON = Duration.ofSeconds(1);

  private static final Duration MANUAL_START_DEADLINE = Duration.ofHours(1);

  /** Of the ranges of unknown jobs that a message gives, in characters. */
  private static final int MAX_RANGES = 200;

  /** Of which a message gives these ranges. */
  private static final int MOST_BLOCKS = 3;

  private final Snapshot snapshot;
  private final Duration lookAgainLater;
  private final Duration admissionGrace;
  private final @Nullable WorkflowStatus status;
  private final Progress progress;
  private final @Nullable String corruption;
  private final Attempts attempts;

  private final boolean wasEnding;
  private boolean starts;
  private boolean cancel;
  private boolean letGo;
  private boolean accepted;
  private @Nullable Instant firstJudged;
  private @Nullable Instant startTime;
  private @Nullable Armed armed;
  private @Nullable Continued continued;
  private @Nullable StoppedBy stoppedBy;
  private @Nullable String ending;
  private String endingMessage = "";

  /** Which protections of the stop were missing at the start; null: none, or not started. */
  private @Nullable String unprotected;

  private @Nullable ActedBy pausedBy;
  private @Nullable ActedBy startedBy;
  private final List<Action> actions = new ArrayList<>();

  private List<PolicyVerdict> verdicts;
  private List<PinnedJobType> pinned;
  private @Nullable String specHash;
  private @Nullable List<String> changedJobTypes;
  private @Nullable Verdict verdict;
  private @Nullable Instant wakeUp;

  /**
   * @param lookAgainLater as {@link Decider#LOOK_AGAIN}
   * @param admissionGrace as {@link Decider#ADMISSION_GRACE}
   */
  Deciding(Snapshot snapshot, Duration lookAgainLater, Duration admissionGrace) {
    this.snapshot = snapshot;
    this.admissionGrace = admissionGrace;
    this.lookAgainLater = lookAgainLater;
    this.status = snapshot.status();
    switch (Progress.read(status, snapshot.plan())) {
      case Reading.Sound sound -> {
        progress = sound.progress();
        corruption = inconsistency(status, snapshot);
      }
      case Reading.Corrupt corrupt -> {
        progress = empty(snapshot.plan());
        corruption = corrupt.finding();
      }
    }
    attempts = new Attempts(this, progress);
    verdicts = status == null ? List.of() : status.policies();
    pinned = status == null ? List.of() : status.jobTypes();
    if (status != null) {
      specHash = status.specHash();
      accepted = Conditions.isTrue(status.conditions(), Conditions.ACCEPTED);
      firstJudged = status.firstJudged();
      startTime = status.startTime();
      pausedBy = status.paused();
      startedBy = status.startedBy();
      actions.addAll(status.actions());
      armed = status.armed();
      continued = status.continued();
      stoppedBy = status.stoppedBy();
      Conditions.find(status.conditions(), Conditions.RECONCILING)
          .filter(c -> endsWith(c.reason()))
          .ifPresent(
              c -> {
                ending = c.reason();
                endingMessage = Objects.requireNonNullElse(c.message(), "");
              });
      Conditions.find(status.conditions(), Conditions.PROTECTED)
          .ifPresent(c -> unprotected = Objects.requireNonNullElse(c.message(), ""));
    }
    wasEnding = ending != null || stoppedBy != null;
  }

  private static Progress empty(Plan plan) {
    return ((Reading.Sound) Progress.read(null, plan)).progress();
  }

  private static boolean endsWith(@Nullable String reason) {
    return Reasons.FATAL_FAILURE.equals(reason)
        || Reasons.DEADLINE_EXCEEDED.equals(reason)
        || Reasons.CANCELLED.equals(reason);
  }

  /** What in the status contradicts itself. */
  private static @Nullable String inconsistency(
      @Nullable WorkflowStatus status, Snapshot snapshot) {
    if (status == null) {
      return null;
    }
    if (status.completionTime() != null) {
      return "status.completionTime: is set, but condition Finished is not True";
    }
    boolean accepted = Conditions.isTrue(status.conditions(), Conditions.ACCEPTED);
    String hash = status.specHash();
    if (accepted
        && hash != null
        && SpecHash.isComparable(hash)
        && !hash.equals(snapshot.plan().specHash())) {
      // Indexes and verdicts speak of what was accepted.
      return "status.specHash: %s was accepted, and the spec is %s now: the rules of the CRD would have refused that"
          .formatted(hash, snapshot.plan().specHash());
    }
    if (status.startTime() == null) {
      boolean ran =
          (status.starts() != null && status.starts() > 0)
              || !status.blocks().isEmpty()
              || status.continued() != null;
      return ran ? "status.startTime: is missing, but jobs have begun" : null;
    }
    if (!accepted) {
      return "status.startTime: is set, but condition Accepted is not True";
    }
    if (hash == null) {
      return "status.specHash: is missing, but the workflow has started";
    }
    if (status.armed() == null || status.armed().configMapUID() == null) {
      return "status.armed: is missing, but the workflow has started";
    }
    String continueFrom = Objects.requireNonNullElse(snapshot.spec().continueFrom(), "");
    if (!continueFrom.isEmpty() && (status.continued() == null || uid(status).isBlank())) {
      return "status.continued: is missing, but the workflow has started";
    }
    // Without them a job type that has changed since would not be noticed.
    List<PinnedJobType> pinned = status.jobTypes();
    return snapshot.plan().jobTypes().stream()
        .filter(name -> !JobTypes.isBuiltIn(name))
        .filter(name -> pinned.stream().noneMatch(type -> name.equals(type.name())))
        .findFirst()
        .map(name -> "status.jobTypes: %s is missing, but the workflow has started".formatted(name))
        .orElse(null);
  }

  private static String uid(WorkflowStatus status) {
    Continued continued = status.continued();
    return continued == null ? "" : Objects.requireNonNullElse(continued.uid(), "");
  }

  Snapshot snapshot() {
    return snapshot;
  }

  Progress progress() {
    return progress;
  }

  Attempts attempts() {
    return attempts;
  }

  @Nullable String corruption() {
    return corruption;
  }

  Instant now() {
    return snapshot.now();
  }

  // --- acceptance and start

  boolean accepted() {
    return accepted;
  }

  void accept() {
    accepted = true;
    specHash = snapshot.plan().specHash();
    pinJobTypes();
  }

  /** Notes that it lacks something, and says since when. */
  Instant judgedSince() {
    if (firstJudged == null) {
      firstJudged = now();
    }
    return firstJudged;
  }

  Duration admissionGrace() {
    return admissionGrace;
  }

  /** From now on they are to be what they are now. */
  void pinJobTypes() {
    pinned =
        snapshot.plan().jobTypes().stream()
            .map(snapshot.jobTypeVersions()::get)
            .filter(Objects::nonNull)
            .toList();
    changedJobTypes = null;
  }

  /** It was acceptable, and another has run in its place. */
  void refuse() {
    accepted = false;
  }

  boolean allowedByPolicies() {
    return verdict().admitted();
  }

  /** Whether something of the policies stands against it whatever else may come. */
  boolean isDeniedByPolicies() {
    return verdict().denies();
  }

  /** What the policies find that another object can still bring. */
  List<String> lackingByPolicies() {
    return verdict().lacking();
  }

  String policyMessage() {
    return verdict().message();
  }

  /** Which bound on running workflows is reached; empty if none is. */
  String policyWait() {
    return verdict().waitMessage();
  }

  private Verdict verdict() {
    if (verdict == null) {
      verdict = snapshot.policies().get();
      verdicts = verdict.toStatus();
    }
    return verdict;
  }

  boolean started() {
    return startTime != null;
  }

  Instant startTime() {
    return Objects.requireNonNull(startTime);
  }

  Armed armed() {
    return Objects.requireNonNull(armed);
  }

  void start(StopView.Open open) {
    starts = true;
    // What status says of it was read from the cluster; the ledger goes by the spec.
    specHash = snapshot.plan().specHash();
    startTime = now();
    armed = new Armed(open.configMapUid(), open.armingId());
    continued = Continuation.takeOver(snapshot, progress);
    // As it was at the start, for good: a protection that comes or goes writes no thousand
    // statuses.
    unprotected =
        snapshot.unprotected().isEmpty()
            ? null
            : "it started while these protections of the emergency stop were not in place: %s;"
                    .formatted(String.join(", ", snapshot.unprotected()))
                + " see andon stop --status";
  }

  boolean paused() {
    return snapshot.spec().isPaused() || pausedBy != null;
  }

  String pausedMessage() {
    String bySpec = snapshot.spec().isPaused() ? "spec.paused is true" : "";
    String byAction =
        pausedBy == null
            ? ""
            : "paused by %s; a WorkflowAction Resume lets it go on"
                .formatted(Actions.told(pausedBy));
    return bySpec + (bySpec.isEmpty() || byAction.isEmpty() ? "" : "; ") + byAction;
  }

  // --- what people asked for

  @Nullable ActedBy pausedBy() {
    return pausedBy;
  }

  void pausedBy(@Nullable ActedBy by) {
    pausedBy = by;
  }

  @Nullable ActedBy startedBy() {
    return startedBy;
  }

  void startedBy(ActedBy by) {
    startedBy = by;
  }

  /** Those that were judged, the oldest first. */
  List<Action> actions() {
    return actions;
  }

  void add(Action action) {
    actions.add(action);
  }

  /**
   * Forgets the oldest actions that may be, until another one fits.
   *
   * @return whether it does
   */
  boolean makeRoomForAnAction(int kept, Set<String> told) {
    for (Action action : List.copyOf(actions)) {
      if (actions.size() >= kept && action.uid() != null && told.contains(action.uid())) {
        actions.remove(action);
      }
    }
    return actions.size() < kept;
  }

  /** When it is too late to start; null: never. */
  @Nullable Instant startDeadline() {
    Integer seconds = snapshot.spec().startDeadlineSeconds();
    if (seconds != null) {
      return snapshot.workflow().created().plusSeconds(seconds);
    }
    return snapshot.spec().startsManually()
        ? snapshot.workflow().created().plus(MANUAL_START_DEADLINE)
        : null;
  }

  /** What the job type was at acceptance, or at the last Resume. */
  @Nullable PinnedJobType pinned(String jobType) {
    return pinned.stream().filter(type -> jobType.equals(type.name())).findFirst().orElse(null);
  }

  /** Job types that are no longer what they were at acceptance. */
  List<String> changedJobTypes() {
    if (changedJobTypes == null) {
      changedJobTypes =
          pinned.stream()
              .filter(type -> !type.equals(snapshot.jobTypeVersions().get(type.name())))
              .map(type -> Objects.requireNonNullElse(type.name(), ""))
              .toList();
    }
    return changedJobTypes;
  }

  // --- the stop, and other ends

  @Nullable StoppedBy stopSeen() {
    if (stoppedBy != null) {
      return stoppedBy;
    }
    if (snapshot.latched() != null) {
      return snapshot.latched();
    }
    return switch (snapshot.stop()) {
      case StopView.Stopped stopped -> stopped.by();
      case StopView.NotVisible notVisible -> null;
      case StopView.Open open ->
          new Armed(open.configMapUid(), open.armingId()).equals(armed)
              ? null
              : new StoppedBy(
                  Objects.requireNonNullElse(snapshot.spec().type(), ""),
                  "armed anew",
                  open.resourceVersion(),
                  null,
                  "the type was stopped and armed again since this workflow started");
    };
  }

  void stopBy(StoppedBy by) {
    stoppedBy = by;
  }

  /** Whether it was to end already before this decision. */
  boolean wasEnding() {
    return wasEnding;
  }

  boolean isEnding() {
    return ending != null;
  }

  String ending() {
    return Objects.requireNonNull(ending);
  }

  String endingMessage() {
    return endingMessage;
  }

  void end(String reason, String message) {
    ending = reason;
    endingMessage = message;
  }

  void cancelAll() {
    cancel = true;
  }

  /** Nothing runs outside any more: the object may go. */
  void letGo() {
    letGo = true;
  }

  String unknownJobs() {
    if (progress.unknown() == 0) {
      return "";
    }
    String names =
        progress
            .all()
            .flatMap(b -> b.unknown.stream().mapToObj(i -> b.plan.name() + "/" + b.plan.nameOf(i)))
            .limit(10)
            .collect(Collectors.joining(", "));
    return "; unknown whether %d jobs were done: %s%s"
        .formatted(progress.unknown(), names, progress.unknown() > 10 ? ", …" : "");
  }

  /** What a WorkflowAction Resolve has to say of the unknown jobs, a block after the other. */
  String toResolve() {
    List<BlockProgress> blocks = progress.all().filter(b -> !b.unknown.isEmpty()).toList();
    String told =
        blocks.stream()
            .limit(MOST_BLOCKS)
            .map(
                b ->
                    "block: %s, indexes: \"%s\""
                        .formatted(b.plan.name(), IndexSet.of(b.unknown).ranges(MAX_RANGES)))
            .collect(Collectors.joining("; "));
    boolean all = blocks.size() <= MOST_BLOCKS && !told.contains("…");
    return all ? told : told + "; all of them are in status.blocks[].unknown";
  }

  /** Of a workflow that has ended with unknown jobs; empty if it has none. */
  String howToGoOn() {
    return progress.unknown() == 0
        ? ""
        : "; to go on create a Workflow with continueFrom: %s; what is Unknown there and not repeated waits for a WorkflowAction Resolve, which can name many (%s)"
            .formatted(snapshot.workflow().name(), toResolve());
  }

  String firstFailure() {
    return progress.failures.stream()
        .findFirst()
        .map(
            f ->
                "; first %s: %s: %s"
                    .formatted(f.job(), f.reason(), Objects.requireNonNullElse(f.message(), "")))
        .orElse("");
  }

  // --- the decision

  void wakeAt(Instant time) {
    wakeUp = wakeUp == null ? time : earlier(wakeUp, time);
  }

  void lookAgainAtTheStop() {
    lookAgainSoon();
  }

  void lookAgainSoon() {
    wakeAt(now().plus(LOOK_AGAIN_SOON));
  }

  /** For what no event tells of; whoever finishes wakes nobody else, say. */
  void lookAgainLater() {
    wakeAt(now().plus(lookAgainLater));
  }

  /** Always the same of one workflow, so that a decision follows from its snapshot alone. */
  private Duration lookAgain() {
    int own =
        Math.floorMod(snapshot.workflow().uid().hashCode(), (int) LOOK_AGAIN_SPREAD.toMillis());
    return LOOK_AGAIN.plusMillis(own);
  }

  Decision decision(State state) {
    boolean finished = state.stage().finished();
    boolean gone = snapshot.workflow().deleted() != null && letGo;
    WorkflowStatus next = null;
    if (!gone) {
      next = corruption != null ? corrupt(state) : status(state, finished);
      for (Active attempt : next.active()) {
        // What is due and not sent is held, and waits for whatever holds it.
        if (attempt.nextAttemptTime() != null && attempt.nextAttemptTime().isAfter(now())) {
          wakeAt(attempt.nextAttemptTime());
        }
      }
      if (!finished) {
        wakeAt(now().plus(lookAgain()));
      }
    }
    return new Decision(
        next,
        starts ? record() : null,
        attempts.toBegin(),
        cancel,
        Reasons.CORRUPT_STATUS.equals(state.reason()),
        Map.copyOf(snapshot.outcomes()),
        startTime != null,
        finished ? null : wakeUp);
  }

  /** What the ledger is to say of the start. */
  private WorkflowRecordSpec record() {
    return new WorkflowRecordSpec(
        new WorkflowRef(
            snapshot.workflow().namespace(),
            snapshot.workflow().name(),
            snapshot.workflow().uid(),
            snapshot.spec().type()),
        specHash,
        snapshot.spec().runId(),
        null,
        startTime,
        null,
        null,
        snapshot.spec().requestedBy(),
        null,
        null,
        verdicts,
        pinned,
        List.of(),
        null);
  }

  private WorkflowStatus status(State state, boolean finished) {
    int ended = progress.ended();
    return new WorkflowStatus(
        snapshot.workflow().generation(),
        state.stage().phase(),
        ended + "/" + snapshot.plan().totalJobs(),
        progress.currentBlock(),
        progress.starts,
        armed,
        pausedBy,
        progress.counts(),
        progress.blockStatuses(),
        List.copyOf(progress.active.values()),
        List.copyOf(progress.failures),
        verdicts,
        pinned,
        specHash,
        startTime,
        finished ? now() : null,
        stoppedBy,
        conditions(state),
        finished && startTime != null ? duration(startTime, now()) : null,
        startedBy,
        List.copyOf(actions),
        continued,
        progress.earlierAttempts(),
        firstJudged);
  }

  /** Leaves everything as it was found, as evidence; only how it ended is added. */
  private WorkflowStatus corrupt(State state) {
    WorkflowStatus found = Objects.requireNonNull(status);
    return found.ended(
        snapshot.workflow().generation(),
        state.stage().phase(),
        found.completionTime() == null ? now() : found.completionTime(),
        conditions(state));
  }

  private List<Condition> conditions(State state) {
    boolean judged = accepted || state.stage() == State.Stage.REJECTED;
    return Conditions.of(
        state,
        judged ? accepted : null,
        isEnding() ? ending : null,
        unprotected,
        status == null ? List.of() : status.conditions(),
        snapshot.workflow().generation(),
        now());
  }

  /** As in {@code 1h2m3s}. */
  private static String duration(Instant from, Instant to) {
    Duration d = Duration.between(from, to);
    long hours = d.toHours();
    String minutes = hours > 0 || d.toMinutesPart() > 0 ? d.toMinutesPart() + "m" : "";
    return (hours > 0 ? hours + "h" : "") + minutes + d.toSecondsPart() + "s";
  }

  static Instant earlier(Instant a, Instant b) {
    return a.isBefore(b) ? a : b;
  }

  static Instant later(Instant a, @Nullable Instant b) {
    return b == null || a.isAfter(b) ? a : b;
  }
}
