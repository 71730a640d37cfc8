/**
 * What a spec means: whether it is valid, and the jobs it stands for. Pure; used by the operator,
 * the policies and the CLI alike.
 */
@NullMarked
package dev.andon.plan;

import org.jspecify.annotations.NullMarked;
