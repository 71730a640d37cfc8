package dev.andon.devcluster;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Base64;

/** Writes kubeconfig files with everything embedded, so that one file can be handed on. */
final class Kubeconfig {
  private Kubeconfig() {}

  static void write(
      Path file, URI server, String authorityPem, CertificateAuthority.Identity identity)
      throws IOException {
    writePrivately(
        file,
        """
        apiVersion: v1
        kind: Config
        clusters:
        - name: andon
          cluster:
            server: %s
            certificate-authority-data: %s
        users:
        - name: andon
          user:
            client-certificate-data: %s
            client-key-data: %s
        contexts:
        - name: andon
          context: {cluster: andon, user: andon}
        current-context: andon
        """
            .formatted(
                server,
                base64(authorityPem),
                base64(identity.certificatePem()),
                base64(identity.keyPem())));
  }

  /** Readable by the owner only from the first byte on: it holds a key. */
  static void writePrivately(Path file, String text) throws IOException {
    Files.deleteIfExists(file);
    Files.createFile(
        file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(file, text, StandardOpenOption.WRITE);
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }
}
