package dev.andon.cli.bench;

import java.util.Locale;

/** What can be measured by itself. */
enum Scenario {
  /** Stops while nothing runs. */
  REST,
  /** Stops while workflows run and send. */
  RUNNING,
  /** What the gate costs a send while it is asked less often than it may read. */
  GATE,
  /** Stops while 16 clients submit workflows as fast as the API server takes them. */
  FLOOD,
  /** The operator cut off from the API server, and killed. */
  CUT;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
