package dev.andon.operator.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;
import static org.awaitility.Awaitility.await;

import dev.andon.crds.TokenBucket;
import dev.andon.crds.TokenBucketSpec;
import dev.andon.crds.TokenBucketStatus;
import dev.andon.operator.stop.TestPermits;
import dev.andon.plan.JobTypes;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.server.mock.EnableKubernetesMockClient;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@EnableKubernetesMockClient(crud = true, https = false)
class TokenBucketExecutorTest {
  private KubernetesClient client;

  private final FakeGate gate = new FakeGate();
  private KubernetesClient sending;
  private ExecutionRunner runner;

  @BeforeEach
  void start() {
    sending = SendingClient.of(client.getConfiguration());
    runner =
        new ExecutionRunner(
            gate,
            uid -> false,
            (name, key) -> Optional.empty(),
            sending,
            (namespace, workflow, uid) -> {},
            Notices.NONE,
            ExecutionRunner.JOB_CREATE_TIMEOUT,
            new JumpingClock(),
            new TimeInHand(),
            Thread.ofVirtual().factory());
  }

  @AfterEach
  void stop() {
    runner.close();
    sending.close();
  }

  @Test
  void takes_a_token_and_remembers_for_whom() {
    bucket(2, null);

    assertThat(outcome(0, Map.of("bucket", "disk-erase"), new Attempt.Work.Send()))
        .isEqualTo(new Outcome.Succeeded());

    assertThat(status().tokens()).isEqualTo(1);
    assertThat(status().grants())
        .extracting(TokenBucketStatus.Grant::key)
        .containsExactly("uid/token/0/1");
    assertThat(gate.permitsUsed()).isEqualTo(1);
  }

  @Test
  void asking_twice_under_one_key_takes_one_token() {
    bucket(2, null);
    outcome(0, Map.of("bucket", "disk-erase"), new Attempt.Work.Send());

    assertThat(outcome(0, Map.of("bucket", "disk-erase"), new Attempt.Work.Send()))
        .isEqualTo(new Outcome.Succeeded());

    assertThat(status().tokens()).isEqualTo(1);
    assertThat(gate.permitsUsed()).isEqualTo(1);
  }

  @Test
  void without_a_token_it_waits_and_uses_no_attempt() {
    bucket(1, new TokenBucketSpec.Refill(1, 60));
    outcome(0, Map.of("bucket", "disk-erase"), new Attempt.Work.Send());

    assertThat(outcome(1, Map.of("bucket", "disk-erase"), new Attempt.Work.Send()))
        .asInstanceOf(type(Outcome.NotBegun.class))
        .satisfies(
            not -> {
              assertThat(not.reason()).isEqualTo("NoToken");
              assertThat(not.retryAt()).isEqualTo(JumpingClock.START.plusSeconds(60));
            });
    assertThat(gate.permitsUsed()).isEqualTo(1);
  }

  @Test
  void a_bucket_that_is_never_refilled_is_looked_at_again_within_five_minutes() {
    bucket(0, null);

    assertThat(outcome(0, Map.of("bucket", "disk-erase"), new Attempt.Work.Send()))
        .asInstanceOf(type(Outcome.NotBegun.class))
        .extracting(Outcome.NotBegun::retryAt)
        .isEqualTo(JumpingClock.START.plusSeconds(300));
  }

  @Test
  void with_fatal_true_no_token_ends_the_workflow() {
    bucket(0, null);

    assertThat(outcome(0, Map.of("bucket", "disk-erase", "fatal", "true"), new Attempt.Work.Send()))
        .asInstanceOf(type(Outcome.Failed.class))
        .satisfies(
            failed -> {
              assertThat(failed.reason()).isEqualTo("NoToken");
              assertThat(failed.reach()).isEqualTo(Outcome.Failed.Reach.WORKFLOW);
              assertThat(failed.message()).contains("disk-erase").contains("size");
            });
  }

  @ParameterizedTest
  @ValueSource(strings = {"false", "True", "TRUE", "", "1", "yes"})
  void only_true_is_fatal(String fatal) {
    bucket(0, null);

    assertThat(outcome(0, Map.of("bucket", "disk-erase", "fatal", fatal), new Attempt.Work.Send()))
        .isInstanceOf(Outcome.NotBegun.class);
  }

