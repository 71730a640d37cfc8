package dev.andon.operator.execution;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * As much of a server of HTTP/2 (RFC 9113) as it takes to be nasty: it never answers a request, but
 * counts those that came in whole.
 */
final class RawHttp2 implements AutoCloseable {
  /** What is done about a request. */
  enum Manner {
    /** "I have not processed this": RST_STREAM with REFUSED_STREAM. */
    REFUSE_STREAM,
    /** "I have not processed any": GOAWAY with last stream 0, and the end of the connection. */
    GO_AWAY,
    /** The end of the connection, without a word. */
    DROP
  }

  private static final int PREFACE = 24;
  private static final int DATA = 0;
  private static final int RST_STREAM = 3;
  private static final int SETTINGS = 4;
  private static final int PING = 6;
  private static final int GO_AWAY = 7;
  private static final int ACK = 1;
  private static final int END_STREAM = 1;
  private static final int MAX_CONCURRENT_STREAMS = 3;
  private static final int REFUSED_STREAM = 7;

  private final ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
  private final AtomicInteger connections = new AtomicInteger();
  private final AtomicInteger requests = new AtomicInteger();
  private final AtomicInteger known = new AtomicInteger();
  private final CountDownLatch greet = new CountDownLatch(1);
  private final List<Socket> open = new CopyOnWriteArrayList<>();
  private final Manner manner;
  private final int maxStreams;

  RawHttp2(Manner manner, int maxStreams) throws IOException {
    this.manner = manner;
    this.maxStreams = maxStreams;
    Thread.ofVirtual().start(this::accept);
  }

  String target() {
    return "127.0.0.1:" + socket.getLocalPort();
  }

  int connections() {
    return connections.get();
  }

  /** Requests that came in to their end. */
  int requests() {
    return requests.get();
  }

  /** On how many connections the client has read who it is, and answered what came behind that. */
  int known() {
    return known.get();
  }

  /** Says who it is, which a client waits for before it sends anything. */
  RawHttp2 greet() {
    greet.countDown();
    return this;
  }

  private void accept() {
    while (!socket.isClosed()) {
      try {
        Socket connection = socket.accept();
        connections.incrementAndGet();
        open.add(connection);
        Thread.ofVirtual().start(() -> serve(connection));
      } catch (IOException e) {
        return;
      }
    }
  }

  private void serve(Socket connection) {
    try (connection) {
      var in = new DataInputStream(connection.getInputStream());
      OutputStream out = connection.getOutputStream();
      in.readNBytes(PREFACE);
      greet.await();
      write(
          out,
          SETTINGS,
          0,
          0,
          ByteBuffer.allocate(6).putShort((short) MAX_CONCURRENT_STREAMS).putInt(maxStreams));
      write(out, PING, 0, 0, ByteBuffer.allocate(8));
      while (true) {
        int length = in.readUnsignedShort() << 8 | in.readUnsignedByte();
        int type = in.readUnsignedByte();
        int flags = in.readUnsignedByte();
        int stream = in.readInt();
        byte[] payload = in.readNBytes(length);
        if (type == PING && (flags & ACK) != 0) {
          known.incrementAndGet();
        } else if ((type == SETTINGS || type == PING) && (flags & ACK) == 0) {
          write(
              out, type, ACK, 0, type == PING ? ByteBuffer.wrap(payload) : ByteBuffer.allocate(0));
        } else if (type == DATA && (flags & END_STREAM) != 0) {
          requests.incrementAndGet();
          switch (manner) {
            case REFUSE_STREAM ->
                write(out, RST_STREAM, 0, stream, ByteBuffer.allocate(4).putInt(REFUSED_STREAM));
            case GO_AWAY -> {
              write(out, GO_AWAY, 0, 0, ByteBuffer.allocate(8));
              return;
            }
            case DROP -> {
              return;
            }
          }
        }
      }
    } catch (IOException e) {
      // The client has gone.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void write(OutputStream out, int type, int flags, int stream, ByteBuffer payload)
      throws IOException {
    byte[] bytes = payload.array();
    out.write(
        ByteBuffer.allocate(9 + bytes.length)
            .put((byte) 0)
            .putShort((short) bytes.length)
            .put((byte) type)
            .put((byte) flags)
            .putInt(stream)
            .put(bytes)
            .array());
    out.flush();
  }

  @Override
  public void close() throws IOException {
    greet();
    socket.close();
    for (Socket connection : open) {
      connection.close();
    }
  }
}
