package dev.andon.operator.workflow;

import dev.andon.crds.JobTypeSpec;
import dev.andon.crds.WorkflowStatus.Active;
import dev.andon.operator.execution.Attempt;
import dev.andon.operator.execution.Attempt.Work;
import dev.andon.operator.execution.AttemptKey;
import dev.andon.operator.execution.Outcome;
import dev.andon.operator.execution.Outcome.Failed.Reach;
import dev.andon.operator.pacing.Backoff;
import dev.andon.operator.workflow.Progress.BlockProgress;
import dev.andon.operator.workflow.Progress.Position;
import dev.andon.operator.workflow.Progress.Sent;
import dev.andon.plan.AttemptRules;
import dev.andon.plan.JobTypes;
import dev.andon.plan.Plan.PlannedJob;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The attempts of a decision in the making: what became of them, which are intended, which were
 * left over by another process, and how they end when the workflow does.
 */
final class Attempts {
  /** An attempt that has not ended by then is unknown. */
  private static final Duration CANCEL_WITHIN = Duration.ofSeconds(60);

  /** Time for the outcome of an attempt that ended at its deadline to be told. */
  private static final Duration GRACE = Duration.ofSeconds(5);

  /** How often one attempt is sent, under one key, before a person is asked. */
  private static final int MAX_SENDS = 5;

  /** Of which only the name of its Job matters, which no job type has a say in. */
  @SuppressWarnings(
      "NullAway") // retry may be null; NullAway misreads nested types of other modules
  private static final JobTypeSpec A_CONTAINER =
      new JobTypeSpec(
          null,
          List.of(),
          null,
          null,
          null,
          null,
          null,
          new JobTypeSpec.Executor(null, new JobTypeSpec.Container(null, null, null), null, null));

  private final Deciding d;
  private final Progress progress;
  private final List<Attempt> begin = new ArrayList<>();
  private final Set<AttemptKey> begun = new HashSet<>();

  /** When slots became free in this decision, so that the next job's time follows from it. */
  private final PriorityQueue<Instant> freed = new PriorityQueue<>();

  Attempts(Deciding deciding, Progress progress) {
    this.d = deciding;
    this.progress = progress;
  }

  /** What is to be begun once the status is written. */
  List<Attempt> toBegin() {
    return List.copyOf(begin);
  }

  AttemptKey key(Position at, Active attempt) {
    Sent before = progress.sent(at, attempt);
    return new AttemptKey(
        before == null ? d.snapshot().workflow().uid() : before.uid(),
        Objects.requireNonNull(attempt.block()),
        at.index(),
        Objects.requireNonNull(attempt.attempt()));
  }

  private PlannedJob job(Position at) {
    return d.snapshot().plan().blocks().get(at.block()).job(at.index());
  }

  private boolean isSleep(Position at) {
    return JobTypes.SLEEP.equals(typeOf(at));
  }

  private @Nullable JobTypeSpec type(PlannedJob job) {
    return d.snapshot().jobTypes().find(job.type()).orElse(null);
  }

  /**
   * Puts what became of attempts into the progress. An attempt that waits for its time has no
   * outcome that is not told yet: that of an earlier send was, by a write whose answer was lost.
   */
  void applyOutcomes() {
    for (var entry : progress.attempts()) {
      if (entry.getValue().nextAttemptTime() != null) {
        continue;
      }
      Outcome outcome = d.snapshot().outcomes().get(key(entry.getKey(), entry.getValue()));
      if (outcome != null) {
        apply(entry.getKey(), entry.getValue(), outcome);
      }
    }
  }

