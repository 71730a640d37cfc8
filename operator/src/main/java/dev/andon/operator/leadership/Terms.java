package dev.andon.operator.leadership;

import dev.andon.operator.options.DurationOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The times of an election.
 *
 * @param lease how long others leave a lease alone that is not renewed, from when they saw its last
 *     renewal; whole seconds, since the Lease tells it in them
 * @param renewDeadline how long a leader that cannot renew goes on, from when its last renewal was
 *     sent; well below {@code lease}: what lies between them is for clocks that run differently
 * @param renewEvery pause of a leader between renewals
 * @param lookEvery pause of a candidate between looks, and of a leader after a renewal that failed
 */
public record Terms(
    Duration lease, Duration renewDeadline, Duration renewEvery, Duration lookEvery) {

  /** {@link #lease} of {@link #DEFAULT}, as in {@link #of(String, String, String)}. */
  public static final String LEASE_DURATION = "15s";

  /** {@link #renewDeadline} of {@link #DEFAULT}. */
  public static final String RENEW_DEADLINE = "10s";

  /** {@link #renewEvery} of {@link #DEFAULT}. */
  public static final String RETRY_PERIOD = "2s";

  private static final Duration SHORTEST_LEASE = Duration.ofSeconds(1);
  private static final Duration LONGEST_LEASE = Duration.ofHours(1);

  /**
   * 15, 10 and 2 s, the defaults of Kubernetes' own components (k8s.io/component-base,
   * config/v1alpha1): five renewals may fail before a leader gives up, which a short restart of the
   * API server is not worth. A candidate looks once a second, so that a lease that was given back
   * is taken up within a second.
   */
  public static final Terms DEFAULT = of(LEASE_DURATION, RENEW_DEADLINE, RETRY_PERIOD);

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

  /**
   * As people give them, by the names and rules they know from Kubernetes' own components
   * (k8s.io/client-go, tools/leaderelection, NewLeaderElector). A candidate, and a leader whose
   * renewal failed, look twice in a retry period.
   *
   * @param leaseDuration as in {@code 15s}, {@code 1m30s} or {@code 500ms}, and so the others
   * @throws IllegalArgumentException naming each option, its value, the rule and the way out
   */
  public static Terms of(String leaseDuration, String renewDeadline, String retryPeriod) {
    List<String> wrong = new ArrayList<>();
    Duration lease = DurationOption.parse("--lease-duration", leaseDuration, wrong);
    Duration deadline = DurationOption.parse("--renew-deadline", renewDeadline, wrong);
    Duration retry = DurationOption.parse("--retry-period", retryPeriod, wrong);
    if (lease != null
        && (lease.compareTo(SHORTEST_LEASE) < 0
            || lease.compareTo(LONGEST_LEASE) > 0
            || lease.getNano() != 0)) {
      wrong.add(
          "--lease-duration %s: whole seconds, from 1s to 1h; the default is %s"
              .formatted(leaseDuration, LEASE_DURATION));
    }
    if (lease != null && deadline != null && deadline.compareTo(lease) >= 0) {
      wrong.add(
          ("--renew-deadline %s: must be shorter than --lease-duration %s, or another may lead"
                  + " before this one has given up; two thirds of it are usual")
              .formatted(renewDeadline, leaseDuration));
    }
    if (retry != null && retry.isZero()) {
      wrong.add(
          "--retry-period %s: must be longer than nothing; the default is %s"
              .formatted(retryPeriod, RETRY_PERIOD));
    }
    // client-go's jitter: no pause between renewals may use up all the time there is for them.
    if (deadline != null
        && retry != null
        && deadline.compareTo(retry.multipliedBy(6).dividedBy(5)) <= 0) {
      wrong.add(
          ("--retry-period %s: 1.2 times it must be shorter than --renew-deadline %s, or one renewal"
                  + " that fails ends the leader; a fifth of it is usual")
              .formatted(retryPeriod, renewDeadline));
    }
    if (lease == null || deadline == null || retry == null || !wrong.isEmpty()) {
      throw new IllegalArgumentException(String.join("\n", wrong));
    }
    return new Terms(lease, deadline, retry, retry.dividedBy(2));
  }

  /**
   * For the answer to one request: half of the renew deadline, as in Kubernetes' own components.
   */
  Duration answer() {
    return renewDeadline.dividedBy(2);
  }

  /** No lease is longer than there may be terms. */
  static Duration atMost(Duration lease) {
    return lease.compareTo(LONGEST_LEASE) > 0 ? LONGEST_LEASE : lease;
  }
}
