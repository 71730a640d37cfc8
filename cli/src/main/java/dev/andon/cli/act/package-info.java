/** Acting on one workflow: start, pause, resume, cancel, resolve. */
@NullMarked
package dev.andon.cli.act;

import org.jspecify.annotations.NullMarked;
