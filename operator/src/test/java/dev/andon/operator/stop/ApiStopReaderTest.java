package dev.andon.operator.stop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.operator.stop.StopReader.Reading;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The gate's read against a loopback server that says whatever a broken world may say. */
@Timeout(120)
class ApiStopReaderTest {
  private static final String TYPE = "SatelliteDiskErase";
  private static final Duration DEADLINE = Duration.ofMillis(300);

  private static final String CONFIG_MAP =
      """
      {"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"emergency-stop",\
      "namespace":"andon-stop","uid":"uid-1","resourceVersion":"42",\
      "annotations":{"arming.andon.dev/SatelliteDiskErase":"a-7"},\
      "managedFields":[{"manager":"jane","time":"2026-11-22T08:00:00Z","fieldsType":"FieldsV1",\
      "fieldsV1":{"f:data":{".":{},"f:SatelliteDiskErase":{},"f:Other":{}}}}]},\
      "data":{"SatelliteDiskErase":"go","Other":"stop"}}""";

  private static final String NOT_FOUND =
      """
      {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",\
      "message":"configmaps \\"emergency-stop\\" not found","reason":"NotFound",\
      "details":{"name":"emergency-stop","kind":"configmaps"},"code":404}""";

  interface Script {
    void answer(OutputStream out) throws IOException;
  }

  private final Queue<List<String>> requests = new ConcurrentLinkedQueue<>();
  private final Queue<Socket> sockets = new ConcurrentLinkedQueue<>();
  private ServerSocket server;
  private volatile Script script = out -> {};
  private StopReader reader;

  @BeforeEach
  void listen() throws IOException {
    server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    Thread.ofPlatform().daemon().start(this::accept);
    reader = new ApiStopReader(StopClients.reading(config()), Duration.ofMinutes(1));
  }

  @AfterEach
  void close() throws IOException {
    reader.close();
    server.close();
    for (Socket socket : sockets) {
      socket.close();
    }
  }

  @Test
  void reads_the_configmap_without_a_resource_version_and_names_itself() throws Exception {
    script = json(200, CONFIG_MAP);

    EmergencyStop stop = seen(reader.read());

    assertThat(stop.view(TYPE)).isEqualTo(new StopView.Open("uid-1", "a-7", "42"));
    assertThat(stop.view("Other"))
        .isInstanceOfSatisfying(
            StopView.Stopped.class, s -> assertThat(s.by().manager()).isEqualTo("jane"));
    assertThat(requests.element().getFirst())
        .isEqualTo("GET /api/v1/namespaces/andon-stop/configmaps/emergency-stop HTTP/1.1");
    assertThat(requests.element())
        .anyMatch(h -> h.equalsIgnoreCase("User-Agent: andon-operator/gate"));
    assertThat(requests.element())
        .anyMatch(h -> h.equalsIgnoreCase("Authorization: Bearer secret"));
    // HTTP/1.1, and no attempt at anything else.
    assertThat(requests.element()).noneMatch(h -> h.toLowerCase(Locale.ROOT).startsWith("upgrade"));
  }

  @Test
  void reads_again_and_again_on_one_connection() throws Exception {
    script = json(200, CONFIG_MAP);
    for (int i = 0; i < 20; i++) {
      seen(reader.read());
    }

    assertThat(requests).hasSize(20);
    assertThat(sockets).hasSize(1);
  }

  @Test
  void a_status_that_names_the_configmap_says_that_it_is_missing() throws Exception {
    script = json(404, NOT_FOUND);

    assertThat(seen(reader.read()).isMissing()).isTrue();
  }

