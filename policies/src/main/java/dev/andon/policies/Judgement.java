package dev.andon.policies;

import dev.andon.crds.WorkflowStatus.PolicyVerdict;
import java.util.List;

/**
 * What one policy says about a workflow.
 *
 * @param policy its name
 * @param generation of the policy that was judged
 * @param findings what it has against the workflow, each with rule, field, value and way out; empty
 *     if {@link Outcome#ALLOWED}
 * @param lacking of the findings, what another object, or another word in this one, can still bring
 * @param waits why it should not start now, though it may later; matters at the start only, and
 *     does not change the outcome
 */
public record Judgement(
    String policy,
    long generation,
    Enforcement enforcement,
    Outcome outcome,
    List<String> findings,
    List<String> lacking,
    List<String> waits) {
  private static final int MESSAGE_LENGTH = 256;

  public Judgement {
    findings = List.copyOf(findings);
    lacking = List.copyOf(lacking);
    waits = List.copyOf(waits);
  }

  static Judgement of(
      Policy policy, List<String> findings, List<String> lacking, List<String> waits) {
    Enforcement enforcement = policy.enforcement();
    Outcome outcome =
        findings.isEmpty()
            ? Outcome.ALLOWED
            : switch (enforcement) {
              case DENY -> Outcome.DENIED;
              case WARN, AUDIT -> Outcome.WARNED;
            };
    return new Judgement(
        policy.name(), policy.generation(), enforcement, outcome, findings, lacking, waits);
  }

  /** As it stands in {@code status.policies}; the message has at most 256 characters. */
  public PolicyVerdict toStatus() {
    return new PolicyVerdict(
        policy,
        generation,
        outcome.text(),
        findings.isEmpty() ? null : Message.of(findings, MESSAGE_LENGTH));
  }

  /** How a policy decides. */
  public enum Outcome {
    ALLOWED("Allowed"),
    DENIED("Denied"),
    WARNED("Warned");

    private final String text;

    Outcome(String text) {
      this.text = text;
    }

    /** As status spells it. */
    public String text() {
      return text;
    }
  }
}
