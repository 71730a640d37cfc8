package dev.andon.devcluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CertificateAuthorityTest {
  private final CertificateAuthority authority = CertificateAuthority.create(Clock.systemUTC());

  @TempDir Path temporary;

  @Test
  void a_client_is_user_and_groups_with_an_rsa_key() throws Exception {
    CertificateAuthority.Identity jane =
        authority.client("system:serviceaccount:a:jane", List.of("first", "second"));

    jane.certificate().verify(authority.self().certificate().getPublicKey());
    assertThat(jane.certificate().getSubjectX500Principal().getName())
        .contains("CN=system:serviceaccount:a:jane", "O=first", "O=second");
    assertThat(jane.key().getAlgorithm()).isEqualTo("RSA");
    assertThat(jane.keyPem()).startsWith("-----BEGIN RSA PRIVATE KEY-----");
  }

  @Test
  void both_kinds_of_keys_come_back_from_disk() throws Exception {
    CertificateAuthority.Identity jane = authority.client("jane", List.of());

    authority.self().save(temporary, "ca");
    jane.save(temporary, "jane");

    assertThat(CertificateAuthority.Identity.load(temporary, "ca")).isEqualTo(authority.self());
    assertThat(CertificateAuthority.Identity.load(temporary, "jane")).isEqualTo(jane);
    assertThat(
            PosixFilePermissions.toString(
                Files.getPosixFilePermissions(temporary.resolve("jane.key"))))
        .isEqualTo("rw-------");
  }
}
