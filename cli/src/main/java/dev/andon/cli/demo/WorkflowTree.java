package dev.andon.cli.demo;

import dev.andon.cli.demo.Style.Tone;
import dev.andon.crds.Condition;
import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowStatus;
import dev.andon.crds.WorkflowStatus.Active;
import dev.andon.crds.WorkflowStatus.BlockStatus;
import dev.andon.plan.IndexSet;
import dev.andon.plan.Plan;
import dev.andon.plan.Plan.PlannedBlock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A workflow as a tree: its blocks, how far each is, what is under way, what it waits for. */
final class WorkflowTree {
  private static final int BAR = 24;

  /** Of text, for terminals of 80. */
  private static final int WIDTH = 78;

  /** More would push the tree off the screen. */
  private static final int MOST_JOBS = 6;

  private final Style style;

  WorkflowTree(Style style) {
    this.style = style;
  }

  /**
   * @param now what times are told from
   */
  List<String> render(Workflow workflow, Instant now) {
    var lines = new ArrayList<String>();
    WorkflowStatus status = workflow.getStatus();
    List<PlannedBlock> blocks = Plan.of(workflow.getSpec()).blocks();
    lines.add(title(workflow));
    int width = blocks.stream().mapToInt(block -> block.name().length()).max().orElse(0);
    for (PlannedBlock block : blocks) {
      boolean last = block.position() == blocks.size() - 1;
      lines.addAll(block(block, status, width, last, now));
    }
    waitsFor(workflow, now)
        .ifPresent(text -> wrap(text).forEach(line -> lines.add(style.paint(Tone.WAIT, line))));
    return lines;
  }

  /** The same in one line, for logs. */
  String line(Workflow workflow, Instant now) {
    WorkflowStatus status = workflow.getStatus();
    String active =
        status == null || status.active().isEmpty() ? "" : status.active().size() + " under way";
    String block =
        status == null || status.currentBlock() == null || phase(workflow).equals("Complete")
            ? ""
            : "block " + status.currentBlock();
    return Stream.of(
            workflow.getMetadata().getName() + " " + phase(workflow),
            progress(workflow),
            block,
            active,
            waitsFor(workflow, now).orElse(""))
        .filter(part -> !part.isEmpty())
        .collect(Collectors.joining("  "));
  }

  private String title(Workflow workflow) {
    String phase = phase(workflow);
    Tone tone =
        switch (phase) {
          case "Complete" -> Tone.GOOD;
          case "Running" -> Tone.BUSY;
          case "Failed", "Rejected", "Stopped", "Stopping" -> Tone.BAD;
          default -> Tone.WAIT;
        };
    return "%s  %s  %s  %s jobs"
        .formatted(
            style.paint(Tone.STRONG, workflow.getMetadata().getName()),
            workflow.getSpec().type(),
            style.paint(tone, phase),
            progress(workflow));
  }

  private List<String> block(
      PlannedBlock block, @Nullable WorkflowStatus status, int width, boolean last, Instant now) {
    var lines = new ArrayList<String>();
    BlockStatus seen = status == null ? null : of(status, block);
    int succeeded = seen == null ? 0 : size(seen.succeeded());
    int failed = seen == null ? 0 : size(seen.failed());
    int skipped = seen == null ? 0 : size(seen.skipped());
    int ended = succeeded + failed + skipped;
    List<Active> active =
        status == null
            ? List.of()
            : status.active().stream()
                .filter(attempt -> block.name().equals(attempt.block()))
                .toList();
    boolean begun = seen != null && (seen.startTime() != null || ended > 0) || !active.isEmpty();
    String glyph;
    if (ended == block.size() && failed == 0) {
      glyph = style.paint(Tone.GOOD, style.done());
    } else if (failed > 0) {
      glyph = style.paint(Tone.BAD, style.failed());
    } else {
      glyph = begun ? style.paint(Tone.BUSY, style.busy()) : style.later();
    }
    String name = block.name() + " ".repeat(width - block.name().length());
    String counts = "%s  %d/%d".formatted(style.bar(ended, block.size(), BAR), ended, block.size());
    lines.add(
        style.branch(last)
            + Stream.of(
                    glyph + " " + name,
                    counts,
                    failed == 0 ? "" : style.paint(Tone.BAD, failed + " failed"),
                    skipped == 0 ? "" : skipped + " skipped",
                    shape(block))
                .filter(part -> !part.isEmpty())
                .collect(Collectors.joining("  ")));
    String indent = style.below(last);
    int shown = active.size() > MOST_JOBS ? MOST_JOBS - 1 : active.size();
    for (int i = 0; i < shown; i++) {
      boolean end = i == active.size() - 1;
      lines.add(indent + style.branch(end) + attempt(block, active.get(i), now));
    }
    if (shown < active.size()) {
      lines.add(indent + style.branch(true) + "and %d more".formatted(active.size() - shown));
    }
    return lines;
  }

