package dev.andon.operator.kubeconfig;

import dev.andon.operator.cluster.ClusterJson;
import io.fabric8.kubernetes.api.model.AuthInfo;
import io.fabric8.kubernetes.api.model.Cluster;
import io.fabric8.kubernetes.api.model.NamedAuthInfo;
import io.fabric8.kubernetes.api.model.NamedCluster;
import io.fabric8.kubernetes.api.model.NamedContext;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.OAuthTokenProvider;
import io.fabric8.kubernetes.client.internal.KubeConfigUtils;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Where the cluster is, and who we are there, by kubectl's rules: the files of {@code KUBECONFIG}
 * merged, else {@code ~/.kube/config}, else the account of the Pod we run in.
 */
public final class KubeConfig {
  /** Where the kubelet puts the account of a Pod: its token, the API server's CA, its namespace. */
  private static final Path ACCOUNT = Path.of("/var/run/secrets/kubernetes.io/serviceaccount");

  /**
   * For users without a token. While a provider is set fabric8 runs no plugin itself, and doesn't
   * read the kubeconfig again before every request, in search of a token that will never be there.
   */
  private static final OAuthTokenProvider NO_TOKEN = () -> null;

  private final Map<String, String> environment;
  private final Path home;
  private final Path account;
  private final Clock clock;

  KubeConfig(Map<String, String> environment, Path home, Path account, Clock clock) {
    this.environment = environment;
    this.home = home;
    this.account = account;
    this.clock = clock;
  }

  /**
   * What {@code kubectl} without flags would use.
   *
   * @throws KubeConfigException if there is nothing that can be used; it says why
   */
  public static Config load() {
    return ofThisProcess().load(null, null);
  }

  /**
   * What {@code kubectl --kubeconfig FILE --context NAME} would use.
   *
   * @param file null: as without the flag
   * @param context null: the current one
   * @throws KubeConfigException if there is nothing that can be used; it says why
   */
  public static Config of(@Nullable Path file, @Nullable String context) {
    return ofThisProcess().load(file, context);
  }

  private static KubeConfig ofThisProcess() {
    Map<String, String> environment = System.getenv();
    // As kubectl does: Java asks the user database, which may say something else.
    String home = environment.getOrDefault("HOME", System.getProperty("user.home"));
    return new KubeConfig(environment, Path.of(home), ACCOUNT, Clock.systemUTC());
  }

  Config load(@Nullable Path file, @Nullable String context) {
    List<Path> files = files(file);
    if (files.isEmpty()) {
      return ofThePod(context);
    }
    return ofFiles(files, context);
  }

  /** Those that exist, in order: the first that says something wins. */
  private List<Path> files(@Nullable Path given) {
    if (given != null) {
      if (!isThere(given)) {
        throw new KubeConfigException("--kubeconfig %s: no such file".formatted(given));
      }
      return List.of(given);
    }
    String variable = environment.getOrDefault("KUBECONFIG", "");
    if (variable.isBlank()) {
      return Stream.of(home.resolve(".kube").resolve("config"))
          .filter(KubeConfig::isThere)
          .toList();
    }
    List<Path> existing =
        Arrays.stream(variable.split(File.pathSeparator, -1))
            .filter(name -> !name.isBlank())
            .map(Path::of)
            .filter(KubeConfig::isThere)
            .toList();
    if (existing.isEmpty()) {
      throw new KubeConfigException(
          "KUBECONFIG=%s: no such file; name one, or unset it".formatted(variable));
    }
    return existing;
  }

  /** One that is there and cannot be read is an error, not a reason to act on another cluster. */
  private static boolean isThere(Path file) {
    return !Files.notExists(file);
  }

  private Config ofThePod(@Nullable String context) {
    String host = environment.getOrDefault("KUBERNETES_SERVICE_HOST", "");
    Path token = account.resolve("token");
    if (host.isBlank() || !Files.isReadable(token)) {
      throw new KubeConfigException(
          "no cluster to talk to: KUBECONFIG is not set, there is no %s, and this is no Pod; set"
                  .formatted(home.resolve(".kube").resolve("config"))
              + " KUBECONFIG, or start a cluster of your own: andon cluster up");
    }
    if (context != null) {
      throw new KubeConfigException(
          "--context %s: there is no kubeconfig; this is a Pod, which has one account"
              .formatted(context));
    }
    var config = Config.empty();
    config.setMasterUrl(
        "https://%s:%s"
            .formatted(
                host.contains(":") ? "[" + host + "]" : host,
                environment.getOrDefault("KUBERNETES_SERVICE_PORT", "443")));
    config.setCaCertFile(account.resolve("ca.crt").toString());
    config.setOauthTokenProvider(new TokenFile(token, clock));
    try {
      config.setNamespace(Files.readString(account.resolve("namespace")).strip());
    } catch (IOException e) {
      throw new KubeConfigException(
          "%s: cannot be read".formatted(account.resolve("namespace")), e);
    }
    new ProxyChoice(environment).apply(config, null);
    return config;
  }

