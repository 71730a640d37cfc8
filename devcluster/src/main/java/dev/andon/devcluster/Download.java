package dev.andon.devcluster;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Downloads a component from where its project publishes it, and holds it to the published hash.
 */
final class Download implements BinarySource {
  /** Short, so that a machine without a network goes on to the next way at once. */
  private static final Duration CONNECT = Duration.ofSeconds(3);

  private static final Duration WHOLE_FILE = Duration.ofMinutes(10);

  private final ReleaseHosts hosts;
  private final Platform platform;

  Download(ReleaseHosts hosts, Platform platform) {
    this.hosts = hosts;
    this.platform = platform;
  }

  @Override
  public String doing() {
    return "downloading";
  }

  @Override
  public String name() {
    return "download";
  }

  @Override
  public void fetch(Component component, Path target) throws Unavailable, InterruptedException {
    List<Release> releases = hosts.releases(component, platform);
    if (releases.isEmpty()) {
      throw new Unavailable("no release with a checksum is published for " + platform);
    }
    List<String> reasons = new ArrayList<>();
    try (HttpClient client =
        HttpClient.newBuilder()
            .connectTimeout(CONNECT)
            .followRedirects(HttpClient.Redirect.NORMAL)
            .build()) {
      for (Release release : releases) {
        try {
          fetch(client, release, target);
          return;
        } catch (IOException e) {
          reasons.add(release.file() + ": " + reason(e));
        }
      }
    }
    throw new Unavailable(String.join("; ", reasons));
  }

  private static void fetch(HttpClient client, Release release, Path target)
      throws IOException, InterruptedException {
    // The hash first: it is small, and tells at once when the host cannot be reached.
    String published =
        publishedHash(get(client, release.checksums()), release)
            .orElseThrow(
                () ->
                    new IOException(release.checksums() + " does not list " + release.fileName()));
    Path file = target.resolveSibling(target.getFileName() + ".download.part");
    download(client, release.file(), file);
    String actual = hash(file, release.algorithm());
    if (!actual.equals(published)) {
      Files.delete(file);
      throw new IOException(
          "its %s is %s, published is %s".formatted(release.algorithm(), actual, published));
    }
    if (release.member() == null) {
      Files.move(file, target, StandardCopyOption.REPLACE_EXISTING);
    } else {
      extract(file, release.fileName(), release.member(), target);
      Files.delete(file);
    }
  }

  /**
   * Reads the three forms in use: the hash alone, {@code hash name} lines, and envtest's YAML with
   * {@code hash:} under the file's name.
   */
  static Optional<String> publishedHash(String text, Release release) {
    String hex = "[0-9a-fA-F]{" + (release.algorithm().equals("SHA-512") ? 128 : 64) + "}";
    String name = Pattern.quote(release.fileName());
    Matcher matcher =
        Pattern.compile(
                "\\A\\s*(?<alone>%s)\\s*\\z|(?m)^(?<line>%s)\\s+\\*?%s\\s*$|\\b%s:\\s+hash:\\s+(?<yaml>%s)\\b"
                    .formatted(hex, hex, name, name, hex))
            .matcher(text);
    return matcher.find()
        ? Stream.of("alone", "line", "yaml")
            .flatMap(group -> Optional.ofNullable(matcher.group(group)).stream())
            .map(hash -> hash.toLowerCase(Locale.ROOT))
            .findFirst()
        : Optional.empty();
  }

  private static String get(HttpClient client, URI uri) throws IOException, InterruptedException {
    HttpResponse<String> response =
        within(
            client.sendAsync(
                HttpRequest.newBuilder(uri).build(),
                HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8)));
    requireOk(uri, response.statusCode());
    return response.body();
  }

  private static void download(HttpClient client, URI uri, Path file)
      throws IOException, InterruptedException {
    HttpResponse<Path> response =
        within(
            client.sendAsync(
                HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofFile(file)));
    requireOk(uri, response.statusCode());
  }

  private static void requireOk(URI uri, int status) throws IOException {
    if (status != 200) {
      throw new IOException(uri + " answered " + status);
    }
  }

  /** A request's own timeout ends with the headers; a body that stalls has to end as well. */
  private static <T> T within(CompletableFuture<T> response)
      throws IOException, InterruptedException {
    try {
      return response.get(WHOLE_FILE.toSeconds(), TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      response.cancel(true);
      throw new IOException("not finished within " + WHOLE_FILE.toMinutes() + " min", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException io) {
        throw io;
      }
      throw new IOException(e.getCause());
    }
  }

  private static String hash(Path file, String algorithm) throws IOException {
    try (InputStream in = new FileInputStream(file.toFile())) {
      MessageDigest digest = MessageDigest.getInstance(algorithm);
      byte[] buffer = new byte[64 * 1024];
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        digest.update(buffer, 0, read);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void extract(Path archive, String archiveName, String member, Path target)
      throws IOException, InterruptedException {
    if (archiveName.endsWith(".zip")) {
      try (ZipFile zip = new ZipFile(archive.toFile())) {
        ZipEntry entry = zip.getEntry(member);
        if (entry == null) {
          throw new IOException("holds no " + member);
        }
        try (InputStream in = zip.getInputStream(entry)) {
          Files.copy(in, target, StandardCopyOption.REPLACE_EXISTING);
        }
      }
      return;
    }
    // tar is on every Linux and macOS; -O writes the one file, so no path of the archive is used.
    Process tar =
        new ProcessBuilder("tar", "-xzOf", archive.toString(), member)
            .redirectOutput(target.toFile())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    if (tar.waitFor() != 0) {
      throw new IOException("tar finds no " + member + " in it");
    }
  }

  private static String reason(IOException e) {
    if (e instanceof ConnectException) {
      return "no connection"; // the JDK's own message is empty
    }
    String message = e.getMessage();
    return message == null || message.isBlank() ? e.getClass().getSimpleName() : message;
  }
}
