package dev.andon.operator.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import dev.andon.devcluster.LoopbackTls;
import dev.andon.operator.kubeconfig.KubeConfig;
import dev.andon.operator.kubeconfig.Pem;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.http.TlsVersion;
import java.io.ByteArrayInputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertificateFactory;
import java.util.Base64;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClusterHttpTest {
  private static final String TRUST_STORE = "javax.net.ssl.trustStore";
  private static final String PASSWORD = "javax.net.ssl.trustStorePassword";

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

  /**
   * What others whom Java trusts say of an API server that has its own authority counts nothing.
   */
  @Test
  void a_certificate_authority_that_is_given_is_the_only_one_trusted(@TempDir Path dir)
      throws Exception {
    LoopbackTls other = LoopbackTls.create();
    HttpsServer server =
        HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setHttpsConfigurator(new HttpsConfigurator(other.context()));
    server.createContext(
        "/",
        exchange -> {
          byte[] version = "{\"major\": \"1\", \"minor\": \"36\"}".getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(200, version.length);
          exchange.getResponseBody().write(version);
          exchange.close();
        });
    server.start();
    String trustStore = System.getProperty(TRUST_STORE);
    String password = System.getProperty(PASSWORD);
    try {
      int port = server.getAddress().getPort();
      other.kubeconfig(dir.resolve("other"), port);
      Config right = KubeConfig.of(dir.resolve("other"), null);
      String own = Pem.certificate(Pem.keys("EC", 256));
      Config config =
          new ConfigBuilder(right)
              .withCaCertData(
                  Base64.getEncoder().encodeToString(own.getBytes(StandardCharsets.UTF_8)))
              .build();
      System.setProperty(TRUST_STORE, javaTrusts(right, dir.resolve("cacerts")).toString());
      System.setProperty(PASSWORD, "changeit");

      assertThat(minor(new KubernetesClientBuilder().withConfig(config)))
          .as("as fabric8 does it")
          .isEqualTo("36");
      assertThat(minor(ClusterHttp.client(right))).isEqualTo("36");
      assertThatThrownBy(() -> minor(ClusterHttp.client(config)))
          .hasRootCauseInstanceOf(CertPathBuilderException.class);
    } finally {
      server.stop(0);
      restore(TRUST_STORE, trustStore);
      restore(PASSWORD, password);
    }
  }

  private static void restore(String property, String value) {
    if (value == null) {
      System.clearProperty(property);
    } else {
      System.setProperty(property, value);
    }
  }

  private static String minor(KubernetesClientBuilder builder) {
    builder.editOrNewConfig().withRequestRetryBackoffLimit(0).endConfig();
    try (KubernetesClient client = builder.build()) {
      return client.getKubernetesVersion().getMinor();
    }
  }

  private static Path javaTrusts(Config config, Path file) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    var pem = new ByteArrayInputStream(Base64.getMimeDecoder().decode(config.getCaCertData()));
    store.setCertificateEntry(
        "other", CertificateFactory.getInstance("X.509").generateCertificate(pem));
    try (OutputStream out = Files.newOutputStream(file)) {
      store.store(out, "changeit".toCharArray());
    }
    return file;
  }

  @Test
  void versions_of_TLS_that_are_ruled_out_stay_so() {
    Config config = new ConfigBuilder(Config.empty()).withTlsVersions(TlsVersion.TLS_1_3).build();

    try (HttpClient client = client(config)) {
      assertThat(client.sslParameters().getProtocols()).containsExactly("TLSv1.3");
    }
  }
}
