package dev.andon.plan;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.andon.crds.IntOrPercent;
import dev.andon.crds.JobTypeSpec;
import dev.andon.crds.WorkflowSpec;
import dev.andon.crds.WorkflowSpec.Block;
import dev.andon.crds.WorkflowSpec.ConfigMapKeyRef;
import dev.andon.crds.WorkflowSpec.ForEach;
import dev.andon.crds.WorkflowSpec.Job;
import dev.andon.crds.WorkflowSpec.Range;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What is wrong with a spec. Everything the schema in {@code crds/} says is said here again, since
 * a request may not have come through an API server, and a schema cannot look at other objects.
 *
 * <p>Every finding names the field, the value, the rule and the way out.
 */
public final class SpecRules {
  private static final Pattern TYPE =
      Pattern.compile("[A-Za-z0-9]([-._A-Za-z0-9]{0,61}[A-Za-z0-9])?");
  private static final Pattern NAME = Pattern.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?");

  /** A DNS subdomain, as the names of most objects are. */
  private static final Pattern OBJECT_NAME =
      Pattern.compile("[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*");

  private static final int MAX_OBJECT_NAME = 253;

  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

  private static final int MAX_BLOCKS = 200;
  private static final int MAX_JOBS_OF_A_BLOCK = 200;
  private static final int MAX_JOBS = 1_000;
  private static final int MAX_ITEMS = 10_000;
  private static final int MAX_CONCURRENCY = 2_000;
  private static final int MAX_ARGS = 16;

  /** Enough to see what is wrong with a list. */
  private static final int DUPLICATES_TOLD = 5;

  static final int MAX_ARG_LENGTH = 1_024;
  private static final int MAX_ITEM_LENGTH = 1_024;
  private static final int MAX_FORMAT_LENGTH = 253;
  private static final int MAX_NUMBER = 999_999_999;
  private static final int A_YEAR = 31_536_000;
  private static final int MAX_BYTES = 1_048_576;

  private static final ObjectMapper JSON = new ObjectMapper();

  private final WorkflowSpec spec;
  private final JobTypes jobTypes;
  private final Map<ConfigMapKeyRef, List<String>> lists;
  private final Findings findings = new Findings();

  /** Jobs as the spec lists them, items of all lists, and numbers of all ranges. */
  private final long jobs;

  private final long items;
  private final long ranged;

  /** Items of all ConfigMaps. */
  private final long read;

  private SpecRules(
      WorkflowSpec spec, JobTypes jobTypes, Map<ConfigMapKeyRef, List<String>> lists) {
    this.spec = spec;
    this.jobTypes = jobTypes;
    this.lists = lists;
    this.jobs = spec.blocks().stream().mapToLong(b -> b.jobs() == null ? 0 : b.jobs().size()).sum();
    this.items =
        spec.blocks().stream()
            .map(Block::forEach)
            .mapToLong(each -> each == null || each.items() == null ? 0 : each.items().size())
            .sum();
    this.ranged = spec.blocks().stream().mapToLong(SpecRules::ranged).sum();
    this.read =
        spec.blocks().stream()
            .map(Block::forEach)
            .map(each -> each == null ? null : each.configMapKeyRef())
            .filter(Objects::nonNull)
            .mapToLong(ref -> lists.getOrDefault(ref, List.of()).size())
            .sum();
  }

  private static long ranged(Block block) {
    Range range = block.forEach() == null ? null : block.forEach().range();
    return range == null || range.from() == null || range.to() == null
        ? 0
        : Math.max(0L, (long) range.to() - range.from() + 1);
  }

  /**
   * What was found, each in the order of the spec.
   *
   * @param all everything
   * @param lacking of these, what another object can still bring: a job type, or an arg of one
   * @param isWrong whether something is wrong whatever else may come
   */
  public record Found(List<String> all, List<String> lacking, boolean isWrong) {
    public Found {
      all = List.copyOf(all);
      lacking = List.copyOf(lacking);
    }
  }

