package dev.andon.devcluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Finds the control plane's binaries, and makes those that are missing.
 *
 * <p>In this order: a folder named in {@code KUBE_API_TEST_DIR} or {@code KUBEBUILDER_ASSETS}; the
 * user's cache; a download; {@code go build}. The last two take seconds to minutes, tell their
 * progress on stderr, and leave the binary in the cache. Safe for several threads and processes at
 * once.
 */
public final class Binaries {
  private final List<Path> givenFolders;
  private final BinaryCache cache;
  private final List<BinarySource> sources;
  private final Progress progress;

  Binaries(
      List<Path> givenFolders, BinaryCache cache, List<BinarySource> sources, Progress progress) {
    this.givenFolders = List.copyOf(givenFolders);
    this.cache = cache;
    this.sources = List.copyOf(sources);
    this.progress = progress;
  }

  /** As the environment of this process says. */
  public static Binaries ofThisMachine() {
    Map<String, String> environment = System.getenv();
    Path home = Path.of(System.getProperty("user.home"));
    return new Binaries(
        givenFolders(environment),
        new BinaryCache(BinaryCache.rootFrom(environment, home)),
        List.of(
            new Download(ReleaseHosts.published(), Platform.current()),
            new GoBuild(
                Checkout.find(System.getProperties(), environment, Path.of("")).orElse(null),
                "go")),
        Progress.onStderr());
  }

  /** {@code $ANDON_CACHE}, else {@code $XDG_CACHE_HOME/andon}, else {@code ~/.cache/andon}. */
  public static Path cacheFolder() {
    return BinaryCache.rootFrom(System.getenv(), Path.of(System.getProperty("user.home")));
  }

  static List<Path> givenFolders(Map<String, String> environment) {
    return Stream.of("KUBE_API_TEST_DIR", "KUBEBUILDER_ASSETS")
        .map(name -> environment.getOrDefault(name, ""))
        .filter(folder -> !folder.isBlank())
        .map(Path::of)
        .toList();
  }

  /** What is there already; never slow. */
  public Optional<Path> find(Component component) {
    return givenFolders.stream()
        .flatMap(folder -> Stream.concat(Stream.of(folder), ofKubeApiTest(folder)))
        .map(folder -> folder.resolve(component.binary()).toAbsolutePath())
        .filter(Files::isExecutable)
        .findFirst()
        .or(() -> cache.find(component));
  }

  /**
   * The executable, made if need be.
   *
   * @throws BinaryUnavailableException if every way fails; the message names them all
   */
  public Path resolve(Component component) throws InterruptedException {
    Optional<Path> found = find(component);
    return found.isPresent() ? found.get() : make(component, "");
  }

  /**
   * The executables, made if need be, one after the other: together they would only fight for the
   * processors.
   *
   * @throws BinaryUnavailableException if every way to one of them fails
   */
  public Map<Component, Path> resolve(Collection<Component> components)
      throws InterruptedException {
    Map<Component, Path> found = new EnumMap<>(Component.class);
    List<Component> missing = new ArrayList<>();
    for (Component component : components) {
      find(component)
          .ifPresentOrElse(path -> found.put(component, path), () -> missing.add(component));
    }
    for (int i = 0; i < missing.size(); i++) {
      Component component = missing.get(i);
      found.put(component, make(component, "[%d/%d] ".formatted(i + 1, missing.size())));
    }
    return found;
  }

  private Path make(Component component, String position) throws InterruptedException {
    return cache.findOrMake(
        component,
        () ->
            progress.say(
                position + component + ": another process is making it, waiting for that one"),
        target -> make(component, position, target));
  }

  private void make(Component component, String position, Path target) throws InterruptedException {
    List<String> tried = new ArrayList<>();
    tried.add(
        givenFolders.isEmpty()
            ? "KUBE_API_TEST_DIR, KUBEBUILDER_ASSETS: not set"
            : "KUBE_API_TEST_DIR, KUBEBUILDER_ASSETS: no executable %s in %s"
                .formatted(component.binary(), givenFolders));
    tried.add("cache: no " + cache.place(component));
    for (BinarySource source : sources) {
      try {
        progress.during(
            position + component + ": " + source.doing(),
            source instanceof GoBuild
                ? "about " + Progress.roughly(component.coldBuild()) + " on two cores, once"
                : "",
            () -> source.fetch(component, target));
        return;
      } catch (BinarySource.Unavailable e) {
        tried.add(source.name() + ": " + e.getMessage());
      }
    }
    throw new BinaryUnavailableException(component, tried);
  }

  /** kube-api-test keeps its binaries one level down, in {@code k8s/<version>-<os>-<arch>}. */
  private static Stream<Path> ofKubeApiTest(Path folder) {
    Path versions = folder.resolve("k8s");
    if (!Files.isDirectory(versions)) {
      return Stream.empty();
    }
    String minor = Component.KUBE_APISERVER.version().replaceFirst("\\.\\d+$", "");
    try (DirectoryStream<Path> sameMinor = Files.newDirectoryStream(versions, minor + ".*")) {
      List<Path> folders = new ArrayList<>();
      sameMinor.forEach(folders::add);
      return folders.stream().sorted(Comparator.reverseOrder());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
