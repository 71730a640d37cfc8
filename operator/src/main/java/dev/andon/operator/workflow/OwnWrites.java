package dev.andon.operator.workflow;

import dev.andon.crds.Workflow;
import dev.andon.operator.cluster.Revision;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What this process wrote last of each workflow. The framework's cache can fall back behind that: a
 * late event of an earlier write takes its place until the next event comes. A decision made from
 * what was before would meet a conflict when it is written; but not every decision is written, and
 * not everything waits for the write: an outcome that the newer status does not tell of yet would
 * be forgotten, an attempt that has just begun be asked about, a record of a start be given up.
 */
final class OwnWrites {
  /** After this an API server that was set back, as by a restored backup, is thought of. */
  static final Duration LONG = Duration.ofSeconds(10);

  private record Mark(Revision revision, long at) {}

  private final Map<String, Mark> marks = new ConcurrentHashMap<>();
  private final LongSupplier nanoTime;

  OwnWrites(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  /** {@code written}: as the API server answered. */
  void wrote(ObjectMeta written) {
    Optional<Revision> revision = Revision.of(written.getResourceVersion());
    if (revision.isPresent()) {
      marks.merge(
          written.getUid(),
          new Mark(revision.get(), nanoTime.getAsLong()),
          (before, now) -> before.revision.compareTo(now.revision) > 0 ? before : now);
    }
  }

  /** Whether this process has written a later version of it than the one that is seen. */
  boolean isAheadOf(Workflow seen) {
    Mark mark = marks.get(seen.getMetadata().getUid());
    return mark != null
        && Revision.of(seen.getMetadata().getResourceVersion())
            .filter(revision -> revision.compareTo(mark.revision) < 0)
            .isPresent();
  }

  /** Whether its last write is so long ago that it should have been seen since. */
  boolean isLongAgo(String uid) {
    return isLongAgo(marks.get(uid));
  }

  private boolean isLongAgo(@Nullable Mark mark) {
    return mark == null || nanoTime.getAsLong() - mark.at > LONG.toNanos();
  }

  void forget(String uid) {
    marks.remove(uid);
  }

  /** Forgets all others, but for what was written just now: its event may still be on its way. */
  void keep(Set<String> uids) {
    marks.entrySet().removeIf(e -> !uids.contains(e.getKey()) && isLongAgo(e.getValue()));
  }

  int size() {
    return marks.size();
  }
}
