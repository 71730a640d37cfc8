package dev.andon.operator.workflow;

import dev.andon.crds.Timestamp;
import dev.andon.crds.WorkflowStatus;
import dev.andon.crds.WorkflowStatus.Active;
import dev.andon.crds.WorkflowStatus.BlockStatus;
import dev.andon.crds.WorkflowStatus.EarlierAttempt;
import dev.andon.crds.WorkflowStatus.Failure;
import dev.andon.crds.WorkflowStatus.JobCounts;
import dev.andon.crds.WorkflowStatus.PinnedJobType;
import dev.andon.crds.WorkflowStatus.UnknownAttempts;
import dev.andon.plan.IndexSet;
import dev.andon.plan.Plan;
import dev.andon.plan.Plan.PlannedBlock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * How far the jobs are: read from status, moved on by one decision, written back. Belongs to one
 * decision, and is never shared.
 */
final class Progress {
  /** Where failures are told in detail; beyond it they are counted only. */
  static final int FAILURES_KEPT = 20;

  private static final int MAX_MESSAGE = 256;

  /** A job by the position of its block and its index in it. */
  record Position(int block, int index) implements Comparable<Position> {
    @Override
    public int compareTo(Position other) {
      return block != other.block
          ? Integer.compare(block, other.block)
          : Integer.compare(index, other.index);
    }
  }

  /**
   * By whom a job's last attempt was sent, whose outcome nobody knows. It is part of the key.
   *
   * @param workflow name of that workflow
   * @param uid of that workflow
   * @param attempt its number
   * @param jobType by which it was sent; null: one that is built in
   */
  record Sent(String workflow, String uid, int attempt, @Nullable PinnedJobType jobType) {}

  /** A block that has begun, or of which an earlier run has done something. */
  static final class BlockProgress {
    final PlannedBlock plan;
    final BitSet succeeded;
    final BitSet failed;
    final BitSet skipped;
    final BitSet unknown;

    /** Unknown jobs by the number of the attempt that is, where it was not the first. */
    final TreeMap<Integer, BitSet> unknownAttempts = new TreeMap<>();

    /** Succeeded, failed and skipped together: a job whose outcome is unknown has not ended. */
    private final BitSet ended = new BitSet();

    @Nullable Instant startTime;
    @Nullable Instant nextBatchTime;
    @Nullable Instant endTime;

    BlockProgress(PlannedBlock plan) {
      this(plan, new BitSet(), new BitSet(), new BitSet(), new BitSet());
    }

    private BlockProgress(
        PlannedBlock plan, BitSet succeeded, BitSet failed, BitSet skipped, BitSet unknown) {
      this.plan = plan;
      this.succeeded = succeeded;
      this.failed = failed;
      this.skipped = skipped;
      this.unknown = unknown;
      ended.or(succeeded);
      ended.or(failed);
      ended.or(skipped);
    }

    void succeed(int index) {
      succeeded.set(index);
      ended.set(index);
    }

    void skip(int index) {
      skipped.set(index);
      ended.set(index);
    }

    private void fail(int index) {
      failed.set(index);
      ended.set(index);
    }

    boolean ended(int index) {
      return ended.get(index);
    }

    /** Number of jobs that have ended. */
    int ended() {
      return ended.cardinality();
    }

    boolean complete() {
      return ended.nextClearBit(0) >= plan.size();
    }

    /** The first job from {@code from} on that has not ended. */
    int nextNotEnded(int from) {
      return ended.nextClearBit(from);
    }

    /** Whether any job from {@code from} (included) to {@code to} (excluded) has ended. */
    boolean anyEnded(int from, int to) {
      int first = ended.nextSetBit(from);
      return first >= 0 && first < to;
    }

    /** Number of the attempt whose outcome is unknown. */
    int unknownAttempt(int index) {
      return unknownAttempts.entrySet().stream()
          .filter(entry -> entry.getValue().get(index))
          .map(Map.Entry::getKey)
          .findFirst()
          .orElse(1);
    }

    private void setUnknown(int index, int attempt) {
      unknown.set(index);
      if (attempt > 1) {
        unknownAttempts.computeIfAbsent(attempt, number -> new BitSet()).set(index);
      }
    }

    private void clearUnknown(int index) {
      unknown.clear(index);
      unknownAttempts.values().forEach(indexes -> indexes.clear(index));
      unknownAttempts.values().removeIf(BitSet::isEmpty);
    }

    private Stream<BitSet> sets() {
      return Stream.of(succeeded, failed, skipped, unknown);
    }

