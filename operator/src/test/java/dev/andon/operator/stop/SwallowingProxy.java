package dev.andon.operator.stop;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Passes bytes on, until told to swallow what comes back on the connections there are. */
final class SwallowingProxy implements AutoCloseable {
  private final int target;
  private final ServerSocket server;
  private final Queue<Connection> connections = new ConcurrentLinkedQueue<>();

  SwallowingProxy(int target) throws IOException {
    this.target = target;
    this.server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    Thread.ofPlatform().daemon().start(this::accept);
  }

  int port() {
    return server.getLocalPort();
  }

  /** Connections stay alive and say nothing any more; new ones work. */
  void swallow() {
    connections.forEach(one -> one.swallowing = true);
  }

  private void accept() {
    try {
      while (true) {
        Connection connection =
            new Connection(server.accept(), new Socket(InetAddress.getLoopbackAddress(), target));
        connections.add(connection);
        Thread.ofPlatform().daemon().start(connection::toServer);
        Thread.ofPlatform().daemon().start(connection::toClient);
      }
    } catch (IOException e) {
      // Closed.
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (Connection connection : connections) {
      connection.client.close();
      connection.server.close();
    }
  }

  private static final class Connection {
    private final Socket client;
    private final Socket server;
    private volatile boolean swallowing;

    Connection(Socket client, Socket server) {
      this.client = client;
      this.server = server;
    }

    void toServer() {
      pass(client, server, false);
    }

    void toClient() {
      pass(server, client, true);
    }

    private void pass(Socket from, Socket to, boolean maySwallow) {
      try (from;
          to) {
        InputStream in = from.getInputStream();
        OutputStream out = to.getOutputStream();
        byte[] buffer = new byte[8192];
        for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
          if (!(maySwallow && swallowing)) {
            out.write(buffer, 0, read);
          }
        }
      } catch (IOException e) {
        // One side left.
      }
    }
  }
}
