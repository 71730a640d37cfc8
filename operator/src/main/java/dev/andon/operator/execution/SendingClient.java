package dev.andon.operator.execution;

import dev.andon.operator.cluster.ClusterHttp;
import dev.andon.operator.cluster.ClusterJson;
import dev.andon.operator.leadership.LeaderOnly;
import dev.andon.operator.leadership.Leadership;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.http.BasicBuilder;
import io.fabric8.kubernetes.client.http.HttpClient;
import io.fabric8.kubernetes.client.http.HttpResponse;
import io.fabric8.kubernetes.client.utils.TokenRefreshInterceptor;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;

/**
 * The client of the API server for what is a send: one call, at most one request that writes. What
 * would repeat one, and how that is switched off:
 *
 * <ul>
 *   <li>fabric8 repeats any verb after 429, 5xx and broken connections: {@code
 *       requestRetryBackoffLimit} 0.
 *   <li>fabric8 follows redirects, with the body, to any host: no redirects.
 *   <li>fabric8 renews its token after a 401 and repeats the request: the token is renewed, and
 *       only reads are repeated.
 *   <li>The JDK's client repeats over HTTP/2 what the server says it has not processed: HTTP/1.1.
 *       Over that it repeats GET and HEAD, and every method with {@code
 *       jdk.httpclient.enableAllMethodRetry}, with which {@link #of} refuses to go on.
 * </ul>
 */
public final class SendingClient {
  private static final String REPEATS_ALL = "jdk.httpclient.enableAllMethodRetry";

  private SendingClient() {}

  /**
   * A client made from the operator's configuration; to be closed by the caller.
   *
   * @throws IllegalStateException if the JVM is told to repeat every method
   */
  public static KubernetesClient of(Config main) {
    return of(main, Leadership.alone());
  }

  /** The same for one of several operators: writes nothing while others lead. */
  public static KubernetesClient of(Config main, Leadership leadership) {
    String repeatsAll = System.getProperty(REPEATS_ALL);
    if (repeatsAll != null && !repeatsAll.equals("false")) {
      throw new IllegalStateException(
          "system property %s is \"%s\": a send could then reach its target twice; take it away"
              .formatted(REPEATS_ALL, repeatsAll));
    }
    Config config =
        new ConfigBuilder(main).withHttp2Disable(true).withRequestRetryBackoffLimit(0).build();
    var factory = new ClusterHttp(config);
    return new KubernetesClientBuilder()
        .withConfig(config)
        .withKubernetesSerialization(ClusterJson.withoutManagers())
        .withHttpClientFactory(factory)
        .withHttpClientBuilderConsumer(
            builder ->
                builder
                    .addOrReplaceInterceptor(
                        TokenRefreshInterceptor.NAME,
                        new RenewsAndRepeatsReadsOnly(config, factory))
                    .addOrReplaceInterceptor(LeaderOnly.NAME, new LeaderOnly(leadership)))
        .build();
  }

  /**
   * For those who are handed a client.
   *
   * @param what it is for, as in {@code Jobs}
   * @throws IllegalArgumentException if it would repeat a request by itself
   */
  static KubernetesClient requireNoRepeats(KubernetesClient client, String what) {
    Integer retries = client.getConfiguration().getRequestRetryBackoffLimit();
    if (retries == null || retries != 0) {
      throw new IllegalArgumentException(
          "the client for %s must not repeat requests: requestRetryBackoffLimit is %s, not 0"
              .formatted(what, retries));
    }
    return client;
  }

  private static final class RenewsAndRepeatsReadsOnly extends TokenRefreshInterceptor {
    RenewsAndRepeatsReadsOnly(Config config, HttpClient.Factory factory) {
      super(config, factory, Instant.now());
    }

    @Override
    public CompletableFuture<Boolean> afterFailure(
        BasicBuilder request, HttpResponse<?> response, RequestTags tags) {
      CompletableFuture<Boolean> repeat = super.afterFailure(request, response, tags);
      return "GET".equals(response.request().method()) ? repeat : repeat.thenApply(_ -> false);
    }
  }
}