  /** All findings, in the order of the spec; empty if there is nothing wrong. */
  public static List<String> findings(WorkflowSpec spec, JobTypes jobTypes) {
    return judge(spec, jobTypes, Map.of()).all();
  }

  /**
   * @param lists the items of ConfigMap keys, as far as they are known; of others nothing is said
   */
  public static Found judge(
      WorkflowSpec spec, JobTypes jobTypes, Map<ConfigMapKeyRef, List<String>> lists) {
    var rules = new SpecRules(spec, jobTypes, lists);
    rules.workflow();
    return rules.findings.found();
  }

  private void workflow() {
    String type = spec.type();
    if (type == null || !TYPE.matcher(type).matches()) {
      findings.add(
          "spec.type: \"%s\" is not a workflow type; use letters, digits, '-', '.' and '_', at most"
              + " 63, beginning and ending with a letter or digit",
          Objects.requireNonNullElse(type, ""));
    } else if (type.equalsIgnoreCase("all")) {
      findings.add(
          "spec.type: \"%s\" is the key that stops every workflow; choose another name", type);
    }
    if (spec.start() != null && !Set.of("Automatic", "Manual").contains(spec.start())) {
      findings.add("spec.start: \"%s\" is unknown; use Automatic or Manual", spec.start());
    }
    between("spec.startDeadlineSeconds", spec.startDeadlineSeconds(), 1, A_YEAR);
    between("spec.activeDeadlineSeconds", spec.activeDeadlineSeconds(), 1, A_YEAR);
    budget("spec.maxFailures", spec.maxFailures());
    if (spec.continueFrom() != null
        && !spec.continueFrom().isEmpty()
        && (spec.continueFrom().length() > MAX_OBJECT_NAME
            || !OBJECT_NAME.matcher(spec.continueFrom()).matches())) {
      findings.add(
          "spec.continueFrom: \"%s\" is not the name of a Workflow; use that of a finished one of this"
              + " namespace, which has lower-case letters, digits, '-' and '.', at most %d",
          spec.continueFrom(), MAX_OBJECT_NAME);
    }
    if (spec.blocks().isEmpty()) {
      findings.add("spec.blocks: there is no block; a workflow has 1 to %d", MAX_BLOCKS);
    } else if (spec.blocks().size() > MAX_BLOCKS) {
      findings.add(
          "spec.blocks: %d blocks; at most %d are allowed, split the work over workflows",
          spec.blocks().size(), MAX_BLOCKS);
    }
    Set<String> names = new HashSet<>();
    for (int i = 0; i < spec.blocks().size(); i++) {
      block("spec.blocks[" + i + "]", spec.blocks().get(i), names);
    }
    totals();
  }

  private void block(String path, Block block, Set<String> names) {
    name(path + ".name", block.name(), "block", names);
    between(path + ".concurrency", block.concurrency(), 1, MAX_CONCURRENCY);
    budget(path + ".maxFailures", block.maxFailures());
    between(path + ".pauseAfterSeconds", block.pauseAfterSeconds(), 0, A_YEAR);
    if ((block.jobs() == null) == (block.forEach() == null)) {
      findings.add(
          "%s: has %s; a block has exactly one of jobs and forEach",
          path, block.jobs() == null ? "neither jobs nor forEach" : "both jobs and forEach");
    }
    if (block.jobs() != null) {
      jobs(path + ".jobs", block.jobs());
    }
    if (block.forEach() != null) {
      forEach(path + ".forEach", block.forEach());
    }
  }

  private void jobs(String path, List<Job> jobs) {
    if (jobs.isEmpty() || jobs.size() > MAX_JOBS_OF_A_BLOCK) {
      findings.add(
          "%s: %d jobs; a block has 1 to %d, or a forEach", path, jobs.size(), MAX_JOBS_OF_A_BLOCK);
    }
    Set<String> names = new HashSet<>();
    for (int i = 0; i < jobs.size(); i++) {
      Job job = jobs.get(i);
      String jobPath = path + "[" + i + "]";
      if (job == null) {
        findings.add("%s: is null; say what is to be done, or leave it out", jobPath);
        continue;
      }
      name(jobPath + ".name", job.name(), "job", names);
      job(jobPath, job, null);
    }
  }

