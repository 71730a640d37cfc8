/** What people give an operator on its command line, read in one way. */
@NullMarked
package dev.andon.operator.options;

import org.jspecify.annotations.NullMarked;