  private Config ofFiles(List<Path> files, @Nullable String wanted) {
    var parsed =
        files.stream()
            .map(KubeConfig::parse)
            .toArray(io.fabric8.kubernetes.api.model.Config[]::new);
    NamedContext context = context(files, parsed, wanted);
    Cluster cluster =
        find(
                parsed,
                config ->
                    Objects.requireNonNullElse(config.getClusters(), List.<NamedCluster>of())
                        .stream()
                        .filter(named -> named.getName().equals(context.getContext().getCluster()))
                        .map(NamedCluster::getCluster))
            .map(Found::value)
            .filter(found -> found.getServer() != null)
            .orElseThrow(
                () ->
                    new KubeConfigException(
                        "%s: context %s: cluster \"%s\" is not there, or names no server"
                            .formatted(
                                names(files),
                                context.getName(),
                                context.getContext().getCluster())));

    requireScheme(cluster.getServer(), files, context.getName());
    var config = Config.empty();
    config.setOauthTokenProvider(NO_TOKEN);
    try {
      KubeConfigUtils.merge(config, context.getName(), parsed);
    } catch (KubernetesClientException e) {
      throw new KubeConfigException(names(files) + ": " + e.getMessage(), e);
    }
    new ProxyChoice(environment).apply(config, cluster.getProxyUrl());
    String token = config.getAutoOAuthToken();
    if (!isBlank(token)) {
      // Without a provider fabric8 looks into the file again, and then at its current context.
      config.setOauthTokenProvider(() -> token);
    } else if (!isBlank(config.getUsername()) || config.getAuthProvider() != null) {
      config.setOauthTokenProvider(null);
    }

    String userName = context.getContext().getUser();
    if (userName != null && !userName.isEmpty()) {
      Found<AuthInfo> user =
          find(
                  parsed,
                  file ->
                      Objects.requireNonNullElse(file.getUsers(), List.<NamedAuthInfo>of()).stream()
                          .filter(named -> named.getName().equals(userName))
                          .map(NamedAuthInfo::getUser))
              .orElseThrow(
                  () ->
                      new KubeConfigException(
                          "%s: context %s: user \"%s\" is not there"
                              .formatted(names(files), context.getName(), userName)));
      actAs(config, user.value(), files.get(user.position()), cluster);
    }
    useKey(config, names(files), context.getName());
    return config;
  }

  /**
   * fabric8 asks a server without one whether it speaks TLS, before it knows whom to trust, and
   * sends the token in clear to one that did not convince it.
   */
  private static void requireScheme(String server, List<Path> files, String context) {
    if (!server.startsWith("https://") && !server.startsWith("http://")) {
      throw new KubeConfigException(
          "%s: context %s: server \"%s\": has to begin with https:// or http://"
              .formatted(names(files), context, server));
    }
  }

  private NamedContext context(
      List<Path> files, io.fabric8.kubernetes.api.model.Config[] parsed, @Nullable String wanted) {
    String name =
        wanted != null
            ? wanted
            : Stream.of(parsed)
                .map(io.fabric8.kubernetes.api.model.Config::getCurrentContext)
                .filter(current -> current != null && !current.isBlank())
                .findFirst()
                .orElse(null);
    List<NamedContext> all =
        Stream.of(parsed)
            .map(io.fabric8.kubernetes.api.model.Config::getContexts)
            .filter(Objects::nonNull)
            .flatMap(List::stream)
            .filter(context -> context.getContext() != null)
            .toList();
    String there =
        all.isEmpty()
            ? "there is none"
            : "there are "
                + all.stream()
                    .map(NamedContext::getName)
                    .distinct()
                    .collect(Collectors.joining(", "));
    if (name == null) {
      throw new KubeConfigException(
          "%s: no current-context; choose one with kubectl config use-context, or --context; %s"
              .formatted(names(files), there));
    }
    return all.stream()
        .filter(context -> name.equals(context.getName()))
        .findFirst()
        .orElseThrow(
            () ->
                new KubeConfigException(
                    "%s: context \"%s\" is not there; %s".formatted(names(files), name, there)));
  }

