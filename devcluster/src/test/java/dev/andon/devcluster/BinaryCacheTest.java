package dev.andon.devcluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BinaryCacheTest {
  private static final Path HOME = Path.of("/home/jane");

  @TempDir Path temporary;
  private BinaryCache cache;

  @BeforeEach
  void emptyCache() {
    cache = new BinaryCache(temporary);
  }

  @Test
  void root_is_our_variable_then_xdg_then_the_home() {
    assertThat(BinaryCache.rootFrom(Map.of("ANDON_CACHE", "/c", "XDG_CACHE_HOME", "/x"), HOME))
        .isEqualTo(Path.of("/c"));
    assertThat(BinaryCache.rootFrom(Map.of("ANDON_CACHE", "", "XDG_CACHE_HOME", "/x"), HOME))
        .isEqualTo(Path.of("/x/andon"));
    assertThat(BinaryCache.rootFrom(Map.of(), HOME)).isEqualTo(Path.of("/home/jane/.cache/andon"));
  }

  @Test
  void what_was_made_is_executable_in_the_folder_of_its_version() throws Exception {
    Path made = cache.findOrMake(Component.ETCD, () -> {}, target -> write(target, "etcd"));

    assertThat(made).isEqualTo(temporary.resolve("etcd/" + Component.ETCD.version() + "/etcd"));
    assertThat(made).isExecutable().hasContent("etcd");
    assertThat(cache.find(Component.ETCD)).contains(made);
  }

  @Test
  void threads_that_want_the_same_binary_make_it_once() throws Exception {
    AtomicInteger made = new AtomicInteger();
    CountDownLatch bothRun = new CountDownLatch(2);
    Callable<Path> want =
        () -> {
          bothRun.countDown();
          bothRun.await();
          return cache.findOrMake(
              Component.ETCD,
              () -> {},
              target -> {
                made.incrementAndGet();
                write(target, "etcd");
              });
        };
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Future<Path> path : executor.invokeAll(List.of(want, want))) {
        assertThat(path.get()).hasContent("etcd");
      }
    }

    assertThat(made).hasValue(1);
  }

  @Test
  void a_build_that_fails_half_way_leaves_nothing_that_looks_finished() throws Exception {
    assertThatThrownBy(
            () ->
                cache.findOrMake(
                    Component.ETCD,
                    () -> {},
                    target -> {
                      write(target, "half");
                      throw new IllegalStateException("killed");
                    }))
        .hasMessage("killed");

    assertThat(cache.find(Component.ETCD)).isEmpty();
  }

  @Test
  void what_a_killed_build_left_is_cleared_away() throws Exception {
    Path folder = Files.createDirectories(cache.place(Component.ETCD).getParent());
    write(folder.resolve("etcd.download.part"), "half");

    cache.findOrMake(Component.ETCD, () -> {}, target -> write(target, "etcd"));

    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder("etcd", ".lock");
    }
  }

  private static void write(Path file, String content) {
    try {
      Files.writeString(file, content);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
