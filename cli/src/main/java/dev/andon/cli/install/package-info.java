/** {@code andon install}: what a cluster needs before an operator can run. */
@NullMarked
package dev.andon.cli.install;

import org.jspecify.annotations.NullMarked;
