/**
 * The policy engine: everything known about a workflow goes in as {@link
 * dev.andon.policies.PolicyInput}, a {@link dev.andon.policies.Verdict} comes out. Pure: no client,
 * no clock, no state, so that whoever calls it judges as the operator does.
 *
 * <p>A new rule is a file beside {@link dev.andon.policies.SameArgsRule}, a line in {@link
 * dev.andon.policies.Rule} and one in {@link dev.andon.policies.PolicyReading}. Until it is there,
 * a policy that carries it is not ready, and denies.
 */
@NullMarked
package dev.andon.policies;

import org.jspecify.annotations.NullMarked;
