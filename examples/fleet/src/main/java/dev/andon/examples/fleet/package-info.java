/**
 * A fleet of machines that a workflow erases: a small HTTP service that behaves like the real thing
 * in what matters here, keeps a log of what it did, and misbehaves on request.
 */
@NullMarked
package dev.andon.examples.fleet;

import org.jspecify.annotations.NullMarked;
