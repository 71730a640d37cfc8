package dev.andon.operator.leadership;

import dev.andon.operator.leadership.Leases.Answer;
import dev.andon.operator.stop.StopClients;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseSpec;
import io.fabric8.kubernetes.client.Config;
import java.math.BigDecimal;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One candidate for the Lease {@code andon-operator}, on a thread of its own.
 *
 * <p>It looks again and again, and takes the lease when it is free. Then it renews it, under the
 * resourceVersion of its own last write, until:
 *
 * <ol>
 *   <li>the lease is another's, or gone: whoever deletes it asks for another election;
 *   <li>no renewal has succeeded for the renew deadline: others may take it soon;
 *   <li>{@link #close}: it goes on renewing while the operator drains, and is given back last.
 * </ol>
 *
 * After 1 and 2 {@code lost} is called, once, on this thread, and must end the process: what is
 * under way in it was decided by a leader, and there is another now.
 */
public final class Election implements Leadership {
  /** Name of the Lease. */
  public static final String LEASE = "andon-operator";

  private static final Logger LOG = LoggerFactory.getLogger(Election.class);

  private static final long OVER = -1;

  private final Leases leases;
  private final String namespace;
  private final String identity;
  private final Terms terms;
  private final Clock clock;
  private final LongSupplier nanoTime;
  private final Consumer<String> lost;
  private final LeaseClock lease;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition called = lock.newCondition();
  private @Nullable Runnable candidacy; // guarded by lock; what to do as leader
  private boolean closed; // guarded by lock
  private @Nullable Thread thread;

  // Only the election's thread, and close() after it has ended.
  private @Nullable Lease mine;
  private @Nullable String complaint;

  private volatile String holder = "";
  private volatile @Nullable String failure = "not seen yet";
  private volatile boolean seen;
  private volatile long wellAt;

  /**
   * {@code main}: the operator's own configuration; {@code namespace}: of the Lease, and must
   * exist; {@code lost}: must not return before nothing is sent any more.
   */
  public static Election of(
      Config main, String namespace, Terms terms, Clock clock, Consumer<String> lost) {
    return new Election(
        new ApiLeases(StopClients.leases(main, terms.answer()), namespace, LEASE),
        namespace,
        newIdentity(),
        terms,
        clock,
        System::nanoTime,
        lost);
  }

  Election(
      Leases leases,
      String namespace,
      String identity,
      Terms terms,
      Clock clock,
      LongSupplier nanoTime,
      Consumer<String> lost) {
    this.leases = leases;
    this.namespace = namespace;
    this.identity = identity;
    this.terms = terms;
    this.clock = clock;
    this.nanoTime = nanoTime;
    this.lost = lost;
    this.lease = new LeaseClock(identity, terms);
    this.wellAt = nanoTime.getAsLong();
  }

  /**
   * Another for every process, also for two on one host: a pod that restarts is a new candidate.
   */
  private static String newIdentity() {
    String host = System.getenv("HOSTNAME");
    if (host == null || host.isBlank()) {
      try {
        host = InetAddress.getLocalHost().getHostName();
      } catch (UnknownHostException e) {
        host = "unknown";
      }
    }
    return host + "_" + UUID.randomUUID();
  }

  @Override
  public boolean holds() {
    return lease.holds(nanoTime.getAsLong(), clock.instant());
  }

  @Override
  public String leader() {
    String now = holder;
    if (now.equals(identity)) {
      return holds() ? identity + ", this process" : "nobody";
    }
    return now.isEmpty() ? "nobody" : now;
  }

  @Override
  public Optional<String> trouble() {
    String why = failure;
    boolean passing = seen && nanoTime.getAsLong() - wellAt < terms.renewDeadline().toNanos();
    return passing ? Optional.empty() : Optional.ofNullable(why);
  }

  @Override
  public void start() {
    thread = Thread.ofPlatform().name("andon-lease").daemon().start(this::run);
  }

  @Override
  public void stand(Runnable leads) {
    lock.lock();
    try {
      candidacy = leads;
      called.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    try {
      for (long rest = 0; rest != OVER; rest = turn()) {
        rest(rest);
      }
    } catch (InterruptedException e) {
      LOG.debug("The election ends");
    } catch (RuntimeException | Error e) {
      LOG.error("The election failed in a way nobody thought of", e);
      lose("fault in the election: " + e);
    }
  }

  private void rest(long nanos) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      if (nanos > 0 && !closed) {
        // Who is called to stand looks at once.
        long _ = called.awaitNanos(nanos);
      }
    } finally {
      lock.unlock();
    }
  }

  /** One turn, by one thread; nanoseconds until the next, or -1 if there is none. */
  long turn() throws InterruptedException {
    Runnable leads;
    lock.lock();
    try {
      if (closed) {
        return OVER;
      }
      leads = candidacy;
    } finally {
      lock.unlock();
    }
    if (mine == null) {
      return look(leads);
    }
    long rest = renew(mine);
    return rest == OVER ? OVER : Math.min(rest, Math.max(0, lease.left(nanoTime.getAsLong())));
  }

  private long look(@Nullable Runnable leads) throws InterruptedException {
    return switch (leases.read(terms.answer())) {
      case Answer.Is(Lease there) -> {
        saw(spec(there));
        yield switch (lease.saw(spec(there), nanoTime.getAsLong())) {
          case WAIT, CREATE -> well();
          case TAKE -> leads == null ? well() : take(there, leads);
        };
      }
      case Answer.Missing _ -> {
        saw(new LeaseSpec());
        yield switch (lease.saw(null, nanoTime.getAsLong())) {
          case WAIT, TAKE -> well();
          case CREATE -> leads == null ? well() : take(null, leads);
        };
      }
      case Answer.Changed _ -> failed("read: conflict");
      case Answer.Failed(String why) -> failed(why);
    };
  }

  private long take(@Nullable Lease there, Runnable leads) throws InterruptedException {
    long began = nanoTime.getAsLong();
    Instant wall = clock.instant();
    Lease wanted = inOurName(there, wall, true);
    return switch (there == null
        ? leases.create(wanted, terms.answer())
        : leases.replace(wanted, terms.answer())) {
      case Answer.Is(Lease written) -> {
        ours(written, began, wall);
        LOG.info("leads, as {}", identity);
        Thread.ofPlatform().name("andon-leads").start(leads);
        yield terms.renewEvery().toNanos();
      }
      // Another was faster.
      case Answer.Changed _, Answer.Missing _ -> 0;
      case Answer.Failed(String why) -> failed(why);
    };
  }

  private long renew(Lease held) throws InterruptedException {
    long began = nanoTime.getAsLong();
    long left = lease.left(began);
    if (left <= 0) {
      return lose(
          "it could not be renewed for %s s: %s"
              .formatted(
                  seconds(terms.renewDeadline()),
                  Objects.requireNonNullElse(failure, "this process was frozen, or starved")));
    }
    Instant wall = clock.instant();
    Duration atMost = Duration.ofNanos(Math.min(left, terms.answer().toNanos()));
    return switch (leases.replace(inOurName(held, wall, false), atMost)) {
      case Answer.Is(Lease written) -> {
        ours(written, began, wall);
        yield terms.renewEvery().toNanos();
      }
      case Answer.Missing _ -> lose("it was deleted");
      case Answer.Changed _ -> changed(atMost);
      case Answer.Failed(String why) -> failed(why);
    };
  }

  /** As in {@code 10} and {@code 2.5}. */
  private static String seconds(Duration time) {
    return BigDecimal.valueOf(time.toMillis(), 3).stripTrailingZeros().toPlainString();
  }

  /**
   * Something was written that is not our last renewal: by another, or by one whose answer was
   * lost.
   */
  private long changed(Duration atMost) throws InterruptedException {
    return switch (leases.read(atMost)) {
      case Answer.Is(Lease there) -> {
        if (identity.equals(spec(there).getHolderIdentity())) {
          mine = there;
          yield 0;
        }
        saw(spec(there));
        yield lose("%s holds it".formatted(leader()));
      }
      case Answer.Missing _ -> lose("it was deleted");
      case Answer.Changed _ -> failed("read: conflict");
      case Answer.Failed(String why) -> failed(why);
    };
  }

  private void ours(Lease written, long began, Instant wall) {
    lease.renewed(began, wall);
    mine = written;
    saw(spec(written));
    long _ = well();
  }

  private void saw(LeaseSpec spec) {
    String now = Objects.requireNonNullElse(spec.getHolderIdentity(), "");
    if (!now.equals(holder) && !now.equals(identity)) {
      LOG.info("lease {}/{}: held by {}", namespace, LEASE, now.isEmpty() ? "nobody" : now);
    }
    holder = now;
  }

  private long well() {
    failure = null;
    complaint = null;
    seen = true;
    wellAt = nanoTime.getAsLong();
    return terms.lookEvery().toNanos();
  }

  private long failed(String why) {
    failure = why;
    if (!why.equals(complaint)) {
      complaint = why;
      LOG.warn(
          mine == null
              ? "lease {}/{} can be neither seen nor taken, and nothing is done without it"
                  + " (--leader-elect=false, where only one operator runs): {}"
              : "lease {}/{} could not be renewed; this process ends if that goes on: {}",
          namespace,
          LEASE,
          why);
    }
    return terms.lookEvery().toNanos();
  }

  private long lose(String why) {
    lease.over();
    mine = null;
    lost.accept(why);
    return OVER;
  }

  private static LeaseSpec spec(Lease lease) {
    return lease.getSpec() == null ? new LeaseSpec() : lease.getSpec();
  }

  /** {@code there}: what is replaced; what others wrote in its metadata stays. */
  private Lease inOurName(@Nullable Lease there, Instant at, boolean taking) {
    ZonedDateTime now = at.atZone(ZoneOffset.UTC);
    LeaseBuilder builder =
        there == null
            ? new LeaseBuilder()
                .withNewMetadata()
                .withNamespace(namespace)
                .withName(LEASE)
                .endMetadata()
            : new LeaseBuilder(there);
    LeaseSpec before = there == null ? null : spec(there);
    int changes =
        before == null || before.getLeaseTransitions() == null ? 0 : before.getLeaseTransitions();
    return builder
        .editOrNewSpec()
        .withHolderIdentity(identity)
        .withLeaseDurationSeconds((int) terms.lease().toSeconds())
        .withAcquireTime(taking || before == null ? now : before.getAcquireTime())
        .withRenewTime(now)
        .withLeaseTransitions(taking && before != null ? changes + 1 : changes)
        .endSpec()
        .build();
  }

  @Override
  public void close() {
    lock.lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      called.signalAll();
    } finally {
      lock.unlock();
    }
    try {
      Thread running = thread;
      if (running != null && !running.join(terms.answer().plusSeconds(1))) {
        return; // it hangs; the lease runs out by itself
      }
      giveBack();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      leases.close();
    }
  }

  private void giveBack() throws InterruptedException {
    Lease held = mine;
    if (held == null || failure != null) {
      return; // where renewals fail, this would too
    }
    lease.over();
    mine = null;
    Lease free =
        new LeaseBuilder(held)
            .editSpec()
            .withHolderIdentity(null)
            .withLeaseDurationSeconds(1)
            .withRenewTime(clock.instant().atZone(ZoneOffset.UTC))
            .endSpec()
            .build();
    switch (leases.replace(free, terms.answer())) {
      case Answer.Is _ -> LOG.info("lease {}/{}: given back", namespace, LEASE);
      case Answer.Missing _, Answer.Changed _ ->
          LOG.info("lease {}/{}: not ours", namespace, LEASE);
      case Answer.Failed(String why) ->
          LOG.warn("lease {}/{}: not given back; it runs out by itself: {}", namespace, LEASE, why);
    }
  }
}
