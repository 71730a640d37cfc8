package dev.andon.examples.fleet;

import static dev.andon.examples.fleet.FleetClient.json;
import static dev.andon.examples.fleet.FleetClient.location;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.andon.examples.fleet.LogEvent.Kind;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FleetRestartTest {
  private static final int FOREVER = 3_600_000;
  @TempDir Path dir;
  private Path log;

  @BeforeEach
  void logFile() {
    log = dir.resolve("fleet.log");
  }

  private FleetServer start(int fromMillis, int toMillis) throws IOException {
    return FleetServer.start(
        FleetOptions.defaults().withEraseMillis(fromMillis, toMillis).withLog(log));
  }

  @Test
  void keys_and_erased_machines_are_known_after_a_restart() throws Exception {
    String operation;
    List<LogEvent> before;
    try (var server = start(0, 0);
        var client = new FleetClient(server.uri())) {
      operation = location(client.erase("aap-0001", "k1"));
      await().atMost(Duration.ofSeconds(60)).until(() -> server.summary().done() == 1);
      client.cancel("aap-0002", "never-came");
      before = server.log();
    }

    try (var server = start(0, 0);
        var client = new FleetClient(server.uri())) {
      assertThat(server.log()).isEqualTo(before);
      assertThat(client.get(operation).statusCode()).isEqualTo(200);
      assertThat(location(client.erase("aap-0001", "k1"))).isEqualTo(operation);
      assertThat(client.erase("aap-0001", "k2").statusCode()).isEqualTo(409);
      assertThat(client.erase("aap-0002", "never-came").statusCode()).isEqualTo(409);
      assertThat(server.summary().begun()).isEqualTo(1);
      assertThat(Files.readAllLines(log))
          .isEqualTo(server.log().stream().map(LogEvent::line).toList());
    }
  }

  @Test
  void an_erase_under_way_goes_on_after_a_restart_and_ends_once() throws Exception {
    String operation;
    try (var server = start(FOREVER, FOREVER);
        var client = new FleetClient(server.uri())) {
      operation = location(client.erase("aap-0001", "k"));
    }
    try (var server = start(FOREVER, FOREVER);
        var client = new FleetClient(server.uri())) {
      assertThat(client.get(operation).statusCode()).isEqualTo(202);
      assertThat(location(client.erase("aap-0001", "k"))).isEqualTo(operation);
      assertThat(server.summary().active()).isEqualTo(1);
    }
    try (var server = start(100, 100);
        var client = new FleetClient(server.uri())) {
      await().atMost(Duration.ofSeconds(60)).until(() -> client.get(operation).statusCode() == 200);
      assertThat(server.summary().begun()).isEqualTo(1);
      assertThat(server.summary().done()).isEqualTo(1);
    }
  }

  @Test
  void a_cancelled_erase_stays_cancelled_after_a_restart() throws Exception {
    String operation;
    try (var server = start(FOREVER, FOREVER);
        var client = new FleetClient(server.uri())) {
      operation = location(client.erase("aap-0001", "k"));
      client.delete(operation);
    }
    try (var server = start(0, 0);
        var client = new FleetClient(server.uri())) {
      assertThat(json(client.get(operation)).path("code").asText()).isEqualTo("EraseCancelled");
      client.erase("aap-0002", "k2");
      await().atMost(Duration.ofSeconds(60)).until(() -> server.summary().done() == 1);
      assertThat(server.summary().cancelled()).isEqualTo(1);
    }
  }

  @Test
  void half_a_line_of_a_crash_is_dropped_and_what_it_said_never_happened() throws Exception {
    try (var server = start(FOREVER, FOREVER);
        var client = new FleetClient(server.uri())) {
      client.erase("aap-0001", "k1");
    }
    Files.writeString(
        log, "{\"seq\":2,\"time\":\"2026-11-22T08:0", UTF_8, StandardOpenOption.APPEND);

    try (var server = start(FOREVER, FOREVER);
        var client = new FleetClient(server.uri())) {
      assertThat(server.log()).hasSize(1);
      assertThat(client.erase("aap-0002", "k2").statusCode()).isEqualTo(202);
    }
    try (var server = start(FOREVER, FOREVER)) {
      assertThat(server.log()).extracting(LogEvent::seq).containsExactly(1L, 2L);
      assertThat(server.log()).extracting(LogEvent::key).containsExactly("k1", "k2");
    }
  }

  @Test
  void a_log_that_is_none_is_refused_by_line_and_left_alone() throws Exception {
    for (String wrong :
        List.of(
            "hello\n",
            "{}\n",
            "{\"seq\":2,\"time\":\"2026-11-22T08:00:00Z\",\"event\":\"validate\",\"site\":\"aap\"}\n",
            "{\"seq\":1,\"time\":\"now\",\"event\":\"validate\",\"site\":\"aap\"}\n",
            "{\"seq\":1,\"time\":\"2026-11-22T08:00:00Z\",\"event\":\"x\",\"site\":\"aap\"}\n",
            "\n")) {
      Files.writeString(log, wrong);
      assertThatThrownBy(() -> start(0, 0))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("fleet.log, line 1: not a line of a fleet's log");
      assertThat(Files.readString(log)).isEqualTo(wrong);
    }
  }

  @Test
  void two_fleets_cannot_share_a_log() throws Exception {
    try (var server = start(0, 0)) {
      assertThatThrownBy(() -> start(0, 0))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("in use by another fleet");
      assertThat(server.log()).isEmpty();
    }
  }

  @Test
  void a_killed_process_forgets_nothing_it_answered() throws Exception {
    // given a fleet as a process of its own, with one machine erased and one under way
    String operation;
    var killed = new FleetProcess("--log", log.toString(), "--erase-millis", "0..0");
    try (var client = new FleetClient(killed.uri)) {
      client.erase("aap-0001", "uid/erase/0/1");
      await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> json(client.get("/summary")).path("done").asInt() == 1);
    } finally {
      killed.kill();
    }
    var again = new FleetProcess("--log", log.toString(), "--erase-millis", "3600000..3600000");
    try (var client = new FleetClient(again.uri)) {
      operation = location(client.erase("aap-0002", "uid/erase/1/1"));
    } finally {
      again.kill();
    }

    // when it is killed and started again
    try (var server = start(50, 50);
        var client = new FleetClient(server.uri())) {

      // then both keys are known and nothing is erased twice
      client.erase("aap-0001", "uid/erase/0/1");
      client.erase("aap-0002", "uid/erase/1/1");
      await().atMost(Duration.ofSeconds(60)).until(() -> client.get(operation).statusCode() == 200);
      assertThat(server.summary().begun()).isEqualTo(2);
      assertThat(server.summary().done()).isEqualTo(2);
      assertThat(server.log().stream().filter(event -> event.event() == Kind.DUPLICATE)).hasSize(2);
      assertThat(server.log()).allSatisfy(event -> assertThat(event.workflow()).hasValue("uid"));
    }
  }

  @Test
  void options_that_are_none_end_the_process_with_an_explanation() throws Exception {
    var process = FleetProcess.launch("--erase-millis", "fast");
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isEqualTo(2);
    assertThat(new String(process.getInputStream().readAllBytes(), UTF_8))
        .contains("erase-millis: \"fast\": give FROM..TO in milliseconds");
  }

  private static final class FleetProcess {
    private final Process process;
    private final URI uri;

    FleetProcess(String... args) throws IOException {
      process = launch(args);
      var out = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8));
      String line = out.readLine();
      assertThat(line).startsWith("listening on http://127.0.0.1:");
      uri = URI.create(line.substring("listening on ".length()));
    }

    static Process launch(String... args) throws IOException {
      var command = new ArrayList<String>();
      command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      command.addAll(List.of("-XX:TieredStopAtLevel=1", "-cp"));
      command.add(System.getProperty("java.class.path"));
      command.add(Main.class.getName());
      command.addAll(List.of(args));
      return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    void kill() throws InterruptedException {
      process.destroyForcibly().waitFor();
    }
  }
}
