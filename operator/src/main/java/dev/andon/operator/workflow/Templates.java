package dev.andon.operator.workflow;

import java.util.List;

/**
 * What the API server says of the pod templates of a workflow's job types, in its namespace. Asked
 * of those that were not pinned, before they are.
 *
 * @param findings what is wrong with them, in a sentence each
 * @param awaited whether answers are to come that are still worth waiting for
 */
record Templates(List<String> findings, boolean awaited) {
  static final Templates NONE = new Templates(List.of(), false);
}
