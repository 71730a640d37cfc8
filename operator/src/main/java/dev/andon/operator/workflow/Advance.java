package dev.andon.operator.workflow;

import dev.andon.crds.WorkflowStatus.Active;
import dev.andon.operator.execution.Executions.Wait;
import dev.andon.operator.stop.StopView;
import dev.andon.operator.workflow.Progress.BlockProgress;
import dev.andon.operator.workflow.Progress.Position;
import dev.andon.operator.workflow.Snapshot.Pace;
import dev.andon.plan.JobTypes;
import dev.andon.plan.Plan.PlannedBlock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Lets a started workflow go on: the next block, the next batch, retries, new jobs, as far as
 * nothing holds it and concurrency, pauses and pace allow.
 */
final class Advance {
  /**
   * A job's time follows from the end of the one before, not from when that was noticed; but no
   * further back than this, or a workflow would make up for the time its operator was down.
   */
  private static final Duration LONGEST_LAG = Duration.ofSeconds(1);

  private final Deciding d;
  private final Progress progress;
  private final Map<String, Integer> sendsLeft = new HashMap<>();
  private final boolean wentOnBefore;

  /** Of jobs that were not begun. */
  private static final int MOST_TOLD = 3;

  /** The job type whose target is left alone for a while, if there is one. */
  private @Nullable String circuitOpen;

  private Advance(Deciding d) {
    this.d = d;
    this.progress = d.progress();
    var status = d.snapshot().status();
    this.wentOnBefore =
        status == null || status.startTime() == null || "Running".equals(status.phase());
  }

  static State of(Deciding d) {
    return new Advance(d).advance();
  }

  private State advance() {
    d.attempts().resumeLost();
    d.attempts().giveUpUnreachable();
    State hold = hold();
    boolean moved;
    do {
      moved = false;
      d.attempts().settleSleeps();
      if (hold == null && progress.current().isPresent()) {
        PlannedBlock block = progress.current().get();
        if (mayBegin(block)) {
          if (nothingBegun(block) && !d.allowedByPolicies()) {
            hold = State.held(Reasons.POLICY_DENIED, d.policyMessage());
          } else {
            moved = startJobs(block);
          }
        }
      }
    } while (moved);
    if (progress.current().isEmpty()) {
      return complete();
    }
    if (hold != null) {
      return hold;
    }
    if (circuitOpen != null && progress.running() == 0) {
      return State.held(
          Reasons.CIRCUIT_OPEN,
          "the target of job type %s failed too often, or does not answer; it is tried again in a while, and no attempt is used up%s"
              .formatted(circuitOpen, waits()));
    }
    return State.running(message());
  }

  private State complete() {
    int failed = progress.failed();
    return failed == 0
        ? State.complete(Reasons.COMPLETE, "all %d jobs ended".formatted(progress.ended()))
        : State.complete(
            Reasons.COMPLETED_WITH_FAILURES,
            "%d of %d jobs failed, within the budget%s"
                .formatted(failed, progress.ended(), d.firstFailure()));
  }

  private String message() {
    PlannedBlock block = progress.current().orElseThrow();
    int ended = progress.begun(block) ? progress.block(block.position()).ended() : 0;
    return "block %s: %d of %d jobs ended%s".formatted(block.name(), ended, block.size(), waits());
  }

  /** Which jobs wait for something outside, and what that is. */
  private String waits() {
    return told(false, "%s not begun when last tried, and no attempt used", "was", "were")
        + told(true, "%s not get on", "does", "do");
  }

  private String told(boolean begun, String text, String one, String many) {
    List<String> told =
        progress.active.entrySet().stream()
            .map(
                entry -> {
                  Wait wait =
                      d.snapshot().waits().get(d.attempts().key(entry.getKey(), entry.getValue()));
                  return wait == null || wait.begun() != begun
                      ? null
                      : d.attempts().nameOf(entry.getKey()) + ": " + wait.why();
                })
            .filter(Objects::nonNull)
            .toList();
    String jobs = told.size() == 1 ? "1 job " + one : "%d jobs %s".formatted(told.size(), many);
    return told.isEmpty()
        ? ""
        : "; %s: %s%s"
            .formatted(
                text.formatted(jobs),
                told.stream().limit(MOST_TOLD).collect(Collectors.joining("; ")),
                told.size() > MOST_TOLD ? "; …" : "");
  }

  /** Why nothing may be sent, the stop first. */
  private @Nullable State hold() {
    if (d.snapshot().stop() instanceof StopView.NotVisible notVisible) {
      d.lookAgainAtTheStop();
      return State.held(
          Reasons.STOP_UNKNOWN,
          "it is not known whether ConfigMap emergency-stop of namespace andon-stop stops it: "
              + notVisible.why());
    }
    if (d.paused()) {
      return State.held(Reasons.PAUSED, d.pausedMessage());
    }
    if (progress.unknown() > 0) {
      return State.held(
          Reasons.UNKNOWN_OUTCOME,
          "nothing more is sent until a person has looked, and a WorkflowAction Resolve with %s says what became of them%s"
              .formatted(d.toResolve(), d.unknownJobs()));
    }
    State changed = JobTypeChange.hold(d);
    return changed != null ? changed : ItemsChange.hold(d);
  }