  @Test
  void a_bucket_that_is_not_there_is_a_failure_that_names_it() {
    assertThat(outcome(0, Map.of("bucket", "disk-eraze"), new Attempt.Work.Send()))
        .asInstanceOf(type(Outcome.Failed.class))
        .satisfies(
            failed -> {
              assertThat(failed.reason()).isEqualTo("BucketNotFound");
              assertThat(failed.reach()).isEqualTo(Outcome.Failed.Reach.ATTEMPT);
              assertThat(failed.message())
                  .contains("args.bucket")
                  .contains("\"disk-eraze\"")
                  .contains("kubectl get tokenbuckets");
            });
  }

  @Test
  void a_closed_gate_takes_nothing() {
    bucket(2, null);
    gate.set(FakeGate.STOPPED);

    assertThat(outcome(0, Map.of("bucket", "disk-erase"), new Attempt.Work.Send()))
        .asInstanceOf(type(Outcome.NotBegun.class))
        .extracting(Outcome.NotBegun::reason)
        .isEqualTo("EmergencyStop");
    assertThat(client.resources(TokenBucket.class).withName("disk-erase").get().getStatus())
        .isNull();
  }

  @Test
  void observing_finds_the_grant_and_takes_nothing() {
    bucket(2, null);
    outcome(0, Map.of("bucket", "disk-erase"), new Attempt.Work.Send());
    gate.set(FakeGate.STOPPED);

    assertThat(outcome(0, Map.of("bucket", "disk-erase"), new Attempt.Work.Observe()))
        .isEqualTo(new Outcome.Succeeded());
    assertThat(outcome(1, Map.of("bucket", "disk-erase"), new Attempt.Work.Observe()))
        .isEqualTo(new Outcome.Unknown("no token was taken yet", true));
    assertThat(status().tokens()).isEqualTo(1);
  }

  @Test
  void a_cancelled_wait_for_the_gate_takes_nothing() {
    bucket(2, null);
    gate.beSilent();
    Attempt attempt = attempt(0, Map.of("bucket", "disk-erase"), new Attempt.Work.Send());
    runner.begin(attempt);
    await().until(() -> gate.asked() == 1);

    runner.cancel(attempt.key());

    assertThat(end(attempt.key()))
        .asInstanceOf(type(Outcome.NotBegun.class))
        .extracting(Outcome.NotBegun::reason)
        .isEqualTo("Cancelled");
    assertThat(client.resources(TokenBucket.class).withName("disk-erase").get().getStatus())
        .isNull();
  }

  @Test
  void a_client_that_repeats_by_itself_is_refused() {
    try (KubernetesClient repeating =
        new KubernetesClientBuilder()
            .withConfig(
                new ConfigBuilder(client.getConfiguration())
                    .withRequestRetryBackoffLimit(10)
                    .build())
            .build()) {
      assertThatThrownBy(() -> new TokenBucketStore(repeating))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("requestRetryBackoffLimit");
    }
  }

  private void bucket(int size, TokenBucketSpec.@Nullable Refill refill) {
    var bucket = new TokenBucket();
    bucket.setMetadata(new ObjectMetaBuilder().withName("disk-erase").build());
    bucket.setSpec(new TokenBucketSpec(size, refill));
    client.resource(bucket).create();
  }

  private TokenBucketStatus status() {
    return client.resources(TokenBucket.class).withName("disk-erase").get().getStatus();
  }

  private Outcome outcome(int index, Map<String, String> args, Attempt.Work work) {
    Attempt attempt = attempt(index, args, work);
    runner.begin(attempt);
    Outcome outcome = end(attempt.key());
    runner.settle(attempt.key().uid(), Map.of(attempt.key(), outcome));
    return outcome;
  }

  private Outcome end(AttemptKey key) {
    return await()
        .until(() -> Optional.ofNullable(runner.outcomes("uid").get(key)), Optional::isPresent)
        .orElseThrow();
  }

  private static Attempt attempt(int index, Map<String, String> args, Attempt.Work work) {
    return new Attempt(
        new AttemptKey("uid", "token", index, 1),
        "fleet",
        "erase-aap",
        "SatelliteDiskErase",
        TestPermits.ARMED,
        JobTypes.TOKEN_BUCKET,
        JobTypes.of(Map.of()).find(JobTypes.TOKEN_BUCKET).orElseThrow(),
        args,
        JumpingClock.START.plusSeconds(600),
        work);
  }
}
