package dev.andon.operator.leadership;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.Resource;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Asks with a client of its own, so that nothing else's load delays a renewal. It stays the same
 * after an answer that did not come in time: over HTTP/1.1 the next request gets another
 * connection, and a new client would cost the time in which to renew.
 */
final class ApiLeases implements Leases {
  private final KubernetesClient client;
  private final String namespace;
  private final String name;

  /** {@code client}: must speak HTTP/1.1 and not repeat requests; is closed with this. */
  ApiLeases(KubernetesClient client, String namespace, String name) {
    this.client = client;
    this.namespace = namespace;
    this.name = name;
  }

  @Override
  public Answer read(Duration atMost) throws InterruptedException {
    return within(atMost, current -> current.leases().inNamespace(namespace).withName(name).get());
  }

  @Override
  public Answer create(Lease lease, Duration atMost) throws InterruptedException {
    // Not found is here the namespace, which is no answer about the lease.
    return switch (write(lease, Resource::create, atMost)) {
      case Answer.Missing _ -> new Answer.Failed("there is no namespace %s".formatted(namespace));
      case Answer answer -> answer;
    };
  }

  @Override
  public Answer replace(Lease lease, Duration atMost) throws InterruptedException {
    return write(lease, Resource::update, atMost);
  }

  private Answer write(Lease lease, Function<Resource<Lease>, Lease> how, Duration atMost)
      throws InterruptedException {
    return within(atMost, current -> how.apply(current.resource(lease)));
  }

  private Answer within(Duration atMost, Function<KubernetesClient, @Nullable Lease> request)
      throws InterruptedException {
    var answer = new CompletableFuture<Answer>();
    // No virtual one: those share a few threads of the system with all that decides and sends, and
    // would wait behind a burst of that.
    Thread asking =
        Thread.ofPlatform()
            .daemon()
            .name("andon-lease-request")
            .start(() -> answer.complete(answer(client, request)));
    try {
      return answer.get(Math.max(1, atMost.toMillis()), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      // A client waits for ever for a body that does not end.
      asking.interrupt();
      return new Answer.Failed("no answer within %d ms".formatted(atMost.toMillis()));
    } catch (ExecutionException e) {
      throw new IllegalStateException(e); // nobody completes it so
    }
  }

  private static Answer answer(
      KubernetesClient client, Function<KubernetesClient, @Nullable Lease> request) {
    try {
      Lease lease = request.apply(client);
      return lease == null ? new Answer.Missing() : new Answer.Is(lease);
    } catch (KubernetesClientException e) {
      return switch (e.getCode()) {
        case HttpURLConnection.HTTP_CONFLICT -> new Answer.Changed();
        case HttpURLConnection.HTTP_NOT_FOUND -> new Answer.Missing();
        default -> new Answer.Failed(String.valueOf(e.getMessage()));
      };
    } catch (RuntimeException e) {
      return new Answer.Failed(e.toString());
    }
  }

  @Override
  public void close() {
    // Closing can wait for what hangs.
    Thread.ofVirtual().start(client::close);
  }
}
