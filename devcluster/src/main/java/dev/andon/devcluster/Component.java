package dev.andon.devcluster;

import java.time.Duration;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A program of the control plane, at the one version this project is tested with.
 *
 * <p>The versions are those of {@code devcluster/go.mod} and {@code devcluster/cmd/*}{@code
 * /go.mod}; a test holds the two together. etcd is the version that Kubernetes 1.36.3 itself pins.
 */
public enum Component {
  ETCD("etcd", Versions.ETCD, Duration.ofSeconds(85)),
  KUBE_APISERVER("kube-apiserver", Versions.KUBERNETES, Duration.ofSeconds(270)),
  KUBE_CONTROLLER_MANAGER("kube-controller-manager", Versions.KUBERNETES, Duration.ofSeconds(90)),
  KUBE_SCHEDULER("kube-scheduler", Versions.KUBERNETES, Duration.ofSeconds(20)),
  KUBECTL("kubectl", Versions.KUBERNETES, Duration.ofSeconds(35)),
  KWOK("kwok", Versions.KWOK, Duration.ofSeconds(90)),
  HELM("helm", Versions.HELM, Duration.ofSeconds(140));

  private final String binary;
  private final String version;
  private final Duration coldBuild;

  Component(String binary, String version, Duration coldBuild) {
    this.binary = binary;
    this.version = version;
    this.coldBuild = coldBuild;
  }

  /** Name of the executable file. */
  public String binary() {
    return binary;
  }

  /** Version without a leading v, for example {@code 1.36.3}. */
  public String version() {
    return version;
  }

  /**
   * How long {@code go build} took with an empty build cache on two cores: shown, never a limit.
   */
  Duration coldBuild() {
    return coldBuild;
  }

  boolean isKubernetes() {
    return version.equals(Versions.KUBERNETES);
  }

  /** Folder under {@code devcluster/} whose go.mod pins this component. */
  String goModule() {
    return switch (this) {
      case ETCD, KUBE_APISERVER, KUBE_CONTROLLER_MANAGER, KUBE_SCHEDULER, KUBECTL -> ".";
      case KWOK, HELM -> "cmd/" + binary;
    };
  }

  /** Package to build, seen from {@link #goModule()}. */
  String goPackage() {
    return goModule().equals(".") ? "./cmd/" + binary : ".";
  }

  /** Linker flags: small, and stamped, because an unstamped API server calls itself v0.0.0. */
  String ldflags() {
    Stream<String> stamps =
        switch (this) {
          case KUBE_APISERVER, KUBE_CONTROLLER_MANAGER, KUBE_SCHEDULER, KUBECTL ->
              Stream.of("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
                  .flatMap(
                      pkg ->
                          Stream.of(
                              pkg + ".gitVersion=v" + version,
                              pkg + ".gitMajor=" + version.split("\\.", -1)[0],
                              pkg + ".gitMinor=" + version.split("\\.", -1)[1],
                              pkg + ".gitTreeState=clean"));
          case KWOK -> Stream.of("sigs.k8s.io/kwok/pkg/consts.Version=v" + version);
          case HELM -> Stream.of("helm.sh/helm/v4/internal/version.version=v" + version);
          case ETCD -> Stream.of();
        };
    return Stream.concat(Stream.of("-s", "-w"), stamps.map(stamp -> "-X " + stamp))
        .collect(Collectors.joining(" "));
  }

  @Override
  public String toString() {
    return binary + " " + version;
  }

  private static final class Versions {
    static final String KUBERNETES = "1.36.3";
    static final String ETCD = "3.6.8";
    static final String KWOK = "0.8.0";
    static final String HELM = "4.2.4";
  }
}
