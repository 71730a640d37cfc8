package dev.andon.operator;

import dev.andon.operator.kubeconfig.KubeConfig;
import dev.andon.operator.leadership.Terms;
import io.fabric8.kubernetes.client.Config;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs the operator in the foreground, until it is told to end. */
public final class Main {
  private static final Logger LOG = LoggerFactory.getLogger(Main.class);
  private static final String NAMESPACE = "andon-system";

  /**
   * Closing takes a few seconds, each of its steps is bounded, and Kubernetes kills after 30 by
   * default. One that hung would keep the lease, and nothing would be decided.
   */
  private static final Duration LONGEST_END = Duration.ofSeconds(25);

  private Main() {}

  /**
   * @param args {@code --port N} (default 8080), {@code --leader-elect=false} where only one runs,
   *     {@code --lease-duration}, {@code --renew-deadline} and {@code --retry-period} as of {@link
   *     Terms#of}, {@code --admission-grace} (default 30s), {@code --job-create-timeout} (default
   *     65s); the namespace comes from ANDON_NAMESPACE
   */
  public static void main(String[] args) throws IOException, InterruptedException {
    String namespace =
        Optional.ofNullable(System.getenv("ANDON_NAMESPACE"))
            .filter(n -> !n.isBlank())
            .orElse(NAMESPACE);
    boolean leaderElect = !List.of(args).contains("--leader-elect=false");
    try {
      int port = Integer.parseInt(option(args, "--port", "8080"));
      var alone =
          new AndonOperator.Options(namespace, port)
              .waiting(
                  option(args, "--admission-grace", AndonOperator.Options.ADMISSION_GRACE),
                  option(args, "--job-create-timeout", AndonOperator.Options.JOB_CREATE_TIMEOUT));
      run(KubeConfig.load(), leaderElect ? alone.electing(terms(args)) : alone);
    } catch (Exception | Error e) {
      // What has begun already, the health server first, would keep the process alive, and well.
      LOG.error("cannot start", e);
      Runtime.getRuntime().halt(1);
    }
  }

  /**
   * Runs until the process is told to end; then ends in order, and the process with it: exit code
   * 0, not 143, since nothing has gone wrong.
   */
  public static void run(Config config, AndonOperator.Options options)
      throws IOException, InterruptedException {
    AndonOperator operator = AndonOperator.start(config, options);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  Thread.ofPlatform().daemon().name("end").start(Main::endAtTheLatest);
                  try {
                    operator.close();
                  } finally {
                    Runtime.getRuntime().halt(operator.failed() ? 1 : 0);
                  }
                },
                "shutdown"));
    new CountDownLatch(1).await();
  }

  private static void endAtTheLatest() {
    try {
      boolean _ = new CountDownLatch(1).await(LONGEST_END.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    LOG.error("not closed within {} s, and so it ends as it is", LONGEST_END.toSeconds());
    Runtime.getRuntime().halt(1);
  }

  private static Terms terms(String... args) {
    return Terms.of(
        option(args, "--lease-duration", Terms.LEASE_DURATION),
        option(args, "--renew-deadline", Terms.RENEW_DEADLINE),
        option(args, "--retry-period", Terms.RETRY_PERIOD));
  }

  /** Of {@code --name value} and {@code --name=value}. */
  private static String option(String[] args, String name, String otherwise) {
    for (int i = 0; i < args.length; i++) {
      if (args[i].startsWith(name + "=")) {
        return args[i].substring(name.length() + 1);
      }
      if (args[i].equals(name)) {
        return i + 1 < args.length ? args[i + 1] : "";
      }
    }
    return otherwise;
  }
}
