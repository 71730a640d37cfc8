package dev.andon.examples.fleet;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The append-only log: in memory, and in a file where one is given. A line is handed to the
 * operating system before {@link #append} returns, so it survives the death of this process (not
 * that of the machine). One process at a time may have the file.
 */
final class EraseLog implements AutoCloseable {
  private final List<LogEvent> events;
  private final @Nullable FileChannel file;
  private boolean torn;

  private EraseLog(List<LogEvent> events, @Nullable FileChannel file) {
    this.events = events;
    this.file = file;
  }

  /**
   * Opens the log and reads what it holds.
   *
   * @throws IOException when the file cannot be read, belongs to another process, or holds
   *     something that this class did not write
   */
  static EraseLog open(@Nullable Path path) throws IOException {
    if (path == null) {
      return new EraseLog(new ArrayList<>(), null);
    }
    var channel =
        FileChannel.open(
            path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      lock(path, channel);
      return new EraseLog(read(path, channel), channel);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private static void lock(Path path, FileChannel channel) throws IOException {
    boolean locked;
    try {
      locked = channel.tryLock() != null;
    } catch (OverlappingFileLockException inThisProcess) {
      locked = false;
    }
    if (!locked) {
      throw new IOException(
          "log %s: in use by another fleet; stop that one or give another file".formatted(path));
    }
  }

  private static List<LogEvent> read(Path path, FileChannel channel) throws IOException {
    var bytes = ByteBuffer.allocate(Math.toIntExact(channel.size()));
    while (bytes.hasRemaining() && channel.read(bytes) >= 0) {}
    // Bytes after the last line end are a write that a crash cut short. What it was to record was
    // neither begun nor answered, so it is dropped; left there, the next line would be glued to it.
    int complete = lastLineEnd(bytes) + 1;
    channel.truncate(complete);
    channel.position(complete);

    var mapper = new ObjectMapper();
    var events = new ArrayList<LogEvent>();
    var text = new String(bytes.array(), 0, complete, StandardCharsets.UTF_8);
    for (String line : text.lines().toList()) {
      long seq = events.size() + 1L;
      try {
        var event = LogEvent.parse(mapper, line);
        if (event.seq() != seq) {
          throw new IllegalArgumentException("seq: " + event.seq() + ": expected " + seq);
        }
        events.add(event);
      } catch (IllegalArgumentException e) {
        throw new IOException(
            "log %s, line %d: not a line of a fleet's log (%s); restore it or give another file"
                .formatted(path, seq, e.getMessage()),
            e);
      }
    }
    return events;
  }

  private static int lastLineEnd(ByteBuffer bytes) {
    int at = bytes.position() - 1;
    while (at >= 0 && bytes.get(at) != '\n') {
      at--;
    }
    return at;
  }

  /** The {@code seq} the next event has to carry. */
  synchronized long nextSeq() {
    return events.size() + 1L;
  }

  /**
   * Adds an event. After a failed write nothing more is written: the file may end in half a line.
   *
   * @throws UncheckedIOException when the file cannot be written; the event is then not in the log
   */
  synchronized void append(LogEvent event) {
    if (event.seq() != nextSeq()) {
      throw new IllegalArgumentException("seq: " + event.seq() + ": expected " + nextSeq());
    }
    if (file != null) {
      write(file, event);
    }
    events.add(event);
  }

  private void write(FileChannel channel, LogEvent event) {
    try {
      if (torn) {
        throw new IOException("an earlier write to the log failed; restart the fleet");
      }
      var bytes = ByteBuffer.wrap((event.line() + "\n").getBytes(StandardCharsets.UTF_8));
      torn = true;
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      torn = false;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  synchronized List<LogEvent> events() {
    return List.copyOf(events);
  }

  @Override
  public synchronized void close() throws IOException {
    if (file != null) {
      file.close();
    }
  }
}
