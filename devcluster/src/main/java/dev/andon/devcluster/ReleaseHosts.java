package dev.andon.devcluster;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;

/**
 * Where the projects publish their binaries.
 *
 * <p>kwok is missing on purpose: it publishes no checksums, and what cannot be checked is not run.
 *
 * @param kubernetes https://kubernetes.io/releases/download/
 * @param etcd the release downloads of etcd
 * @param helm https://helm.sh/docs/intro/install/
 * @param envtest the archives of controller-tools for envtest: API servers for macOS too
 * @param envtestIndex the list of those archives with their hashes
 */
record ReleaseHosts(URI kubernetes, URI etcd, URI helm, URI envtest, URI envtestIndex) {
  static ReleaseHosts published() {
    return new ReleaseHosts(
        URI.create("https://dl.k8s.io/release/"),
        URI.create("https://github.com/etcd-io/etcd/releases/download/"),
        URI.create("https://get.helm.sh/"),
        URI.create("https://github.com/kubernetes-sigs/controller-tools/releases/download/"),
        URI.create(
            "https://raw.githubusercontent.com/kubernetes-sigs/controller-tools/HEAD/envtest-releases.yaml"));
  }

  /** Releases at exactly the pinned version, best first; empty if none may exist. */
  List<Release> releases(Component component, Platform platform) {
    List<Release> found = new ArrayList<>();
    switch (component) {
      case KUBE_APISERVER, KUBE_CONTROLLER_MANAGER, KUBE_SCHEDULER, KUBECTL -> {
        // Kubernetes publishes servers for Linux only.
        if (platform.isLinux() || component == Component.KUBECTL) {
          URI file =
              kubernetes.resolve(
                  "v%s/bin/%s/%s/%s"
                      .formatted(
                          component.version(), platform.os(), platform.arch(), component.binary()));
          found.add(new Release(file, URI.create(file + ".sha256"), "SHA-256", null));
        }
        if (component == Component.KUBE_APISERVER) {
          String version = "envtest-v" + component.version();
          found.add(
              new Release(
                  envtest.resolve("%s/%s-%s.tar.gz".formatted(version, version, platform)),
                  envtestIndex,
                  "SHA-512",
                  "controller-tools/envtest/kube-apiserver"));
        }
      }
      case ETCD -> {
        URI folder = etcd.resolve("v" + component.version() + "/");
        String name = "etcd-v%s-%s".formatted(component.version(), platform);
        found.add(
            new Release(
                folder.resolve(name + (platform.isLinux() ? ".tar.gz" : ".zip")),
                folder.resolve("SHA256SUMS"),
                "SHA-256",
                name + "/etcd"));
      }
      case HELM -> {
        URI file = helm.resolve("helm-v%s-%s.tar.gz".formatted(component.version(), platform));
        found.add(
            new Release(file, URI.create(file + ".sha256sum"), "SHA-256", platform + "/helm"));
      }
      case KWOK -> {}
    }
    return List.copyOf(found);
  }
}
