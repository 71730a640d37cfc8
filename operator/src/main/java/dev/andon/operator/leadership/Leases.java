package dev.andon.operator.leadership;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import java.time.Duration;

/** The one Lease, at the API server. */
interface Leases extends AutoCloseable {

  Answer read(Duration atMost) throws InterruptedException;

  /** Fails as {@link Answer.Changed} where there is one. */
  Answer create(Lease lease, Duration atMost) throws InterruptedException;

  /** Under its resourceVersion and uid. */
  Answer replace(Lease lease, Duration atMost) throws InterruptedException;

  @Override
  void close();

  /** What came of a request. */
  sealed interface Answer {
    /** As it is now: read, or written. */
    record Is(Lease lease) implements Answer {}

    /** There is none. */
    record Missing() implements Answer {}

    /** Not written: it is no longer what it was. */
    record Changed() implements Answer {}

    /** Any other answer, or none in time: the request may have done its work. */
    record Failed(String why) implements Answer {}
  }
}
