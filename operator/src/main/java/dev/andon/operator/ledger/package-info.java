/** The ledger: which uid ran which spec, so that nothing is run twice by being created again. */
@NullMarked
package dev.andon.operator.ledger;

import org.jspecify.annotations.NullMarked;
