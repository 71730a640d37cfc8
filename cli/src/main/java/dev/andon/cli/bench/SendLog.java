package dev.andon.cli.bench;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The target of the bench's jobs, on a loopback port: answers 200 at once, and keeps when each send
 * arrived and under which key. As little HTTP as that takes, since it shares the cores with what is
 * measured.
 */
final class SendLog implements AutoCloseable {
  private static final byte[] OK =
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
  private static final int LONGEST_LINE = 16_384;

  private final ServerSocket server;
  private final InstantSource clock;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private final List<Send> sends = new ArrayList<>(); // guarded by itself
  private final Set<String> senders = new HashSet<>(); // guarded by sends

  /**
   * A request that arrived.
   *
   * @param arrived when its headers were read: at most a little after they came
   * @param key {@code uid/block/index/attempt}
   */
  record Send(Instant arrived, String key) {
    /** Of the workflow. */
    String uid() {
      int end = key.indexOf('/');
      return end < 0 ? key : key.substring(0, end);
    }
  }

  SendLog(InstantSource clock) throws IOException {
    this.clock = clock;
    server = new ServerSocket(0, 2_000, InetAddress.getLoopbackAddress());
    Thread.ofPlatform().daemon().name("bench-target").start(this::accept);
  }

  URI uri() {
    return URI.create("http://127.0.0.1:" + server.getLocalPort() + "/send");
  }

  /** All since the last {@link #clear}. */
  List<Send> sends() {
    synchronized (sends) {
      return List.copyOf(sends);
    }
  }

  /** How many. */
  int count() {
    synchronized (sends) {
      return sends.size();
    }
  }

  /** How many workflows sent. */
  int senders() {
    synchronized (sends) {
      return senders.size();
    }
  }

  void clear() {
    synchronized (sends) {
      sends.clear();
      senders.clear();
    }
  }

  private void accept() {
    try {
      while (true) {
        Socket socket = server.accept();
        open.add(socket);
        Thread.ofVirtual().start(() -> serve(socket));
      }
    } catch (IOException closed) {
      // The end of the bench.
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      socket.setTcpNoDelay(true);
      InputStream in = new BufferedInputStream(socket.getInputStream());
      OutputStream out = socket.getOutputStream();
      while (receive(in)) {
        out.write(OK);
        out.flush();
      }
    } catch (IOException left) {
      // The other side went.
    } finally {
      open.remove(socket);
    }
  }

  /** One request; false at the end of the connection. */
  private boolean receive(InputStream in) throws IOException {
    String request = line(in);
    if (request == null) {
      return false;
    }
    String key = "";
    int length = 0;
    for (String header = line(in); header != null && !header.isEmpty(); header = line(in)) {
      int colon = header.indexOf(':');
      String name = header.substring(0, Math.max(0, colon)).toLowerCase(Locale.ROOT);
      String value = header.substring(colon + 1).strip();
      if (name.equals("idempotency-key")) {
        key = value;
      } else if (name.equals("content-length")) {
        length = Integer.parseInt(value);
      }
    }
    Send send = new Send(clock.instant(), key);
    synchronized (sends) {
      sends.add(send);
      senders.add(send.uid());
    }
    in.skipNBytes(length);
    return true;
  }

  private static @org.jspecify.annotations.Nullable String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = in.read(); c != '\n'; c = in.read()) {
      if (c < 0) {
        if (line.isEmpty()) {
          return null;
        }
        throw new EOFException("within a line");
      }
      if (c != '\r') {
        line.append((char) c);
      }
      if (line.length() > LONGEST_LINE) {
        throw new IOException("a line without end");
      }
    }
    return line.toString();
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (Socket socket : open) {
      socket.close();
    }
  }
}
