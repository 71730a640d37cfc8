package dev.andon.devcluster;

import java.nio.file.Path;

/**
 * A slow way to a binary: writes the executable to {@code target}, or says why it cannot.
 *
 * <p>Called with the cache's lock held. {@code target} is a temporary name in the cache; the caller
 * moves it to its place, so a source that dies half way leaves nothing that looks finished.
 */
interface BinarySource {
  /** What is done, for people: "downloading", "building from source". */
  String doing();

  /** Short enough for a list of what was tried. */
  String name();

  void fetch(Component component, Path target) throws Unavailable, InterruptedException;

  /** Why this way is closed; the next one is tried. */
  final class Unavailable extends Exception {
    private static final long serialVersionUID = 1L;

    Unavailable(String reason) {
      super(reason);
    }

    Unavailable(String reason, Throwable cause) {
      super(reason, cause);
    }
  }
}
