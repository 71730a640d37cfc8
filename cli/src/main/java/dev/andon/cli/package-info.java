/** The command {@code andon}: its verbs, and how it speaks when something is wrong. */
@NullMarked
package dev.andon.cli;

import org.jspecify.annotations.NullMarked;
