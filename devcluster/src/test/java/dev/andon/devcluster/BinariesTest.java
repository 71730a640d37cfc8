package dev.andon.devcluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BinariesTest {
  private static final BinarySource WORKS = source("works", null);
  private static final BinarySource REFUSED = source("download", "connection refused");
  private static final BinarySource NO_GO = source("go build", "no Go on the PATH");

  @TempDir Path temporary;
  private final ByteArrayOutputStream stderr = new ByteArrayOutputStream();

  @Test
  void a_given_folder_comes_before_the_cache() throws Exception {
    Path given = executable(temporary.resolve("given/etcd"), "given");
    executable(temporary.resolve("cache/etcd/" + Component.ETCD.version() + "/etcd"), "cached");

    assertThat(binaries(List.of(given.getParent()), WORKS).resolve(Component.ETCD))
        .isEqualTo(given);
  }

  @Test
  void the_layout_of_kube_api_test_is_known() throws Exception {
    Path given = executable(temporary.resolve("given/k8s/1.36.3-linux-amd64/etcd"), "given");
    executable(temporary.resolve("given/k8s/1.31.0-linux-amd64/etcd"), "too old");

    assertThat(binaries(List.of(temporary.resolve("given")), WORKS).resolve(Component.ETCD))
        .isEqualTo(given);
  }

  @Test
  void the_cache_comes_before_anything_slow() throws Exception {
    Path cached =
        executable(temporary.resolve("cache/etcd/" + Component.ETCD.version() + "/etcd"), "cached");

    assertThat(binaries(List.of(temporary.resolve("given")), REFUSED).resolve(Component.ETCD))
        .isEqualTo(cached);
    assertThat(stderr.toString(StandardCharsets.UTF_8)).isEmpty();
  }

  @Test
  void a_source_that_fails_gives_way_to_the_next() throws Exception {
    assertThat(binaries(List.of(), REFUSED, WORKS).resolve(Component.ETCD))
        .hasContent("made by works");
  }

  @Test
  void a_second_run_finds_what_the_first_made() throws Exception {
    binaries(List.of(), WORKS).resolve(Component.ETCD);

    assertThat(binaries(List.of(), REFUSED).resolve(Component.ETCD)).hasContent("made by works");
  }

  @Test
  void progress_counts_only_what_is_missing() throws Exception {
    executable(temporary.resolve("cache/etcd/" + Component.ETCD.version() + "/etcd"), "cached");

    Map<Component, Path> found =
        binaries(List.of(), WORKS)
            .resolve(List.of(Component.ETCD, Component.KUBE_APISERVER, Component.KUBECTL));

    assertThat(found).containsOnlyKeys(Component.ETCD, Component.KUBE_APISERVER, Component.KUBECTL);
    assertThat(stderr.toString(StandardCharsets.UTF_8))
        .contains("[1/2] kube-apiserver 1.36.3: trying works")
        .contains("[2/2] kubectl 1.36.3: trying works")
        .doesNotContain("etcd");
  }

  @Test
  void when_nothing_works_the_message_says_what_was_tried_and_what_helps() {
    assertThatThrownBy(
            () ->
                binaries(List.of(temporary.resolve("given")), REFUSED, NO_GO)
                    .resolve(Component.KUBECTL))
        .isInstanceOf(BinaryUnavailableException.class)
        .hasMessageContaining("kubectl 1.36.3")
        .hasMessageContaining("no executable kubectl in [" + temporary.resolve("given") + "]")
        .hasMessageContaining("cache: no " + temporary.resolve("cache/kubectl/1.36.3/kubectl"))
        .hasMessageContaining("download: connection refused")
        .hasMessageContaining("go build: no Go on the PATH")
        .hasMessageContaining("install Go 1.26");
  }

  @Test
  void given_folders_come_from_both_variables_and_blank_ones_are_none() {
    assertThat(Binaries.givenFolders(Map.of("KUBEBUILDER_ASSETS", "/b", "KUBE_API_TEST_DIR", "/a")))
        .containsExactly(Path.of("/a"), Path.of("/b"));
    assertThat(Binaries.givenFolders(Map.of("KUBEBUILDER_ASSETS", " "))).isEmpty();
  }

  private Binaries binaries(List<Path> given, BinarySource... sources) {
    return new Binaries(
        given,
        new BinaryCache(temporary.resolve("cache")),
        List.of(sources),
        new Progress(
            new PrintStream(stderr, true, StandardCharsets.UTF_8),
            Clock.systemUTC(),
            false,
            Duration.ofMinutes(1)));
  }

  private static Path executable(Path file, String content) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, content);
    assertThat(file.toFile().setExecutable(true)).isTrue();
    return file;
  }

  private static BinarySource source(String name, String failure) {
    return new BinarySource() {
      @Override
      public String doing() {
        return "trying " + name;
      }

      @Override
      public String name() {
        return name;
      }

      @Override
      public void fetch(Component component, Path target) throws Unavailable {
        if (failure != null) {
          throw new Unavailable(failure);
        }
        try {
          Files.writeString(target, "made by " + name);
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    };
  }
}
