package dev.andon.operator.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import dev.andon.crds.TokenBucket;
import dev.andon.crds.TokenBucketStatus;
import dev.andon.executor.v1.CancelRequest;
import dev.andon.executor.v1.RunRequest;
import dev.andon.executor.v1.State;
import dev.andon.operator.execution.HttpSender.Sent;
import dev.andon.operator.execution.LoopbackServer.Reply;
import dev.andon.operator.stop.Permit;
import dev.andon.operator.stop.TestPermits;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.grpc.ManagedChannelBuilder;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Executors that would get around the gate if they could. */
class RogueExecutorsTest {
  private static final URI TARGET = URI.create("http://127.0.0.1:1/erase");

  static Stream<Arguments> rogues() {
    return Stream.of(
        Arguments.of(
            WithAnHttpClientOfItsOwn.class,
            SendsArchitectureTest.only_HttpSender_holds_an_http_client),
        Arguments.of(
            WithAChannelOfItsOwn.class, SendsArchitectureTest.only_GrpcSender_knows_of_grpc),
        Arguments.of(WhichAsksOverGrpc.class, SendsArchitectureTest.only_attempts_over_grpc_ask),
        Arguments.of(WithAUrl.class, SendsArchitectureTest.nothing_goes_out_by_older_ways),
        Arguments.of(WithASocket.class, SendsArchitectureTest.nothing_goes_out_by_older_ways),
        Arguments.of(WithAProgram.class, SendsArchitectureTest.executors_start_no_programs),
        Arguments.of(
            WithFabric8sHttp.class, SendsArchitectureTest.executors_have_no_http_of_fabric8),
        Arguments.of(
            WithTheApiServer.class, SendsArchitectureTest.only_the_stores_write_to_the_api_server),
        Arguments.of(WhichAsks.class, SendsArchitectureTest.only_attempts_over_http_ask),
        Arguments.of(
            WhichUsesThePermitItself.class,
            SendsArchitectureTest.permits_are_used_only_by_what_sends));
  }

  @ParameterizedTest
  @MethodSource("rogues")
  void what_would_send_without_a_permit_does_not_pass_the_build(Class<?> rogue, ArchRule rule) {
    assertThatThrownBy(() -> rule.check(new ClassFileImporter().importClasses(rogue)))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining(rogue.getSimpleName());
  }

