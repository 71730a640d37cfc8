package dev.andon.devcluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LockedFileTest {
  @TempDir Path temporary;

  @Test
  void second_holder_says_that_it_waits_and_gets_the_lock_after_the_first() throws Exception {
    Path file = temporary.resolve("lock");
    CountDownLatch waiting = new CountDownLatch(1);
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> second;
      try (LockedFile first = LockedFile.lock(file, () -> {})) {
        assertThat(first).isNotNull();
        second =
            executor.submit(
                () -> {
                  LockedFile.lock(file, waiting::countDown).close();
                  return null;
                });
        waiting.await();
        assertThat(second.isDone()).isFalse();
      }

      await().atMost(Duration.ofSeconds(60)).until(second::isDone);
      second.get();
    }
  }
}