  private void apply(Position at, Active attempt, Outcome outcome) {
    switch (outcome) {
      case Outcome.Succeeded succeeded -> {
        progress.active.remove(at);
        progress.succeed(at);
        ended(at, d.now());
      }
      case Outcome.Failed failed -> failedOnce(at, attempt, failed);
      case Outcome.Accepted accepted ->
          progress.active.put(at, attempt.withOperation(accepted.operation()));
      case Outcome.NotBegun notBegun ->
          progress.active.put(
              at,
              waiting(
                  attempt,
                  attempt.attempt(),
                  sends(attempt) - 1,
                  notBegun.retryAt(),
                  tries(attempt, notBegun.nextTry())));
      case Outcome.Cancelled cancelled -> {
        if (isOver()) {
          progress.active.remove(at);
          progress.earlier.remove(at);
        } else {
          failedOnce(at, attempt, new Outcome.Failed(Reasons.CANCELLED, "it was cancelled"));
        }
      }
      case Outcome.Unknown unknown -> unknownOnce(at, attempt, unknown);
    }
  }

  /** Whether whatever runs is to end. */
  private boolean isOver() {
    return d.isEnding()
        || d.snapshot().workflow().deleted() != null
        || (d.started() && d.stopSeen() != null);
  }

  private void failedOnce(Position at, Active attempt, Outcome.Failed failed) {
    PlannedJob job = job(at);
    JobTypeSpec type = type(job);
    int number = Objects.requireNonNull(attempt.attempt());
    AttemptRules rules = type == null ? null : AttemptRules.of(job.template(), type);
    if (failed.reach() == Reach.ATTEMPT && rules != null && number < rules.attempts()) {
      Instant next = d.now().plus(Backoff.delay(rules, key(at, attempt)));
      progress.active.put(
          at, waiting(attempt, number + 1, 0, Deciding.later(next, failed.retryAfter()), null));
      progress.earlier.remove(at);
      return;
    }
    progress.active.remove(at);
    progress.fail(at, attempt, failed.reason(), failed.message(), d.now());
    ended(at, d.now());
    if (failed.reach() == Reach.WORKFLOW) {
      d.end(
          Reasons.FATAL_FAILURE,
          "block %s: %s: %s: %s"
              .formatted(attempt.block(), job.name(), failed.reason(), failed.message()));
    }
  }

  /**
   * Repeated under the same attempt and key if that is safe and may help, else asked. Not once the
   * end is in status: it was asked to end, and this is what came of it.
   */
  private void unknownOnce(Position at, Active attempt, Outcome.Unknown unknown) {
    PlannedJob job = job(at);
    JobTypeSpec type = type(job);
    AttemptRules rules = type == null ? null : AttemptRules.of(job.template(), type);
    if (unknown.mayRepeat()
        && rules != null
        && rules.retrySafe()
        && sends(attempt) < MAX_SENDS
        && !d.wasEnding()) {
      Instant next = d.now().plus(Backoff.delay(rules, nthSend(at, attempt)));
      progress.active.put(
          at,
          waiting(
              attempt, attempt.attempt(), sends(attempt), next, tries(attempt, unknown.nextTry())));
      return;
    }
    progress.active.remove(at);
    progress.setUnknown(at, attempt, unknown.message(), d.now());
  }

  /** Sends under one key back off as attempts do. */
  private AttemptKey nthSend(Position at, Active attempt) {
    AttemptKey key = key(at, attempt);
    return new AttemptKey(key.uid(), key.block(), key.index(), sends(attempt));
  }

  /**
   * @param tries of the next send; null: the first
   */
  private static Active waiting(
      Active attempt,
      @Nullable Integer number,
      int sends,
      Instant nextAttemptTime,
      @Nullable Integer tries) {
    return new Active(
        attempt.block(),
        attempt.index(),
        number,
        sends > 0 ? attempt.startTime() : null,
        null,
        nextAttemptTime,
        Math.max(0, sends),
        null,
        tries);
  }

  private static @Nullable Integer tries(Active attempt, boolean next) {
    return next ? Integer.valueOf(tries(attempt) + 1) : attempt.tries();
  }

  private static int tries(Active attempt) {
    return Objects.requireNonNullElse(attempt.tries(), 1);
  }

  static int sends(Active attempt) {
    return Objects.requireNonNullElse(attempt.sends(), 0);
  }

