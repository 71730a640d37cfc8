package dev.andon.operator.workflow;

import java.util.List;
import java.util.Set;

/**
 * What people ask of one workflow.
 *
 * @param waiting in no order
 * @param told uids of actions in the workflow's status whose own status is known to say so, or that
 *     are gone: only these may be forgotten
 * @param unread whether there are more, which could not be read just now
 */
public record PendingActions(List<PendingAction> waiting, Set<String> told, boolean unread) {
  static final PendingActions NONE = new PendingActions(List.of(), Set.of(), false);
}
