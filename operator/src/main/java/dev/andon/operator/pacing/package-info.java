/** How fast: backoff, rate limits and circuit breakers. */
@NullMarked
package dev.andon.operator.pacing;

import org.jspecify.annotations.NullMarked;
