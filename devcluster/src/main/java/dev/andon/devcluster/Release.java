package dev.andon.devcluster;

import java.net.URI;
import org.jspecify.annotations.Nullable;

/**
 * A published file and how to hold it to what its publisher said.
 *
 * @param file what to download
 * @param checksums a text that names the hash of {@code file}
 * @param algorithm of {@link java.security.MessageDigest}
 * @param member path of the executable inside the archive, null if {@code file} is the executable
 */
record Release(URI file, URI checksums, String algorithm, @Nullable String member) {
  String fileName() {
    String path = file.getPath();
    return path.substring(path.lastIndexOf('/') + 1);
  }
}
