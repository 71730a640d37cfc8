package dev.andon.operator.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.server.mock.EnableKubernetesMockClient;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Base64;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

@EnableKubernetesMockClient(https = false)
class ClusterSecretsTest {
  private static final String PATH = "/api/v1/namespaces/andon-system/secrets/fleet";

  private KubernetesMockServer server;
  private KubernetesClient client;

  private final AtomicReference<Instant> now =
      new AtomicReference<>(Instant.parse("2026-11-22T10:00:00Z"));
  private final Clock clock =
      new Clock() {
        @Override
        public Instant instant() {
          return now.get();
        }

        @Override
        public ZoneOffset getZone() {
          return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
          return this;
        }
      };

  @Test
  void reads_a_key_of_the_operators_namespace() throws IOException {
    server.expect().get().withPath(PATH).andReturn(200, secret("s3cr3t")).once();
    var secrets = new ClusterSecrets(client, "andon-system", clock);

    assertThat(secrets.read("fleet", "token")).contains("s3cr3t");
    assertThat(secrets.read("fleet", "other")).isEmpty();
  }

  @Test
  void a_rotated_secret_is_used_after_ten_seconds() throws IOException {
    server.expect().get().withPath(PATH).andReturn(200, secret("old")).once();
    server.expect().get().withPath(PATH).andReturn(200, secret("new")).once();
    var secrets = new ClusterSecrets(client, "andon-system", clock);

    assertThat(secrets.read("fleet", "token")).contains("old");
    now.updateAndGet(time -> time.plusSeconds(9));
    assertThat(secrets.read("fleet", "token")).contains("old");
    now.updateAndGet(time -> time.plusSeconds(1));
    assertThat(secrets.read("fleet", "token")).contains("new");
  }

  @Test
  void a_secret_that_is_not_there_is_empty() throws IOException {
    assertThat(new ClusterSecrets(client, "andon-system", clock).read("fleet", "token")).isEmpty();
  }

  @Test
  void what_may_not_be_read_is_an_error_that_says_which() {
    server.expect().get().withPath(PATH).andReturn(403, "forbidden").always();

    assertThatThrownBy(
            () -> new ClusterSecrets(client, "andon-system", clock).read("fleet", "token"))
        .isInstanceOf(IOException.class)
        .hasMessage("secret fleet in namespace andon-system cannot be read (HTTP 403)");
  }

  @Test
  void what_is_no_base64_is_not_quoted() {
    Secret broken = secret("x");
    broken.getData().put("token", "s3cr3t!!!");
    server.expect().get().withPath(PATH).andReturn(200, broken).always();

    assertThatThrownBy(
            () -> new ClusterSecrets(client, "andon-system", clock).read("fleet", "token"))
        .isInstanceOf(IOException.class)
        .hasMessageNotContaining("s3cr3t")
        .hasNoCause();
  }

  private static Secret secret(String token) {
    return new SecretBuilder()
        .withNewMetadata()
        .withName("fleet")
        .withNamespace("andon-system")
        .endMetadata()
        .addToData(
            "token", Base64.getEncoder().encodeToString(token.getBytes(StandardCharsets.UTF_8)))
        .build();
  }
}
