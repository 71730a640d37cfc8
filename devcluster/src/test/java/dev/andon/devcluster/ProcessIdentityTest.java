package dev.andon.devcluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class ProcessIdentityTest {
  @Test
  void finds_the_process_that_was_recorded() {
    ProcessIdentity recorded = ProcessIdentity.of(ProcessHandle.current());

    assertThat(recorded.find()).contains(ProcessHandle.current());
  }

  @Test
  void another_process_under_the_same_pid_is_not_found() {
    ProcessIdentity recorded = new ProcessIdentity(ProcessHandle.current().pid(), "another time");

    assertThat(recorded.find()).isEmpty();
  }

  @Test
  void a_process_that_ended_is_not_found() throws IOException {
    Process process = new ProcessBuilder("sleep", "60").start();
    ProcessIdentity recorded = ProcessIdentity.of(process.toHandle());
    assertThat(recorded.find()).isPresent();

    process.destroyForcibly();

    await().atMost(Duration.ofSeconds(60)).until(() -> recorded.find().isEmpty());
  }
}