  private void forEach(String path, ForEach forEach) {
    int sources =
        (forEach.items() == null ? 0 : 1)
            + (forEach.range() == null ? 0 : 1)
            + (forEach.configMapKeyRef() == null ? 0 : 1);
    if (sources != 1) {
      findings.add(
          "%s: has %d of items, range and configMapKeyRef; it needs exactly one", path, sources);
    }
    if (forEach.items() != null) {
      items(path + ".items", forEach.items());
    }
    if (forEach.range() != null) {
      range(path + ".range", forEach.range());
    }
    ForEach listed = forEach;
    if (forEach.configMapKeyRef() != null) {
      listed = configMap(path + ".configMapKeyRef", forEach, forEach.configMapKeyRef());
    }
    if (forEach.batch() != null) {
      if (forEach.batch().size() == null) {
        findings.add("%s.batch.size: is missing; say how many jobs a batch has", path);
      }
      between(path + ".batch.size", forEach.batch().size(), 1, IndexSet.LIMIT);
      between(path + ".batch.pauseSeconds", forEach.batch().pauseSeconds(), 0, A_YEAR);
    }
    if (forEach.job() == null) {
      findings.add("%s.job: is missing; say what to do for each item", path);
      return;
    }
    if (forEach.job().name() != null) {
      findings.add(
          "%s.job.name: \"%s\": jobs of a forEach are named by their item; leave the name out",
          path, forEach.job().name());
    }
    job(path + ".job", forEach.job(), listed);
  }

  /** The same, with the items that the ConfigMap holds in place of the reference. */
  private ForEach configMap(String path, ForEach forEach, ConfigMapKeyRef ref) {
    if (ref.name() == null || ref.key() == null) {
      findings.add("%s: needs name and key, of a ConfigMap of this namespace", path);
    }
    if (ref.sha256() == null || !SHA256.matcher(ref.sha256()).matches()) {
      findings.add(
          "%s.sha256: \"%s\" is not the sha256 of the content, 64 digits of lower-case hex; without"
              + " it a list could change under a workflow that runs",
          path, Objects.requireNonNullElse(ref.sha256(), ""));
    }
    List<String> list = lists.get(ref);
    if (list == null) {
      return forEach;
    }
    items(path, list);
    for (int i = 0; i < list.size(); i++) {
      if (list.get(i).endsWith("\r")) {
        findings.add(
            "%s: line %d ends in a carriage return, which would be part of the item; store it with"
                + " line ends of one character",
            path, i + 1);
        break;
      }
    }
    return new ForEach(list, null, null, forEach.batch(), forEach.job());
  }

  private void items(String path, List<String> items) {
    if (items.isEmpty()) {
      findings.add(
          "%s: is empty, and an empty list is never all machines; list what is meant", path);
    }
    Map<String, Integer> seen = new HashMap<>();
    int twice = 0;
    for (int i = 0; i < items.size(); i++) {
      Integer first = seen.putIfAbsent(items.get(i), i);
      if (first != null && ++twice <= DUPLICATES_TOLD) {
        // Each item is a job with a key of its own: no target could tell that it did both.
        findings.add(
            "%s[%d]: \"%s\" is item %d too, and would be done twice; leave one out",
            path, i, items.get(i), first);
      }
      if (items.get(i) == null || items.get(i).isEmpty()) {
        findings.add("%s[%d]: is empty; name an item", path, i);
      } else if (items.get(i).length() > MAX_ITEM_LENGTH) {
        findings.add(
            "%s[%d]: %d characters; at most %d are allowed",
            path, i, items.get(i).length(), MAX_ITEM_LENGTH);
      }
    }
    if (twice > DUPLICATES_TOLD) {
      findings.add("%s: %d more items are there twice", path, twice - DUPLICATES_TOLD);
    }
  }

