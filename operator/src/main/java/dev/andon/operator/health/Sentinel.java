package dev.andon.operator.health;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether this process still does its work, for the liveness probe. It goes round by a list of
 * posts that stand where the work goes through; each says what is wrong there, and one where the
 * work cannot get through holds the sentinel up as well. Not back for a minute is as bad as a bad
 * report: both are for a restart to mend, and for a standby to take over.
 *
 * <p>A post speaks of this process alone. What is wrong elsewhere, as with an API server that does
 * not answer, is no reason to be restarted.
 */
public final class Sentinel implements AutoCloseable {
  static final Duration EVERY = Duration.ofSeconds(5);
  static final Duration LATE = Duration.ofMinutes(1);

  private static final Logger LOG = LoggerFactory.getLogger(Sentinel.class);

  private final List<Supplier<Optional<String>>> posts;
  private final LongSupplier nanoTime;

  private volatile long back;
  private volatile @Nullable String report;
  private final ScheduledExecutorService rounds =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("sentinel").factory());

  /**
   * @param posts what is wrong at each, empty where nothing is; may take long only where the work
   *     does
   */
  public Sentinel(List<Supplier<Optional<String>>> posts) {
    this(posts, System::nanoTime);
  }

  Sentinel(List<Supplier<Optional<String>>> posts, LongSupplier nanoTime) {
    this.posts = List.copyOf(posts);
    this.nanoTime = nanoTime;
    this.back = nanoTime.getAsLong();
  }

  /** Sets out; until then {@link #trouble} counts from the construction on. */
  public void start() {
    rounds.scheduleWithFixedDelay(this::round, 0, EVERY.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Past all posts, once. */
  void round() {
    List<String> wrong = posts.stream().map(Sentinel::at).filter(Objects::nonNull).toList();
    report = wrong.isEmpty() ? null : String.join("; ", wrong);
    back = nanoTime.getAsLong();
  }

  private static @Nullable String at(Supplier<Optional<String>> post) {
    try {
      return post.get().orElse(null);
    } catch (RuntimeException e) {
      LOG.warn("The sentinel could not look", e);
      return e.toString();
    }
  }

  /** What is wrong; empty while the work goes on. Never waits. */
  public Optional<String> trouble() {
    Duration away = Duration.ofNanos(nanoTime.getAsLong() - back);
    if (away.compareTo(LATE) > 0) {
      return Optional.of(
          "the sentinel has not come back for %d s: something holds what decisions go through"
              .formatted(away.toSeconds()));
    }
    return Optional.ofNullable(report);
  }

  @Override
  public void close() {
    rounds.shutdownNow();
  }
}
