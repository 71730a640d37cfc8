package dev.andon.plan;

import dev.andon.crds.IntOrPercent;
import dev.andon.crds.WorkflowSpec;
import dev.andon.crds.WorkflowSpec.Batch;
import dev.andon.crds.WorkflowSpec.Block;
import dev.andon.crds.WorkflowSpec.ConfigMapKeyRef;
import dev.andon.crds.WorkflowSpec.ForEach;
import dev.andon.crds.WorkflowSpec.Job;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The jobs a spec stands for, each by block and index. A job is made when it is asked for, so that
 * a range of 100,000 costs nothing until then.
 *
 * <p>Made of a spec that {@link SpecRules} finds nothing wrong with; of any other it is as complete
 * as the spec allows, for messages only.
 */
public final class Plan {
  private final WorkflowSpec spec;
  private final List<PlannedBlock> blocks;
  private final int totalJobs;
  private final OptionalInt maxFailures;

  /** Made when it is asked for; twice, if by two at once. */
  private volatile @Nullable String specHash;

  private Plan(WorkflowSpec spec, List<PlannedBlock> blocks, Known known) {
    this.spec = spec;
    IntOrPercent maxFailures = spec.maxFailures();
    this.blocks = List.copyOf(blocks);
    int listed = blocks.stream().mapToInt(PlannedBlock::size).sum();
    this.totalJobs = isComplete() ? listed : Math.max(listed, known.totalJobs());
    this.maxFailures = maxFailures == null ? OptionalInt.empty() : maxFailures.applyTo(totalJobs);
  }

  /**
   * What is known of a workflow whose items cannot be read any more.
   *
   * @param sizes of blocks, by name
   * @param totalJobs of all blocks
   */
  public record Known(Map<String, Integer> sizes, int totalJobs) {
    /** Nothing. */
    public static final Known NOTHING = new Known(Map.of(), 0);
  }

  /** Without what ConfigMaps hold. */
  public static Plan of(WorkflowSpec spec) {
    return of(spec, Map.of(), Known.NOTHING);
  }

  /**
   * @param lists the items of those ConfigMap keys that hold what spec says they do
   * @param known for where a list is missing
   */
  public static Plan of(WorkflowSpec spec, Map<ConfigMapKeyRef, List<String>> lists, Known known) {
    var blocks = new ArrayList<PlannedBlock>();
    for (Block block : spec.blocks()) {
      var ref = block.forEach() == null ? null : block.forEach().configMapKeyRef();
      blocks.add(
          new PlannedBlock(
              blocks.size(),
              block,
              ref == null ? null : lists.get(ref),
              known.sizes().getOrDefault(Objects.requireNonNullElse(block.name(), ""), 0)));
    }
    return new Plan(spec, blocks, known);
  }

  /** {@link SpecHash} of the spec that this is the plan of. */
  public String specHash() {
    String known = specHash;
    if (known == null) {
      known = SpecHash.of(spec);
      specHash = known;
    }
    return known;
  }

  /** Whether the items of every block are known. */
  public boolean isComplete() {
    return blocks.stream().allMatch(PlannedBlock::isKnown);
  }

  public List<PlannedBlock> blocks() {
    return blocks;
  }

  public Optional<PlannedBlock> block(@Nullable String name) {
    return blocks.stream().filter(block -> block.name().equals(name)).findFirst();
  }

  public int totalJobs() {
    return totalJobs;
  }

  /** How many jobs of the whole workflow may fail; empty: no limit beyond those of the blocks. */
  public OptionalInt maxFailures() {
    return maxFailures;
  }

  /** Every job of every block, in order. */
  public Stream<PlannedJob> jobs() {
    return blocks.stream().flatMap(PlannedBlock::jobs);
  }

  /** The names of all job types used. */
  public List<String> jobTypes() {
    return blocks.stream()
        .flatMap(block -> block.templates().stream())
        .filter(Objects::nonNull)
        .map(Job::type)
        .filter(Objects::nonNull)
        .distinct()
        .toList();
  }

  /**
   * One job.
   *
   * @param block position of its block
   * @param index position in its block; part of the attempt's key
   * @param name of the job, or the item it is made for
   * @param args with {@code $(item)} put in
   */
  public record PlannedJob(
      int block, int index, String name, String type, Map<String, String> args, Job template) {}

  /** A block and its jobs. */
  public static final class PlannedBlock {
    private final int position;
    private final Block block;
    private final int size;

    /** The items of a ConfigMap; null: there is none, or it is not known what it held. */
    private final @Nullable List<String> list;

    /** Read once: a range of 100,000 asks for it as often. */
    private final Optional<RangeFormat> format;