    private BlockStatus status() {
      return new BlockStatus(
          plan.name(),
          plan.size(),
          IndexSet.of(succeeded).toString(),
          IndexSet.of(failed).toString(),
          IndexSet.of(skipped).toString(),
          IndexSet.of(unknown).toString(),
          startTime,
          nextBatchTime,
          endTime,
          unknownAttempts.entrySet().stream()
              .map(
                  entry ->
                      new UnknownAttempts(entry.getKey(), IndexSet.of(entry.getValue()).toString()))
              .toList());
    }
  }

  /** What reading a status comes to. */
  sealed interface Reading {
    record Sound(Progress progress) implements Reading {}

    /** The status cannot be true; {@code finding} says why. Nothing is ever guessed from it. */
    record Corrupt(String finding) implements Reading {}
  }

  final Plan plan;

  /** Those that have begun. */
  final List<BlockProgress> blocks = new ArrayList<>();

  /** Of those that have not: where a run that this one continues has done something. */
  private final TreeMap<Integer, BlockProgress> ahead = new TreeMap<>();

  final TreeMap<Position, Active> active = new TreeMap<>();

  /**
   * Jobs whose last attempt was sent by a run that this one continues, or under a job type as it
   * was, until it is known what became of it. Those that are not unknown are to be sent again,
   * under the same key.
   */
  final TreeMap<Position, Sent> earlier = new TreeMap<>();

  final List<Failure> failures = new ArrayList<>();
  int starts;

  private Progress(Plan plan) {
    this.plan = plan;
  }

  static Reading read(@Nullable WorkflowStatus status, Plan plan) {
    var progress = new Progress(plan);
    if (status == null) {
      return new Reading.Sound(progress);
    }
    try {
      progress.take(status);
      return new Reading.Sound(progress);
    } catch (CorruptStatus e) {
      return new Reading.Corrupt(Objects.requireNonNull(e.getMessage()));
    }
  }

  private void take(WorkflowStatus status) {
    starts = Objects.requireNonNullElse(status.starts(), 0);
    require(starts >= 0, "status.starts: %d is negative", starts);
    readable("status.startTime", status.startTime());
    readable("status.completionTime", status.completionTime());
    failures.addAll(status.failures());
    require(
        status.blocks().size() <= plan.blocks().size(),
        "status.blocks: %d blocks, but spec has %d",
        status.blocks().size(),
        plan.blocks().size());
    boolean continues = status.continued() != null;
    for (BlockStatus block : status.blocks()) {
      int position = blocks.size() + ahead.size();
      BlockProgress read =
          block("status.blocks[" + position + "]", block, plan.blocks().get(position));
      if (continues && read.startTime == null) {
        ahead.put(position, read);
        continue;
      }
      require(
          ahead.isEmpty(),
          "status.blocks[%d].startTime: is there, but not of the one before",
          position);
      blocks.add(read);
    }
    for (int i = 0; i + 1 < blocks.size(); i++) {
      require(
          blocks.get(i).complete(),
          "status.blocks[%d]: a later block has begun, but %d of its %d jobs have ended",
          i,
          blocks.get(i).ended(),
          blocks.get(i).plan.size());
    }
    for (int i = 0; i < status.active().size(); i++) {
      active("status.active[" + i + "]", status.active().get(i));
    }
    // Of a run that continues another, jobs can have ended by a person's word alone.
    require(
        starts > 0
            || (running() == 0
                && (continues
                    || (active.isEmpty() && blocks.stream().allMatch(b -> b.ended() == 0)))),
        "status.starts: is 0, but jobs have begun");
    for (int i = 0; i < status.earlierAttempts().size(); i++) {
      earlier("status.earlierAttempts[" + i + "]", status.earlierAttempts().get(i));
    }
  }

