package dev.andon.devcluster;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/** TLS for a server on loopback that a kubeconfig leads to, as one leads to a control plane. */
public final class LoopbackTls {
  private static final char[] PASSWORD = {};

  private final CertificateAuthority authority;
  private final SSLContext context;

  private LoopbackTls(CertificateAuthority authority, SSLContext context) {
    this.authority = authority;
    this.context = context;
  }

  /**
   * With keys of its own, which are nowhere but in this process.
   *
   * @throws IllegalStateException if this JVM lacks what it takes
   */
  public static LoopbackTls create() {
    CertificateAuthority authority = CertificateAuthority.create(Clock.systemUTC());
    CertificateAuthority.Identity server = authority.server("127.0.0.1");
    try {
      KeyStore keys = KeyStore.getInstance("PKCS12");
      keys.load(null, PASSWORD);
      keys.setKeyEntry(
          "server", server.key(), PASSWORD, new X509Certificate[] {server.certificate()});
      KeyManagerFactory managers =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      managers.init(keys, PASSWORD);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(managers.getKeyManagers(), null, null);
      return new LoopbackTls(authority, context);
    } catch (GeneralSecurityException | IOException e) {
      throw new IllegalStateException("this JVM cannot serve TLS", e);
    }
  }

  /** Of the server. */
  public SSLContext context() {
    return context;
  }

  /** Writes a kubeconfig that leads to {@code port}, with the certificate of a client in it. */
  public void kubeconfig(Path file, int port) throws IOException {
    Kubeconfig.write(
        file,
        URI.create("https://127.0.0.1:" + port),
        authority.self().certificatePem(),
        authority.client("andon", List.of()));
  }
}
