package dev.andon.operator.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.crds.TokenBucket;
import dev.andon.crds.TokenBucketSpec;
import dev.andon.crds.TokenBucketStatus;
import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import dev.andon.operator.stop.TestPermits;
import dev.andon.plan.JobTypes;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Tokens on a real API server, which is what keeps two from taking the same one. */
@RealControlPlane
class TokenBucketIT {
  private static final String BUCKET = "taken-by-two-operators";

  private static KubernetesClient client;

  private final ExecutionRunner one = runner();
  private final ExecutionRunner other = runner();

  @BeforeAll
  static void up(ControlPlane plane) throws IOException, InterruptedException {
    Config config = Config.fromKubeconfig(Files.readString(plane.kubeconfig()));
    client = SendingClient.of(config);
    Path home = Path.of(System.getProperty("ANDON_HOME"));
    try (var yaml = Files.newInputStream(home.resolve("crds/tokenbuckets.andon.dev.yaml"))) {
      CustomResourceDefinition crd =
          client.apiextensions().v1().customResourceDefinitions().load(yaml).item();
      client.resource(crd).serverSideApply();
    }
    plane.awaitCrds();
  }

  @AfterAll
  static void down() {
    client.close();
  }

  @BeforeEach
  void bucket() {
    var bucket = new TokenBucket();
    bucket.setMetadata(new ObjectMetaBuilder().withName(BUCKET).build());
    bucket.setSpec(new TokenBucketSpec(20, null));
    client.resource(bucket).create();
  }

  @AfterEach
  void close() {
    one.close();
    other.close();
    client.resources(TokenBucket.class).withName(BUCKET).delete();
  }

  @Test
  void two_operators_that_take_at_once_take_no_more_than_there_are() {
    for (int i = 0; i < 15; i++) {
      one.begin(attempt("one", i));
      other.begin(attempt("other", i));
    }

    await().atMost(Duration.ofSeconds(60)).until(() -> ended("one", one, 15));
    await().atMost(Duration.ofSeconds(60)).until(() -> ended("other", other, 15));

    // Whoever met too many conflicts in a row asks again, as the decider does.
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () -> {
              askAgain("one", one);
              askAgain("other", other);
              assertThat(succeeded()).isEqualTo(20);
            });
    assertThat(status().tokens()).isZero();
    assertThat(status().grants())
        .extracting(TokenBucketStatus.Grant::key)
        .hasSize(20)
        .doesNotHaveDuplicates();
  }

  @Test
  void the_same_attempts_in_two_operators_take_one_token_each() {
    for (int i = 0; i < 10; i++) {
      one.begin(attempt("same", i));
      other.begin(attempt("same", i));
    }

    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () -> {
              askAgain("same", one);
              askAgain("same", other);
              assertThat(one.outcomes("same").values())
                  .hasSize(10)
                  .containsOnly(new Outcome.Succeeded());
              assertThat(other.outcomes("same").values())
                  .hasSize(10)
                  .containsOnly(new Outcome.Succeeded());
            });
    assertThat(status().tokens()).isEqualTo(10);
    assertThat(status().grants()).hasSize(10);
  }

  private static ExecutionRunner runner() {
    return new ExecutionRunner(
        new FakeGate(),
        uid -> false,
        (name, key) -> Optional.empty(),
        client,
        (namespace, workflow, uid) -> {},
        Notices.NONE,
        ExecutionRunner.JOB_CREATE_TIMEOUT,
        Clock.systemUTC());
  }

  private static boolean ended(String uid, ExecutionRunner runner, int count) {
    return runner.outcomes(uid).size() == count;
  }

  /** Begins again what was put off for conflicts; an empty bucket stays a reason not to. */
  private static void askAgain(String uid, ExecutionRunner runner) {
    runner
        .outcomes(uid)
        .forEach(
            (key, outcome) -> {
              if (outcome instanceof Outcome.NotBegun not && not.reason().equals("BucketBusy")) {
                runner.settle(key.uid(), Map.of(key, outcome));
                runner.begin(attempt(uid, key.index()));
              }
            });
  }

  private long succeeded() {
    return Stream.of(one.outcomes("one"), other.outcomes("other"))
        .map(Map::values)
        .flatMap(outcomes -> List.copyOf(outcomes).stream())
        .filter(Outcome.Succeeded.class::isInstance)
        .count();
  }

  private static TokenBucketStatus status() {
    return client.resources(TokenBucket.class).withName(BUCKET).get().getStatus();
  }

  private static Attempt attempt(String uid, int index) {
    return new Attempt(
        new AttemptKey(uid, "token", index, 1),
        "fleet",
        "erase-" + uid,
        "SatelliteDiskErase",
        TestPermits.ARMED,
        JobTypes.TOKEN_BUCKET,
        JobTypes.of(Map.of()).find(JobTypes.TOKEN_BUCKET).orElseThrow(),
        Map.of("bucket", BUCKET),
        Instant.now().plusSeconds(600),
        new Attempt.Work.Send());
  }
}