  /** What paces the block, where something does. */
  private String shape(PlannedBlock block) {
    if (block.batch().isEmpty()) {
      return "";
    }
    return style.paint(
        Tone.FAINT, "batches of %d, %d at once".formatted(block.batchSize(), block.concurrency()));
  }

  private String attempt(PlannedBlock block, Active active, Instant now) {
    Integer index = active.index();
    String name = index == null || index < 0 || index >= block.size() ? "?" : block.nameOf(index);
    int number = active.attempt() == null ? 1 : active.attempt();
    String which = number == 1 ? "" : "attempt " + number + " ";
    if (active.startTime() == null) {
      Instant next = active.nextAttemptTime();
      return "%s  %s%s"
          .formatted(name, which, next == null || !next.isAfter(now) ? "next" : in(now, next));
    }
    return "%s  %s%s"
        .formatted(name, which, style.paint(Tone.FAINT, seconds(active.startTime(), now)));
  }

  /** Why nothing is under way, or nothing new. */
  private Optional<String> waitsFor(Workflow workflow, Instant now) {
    WorkflowStatus status = workflow.getStatus();
    if (status == null || status.conditions().isEmpty()) {
      return Optional.of("waits for the operator");
    }
    return switch (phase(workflow)) {
      case "Complete" -> Optional.empty();
      case "Running" ->
          status.blocks().stream()
              .map(BlockStatus::nextBatchTime)
              .filter(Objects::nonNull)
              .filter(time -> time.isAfter(now) && status.active().isEmpty())
              .findFirst()
              .map(time -> "waits for the next batch, " + in(now, time));
      default ->
          status.conditions().stream()
              .filter(condition -> "Ready".equals(condition.type()))
              .findFirst()
              .map(WorkflowTree::because);
    };
  }

  private static String because(Condition ready) {
    String message = Objects.requireNonNullElse(ready.message(), "");
    return message.isBlank() ? String.valueOf(ready.reason()) : ready.reason() + ": " + message;
  }

  private static List<String> wrap(String text) {
    var lines = new ArrayList<String>();
    var line = new StringBuilder();
    for (String word : text.split(" ", -1)) {
      if (!line.isEmpty() && line.length() + 1 + word.length() > WIDTH) {
        lines.add(line.toString());
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "" : " ").append(word);
    }
    lines.add(line.toString());
    return lines;
  }

  private static String phase(Workflow workflow) {
    WorkflowStatus status = workflow.getStatus();
    return status == null || status.phase() == null ? "Pending" : status.phase();
  }

  private static String progress(Workflow workflow) {
    WorkflowStatus status = workflow.getStatus();
    return status == null || status.progress() == null
        ? "0/" + Plan.of(workflow.getSpec()).totalJobs()
        : status.progress();
  }

  private static @Nullable BlockStatus of(WorkflowStatus status, PlannedBlock block) {
    return status.blocks().stream()
        .filter(seen -> block.name().equals(seen.name()))
        .findFirst()
        .orElse(null);
  }

  private static int size(@Nullable String ranges) {
    return IndexSet.parse(ranges).map(IndexSet::size).orElse(0);
  }

  private static String in(Instant now, Instant time) {
    return "in " + seconds(now, time);
  }

  private static String seconds(Instant from, Instant to) {
    return String.format(
        Locale.ROOT, "%.1f s", Math.max(0, Duration.between(from, to).toMillis()) / 1000.0);
  }
}
