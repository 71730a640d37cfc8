/** What has finished, taken away; what it did stays in the ledger. */
@NullMarked
package dev.andon.cli.prune;

import org.jspecify.annotations.NullMarked;
