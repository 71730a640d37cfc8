/**
 * Which cluster to talk to, and as whom: every kubeconfig that kubectl takes.
 *
 * <p>fabric8 7.8.0 alone refuses EC keys in PKCS #8, ignores {@code tokenFile} and {@code as},
 * falls back to another context if the one asked for isn't there, and mixes what an exec plugin
 * says to people into its answer.
 */
@NullMarked
package dev.andon.operator.kubeconfig;

import org.jspecify.annotations.NullMarked;
