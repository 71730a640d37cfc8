package dev.andon.operator.workflow;

import dev.andon.crds.WorkflowActionSpec;
import dev.andon.crds.WorkflowStatus.ActedBy;
import dev.andon.crds.WorkflowStatus.Action;
import dev.andon.operator.workflow.Progress.BlockProgress;
import dev.andon.operator.workflow.Progress.Position;
import dev.andon.plan.IndexSet;
import dev.andon.plan.Plan.PlannedBlock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Applies what people ask of the workflow, each action once, or refuses it and says why. A stop
 * comes before: once one was seen no action is applied any more, and none makes anything start
 * while one is in force.
 */
final class Actions {
  /** As many are kept in status, what they say cut to fit. */
  static final int KEPT = 10;

  private static final int MAX_MESSAGE = 512;
  private static final int MAX_TEXT = 256;

  /** Of the jobs for which an action is refused. */
  private static final int MOST_TOLD = 3;

  private static final Comparator<PendingAction> ORDER =
      Comparator.comparing(Actions::endsTheWorkflow)
          .reversed()
          .thenComparing(PendingAction::created)
          .thenComparing(PendingAction::name);

  /** In which actions are applied: what ends the workflow first, then the oldest. */
  static <T> Comparator<T> order(Function<T, PendingAction> of) {
    return (a, b) -> ORDER.compare(of.apply(a), of.apply(b));
  }

  /** What becomes of an action. */
  private record Judgement(boolean applied, String message) {
    static Judgement applied(String message) {
      return new Judgement(true, message);
    }

    static Judgement refused(String message) {
      return new Judgement(false, message);
    }
  }

  private final Deciding d;

  private Actions(Deciding d) {
    this.d = d;
  }

  /** A rule of {@link Decider} that leaves the decision to those after it. */
  static @Nullable State of(Deciding d) {
    new Actions(d).judge(d.snapshot().actions());
    return null;
  }

  private void judge(PendingActions pending) {
    for (PendingAction action : pending.waiting().stream().sorted(ORDER).toList()) {
      if (d.actions().stream().anyMatch(known -> action.uid().equals(known.uid()))) {
        continue; // applied already; only its own status does not say so yet
      }
      if (!d.makeRoomForAnAction(KEPT, pending.told())) {
        d.lookAgainSoon();
        return;
      }
      Judgement judgement = judge(action);
      d.add(
          new Action(
              action.name(),
              action.uid(),
              action.spec().verb(),
              by(action),
              reason(action),
              judgement.applied() ? "Applied" : "Refused",
              Conditions.cut(judgement.message(), MAX_MESSAGE),
              d.now()));
    }
    if (pending.unread()) {
      d.lookAgainSoon();
    }
  }

  /** These come first: whoever wants it to end does not want another action's start before. */
  private static boolean endsTheWorkflow(PendingAction action) {
    return "Cancel".equals(action.spec().verb()) || "Reject".equals(action.spec().verb());
  }

  private Judgement judge(PendingAction action) {
    if (d.isEnding()) {
      return Judgement.refused(
          "the Workflow is ending already (%s): %s".formatted(d.ending(), d.endingMessage()));
    }
    String verb = Objects.requireNonNullElse(action.spec().verb(), "");
    return switch (verb) {
      case "Start" -> start(action);
      case "Pause" -> pause(action);
      case "Resume" -> resume();
      case "Cancel" -> cancel(action);
      case "Resolve" -> resolve(action);
      case "Approve", "Reject" ->
          Judgement.refused(
              "spec.verb: %s: the Workflow waits for no approval; to keep it from going on, Pause or Cancel it"
                  .formatted(verb));
      default ->
          Judgement.refused(
              "spec.verb: \"%s\": this operator knows Start, Pause, Resume, Cancel and Resolve"
                  .formatted(verb));
    };
  }

  private Judgement start(PendingAction action) {
    if (d.started()) {
      return Judgement.refused("the Workflow started already, at %s".formatted(d.startTime()));
    }
    if (!d.snapshot().spec().startsManually()) {
      return Judgement.refused(
          "spec.start of the Workflow is Automatic: it starts by itself, and not before what it waits for");
    }
    ActedBy before = d.startedBy();
    if (before != null) {
      return Judgement.refused(
          "the Workflow was let start already, by %s; it waits for something else: see its condition Ready"
              .formatted(told(before)));
    }
    Instant deadline = d.startDeadline();
    if (deadline != null && !d.now().isBefore(deadline)) {
      return Judgement.refused(
          "spec.startDeadlineSeconds of the Workflow: it was to start by %s; create another Workflow"
              .formatted(deadline));
    }
    d.startedBy(acted(action));
    return Judgement.applied("it starts as soon as nothing else holds it: see its condition Ready");
  }

