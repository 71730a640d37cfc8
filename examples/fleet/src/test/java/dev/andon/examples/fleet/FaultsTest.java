package dev.andon.examples.fleet;

import static dev.andon.examples.fleet.FleetClient.json;
import static dev.andon.examples.fleet.FleetClient.location;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FaultsTest {
  private static final String ERASE = "/sites/[a-z]{3}/machines/[^/]+/erase";
  private FleetServer server;
  private FleetClient client;

  @BeforeEach
  void start() throws Exception {
    server = FleetServer.start(FleetOptions.defaults().withEraseMillis(20, 40));
    client = new FleetClient(server.uri());
  }

  @AfterEach
  void close() throws Exception {
    client.close();
    server.close();
  }

  private void awaitDone(int erases) {
    await().atMost(Duration.ofSeconds(60)).until(() -> server.summary().done() == erases);
  }

  @Test
  void the_next_requests_get_a_status_and_nothing_is_done() throws Exception {
    server.faults().add(Fault.status(500).times(2));

    assertThat(client.erase("aap-0001", "k").statusCode()).isEqualTo(500);
    assertThat(client.erase("aap-0001", "k").statusCode()).isEqualTo(500);
    assertThat(server.log()).isEmpty();
    assertThat(client.erase("aap-0001", "k").statusCode()).isEqualTo(202);
    assertThat(server.faults().hits()).extracting(Faults.Hits::hits).containsExactly(2);
  }

  @Test
  void too_many_requests_says_when_to_come_back() throws Exception {
    server.faults().add(Fault.tooManyRequests(7).times(1));
    var response = client.erase("aap-0001", "k");
    assertThat(response.statusCode()).isEqualTo(429);
    assertThat(response.headers().firstValue("Retry-After")).hasValue("7");
    assertThat(server.log()).isEmpty();
  }

  @Test
  void a_status_after_the_work_hides_that_it_was_done() throws Exception {
    server.faults().add(Fault.status(503).afterTheWork().times(1));
    assertThat(client.erase("aap-0001", "k").statusCode()).isEqualTo(503);
    assertThat(json(client.observe("aap-0001", "k")).path("status").asText())
        .isIn("running", "done");
  }

  @Test
  void garbage_is_no_json() throws Exception {
    server.faults().add(Fault.garbage().times(1));
    var response = client.erase("aap-0001", "k");
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.headers().firstValue("Content-Type")).hasValue("application/json");
    assertThatThrownBy(() -> json(response)).isInstanceOf(JsonProcessingException.class);
    assertThat(server.log()).isEmpty();
  }

  @Test
  void a_connection_dropped_before_the_work_leaves_nothing_done() {
    server.faults().add(Fault.drop().times(1));
    assertThatThrownBy(() -> client.erase("aap-0001", "k")).isInstanceOf(IOException.class);
    assertThat(server.log()).isEmpty();
  }

  @Test
  void a_lost_answer_is_observed_and_its_key_erases_once() throws Exception {
    server.faults().add(Fault.drop().afterTheWork().times(1));

    assertThatThrownBy(() -> client.erase("aap-0001", "k")).isInstanceOf(IOException.class);
    awaitDone(1);

    assertThat(json(client.observe("aap-0001", "k")).path("status").asText()).isEqualTo("done");
    var again = client.erase("aap-0001", "k");
    assertThat(again.statusCode()).isEqualTo(202);
    assertThat(client.get(location(again)).statusCode()).isEqualTo(200);
    assertThat(server.summary().begun()).isEqualTo(1);
    assertThat(server.summary().askedAgain()).isZero();
  }

  @Test
  void a_request_left_hanging_ends_when_faults_are_cleared() throws Exception {
    server.faults().add(Fault.hang().on("POST", ERASE));
    var hanging = CompletableFuture.supplyAsync(() -> statusOrMinusOne("aap-0001"));
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> server.faults().hits().getFirst().hits() == 1);

    // The rest of the service is not held up by it.
    assertThat(client.get("/sites").statusCode()).isEqualTo(200);
    assertThat(hanging).isNotDone();
    assertThat(client.delete("/faults").statusCode()).isEqualTo(200);

    assertThat(hanging.join()).isEqualTo(-1);
    assertThat(server.log()).isEmpty();
    assertThat(client.erase("aap-0001", "k").statusCode()).isEqualTo(202);
  }

  private int statusOrMinusOne(String machine) {
    try {
      return client.erase(machine, "k-of-" + machine).statusCode();
    } catch (IOException e) {
      return -1;
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void latency_delays_the_work_or_the_answer() throws Exception {
    server.faults().add(Fault.latency(Duration.ofHours(1)).times(1));
    var late = CompletableFuture.supplyAsync(() -> statusOrMinusOne("aap-0001"));
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> server.faults().hits().getFirst().hits() == 1);
    assertThat(server.log()).isEmpty();
    server.faults().clear();
    assertThat(late.join()).isEqualTo(202);
    awaitDone(1);

    server.faults().add(Fault.latency(Duration.ofHours(1)).afterTheWork().times(1));
    var answer = CompletableFuture.supplyAsync(() -> statusOrMinusOne("aap-0002"));
    awaitDone(2);
    assertThat(answer).isNotDone();
    server.faults().clear();
    assertThat(answer.join()).isEqualTo(202);
  }

  @Test
  void an_erase_may_be_made_to_fail_and_be_tried_again_under_a_new_key() throws Exception {
    server.faults().add(Fault.eraseFails().times(1).on("POST", ERASE));

    var accepted = client.erase("aap-0001", "k1");
    assertThat(accepted.statusCode()).isEqualTo(202);
    await().atMost(Duration.ofSeconds(60)).until(() -> server.summary().failed() == 1);
    var failed = client.get(location(accepted));
    assertThat(failed.statusCode()).isEqualTo(200);
    assertThat(json(failed).path("code").asText()).isEqualTo("EraseFailed");
    assertThat(json(client.observe("aap-0001", "k1")).path("status").asText()).isEqualTo("failed");

    assertThat(client.erase("aap-0001", "k2").statusCode()).isEqualTo(202);
    awaitDone(1);
    assertThat(server.summary().erasedTwice()).isZero();
  }

  @Test
  void a_share_is_drawn_by_seed() throws Exception {
    server.faults().add(Fault.status(500).share(0.3, 5));
    var first = statuses(60);
    server.faults().clear();
    server.faults().add(Fault.status(500).share(0.3, 5));
    var second = statuses(60);
    server.faults().clear();
    server.faults().add(Fault.status(500).share(0.3, 6));
    var other = statuses(60);

    assertThat(second).isEqualTo(first);
    assertThat(other).isNotEqualTo(first);
    assertThat(first.stream().filter(status -> status == 500).count()).isBetween(8L, 30L);
  }

  private List<Integer> statuses(int requests) throws Exception {
    var statuses = new ArrayList<Integer>();
    for (int i = 0; i < requests; i++) {
      statuses.add(client.get("/sites/aap").statusCode());
    }
    return statuses;
  }

  @Test
  void a_fault_hits_only_the_requests_it_names_and_never_its_own_switch() throws Exception {
    server.faults().add(Fault.status(500).on("POST", ERASE));
    assertThat(client.get("/sites/aap").statusCode()).isEqualTo(200);
    assertThat(client.observe("aap-0001", "k").statusCode()).isEqualTo(200);
    assertThat(client.erase("aap-0001", "k").statusCode()).isEqualTo(500);

    server.faults().add(Fault.status(500));
    assertThat(client.get("/sites/aap").statusCode()).isEqualTo(500);
    assertThat(client.get("/log").statusCode()).isEqualTo(200);
    assertThat(client.get("/summary").statusCode()).isEqualTo(200);
    assertThat(client.delete("/faults").statusCode()).isEqualTo(200);
    assertThat(client.get("/sites/aap").statusCode()).isEqualTo(200);
  }

  @Test
  void faults_are_switched_on_over_http() throws Exception {
    assertThat(client.get("/faults").body()).isEqualToIgnoringNewLines("{\"faults\":[]}");

    var on =
        client.post(
            "/faults",
            "{\"kind\": \"status\", \"status\": 429, \"retryAfterSeconds\": 2, \"count\": 1,"
                + " \"method\": \"POST\", \"path\": \"/sites/.*\"}");

    assertThat(on.statusCode()).isEqualTo(200);
    assertThat(on.body())
        .isEqualToIgnoringNewLines(
            "{\"faults\":[{\"fault\":{\"kind\":\"status\",\"when\":\"before\",\"status\":429,"
                + "\"retryAfterSeconds\":2,\"count\":1,\"seed\":0,\"method\":\"POST\","
                + "\"path\":\"/sites/.*\"},\"hits\":0}]}");
    assertThat(client.erase("aap-0001", "k").statusCode()).isEqualTo(429);
    assertThat(client.erase("aap-0001", "k").statusCode()).isEqualTo(202);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{}                                          | kind: missing",
        "{\"kind\": \"status\"}                      | status: missing",
        "{\"kind\": \"status\", \"status\": 700}     | status: 700: 200 to 599",
        "{\"kind\": \"latency\"}                     | latencyMillis: missing",
        "{\"kind\": \"latency\", \"latencyMillis\": -1} | latencyMillis: -1",
        "{\"kind\": \"drop\", \"count\": 0}          | count: 0: 1 or more",
        "{\"kind\": \"drop\", \"share\": 1.5}        | share: 1.5: above 0",
        "{\"kind\": \"drop\", \"path\": \"(\"}       | path: (: not a regular expression",
        "{\"kind\": \"drop\", \"shar\": 0.5}         | shar",
        "{\"kind\": \"explode\"}                     | explode",
        "{\"kind\":                                  | body: not JSON",
      })
  void a_fault_that_is_none_is_refused_by_name(String body, String message) throws Exception {
    var response = client.post("/faults", body);
    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(json(response).path("error").asText()).contains(message);
    assertThat(server.faults().hits()).isEmpty();
  }
}
