package dev.andon.devcluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Optional;

/**
 * The user's cache: {@code <root>/<component>/<version>/<binary>}.
 *
 * <p>Two processes may want the same binary at once. Each holds the lock file of its version while
 * it makes one, and looks again once it has the lock; the file appears by rename, so what exists is
 * whole.
 */
final class BinaryCache {
  private final Path root;

  BinaryCache(Path root) {
    this.root = root;
  }

  /** {@code $ANDON_CACHE}, else {@code $XDG_CACHE_HOME/andon}, else {@code ~/.cache/andon}. */
  static Path rootFrom(Map<String, String> environment, Path home) {
    String own = environment.getOrDefault("ANDON_CACHE", "");
    if (!own.isBlank()) {
      return Path.of(own);
    }
    String xdg = environment.getOrDefault("XDG_CACHE_HOME", "");
    return (xdg.isBlank() ? home.resolve(".cache") : Path.of(xdg)).resolve("andon");
  }

  Path place(Component component) {
    return root.resolve(component.binary())
        .resolve(component.version())
        .resolve(component.binary());
  }

  Optional<Path> find(Component component) {
    Path place = place(component);
    return Files.isExecutable(place) ? Optional.of(place) : Optional.empty();
  }

  /** Fills a temporary file. */
  @FunctionalInterface
  interface Maker<E extends Exception> {
    void make(Path target) throws E, InterruptedException;
  }

  /**
   * The cached binary, made by {@code maker} if it isn't there.
   *
   * @param waiting run once if another process holds the lock
   */
  <E extends Exception> Path findOrMake(Component component, Runnable waiting, Maker<E> maker)
      throws E, InterruptedException {
    Path place = place(component);
    try {
      Files.createDirectories(parent(place));
      try (LockedFile _ = LockedFile.lock(place.resolveSibling(".lock"), waiting)) {
        if (!Files.isExecutable(place)) {
          deleteLeftovers(parent(place));
          Path temporary = place.resolveSibling(component.binary() + ".part");
          maker.make(temporary);
          Files.setPosixFilePermissions(temporary, PosixFilePermissions.fromString("rwxr-xr-x"));
          Files.move(temporary, place, StandardCopyOption.ATOMIC_MOVE);
        }
        return place;
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the cache " + parent(place) + " cannot be written", e);
    }
  }

  /** What a killed build left: only the holder of the lock writes here, so nobody uses it. */
  private static void deleteLeftovers(Path folder) throws IOException {
    try (DirectoryStream<Path> parts = Files.newDirectoryStream(folder, "*.part*")) {
      for (Path part : parts) {
        Files.delete(part);
      }
    }
  }

  private static Path parent(Path place) {
    Path parent = place.getParent();
    if (parent == null) {
      throw new IllegalStateException(place + " has no folder");
    }
    return parent;
  }
}
