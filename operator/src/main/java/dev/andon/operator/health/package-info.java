/** What the outside asks of the process: is it alive, is it ready, what does it count. */
@NullMarked
package dev.andon.operator.health;

import org.jspecify.annotations.NullMarked;
