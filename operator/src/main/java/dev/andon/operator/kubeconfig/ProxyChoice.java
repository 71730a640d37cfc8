package dev.andon.operator.kubeconfig;

import io.fabric8.kubernetes.client.Config;
import java.net.URI;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The proxy on the way to the API server, chosen as kubectl does: that of the kubeconfig's cluster,
 * else what {@code HTTPS_PROXY}, {@code HTTP_PROXY} and {@code NO_PROXY} say, in capitals or not,
 * which nothing on this machine itself is reached by (golang.org/x/net/http/httpproxy).
 */
final class ProxyChoice {
  private static final Set<String> HERE = Set.of("localhost", "::1", "[::1]");

  private final Map<String, String> environment;

  ProxyChoice(Map<String, String> environment) {
    this.environment = environment;
  }

  /**
   * @param given the cluster's own, for which there are no exceptions
   * @throws KubeConfigException if it is a kind of proxy that there is no way through
   */
  void apply(Config config, @Nullable String given) {
    config.setHttpProxy(null);
    config.setHttpsProxy(null);
    config.setNoProxy(new String[0]);
    if (given != null && !given.isBlank()) {
      use(config, usable("proxy-url", given));
    } else if (!isHere(config.getMasterUrl())) {
      boolean tls = config.getMasterUrl().startsWith("https:");
      String name = tls ? "HTTPS_PROXY" : "HTTP_PROXY";
      String proxy = said(name);
      if (!proxy.isEmpty()) {
        use(config, usable(name, proxy.contains("://") ? proxy : "http://" + proxy));
        config.setNoProxy(
            Arrays.stream(said("NO_PROXY").split("[,\\s]+", -1))
                .filter(one -> !one.isEmpty())
                .toArray(String[]::new));
      }
    }
  }

  private static void use(Config config, String proxy) {
    config.setHttpProxy(proxy);
    config.setHttpsProxy(proxy);
  }

  private static String usable(String name, String proxy) {
    if (!proxy.toLowerCase(Locale.ROOT).startsWith("http://")) {
      throw new KubeConfigException(
          "%s %s: only proxies that are spoken to as http:// can be gone through"
              .formatted(name, proxy));
    }
    return proxy;
  }

  private String said(String name) {
    return Stream.of(name, name.toLowerCase(Locale.ROOT))
        .map(n -> environment.getOrDefault(n, "").strip())
        .filter(value -> !value.isEmpty())
        .findFirst()
        .orElse("");
  }

  private static boolean isHere(String url) {
    String host = URI.create(url).getHost();
    return host != null && (HERE.contains(host) || host.startsWith("127."));
  }
}
