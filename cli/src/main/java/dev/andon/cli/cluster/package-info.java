/** {@code andon cluster}: a control plane on this machine. */
@NullMarked
package dev.andon.cli.cluster;

import org.jspecify.annotations.NullMarked;
