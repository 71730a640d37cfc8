package dev.andon.operator.cluster;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.http.TlsVersion;
import io.fabric8.kubernetes.client.jdkhttp.JdkHttpClientFactory;
import java.net.http.HttpClient;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Objects;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;

/**
 * How clients of the API server speak HTTP.
 *
 * <ul>
 *   <li>They follow no redirect. fabric8 does, with the body, to any host; and what comes from
 *       there is not the API server's word.
 *   <li>Of the ciphers of TLS they would rather have ChaCha20. AES is faster where a processor's
 *       own instructions are used for it, which is done by the compiler C2 alone; with the small
 *       one, C1, that an operator runs with, it took an eighth of its processor time, and ChaCha20
 *       a third of that. Which one is taken is the API server's choice.
 * </ul>
 */
public final class ClusterHttp extends JdkHttpClientFactory {
  private final TlsVersion[] versions;

  /** {@code config}: of the client that it is for, which may leave out versions of TLS. */
  public ClusterHttp(Config config) {
    this.versions = Objects.requireNonNullElse(config.getTlsVersions(), new TlsVersion[0]);
  }

  @Override
  protected void additionalConfig(HttpClient.Builder builder) {
    builder.followRedirects(HttpClient.Redirect.NEVER).sslParameters(preferringChaCha20());
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
