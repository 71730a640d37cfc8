package dev.andon.devcluster;

import java.util.Locale;

/**
 * Operating system and processor in the words of Go and of the release hosts.
 *
 * @param os for example {@code linux} or {@code darwin}
 * @param arch for example {@code amd64} or {@code arm64}
 */
record Platform(String os, String arch) {
  static Platform current() {
    return of(System.getProperty("os.name", ""), System.getProperty("os.arch", ""));
  }

  static Platform of(String javaOs, String javaArch) {
    String os = javaOs.toLowerCase(Locale.ROOT);
    String arch = javaArch.toLowerCase(Locale.ROOT);
    return new Platform(
        os.startsWith("mac") ? "darwin" : os.startsWith("windows") ? "windows" : os,
        switch (arch) {
          case "x86_64", "amd64" -> "amd64";
          case "aarch64", "arm64" -> "arm64";
          default -> arch;
        });
  }

  boolean isLinux() {
    return os.equals("linux");
  }

  /** For example {@code linux-amd64}, as in the names of release files. */
  @Override
  public String toString() {
    return os + "-" + arch;
  }
}
