package dev.andon.operator.stop;

import dev.andon.operator.cluster.ClusterHttp;
import dev.andon.operator.cluster.ClusterJson;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.http.HttpClient;
import io.fabric8.kubernetes.client.utils.TokenRefreshInterceptor;
import io.fabric8.kubernetes.client.utils.Utils;
import java.time.Duration;
import java.util.concurrent.Executor;

/**
 * The stop's own clients, made from the operator's configuration, so that whatever kubeconfig that
 * one takes these take too. HTTP/1.1, nothing sent twice, no redirects, nothing shared with the
 * rest of the operator: its load cannot queue in front of a stop.
 */
public final class StopClients {
  private StopClients() {}

  /** For the lease that says who acts: as little to be delayed by load as the stop itself. */
  public static KubernetesClient leases(Config main, Duration answer) {
    int deadline = (int) answer.toMillis();
    Config config =
        own(main, "andon-operator/lease")
            .withRequestTimeout(deadline)
            .withConnectionTimeout(deadline)
            .build();
    return client(config, Runnable::run);
  }

  static Config reading(Config main) {
    return own(main, "andon-operator/gate").build();
  }

  static Config watching(Config main) {
    return own(main, "andon-operator/stop-watch")
        // A watch that breaks is taken up where it broke after 0.1 s, then 0.2 s, up to 3.2 s.
        .withWatchReconnectInterval(100)
        .withWatchReconnectLimit(-1)
        .build();
  }

  private static ConfigBuilder own(Config main, String userAgent) {
    int deadline = (int) ApiStopReader.DEADLINE.toMillis();
    return new ConfigBuilder(main)
        .withUserAgent(userAgent)
        .withHttp2Disable(true)
        .withRequestRetryBackoffLimit(0)
        .withRequestTimeout(deadline)
        .withConnectionTimeout(deadline);
  }

  static HttpClient http(Config config) {
    HttpClient.Builder builder = new ClusterHttp(config).newBuilder(config);
    withoutIdleRefresh(config, builder);
    return builder.build();
  }

  static KubernetesClient client(Config config, Executor callbacks) {
    return ClusterHttp.client(config)
        // Who wrote a stop is told by its managedFields.
        .withKubernetesSerialization(ClusterJson.complete())
        .withHttpClientBuilderConsumer(builder -> withoutIdleRefresh(config, builder))
        .withTaskExecutor(callbacks)
        .build();
  }

  /**
   * fabric8 7.8.0 refreshes the token before a request if that was last done more than a minute
   * ago; where there is no token at all (client certificates) it never gets one, and so reads the
   * kubeconfig again before every single request.
   */
  private static void withoutIdleRefresh(Config config, HttpClient.Builder builder) {
    boolean certificate =
        Utils.isNotNullOrEmpty(config.getClientCertData())
            || Utils.isNotNullOrEmpty(config.getClientCertFile());
    boolean token =
        config.getOauthTokenProvider() != null
            || config.getAuthProvider() != null
            || Utils.isNotNullOrEmpty(config.getOauthToken())
            || Utils.isNotNullOrEmpty(config.getAutoOAuthToken())
            || Utils.isNotNullOrEmpty(config.getUsername());
    if (certificate && !token) {
      builder.addOrReplaceInterceptor(TokenRefreshInterceptor.NAME, null);
    }
  }
}