  /** Ends the sleeps whose time has come. */
  void settleSleeps() {
    for (var entry : progress.attempts()) {
      Instant end = entry.getValue().deadline();
      if (end == null || entry.getValue().nextAttemptTime() != null || !isSleep(entry.getKey())) {
        continue;
      }
      if (end.isAfter(d.now())) {
        d.wakeAt(end);
        continue;
      }
      progress.active.remove(entry.getKey());
      progress.succeed(entry.getKey());
      ended(entry.getKey(), end);
    }
  }

  /** A job of the block has ended: times of the next batch and of the block follow from it. */
  private void ended(Position at, Instant time) {
    freed.add(time);
    BlockProgress block = progress.block(at.block());
    Instant latest = block.endTime == null ? time : Deciding.later(block.endTime, time);
    int size = block.plan.batchSize();
    int from = at.index() / size * size;
    int to = Math.min(from + size, block.plan.size());
    block.endTime = latest;
    if (block.nextNotEnded(from) >= to
        && to < block.plan.size()
        && block.plan.batch().isPresent()) {
      Integer pause = block.plan.batch().get().pauseSeconds();
      block.nextBatchTime = latest.plusSeconds(pause == null ? 0 : pause);
    }
  }

  /** A new block or batch: its jobs follow from its own beginning. */
  void forgetSlots() {
    freed.clear();
  }

  /** The time from which the next job is counted: when its slot became free, if that is known. */
  Instant slotTime(Instant otherwise) {
    Instant time = freed.poll();
    return time == null ? otherwise : time;
  }

  /**
   * Writes the intent of a job's attempt, and begins it once that is in status.
   *
   * @param time of a sleep's start; what is sent outside starts now
   */
  void intend(Position at, @Nullable Active waiting, Instant time) {
    PlannedJob job = job(at);
    JobTypeSpec type = Objects.requireNonNull(type(job));
    String block = d.snapshot().plan().blocks().get(at.block()).name();
    int attempt =
        waiting == null ? progress.firstAttempt(at) : Objects.requireNonNull(waiting.attempt());
    progress.starts++;
    if (JobTypes.SLEEP.equals(job.type())) {
      Instant end = time.plus(seconds(job.args().get("seconds")));
      progress.active.put(at, new Active(block, at.index(), attempt, time, end, null, 1, null));
      return;
    }
    AttemptRules rules = AttemptRules.of(job.template(), type);
    int sends = waiting == null ? 1 : sends(waiting) + 1;
    var active =
        new Active(
            block,
            at.index(),
            attempt,
            d.now(),
            d.now().plus(rules.timeout()),
            null,
            sends,
            null,
            type.container() != null
                ? Integer.valueOf(waiting == null ? 1 : tries(waiting))
                : null);
    progress.active.put(at, active);
    boolean again = sends > 1 || progress.sent(at, active) != null;
    begin(at, active, job, type, new Work.Send(again));
  }

  private static Duration seconds(@Nullable String text) {
    BigDecimal seconds = new BigDecimal(Objects.requireNonNullElse(text, "0"));
    return Duration.ofMillis(seconds.movePointRight(3).longValue());
  }

  /**
   * Takes up intents that nobody works on: the process that wrote them is gone. They are polled or
   * observed, never sent.
   */
  void resumeLost() {
    List<String> changed = d.changedJobTypes();
    takeUpLost(
        at -> canBeAsked(at, changed) ? d.snapshot().jobTypes().find(typeOf(at)) : Optional.empty(),
        operation -> operation == null ? new Work.Observe() : new Work.Poll(operation));
  }

