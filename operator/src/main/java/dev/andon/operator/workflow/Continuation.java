package dev.andon.operator.workflow;

import dev.andon.crds.Condition;
import dev.andon.crds.JobTypeSpec;
import dev.andon.crds.WorkflowStatus;
import dev.andon.crds.WorkflowStatus.Active;
import dev.andon.crds.WorkflowStatus.Continued;
import dev.andon.crds.WorkflowStatus.PinnedJobType;
import dev.andon.operator.ledger.Claim;
import dev.andon.operator.workflow.Progress.BlockProgress;
import dev.andon.operator.workflow.Progress.Position;
import dev.andon.operator.workflow.Progress.Reading;
import dev.andon.operator.workflow.Progress.Sent;
import dev.andon.plan.JobTypes;
import dev.andon.plan.Plan.PlannedBlock;
import dev.andon.plan.RecordName;
import dev.andon.plan.SpecHash;
import java.time.Instant;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Goes on where another run of the same spec ended. What that one did is taken over once, in the
 * write of the start; from then on this workflow knows it by itself, whatever becomes of the other.
 *
 * <table>
 *   <caption>What becomes of a job</caption>
 *   <tr><th>in the earlier run</th><th>in this one</th></tr>
 *   <tr><td>succeeded or skipped</td><td>skipped, if its job type says {@code onContinue: Skip}</td></tr>
 *   <tr><td>the same, and {@code Rerun}</td><td>run, as one that never was</td></tr>
 *   <tr><td>failed, cancelled, never begun</td><td>run, as one that never was</td></tr>
 *   <tr><td>unknown or under way</td><td>unknown, until a person resolves it; or, if its job type is
 *       {@code retrySafe} and the very one it was sent by, sent again under the key it had</td></tr>
 * </table>
 *
 * <p>Of the built-in ones, which have no {@code onContinue}: a token was taken for this work, and
 * is not taken again. A sleep waits for what comes before it to take effect, so that it is skipped
 * unless a job before it is run.
 *
 * <p>Pauses go on counting from where they began: a batch or a block that is to wait after what the
 * earlier run did last waits the rest of that time.
 */
final class Continuation {
  private static final Set<String> ON_CONTINUE = Set.of("Skip", "Rerun");

  private static final String OR_LIST = "or leave the field out and list the jobs that are left";

  private static final String LOOK =
      "look at what the jobs did, then leave the field out and list the jobs that are left";

  private Continuation() {}

  /**
   * Under which reason it is rejected for {@link #findings}: one that was created again under its
   * name, as it was, is a second run of the same whatever it continues.
   */
  static String reason(Snapshot snapshot) {
    return snapshot.earlier() instanceof EarlierRun.Found found
            && found.claim() instanceof Claim.Taken taken
            && taken.record().equals(record(snapshot))
        ? Reasons.DUPLICATE_RUN
        : Reasons.INVALID_SPEC;
  }

  private static String record(Snapshot snapshot) {
    return RecordName.of(
        snapshot.workflow().namespace(), snapshot.workflow().name(), snapshot.plan().specHash());
  }

  /** Why the workflow that is named cannot be continued; empty: it can, or nobody knows yet. */
  static List<String> findings(Snapshot snapshot) {
    return finding(snapshot)
        .map("spec.continueFrom: \"%s\": ".formatted(snapshot.spec().continueFrom())::concat)
        .stream()
        .toList();
  }

  private static Optional<String> finding(Snapshot snapshot) {
    return switch (snapshot.earlier()) {
      case EarlierRun.NotAsked notAsked -> Optional.empty();
      case EarlierRun.Unreadable unreadable -> Optional.empty();
      case EarlierRun.Missing missing ->
          Optional.of(
              "there is no such Workflow in namespace %s, and only its status could tell what was done; name one that is there, %s"
                  .formatted(snapshot.workflow().namespace(), OR_LIST));
      case EarlierRun.Found found -> Optional.ofNullable(wrongWith(found, snapshot));
    };
  }

