/** Which of the protections around the emergency stop are in place, found out and told. */
@NullMarked
package dev.andon.operator.protection;

import org.jspecify.annotations.NullMarked;