    private PlannedBlock(int position, Block block, @Nullable List<String> list, int knownSize) {
      this.position = position;
      this.block = block;
      this.list = list;
      this.size = isKnown() ? sizeOf(block, list) : knownSize;
      var range = block.forEach() == null ? null : block.forEach().range();
      this.format = range == null ? Optional.empty() : RangeFormat.parse(range.format());
    }

    private static int sizeOf(Block block, @Nullable List<String> list) {
      ForEach forEach = block.forEach();
      if (list != null) {
        return list.size();
      }
      if (forEach == null) {
        return block.jobs() == null ? 0 : block.jobs().size();
      }
      if (forEach.items() != null) {
        return forEach.items().size();
      }
      var range = forEach.range();
      if (range == null || range.from() == null || range.to() == null) {
        return 0;
      }
      return (int) Math.clamp((long) range.to() - range.from() + 1, 0L, IndexSet.LIMIT);
    }

    public int position() {
      return position;
    }

    /**
     * Whether it is known which jobs these are. Of a block of which it is not, only {@link #size()}
     * and {@link #templates()} mean anything.
     */
    public boolean isKnown() {
      ForEach forEach = block.forEach();
      return list != null || forEach == null || forEach.configMapKeyRef() == null;
    }

    public String name() {
      return Objects.requireNonNullElse(block.name(), "");
    }

    /** Number of jobs. */
    public int size() {
      return size;
    }

    /** Whether the jobs are made of one template, one an item. */
    public boolean isForEach() {
      return block.forEach() != null;
    }

    /** At least 1. */
    public int concurrency() {
      return block.concurrency() == null ? 1 : Math.max(1, block.concurrency());
    }

    /** How many jobs may fail before nothing new starts. */
    public int maxFailures() {
      return block.maxFailures() == null ? 0 : block.maxFailures().applyTo(size).orElse(0);
    }

    public int pauseAfterSeconds() {
      return block.pauseAfterSeconds() == null ? 0 : block.pauseAfterSeconds();
    }

    /** Empty if all jobs are one batch. */
    public Optional<Batch> batch() {
      return Optional.ofNullable(block.forEach()).map(ForEach::batch);
    }

    /** Jobs of a batch; without batches, all of them. */
    public int batchSize() {
      return batch().map(Batch::size).filter(n -> n > 0).orElse(Math.max(1, size));
    }

    /** The jobs as the spec spells them: one, with {@code $(item)}, of a forEach. */
    public List<Job> templates() {
      if (block.forEach() != null) {
        return block.forEach().job() == null ? List.of() : List.of(block.forEach().job());
      }
      return block.jobs() == null ? List.of() : block.jobs();
    }

    /** The name of the job's type. */
    public String typeOf(int index) {
      return Objects.requireNonNullElse(template(index).type(), "");
    }

    /** The item of a forEach, or the name of a job. */
    public String nameOf(int index) {
      ForEach forEach = block.forEach();
      if (forEach == null) {
        return Objects.requireNonNullElse(templates().get(index).name(), "");
      }
      if (list != null) {
        return list.get(index);
      }
      if (!isKnown()) {
        return "item " + index;
      }
      if (forEach.items() != null) {
        return forEach.items().get(index);
      }
      var range = Objects.requireNonNull(forEach.range());
      int number = Objects.requireNonNull(range.from()) + index;
      return format.map(it -> it.apply(number)).orElse(Integer.toString(number));
    }

    /**
     * @param index from 0, below {@link #size()}
     */
    public PlannedJob job(int index) {
      Objects.checkIndex(index, size);
      String name = nameOf(index);
      Job template = template(index);
      Map<String, String> args = new LinkedHashMap<>();
      template
          .args()
          .forEach(
              (arg, value) ->
                  args.put(arg, ArgTemplate.of(value).expand(isForEach() ? name : null)));
      return new PlannedJob(
          position,
          index,
          name,
          Objects.requireNonNullElse(template.type(), ""),
          Collections.unmodifiableMap(args),
          template);
    }

    /**
     * The value a job has in one argument, without making the whole job; empty if it has none.
     *
     * @param index from 0, below {@link #size()}
     */
    public Optional<String> arg(int index, String name) {
      Objects.checkIndex(index, size);
      return Optional.ofNullable(template(index).args().get(name))
          .map(value -> ArgTemplate.of(value).expand(isForEach() ? nameOf(index) : null));
    }

    /**
     * Whether the value of an argument depends on the item. If not, all jobs of a forEach have the
     * same.
     */
    public boolean argVaries(int index, String name) {
      String value = template(index).args().get(name);
      return isForEach() && value != null && ArgTemplate.of(value).usesItem();
    }

    private Job template(int index) {
      return templates().get(isForEach() ? 0 : index);
    }

    public Stream<PlannedJob> jobs() {
      return IntStream.range(0, templates().isEmpty() ? 0 : size).mapToObj(this::job);
    }
  }
}
