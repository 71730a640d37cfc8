/**
 * A real Kubernetes control plane on one machine: finds, downloads or builds its binaries and runs
 * them on loopback.
 */
@NullMarked
package dev.andon.devcluster;

import org.jspecify.annotations.NullMarked;
