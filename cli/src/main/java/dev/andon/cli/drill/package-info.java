/** {@code andon drill}: the stop, tried before it is needed. */
@NullMarked
package dev.andon.cli.drill;

import org.jspecify.annotations.NullMarked;
