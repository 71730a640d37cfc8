package dev.andon.operator.execution;

import java.io.IOException;
import java.util.Optional;

/** Secrets of the operator's own namespace. Their values appear in no log, message or status. */
@FunctionalInterface
public interface Secrets {
  /**
   * The value as text; empty when there is no such secret or key.
   *
   * @throws IOException when that cannot be read now; its message does not hold the value
   */
  Optional<String> read(String name, String key) throws IOException;
}