  private static @Nullable String wrongWith(EarlierRun.Found found, Snapshot snapshot) {
    if (found.uid().equals(snapshot.workflow().uid())) {
      return "is this Workflow itself; name the one that ended before";
    }
    WorkflowStatus status = found.status();
    Condition finished =
        status == null
            ? null
            : Conditions.find(status.conditions(), Conditions.FINISHED)
                .filter(c -> "True".equals(c.status()))
                .orElse(null);
    if (status == null || finished == null) {
      return "has not finished (phase %s), and two would do the same work; wait until it has, or Cancel it, and create this one again under another name"
          .formatted(status == null ? "Pending" : status.phase());
    }
    List<String> differences = SpecHash.differences(found.spec(), snapshot.spec());
    if (!differences.isEmpty()) {
      return "asks for other work, in %s; take its spec as it is (runId, paused, description, requestedBy and deadlines may differ), %s"
          .formatted(String.join(", ", differences), OR_LIST);
    }
    if (Reasons.CORRUPT_STATUS.equals(finished.reason())) {
      return untrustworthy("it ended as CorruptStatus");
    }
    if (status.startTime() == null) {
      return "ended as %s and never started, so that its status tells nothing of what was done; name the run that did something, or leave the field out if there was none"
          .formatted(finished.reason());
    }
    if (!SpecHash.of(found.spec()).equals(status.specHash())) {
      return untrustworthy("status.specHash is not that of its spec");
    }
    String claimed = claimed(found.claim());
    if (claimed != null) {
      return claimed;
    }
    for (String type : snapshot.plan().jobTypes()) {
      String says = snapshot.jobTypes().find(type).map(JobTypeSpec::onContinue).orElse("Skip");
      if (!ON_CONTINUE.contains(says)) {
        return "job type %s says onContinue: \"%s\", which is neither Skip nor Rerun; set one of them"
            .formatted(type, says);
      }
    }
    // Without the items of a ConfigMap nobody knows how many jobs there are; it is held for them.
    return snapshot.plan().isComplete()
            && Progress.read(status, snapshot.plan()) instanceof Reading.Corrupt(String why)
        ? untrustworthy(why)
        : null;
  }

  private static @Nullable String claimed(Claim claim) {
    return switch (claim) {
      case Claim.Free free -> null;
      case Claim.Untold(String record, String why) ->
          "WorkflowRecord %s, which tells whether another has continued it already, %s; %s"
              .formatted(record, why, LOOK);
      case Claim.Taken(String other, String uid, String record, Claim.Standing standing) ->
          switch (standing) {
            case STARTED ->
                "Workflow %s has continued it already, and what that one did would be done once more; name %s, which knows what both did"
                    .formatted(other, other);
            case WAITS ->
                "Workflow %s is about to continue it, and two would do the same work; leave it to that one, or Cancel that one and create this one again under another name"
                    .formatted(other);
            case LOST, GONE ->
                "Workflow %s (uid %s) has continued it already and %s, so that nobody knows what both did; see WorkflowRecord %s. If another one has continued that one, name the latest; else %s"
                    .formatted(
                        other,
                        uid,
                        standing == Claim.Standing.GONE ? "is gone" : "has lost its status",
                        record,
                        LOOK);
          };
    };
  }

  private static String untrustworthy(String why) {
    return "its status cannot be trusted: %s; %s".formatted(why, LOOK);
  }

  /** What keeps a workflow from its start; null: nothing. */
  static @Nullable State beforeTheStart(Deciding d) {
    List<String> findings = findings(d.snapshot());
    if (!findings.isEmpty()) {
      // It could be continued when this one was accepted; it is gone, or another, since.
      d.refuse();
      return State.rejected(reason(d.snapshot()), String.join("; ", findings));
    }
    String name = d.snapshot().spec().continueFrom();
    if (name == null || name.isEmpty() || d.snapshot().earlier() instanceof EarlierRun.Found) {
      return null;
    }
    d.lookAgainLater();
    return State.waiting(
        Reasons.EARLIER_RUN_UNAVAILABLE,
        "spec.continueFrom: \"%s\" could not be read%s"
            .formatted(
                name,
                d.snapshot().earlier() instanceof EarlierRun.Unreadable(String why)
                    ? ": " + why
                    : " yet"));
  }

  /** Takes over what the earlier run did; null: there is none. */
  static @Nullable Continued takeOver(Snapshot snapshot, Progress into) {
    if (!(snapshot.earlier() instanceof EarlierRun.Found found)) {
      return null;
    }
    String name = Objects.requireNonNull(snapshot.spec().continueFrom());
    WorkflowStatus status = Objects.requireNonNull(found.status());
    Progress of = ((Reading.Sound) Progress.read(status, snapshot.plan())).progress();
    new TakingOver(snapshot, name, found.uid(), status.jobTypes(), of, into).run();
    return new Continued(name, found.uid());
  }

