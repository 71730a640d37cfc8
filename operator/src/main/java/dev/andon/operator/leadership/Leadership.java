package dev.andon.operator.leadership;

import java.util.Optional;

/** Whether this process is the one that decides and sends. */
public interface Leadership extends AutoCloseable {

  /**
   * Whether it leads now. Costs nothing, asks nobody, and is false once the lease has not been
   * renewed for {@link Terms#renewDeadline()}: long before anyone else may take it.
   */
  boolean holds();

  /** Who leads, for people. */
  String leader();

  /** Why it could not lead even if its turn came; empty while nothing is in the way. */
  Optional<String> trouble();

  /** Begins to look; takes nothing before {@link #stand}. Returns at once. */
  void start();

  /**
   * From now on it leads when its turn comes. {@code leads} is then called, once, on a thread of
   * its own.
   */
  void stand(Runnable leads);

  /**
   * Gives the lease back, so that the next one need not wait for it to run out. The last thing of
   * all: when nothing of this process can send or write any more.
   */
  @Override
  void close();

  /** For an operator that is known to be the only one. */
  static Leadership alone() {
    return new Leadership() {
      @Override
      public boolean holds() {
        return true;
      }

      @Override
      public String leader() {
        return "this process; there is no election";
      }

      @Override
      public Optional<String> trouble() {
        return Optional.empty();
      }

      @Override
      public void start() {
        // Nobody to look at.
      }

      @Override
      public void stand(Runnable leads) {
        leads.run();
      }

      @Override
      public void close() {
        // Nothing to give back.
      }
    };
  }
}
