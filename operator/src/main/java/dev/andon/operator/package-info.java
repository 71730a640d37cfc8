/** The process: wires everything together, and takes it apart in the right order. */
@NullMarked
package dev.andon.operator;

import org.jspecify.annotations.NullMarked;