  private Judgement pause(PendingAction action) {
    ActedBy before = d.pausedBy();
    if (before != null) {
      return Judgement.applied("it was paused already, by %s".formatted(told(before)));
    }
    d.pausedBy(acted(action));
    return Judgement.applied(
        "nothing more is begun until a Resume; what is under way goes on until it ends");
  }

  private Judgement resume() {
    if (d.snapshot().spec().isPaused()) {
      return Judgement.refused(
          "spec.paused of the Workflow is true, and an action changes no spec: set it to false where it is kept, which may be Git");
    }
    ActedBy before = d.pausedBy();
    List<String> changed = d.started() ? d.changedJobTypes() : List.of();
    if (before == null && changed.isEmpty()) {
      return Judgement.refused(
          d.progress().unknown() > 0
              ? "the Workflow is not paused: it waits for a Resolve of the jobs whose outcome is unknown"
              : "the Workflow is not paused, and no job type has changed; what it waits for is in its condition Ready");
    }
    String pinned = "";
    if (!changed.isEmpty()) {
      Optional<String> obstacle = JobTypeChange.obstacle(d);
      if (obstacle.isPresent()) {
        return Judgement.refused(obstacle.get());
      }
      pinned = JobTypeChange.accept(d);
    }
    d.pausedBy(null);
    return Judgement.applied(
        (before == null ? "" : "no longer paused by " + told(before))
            + (before == null || pinned.isEmpty() ? "" : "; ")
            + pinned);
  }

  private Judgement cancel(PendingAction action) {
    d.end(
        Reasons.CANCELLED,
        "cancelled by %s (WorkflowAction %s): %s"
            .formatted(by(action), action.name(), reason(action)));
    return Judgement.applied(
        d.started()
            ? "what is under way is being cancelled; then the Workflow is Failed, for good"
            : "the Workflow had not started, and never will");
  }

  private Judgement resolve(PendingAction action) {
    WorkflowActionSpec asked = action.spec();
    var planned =
        d.snapshot().plan().blocks().stream()
            .filter(b -> b.name().equals(asked.block()))
            .findFirst()
            .orElse(null);
    if (planned == null) {
      return Judgement.refused(
          "spec.block: the Workflow has no block \"%s\"".formatted(asked.block()));
    }
    Integer index = asked.index();
    if ((index == null) == (asked.indexes() == null)) {
      return Judgement.refused(
          "spec.index, spec.indexes: exactly one of them says which jobs are resolved");
    }
    if (index != null) {
      return index < 0 || index >= planned.size()
          ? outside("spec.index", index, planned)
          : resolve(action, planned, "spec.index", IndexSet.of(index));
    }
    IndexSet named = IndexSet.parse(asked.indexes()).orElse(IndexSet.EMPTY);
    if (named.isEmpty()) {
      return Judgement.refused(
          "spec.indexes: \"%s\": not ascending ranges that neither overlap nor touch, such as 0-14,17; copy them from status.blocks[].unknown of the Workflow"
              .formatted(Conditions.cut(String.valueOf(asked.indexes()), MAX_TEXT)));
    }
    return named.length() > planned.size()
        ? outside("spec.indexes", named.length() - 1, planned)
        : resolve(action, planned, "spec.indexes", named);
  }

  private static Judgement outside(String field, int index, PlannedBlock planned) {
    return Judgement.refused(
        "%s: %d: block %s has %d jobs, from 0"
            .formatted(field, index, planned.name(), planned.size()));
  }

  /** All of the named jobs, or none of them. */
  private Judgement resolve(
      PendingAction action, PlannedBlock planned, String field, IndexSet named) {
    List<Position> jobs =
        named.stream().mapToObj(i -> new Position(planned.position(), i)).toList();
    BlockProgress block = d.progress().known(planned);
    List<Position> known =
        jobs.stream().filter(at -> block == null || !block.unknown.get(at.index())).toList();
    if (!known.isEmpty()) {
      return Judgement.refused(notUnknown(field, planned, block, jobs, known));
    }
    List<Position> later = jobs.stream().filter(at -> becameUnknownAfter(action, at)).toList();
    if (!later.isEmpty()) {
      return Judgement.refused(unknownSince(field, jobs, later));
    }
    return switch (Objects.requireNonNullElse(action.spec().outcome(), "")) {
      case "Succeeded" -> {
        jobs.forEach(d.attempts()::resolveSucceeded);
        yield Judgement.applied(
            jobs.size() == 1
                ? "%s counts as succeeded".formatted(job(jobs.getFirst()))
                : "%d jobs count as succeeded: %s".formatted(jobs.size(), all(planned, named)));
      }
      case "Failed" -> {
        String why = "resolved: " + Objects.requireNonNullElse(action.spec().reason(), "");
        jobs.forEach(at -> d.attempts().resolveFailed(at, why));
        yield Judgement.applied(
            jobs.size() == 1
                ? "%s counts as failed".formatted(job(jobs.getFirst()))
                : "%d jobs count as failed: %s".formatted(jobs.size(), all(planned, named)));
      }
      case "Retry" -> {
        List<Integer> attempts = jobs.stream().map(d.attempts()::resolveRetry).toList();
        yield Judgement.applied(
            jobs.size() == 1
                ? "%s is tried again, as attempt %d"
                    .formatted(job(jobs.getFirst()), attempts.getFirst())
                : "%d jobs are tried again, each as its next attempt: %s"
                    .formatted(jobs.size(), all(planned, named)));
      }
      default ->
          Judgement.refused(
              "spec.outcome: \"%s\": must be Succeeded, Failed or Retry"
                  .formatted(action.spec().outcome()));
    };
  }

