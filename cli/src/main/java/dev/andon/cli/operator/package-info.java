/** {@code andon operator}: the operator in the foreground. */
@NullMarked
package dev.andon.cli.operator;

import org.jspecify.annotations.NullMarked;