  /** What fabric8 leaves out of a user, or does otherwise than kubectl. */
  private void actAs(Config config, AuthInfo user, Path file, Cluster cluster) {
    if (user.getTokenFile() != null && !user.getTokenFile().isBlank()) {
      Path tokenFile = file.toAbsolutePath().resolveSibling(user.getTokenFile());
      config.setOauthTokenProvider(new TokenFile(tokenFile, clock));
    } else if (user.getExec() != null && isBlank(user.getToken())) {
      var plugin =
          new ExecPlugin(
              user.getExec(),
              file,
              cluster,
              clock,
              System.console() != null && System.console().isTerminal());
      ExecPlugin.Credential credential = plugin.credential();
      if (credential.token() != null) {
        config.setOauthTokenProvider(plugin);
      }
      if (credential.certificate() != null && credential.key() != null) {
        config.setClientCertData(base64(credential.certificate()));
        config.setClientKeyData(base64(credential.key()));
      }
    }
    Map<String, List<String>> extra = Objects.requireNonNullElse(user.getAsUserExtra(), Map.of());
    if (!isBlank(user.getAsUid())) {
      throw new KubeConfigException(file + ": a user has as-uid, which is not supported");
    }
    if (!isBlank(user.getAs())) {
      config.setImpersonateUsername(user.getAs());
      config.setImpersonateExtras(extra);
      List<String> groups = Objects.requireNonNullElse(user.getAsGroups(), List.of());
      config.setImpersonateGroups(groups.toArray(String[]::new));
    } else if ((user.getAsGroups() != null && !user.getAsGroups().isEmpty()) || !extra.isEmpty()) {
      // Without a user fabric8 would leave them out too, and act with our own rights.
      throw new KubeConfigException(
          "%s: a user has %s and no as"
              .formatted(file, extra.isEmpty() ? "as-groups" : "as-user-extra"));
    }
  }

  private static void useKey(Config config, String files, String context) {
    String text;
    try {
      if (!isBlank(config.getClientKeyData())) {
        text =
            new String(
                Base64.getMimeDecoder().decode(config.getClientKeyData()), StandardCharsets.UTF_8);
      } else if (!isBlank(config.getClientKeyFile())) {
        text = Files.readString(Path.of(config.getClientKeyFile()));
      } else {
        return;
      }
    } catch (IOException e) {
      throw new KubeConfigException(
          "%s: context %s: client-key %s: cannot be read"
              .formatted(files, context, config.getClientKeyFile()),
          e);
    } catch (IllegalArgumentException e) {
      throw new KubeConfigException(
          "%s: context %s: client-key-data: no base64".formatted(files, context), e);
    }
    var key = ClientKey.read(text, "%s: context %s: client key".formatted(files, context));
    keepInMemoryAtOnce();
    config.setClientKeyAlgo(key.algorithm());
    config.setClientKeyData(key.base64());
  }

  /**
   * Every client keeps the key in a store in memory, encrypted under a password that anybody knows.
   * To derive a key from that one ten thousand times, twice for each client, is a third of the work
   * of a process that starts, and protects nothing. Only what this process would write is
   * concerned, and it writes no such store.
   */
  private static void keepInMemoryAtOnce() {
    String iterations = "keystore.pkcs12.keyPbeIterationCount";
    if (System.getProperty(iterations) == null) {
      System.setProperty(iterations, "1");
    }
  }

  /**
   * As {@link KubeConfigUtils#parseConfig} does, which would load every class of Kubernetes there
   * is for it. Where the file is it keeps with these names in each part, to find the files that a
   * part names, and to write a token that was renewed.
   */
  private static io.fabric8.kubernetes.api.model.Config parse(Path file) {
    File origin = file.toAbsolutePath().toFile();
    try (InputStream text = Files.newInputStream(file)) {
      io.fabric8.kubernetes.api.model.Config config =
          ClusterJson.complete().unmarshal(text, io.fabric8.kubernetes.api.model.Config.class);
      if (config == null) {
        return new io.fabric8.kubernetes.api.model.Config();
      }
      each(config.getContexts())
          .forEach(c -> c.setAdditionalProperty("KUBERNETES_CONFIG_CONTEXT_FILE_KEY", origin));
      each(config.getClusters())
          .forEach(c -> c.setAdditionalProperty("KUBERNETES_CONFIG_CLUSTER_FILE_KEY", origin));
      each(config.getUsers())
          .forEach(u -> u.setAdditionalProperty("KUBERNETES_CONFIG_AUTH_INFO_FILE_KEY", origin));
      return config;
    } catch (IOException | RuntimeException e) {
      throw new KubeConfigException(file + ": no kubeconfig that can be read", e);
    }
  }

  private static <T> Stream<T> each(@Nullable List<T> list) {
    return list == null ? Stream.empty() : list.stream();
  }

  private record Found<T>(T value, int position) {}

  private static <T> Optional<Found<T>> find(
      io.fabric8.kubernetes.api.model.Config[] parsed,
      Function<io.fabric8.kubernetes.api.model.Config, Stream<T>> inOne) {
    for (int position = 0; position < parsed.length; position++) {
      Optional<T> found = inOne.apply(parsed[position]).filter(Objects::nonNull).findFirst();
      if (found.isPresent()) {
        return Optional.of(new Found<>(found.get(), position));
      }
    }
    return Optional.empty();
  }

  private static String names(List<Path> files) {
    return files.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator));
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  private static boolean isBlank(@Nullable String text) {
    return text == null || text.isBlank();
  }
}