  /** Times of creation have no fractions. Whoever asked before knows of an earlier attempt. */
  private boolean becameUnknownAfter(PendingAction action, Position at) {
    Instant since = d.progress().unknownSince(at);
    return since != null && action.created().isBefore(since.truncatedTo(ChronoUnit.SECONDS));
  }

  private String notUnknown(
      String field,
      PlannedBlock planned,
      @Nullable BlockProgress block,
      List<Position> jobs,
      List<Position> known) {
    if (jobs.size() == 1) {
      return "%s: %s is not Unknown, and only what is Unknown can be resolved: it %s"
          .formatted(field, job(jobs.getFirst()), standing(block, jobs.getFirst()));
    }
    String unknown = block == null ? "" : IndexSet.of(block.unknown).ranges(MAX_TEXT);
    return "%s: %d of these %d jobs are not Unknown, so that nothing was changed: %s. %s"
        .formatted(
            field,
            known.size(),
            jobs.size(),
            first(known, at -> "%s %s".formatted(name(at), standing(block, at))),
            unknown.isEmpty()
                ? "None of block %s is".formatted(planned.name())
                : "Unknown are %s: name only jobs of these".formatted(unknown));
  }

  private String unknownSince(String field, List<Position> jobs, List<Position> later) {
    if (jobs.size() == 1) {
      return "%s became Unknown at %s, after this was asked for: look at it, then create another action"
          .formatted(job(jobs.getFirst()), d.progress().unknownSince(jobs.getFirst()));
    }
    return "%s: %d of these %d jobs became Unknown after this was asked for, so that nothing was changed: %s; look at them, then create another action"
        .formatted(
            field,
            later.size(),
            jobs.size(),
            first(later, at -> "%s at %s".formatted(name(at), d.progress().unknownSince(at))));
  }

  /** The first of them, and how many more there are. */
  private static String first(List<Position> jobs, Function<Position, String> of) {
    String told = jobs.stream().limit(MOST_TOLD).map(of).collect(Collectors.joining(", "));
    return jobs.size() <= MOST_TOLD
        ? told
        : "%s, and %d more".formatted(told, jobs.size() - MOST_TOLD);
  }

  /** As in {@code erase/44 (aap-0045)}. */
  private String name(Position at) {
    PlannedBlock block = d.snapshot().plan().blocks().get(at.block());
    return "%s/%d (%s)".formatted(block.name(), at.index(), block.nameOf(at.index()));
  }

  private String job(Position at) {
    return "job " + name(at);
  }

  private static String all(PlannedBlock planned, IndexSet named) {
    return "block %s, indexes %s".formatted(planned.name(), named.ranges(MAX_TEXT));
  }

  private String standing(@Nullable BlockProgress block, Position at) {
    if (block == null) {
      return "has not begun";
    }
    if (block.succeeded.get(at.index())) {
      return "succeeded";
    }
    if (block.failed.get(at.index())) {
      return "failed";
    }
    if (block.skipped.get(at.index())) {
      return "was skipped";
    }
    return d.progress().active.containsKey(at) ? "is under way" : "has not begun";
  }

  private ActedBy acted(PendingAction action) {
    return new ActedBy(by(action), action.name(), reason(action), d.now());
  }

  private static String by(PendingAction action) {
    var author = action.spec().requestedBy();
    String name = author == null ? null : author.username();
    return Conditions.cut(Objects.requireNonNullElse(name, "somebody unnamed"), MAX_TEXT);
  }

  private static String reason(PendingAction action) {
    return Conditions.cut(Objects.requireNonNullElse(action.spec().reason(), ""), MAX_TEXT);
  }

  /** As in {@code ann (WorkflowAction erase-pause) at 2026-11-22T08:30:00Z: looks odd}. */
  static String told(ActedBy by) {
    return "%s (WorkflowAction %s) at %s: %s"
        .formatted(
            Objects.requireNonNullElse(by.by(), "somebody unnamed"),
            by.action(),
            by.time(),
            Objects.requireNonNullElse(by.reason(), ""));
  }
}
