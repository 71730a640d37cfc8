/** What is counted, in Prometheus' words. */
@NullMarked
package dev.andon.operator.metrics;

import org.jspecify.annotations.NullMarked;
