/** {@code andon bench}: what a stop does under load, measured on a real control plane. */
@NullMarked
package dev.andon.cli.bench;

import org.jspecify.annotations.NullMarked;
