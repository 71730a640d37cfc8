package dev.andon.operator.execution;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/**
 * A target on a loopback port that answers as a test says, wrongly too: it speaks on the bare
 * socket, so that it can drop, hang and talk nonsense. Keeps what reached it.
 */
final class LoopbackServer implements AutoCloseable {
  private final ServerSocket server;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private final List<Request> requests = new CopyOnWriteArrayList<>();
  private final AtomicInteger connections = new AtomicInteger();
  private final AtomicInteger givenUp = new AtomicInteger();
  private final Queue<Reply> script = new ConcurrentLinkedQueue<>();
  private volatile Function<Request, Reply> otherwise = request -> Reply.of(200);

  /** A request that arrived, whole. Header names in lower case. */
  record Request(String method, String target, Map<String, String> headers, String body) {
    String key() {
      return headers.getOrDefault("idempotency-key", "");
    }

    String line() {
      return method + " " + target;
    }
  }

  /** What is done about a request. */
  sealed interface Reply {
    record Answer(int status, Map<String, String> headers, String body) implements Reply {
      Answer header(String name, String value) {
        var with = new TreeMap<>(headers);
        with.put(name, value);
        return new Answer(status, with, body);
      }
    }

    /** Bytes as they are, then the connection is closed. */
    record Raw(String bytes) implements Reply {}

    /** Closes the connection without a word. */
    record Drop() implements Reply {}

    /** Never answers, and stays until the client goes. */
    record Hang() implements Reply {}

    static Answer of(int status) {
      return new Answer(status, Map.of(), "");
    }

    static Answer json(int status, String body) {
      return new Answer(status, Map.of("Content-Type", "application/json"), body);
    }

    static Answer text(int status, String body) {
      return new Answer(status, Map.of("Content-Type", "text/plain"), body);
    }
  }

  LoopbackServer() {
    try {
      server = new ServerSocket(0, 2_000, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread.ofVirtual().start(this::accept);
  }

  /** These first, in this order. */
  LoopbackServer then(Reply... replies) {
    script.addAll(List.of(replies));
    return this;
  }

  LoopbackServer always(Reply reply) {
    otherwise = request -> reply;
    return this;
  }

  LoopbackServer answering(Function<Request, Reply> answer) {
    otherwise = answer;
    return this;
  }

  /** The reply, when this has happened. */
  static Reply after(CountDownLatch event, Reply reply) {
    try {
      event.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return reply;
  }

  int port() {
    return server.getLocalPort();
  }

  String url(String path) {
    return "http://127.0.0.1:" + port() + path;
  }

  List<Request> requests() {
    return List.copyOf(requests);
  }

  List<Request> requests(String method) {
    return requests.stream().filter(request -> request.method().equals(method)).toList();
  }

  /**
   * How many requests that hang the client does not wait for any more: it closed the connection.
   */
  int givenUp() {
    return givenUp.get();
  }

  int connections() {
    return connections.get();
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (Socket socket : open) {
      socket.close();
    }
  }

  private void accept() {
    while (true) {
      try {
        Socket socket = server.accept();
        connections.incrementAndGet();
        open.add(socket);
        Thread.ofVirtual().start(() -> serve(socket));
      } catch (IOException e) {
        return;
      }
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      InputStream in = new BufferedInputStream(socket.getInputStream());
      while (answer(read(in), in, socket.getOutputStream())) {}
    } catch (IOException e) {
      // The client went away.
    } finally {
      open.remove(socket);
    }
  }

  private boolean answer(Request request, InputStream in, OutputStream out) throws IOException {
    requests.add(request);
    Reply scripted = script.poll();
    switch (scripted == null ? otherwise.apply(request) : scripted) {
      case Reply.Answer(int status, Map<String, String> headers, String body) -> {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        var head = new StringBuilder("HTTP/1.1 %d Said\r\n".formatted(status));
        headers.forEach(
            (name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
        head.append("Content-Length: ").append(bytes.length).append("\r\n\r\n");
        var whole = new ByteArrayOutputStream();
        whole.writeBytes(head.toString().getBytes(StandardCharsets.ISO_8859_1));
        if (!request.method().equals("HEAD")) {
          whole.writeBytes(bytes);
        }
        out.write(whole.toByteArray());
        out.flush();
        return true;
      }
      case Reply.Raw(String bytes) -> {
        out.write(bytes.getBytes(StandardCharsets.ISO_8859_1));
        out.flush();
        return false;
      }
      case Reply.Drop() -> {
        return false;
      }
      case Reply.Hang() -> {
        if (in.read() < 0) {
          givenUp.incrementAndGet();
        }
        return false;
      }
    }
  }

  private static Request read(InputStream in) throws IOException {
    String[] first = line(in).split(" ", 3);
    var headers = new TreeMap<String, String>();
    for (String line = line(in); !line.isEmpty(); line = line(in)) {
      int colon = line.indexOf(':');
      headers.put(
          line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).strip());
    }
    int length = Integer.parseInt(headers.getOrDefault("content-length", "0"));
    return new Request(
        first[0], first[1], headers, new String(in.readNBytes(length), StandardCharsets.UTF_8));
  }

  private static String line(InputStream in) throws IOException {
    var line = new ByteArrayOutputStream();
    for (int b = in.read(); b != '\n'; b = in.read()) {
      if (b < 0) {
        throw new EOFException();
      }
      if (b != '\r') {
        line.write(b);
      }
    }
    return line.toString(StandardCharsets.ISO_8859_1);
  }
}
