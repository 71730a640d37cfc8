package dev.andon.operator.kubeconfig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.internal.SSLUtils;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KubeConfigTest {
  @TempDir Path dir;
  private final TestClock clock = new TestClock();

  @ParameterizedTest
  @CsvSource({
    "RSA, 2048, pkcs8",
    "RSA, 2048, traditional",
    "EC, 256, pkcs8",
    "EC, 256, traditional",
    "EC, 384, pkcs8",
    "EC, 521, traditional"
  })
  void every_kind_of_client_key_is_taken_embedded_and_in_a_file(
      String algorithm, int size, String format) throws Exception {
    KeyPair keys = Pem.keys(algorithm, size);
    String key = format.equals("pkcs8") ? Pem.pkcs8(keys.getPrivate()) : Pem.traditional(keys);
    String certificate = Pem.certificate(keys);
    Files.writeString(dir.resolve("me.key"), key);
    Files.writeString(dir.resolve("me.crt"), certificate);

    Config embedded =
        load(
            user(
                "client-certificate-data: %s, client-key-data: %s"
                    .formatted(base64(certificate), base64(key))));
    Config inFiles = load(user("client-certificate: me.crt, client-key: me.key"));

    assertThat(embedded.getClientKeyAlgo()).isEqualTo(algorithm);
    assertThat(inFiles.getClientKeyAlgo()).isEqualTo(algorithm);
    assertThat(SSLUtils.keyManagers(embedded)).hasSize(1);
    assertThat(SSLUtils.keyManagers(inFiles)).hasSize(1);
    assertThat(SSLUtils.keyManagers(new ConfigBuilder(embedded).build()))
        .as("clients are made of copies")
        .hasSize(1);
  }

  @Test
  void curve_parameters_before_the_key_do_no_harm() throws Exception {
    KeyPair keys = Pem.keys("EC", 256);
    String key =
        "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
            + Pem.traditional(keys);
    Config config =
        load(
            user(
                "client-certificate-data: %s, client-key-data: %s"
                    .formatted(base64(Pem.certificate(keys)), base64(key))));
    assertThat(SSLUtils.keyManagers(config)).hasSize(1);
  }

  @Test
  void a_key_that_cannot_be_used_is_named() throws Exception {
    var keys = java.security.KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
    assertThatThrownBy(
            () ->
                load(
                    user(
                        "client-certificate-data: x, client-key-data: "
                            + base64(Pem.pkcs8(keys.getPrivate())))))
        .isInstanceOf(KubeConfigException.class)
        .hasMessage(
            dir.resolve("config")
                + ": context here: client key: neither an RSA nor an EC key; use a certificate with"
                + " one of these");
    assertThatThrownBy(() -> load(user("client-certificate-data: x, client-key-data: bm90IGE=")))
        .hasMessageContaining("holds no private key in PEM");
    assertThatThrownBy(() -> load(user("client-certificate: me.crt, client-key: gone.key")))
        .hasMessageContaining("client-key " + dir.resolve("gone.key") + ": cannot be read");
  }

  @Test
  void a_token_is_taken() throws Exception {
    Config config = load(user("token: abc"));
    assertThat(config.getMasterUrl()).isEqualTo("https://127.0.0.1:1/");
    assertThat(config.getAutoOAuthToken()).isEqualTo("abc");
    // Without, fabric8 would look into the file again, and take its current context's.
    assertThat(config.getOauthTokenProvider().getToken()).isEqualTo("abc");
  }

  @Test
  void a_token_file_is_read_again_when_it_was_renewed() throws Exception {
    Path file = Files.writeString(dir.resolve("token"), "first\n");
    var provider = load(user("tokenFile: token")).getOauthTokenProvider();
    assertThat(provider.getToken()).isEqualTo("first");

    Files.writeString(file, "second\n");
    clock.advance(Duration.ofSeconds(59));
    assertThat(provider.getToken()).isEqualTo("first");
    clock.advance(Duration.ofSeconds(1));
    assertThat(provider.getToken()).isEqualTo("second");

    Files.delete(file);
    clock.advance(Duration.ofMinutes(2));
    assertThat(provider.getToken()).as("the last one known").isEqualTo("second");
  }

  @Test
  void an_exec_plugin_gives_a_token_until_it_expires() throws Exception {
    plugin(
        """
        echo "logging in" >&2
        n=$(cat "$COUNTER" 2>/dev/null || echo 0); n=$((n + 1)); echo $n > "$COUNTER"
        printf '%s' "$KUBERNETES_EXEC_INFO" > "$COUNTER.info"
        cat <<END
        {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
         "status": {"token": "$1-$n", "expirationTimestamp": "2026-01-01T01:00:00Z"}}
        END
        """);
    Path counter = dir.resolve("counter");

    Config config = load(exec(", env: [{name: COUNTER, value: \"%s\"}]".formatted(counter)));

    var provider = config.getOauthTokenProvider();
    assertThat(provider.getToken()).isEqualTo("arg with space-1");
    clock.advance(Duration.ofMinutes(59));
    assertThat(provider.getToken()).isEqualTo("arg with space-1");
    clock.advance(Duration.ofSeconds(55));
    assertThat(provider.getToken()).as("shortly before it expires").isEqualTo("arg with space-2");
    assertThat(dir.resolve("counter.info"))
        .content()
        .contains("\"interactive\":false")
        .contains("\"server\":\"https://127.0.0.1:1\"");
  }

  @Test
  void an_exec_plugin_may_give_a_certificate_with_an_EC_key() throws Exception {
    KeyPair keys = Pem.keys("EC", 256);
    plugin(
        """
        cat <<END
        {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
         "status": {"clientCertificateData": "%s", "clientKeyData": "%s"}}
        END
        """
            .formatted(
                Pem.certificate(keys).replace("\n", "\\n"),
                Pem.pkcs8(keys.getPrivate()).replace("\n", "\\n")));
    Config config = load(exec(""));
    assertThat(config.getClientKeyAlgo()).isEqualTo("EC");
    assertThat(SSLUtils.keyManagers(config)).hasSize(1);
  }

  @Test
  void an_exec_plugin_that_fails_is_named_with_its_hint() throws Exception {
    plugin("exit 3");
    assertThatThrownBy(() -> load(exec("")))
        .isInstanceOf(KubeConfigException.class)
        .hasMessage(
            dir.resolve("config") + ": the credential plugin ./plugin ended with exit code 3");
    plugin("echo '{}'");
    assertThatThrownBy(() -> load(exec(""))).hasMessageContaining("answered with apiVersion \"\"");
    plugin("echo gibberish");
    assertThatThrownBy(() -> load(exec("")))
        .hasMessageContaining("answered with something that is no ExecCredential");
    Files.delete(dir.resolve("plugin"));
    assertThatThrownBy(() -> load(exec(", installHint: get it at the counter")))
        .hasMessageContaining("could not be run")
        .hasMessageEndingWith("get it at the counter");
  }

  @Test
  void who_is_impersonated_is_kept() throws Exception {
    Config config = load(user("token: abc, as: jane, as-groups: [responders]"));
    assertThat(config.getImpersonateUsername()).isEqualTo("jane");
    assertThat(config.getImpersonateGroups()).containsExactly("responders");
    assertThatThrownBy(() -> load(user("token: abc, as-groups: [responders]")))
        .hasMessageContaining("as-groups and no as");
    Config scoped = load(user("token: abc, as: jane, as-user-extra: {scopes: [view]}"));
    assertThat(scoped.getImpersonateExtras()).containsEntry("scopes", List.of("view"));
    assertThatThrownBy(() -> load(user("token: abc, as-user-extra: {scopes: [view]}")))
        .hasMessageContaining("as-user-extra and no as");
    assertThatThrownBy(() -> load(user("token: abc, as: jane, as-uid: u-1")))
        .hasMessageContaining("as-uid");
  }

  @Test
  void an_exec_plugin_that_fails_later_leaves_the_last_token_in_use() throws Exception {
    plugin(
        """
        [ ! -e "$OUT" ] || exit 1
        cat <<END
        {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
         "status": {"token": "t", "expirationTimestamp": "2026-01-01T01:00:00Z"}}
        END
        """);
    Path out = dir.resolve("out-of-order");
    var provider =
        load(exec(", env: [{name: OUT, value: \"%s\"}]".formatted(out))).getOauthTokenProvider();

    Files.createFile(out);
    clock.advance(Duration.ofMinutes(61));
    assertThat(provider.getToken()).isEqualTo("t");
    Files.delete(out);
    clock.advance(Duration.ofSeconds(5));
    assertThat(provider.getToken()).isEqualTo("t");
  }

  /** fabric8 would probe it for TLS before it knows whom to trust, and fall back to plain HTTP. */
  @Test
  void a_server_without_a_scheme_is_refused() {
    assertThatThrownBy(() -> load(user("token: abc").replace("https://127.0.0.1:1", "127.0.0.1:1")))
        .isInstanceOf(KubeConfigException.class)
        .hasMessageContaining("server \"127.0.0.1:1\": has to begin with https:// or http://");
  }

  @Test
  void a_proxy_is_chosen_as_kubectl_chooses_it() throws Exception {
    String away = user("token: abc").replace("127.0.0.1:1", "10.0.0.1:6443");
    write("config", away);
    var environment = Map.of("https_proxy", "proxy.example:3128", "NO_PROXY", "a.example, .b");

    Config config = config(environment).load(dir.resolve("config"), null);
    assertThat(config.getHttpsProxy()).isEqualTo("http://proxy.example:3128");
    assertThat(config.getNoProxy()).containsExactly("a.example", ".b");

    write("config", user("token: abc"));
    Config here = config(environment).load(dir.resolve("config"), null);
    assertThat(here.getHttpsProxy()).as("of this machine itself").isNull();

    write("config", away.replace("6443\"", "6443\", proxy-url: \"http://tunnel.example:1\""));
    Config tunnelled = config(environment).load(dir.resolve("config"), null);
    assertThat(tunnelled.getHttpsProxy()).isEqualTo("http://tunnel.example:1");
    assertThat(tunnelled.getNoProxy()).isEmpty();

    write("config", away.replace("6443\"", "6443\", proxy-url: \"socks5://tunnel.example:1\""));
    assertThatThrownBy(() -> config(environment).load(dir.resolve("config"), null))
        .isInstanceOf(KubeConfigException.class)
        .hasMessageContaining("proxy-url socks5://tunnel.example:1");
  }

  @Test
  void what_is_in_KUBECONFIG_and_cannot_be_read_is_not_passed_over() throws Exception {
    write("two", user("token: second"));
    Path folder = Files.createDirectory(dir.resolve("one"));
    String variable = folder + ":" + dir.resolve("two");

    assertThatThrownBy(() -> config(Map.of("KUBECONFIG", variable)).load(null, null))
        .isInstanceOf(KubeConfigException.class)
        .hasMessage(folder + ": no kubeconfig that can be read");
  }

  @Test
  void a_context_that_is_not_there_is_never_replaced_by_another() throws Exception {
    write("config", user("token: abc"));
    assertThatThrownBy(() -> config(Map.of()).load(dir.resolve("config"), "prod"))
        .isInstanceOf(KubeConfigException.class)
        .hasMessage(dir.resolve("config") + ": context \"prod\" is not there; there are here");
    assertThatThrownBy(() -> load(user("token: a").replace("current-context: here", "")))
        .hasMessageContaining("no current-context")
        .hasMessageEndingWith("there are here");
    assertThatThrownBy(() -> load(user("token: a").replace("user: me}", "user: you}")))
        .hasMessageContaining("user \"you\" is not there");
    assertThatThrownBy(() -> load(user("token: a").replace("cluster: c,", "cluster: d,")))
        .hasMessageContaining("cluster \"d\" is not there");
  }

  @Test
  void files_of_KUBECONFIG_are_merged_and_the_first_wins() throws Exception {
    write("one", user("token: first").replaceAll("(?s)clusters:.*?\n(?=users)", ""));
    write("two", user("token: second"));
    String variable = dir.resolve("gone") + ":" + dir.resolve("one") + ":" + dir.resolve("two");

    Config config = config(Map.of("KUBECONFIG", variable)).load(null, null);

    assertThat(config.getMasterUrl()).isEqualTo("https://127.0.0.1:1/");
    assertThat(config.getAutoOAuthToken()).isEqualTo("first");
  }

  @Test
  void without_KUBECONFIG_the_home_folder_is_looked_at() throws Exception {
    Files.createDirectory(dir.resolve(".kube"));
    write(".kube/config", user("token: mine"));
    assertThat(config(Map.of()).load(null, null).getAutoOAuthToken()).isEqualTo("mine");
  }

  /** Only where there is no kubeconfig, as with kubectl. */
  @Test
  void in_a_pod_its_account_is_used_and_its_token_read_again() throws Exception {
    Path account = Files.createDirectory(dir.resolve("account"));
    Files.writeString(account.resolve("token"), "first\n");
    Files.writeString(account.resolve("namespace"), "andon-system");
    var pod = Map.of("KUBERNETES_SERVICE_HOST", "fd00::1", "KUBERNETES_SERVICE_PORT", "6443");

    Config config = config(pod).load(null, null);

    assertThat(config.getMasterUrl()).isEqualTo("https://[fd00::1]:6443/");
    assertThat(config.getCaCertFile()).isEqualTo(account.resolve("ca.crt").toString());
    assertThat(config.getNamespace()).isEqualTo("andon-system");
    assertThat(config.isTrustCerts()).isFalse();
    assertThat(config.getOauthTokenProvider().getToken()).isEqualTo("first");
    Files.writeString(account.resolve("token"), "renewed");
    clock.advance(Duration.ofSeconds(61));
    assertThat(config.getOauthTokenProvider().getToken()).isEqualTo("renewed");
    assertThatThrownBy(() -> config(pod).load(null, "other"))
        .isInstanceOf(KubeConfigException.class)
        .hasMessageContaining("--context other");

    write("config", user("token: mine"));
    assertThat(config(pod).load(dir.resolve("config"), null).getAutoOAuthToken()).isEqualTo("mine");
  }

  @Test
  void where_there_is_nothing_the_way_out_is_named() {
    assertThatThrownBy(() -> config(Map.of()).load(null, null))
        .isInstanceOf(KubeConfigException.class)
        .hasMessage(
            "no cluster to talk to: KUBECONFIG is not set, there is no %s, and this is no Pod; set KUBECONFIG, or start a cluster of your own: andon cluster up"
                .formatted(dir.resolve(".kube/config")));
    assertThatThrownBy(() -> config(Map.of("KUBECONFIG", "/gone")).load(null, null))
        .hasMessage("KUBECONFIG=/gone: no such file; name one, or unset it");
  }

  @Test
  void what_is_no_kubeconfig_is_named() {
    assertThatThrownBy(() -> load("[1, 2"))
        .hasMessage(dir.resolve("config") + ": no kubeconfig that can be read");
  }

  private Config load(String kubeconfig) throws Exception {
    write("config", kubeconfig);
    return config(Map.of()).load(dir.resolve("config"), null);
  }

  private KubeConfig config(Map<String, String> environment) {
    return new KubeConfig(environment, dir, dir.resolve("account"), clock);
  }

  private void write(String name, String text) throws Exception {
    Files.writeString(dir.resolve(name), text);
  }

  private void plugin(String script) throws Exception {
    Path file = dir.resolve("plugin");
    Files.writeString(file, "#!/bin/sh\n" + script);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
  }

  private static String exec(String more) {
    return user(
        "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, args: [arg with"
            + " space], interactiveMode: Never, provideClusterInfo: true"
            + more
            + "}");
  }

  private static String user(String user) {
    return """
    apiVersion: v1
    kind: Config
    current-context: here
    contexts: [{name: here, context: {cluster: c, user: me}}]
    clusters:
    - {name: c, cluster: {server: "https://127.0.0.1:1"}}
    users:
    - {name: me, user: {%s}}
    """
        .formatted(user);
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  private static final class TestClock extends Clock {
    private Instant now = Instant.parse("2026-01-01T00:00:00Z");

    void advance(Duration duration) {
      now = now.plus(duration);
    }

    @Override
    public Instant instant() {
      return now;
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      throw new UnsupportedOperationException();
    }
  }
}