  private void earlier(String path, EarlierAttempt attempt) {
    PlannedBlock planned = plan.block(attempt.block()).orElse(null);
    BlockProgress block = planned == null ? null : known(planned);
    if (planned == null || block == null) {
      throw new CorruptStatus(
          "%s.block: \"%s\" is not in status.blocks".formatted(path, attempt.block()));
    }
    if (attempt.attempt() == null || attempt.attempt() < 1) {
      throw new CorruptStatus(
          "%s.attempt: %s; attempts count from 1".formatted(path, attempt.attempt()));
    }
    String workflow = Objects.requireNonNullElse(attempt.workflow(), "");
    String uid = Objects.requireNonNullElse(attempt.uid(), "");
    if (workflow.isBlank() || uid.isBlank()) {
      throw new CorruptStatus("%s: has no workflow and uid".formatted(path));
    }
    var sent = new Sent(workflow, uid, attempt.attempt(), attempt.jobType());
    BitSet indexes = set(path + ".indexes", attempt.indexes(), planned);
    require(!indexes.isEmpty(), "%s.indexes: there is none", path);
    for (int i = indexes.nextSetBit(0); i >= 0; i = indexes.nextSetBit(i + 1)) {
      var at = new Position(planned.position(), i);
      Active now = active.get(at);
      boolean unknownAsAnother = block.unknown.get(i) && block.unknownAttempt(i) != sent.attempt();
      boolean activeAsAnother = now != null && !Objects.equals(now.attempt(), sent.attempt());
      require(!block.ended(i), "%s: job %d has ended already", path, i);
      require(
          !unknownAsAnother && !activeAsAnother,
          "%s.attempt: %d, but job %d is at another",
          path,
          sent.attempt(),
          i);
      require(earlier.put(at, sent) == null, "%s: job %d is there twice", path, i);
    }
  }

  private BlockProgress block(String path, BlockStatus status, PlannedBlock planned) {
    require(
        planned.name().equals(status.name()),
        "%s.name: \"%s\", but spec has \"%s\"",
        path,
        status.name(),
        planned.name());
    require(
        status.total() != null && status.total() == planned.size(),
        "%s.total: %s, but spec has %d jobs",
        path,
        status.total(),
        planned.size());
    var block =
        new BlockProgress(
            planned,
            set(path + ".succeeded", status.succeeded(), planned),
            set(path + ".failed", status.failed(), planned),
            set(path + ".skipped", status.skipped(), planned),
            set(path + ".unknown", status.unknown(), planned));
    var union = new BitSet();
    block.sets().forEach(union::or);
    require(
        union.cardinality() == block.sets().mapToInt(BitSet::cardinality).sum(),
        "%s: a job is in more than one of succeeded, failed, skipped and unknown",
        path);
    unknownAttempts(path, status, block);
    block.startTime = readable(path + ".startTime", status.startTime());
    block.nextBatchTime = readable(path + ".nextBatchTime", status.nextBatchTime());
    block.endTime = readable(path + ".endTime", status.endTime());
    require(
        !block.complete() || block.endTime != null, "%s.endTime: is missing, all jobs ended", path);
    return block;
  }

  private static void unknownAttempts(String path, BlockStatus status, BlockProgress block) {
    var seen = new BitSet();
    for (UnknownAttempts attempts : status.unknownAttempts()) {
      Integer number = attempts.attempt();
      if (number == null || number < 2) {
        throw new CorruptStatus(
            "%s.unknownAttempts: %s; the first has no entry".formatted(path, number));
      }
      BitSet indexes = set(path + ".unknownAttempts", attempts.indexes(), block.plan);
      var outside = (BitSet) indexes.clone();
      outside.andNot(block.unknown);
      require(
          !indexes.isEmpty() && outside.isEmpty() && !seen.intersects(indexes),
          "%s.unknownAttempts: \"%s\" are not unknown jobs, each once",
          path,
          attempts.indexes());
      seen.or(indexes);
      require(
          block.unknownAttempts.put(number, indexes) == null,
          "%s.unknownAttempts: attempt %d is there twice",
          path,
          number);
    }
  }

  private static BitSet set(String path, @Nullable String text, PlannedBlock planned) {
    Optional<IndexSet> set = IndexSet.parse(text);
    require(set.isPresent(), "%s: \"%s\" are not canonical ranges such as 0-14,17", path, text);
    IndexSet indexes = set.orElseThrow();
    require(
        indexes.length() <= planned.size(),
        "%s: index %d, but the block has %d jobs",
        path,
        indexes.length() - 1,
        planned.size());
    return indexes.toBitSet();
  }

