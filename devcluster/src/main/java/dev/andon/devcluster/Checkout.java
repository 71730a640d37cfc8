package dev.andon.devcluster;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Finds this project's checkout, whose {@code devcluster/} holds the sources to build from. */
final class Checkout {
  private Checkout() {}

  /**
   * {@code ANDON_HOME} as system property, then as environment variable, then the working directory
   * and the folders above it.
   */
  static Optional<Path> find(
      Properties properties, Map<String, String> environment, Path workingDirectory) {
    return Stream.concat(
            Stream.of(
                    properties.getProperty("ANDON_HOME", ""),
                    environment.getOrDefault("ANDON_HOME", ""))
                .filter(home -> !home.isBlank())
                .map(Path::of),
            Stream.iterate(
                workingDirectory.toAbsolutePath(), Checkout::isFolder, Checkout::parentOf))
        .filter(Checkout::holdsTheSources)
        .map(home -> home.toAbsolutePath().normalize())
        .findFirst();
  }

  private static boolean isFolder(@Nullable Path path) {
    return path != null;
  }

  @SuppressWarnings("NullAway") // isFolder ends the iteration before the null is used
  private static Path parentOf(Path path) {
    return path.getParent();
  }

  private static boolean holdsTheSources(Path home) {
    return Files.isRegularFile(home.resolve("devcluster").resolve("go.mod"));
  }
}
