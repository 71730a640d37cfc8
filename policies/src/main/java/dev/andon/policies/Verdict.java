package dev.andon.policies;

import dev.andon.crds.WorkflowStatus.PolicyVerdict;
import dev.andon.policies.Judgement.Outcome;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * What all policies together say about a workflow.
 *
 * @param notAdmitted why no policy admits its type; empty if one does
 * @param judgements of every policy that matches, by name
 */
public record Verdict(List<String> notAdmitted, List<Judgement> judgements) {
  private static final int MESSAGE_LENGTH = 1_024;

  /** Status stays small even where hundreds of policies match. */
  private static final int POLICIES_IN_STATUS = 50;

  public Verdict {
    notAdmitted = List.copyOf(notAdmitted);
    judgements = List.copyOf(judgements);
  }

  /** Whether the workflow may run, or go on. What it may have to wait for is in {@link #waits}. */
  public boolean admitted() {
    return denials().isEmpty();
  }

  /** Everything that stands against the workflow, each naming its policy. */
  public List<String> denials() {
    return Stream.concat(notAdmitted.stream(), of(Enforcement.DENY, Judgement::findings)).toList();
  }

  /**
   * Of the denials, what only lacks something that another object can still bring: a policy that
   * admits the type, a job type in {@code allowed}, one that a rule guards.
   */
  public List<String> lacking() {
    return Stream.concat(notAdmitted.stream(), of(Enforcement.DENY, Judgement::lacking)).toList();
  }

  /** Whether something stands against the workflow whatever else may come. */
  public boolean denies() {
    return denials().size() > lacking().size();
  }

  /** What policies with enforcement Warn found: for people to see, with no further effect. */
  public List<String> warnings() {
    return of(Enforcement.WARN, Judgement::findings).toList();
  }

  /**
   * Why a workflow that may run must not start right now, such as {@code limits.maxRunning}. For
   * the start only: held to it later, workflows that run would wait for each other for ever.
   */
  public List<String> waits() {
    return of(Enforcement.DENY, Judgement::waits).toList();
  }

  /**
   * All denials, or if there is none all warnings, in at most 1,024 characters; "" if there is
   * neither.
   */
  public String message() {
    return Message.of(admitted() ? warnings() : denials(), MESSAGE_LENGTH);
  }

  /** {@link #waits} in at most 1,024 characters; "" if there is none. */
  public String waitMessage() {
    return Message.of(waits(), MESSAGE_LENGTH);
  }

  /**
   * For {@code status.policies}: by name; of more than 50 those that denied or warned come first
   * and the rest is left out.
   */
  public List<PolicyVerdict> toStatus() {
    if (judgements.size() <= POLICIES_IN_STATUS) {
      return judgements.stream().map(Judgement::toStatus).toList();
    }
    return judgements.stream()
        .sorted(Comparator.comparingInt(Verdict::weight))
        .limit(POLICIES_IN_STATUS)
        .map(Judgement::toStatus)
        .toList();
  }

  private static int weight(Judgement judgement) {
    return judgement.outcome() == Outcome.DENIED
        ? 0
        : judgement.outcome() == Outcome.WARNED ? 1 : 2;
  }

  private Stream<String> of(Enforcement enforcement, Function<Judgement, List<String>> part) {
    return judgements.stream()
        .filter(judgement -> judgement.enforcement() == enforcement)
        .flatMap(
            judgement ->
                part.apply(judgement).stream()
                    .map(text -> "policy " + judgement.policy() + ": " + text));
  }
}
