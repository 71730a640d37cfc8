package dev.andon.operator.ledger;

import dev.andon.crds.WorkflowRecord;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Where records are kept. Every method may throw {@link Refused} when nothing was done, and another
 * {@link RuntimeException} when it is not known what became of it.
 */
public interface Records {
  /** The request is not to be carried out, and was not. The message is for people. */
  final class Refused extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public Refused(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** Creates it; empty if there is one of that name. It may be this one, created by a repeat. */
  Optional<WorkflowRecord> create(WorkflowRecord record);

  /** The newest there is: never from a cache. */
  Optional<WorkflowRecord> read(String name);

  /** Replaces it under its resourceVersion; empty if it has changed since, or is gone. */
  Optional<WorkflowRecord> replace(WorkflowRecord record);

  /** Deletes it under its resourceVersion; false if it has changed since. True if it is gone. */
  boolean delete(WorkflowRecord record);

  /** Closes it if it is open and about this uid; otherwise does nothing. */
  void close(Closing closing);

  /** Every open one, a page at a time. */
  void open(Consumer<List<WorkflowRecord>> page);
}
