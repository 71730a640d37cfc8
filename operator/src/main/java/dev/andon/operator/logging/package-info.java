/** What is logged, and where to. */
@NullMarked
package dev.andon.operator.logging;

import org.jspecify.annotations.NullMarked;
