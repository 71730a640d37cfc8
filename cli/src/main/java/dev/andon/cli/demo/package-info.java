/** {@code andon demo}: a workflow from kubectl apply to its end, or to the stop, to be watched. */
@NullMarked
package dev.andon.cli.demo;

import org.jspecify.annotations.NullMarked;
