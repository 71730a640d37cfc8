package dev.andon.operator.protection;

import java.time.Instant;
import java.util.Optional;

/** What is counted of the protections. Called once a round: be quick. */
public interface ProtectionMetrics {

  /**
   * After each round.
   *
   * @param lastKnown each protection as it was when it last could be looked at
   * @param lookedAt when everything could last be looked at
   * @param secondLayerBehindSince since when the second layer is known to judge by an old state of
   *     the stop, or not at all; empty while it follows
   */
  default void round(
      Protections lastKnown, Instant lookedAt, Optional<Instant> secondLayerBehindSince) {}

  static ProtectionMetrics none() {
    return new ProtectionMetrics() {};
  }
}
