package dev.andon.chart;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.Options;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A cluster in which something else has installed the CRDs and the namespace of the stop, and a
 * person has armed a type. An API server of its own for each: they differ in who owns what.
 */
@Timeout(180)
class TakeOverIT {
  private ControlPlane plane;
  private Tool helm;
  private Tool kubectl;
  private String stop;

  @BeforeEach
  void others() throws InterruptedException {
    plane = ControlPlane.start(Options.apiServerOnly());
    helm = Tool.helm(plane);
    kubectl = Tool.kubectl(plane);
    kubectl.succeeds("apply", "--server-side", "-f", Checkout.CRDS.toString());
    kubectl.succeeds("create", "namespace", "andon-stop");
    kubectl.succeeds(
        "-n", "andon-stop", "create", "cm", "emergency-stop", "--from-literal=Example=go");
    stop = stop();
  }

  @AfterEach
  void down() {
    plane.close();
  }

  @Test
  void what_others_installed_is_taken_over_only_when_asked() {
    assertThat(helm.fails(install())).contains("invalid ownership metadata");
    assertThat(owner()).isEmpty();

    helm.succeeds(install("--take-ownership", "--force-conflicts"));

    assertThat(owner()).isEqualTo("andon");
    assertThat(stop()).isEqualTo(stop);
    // And is kept from then on
    helm.succeeds("uninstall", "andon", "-n", "andon-system");
    assertThat(owner()).isEqualTo("andon");
    assertThat(stop()).isEqualTo(stop);
  }

  @Test
  void what_others_installed_can_be_left_to_them() {
    helm.succeeds(install("--set", "crds.install=false", "--set", "stopNamespace.create=false"));

    assertThat(owner()).isEmpty();
    assertThat(kubectl.succeeds("-n", "andon-system", "get", "deployments", "-o", "name"))
        .contains("andon-operator");
    helm.succeeds("uninstall", "andon", "-n", "andon-system");
    assertThat(owner()).isEmpty();
    assertThat(stop()).isEqualTo(stop);
  }

  private static String[] install(String... arguments) {
    return Stream.concat(
            Stream.of(
                "install",
                "andon",
                Checkout.CHART.toString(),
                "-n",
                "andon-system",
                "--create-namespace"),
            Stream.of(arguments))
        .toArray(String[]::new);
  }

  private String owner() {
    return kubectl.succeeds(
        "get",
        "crd",
        "workflows.andon.dev",
        "-o",
        "jsonpath={.metadata.annotations.meta\\.helm\\.sh/release-name}");
  }

  /** Changes with every write. */
  private String stop() {
    return kubectl.succeeds(
        "-n",
        "andon-stop",
        "get",
        "cm",
        "emergency-stop",
        "-o",
        "jsonpath={.metadata.uid} {.metadata.resourceVersion} {.data}");
  }
}
