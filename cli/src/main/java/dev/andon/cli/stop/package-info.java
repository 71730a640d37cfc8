/** {@code andon stop} and {@code andon arm}: what people use in the worst hour of their year. */
@NullMarked
package dev.andon.cli.stop;

import org.jspecify.annotations.NullMarked;