  /** Whether the block, and its next batch, may begin by the clock; wakes up when they may. */
  private boolean mayBegin(PlannedBlock block) {
    Instant readyAt = readyAt(block);
    if (readyAt.isAfter(d.now())) {
      d.wakeAt(readyAt);
      return false;
    }
    return true;
  }

  private Instant readyAt(PlannedBlock block) {
    BlockProgress known = progress.known(block);
    // Of a block that has not begun: when an earlier run let the next batch begin.
    Instant nextBatch =
        known != null && nothingBegun(known) && !known.complete() ? known.nextBatchTime : null;
    if (progress.begun(block)) {
      return nextBatch == null ? Instant.MIN : nextBatch;
    }
    if (block.position() == 0) {
      return Deciding.later(d.startTime(), nextBatch);
    }
    BlockProgress before = progress.block(block.position() - 1);
    Instant ended = before.endTime == null ? d.now() : before.endTime;
    return Deciding.later(ended.plusSeconds(before.plan.pauseAfterSeconds()), nextBatch);
  }

  /** Whether no job of the block's current batch has begun. */
  private boolean nothingBegun(PlannedBlock block) {
    return !progress.begun(block) || nothingBegun(progress.block(block.position()));
  }

  private boolean nothingBegun(BlockProgress block) {
    int position = block.plan.position();
    Window window = window(block);
    Position next = progress.active.ceilingKey(new Position(position, window.from()));
    return !block.anyEnded(window.from(), window.to())
        && (next == null || next.block() != position || next.index() >= window.to());
  }

  /** The jobs of the batch under way, or of the next: from (included) to (excluded). */
  private record Window(int from, int to) {}

  private static Window window(BlockProgress block) {
    int size = block.plan.batchSize();
    int from = block.nextNotEnded(0) / size * size;
    return new Window(from, Math.min(from + size, block.plan.size()));
  }

  private boolean startJobs(PlannedBlock planned) {
    Instant readyAt = readyAt(planned);
    boolean first = nothingBegun(planned);
    boolean begins = !progress.begun(planned);
    BlockProgress block =
        progress.begun(planned)
            ? progress.block(planned.position())
            : progress.begin(planned, follows(readyAt));
    if (first) {
      d.attempts().forgetSlots();
    }
    Window window = window(block);
    // Of a block that an earlier run had done there is nothing left to begin.
    boolean moved = begins && block.complete();
    int slots = planned.concurrency();
    int running = progress.running();
    for (var entry : progress.attempts()) {
      if (entry.getKey().block() != planned.position()) {
        continue; // a person had it tried again, and its block has yet to begin
      }
      slots--;
      Active attempt = entry.getValue();
      Instant due = attempt.nextAttemptTime();
      // There may be more than may run: a person can have had many tried again.
      if (due != null
          && !due.isAfter(d.now())
          && running < planned.concurrency()
          && paced(entry.getKey())) {
        d.attempts().intend(entry.getKey(), attempt, d.now());
        running++;
        moved = true;
      }
    }
    int next = block.nextNotEnded(window.from());
    for (int i = next; i < window.to() && slots > 0; i = block.nextNotEnded(i + 1)) {
      Position at = new Position(planned.position(), i);
      if (progress.active.containsKey(at) || !paced(at)) {
        continue;
      }
      d.attempts().intend(at, null, follows(first ? readyAt : d.attempts().slotTime(d.now())));
      slots--;
      moved = true;
    }
    return moved;
  }

  /** The time a job starts that could have started at {@code time}. */
  private Instant follows(Instant time) {
    boolean soon = time.plus(LONGEST_LAG).isAfter(d.now());
    return wentOnBefore && soon ? time : d.now();
  }

  /** Whether a send of the job's type may begin now; takes one of those that may. */
  private boolean paced(Position at) {
    String type = progress.plan.blocks().get(at.block()).typeOf(at.index());
    if (JobTypes.SLEEP.equals(type)) {
      return true;
    }
    Pace pace = d.snapshot().pace().getOrDefault(type, Pace.UNLIMITED);
    Instant open = pace.circuitOpenUntil();
    if (open != null && open.isAfter(d.now())) {
      circuitOpen = type;
      d.wakeAt(open);
      return false;
    }
    int left = sendsLeft.getOrDefault(type, pace.sendsLeft());
    if (left <= 0) {
      d.wakeAt(pace.nextSend() == null ? d.now().plusSeconds(1) : pace.nextSend());
      return false;
    }
    sendsLeft.put(type, left - 1);
    return true;
  }
}
