package dev.andon.devcluster;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/** The end of a process's log, for messages: the cause of a failed start stands there. */
final class LogTail {
  /** Enough for twenty long lines, and bounded, as logs grow without end. */
  private static final int READ = 64 * 1024;

  private LogTail() {}

  static List<String> of(Path log, int lines) {
    try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "r")) {
      file.seek(Math.max(0, file.length() - READ));
      byte[] end = new byte[(int) Math.min(READ, file.length())];
      file.readFully(end);
      List<String> all = new String(end, StandardCharsets.UTF_8).lines().toList();
      return all.subList(Math.max(0, all.size() - lines), all.size());
    } catch (IOException e) {
      return List.of("(" + log + " cannot be read: " + e.getMessage() + ")");
    }
  }

  static String indented(Path log, int lines) {
    return of(log, lines).stream().collect(Collectors.joining("\n      ", "      ", ""));
  }
}
