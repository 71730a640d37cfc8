package dev.andon.operator.kubeconfig;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.Cluster;
import io.fabric8.kubernetes.api.model.ExecConfig;
import io.fabric8.kubernetes.client.OAuthTokenProvider;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A program that hands out credentials (KEP-541, client-go credential plugins): {@code aws eks
 * get-token}, {@code gke-gcloud-auth-plugin}, {@code kubelogin}.
 *
 * <p>What it writes to stderr reaches the person and isn't taken for its answer.
 */
final class ExecPlugin implements OAuthTokenProvider {
  private static final ObjectMapper JSON =
      JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  /** So much before a credential expires another one is got. */
  private static final Duration MARGIN = Duration.ofSeconds(10);

  /** client-go keeps a credential without an end until it is refused, which we are not told. */
  private static final Duration GOOD_FOR = Duration.ofMinutes(1);

  private static final Duration TRY_AGAIN = Duration.ofSeconds(5);

  private static final Logger LOG = LoggerFactory.getLogger(ExecPlugin.class);

  /**
   * What the program answered.
   *
   * @param token null if it gave a certificate only
   * @param certificate PEM, with {@code key}
   * @param expires null: it doesn't say
   */
  record Credential(
      @Nullable String token,
      @Nullable String certificate,
      @Nullable String key,
      @Nullable Instant expires) {}

  private final ExecConfig exec;
  private final Path kubeconfig;
  private final Cluster cluster;
  private final Clock clock;
  private final boolean terminal;
  private @Nullable Credential last;
  private Instant renewAt = Instant.MIN;

  /**
   * @param kubeconfig the file that names the program: relative commands start in its folder
   * @param terminal whether a person can answer on stdin
   */
  ExecPlugin(ExecConfig exec, Path kubeconfig, Cluster cluster, Clock clock, boolean terminal) {
    this.exec = exec;
    this.kubeconfig = kubeconfig;
    this.cluster = cluster;
    this.clock = clock;
    this.terminal = terminal;
  }

  @Override
  public @Nullable String getToken() {
    return credential().token();
  }

  /**
   * The credential of the last run while it is good, else that of a new one; should that fail, the
   * last all the same.
   *
   * @throws KubeConfigException if the program never gave one
   */
  synchronized Credential credential() {
    Credential current = last;
    if (current == null || !clock.instant().isBefore(renewAt)) {
      try {
        current = run();
        renewAt =
            current.expires() == null
                ? clock.instant().plus(GOOD_FOR)
                : current.expires().minus(MARGIN);
      } catch (KubeConfigException e) {
        if (current == null) {
          throw e;
        }
        // A watch that got this for an answer would be given up for good.
        LOG.warn("{}; the last credential is used, and another asked for soon", e.getMessage());
        renewAt = clock.instant().plus(TRY_AGAIN);
      }
      last = current;
    }
    return current;
  }

  private Credential run() {
    boolean interactive = interactive();
    List<String> command = new ArrayList<>(List.of(program()));
    command.addAll(Objects.requireNonNullElse(exec.getArgs(), List.of()));
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .redirectInput(
                interactive
                    ? ProcessBuilder.Redirect.INHERIT
                    : ProcessBuilder.Redirect.from(new File("/dev/null")));
    if (exec.getEnv() != null) {
      exec.getEnv()
          .forEach(variable -> builder.environment().put(variable.getName(), variable.getValue()));
    }
    builder.environment().put("KUBERNETES_EXEC_INFO", info(interactive));
    try {
      Process process = builder.start();
      String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      int status = process.waitFor();
      if (status != 0) {
        throw problem("ended with exit code " + status, null);
      }
      return parse(answer);
    } catch (IOException e) {
      String hint = exec.getInstallHint();
      throw problem(
          "could not be run (%s)%s"
              .formatted(e.getMessage(), hint == null || hint.isBlank() ? "" : "; " + hint.strip()),
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw problem("was interrupted", e);
    }
  }

  private boolean interactive() {
    return switch (Objects.requireNonNullElse(exec.getInteractiveMode(), "IfAvailable")) {
      case "Never" -> false;
      case "Always" -> {
        if (!terminal) {
          throw problem("asks a person (interactiveMode: Always), and stdin is no terminal", null);
        }
        yield true;
      }
      default -> terminal;
    };
  }

  /** A command with a slash that isn't absolute is relative to the kubeconfig, not to us. */
  private String program() {
    String command = exec.getCommand();
    boolean relative = command.contains("/") && !command.startsWith("/");
    return relative
        ? kubeconfig.toAbsolutePath().resolveSibling(command).normalize().toString()
        : command;
  }

  private String info(boolean interactive) {
    ObjectNode info = JSON.createObjectNode();
    info.put("kind", "ExecCredential").put("apiVersion", exec.getApiVersion());
    ObjectNode spec = info.putObject("spec").put("interactive", interactive);
    if (Boolean.TRUE.equals(exec.getProvideClusterInfo())) {
      ObjectNode facts = spec.putObject("cluster").put("server", cluster.getServer());
      if (cluster.getTlsServerName() != null) {
        facts.put("tls-server-name", cluster.getTlsServerName());
      }
      if (Boolean.TRUE.equals(cluster.getInsecureSkipTlsVerify())) {
        facts.put("insecure-skip-tls-verify", true);
      }
      if (cluster.getCertificateAuthorityData() != null) {
        facts.put("certificate-authority-data", cluster.getCertificateAuthorityData());
      }
      if (cluster.getProxyUrl() != null) {
        facts.put("proxy-url", cluster.getProxyUrl());
      }
    }
    return info.toString();
  }

  private Credential parse(String answer) {
    try {
      JsonNode json = JSON.readTree(answer);
      String version = json.path("apiVersion").asText("");
      if (!version.equals(exec.getApiVersion())) {
        throw problem(
            "answered with apiVersion \"%s\"; %s is what the kubeconfig asks for"
                .formatted(version, exec.getApiVersion()),
            null);
      }
      JsonNode status = json.path("status");
      String token = text(status, "token");
      String certificate = text(status, "clientCertificateData");
      String key = text(status, "clientKeyData");
      if (token == null && (certificate == null || key == null)) {
        throw problem("answered without a token and without a certificate with its key", null);
      }
      String expires = text(status, "expirationTimestamp");
      return new Credential(
          token, certificate, key, expires == null ? null : Instant.parse(expires));
    } catch (JsonProcessingException | DateTimeException e) {
      throw problem("answered with something that is no ExecCredential", e);
    }
  }

  private static @Nullable String text(JsonNode status, String field) {
    String text = status.path(field).asText("");
    return text.isBlank() ? null : text;
  }

  private KubeConfigException problem(String what, @Nullable Throwable cause) {
    return new KubeConfigException(
        "%s: the credential plugin %s %s".formatted(kubeconfig, exec.getCommand(), what), cause);
  }
}
