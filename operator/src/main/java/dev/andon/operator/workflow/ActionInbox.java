package dev.andon.operator.workflow;

import dev.andon.crds.Workflow;
import java.util.List;

/**
 * What people ask of workflows, and how they are told what became of it. An action is applied once,
 * by two writes in this order:
 *
 * <ol>
 *   <li>the workflow's status, under the resourceVersion decided from: what the action changes, and
 *       in the same write its uid with the result, in {@code status.actions};
 *   <li>the action's own status, copied from there.
 * </ol>
 *
 * <p>A process that dies before 1 has done nothing. One that dies between 1 and 2 leaves an action
 * that looks as if nobody had judged it; whoever comes next finds its uid in the workflow's status,
 * and does 2 alone. After 2 the uid may be forgotten in the workflow's status, since the action
 * says itself that it is judged.
 *
 * <p>Caches may be behind at any of these points. A workflow that is older than 1 cannot be written
 * any more. An action that is older than 2 is not believed: it is read from the API server itself
 * after the workflow was taken, so that a uid that is missing there because it was forgotten is
 * known to be judged here.
 */
public interface ActionInbox {
  /** What has not been judged; {@code workflow} is what is decided from. */
  PendingActions pending(Workflow workflow);

  /** Step 1 is done for these actions: tells them. */
  void judged(String namespace, List<String> names);
}
