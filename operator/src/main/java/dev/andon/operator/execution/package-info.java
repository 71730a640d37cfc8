/** Doing what was decided: one attempt at a time, each send behind a permit. */
@NullMarked
package dev.andon.operator.execution;

import org.jspecify.annotations.NullMarked;
