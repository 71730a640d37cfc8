package dev.andon.devcluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DownloadTest {
  private static final Platform LINUX = new Platform("linux", "amd64");
  private static final Platform MAC = new Platform("darwin", "arm64");
  private static final byte[] BINARY = "#!/bin/sh\n".getBytes(StandardCharsets.UTF_8);

  @TempDir Path temporary;
  private final Map<String, byte[]> files = new ConcurrentHashMap<>();
  private HttpServer server;
  private Path target;

  @BeforeEach
  void releaseHost() throws IOException {
    target = temporary.resolve("binary");
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          byte[] file = files.get(exchange.getRequestURI().getPath());
          exchange.sendResponseHeaders(file == null ? 404 : 200, file == null ? -1 : file.length);
          if (file != null) {
            exchange.getResponseBody().write(file);
          }
          exchange.close();
        });
    server.start();
  }

  @AfterEach
  void end() {
    server.stop(0);
  }

  @Test
  void kubernetes_is_one_file_with_its_hash_beside_it() throws Exception {
    publish("/k8s/v1.36.3/bin/linux/amd64/kube-apiserver", BINARY);
    publish("/k8s/v1.36.3/bin/linux/amd64/kube-apiserver.sha256", sha("SHA-256", BINARY));

    download(LINUX).fetch(Component.KUBE_APISERVER, target);

    assertThat(target).hasBinaryContent(BINARY);
  }

  @Test
  void etcd_for_linux_comes_out_of_a_tarball_listed_among_others() throws Exception {
    String name = "etcd-v3.6.8-linux-amd64";
    byte[] tarball = tarGz(name + "/etcd");
    publish("/etcd/v3.6.8/" + name + ".tar.gz", tarball);
    publish(
        "/etcd/v3.6.8/SHA256SUMS",
        "%s  etcd-v3.6.8-linux-arm64.tar.gz\n%s  %s.tar.gz\n"
            .formatted(sha("SHA-256", BINARY), sha("SHA-256", tarball), name));

    download(LINUX).fetch(Component.ETCD, target);

    assertThat(target).hasBinaryContent(BINARY);
  }

  @Test
  void etcd_for_macos_comes_out_of_a_zip() throws Exception {
    String name = "etcd-v3.6.8-darwin-arm64";
    byte[] zip = zip(name + "/etcd");
    publish("/etcd/v3.6.8/" + name + ".zip", zip);
    publish("/etcd/v3.6.8/SHA256SUMS", sha("SHA-256", zip) + "  " + name + ".zip\n");

    download(MAC).fetch(Component.ETCD, target);

    assertThat(target).hasBinaryContent(BINARY);
  }

  @Test
  void helm_comes_out_of_a_tarball() throws Exception {
    byte[] tarball = tarGz("linux-amd64/helm");
    publish("/helm/helm-v4.2.4-linux-amd64.tar.gz", tarball);
    publish(
        "/helm/helm-v4.2.4-linux-amd64.tar.gz.sha256sum",
        sha("SHA-256", tarball) + "  helm-v4.2.4-linux-amd64.tar.gz\n");

    download(LINUX).fetch(Component.HELM, target);

    assertThat(target).hasBinaryContent(BINARY);
  }

  @Test
  void api_server_for_macos_is_that_of_envtest() throws Exception {
    byte[] tarball = tarGz("controller-tools/envtest/kube-apiserver");
    publish("/envtest/envtest-v1.36.3/envtest-v1.36.3-darwin-arm64.tar.gz", tarball);
    publish(
        "/envtest-releases.yaml",
        """
        releases:
          v1.36.3:
            envtest-v1.36.3-darwin-amd64.tar.gz:
              hash: %s
              selfLink: https://example.com/envtest-v1.36.3-darwin-amd64.tar.gz
            envtest-v1.36.3-darwin-arm64.tar.gz:
              hash: %s
              selfLink: https://example.com/envtest-v1.36.3-darwin-arm64.tar.gz
        """
            .formatted(sha("SHA-512", BINARY), sha("SHA-512", tarball)));

    download(MAC).fetch(Component.KUBE_APISERVER, target);

    assertThat(target).hasBinaryContent(BINARY);
  }

  @Test
  void a_file_with_another_hash_is_refused_and_not_kept() throws Exception {
    publish("/k8s/v1.36.3/bin/linux/amd64/kubectl", "other".getBytes(StandardCharsets.UTF_8));
    publish("/k8s/v1.36.3/bin/linux/amd64/kubectl.sha256", sha("SHA-256", BINARY));

    assertThatThrownBy(() -> download(LINUX).fetch(Component.KUBECTL, target))
        .isInstanceOf(BinarySource.Unavailable.class)
        .hasMessageContaining("SHA-256")
        .hasMessageContaining("published is " + sha("SHA-256", BINARY));
    assertThat(temporary).isEmptyDirectory();
  }

  @Test
  void a_file_that_the_list_of_hashes_does_not_name_is_refused() throws Exception {
    publish("/etcd/v3.6.8/SHA256SUMS", sha("SHA-256", BINARY) + "  something-else\n");

    assertThatThrownBy(() -> download(LINUX).fetch(Component.ETCD, target))
        .hasMessageContaining("does not list etcd-v3.6.8-linux-amd64.tar.gz");
  }

  @Test
  void an_archive_without_the_binary_is_refused() throws Exception {
    byte[] tarball = tarGz("elsewhere/helm");
    publish("/helm/helm-v4.2.4-linux-amd64.tar.gz", tarball);
    publish("/helm/helm-v4.2.4-linux-amd64.tar.gz.sha256sum", sha("SHA-256", tarball));

    assertThatThrownBy(() -> download(LINUX).fetch(Component.HELM, target))
        .hasMessageContaining("linux-amd64/helm");
  }

  @Test
  void what_is_not_published_is_named() {
    assertThatThrownBy(() -> download(LINUX).fetch(Component.KUBE_APISERVER, target))
        .hasMessageContaining("kube-apiserver.sha256 answered 404")
        .hasMessageContaining("envtest-releases.yaml answered 404");
  }

  @Test
  void kwok_publishes_no_hashes_and_is_not_downloaded() {
    assertThatThrownBy(() -> download(LINUX).fetch(Component.KWOK, target))
        .hasMessageContaining("no release with a checksum");
  }

  @Test
  void a_host_that_refuses_is_given_up_at_once() {
    URI nobody = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");
    server.stop(0);

    assertThatThrownBy(
            () ->
                new Download(new ReleaseHosts(nobody, nobody, nobody, nobody, nobody), LINUX)
                    .fetch(Component.ETCD, target))
        .isInstanceOf(BinarySource.Unavailable.class)
        .hasMessageContaining("etcd-v3.6.8-linux-amd64.tar.gz: no connection");
  }

  @Test
  void published_hosts_are_complete_urls() {
    for (Component component : Component.values()) {
      for (Release release : ReleaseHosts.published().releases(component, LINUX)) {
        assertThatCode(() -> release.file().toURL()).doesNotThrowAnyException();
        assertThat(release.file()).hasScheme("https");
        assertThat(release.checksums()).hasScheme("https");
      }
    }
    assertThat(ReleaseHosts.published().releases(Component.KUBE_APISERVER, LINUX).getFirst().file())
        .hasToString("https://dl.k8s.io/release/v1.36.3/bin/linux/amd64/kube-apiserver");
  }

  private Download download(Platform platform) {
    URI root = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");
    return new Download(
        new ReleaseHosts(
            root.resolve("k8s/"),
            root.resolve("etcd/"),
            root.resolve("helm/"),
            root.resolve("envtest/"),
            root.resolve("envtest-releases.yaml")),
        platform);
  }

  private void publish(String path, byte[] content) {
    files.put(path, content);
  }

  private void publish(String path, String content) {
    publish(path, content.getBytes(StandardCharsets.UTF_8));
  }

  private static String sha(String algorithm, byte[] content) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(content));
  }

  private byte[] tarGz(String member) throws Exception {
    Path folder = Files.createTempDirectory("andon-download-test-");
    try {
      Path file = folder.resolve(member);
      Files.createDirectories(file.getParent());
      Files.write(file, BINARY);
      Path archive = folder.resolve("a.tar.gz");
      Process tar =
          new ProcessBuilder("tar", "-czf", archive.toString(), "-C", folder.toString(), member)
              .start();
      assertThat(tar.waitFor()).isZero();
      return Files.readAllBytes(archive);
    } finally {
      ControlPlane.deleteRecursively(folder);
    }
  }

  private static byte[] zip(String member) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      zip.putNextEntry(new ZipEntry(member));
      zip.write(BINARY);
    }
    return bytes.toByteArray();
  }
}
