package dev.andon.operator.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.http.TlsVersion;
import java.net.http.HttpClient;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Test;

class ClusterHttpTest {
  private static HttpClient client(Config config) {
    HttpClient.Builder builder = HttpClient.newBuilder();
    new ClusterHttp(config).additionalConfig(builder);
    return builder.build();
  }

  @Test
  void it_follows_no_redirect() {
    try (HttpClient client = client(Config.empty())) {
      assertThat(client.followRedirects()).isEqualTo(HttpClient.Redirect.NEVER);
    }
  }

  @Test
  void it_would_rather_have_ChaCha20_and_takes_all_that_java_takes() throws Exception {
    String[] all = SSLContext.getDefault().getDefaultSSLParameters().getCipherSuites();

    try (HttpClient client = client(Config.empty())) {
      assertThat(client.sslParameters().getCipherSuites())
          .containsExactlyInAnyOrder(all)
          .startsWith("TLS_CHACHA20_POLY1305_SHA256");
    }
  }

  @Test
  void versions_of_TLS_that_are_ruled_out_stay_so() {
    Config config = new ConfigBuilder(Config.empty()).withTlsVersions(TlsVersion.TLS_1_3).build();

    try (HttpClient client = client(config)) {
      assertThat(client.sslParameters().getProtocols()).containsExactly("TLSv1.3");
    }
  }
}
