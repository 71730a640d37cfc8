package dev.andon.examples.fleet;

import java.nio.file.Path;
import java.time.Clock;
import org.jspecify.annotations.Nullable;

/**
 * How a {@link FleetServer} is started.
 *
 * @param port on the loopback address; 0 takes a free one
 * @param seed the same seed makes the same fleet
 * @param eraseMillis how long an erase takes
 * @param log file the log is kept in and replayed from; null keeps it in memory only
 * @param clock what the log's times are read from
 * @param everySiteInDecom whether all 1,700 machines may be erased, and not only those of {@code
 *     aap}
 */
public record FleetOptions(
    int port,
    long seed,
    EraseMillis eraseMillis,
    @Nullable Path log,
    Clock clock,
    boolean everySiteInDecom) {
  public static final long DEFAULT_SEED = 1;

  /** A free port, the usual fleet, a second or two for an erase, the log in memory. */
  public static FleetOptions defaults() {
    return new FleetOptions(0, DEFAULT_SEED, EraseMillis.DEFAULT, null, Clock.systemUTC(), false);
  }

  public FleetOptions withPort(int port) {
    return new FleetOptions(port, seed, eraseMillis, log, clock, everySiteInDecom);
  }

  public FleetOptions withSeed(long seed) {
    return new FleetOptions(port, seed, eraseMillis, log, clock, everySiteInDecom);
  }

  public FleetOptions withEraseMillis(int from, int to) {
    return withEraseMillis(new EraseMillis(from, to));
  }

  public FleetOptions withEraseMillis(EraseMillis eraseMillis) {
    return new FleetOptions(port, seed, eraseMillis, log, clock, everySiteInDecom);
  }

  public FleetOptions withLog(@Nullable Path log) {
    return new FleetOptions(port, seed, eraseMillis, log, clock, everySiteInDecom);
  }

  public FleetOptions withClock(Clock clock) {
    return new FleetOptions(port, seed, eraseMillis, log, clock, everySiteInDecom);
  }

  public FleetOptions withEverySiteInDecom() {
    return new FleetOptions(port, seed, eraseMillis, log, clock, true);
  }
}
