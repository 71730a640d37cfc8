package dev.andon.operator.execution;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** A runner with a target, a gate and secrets, as a test needs them. */
final class Running implements AutoCloseable {
  final LoopbackServer target = new LoopbackServer();
  final FakeGate gate = new FakeGate();
  final Map<String, String> secrets = new ConcurrentHashMap<>();
  final AtomicInteger wakes = new AtomicInteger();
  final List<String> notices = new CopyOnWriteArrayList<>();
  final JumpingClock clock = new JumpingClock();

  /** Uids of workflows that have seen a stop. */
  final Set<String> latched = ConcurrentHashMap.newKeySet();

  final TimeInHand time = new TimeInHand();

  /** Each works on an attempt. */
  final List<Thread> threads = new CopyOnWriteArrayList<>();

  final ExecutionRunner runner;
  private final KubernetesClient client =
      new KubernetesClientBuilder()
          .withConfig(
              new ConfigBuilder(Config.empty())
                  .withMasterUrl("http://127.0.0.1:1")
                  .withRequestRetryBackoffLimit(0)
                  .build())
          .build();

  Running() {
    this.runner =
        new ExecutionRunner(
            gate,
            latched::contains,
            (name, key) -> {
              if (name.equals("unreadable")) {
                throw new IOException("secret unreadable cannot be read (HTTP 403)");
              }
              return Optional.ofNullable(secrets.get(name + "/" + key));
            },
            client,
            (namespace, workflow, uid) -> wakes.incrementAndGet(),
            (attempt, wait) -> notices.add(wait.why()),
            ExecutionRunner.JOB_CREATE_TIMEOUT,
            clock,
            time,
            this::thread);
  }

  private Thread thread(Runnable work) {
    Thread thread = Thread.ofVirtual().unstarted(work);
    threads.add(thread);
    return thread;
  }

  /** When nobody works on an attempt any more: what has not come of them by then never will. */
  void awaitIdle() throws InterruptedException {
    for (Thread thread : threads) {
      assertThat(thread.join(Duration.ofSeconds(60))).isTrue();
    }
  }

  Given attempt(String path) {
    return Given.url(target.url(path));
  }

  /** Begins, and waits for how it ends. */
  Outcome outcome(Given given) {
    runner.begin(given.attempt());
    return end(given.key());
  }

  /** Waits until the attempt has ended. */
  Outcome end(AttemptKey key) {
    return await("the end of " + key)
        .atMost(Duration.ofSeconds(60))
        .pollInterval(Duration.ofMillis(10))
        .until(
            () -> Optional.ofNullable(runner.outcomes(key.uid()).get(key)),
            found -> found.isPresent() && !(found.get() instanceof Outcome.Accepted))
        .orElseThrow();
  }

  /** Lets time pass, a second and another, until the attempt has ended. */
  Outcome endInTime(AttemptKey key) {
    await("the end of " + key)
        .pollInterval(Duration.ofMillis(10))
        .until(
            () -> {
              time.pass(Duration.ofSeconds(1));
              return now(key).filter(o -> !(o instanceof Outcome.Accepted)).isPresent();
            });
    return now(key).orElseThrow();
  }

  Optional<Outcome> now(AttemptKey key) {
    return Optional.ofNullable(runner.outcomes(key.uid()).get(key));
  }

  /**
   * Until so many answers are waited for, at most for this long each: from then on passing this
   * time ends the wait. A request may arrive before the wait for its answer begins.
   */
  void awaitWaits(int count, Duration atMost) {
    await()
        .pollInterval(Duration.ofMillis(5))
        .until(() -> time.waits().stream().filter(atMost::equals).count() >= count);
  }

  void awaitRequests(int count) {
    await()
        .atMost(Duration.ofSeconds(60))
        .pollInterval(Duration.ofMillis(5))
        .until(() -> target.requests().size() >= count);
  }

  @Override
  public void close() throws IOException {
    runner.close();
    target.close();
    client.close();
  }
}
