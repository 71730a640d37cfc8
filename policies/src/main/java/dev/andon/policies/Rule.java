package dev.andon.policies;

import dev.andon.plan.JobTypes;

/** A rule of a policy. Each kind is a file of its own, and knows nothing of the others. */
sealed interface Rule permits RestrictJobTypesRule, SameArgsRule, StartOrEndRule, LimitsRule {
  /** As the object spells it. */
  String kind();

  /**
   * What is wrong with the settings by themselves. Nothing else is asked of a rule that has any.
   */
  void validate(Findings findings);

  /** What keeps the rule from guarding anything: names that exist nowhere. */
  default void guardsNothing(JobTypes jobTypes, Findings findings) {}

  /** Names that exist nowhere but leave the rule as strict as it is. */
  default void unknownNames(JobTypes jobTypes, Findings findings) {}

  /** What the workflow has against the rule. */
  void judge(PolicyInput input, Findings findings);

  /**
   * Whether what the rule finds may be for want of a word in the policy, which is still to come:
   * not so much against the workflow as not yet for it.
   */
  default boolean canBeMet() {
    return false;
  }

  /** Why the workflow, though it may run, should not start now. */
  default void judgeStart(PolicyInput input, Findings findings) {}
}
