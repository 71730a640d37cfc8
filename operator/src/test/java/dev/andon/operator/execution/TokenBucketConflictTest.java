package dev.andon.operator.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.andon.operator.execution.LoopbackServer.Reply;
import dev.andon.operator.stop.TestPermits;
import dev.andon.plan.JobTypes;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Two who take at once, and answers that are lost: on a server that answers as the test says. */
class TokenBucketConflictTest {
  private static final String FULL = bucket("7", "{}");
  private static final String CHANGED =
      bucket("8", "{\"tokens\": 1, \"grants\": [{\"key\": \"other\"}]}");
  private static final String GRANTED =
      bucket("8", "{\"tokens\": 1, \"grants\": [{\"key\": \"uid/token/0/1\"}]}");

  private final AtomicInteger tokens = new AtomicInteger();
  private final LoopbackServer api = new LoopbackServer();
  private final FakeGate gate = new FakeGate();
  private final KubernetesClient client =
      SendingClient.of(
          new ConfigBuilder(Config.empty())
              .withMasterUrl("http://127.0.0.1:" + api.port())
              .withOauthTokenProvider(() -> "token-" + tokens.incrementAndGet())
              .build());
  private final ExecutionRunner runner =
      new ExecutionRunner(
          gate,
          uid -> false,
          (name, key) -> Optional.empty(),
          client,
          (namespace, workflow, uid) -> {},
          Notices.NONE,
          ExecutionRunner.JOB_CREATE_TIMEOUT,
          new JumpingClock(),
          new TimeInHand(),
          Thread.ofVirtual().factory());

  @AfterEach
  void close() throws IOException {
    runner.close();
    client.close();
    api.close();
  }

  @Test
  void a_conflict_is_decided_again_from_what_is_there_now_with_a_new_permit() throws IOException {
    api.then(
        Reply.json(200, FULL),
        status(409, "Conflict"),
        Reply.json(200, CHANGED),
        Reply.json(200, CHANGED));

    assertThat(outcome(new Attempt.Work.Send())).isEqualTo(new Outcome.Succeeded());

    List<LoopbackServer.Request> writes = api.requests("PUT");
    assertThat(writes).hasSize(2);
    assertThat(resourceVersion(writes.get(0))).isEqualTo("7");
    assertThat(resourceVersion(writes.get(1))).isEqualTo("8");
    assertThat(gate.permitsUsed()).isEqualTo(2);
  }

  @Test
  void a_lost_answer_is_looked_up_and_not_written_again() {
    api.then(Reply.json(200, FULL), new Reply.Drop(), Reply.json(200, GRANTED));

    assertThat(outcome(new Attempt.Work.Send())).isEqualTo(new Outcome.Succeeded());

    assertThat(api.requests("PUT")).hasSize(1);
    assertThat(gate.permitsUsed()).isEqualTo(1);
  }

  @Test
  void a_write_that_may_have_arrived_is_not_called_never_begun() {
    api.then(Reply.json(200, FULL), new Reply.Drop()).always(status(503, "ServiceUnavailable"));

    assertThat(outcome(new Attempt.Work.Send()))
        .asInstanceOf(type(Outcome.Unknown.class))
        .extracting(Outcome.Unknown::mayRepeat)
        .isEqualTo(true);
  }

  @Test
  void an_api_that_does_not_answer_uses_no_attempt() {
    api.always(status(503, "ServiceUnavailable"));

    assertThat(outcome(new Attempt.Work.Send()))
        .asInstanceOf(type(Outcome.NotBegun.class))
        .extracting(Outcome.NotBegun::reason)
        .isEqualTo("BucketBusy");
    assertThat(api.requests("PUT")).isEmpty();
  }

  @Test
  void what_the_api_refuses_is_a_failure_with_its_reason() {
    api.then(Reply.json(200, FULL)).always(status(403, "Forbidden"));

    assertThat(outcome(new Attempt.Work.Send()))
        .asInstanceOf(type(Outcome.Failed.class))
        .satisfies(
            failed -> {
              assertThat(failed.reason()).isEqualTo("BucketRefused");
              assertThat(failed.message()).contains("disk-erase").contains("Forbidden");
            });
    assertThat(api.requests("PUT")).hasSize(1);
  }

