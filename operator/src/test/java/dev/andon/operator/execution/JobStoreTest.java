package dev.andon.operator.execution;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.andon.operator.execution.JobStore.Created;
import dev.andon.operator.execution.LoopbackServer.Reply;
import dev.andon.operator.leadership.LeaderOnly;
import dev.andon.operator.leadership.Leadership;
import dev.andon.operator.stop.TestPermits;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.http.BasicBuilder;
import io.fabric8.kubernetes.client.http.HttpClient;
import io.fabric8.kubernetes.client.http.HttpResponse;
import io.fabric8.kubernetes.client.http.Interceptor;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Whether a create was sent is known, or it is not said. */
class JobStoreTest {
  private final LoopbackServer api = new LoopbackServer();

  @AfterEach
  void close() throws IOException {
    api.close();
  }

  private Created create(Interceptor interceptor) {
    try (KubernetesClient client = client(b -> b.addOrReplaceInterceptor("test", interceptor));
        var store = new JobStore(client)) {
      return store.create(TestPermits.good(), job());
    }
  }

  private KubernetesClient client(Consumer<HttpClient.Builder> with) {
    return new KubernetesClientBuilder()
        .withConfig(
            new ConfigBuilder(Config.empty())
                .withMasterUrl(api.url("/"))
                .withRequestRetryBackoffLimit(0)
                .build())
        .withHttpClientBuilderConsumer(with)
        .build();
  }

  private static Job job() {
    return new JobBuilder()
        .withNewMetadata()
        .withNamespace("fleet")
        .withName("erase")
        .withUid("u-1")
        .endMetadata()
        .build();
  }

  /**
   * Where the API server marks nothing, or not yet, one that ran would look like one that waits.
   */
  @Test
  void what_it_suspends_is_marked_in_the_same_write() throws Exception {
    api.always(Reply.json(200, "{\"apiVersion\":\"batch/v1\",\"kind\":\"Job\"}"));

    try (KubernetesClient client = client(b -> {});
        var store = new JobStore(client)) {
      store.suspend(job());
    }

    assertThat(api.requests("PATCH"))
        .singleElement()
        .satisfies(
            patch ->
                assertThat(new ObjectMapper().readTree(patch.body()))
                    .isEqualTo(
                        new ObjectMapper()
                            .readTree(
                                """
                                {"metadata": {"uid": "u-1", "annotations": {"andon.dev/suspended": "true"}},
                                 "spec": {"suspend": true}}""")));
  }

  @Test
  void one_that_does_not_lead_sends_nothing_and_knows_it() {
    assertThat(create(new LeaderOnly(new Follower()))).isInstanceOf(Created.NotSent.class);
    assertThat(api.requests("POST")).isEmpty();
  }

  @Test
  void a_fault_after_it_was_sent_is_not_taken_for_one_before() {
    api.always(Reply.json(504, "{}"));
    var broken =
        new Interceptor() {
          @Override
          public CompletableFuture<Boolean> afterFailure(
              BasicBuilder request, HttpResponse<?> response, RequestTags tags) {
            return CompletableFuture.failedFuture(new IllegalStateException("no new token"));
          }
        };

    assertThat(create(broken)).isInstanceOf(Created.Unanswered.class);
    assertThat(api.requests("POST")).hasSize(1);
  }

  private static final class Follower implements Leadership {
    @Override
    public boolean holds() {
      return false;
    }

    @Override
    public String leader() {
      return "another";
    }

    @Override
    public Optional<String> trouble() {
      return Optional.empty();
    }

    @Override
    public void start() {
      // It never leads.
    }

    @Override
    public void stand(Runnable leads) {
      // It never leads.
    }

    @Override
    public void close() {
      // Nothing to give back.
    }
  }
}