  /**
   * @param as the job type by which it can be done about the attempt; empty: it cannot
   * @param work what is to be done about an attempt that was accepted as this operation, or null
   */
  private void takeUpLost(
      Function<Position, Optional<JobTypeSpec>> as, Function<@Nullable String, Work> work) {
    for (var entry : progress.active.entrySet()) {
      Active attempt = entry.getValue();
      Optional<JobTypeSpec> type = as.apply(entry.getKey());
      if (isLost(entry.getKey(), attempt) && type.isPresent()) {
        PlannedJob job = job(entry.getKey());
        begin(entry.getKey(), attempt, job, type.get(), work.apply(attempt.operation()));
      }
    }
  }

  /** Whether its intent is written, and nobody works on it: the process that did is gone. */
  private boolean isLost(Position at, Active attempt) {
    AttemptKey key = key(at, attempt);
    return attempt.nextAttemptTime() == null
        && !isSleep(at)
        && !begun.contains(key)
        && !d.snapshot().underWay().contains(key);
  }

  /** What an attempt looks like from outside is known from its job type as it was, and its item. */
  private boolean canBeAsked(Position at, List<String> changed) {
    String type = typeOf(at);
    return d.snapshot().jobTypes().find(type).isPresent()
        && !changed.contains(type)
        && d.snapshot().plan().blocks().get(at.block()).isKnown();
  }

  /**
   * What can be ended of an attempt. A container's Job is found by the attempt's key and the
   * workflow's uid, whatever has become of job type and item since. Where nobody can tell any more
   * what the job type was it may have been a container, and its Job is looked for.
   */
  private JobTypeSpec endedAs(Position at, List<String> changed) {
    Optional<JobTypeSpec> type = d.snapshot().jobTypes().find(typeOf(at));
    boolean container =
        type.map(JobTypeSpec::executor).map(JobTypeSpec.Executor::container).isPresent();
    return type.isPresent() && (container || canBeAsked(at, changed)) ? type.get() : A_CONTAINER;
  }

  private void begin(
      Position at, Active active, PlannedJob job, JobTypeSpec type, Attempt.Work work) {
    AttemptKey key = key(at, active);
    Sent before = progress.sent(at, active);
    String own = d.snapshot().workflow().name();
    begun.add(key);
    begin.add(
        new Attempt(
            key,
            new Attempt.Runner(own, d.snapshot().workflow().uid()),
            d.snapshot().workflow().namespace(),
            before == null ? own : before.workflow(),
            Objects.requireNonNullElse(d.snapshot().spec().type(), ""),
            d.armed(),
            job.type(),
            type,
            job.args(),
            Objects.requireNonNull(active.deadline()),
            tries(active),
            sends(active) > 1 || before != null,
            work));
  }

  // --- what a person knows

  void resolveSucceeded(Position at) {
    progress.clearUnknown(at);
    progress.succeed(at);
    ended(at, d.now());
  }

  void resolveFailed(Position at, String message) {
    Active unknown = unknown(at);
    progress.clearUnknown(at);
    progress.fail(at, unknown, Reasons.RESOLVED_AS_FAILED, message, d.now());
    ended(at, d.now());
  }

  /** The next attempt, whose number is returned: the one before is declared to be over. */
  int resolveRetry(Position at) {
    Active unknown = unknown(at);
    int next = Objects.requireNonNull(unknown.attempt()) + 1;
    progress.clearUnknown(at);
    progress.earlier.remove(at);
    progress.active.put(at, waiting(unknown, next, 0, d.now(), null));
    return next;
  }

  private Active unknown(Position at) {
    BlockProgress block = progress.block(at.block());
    return new Active(
        block.plan.name(),
        at.index(),
        block.unknownAttempt(at.index()),
        null,
        null,
        null,
        null,
        null);
  }

  /** How many attempts of these job types are begun and have not ended. */
  int underWayOf(List<String> jobTypes) {
    return (int)
        progress.active.entrySet().stream()
            .filter(entry -> entry.getValue().nextAttemptTime() == null)
            .filter(entry -> jobTypes.contains(typeOf(entry.getKey())))
            .count();
  }

