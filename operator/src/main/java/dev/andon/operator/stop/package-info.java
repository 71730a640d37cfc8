/** Whether a workflow type may act now. Everything here fails closed. */
@NullMarked
package dev.andon.operator.stop;

import org.jspecify.annotations.NullMarked;
