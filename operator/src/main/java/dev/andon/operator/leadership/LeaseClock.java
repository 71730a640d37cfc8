package dev.andon.operator.leadership;

import io.fabric8.kubernetes.api.model.coordination.v1.LeaseSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What one process may conclude from what it saw of the lease, and when it saw it. Two machines'
 * clocks are never compared: the times written in a lease are for people, a lease has run out when
 * <em>this</em> process has seen nobody renew it for its whole duration. (So does client-go's
 * leaderelection; fabric8's LeaderElector compares wall clocks.)
 *
 * <p>Nanoseconds are of one monotonic clock, which goes on while a process is frozen, though not
 * while a machine sleeps. Hence the second, ordinary clock in {@link #holds}: it can only take
 * away.
 *
 * <p>{@link #saw} is for one thread; {@link #holds} for all.
 */
final class LeaseClock {
  /** What a candidate may do. */
  enum Advice {
    /** There is none, and nobody can still believe to hold it. */
    CREATE,
    /** Nobody holds it any more. */
    TAKE,
    WAIT
  }

  private final String identity;
  private final Terms terms;
  private @Nullable LeaseSpec seen;
  private long seenAt;
  private volatile @Nullable Renewal renewal;

  private record Renewal(long nanos, Instant wall) {}

  LeaseClock(String identity, Terms terms) {
    this.identity = identity;
    this.terms = terms;
  }

  /** {@code lease}: as just read; null if there is none. */
  Advice saw(@Nullable LeaseSpec lease, long now) {
    if (lease != null && !lease.equals(seen)) {
      seen = lease;
      seenAt = now;
    }
    LeaseSpec last = seen;
    String holder = last == null ? "" : Objects.requireNonNullElse(last.getHolderIdentity(), "");
    boolean free =
        holder.isEmpty()
            // By a write of ours whose answer was lost.
            || holder.equals(identity)
            || now - seenAt >= leftAlone(last).toNanos();
    if (!free) {
      // Also where it is gone: whoever held it learns that only when it next renews.
      return Advice.WAIT;
    }
    return lease == null ? Advice.CREATE : Advice.TAKE;
  }

  /**
   * By our own terms, or by those it was renewed under if they are longer: its holder goes by
   * those, as while the times of a fleet of operators are being changed.
   */
  private Duration leftAlone(@Nullable LeaseSpec last) {
    Integer seconds = last == null ? null : last.getLeaseDurationSeconds();
    Duration written = seconds == null ? Duration.ZERO : Duration.ofSeconds(seconds);
    return written.compareTo(terms.lease()) > 0 ? Terms.atMost(written) : terms.lease();
  }

  /** The lease was written in our name, by a request that began at these times. */
  void renewed(long began, Instant wall) {
    renewal = new Renewal(began, wall);
  }

  /** Whether nobody else can have the lease yet, by either clock. */
  boolean holds(long now, Instant wall) {
    Renewal last = renewal;
    return last != null
        && now - last.nanos < terms.renewDeadline().toNanos()
        && Duration.between(last.wall, wall).compareTo(terms.renewDeadline()) < 0;
  }

  /** Nanoseconds until a leader has to give up; not positive once it has. */
  long left(long now) {
    Renewal last = renewal;
    return last == null ? 0 : terms.renewDeadline().toNanos() - (now - last.nanos);
  }

  /** It is not ours any more. */
  void over() {
    renewal = null;
  }

  /** Who held it when it was last seen. */
  Optional<String> holder() {
    return Optional.ofNullable(seen)
        .map(LeaseSpec::getHolderIdentity)
        .filter(holder -> !holder.isEmpty());
  }
}
