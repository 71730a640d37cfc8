/** A run of the operator in front of nobody, for what it loads. */
@NullMarked
package dev.andon.cli.rehearsal;

import org.jspecify.annotations.NullMarked;
