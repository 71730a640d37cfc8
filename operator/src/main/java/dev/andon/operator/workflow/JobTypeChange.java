package dev.andon.operator.workflow;

import dev.andon.crds.WorkflowStatus.PinnedJobType;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Job types are pinned at acceptance, by uid and generation. One that changes holds the workflow
 * until a person says that it may go on with what they are now.
 */
final class JobTypeChange {
  private JobTypeChange() {}

  /**
   * Nothing was begun under the old ones: those that still fit are pinned anew, and policies judge
   * them at the start like any other.
   */
  static @Nullable State beforeTheStart(Deciding d) {
    if (d.changedJobTypes().isEmpty()) {
      return null;
    }
    List<String> findings = Admission.findings(d.snapshot());
    if (!findings.isEmpty()) {
      return State.held(
          Reasons.JOB_TYPE_CHANGED,
          "since it was accepted %s; the Workflow does not fit them any more: %s"
              .formatted(differences(d), String.join("; ", findings)));
    }
    if (d.snapshot().templates().awaited()) {
      d.lookAgainSoon();
      return State.held(
          Reasons.JOB_TYPE_CHANGED,
          "since it was accepted %s; the API server is asked what it says of their pod templates"
              .formatted(differences(d)));
    }
    d.pinJobTypes();
    return null;
  }

  /** Holds what has started. */
  static @Nullable State hold(Deciding d) {
    return d.changedJobTypes().isEmpty()
        ? null
        : State.held(
            Reasons.JOB_TYPE_CHANGED,
            "since it was accepted %s; a WorkflowAction Resume lets it go on with them as they are now"
                .formatted(differences(d)));
  }

  /**
   * Why a Resume cannot take the job types as they are now; empty: it can. What was sent under the
   * old ones has to end first: what became of it is not to be asked of another target.
   */
  static Optional<String> obstacle(Deciding d) {
    List<String> findings = Admission.findings(d.snapshot());
    if (!findings.isEmpty()) {
      return Optional.of(
          "%s, and the Workflow does not fit them: %s; put them back, or Cancel it and create another"
              .formatted(differences(d), String.join("; ", findings)));
    }
    if (!d.snapshot().items().changed().isEmpty()) {
      return Optional.of(String.join("; ", d.snapshot().items().changed()));
    }
    int underWay = d.attempts().underWayOf(d.changedJobTypes());
    if (underWay > 0) {
      return Optional.of(
          "%d attempts begun before %s have not ended; ask again once they have"
              .formatted(underWay, differences(d)));
    }
    if (!d.allowedByPolicies()) {
      return Optional.of(
          "%s, and policy denies it: %s".formatted(differences(d), d.policyMessage()));
    }
    return Optional.empty();
  }

  /** Goes on with the job types as they are now; says what has changed. */
  static String accept(Deciding d) {
    String differences = differences(d);
    d.attempts().settleSentOf(d.changedJobTypes());
    d.attempts().keepJobTypesOfUnknown(d.changedJobTypes());
    d.pinJobTypes();
    return "it goes on with job types as they are now: " + differences;
  }

  /** As in {@code job type disk-erase changed (generation 1 to 2)}. */
  private static String differences(Deciding d) {
    return d.changedJobTypes().stream()
        .map(name -> "job type " + name + " " + difference(d, name))
        .collect(Collectors.joining(", "));
  }

  private static String difference(Deciding d, String name) {
    PinnedJobType now = d.snapshot().jobTypeVersions().get(name);
    PinnedJobType then = d.pinned(name);
    if (now == null) {
      return "was deleted";
    }
    return then == null || !Objects.equals(now.uid(), then.uid())
        ? "was deleted and created anew"
        : "changed (generation %s to %s)".formatted(then.generation(), now.generation());
  }
}
