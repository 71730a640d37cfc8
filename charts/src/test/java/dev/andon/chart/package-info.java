/** Holds the chart to its sources, and tries it with real Helm on a real control plane. */
@NullMarked
package dev.andon.chart;

import org.jspecify.annotations.NullMarked;
