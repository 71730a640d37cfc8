package dev.andon.examples.fleet;

import java.time.Instant;
import java.util.Locale;

/**
 * One erase of one machine.
 *
 * @param operation its id
 * @param key the Idempotency-Key that began it
 */
record Erasure(
    String operation, String site, String machine, String key, Instant began, Status status) {

  enum Status {
    RUNNING,
    DONE,
    FAILED,
    CANCELLED;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  Erasure as(Status newStatus) {
    return new Erasure(operation, site, machine, key, began, newStatus);
  }
}
