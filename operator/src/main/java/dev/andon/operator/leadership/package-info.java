/**
 * Which of several operators acts: one Lease, held by whoever renews it.
 *
 * <p>The Lease alone keeps nobody from acting: a process that was frozen does not know how long. So
 * what acts asks {@link dev.andon.operator.leadership.Leadership#holds} right before it does, which
 * goes by this process's own clocks. What is frozen between that question and the act meets the
 * other fences: the resourceVersion on every intent, and the attempt's key.
 */
@NullMarked
package dev.andon.operator.leadership;

import org.jspecify.annotations.NullMarked;
