/** Says of every WorkflowPolicy whether it guards anything. */
@NullMarked
package dev.andon.operator.policy;

import org.jspecify.annotations.NullMarked;
