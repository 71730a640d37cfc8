package dev.andon.cli.bench;

import io.fabric8.kubernetes.client.KubernetesClient;
import java.util.regex.Pattern;

/** How many writes the API server counted, by its own metrics: also those that were refused. */
final class ApiWrites {
  private static final Pattern WRITE =
      Pattern.compile(
          "^apiserver_request_total\\{.*group=\"andon\\.dev\".*verb=\"(POST|PUT|PATCH|APPLY|DELETE)\".*} (\\S+)$");

  private ApiWrites() {}

  /** To objects of ours, since the API server began. */
  static long count(KubernetesClient administrator) {
    return count(administrator.raw("/metrics"));
  }

  static long count(String metrics) {
    return metrics
        .lines()
        .map(WRITE::matcher)
        .filter(java.util.regex.Matcher::matches)
        .mapToLong(line -> (long) Double.parseDouble(line.group(2)))
        .sum();
  }
}