  @Test
  void one_permit_in_many_hands_and_through_every_door_is_one_request() throws Exception {
    for (int round = 0; round < 20; round++) {
      try (var target = new LoopbackServer();
          var executor = new LoopbackExecutor();
          var sender = new HttpSender(Time.REAL);
          var grpc = new GrpcSender(Time.REAL);
          KubernetesClient client = client(target)) {
        target.always(Reply.json(200, "{\"metadata\": {\"name\": \"b\"}}"));
        executor.on("Run", new LoopbackExecutor.Reply.Say(State.getDefaultInstance()));
        var store = new TokenBucketStore(client);
        var jobs = new JobStore(client);
        Permit permit = TestPermits.good();
        int hands = 12;
        var together = new CyclicBarrier(hands);
        var passed = new AtomicInteger();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < hands; i++) {
          int door = i % 4;
          threads.add(
              Thread.ofPlatform()
                  .start(
                      () -> {
                        try {
                          together.await();
                          boolean sent =
                              switch (door) {
                                case 0 ->
                                    sender.send(permit, post(target), Duration.ofSeconds(60))
                                        instanceof Sent.Answered;
                                case 1 -> store.take(permit, bucket(), taken());
                                case 2 ->
                                    run(grpc, permit, executor) instanceof GrpcSender.Sent.Answered;
                                default ->
                                    jobs.create(permit, job()) instanceof JobStore.Created.Done;
                              };
                          if (sent) {
                            passed.incrementAndGet();
                          }
                        } catch (Exception e) {
                          throw new AssertionError(e);
                        }
                      }));
        }
        for (Thread thread : threads) {
          thread.join();
        }

        assertThat(passed).hasValue(1);
        assertThat(target.requests().size() + executor.calls().size()).isEqualTo(1);
      }
    }
  }

  @Test
  void a_request_held_and_sent_again_needs_another_permit() throws Exception {
    try (var target = new LoopbackServer();
        var sender = new HttpSender(Time.REAL)) {
      target.always(new Reply.Drop());
      Permit permit = TestPermits.good();
      HttpRequest held = post(target);

      for (int i = 0; i < 5; i++) {
        sender.send(permit, held, Duration.ofSeconds(60));
      }

      assertThat(target.requests()).hasSize(1);
    }
  }

  @Test
  @SuppressWarnings("NullAway") // which is the point
  void no_permit_at_all_sends_nothing() throws Exception {
    try (var target = new LoopbackServer();
        var executor = new LoopbackExecutor();
        var sender = new HttpSender(Time.REAL);
        var grpc = new GrpcSender(Time.REAL);
        KubernetesClient client = client(target)) {
      sender.send(null, post(target), Duration.ofSeconds(60));
      assertThat(run(grpc, null, executor)).isInstanceOf(GrpcSender.Sent.NoConnection.class);
      assertThatThrownBy(() -> new TokenBucketStore(client).take(null, bucket(), taken()))
          .isInstanceOf(NullPointerException.class);
      assertThat(new JobStore(client).create(null, job()))
          .isNotInstanceOf(JobStore.Created.Done.class);

      assertThat(target.requests()).isEmpty();
      assertThat(executor.calls()).isEmpty();
    }
  }

  private static GrpcSender.Sent run(GrpcSender grpc, Permit permit, LoopbackExecutor executor) {
    return grpc.run(
        permit,
        new GrpcSender.Target(executor.target(), true),
        RunRequest.getDefaultInstance(),
        Duration.ofSeconds(60));
  }

  private static HttpRequest post(LoopbackServer target) {
    return HttpRequest.newBuilder(URI.create(target.url("/erase")))
        .POST(BodyPublishers.ofString("{}"))
        .build();
  }

  private static KubernetesClient client(LoopbackServer target) {
    return SendingClient.of(
        new ConfigBuilder(Config.empty()).withMasterUrl(target.url("/")).build());
  }

  private static Job job() {
    return new JobBuilder()
        .withNewMetadata()
        .withName("j")
        .withNamespace("n")
        .endMetadata()
        .build();
  }

  private static TokenBucket bucket() {
    var bucket = new TokenBucket();
    bucket.setMetadata(new ObjectMetaBuilder().withName("b").withResourceVersion("7").build());
    return bucket;
  }

  private static TokenBucketStatus taken() {
    return new TokenBucketStatus(1, null, List.of());
  }

  /** What they have in common: the rules look at what they are made of, so it is never run. */
  abstract static class Rogue implements AttemptExecutor {
    abstract void act() throws Exception;

    @Override
    public Outcome run(AttemptRun run) {
      throw new UnsupportedOperationException();
    }
  }

  static final class WithAnHttpClientOfItsOwn extends Rogue {
    @Override
    void act() throws Exception {
      HttpClient.newHttpClient()
          .send(
              HttpRequest.newBuilder(TARGET).POST(BodyPublishers.noBody()).build(),
              BodyHandlers.discarding());
    }
  }

  static final class WithAChannelOfItsOwn extends Rogue {
    @Override
    void act() {
      ManagedChannelBuilder.forTarget("127.0.0.1:1").build().shutdown();
    }
  }

  static final class WhichAsksOverGrpc extends Rogue {
    private final GrpcSender sender = new GrpcSender(Time.REAL);

    @Override
    void act() throws Exception {
      sender.cancel(
          new GrpcSender.Target("127.0.0.1:1", true),
          CancelRequest.getDefaultInstance(),
          Duration.ofSeconds(1));
    }
  }

  static final class WithAUrl extends Rogue {
    @Override
    void act() throws IOException {
      TARGET.toURL().openStream().close();
    }
  }

  static final class WithASocket extends Rogue {
    @Override
    void act() throws IOException {
      SocketChannel.open(new InetSocketAddress("127.0.0.1", 1)).close();
    }
  }

  static final class WithAProgram extends Rogue {
    @Override
    void act() throws IOException {
      new ProcessBuilder("curl", "-X", "POST", TARGET.toString()).start();
    }
  }

  static final class WithFabric8sHttp extends Rogue {
    @SuppressWarnings("NullAway")
    private io.fabric8.kubernetes.client.http.HttpClient client;

    @Override
    void act() {
      client.sendAsync(client.newHttpRequestBuilder().uri(TARGET).build(), String.class);
    }
  }

  static final class WithTheApiServer extends Rogue {
    @SuppressWarnings("NullAway")
    private KubernetesClient client;

    @Override
    void act() {
      client.resource(new ConfigMap()).create();
    }
  }

  static final class WhichAsks extends Rogue {
    private final HttpSender sender = new HttpSender(Time.REAL);

    @Override
    void act() throws Exception {
      sender.ask(
          HttpRequest.newBuilder(TARGET).POST(BodyPublishers.noBody()).build(),
          Duration.ofSeconds(1));
    }
  }

  static final class WhichUsesThePermitItself extends Rogue {
    @Override
    void act() {
      if (TestPermits.good().use()) {
        throw new IllegalStateException("here it would send, as often as it likes");
      }
    }
  }
}