  /** What a library below might answer with a second request of its own. */
  static Stream<Arguments> answersThatTemptALibrary() {
    return Stream.of(
        Arguments.of("dropped", new Reply.Drop()),
        Arguments.of("no HTTP", new Reply.Raw("lorem ipsum\r\n\r\n")),
        Arguments.of(
            "half an answer", new Reply.Raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")),
        Arguments.of("308", Reply.of(308).header("Location", "/elsewhere")),
        Arguments.of("401", status(401, "Unauthorized")),
        Arguments.of("408", status(408, "Timeout")),
        Arguments.of("421", status(421, "Misdirected")),
        Arguments.of("425", status(425, "TooEarly")),
        Arguments.of(
            "429", ((Reply.Answer) status(429, "TooManyRequests")).header("Retry-After", "0")),
        Arguments.of("500", status(500, "InternalError")),
        Arguments.of("503", status(503, "ServiceUnavailable")),
        Arguments.of("504", status(504, "Timeout")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("answersThatTemptALibrary")
  void a_write_is_one_request_for_one_permit(String name, Reply first) {
    AtomicInteger writes = new AtomicInteger();
    AtomicInteger permitsAtWrite = new AtomicInteger();
    api.answering(
        request -> {
          if (request.method().equals("GET")) {
            return Reply.json(200, FULL);
          }
          if (writes.incrementAndGet() == 1) {
            return first;
          }
          permitsAtWrite.accumulateAndGet(gate.permitsUsed(), Math::max);
          return Reply.json(200, GRANTED);
        });

    outcome(new Attempt.Work.Send());

    assertThat(api.requests("PUT")).as("writes").hasSize(gate.permitsUsed());
    assertThat(permitsAtWrite.get())
        .as("a second write comes with a second permit")
        .isIn(0, writes.get());
    assertThat(api.requests())
        .extracting(LoopbackServer.Request::target)
        .as("no redirect is followed")
        .noneMatch(target -> target.contains("elsewhere"));
  }

  @Test
  void a_token_that_ran_out_is_renewed_and_the_write_decided_again() {
    api.then(Reply.json(200, FULL), status(401, "Unauthorized"), Reply.json(200, FULL))
        .always(Reply.json(200, GRANTED));

    assertThat(outcome(new Attempt.Work.Send())).isEqualTo(new Outcome.Succeeded());

    assertThat(api.requests("PUT")).hasSize(2);
    assertThat(gate.permitsUsed()).isEqualTo(2);
  }

  @Test
  void a_jvm_told_to_repeat_every_method_gets_no_sending_client() {
    System.setProperty("jdk.httpclient.enableAllMethodRetry", "true");
    try {
      assertThatThrownBy(() -> SendingClient.of(Config.empty()))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("jdk.httpclient.enableAllMethodRetry");
    } finally {
      System.clearProperty("jdk.httpclient.enableAllMethodRetry");
    }
  }

  private Outcome outcome(Attempt.Work work) {
    var key = new AttemptKey("uid", "token", 0, 1);
    runner.begin(
        new Attempt(
            key,
            "fleet",
            "erase-aap",
            "SatelliteDiskErase",
            TestPermits.ARMED,
            JobTypes.TOKEN_BUCKET,
            JobTypes.of(Map.of()).find(JobTypes.TOKEN_BUCKET).orElseThrow(),
            Map.of("bucket", "disk-erase"),
            JumpingClock.START.plusSeconds(600),
            work));
    return await()
        .until(() -> Optional.ofNullable(runner.outcomes("uid").get(key)), Optional::isPresent)
        .orElseThrow();
  }

  private static String resourceVersion(LoopbackServer.Request request) throws IOException {
    JsonNode written = JsonMapper.builder().build().readTree(request.body());
    return written.at("/metadata/resourceVersion").asText();
  }

  private static String bucket(String resourceVersion, String status) {
    return """
    {"apiVersion": "andon.dev/v1alpha1", "kind": "TokenBucket",
     "metadata": {"name": "disk-erase", "resourceVersion": "%s"},
     "spec": {"size": 2}, "status": %s}
    """
        .formatted(resourceVersion, status);
  }

  private static Reply status(int code, String reason) {
    return Reply.json(
        code,
        """
        {"apiVersion": "v1", "kind": "Status", "status": "Failure",
         "code": %d, "reason": "%s", "message": "%s"}
        """
            .formatted(code, reason, reason));
  }
}