  private record TakingOver(
      Snapshot snapshot,
      String name,
      String uid,
      List<PinnedJobType> pinned,
      Progress of,
      Progress into) {

    void run() {
      boolean allDone = true;
      for (PlannedBlock planned : snapshot.plan().blocks()) {
        BlockProgress block = of.known(planned);
        if (block != null) {
          unknown(planned, block);
          allDone &= skip(planned, block, allDone);
        } else {
          allDone = false;
        }
      }
    }

    /**
     * @param allBefore whether nothing is left to do before this block
     * @return whether nothing is left to do in it
     */
    private boolean skip(PlannedBlock planned, BlockProgress block, boolean allBefore) {
      var done = (BitSet) block.succeeded.clone();
      done.or(block.skipped);
      boolean inOrder = planned.concurrency() == 1;
      boolean all = true;
      BlockProgress mine = null;
      for (int i = 0; i < planned.size(); i++) {
        boolean sleepIsOver = allBefore && (all || !inOrder);
        if (done.get(i) && isSkipped(planned.typeOf(i), sleepIsOver)) {
          mine = into.ahead(planned);
          mine.skip(i);
        } else {
          all = false;
        }
      }
      if (mine != null) {
        Instant now = snapshot.now();
        mine.endTime = earlier(block.endTime == null ? now : block.endTime, now);
        Integer pause = planned.batch().map(batch -> batch.pauseSeconds()).orElse(null);
        Instant latest = now.plusSeconds(pause == null ? 0 : pause);
        mine.nextBatchTime =
            block.nextBatchTime == null ? null : earlier(block.nextBatchTime, latest);
      }
      return all;
    }

    /** The clock may have been set, and a pause is never longer than it says. */
    private static Instant earlier(Instant time, Instant latest) {
      return Deciding.earlier(time, latest);
    }

    private boolean isSkipped(String type, boolean sleepIsOver) {
      if (JobTypes.SLEEP.equals(type)) {
        return sleepIsOver;
      }
      if (JobTypes.isBuiltIn(type)) {
        return true;
      }
      return snapshot.jobTypes().find(type).filter(JobTypeSpec::isSkippedOnContinue).isPresent();
    }

    private void unknown(PlannedBlock planned, BlockProgress block) {
      block.unknown.stream().forEach(i -> unknown(planned, i, block.unknownAttempt(i)));
      for (Map.Entry<Position, Active> entry : of.active.entrySet()) {
        Active attempt = entry.getValue();
        boolean mayHaveBeenSent = attempt.nextAttemptTime() == null || Attempts.sends(attempt) > 0;
        if (entry.getKey().block() == planned.position() && mayHaveBeenSent) {
          unknown(planned, entry.getKey().index(), Objects.requireNonNull(attempt.attempt()));
        }
      }
      of.toBeRepeated().stream()
          .filter(at -> at.block() == planned.position())
          .forEach(at -> unknown(planned, at.index(), of.firstAttempt(at)));
    }

    private void unknown(PlannedBlock planned, int index, int attempt) {
      String type = planned.typeOf(index);
      var at = new Position(planned.position(), index);
      var sought = new Active(planned.name(), index, attempt, null, null, null, null, null);
      Sent sent = of.sent(at, sought);
      if (sent == null) {
        sent = new Sent(name, uid, attempt, pinned(type));
      }
      into.ahead(planned);
      into.earlier.put(at, sent);
      if (!mayBeRepeated(type, sent)) {
        into.setUnknown(
            at,
            sought,
            "it was sent by Workflow %s, which ended before its outcome was known"
                .formatted(sent.workflow()),
            snapshot.now());
      }
    }

    /** A key means nothing to another target than the one it was sent to. */
    private boolean mayBeRepeated(String type, Sent sent) {
      boolean retrySafe =
          snapshot.jobTypes().find(type).map(JobTypeSpec::isRetrySafe).orElse(false);
      return retrySafe
          && (JobTypes.isBuiltIn(type)
              || (sent.jobType() != null
                  && sent.jobType().equals(snapshot.jobTypeVersions().get(type))));
    }

    private @Nullable PinnedJobType pinned(String type) {
      return pinned.stream().filter(p -> type.equals(p.name())).findFirst().orElse(null);
    }
  }
}
