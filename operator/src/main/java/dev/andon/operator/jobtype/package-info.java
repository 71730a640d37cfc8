/** Says of every JobType whether jobs of it can be run. */
@NullMarked
package dev.andon.operator.jobtype;

import org.jspecify.annotations.NullMarked;
