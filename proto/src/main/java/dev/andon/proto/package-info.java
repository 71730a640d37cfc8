/**
 * Requests and status as protobuf: {@link dev.andon.proto.WorkflowRequests} reads a request and
 * refuses what it does not know, {@link dev.andon.proto.WorkflowMapping} takes a Workflow from the
 * one form to the other without losing a field.
 *
 * <p>{@code andon/workflow/v1/workflow.proto} mirrors the types of {@code dev.andon.crds}; tests
 * hold the two together by name.
 */
@NullMarked
package dev.andon.proto;

import org.jspecify.annotations.NullMarked;
