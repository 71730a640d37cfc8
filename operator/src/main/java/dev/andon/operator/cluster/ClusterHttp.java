package dev.andon.operator.cluster;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.http.TlsVersion;
import io.fabric8.kubernetes.client.internal.CertUtils;
import io.fabric8.kubernetes.client.internal.SSLUtils;
import io.fabric8.kubernetes.client.jdkhttp.JdkHttpClientFactory;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.NoSuchAlgorithmException;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Objects;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * How clients of the API server speak HTTP.
 *
 * <ul>
 *   <li>Where a certificate authority is given they trust that one alone. fabric8 trusts all that
 *       Java does as well: whoever a public authority takes for the API server.
 *   <li>They follow no redirect. fabric8 does, with the body, to any host; and what comes from
 *       there is not the API server's word.
 *   <li>Of the ciphers of TLS they would rather have ChaCha20. AES is faster where a processor's
 *       own instructions are used for it, which is done by the compiler C2 alone; with the small
 *       one, C1, that an operator runs with, it took an eighth of its processor time, and ChaCha20
 *       a third of that. Which one is taken is the API server's choice.
 * </ul>
 */
public final class ClusterHttp extends JdkHttpClientFactory {
  private final Config config;
  private final TlsVersion[] versions;

  /** {@code config}: of the client that it is for, which may leave out versions of TLS. */
  public ClusterHttp(Config config) {
    this.config = config;
    this.versions = Objects.requireNonNullElse(config.getTlsVersions(), new TlsVersion[0]);
  }

  /** For a client that speaks so. */
  public static KubernetesClientBuilder client(Config config) {
    return new KubernetesClientBuilder()
        .withConfig(config)
        .withHttpClientFactory(new ClusterHttp(config));
  }

  @Override
  protected void additionalConfig(HttpClient.Builder builder) {
    builder.followRedirects(HttpClient.Redirect.NEVER).sslParameters(preferringChaCha20());
    if (!config.isTrustCerts()
        && (isGiven(config.getCaCertData()) || isGiven(config.getCaCertFile()))) {
      builder.sslContext(trustingOnlyTheGiven());
    }
  }

  private static boolean isGiven(@Nullable String text) {
    return text != null && !text.isBlank();
  }

  private SSLContext trustingOnlyTheGiven() {
    try {
      KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
      trusted.load(null, null);
      try (InputStream pem =
          CertUtils.getInputStreamFromDataOrFile(config.getCaCertData(), config.getCaCertFile())) {
        for (Certificate each : CertificateFactory.getInstance("X.509").generateCertificates(pem)) {
          trusted.setCertificateEntry("ca-" + trusted.size(), each);
        }
      }
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(trusted);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(SSLUtils.keyManagers(config), trust.getTrustManagers(), null);
      return context;
    } catch (IOException | GeneralSecurityException e) {
      throw new IllegalArgumentException(
          "the certificate authority of the API server cannot be used: " + e.getMessage(), e);
    }
  }

  private SSLParameters preferringChaCha20() {
    try {
      SSLParameters parameters = SSLContext.getDefault().getDefaultSSLParameters();
      String[] ciphers = parameters.getCipherSuites();
      // A stable sort: otherwise in the order in which Java prefers them.
      Arrays.sort(ciphers, Comparator.comparing(cipher -> !cipher.contains("_CHACHA20_")));
      parameters.setCipherSuites(ciphers);
      if (versions.length > 0) {
        parameters.setProtocols(
            Arrays.stream(versions).map(TlsVersion::javaName).toArray(String[]::new));
      }
      return parameters;
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("this JVM has no TLS", e);
    }
  }
}
