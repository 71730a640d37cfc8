package dev.andon.chart;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A cluster in which something else has installed the CRDs and the namespace of the stop, and a
 * person has armed a type.
 */
@RealControlPlane
@Timeout(180)
class TakeOverIT {
  private final Tool helm;
  private final Tool kubectl;
  private String stop;

  TakeOverIT(ControlPlane plane) throws InterruptedException {
    this.helm = Tool.helm(plane);
    this.kubectl = Tool.kubectl(plane);
  }

  /** Of the tests before there may be CRDs and a namespace that were Helm's. */
  @BeforeEach
  void others() {
    kubectl.succeeds("apply", "--server-side", "--force-conflicts", "-f", Checkout.CRDS.toString());
    kubectl.run("", "create", "namespace", "andon-stop");
    onWhatStays(
        "annotate",
        "meta.helm.sh/release-name-",
        "meta.helm.sh/release-namespace-",
        "helm.sh/resource-policy-");
    onWhatStays("label", "app.kubernetes.io/managed-by-");
    kubectl.succeedsWith(ChartIT.ARMED, "create", "-f", "-");
    stop = stop();
  }

  /** And those after may find what is Helm's. */
  @AfterEach
  void helmsAgain() {
    helm.succeeds("uninstall", "andon", "-n", "andon-system", "--ignore-not-found");
    kubectl.run("", "-n", "andon-stop", "delete", "cm", "emergency-stop");
    onWhatStays(
        "annotate",
        "--overwrite",
        "meta.helm.sh/release-name=andon",
        "meta.helm.sh/release-namespace=andon-system",
        "helm.sh/resource-policy=keep");
    onWhatStays("label", "--overwrite", "app.kubernetes.io/managed-by=Helm");
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

  private void onWhatStays(String verb, String... arguments) {
    kubectl.succeeds(
        Stream.of(
                Stream.of(verb),
                Checkout.crds(Checkout.CRDS).keySet().stream()
                    .map(file -> "crd/" + file.replace(".yaml", "")),
                Stream.of("namespace/andon-stop"),
                Stream.of(arguments))
            .flatMap(s -> s)
            .toArray(String[]::new));
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