  private void range(String path, Range range) {
    Integer from = range.from();
    Integer to = range.to();
    if (from == null || to == null) {
      findings.add("%s: needs both from and to", path);
    } else if (from < 0) {
      findings.add("%s.from: %d is negative; use 0 or more", path, from);
    } else if (to > MAX_NUMBER) {
      findings.add("%s.to: %d is too large; use %d or less", path, to, MAX_NUMBER);
    } else if (from > to) {
      findings.add("%s: from %d is after to %d; swap them", path, from, to);
    } else if ((long) to - from + 1 > IndexSet.LIMIT) {
      findings.add(
          "%s: %d items; at most %d are allowed, split the work over workflows",
          path, (long) to - from + 1, IndexSet.LIMIT);
    }
    if (range.format() != null && range.format().length() > MAX_FORMAT_LENGTH) {
      findings.add(
          "%s.format: %d characters; at most %d are allowed",
          path, range.format().length(), MAX_FORMAT_LENGTH);
    } else if (RangeFormat.parse(range.format()).isEmpty()) {
      findings.add(
          "%s.format: \"%s\" needs exactly one %%d or %%0Nd (N from 1 to 9) and no other %%",
          path, Objects.requireNonNullElse(range.format(), ""));
    }
  }

  /** Bounds that hold over all blocks together. */
  private void totals() {
    long bytes = bytes();
    if (bytes > MAX_BYTES) {
      findings.add(
          "spec: %,d bytes; a Workflow has at most %,d (1 MiB), so that its status has room beside"
              + " it: use range or configMapKeyRef, or several Workflows",
          bytes, MAX_BYTES);
    }
    if (jobs > MAX_JOBS) {
      findings.add(
          "spec.blocks: %d jobs in all; at most %d are allowed, use forEach", jobs, MAX_JOBS);
    }
    if (items > MAX_ITEMS) {
      findings.add(
          "spec.blocks: %d items in all; at most %d are allowed, use range or split the work",
          items, MAX_ITEMS);
    }
    if (!countable()) {
      findings.add(
          "spec.blocks: %d jobs and items in all; at most %d are allowed, split the work",
          jobs + items + ranged + read, IndexSet.LIMIT);
    }
  }