  private void active(String path, Active attempt) {
    BlockProgress block = plan.block(attempt.block()).map(this::known).orElse(null);
    if (block == null || (isIntent(attempt) && !begun(block.plan))) {
      throw new CorruptStatus("%s.block: \"%s\" has not begun".formatted(path, attempt.block()));
    }
    Integer index = attempt.index();
    if (index == null || index < 0 || index >= block.plan.size()) {
      throw new CorruptStatus(
          "%s.index: %s, but the block has %d jobs".formatted(path, index, block.plan.size()));
    }
    require(
        !block.ended(index) && !block.unknown.get(index),
        "%s: job %d has ended already",
        path,
        index);
    require(
        attempt.attempt() != null && attempt.attempt() >= 1,
        "%s.attempt: %s; attempts count from 1",
        path,
        attempt.attempt());
    require(
        attempt.sends() == null || attempt.sends() >= 0,
        "%s.sends: %s is negative",
        path,
        attempt.sends());
    require(
        attempt.tries() == null || attempt.tries() >= 1,
        "%s.tries: %s; tries count from 1",
        path,
        attempt.tries());
    readable(path + ".startTime", attempt.startTime());
    readable(path + ".deadline", attempt.deadline());
    readable(path + ".nextAttemptTime", attempt.nextAttemptTime());
    require(
        attempt.nextAttemptTime() != null
            || (attempt.startTime() != null && attempt.deadline() != null),
        "%s: has neither nextAttemptTime nor startTime and deadline",
        path);
    require(
        active.put(new Position(block.plan.position(), index), attempt) == null,
        "%s: job %d of block %s is there twice",
        path,
        index,
        block.plan.name());
  }

  private static boolean isIntent(Active attempt) {
    return attempt.nextAttemptTime() == null;
  }

  private static @Nullable Instant readable(String path, @Nullable Instant time) {
    require(!Timestamp.UNREADABLE.equals(time), "%s: is no time", path);
    return time;
  }

  private static void require(boolean holds, String format, @Nullable Object... values) {
    if (!holds) {
      throw new CorruptStatus(String.format(format, values));
    }
  }

  /** Never leaves this class. */
  private static final class CorruptStatus extends RuntimeException {
    CorruptStatus(String message) {
      super(message, null, false, false);
    }
  }

  /** The block that is under way or comes next; empty once all are complete. */
  Optional<PlannedBlock> current() {
    int next = blocks.isEmpty() || blocks.getLast().complete() ? blocks.size() : blocks.size() - 1;
    return next < plan.blocks().size() ? Optional.of(plan.blocks().get(next)) : Optional.empty();
  }

  /** Whether the block has begun. */
  boolean begun(PlannedBlock block) {
    return block.position() < blocks.size();
  }

  /** One that has begun, or of which an earlier run has done something. */
  BlockProgress block(int position) {
    return position < blocks.size()
        ? blocks.get(position)
        : Objects.requireNonNull(ahead.get(position));
  }

  /** The same; null if nothing is known of it. */
  @Nullable BlockProgress known(PlannedBlock block) {
    return begun(block) ? blocks.get(block.position()) : ahead.get(block.position());
  }

  /** All of which something is known, in order. */
  Stream<BlockProgress> all() {
    return Stream.concat(blocks.stream(), ahead.values().stream());
  }

  BlockProgress begin(PlannedBlock block, Instant time) {
    BlockProgress before = ahead.remove(block.position());
    var begun = before == null ? new BlockProgress(block) : before;
    begun.startTime = time;
    blocks.add(begun);
    return begun;
  }

  /** A block that has not begun, to put into it what an earlier run did. */
  BlockProgress ahead(PlannedBlock block) {
    return ahead.computeIfAbsent(block.position(), position -> new BlockProgress(block));
  }

  int ended() {
    return all().mapToInt(BlockProgress::ended).sum();
  }

  int failed() {
    return all().mapToInt(b -> b.failed.cardinality()).sum();
  }

  int unknown() {
    return all().mapToInt(b -> b.unknown.cardinality()).sum();
  }

  /** The number of the attempt that a job begins with. */
  int firstAttempt(Position at) {
    Sent sent = earlier.get(at);
    return sent == null ? 1 : sent.attempt();
  }

  /** Who first sent this attempt of a job, where that is not this workflow itself. */
  @Nullable Sent sent(Position at, Active attempt) {
    Sent sent = earlier.get(at);
    return sent != null && Objects.equals(attempt.attempt(), sent.attempt()) ? sent : null;
  }

  /** Jobs whose last attempt is to be sent again, as soon as it is their turn. */
  List<Position> toBeRepeated() {
    return earlier.keySet().stream()
        .filter(at -> !active.containsKey(at) && !block(at.block()).unknown.get(at.index()))
        .toList();
  }

  /**
   * What is active now, in order; stays as it is while attempts end. Not the map's own entries:
   * when one of a TreeMap is removed, another may take over its place, and then names another job.
   */
  List<Map.Entry<Position, Active>> attempts() {
    return active.entrySet().stream().map(Map.Entry::copyOf).toList();
  }