  static Stream<Arguments> every_other_answer_is_not_visible() {
    return Stream.of(
        Arguments.of(
            "a proxy's page as 404", http(404, "text/html", "<html>Not Found</html>"), "404"),
        Arguments.of("an empty 404", http(404, "text/plain", ""), "404"),
        Arguments.of(
            "a 404 of another object",
            json(404, NOT_FOUND.replace("\"name\":\"emergency-stop\"", "\"name\":\"other\"")),
            "not for the ConfigMap"),
        Arguments.of(
            "a 404 of the namespace",
            json(404, NOT_FOUND.replace("\"kind\":\"configmaps\"", "\"kind\":\"namespaces\"")),
            "not for the ConfigMap"),
        Arguments.of(
            "a 404 without details",
            json(404, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"reason\":\"NotFound\"}"),
            "not for the ConfigMap"),
        Arguments.of("401", json(401, "{\"message\":\"Unauthorized\"}"), "401: Unauthorized"),
        Arguments.of("403", json(403, "{\"message\":\"forbidden: no\"}"), "403: forbidden: no"),
        Arguments.of("410", json(410, "{}"), "410"),
        Arguments.of("429", json(429, "{\"message\":\"Too many\"}", "Retry-After: 1"), "429"),
        Arguments.of("500", json(500, "{\"message\":\"etcd\"}"), "500: etcd"),
        Arguments.of("503 of a proxy", http(503, "text/html", "<html/>"), "503"),
        Arguments.of(
            "a redirect to a place that says go",
            json(302, CONFIG_MAP, "Location: /elsewhere"),
            "302"),
        Arguments.of("200 with a page", http(200, "text/html", "<html>Welcome</html>"), "no JSON"),
        Arguments.of("200 with nothing", http(200, "application/json", ""), "200"),
        Arguments.of("200 with garbage", json(200, "{\"kind\":"), "no JSON"),
        Arguments.of("200 with more behind it", json(200, CONFIG_MAP + "{}"), "no JSON"),
        Arguments.of(
            "200 with the same key twice",
            json(200, CONFIG_MAP.replace("\"Other\":\"stop\"", "\"SatelliteDiskErase\":\"stop\"")),
            "no JSON"),
        Arguments.of("200 with null", json(200, "null"), "another object"),
        Arguments.of("200 with a list", json(200, "[" + CONFIG_MAP + "]"), "another object"),
        Arguments.of(
            "another kind",
            json(200, CONFIG_MAP.replace("\"ConfigMap\"", "\"Secret\"")),
            "another object"),
        Arguments.of(
            "another name",
            json(200, CONFIG_MAP.replace("\"name\":\"emergency-stop\"", "\"name\":\"other\"")),
            "another object"),
        Arguments.of(
            "another namespace",
            json(200, CONFIG_MAP.replace("\"andon-stop\"", "\"default\"")),
            "another object"),
        Arguments.of(
            "without a uid", json(200, CONFIG_MAP.replace("\"uid-1\"", "\"\"")), "another object"),
        Arguments.of(
            "data that is no map",
            json(200, CONFIG_MAP.replaceFirst("\"data\":\\{.*", "\"data\":7}")),
            "cannot be decoded"),
        Arguments.of(
            "half a body",
            (Script)
                out ->
                    write(
                        out,
                        "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\nConnection: close\r\n\r\n"
                            + CONFIG_MAP),
            "cannot be read"),
        Arguments.of(
            "a chunk cut off",
            (Script)
                out ->
                    write(
                        out,
                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                            + "10\r\n{\"kind\":"),
            "cannot be read"),
        Arguments.of(
            "no HTTP at all", (Script) out -> write(out, "SSH-2.0-x\r\n\r\n"), "cannot be read"),
        Arguments.of("a closed connection", (Script) out -> {}, "cannot be read"),
        Arguments.of(
            "a body without end",
            (Script)
                out -> {
                  write(out, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
                  String spaces = " ".repeat(1 << 16);
                  for (int i = 0; i < 1 << 12; i++) {
                    write(out, spaces);
                  }
                },
            ""));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void every_other_answer_is_not_visible(String name, Script answer, String why) throws Exception {
    script = answer;

    assertThat(failed(reader.read())).contains(why).hasSizeLessThanOrEqualTo(340);

    // Nothing is asked twice; only where a connection closes without a word the JDK's client asks a
    // GET once more (jdk.internal.net.http.MultiExchange), which leaves a read what it is.
    assertThat(requests).hasSizeLessThanOrEqualTo(name.equals("a closed connection") ? 2 : 1);
    script = json(200, CONFIG_MAP);
    seen(reader.read());
  }

  @Test
  void nobody_there_is_not_visible() throws Exception {
    server.close();

    assertThat(failed(reader.read())).contains("cannot be read");
  }

  static Stream<Arguments> the_deadline_is_over_the_whole_exchange() {
    return Stream.of(
        Arguments.of("no answer", (Script) out -> LockSupport.parkNanos(Long.MAX_VALUE)),
        Arguments.of(
            "headers that trickle",
            (Script)
                out -> {
                  write(out, "HTTP/1.1 200 OK\r\n");
                  for (int i = 0; ; i++) {
                    write(out, "X-%d: x\r\n".formatted(i));
                    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(40));
                  }
                }),
        Arguments.of(
            "headers at once, and a body that never comes",
            (Script)
                out -> {
                  write(out, "HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n");
                  LockSupport.parkNanos(Long.MAX_VALUE);
                }),
        Arguments.of(
            "a body that trickles",
            (Script)
                out -> {
                  write(out, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
                  while (true) {
                    write(out, " ");
                    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(40));
                  }
                }));
  }

  /**
   * Each of these servers would keep a read for ever, so a read that ends was ended by its
   * deadline. One that a busy machine did not get as far as the server is followed by another.
   */
  @ParameterizedTest(name = "{0}")
  @MethodSource
  void the_deadline_is_over_the_whole_exchange(String name, Script slow) throws Exception {
    reader.close();
    reader = new ApiStopReader(StopClients.reading(config()), DEADLINE);
    script = json(200, CONFIG_MAP);
    readUntilSeen(); // classes are loaded and the next read may hurry
    AtomicInteger reached = new AtomicInteger();
    script =
        out -> {
          reached.incrementAndGet();
          slow.answer(out);
        };
    do {
      long began = System.nanoTime();

      assertThat(failed(reader.read())).isEqualTo("no answer within 300 ms");

      assertThat(Duration.ofNanos(System.nanoTime() - began)).isGreaterThanOrEqualTo(DEADLINE);
    } while (reached.get() == 0);

    // The connection that was left is not used again: what comes late on it answers nothing.
    int left = sockets.size();
    script = json(200, CONFIG_MAP);
    readUntilSeen();
    assertThat(sockets).hasSizeGreaterThan(left);
  }

  /** With that deadline a busy machine may lose a read that is answered at once. */
  private void readUntilSeen() throws InterruptedException {
    Reading reading;
    do {
      reading = reader.read();
    } while (!(reading instanceof Reading.Seen));
  }

  /** The connection, and the client whose it was: else each read that is lost leaves one behind. */
  @Test
  void what_a_lost_read_leaves_behind_ends_by_itself() throws Exception {
    reader.close();
    reader = new ApiStopReader(StopClients.reading(config()), DEADLINE);
    Queue<Socket> leftBehind = new ConcurrentLinkedQueue<>();
    CompletableFuture<Integer> ended = new CompletableFuture<>();
    script =
        out -> {
          leftBehind.addAll(sockets);
          ended.complete(leftBehind.element().getInputStream().read());
        };
    do {
      assertThat(failed(reader.read())).isEqualTo("no answer within 300 ms");
    } while (leftBehind.isEmpty());

    assertThat(ended.get(1, TimeUnit.MINUTES)).as("nothing more comes").isEqualTo(-1);
  }

  @Test
  void a_read_that_is_interrupted_ends_long_before_its_deadline() throws Exception {
    reader.close();
    reader = new ApiStopReader(StopClients.reading(config()), Duration.ofHours(1));
    CountDownLatch reached = new CountDownLatch(1);
    script =
        out -> {
          reached.countDown();
          LockSupport.parkNanos(Long.MAX_VALUE);
        };
    CompletableFuture<String> ended = new CompletableFuture<>();
    Thread reading =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    ended.complete(reader.read().toString());
                  } catch (InterruptedException e) {
                    ended.complete("interrupted");
                  }
                });
    assertThat(reached.await(1, TimeUnit.MINUTES)).isTrue();

    reading.interrupt();

    assertThat(ended.get(1, TimeUnit.MINUTES)).isEqualTo("interrupted");
  }

  private Config config() {
    return new ConfigBuilder()
        .withAutoConfigure(false)
        .withMasterUrl(
            "http://%s:%d"
                .formatted(server.getInetAddress().getHostAddress(), server.getLocalPort()))
        .withOauthToken("secret")
        .build();
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket socket = server.accept();
        sockets.add(socket);
        Thread.ofPlatform().daemon().start(() -> serve(socket));
      } catch (IOException e) {
        return;
      }
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      BufferedReader in =
          new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
      while (true) {
        List<String> head = in.lines().takeWhile(line -> !line.isEmpty()).toList();
        if (head.isEmpty()) {
          return;
        }
        requests.add(head);
        Script now = script;
        now.answer(socket.getOutputStream());
        if (!(now instanceof Kept)) {
          return;
        }
      }
    } catch (IOException | java.io.UncheckedIOException e) {
      // The reader left.
    }
  }

  /** An answer after which the connection goes on. */
  private record Kept(String text) implements Script {
    @Override
    public void answer(OutputStream out) throws IOException {
      write(out, text);
    }
  }

  private static Script json(int code, String body, String... headers) {
    return http(code, "application/json", body, headers);
  }

  private static Script http(int code, String type, String body, String... headers) {
    return new Kept(
        "HTTP/1.1 %d X\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n%s"
            .formatted(
                code,
                type,
                body.getBytes(StandardCharsets.UTF_8).length,
                Stream.of(headers).map(h -> h + "\r\n").reduce("", String::concat),
                body));
  }

  private static void write(OutputStream out, String text) throws IOException {
    out.write(text.getBytes(StandardCharsets.UTF_8));
    out.flush();
  }

  private static EmergencyStop seen(Reading reading) {
    assertThat(reading).isInstanceOf(Reading.Seen.class);
    return ((Reading.Seen) reading).stop();
  }

  private static String failed(Reading reading) {
    assertThat(reading).isInstanceOf(Reading.Failed.class);
    return ((Reading.Failed) reading).why();
  }
}
