package dev.andon.operator.kubeconfig;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import io.fabric8.kubernetes.api.model.ServiceAccountBuilder;
import io.fabric8.kubernetes.api.model.authentication.SelfSubjectReview;
import io.fabric8.kubernetes.api.model.authentication.TokenRequestBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Base64;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** As the operator of the chart finds its cluster: from what the kubelet gives a Pod. */
@RealControlPlane
class PodAccountIT {
  @TempDir private Path home;
  @TempDir private Path account;

  @Test
  void in_a_pod_we_are_its_account(ControlPlane plane) throws Exception {
    // given
    Config admin = KubeConfig.of(plane.kubeconfig(), null);
    try (KubernetesClient client = new KubernetesClientBuilder().withConfig(admin).build()) {
      client
          .resource(
              new ServiceAccountBuilder()
                  .withNewMetadata()
                  .withName("in-a-pod")
                  .withNamespace("default")
                  .endMetadata()
                  .build())
          .create();
      var token =
          client
              .serviceAccounts()
              .inNamespace("default")
              .withName("in-a-pod")
              .tokenRequest(
                  new TokenRequestBuilder()
                      .withNewSpec()
                      .withExpirationSeconds(600L)
                      .endSpec()
                      .build());
      Files.writeString(account.resolve("token"), token.getStatus().getToken() + "\n");
    }
    Files.write(account.resolve("ca.crt"), Base64.getMimeDecoder().decode(admin.getCaCertData()));
    Files.writeString(account.resolve("namespace"), "default");
    URI server = URI.create(admin.getMasterUrl());

    // when
    Config config =
        new KubeConfig(
                Map.of(
                    "KUBERNETES_SERVICE_HOST",
                    server.getHost(),
                    "KUBERNETES_SERVICE_PORT",
                    Integer.toString(server.getPort())),
                home,
                account,
                Clock.systemUTC())
            .load(null, null);

    // then
    assertThat(config.getNamespace()).isEqualTo("default");
    try (KubernetesClient client = new KubernetesClientBuilder().withConfig(config).build()) {
      var review = new SelfSubjectReview();
      review.setMetadata(new io.fabric8.kubernetes.api.model.ObjectMeta());
      SelfSubjectReview me = client.resource(review).create();
      assertThat(me.getStatus().getUserInfo().getUsername())
          .isEqualTo("system:serviceaccount:default:in-a-pod");
    }
  }
}
