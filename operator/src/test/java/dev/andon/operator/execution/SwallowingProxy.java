package dev.andon.operator.execution;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Lets through what is sent to a port, until it is to swallow what comes by the connections there
 * are.
 */
final class SwallowingProxy implements AutoCloseable {
  private final ServerSocket door = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
  private final List<Connection> connections = new CopyOnWriteArrayList<>();

  private record Connection(Socket caller, Socket server, AtomicBoolean swallowed) {}

  SwallowingProxy(int to) throws IOException {
    Thread.ofVirtual().start(() -> accept(to));
  }

  int port() {
    return door.getLocalPort();
  }

  int connections() {
    return connections.size();
  }

  /** From now on, of the connections there are; they stay open. */
  void swallow() {
    connections.forEach(connection -> connection.swallowed().set(true));
  }

  private void accept(int to) {
    try {
      while (true) {
        Socket caller = door.accept();
        var connection =
            new Connection(
                caller, new Socket(InetAddress.getLoopbackAddress(), to), new AtomicBoolean());
        connections.add(connection);
        Thread.ofVirtual().start(() -> copy(caller, connection.server(), connection.swallowed()));
        Thread.ofVirtual().start(() -> copy(connection.server(), caller, connection.swallowed()));
      }
    } catch (IOException e) {
      // The door is closed.
    }
  }

  private static void copy(Socket from, Socket to, AtomicBoolean swallowed) {
    var bytes = new byte[8192];
    try (InputStream in = from.getInputStream();
        OutputStream out = to.getOutputStream()) {
      for (int n = in.read(bytes); n >= 0; n = in.read(bytes)) {
        if (!swallowed.get()) {
          out.write(bytes, 0, n);
        }
      }
    } catch (IOException e) {
      // One of them is closed.
    }
  }

  @Override
  public void close() throws IOException {
    door.close();
    for (Connection connection : connections) {
      connection.caller().close();
      connection.server().close();
    }
  }
}
