package dev.andon.devcluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Builds a component from the pinned Go modules of this checkout. What Go downloads is held to
 * go.sum, so the sources are the same everywhere.
 */
final class GoBuild implements BinarySource {
  private final @Nullable Path checkout;
  private final String go;

  /**
   * @param checkout root of the project, null if it wasn't found
   * @param go the Go command, a name on the PATH or a path
   */
  GoBuild(@Nullable Path checkout, String go) {
    this.checkout = checkout;
    this.go = go;
  }

  @Override
  public String doing() {
    return "building from source";
  }

  @Override
  public String name() {
    return "go build of devcluster/";
  }

  @Override
  public void fetch(Component component, Path target) throws Unavailable, InterruptedException {
    if (checkout == null) {
      throw new Unavailable(
          "the project's folder was not found: set ANDON_HOME to the checkout, or start in it");
    }
    Path log = target.resolveSibling("build.log");
    Process build = start(component, target, log, checkout);
    try {
      if (build.waitFor() != 0) {
        throw new Unavailable(
            "go build ended with %d; the end of %s:%n%s"
                .formatted(build.exitValue(), log, LogTail.indented(log, 20)));
      }
      Files.deleteIfExists(log);
    } catch (IOException e) {
      throw new Unavailable("the build log " + log + " cannot be deleted: " + e, e);
    } finally {
      stop(build);
    }
  }

  private Process start(Component component, Path target, Path log, Path checkout)
      throws Unavailable {
    ProcessBuilder builder =
        new ProcessBuilder(
                List.of(
                    go,
                    "build",
                    // The user's GOFLAGS must not loosen what go.sum holds.
                    "-mod=readonly",
                    "-trimpath",
                    "-buildvcs=false",
                    "-ldflags=" + component.ldflags(),
                    "-o",
                    target.toString(),
                    component.goPackage()))
            .directory(
                checkout.resolve("devcluster").resolve(component.goModule()).normalize().toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile());
    builder.environment().putAll(Map.of("CGO_ENABLED", "0", "GOWORK", "off"));
    try {
      return builder.start();
    } catch (IOException e) {
      throw new Unavailable(
          "`%s` cannot be run: is Go 1.26 or newer installed and on the PATH? (%s)"
              .formatted(go, Optional.ofNullable(e.getMessage()).orElse(e.toString())),
          e);
    }
  }

  private static void stop(Process build) throws InterruptedException {
    if (build.isAlive()) {
      // The compilers are children of go, and would go on for minutes without it.
      build.descendants().forEach(ProcessHandle::destroy);
      build.destroy();
      if (!build.waitFor(5, TimeUnit.SECONDS)) {
        build.destroyForcibly();
      }
    }
  }
}