  /** As the API server keeps it. */
  private long bytes() {
    try {
      return JSON.writeValueAsBytes(spec).length;
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether there are so few jobs that every one can be looked at. */
  private boolean countable() {
    return jobs + items + ranged + read <= IndexSet.LIMIT;
  }

  private void job(String path, Job job, @Nullable ForEach forEach) {
    if (job.args().size() > MAX_ARGS) {
      findings.add("%s.args: %d args; at most %d are allowed", path, job.args().size(), MAX_ARGS);
    }
    job.args()
        .forEach(
            (arg, value) -> {
              String argPath = path + ".args." + arg;
              if (value.length() > MAX_ARG_LENGTH) {
                findings.add(
                    "%s: %d characters; at most %d are allowed",
                    argPath, value.length(), MAX_ARG_LENGTH);
              }
              references(argPath, value, forEach != null);
            });
    var type = jobTypes.find(job.type());
    if (type.isEmpty()) {
      findings.lacks(
          "%s.type: unknown job type \"%s\"; there %s",
          path, Objects.requireNonNullElse(job.type(), ""), available());
      return;
    }
    String name = Objects.requireNonNull(job.type());
    executor(path, name, type.get());
    bounds(path, job, name, type.get());
    new ArgRules(path + ".args", name, type.get().args(), findings)
        .check(job, forEach, countable());
  }

  private String available() {
    return "are " + String.join(", ", jobTypes.names());
  }

  private void references(String path, String value, boolean inForEach) {
    for (String reference : ArgTemplate.of(value).references()) {
      if (!reference.equals("item")) {
        findings.add(
            "%s: $(%s) stands for nothing; only $(item) does, and $$(%s) is the text itself",
            path, reference, reference);
      } else if (!inForEach) {
        findings.add(
            "%s: $(item) stands for nothing outside a forEach; $$(item) is the text itself", path);
      }
    }
  }

  private void executor(String path, String name, JobTypeSpec type) {
    if (JobTypes.isBuiltIn(name)) {
      return;
    }
    var executor = type.executor();
    if (executor == null
        || (executor.container() == null && executor.http() == null && executor.grpc() == null)) {
      findings.lacks(
          "%s.type: job type \"%s\" has no executor this version can run; it runs container, http and grpc",
          path, name);
    }
  }

  private void bounds(String path, Job job, String name, JobTypeSpec type) {
    atLeast(path + ".timeoutSeconds", job.timeoutSeconds(), 1);
    int longest = AttemptRules.timeoutSeconds(type);
    if (job.timeoutSeconds() != null && job.timeoutSeconds() > longest) {
      findings.add(
          "%s.timeoutSeconds: %d is more than the %d of job type %s",
          path, job.timeoutSeconds(), longest, name);
    }
    if (job.retry() == null) {
      return;
    }
    atLeast(path + ".retry.attempts", job.retry().attempts(), 1);
    int most =
        type.retry() == null || type.retry().attempts() == null ? 1 : type.retry().attempts();
    if (job.retry().attempts() != null && job.retry().attempts() > most) {
      findings.add(
          "%s.retry.attempts: %d is more than the %d of job type %s",
          path, job.retry().attempts(), most, name);
    }
    if (job.retry().backoff() != null) {
      atLeast(path + ".retry.backoff.initialSeconds", job.retry().backoff().initialSeconds(), 1);
      between(path + ".retry.backoff.factor", job.retry().backoff().factor(), 1, 10);
      atLeast(path + ".retry.backoff.maxSeconds", job.retry().backoff().maxSeconds(), 1);
    }
  }

  private void name(String path, @Nullable String name, String what, Set<String> seen) {
    if (name == null || !NAME.matcher(name).matches()) {
      findings.add(
          "%s: \"%s\" is not a name; use lower-case letters, digits and '-', at most 63",
          path, Objects.requireNonNullElse(name, ""));
    } else if (!seen.add(name)) {
      findings.add("%s: \"%s\" is the name of another %s too; names are unique", path, name, what);
    }
  }

  private void budget(String path, @Nullable IntOrPercent budget) {
    if (budget != null && !budget.valid()) {
      findings.add(
          "%s: \"%s\" is neither a number nor a percentage from 0%% to 100%%", path, budget);
    }
  }

  private void atLeast(String path, @Nullable Integer value, int least) {
    if (value != null && value < least) {
      findings.add("%s: %d is too small; use %d or more", path, value, least);
    }
  }

  private void between(String path, @Nullable Integer value, int least, int most) {
    if (value != null && (value < least || value > most)) {
      findings.add("%s: %d is out of bounds; use %d to %d", path, value, least, most);
    }
  }

  /**
   * Collects findings; a fault repeated for thousands of items is not reported thousands of times.
   */
  static final class Findings {
    private static final int KEPT = 50;

    /** A value of the spec may be a megabyte, and is part of what is found about it. */
    private static final int LENGTH = 1_024;

    private final Kept all = new Kept();
    private final Kept lacking = new Kept();

    void add(String format, Object... values) {
      all.add(format, values);
    }

    /** What another object can still bring. */
    void lacks(String format, Object... values) {
      all.add(format, values);
      lacking.add(format, values);
    }

    List<String> all() {
      return all.listed();
    }

    Found found() {
      return new Found(all.listed(), lacking.listed(), all.count > lacking.count);
    }

    /** The first ones, and how many there were. */
    private static final class Kept {
      private final List<String> first = new ArrayList<>();
      private int count;

      void add(String format, Object... values) {
        count++;
        if (first.size() < KEPT) {
          String finding = String.format(Locale.ROOT, format, values);
          first.add(finding.length() <= LENGTH ? finding : finding.substring(0, LENGTH - 1) + "…");
        }
      }

      List<String> listed() {
        var all = new ArrayList<>(first);
        if (count > first.size()) {
          all.add("and " + (count - first.size()) + " more");
        }
        return List.copyOf(all);
      }
    }
  }
}
