package dev.andon.operator.execution;

import dev.andon.crds.TokenBucketSpec;
import dev.andon.crds.TokenBucketStatus;
import dev.andon.crds.TokenBucketStatus.Grant;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The arithmetic of a TokenBucket. Pure.
 *
 * <p>Refills count in whole intervals from {@code lastRefill}, which moves by whole intervals, so
 * that looking often or late neither gains nor loses a token. A full bucket gains nothing: its next
 * interval begins when a token is taken. Never more than {@code size} tokens, never less than none.
 *
 * <p><b>Grants.</b> A key that has a grant is not granted again, and takes no second token. Grants
 * are kept for seven days, and if there are more than {@value #GRANTS_KEPT}, the oldest go earlier,
 * but never within an hour of being given: an attempt asks again only before its deadline
 * (minutes), or when another workflow continues its unknown jobs (days). If even so there is no
 * room, no token is given. Should a key be asked for after its grant is gone, it <em>takes another
 * token</em>: the bucket then counts one job twice, and never lets a job pass that took no token.
 * That is the safe direction, and the reason why a grant may be forgotten at all.
 */
public final class TokenBuckets {
  static final Duration KEPT = Duration.ofDays(7);
  static final Duration KEPT_AT_LEAST = Duration.ofHours(1);

  /** About 100 KB in the object. */
  static final int GRANTS_KEPT = 1_000;

  private TokenBuckets() {}

  /** What became of asking for a token. */
  public sealed interface Taken {
    /** Taken, once {@code status} is written under the resourceVersion it was decided from. */
    record Granted(TokenBucketStatus status) implements Taken {}

    /** This key has its token. */
    record AlreadyGranted() implements Taken {}

    /**
     * There is none.
     *
     * @param nextRefill when there will be one; null: never, unless a person changes the bucket
     * @param repaired to be written though nothing is taken, because the status counts from a time
     *     that has not come (a clock was set back) or that cannot be read; null: nothing to repair
     */
    record Empty(@Nullable Instant nextRefill, @Nullable TokenBucketStatus repaired)
        implements Taken {}
  }

  /**
   * Takes a token for the key.
   *
   * @param spec without a size, or with a negative one, it holds none
   * @param status null: never used, so full
   */
  public static Taken take(
      TokenBucketSpec spec, @Nullable TokenBucketStatus status, String key, Instant now) {
    List<Grant> grants = status == null ? List.of() : status.grants();
    if (grants.stream().anyMatch(grant -> key.equals(grant.key()))) {
      return new Taken.AlreadyGranted();
    }
    Level level = level(spec, status, now);
    if (level.tokens() < 1) {
      boolean ahead =
          status != null && status.tokens() != null && unusable(status.lastRefill(), spec, now);
      return new Taken.Empty(
          level.nextRefill(spec),
          ahead ? new TokenBucketStatus(level.tokens(), level.since(), grants) : null);
    }
    List<Grant> kept = prune(grants, now);
    if (kept.size() >= GRANTS_KEPT) {
      return new Taken.Empty(oldest(kept, now).plus(KEPT_AT_LEAST), null);
    }
    var with = new ArrayList<>(kept);
    with.add(new Grant(key, now));
    return new Taken.Granted(new TokenBucketStatus(level.tokens() - 1, level.since(), with));
  }

  /** How full the bucket is, and since when the interval runs that leads to the next refill. */
  private record Level(int tokens, Instant since) {
    @Nullable Instant nextRefill(TokenBucketSpec spec) {
      Refill refill = Refill.of(spec);
      return refill == null || size(spec) == 0 ? null : since.plus(refill.interval());
    }
  }

  private record Refill(int tokens, Duration interval) {
    static @Nullable Refill of(TokenBucketSpec spec) {
      TokenBucketSpec.Refill refill = spec.refill();
      return refill == null
              || refill.tokens() == null
              || refill.intervalSeconds() == null
              || refill.tokens() < 1
              || refill.intervalSeconds() < 1
          ? null
          : new Refill(refill.tokens(), Duration.ofSeconds(refill.intervalSeconds()));
    }
  }

  private static Level level(
      TokenBucketSpec spec, @Nullable TokenBucketStatus status, Instant now) {
    int size = size(spec);
    if (status == null || status.tokens() == null) {
      return new Level(size, now);
    }
    int tokens = Math.clamp(status.tokens(), 0, size);
    Refill refill = Refill.of(spec);
    Instant since = status.lastRefill();
    if (refill == null || since == null || tokens == size || unusable(since, spec, now)) {
      return new Level(tokens, now);
    }
    long intervals = Duration.between(since, now).dividedBy(refill.interval());
    if (intervals <= 0) {
      return new Level(tokens, since);
    }
    // Compared before it is multiplied: a bucket may be looked at again after years.
    int toFill = size - tokens;
    if (intervals >= Math.ceilDiv(toFill, refill.tokens())) {
      return new Level(size, now);
    }
    return new Level(
        tokens + (int) (intervals * refill.tokens()),
        since.plus(refill.interval().multipliedBy(intervals)));
  }

  /** Further ahead than clocks differ, or no time at all: no refill would ever come of it. */
  private static boolean unusable(@Nullable Instant since, TokenBucketSpec spec, Instant now) {
    Refill refill = Refill.of(spec);
    return refill != null
        && (since == null
            || since.isAfter(now.plus(refill.interval()))
            || since.isBefore(Instant.EPOCH));
  }

  private static int size(TokenBucketSpec spec) {
    return spec.size() == null ? 0 : Math.max(0, spec.size());
  }

  private static List<Grant> prune(List<Grant> grants, Instant now) {
    List<Grant> kept =
        grants.stream().filter(grant -> time(grant, now).isAfter(now.minus(KEPT))).toList();
    int tooMany = kept.size() - (GRANTS_KEPT - 1);
    if (tooMany <= 0) {
      return kept;
    }
    List<Grant> dropped =
        kept.stream()
            .filter(grant -> !time(grant, now).isAfter(now.minus(KEPT_AT_LEAST)))
            .sorted(Comparator.comparing(grant -> time(grant, now)))
            .limit(tooMany)
            .toList();
    return kept.stream().filter(grant -> !dropped.contains(grant)).toList();
  }

  private static Instant oldest(List<Grant> grants, Instant now) {
    return grants.stream()
        .map(grant -> time(grant, now))
        .min(Comparator.naturalOrder())
        .orElse(now);
  }

  /** A time that is missing or unreadable counts as now: such a grant is not forgotten. */
  private static Instant time(Grant grant, Instant now) {
    Instant time = grant.time();
    return time == null || time.isBefore(Instant.EPOCH) ? now : time;
  }
}
