package dev.andon.operator.leadership;

import java.time.Duration;

/**
 * The times of an election.
 *
 * @param lease how long others leave a lease alone that is not renewed, from when they saw its last
 *     renewal
 * @param renewDeadline how long a leader that cannot renew goes on, from when its last renewal was
 *     sent; well below {@code lease}: what lies between them is for clocks that run differently
 * @param renewEvery pause of a leader between renewals
 * @param lookEvery pause of a candidate between looks, and of a leader after a renewal that failed
 */
public record Terms(
    Duration lease, Duration renewDeadline, Duration renewEvery, Duration lookEvery) {

  /**
   * 15, 10 and 2 s, the defaults of Kubernetes' own components (k8s.io/component-base,
   * config/v1alpha1): five renewals may fail before a leader gives up, which a short restart of the
   * API server is not worth. A candidate looks once a second, so that a lease that was given back
   * is taken up within a second.
   */
  public static final Terms DEFAULT =
      new Terms(
          Duration.ofSeconds(15),
          Duration.ofSeconds(10),
          Duration.ofSeconds(2),
          Duration.ofSeconds(1));

  /**
   * @throws IllegalArgumentException when a leader would not have given up before others may begin
   */
  public Terms {
    if (lease.compareTo(renewDeadline) <= 0 || renewDeadline.compareTo(renewEvery) <= 0) {
      throw new IllegalArgumentException(
          "lease %s, renewDeadline %s, renewEvery %s: each must be longer than the next"
              .formatted(lease, renewDeadline, renewEvery));
    }
  }
}
