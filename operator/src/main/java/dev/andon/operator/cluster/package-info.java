/** What the API server says of objects, told from what anything on the way to it says. */
@NullMarked
package dev.andon.operator.cluster;

import org.jspecify.annotations.NullMarked;