  /** Intents under way, as far as status knows. */
  int running() {
    return (int) active.values().stream().filter(a -> a.nextAttemptTime() == null).count();
  }

  /** The first block with more failures than it may have, or with which the workflow has. */
  Optional<BlockProgress> overBudget() {
    int allowed = plan.maxFailures().orElse(Integer.MAX_VALUE);
    boolean workflow = failed() > allowed;
    return all()
        .filter(b -> b.failed.cardinality() > b.plan.maxFailures())
        .findFirst()
        .or(() -> workflow ? all().reduce((first, last) -> last) : Optional.empty());
  }

  void succeed(Position at) {
    block(at.block()).succeed(at.index());
    earlier.remove(at);
  }

  void fail(Position at, Active attempt, String reason, String message, Instant time) {
    block(at.block()).fail(at.index());
    earlier.remove(at);
    tell(at, attempt, reason, message, time);
  }

  /**
   * The job's outcome is unknown: it is neither run again nor counted until a person resolves it.
   */
  void setUnknown(Position at, Active attempt, String message, Instant time) {
    block(at.block()).setUnknown(at.index(), Objects.requireNonNullElse(attempt.attempt(), 1));
    tell(at, attempt, Reasons.UNKNOWN_OUTCOME, message, time);
  }

  /** A person knows what became of it; what was told of it as unknown is told no more. */
  void clearUnknown(Position at) {
    BlockProgress block = block(at.block());
    block.clearUnknown(at.index());
    failures.removeIf(failure -> tellsOfUnknown(failure, at));
  }

  /** When the job became unknown; null where that is not kept. */
  @Nullable Instant unknownSince(Position at) {
    return failures.stream()
        .filter(failure -> tellsOfUnknown(failure, at))
        .map(Failure::time)
        .filter(Objects::nonNull)
        .findFirst()
        .orElse(null);
  }

  private boolean tellsOfUnknown(Failure failure, Position at) {
    return Reasons.UNKNOWN_OUTCOME.equals(failure.reason())
        && block(at.block()).plan.name().equals(failure.block())
        && Objects.equals(failure.index(), at.index());
  }

  private void tell(Position at, Active attempt, String reason, String message, Instant time) {
    if (failures.size() < FAILURES_KEPT) {
      failures.add(
          new Failure(
              attempt.block(),
              at.index(),
              plan.blocks().get(at.block()).nameOf(at.index()),
              attempt.attempt(),
              reason,
              Conditions.cut(message, MAX_MESSAGE),
              time));
    }
  }

  List<BlockStatus> blockStatuses() {
    List<BlockStatus> statuses = new ArrayList<>();
    blocks.forEach(block -> statuses.add(block.status()));
    int last = ahead.isEmpty() ? -1 : ahead.lastKey();
    for (int i = blocks.size(); i <= last; i++) {
      statuses.add(ahead(plan.blocks().get(i)).status());
    }
    return List.copyOf(statuses);
  }

  /** Each {@link Sent} with its jobs. */
  List<EarlierAttempt> earlierAttempts() {
    Map<Integer, Map<Sent, BitSet>> byBlock = new TreeMap<>();
    earlier.forEach(
        (at, sent) ->
            byBlock
                .computeIfAbsent(at.block(), block -> new LinkedHashMap<>())
                .computeIfAbsent(sent, key -> new BitSet())
                .set(at.index()));
    List<EarlierAttempt> attempts = new ArrayList<>();
    byBlock.forEach(
        (block, bySent) ->
            bySent.forEach(
                (sent, indexes) ->
                    attempts.add(
                        new EarlierAttempt(
                            plan.blocks().get(block).name(),
                            IndexSet.of(indexes).toString(),
                            sent.attempt(),
                            sent.workflow(),
                            sent.uid(),
                            sent.jobType()))));
    return List.copyOf(attempts);
  }

  JobCounts counts() {
    return new JobCounts(
        plan.totalJobs(),
        all().mapToInt(b -> b.succeeded.cardinality()).sum(),
        failed(),
        all().mapToInt(b -> b.skipped.cardinality()).sum(),
        running(),
        unknown());
  }

  /** {@code name (n/of)} of the block that is under way, or of the last. */
  @Nullable String currentBlock() {
    if (plan.blocks().isEmpty()) {
      return null;
    }
    PlannedBlock block = current().orElse(plan.blocks().getLast());
    return "%s (%d/%d)".formatted(block.name(), block.position() + 1, plan.blocks().size());
  }
}
