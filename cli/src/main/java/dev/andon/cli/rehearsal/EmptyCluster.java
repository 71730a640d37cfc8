package dev.andon.cli.rehearsal;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.andon.devcluster.LoopbackTls;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * As much of an API server as an operator needs to get ready and to run a workflow to its end. It
 * keeps what it is given and gives it back. It knows no schema, no rights, no versions, and its
 * watches tell of nothing: it is for what runs in the operator, and proves nothing about it.
 */
final class EmptyCluster implements AutoCloseable {
  /** {@code /apis/GROUP/VERSION/[namespaces/NAMESPACE/]PLURAL[/NAME[/SUBRESOURCE]]}. */
  private static final Pattern PATH =
      Pattern.compile(
          "/(?:api|apis/[^/]+)/[^/]+/(?:namespaces/(?<namespace>[^/]+)/)?(?<plural>[^/]+)"
              + "(?:/(?<name>[^/]+)(?:/[^/]+)?)?");

  /** RFC 6455, section 1.3. */
  private static final String ACCEPTED = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final LoopbackTls tls = LoopbackTls.create();
  private final ServerSocket socket;
  private final ExecutorService connections = Executors.newVirtualThreadPerTaskExecutor();
  private final AtomicLong versions = new AtomicLong(1);

  /** Objects by plural and name. Guarded by itself. */
  private final Map<String, ObjectNode> objects = new TreeMap<>();

  /** Serves from now on, on a free port of loopback. */
  EmptyCluster() throws IOException {
    socket =
        tls.context()
            .getServerSocketFactory()
            .createServerSocket(0, 50, InetAddress.getLoopbackAddress());
    connections.submit(this::accept);
  }

  void kubeconfig(Path file) throws IOException {
    tls.kubeconfig(file, socket.getLocalPort());
  }

  /** From now on there is one more object. */
  void add(String plural, String json) throws IOException {
    keep(plural, (ObjectNode) JSON.readTree(json));
  }

  /** What is kept of an object now. */
  JsonNode get(String plural, String name) {
    synchronized (objects) {
      ObjectNode object = objects.get(plural + "/" + name);
      return object == null ? JSON.missingNode() : object.deepCopy();
    }
  }

  private ObjectNode keep(String plural, ObjectNode object) {
    ObjectNode metadata = object.withObject("/metadata");
    String name = metadata.path("name").asText();
    synchronized (objects) {
      JsonNode before = get(plural, name).path("metadata");
      metadata.put("uid", before.path("uid").asText(UUID.randomUUID().toString()));
      metadata.put("generation", 1);
      metadata.put(
          "creationTimestamp",
          before.path("creationTimestamp").asText(Instant.now().toString().substring(0, 19) + "Z"));
      metadata.put("resourceVersion", Long.toString(versions.incrementAndGet()));
      objects.put(plural + "/" + name, object);
    }
    return object;
  }

  private void accept() {
    while (!socket.isClosed()) {
      try {
        Socket connection = socket.accept();
        connections.submit(() -> serve(connection));
      } catch (IOException closed) {
        return;
      }
    }
  }

  private record Request(
      String method, String path, Map<String, String> headers, ObjectNode body) {}

  private @Nullable Void serve(Socket connection) throws IOException {
    try (connection;
        InputStream in = new BufferedInputStream(connection.getInputStream());
        OutputStream out = connection.getOutputStream()) {
      for (Request request = read(in); request != null; request = read(in)) {
        String key = request.headers().get("sec-websocket-key");
        if (key != null) {
          out.write(
              ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      + "Sec-WebSocket-Accept: %s\r\n\r\n")
                  .formatted(accepted(key))
                  .getBytes(StandardCharsets.US_ASCII));
          out.flush();
          // A watch of a cluster in which nothing happens, until whoever watches has enough.
          in.transferTo(OutputStream.nullOutputStream());
          return null;
        }
        answer(request, out);
      }
    }
    return null;
  }

  private static String accepted(String key) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-1")
              .digest((key + ACCEPTED).getBytes(StandardCharsets.US_ASCII));
      return Base64.getEncoder().encodeToString(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every JVM has it
    }
  }

  private void answer(Request request, OutputStream out) throws IOException {
    Matcher path = PATH.matcher(request.path());
    ObjectNode answer = null;
    int status = 200;
    if (path.matches()) {
      String plural = path.group("plural");
      String name = path.group("name");
      answer =
          switch (request.method()) {
            case "GET" -> name == null ? list(plural) : found(plural, name);
            case "POST", "PUT" -> keep(plural, request.body());
            default -> found(plural, name);
          };
      status = request.method().equals("POST") ? 201 : 200;
      if (answer == null) {
        status = 404;
        answer = JSON.createObjectNode().put("kind", "Status").put("apiVersion", "v1");
        answer.put("status", "Failure").put("reason", "NotFound").put("code", status);
        answer.withObject("/details").put("name", name);
      }
    } else {
      answer = JSON.createObjectNode().put("kind", "APIResourceList");
      answer.withArray("/resources");
    }
    byte[] body = JSON.writeValueAsBytes(answer);
    out.write(
        "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            .formatted(status, body.length)
            .getBytes(StandardCharsets.US_ASCII));
    out.write(body);
    out.flush();
  }

  private @Nullable ObjectNode found(String plural, String name) {
    return get(plural, name) instanceof ObjectNode object ? object : null;
  }

  private ObjectNode list(String plural) {
    ObjectNode list = JSON.createObjectNode();
    list.withObject("/metadata").put("resourceVersion", Long.toString(versions.get()));
    var items = list.withArray("/items");
    synchronized (objects) {
      objects.forEach(
          (key, object) -> {
            if (key.startsWith(plural + "/")) {
              items.add(object.deepCopy());
            }
          });
    }
    return list;
  }

  /** The next request; null: there is none any more. */
  private static @Nullable Request read(InputStream in) throws IOException {
    String first = line(in);
    if (first.isEmpty()) {
      return null;
    }
    List<String> words = List.of(first.split(" ", 3));
    var headers = new HashMap<String, String>();
    for (String header = line(in); !header.isEmpty(); header = line(in)) {
      int colon = header.indexOf(':');
      headers.put(
          header.substring(0, colon).toLowerCase(Locale.ROOT), header.substring(colon + 1).strip());
    }
    byte[] body = in.readNBytes(Integer.parseInt(headers.getOrDefault("content-length", "0")));
    return new Request(
        words.get(0),
        words.get(1).split("\\?", 2)[0],
        headers,
        JSON.readTree(body) instanceof ObjectNode object ? object : JSON.createObjectNode());
  }

  private static String line(InputStream in) throws IOException {
    var line = new StringBuilder();
    for (int c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
      line.append((char) c);
    }
    return line.toString().stripTrailing();
  }

  @Override
  public void close() throws IOException {
    socket.close();
    connections.shutdownNow();
  }
}
