package dev.andon.cli;

import dev.andon.operator.kubeconfig.KubeConfig;
import io.fabric8.kubernetes.client.Config;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which cluster a verb acts on: the options that kubectl has, under their names. */
public final class Target {
  /** A person waits: half a second of trying again is enough. */
  private static final int RETRIES = 2;

  @Option(
      names = "--kubeconfig",
      paramLabel = "FILE",
      description = "The kubeconfig to use (default: KUBECONFIG, else ~/.kube/config).")
  private @Nullable Path kubeconfig;

  @Option(
      names = "--context",
      paramLabel = "NAME",
      description = "The context in it (default: the current one).")
  private @Nullable String context;

  /**
   * For requests that a person waits for.
   *
   * @throws dev.andon.operator.kubeconfig.KubeConfigException if there is no way to a cluster
   */
  public Config forPeople() {
    return forPeople(kubeconfig, context);
  }

  public static Config forPeople(@Nullable Path kubeconfig, @Nullable String context) {
    Config config = forOperator(kubeconfig, context);
    config.setRequestRetryBackoffLimit(RETRIES);
    return config;
  }

  /** What was asked for, else the context's, else {@code default}. */
  public static String namespace(@Nullable String asked, Config config) {
    return asked != null ? asked : Objects.requireNonNullElse(config.getNamespace(), "default");
  }

  public Config forOperator() {
    return forOperator(kubeconfig, context);
  }

  private static Config forOperator(@Nullable Path kubeconfig, @Nullable String context) {
    return KubeConfig.of(kubeconfig, context);
  }
}