  /**
   * Takes back what of these job types was sent, and would be sent once more under its key: the key
   * means nothing to another target. Sent by this workflow it is unknown from now on; of one that
   * only an earlier run has sent, {@link #keepJobTypesOfUnknown} says so.
   */
  void settleSentOf(List<String> jobTypes) {
    for (var entry : progress.attempts()) {
      Position at = entry.getKey();
      boolean sent = sends(entry.getValue()) > 0 || progress.sent(at, entry.getValue()) != null;
      if (sent && jobTypes.contains(typeOf(at))) {
        withdraw(at, entry.getValue());
      }
    }
  }

  /**
   * Keeps by which job type an attempt was sent whose outcome is unknown, before others take the
   * place of these: who continues this workflow may send it again under its key only to the same.
   */
  void keepJobTypesOfUnknown(List<String> jobTypes) {
    for (Position at : progress.toBeRepeated()) {
      if (jobTypes.contains(typeOf(at))) {
        giveUpRepeat(at, "its job type is not what it was");
      }
    }
    for (BlockProgress block : progress.all().toList()) {
      int position = block.plan.position();
      block.unknown.stream()
          .mapToObj(index -> new Position(position, index))
          .filter(at -> jobTypes.contains(typeOf(at)))
          .forEach(at -> progress.earlier.putIfAbsent(at, sentByThis(block, at)));
    }
  }

  private Sent sentByThis(BlockProgress block, Position at) {
    return new Sent(
        d.snapshot().workflow().name(),
        d.snapshot().workflow().uid(),
        block.unknownAttempt(at.index()),
        d.pinned(typeOf(at)));
  }

  /** What an earlier run sent, and was to be sent again, stays unknown. */
  private void giveUpRepeats() {
    progress.toBeRepeated().forEach(at -> giveUpRepeat(at, "this workflow ended before"));
  }

  private void giveUpRepeat(Position at, String why) {
    Sent sent = Objects.requireNonNull(progress.earlier.get(at));
    String block = d.snapshot().plan().blocks().get(at.block()).name();
    progress.setUnknown(
        at,
        new Active(block, at.index(), sent.attempt(), null, null, null, null, null),
        "sent by Workflow %s, which did not learn its outcome; it was not sent again: %s"
            .formatted(sent.workflow(), why),
        d.now());
  }

  String nameOf(Position at) {
    return d.snapshot().plan().blocks().get(at.block()).nameOf(at.index());
  }

  private String typeOf(Position at) {
    return d.snapshot().plan().blocks().get(at.block()).typeOf(at.index());
  }

  // --- ends

  /**
   * Ends whatever is under way: what was never begun is withdrawn, what runs is cancelled, and so
   * is what may run, though nobody knows; what does not end in time is unknown. What was left by a
   * process that is gone gets that time from now: its cancel request may never have been made,
   * however long ago the end began.
   */
  void letEverythingEnd() {
    boolean first = !d.wasEnding();
    List<String> changed = d.changedJobTypes();
    for (var entry : progress.attempts()) {
      Position at = entry.getKey();
      Active attempt = entry.getValue();
      if (isSleep(at)) {
        progress.active.remove(at);
      } else if (attempt.nextAttemptTime() != null) {
        endSent(at, attempt, changed);
      } else {
        Instant latest =
            isLost(at, attempt) ? d.now().plus(CANCEL_WITHIN) : latestEnd(at, attempt, first);
        if (!d.now().isBefore(latest.plus(GRACE))) {
          progress.active.remove(at);
          progress.setUnknown(
              at, attempt, "it did not end within the time it had after being cancelled", d.now());
        } else {
          if (!latest.equals(attempt.deadline())) {
            progress.active.put(at, attempt.withDeadline(latest));
          }
          d.cancelAll();
          d.wakeAt(latest.plus(GRACE));
        }
      }
    }
    giveUpRepeats();
    if (first) {
      endUnknown(changed);
    }
    takeUpLost(at -> Optional.of(endedAs(at, changed)), Work.End::new);
  }

