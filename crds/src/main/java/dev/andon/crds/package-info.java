/**
 * The objects of group {@code andon.dev}, version {@code v1alpha1}, as plain Java values.
 *
 * <p>The YAML in {@code crds/} is the source of truth; a test holds these types to it. Whatever the
 * schema calls an enum is a String here, and a timestamp nobody can read is {@link
 * Timestamp#UNREADABLE}: no object that the API server holds may stop the operator from reading it.
 */
@NullMarked
package dev.andon.crds;

import org.jspecify.annotations.NullMarked;
