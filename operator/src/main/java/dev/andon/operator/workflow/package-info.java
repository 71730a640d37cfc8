/**
 * What a workflow does next: everything observed in one value, one pure decision, one writer of
 * status.
 */
@NullMarked
package dev.andon.operator.workflow;

import org.jspecify.annotations.NullMarked;