  /**
   * An attempt that waits to be sent again: what an earlier send of it began may be under way. Not
   * before it is in status what became of the last send, which would be taken for what comes of
   * this.
   */
  private void endSent(Position at, Active attempt, List<String> changed) {
    if (sends(attempt) == 0 || !canBeEnded(at, changed)) {
      withdraw(at, attempt);
    } else if (isBeingTold(at, attempt)) {
      d.wakeAt(d.now());
    } else {
      toBeEnded(at, attempt, sends(attempt));
    }
  }

  /**
   * What nobody knows the outcome of may be under way too. What another run sent, or this one under
   * another job type, was asked to end then.
   */
  private void endUnknown(List<String> changed) {
    for (BlockProgress block : progress.all().toList()) {
      for (int index : block.unknown.stream().toArray()) {
        var at = new Position(block.plan.position(), index);
        Active attempt = unknown(at);
        if (!progress.earlier.containsKey(at)
            && canBeEnded(at, changed)
            && !isBeingTold(at, attempt)) {
          progress.clearUnknown(at);
          // How often it was sent nobody kept. Only that it is done can be learned of it now.
          toBeEnded(at, attempt, MAX_SENDS);
        }
      }
    }
  }

  private boolean isBeingTold(Position at, Active attempt) {
    return d.snapshot().outcomes().containsKey(key(at, attempt));
  }

  /** Whether there is a way to have it end: see {@link #endedAs}. */
  private boolean canBeEnded(Position at, List<String> changed) {
    JobTypeSpec.Executor executor = endedAs(at, changed).executor();
    return executor != null && (executor.http() == null || executor.http().cancel() != null);
  }

  /** From now on it is as if a process that is gone had left it under way. */
  private void toBeEnded(Position at, Active attempt, int sends) {
    progress.active.put(
        at,
        new Active(
            attempt.block(),
            attempt.index(),
            attempt.attempt(),
            attempt.startTime() == null ? d.now() : attempt.startTime(),
            d.now().plus(CANCEL_WITHIN),
            null,
            Math.max(1, sends),
            null,
            attempt.tries()));
    d.cancelAll();
    d.wakeAt(d.now().plus(CANCEL_WITHIN).plus(GRACE));
  }

  /**
   * What is worked on past its deadline is being ended just now, or the wall clock was set: it is
   * asked to end, and has the time for it.
   */
  private Instant latestEnd(Position at, Active attempt, boolean first) {
    Instant own = Objects.requireNonNull(attempt.deadline());
    if (!first) {
      return own;
    }
    Instant within = d.now().plus(CANCEL_WITHIN);
    boolean overdue = !own.isAfter(d.now()) && !isLost(at, attempt);
    return overdue ? within : Deciding.earlier(own, within);
  }

  /** Takes back attempts that wait for their time, or their turn. */
  void dropWaiting() {
    for (var entry : progress.attempts()) {
      if (entry.getValue().nextAttemptTime() != null) {
        withdraw(entry.getKey(), entry.getValue());
      }
    }
    giveUpRepeats();
  }

  /**
   * Sets unknown what nobody works on and nobody can be asked about once its time is over: its job
   * type is no longer what it was.
   */
  void giveUpUnreachable() {
    for (var entry : progress.attempts()) {
      Active attempt = entry.getValue();
      if (!isLost(entry.getKey(), attempt)) {
        continue;
      }
      Instant latest = Objects.requireNonNull(attempt.deadline()).plus(GRACE);
      if (latest.isAfter(d.now())) {
        d.wakeAt(latest);
      } else {
        progress.active.remove(entry.getKey());
        progress.setUnknown(
            entry.getKey(),
            attempt,
            "its job type or its item is not what it was, and nobody can be asked",
            d.now());
      }
    }
  }

  private void withdraw(Position at, Active attempt) {
    progress.active.remove(at);
    if (sends(attempt) > 0) {
      progress.setUnknown(at, attempt, "it was sent, and no answer came back", d.now());
    }
  }
}
