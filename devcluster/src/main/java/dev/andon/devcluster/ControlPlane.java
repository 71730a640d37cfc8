package dev.andon.devcluster;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.StandardProtocolFamily;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A real Kubernetes control plane on loopback, with RBAC on, that lives as long as this object.
 *
 * <p>Several may run at once, in one JVM or in many: each has its own folder, its own free port,
 * and reaches its etcd over a Unix socket. {@link #close} ends exactly the processes that this
 * object started; so does the end of the JVM, even by SIGKILL.
 *
 * <pre>{@code
 * try (ControlPlane plane = ControlPlane.start(Options.apiServerOnly().withControllers())) {
 *   run("kubectl", "--kubeconfig", plane.kubeconfig().toString(), "get", "namespaces");
 * }
 * }</pre>
 *
 * <p>Safe for use by several threads. Methods that wait throw {@link IllegalStateException} with
 * the last lines of the log if the process in question ends or isn't ready in time.
 */
public final class ControlPlane implements AutoCloseable {
  private static final Duration READY = Duration.ofSeconds(60);
  private static final Duration POLL = Duration.ofMillis(50);
  private static final int PORTS_TRIED = 5;
  private static final int LOG_LINES = 20;

  /**
   * Below the ephemeral ports of Linux and macOS, so that no outgoing connection can take the port
   * while the API server restarts, and below the node ports of Kubernetes.
   */
  private static final int LOWEST_PORT = 20_000;

  private static final int HIGHEST_PORT = 29_999;

  /** {@code sun_path} holds 104 bytes on macOS, 108 on Linux. */
  private static final int LONGEST_SOCKET = 103;

  private static final String SERVICES = "10.96.0.0/16";
  private static final String KUBERNETES_SERVICE = "10.96.0.1";
  private static final List<String> FAKE_NODES = List.of("fake-1", "fake-2");
  private static final SecureRandom RANDOM = new SecureRandom();

  /**
   * What another JVM needs to know of a plane.
   *
   * @param dir its folder
   * @param port of the API server
   * @param apiServerFlags as in {@link Options}
   * @param daemons its processes
   */
  record Facts(Path dir, int port, List<String> apiServerFlags, List<Daemon> daemons) {}

  private final Path dir;
  private final boolean deleteDir;
  private final List<String> apiServerFlags;
  private final Binaries binaries;
  private final CertificateAuthority authority;
  private final CertificateAuthority.Identity administrator;
  private final Map<Component, Daemon> daemons = new EnumMap<>(Component.class);
  private int port;
  private @Nullable ApiServerClient client;
  private @Nullable Watchdog watchdog;
  private @Nullable Thread shutdownHook;
  private boolean closed;

  private ControlPlane(
      Path dir,
      boolean deleteDir,
      List<String> apiServerFlags,
      Binaries binaries,
      CertificateAuthority authority,
      CertificateAuthority.Identity administrator) {
    this.dir = dir;
    this.deleteDir = deleteDir;
    this.apiServerFlags = apiServerFlags;
    this.binaries = binaries;
    this.authority = authority;
    this.administrator = administrator;
  }

  /**
   * Starts a control plane and returns when it is ready, in about four seconds once the binaries
   * are there.
   *
   * @throws BinaryUnavailableException if a binary can neither be found nor made
   */
  public static ControlPlane start(Options options) throws InterruptedException {
    return start(options, Binaries.ofThisMachine());
  }

  public static ControlPlane start(Options options, Binaries binaries) throws InterruptedException {
    binaries.resolve(options.components());
    ControlPlane plane = null;
    try {
      plane = prepare(options, binaries);
      plane.endWithThisJvm();
      plane.startEtcd();
      plane.startApiServerOnFreePort();
      plane.writeAdministratorKubeconfig();
      plane.ensure(options);
      ControlPlane started = plane;
      plane = null;
      return started;
    } catch (IOException e) {
      throw new UncheckedIOException("the control plane could not be started", e);
    } finally {
      if (plane != null) {
        plane.close();
      }
    }
  }

  /** A running plane that another JVM started. */
  static ControlPlane attach(Facts facts, Binaries binaries) throws IOException {
    Path pki = facts.dir().resolve("pki");
    ControlPlane plane =
        new ControlPlane(
            facts.dir(),
            false,
            facts.apiServerFlags(),
            binaries,
            new CertificateAuthority(
                CertificateAuthority.Identity.load(pki, "ca"), Clock.systemUTC()),
            CertificateAuthority.Identity.load(pki, "administrator"));
    plane.port = facts.port();
    for (Daemon daemon : facts.daemons()) {
      plane.daemons.put(componentOf(daemon), daemon);
    }
    return plane;
  }

  private static ControlPlane prepare(Options options, Binaries binaries) throws IOException {
    Path dir =
        options.dir() == null
            ? Files.createTempDirectory("andon-")
            : emptyFolder(options.dir().toAbsolutePath());
    if (dir.resolve("etcd.sock").toString().length() > LONGEST_SOCKET) {
      throw new IOException(
          "%s is too long for a Unix socket (%d characters); choose a shorter folder"
              .formatted(dir, LONGEST_SOCKET - "/etcd.sock".length()));
    }
    for (String folder : List.of("pki", "pids", "logs", "users")) {
      Files.createDirectory(dir.resolve(folder));
    }
    Path pki = dir.resolve("pki");
    CertificateAuthority authority = CertificateAuthority.create(Clock.systemUTC());
    authority.self().save(pki, "ca");
    authority.server(KUBERNETES_SERVICE).save(pki, "apiserver");
    CertificateAuthority.Identity administrator =
        authority.client("kubernetes-admin", List.of("system:masters"));
    administrator.save(pki, "administrator");
    KeyPair serviceAccounts = CertificateAuthority.ecKeys();
    Kubeconfig.writePrivately(
        pki.resolve("service-accounts.key"),
        CertificateAuthority.pem(serviceAccounts.getPrivate()));
    Files.writeString(
        pki.resolve("service-accounts.pub"), CertificateAuthority.pem(serviceAccounts.getPublic()));
    return new ControlPlane(
        dir, options.dir() == null, options.apiServerFlags(), binaries, authority, administrator);
  }

  /**
   * Path of the administrator's kubeconfig (group {@code system:masters}), certificates embedded.
   */
  public Path kubeconfig() {
    return dir.resolve("admin.kubeconfig");
  }

  /** Address of the API server, {@code https://127.0.0.1:<port>}; the same for the whole life. */
  public synchronized URI url() {
    return URI.create("https://127.0.0.1:" + port);
  }

  /** Folder with {@code logs/}, {@code pki/} and the data. */
  public Path dir() {
    return dir;
  }

  /** Path of a kubectl of the same version; built or downloaded on the first call if need be. */
  public Path kubectl() throws InterruptedException {
    return binaries.resolve(Component.KUBECTL);
  }

  /**
   * A kubeconfig whose client certificate says {@code user} and {@code groups}: to act with the
   * rights that RBAC gives to them, and no others.
   *
   * @param user for example {@code jane} or {@code
   *     system:serviceaccount:andon-system:andon-operator}
   * @param groups for example {@code responders}; {@code system:authenticated} comes by itself
   */
  public Path userKubeconfig(String user, List<String> groups) {
    Path file =
        dir.resolve("users")
            .resolve(user.replaceAll("[^A-Za-z0-9._-]", "_") + "-" + suffix() + ".kubeconfig");
    try {
      Kubeconfig.write(
          file, url(), authority.self().certificatePem(), authority.client(user, groups));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return file;
  }

  /**
   * Creates a namespace that nobody else uses, so that tests may share one plane. With controllers
   * its default service account is there on return.
   */
  public String freshNamespace() throws InterruptedException {
    String name = "it-" + suffix();
    create("/api/v1/namespaces", "{\"metadata\":{\"name\":\"%s\"}}".formatted(name));
    if (isRunning(Component.KUBE_CONTROLLER_MANAGER)) {
      awaitExists(
          Component.KUBE_CONTROLLER_MANAGER,
          "/api/v1/namespaces/%s/serviceaccounts/default".formatted(name));
    }
    return name;
  }

  /**
   * Returns when every CustomResourceDefinition there is is served. {@code kubectl wait} does not
   * do it: it fails where the status of one has come and its conditions have not, as happens right
   * after it was created (kubernetes/kubernetes#66439).
   */
  public void awaitCrds() throws InterruptedException {
    awaitReady(
        Component.KUBE_APISERVER,
        () -> {
          ApiServerClient.Answer answer = client().get(ServedCrds.PATH);
          return answer.status() == 200 && ServedCrds.areAll(answer.body());
        });
  }

  /** Kills the API server as a crash would, and starts it again on its port. etcd goes on. */
  public void restartApiServer() throws InterruptedException {
    stopApiServer();
    startApiServer();
  }

  /** Kills the API server as a crash would; clients are refused until {@link #startApiServer}. */
  public synchronized void stopApiServer() throws InterruptedException {
    daemon(Component.KUBE_APISERVER).kill();
  }

  /** Starts the API server again on its port and returns when it is ready. Nothing if it runs. */
  public synchronized void startApiServer() throws InterruptedException {
    for (int attempt = 1; !isRunning(Component.KUBE_APISERVER); attempt++) {
      launchApiServer();
      try {
        awaitReady(Component.KUBE_APISERVER, client()::isReady);
      } catch (IllegalStateException e) {
        // While it was down another program may have had the port for a moment, as one that looks
        // for a free one does. This plane has no other: everybody knows it by this.
        if (!lostItsPort() || attempt == PORTS_TRIED) {
          throw e;
        }
        Pause.of(Duration.ofSeconds(1));
      }
    }
  }

  /** Starts the controller manager if it doesn't run yet, and returns when it works. */
  public synchronized void ensureControllers() throws InterruptedException {
    if (launchControllers()) {
      awaitControllers();
    }
  }

  /** Starts the scheduler if it doesn't run yet. */
  public synchronized void ensureScheduler() throws InterruptedException {
    launchScheduler();
  }

  /**
   * Starts kwok if it doesn't run yet, and returns when its two fake nodes are ready.
   *
   * <p>Pods on them become Running at once; Pods of a Job then succeed, unless annotated {@code
   * andon.dev/fake-outcome: fail} (they fail with exit code 1) or {@code hang} (they go on until
   * the annotation is removed).
   */
  public synchronized void ensureKwok() throws InterruptedException {
    if (launchKwok()) {
      awaitNodes();
    }
  }

  /**
   * Ends the processes of this plane, and deletes its folder if it was a temporary one; where it
   * stays they get SIGTERM first, to end what they write. A second call does nothing.
   */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    boolean interrupted = Thread.interrupted();
    try {
      closeClient();
      if (deleteDir) {
        // An API server would take all its grace, waiting for its watches, for nobody.
        Daemon.kill(daemons.values());
        deleteRecursively(dir);
      } else {
        Daemon.stop(daemons.values());
      }
      if (watchdog != null) {
        watchdog.dismiss();
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the folder of the control plane could not be deleted", e);
    } catch (InterruptedException e) {
      // The watchdog finishes the job: its pipe closes with this JVM.
      interrupted = true;
    } finally {
      forgetShutdownHook();
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Lets the processes go on when this JVM ends; {@link #close} does nothing from here on. */
  synchronized void detach() throws InterruptedException {
    closed = true;
    closeClient();
    if (watchdog != null) {
      watchdog.dismiss();
    }
    forgetShutdownHook();
  }

  /** Starts what {@code options} ask for and doesn't run yet: at once, then waits for all. */
  synchronized void ensure(Options options) throws InterruptedException {
    boolean controllers = options.controllers() && launchControllers();
    if (options.scheduler()) {
      launchScheduler();
    }
    boolean kwok = options.kwok() && launchKwok();
    if (controllers) {
      awaitControllers();
    }
    if (kwok) {
      awaitNodes();
    }
  }

  synchronized Facts facts() {
    return new Facts(dir, port, apiServerFlags, List.copyOf(daemons.values()));
  }

  synchronized boolean isReady() throws InterruptedException {
    return daemons.values().stream().allMatch(Daemon::isAlive) && client().isReady();
  }

  private void endWithThisJvm() throws IOException {
    watchdog = Watchdog.start(dir, deleteDir);
    shutdownHook = new Thread(this::close, "andon-devcluster-close");
    Runtime.getRuntime().addShutdownHook(shutdownHook);
  }

  private void forgetShutdownHook() {
    if (shutdownHook != null && !Thread.currentThread().equals(shutdownHook)) {
      try {
        Runtime.getRuntime().removeShutdownHook(shutdownHook);
      } catch (IllegalStateException shuttingDownAlready) {
        // Then the hook runs, and finds the plane closed.
      }
    }
  }

  private synchronized void startEtcd() throws InterruptedException {
    Path socket = dir.resolve("etcd.sock");
    launch(
        Component.ETCD,
        List.of(
            "--data-dir=" + dir.resolve("etcd"),
            // Unix sockets: no port to lose to another run, and no other user can connect.
            "--listen-client-urls=unix://" + socket,
            // Has to be host and port, and is only ever read by members and clients we don't have.
            "--advertise-client-urls=http://127.0.0.1:2379",
            "--listen-peer-urls=unix://" + dir.resolve("peer.sock"),
            // For a plane that is thrown away: every write would wait for the disk otherwise.
            "--unsafe-no-fsync",
            "--log-level=warn"));
    awaitReady(Component.ETCD, () -> accepts(socket));
  }

  private synchronized void startApiServerOnFreePort() throws InterruptedException {
    for (int attempt = 1; ; attempt++) {
      port = freePort();
      launchApiServer();
      try {
        awaitReady(Component.KUBE_APISERVER, client()::isReady);
        return;
      } catch (IllegalStateException e) {
        // Between asking for a free port and using it another program may have taken it.
        if (!lostItsPort() || attempt == PORTS_TRIED) {
          throw e;
        }
        closeClient();
      }
    }
  }

  private boolean lostItsPort() {
    return !isRunning(Component.KUBE_APISERVER)
        && LogTail.of(log(Component.KUBE_APISERVER), LOG_LINES).stream()
            .anyMatch(line -> line.contains("address already in use"));
  }

  private void launchApiServer() throws InterruptedException {
    Path pki = dir.resolve("pki");
    List<String> flags =
        new ArrayList<>(
            List.of(
                "--etcd-servers=unix://" + dir.resolve("etcd.sock"),
                "--bind-address=127.0.0.1",
                "--secure-port=" + port,
                "--advertise-address=127.0.0.1",
                // An endpoint on loopback is invalid; the reconciler would complain for ever.
                "--endpoint-reconciler-type=none",
                "--authorization-mode=Node,RBAC",
                "--client-ca-file=" + pki.resolve("ca.crt"),
                "--tls-cert-file=" + pki.resolve("apiserver.crt"),
                "--tls-private-key-file=" + pki.resolve("apiserver.key"),
                "--cert-dir=" + pki,
                "--service-account-issuer=https://kubernetes.default.svc",
                "--service-account-key-file=" + pki.resolve("service-accounts.pub"),
                "--service-account-signing-key-file=" + pki.resolve("service-accounts.key"),
                "--service-cluster-ip-range=" + SERVICES,
                "--allow-privileged=true",
                // It taints new nodes until the node lifecycle controller runs, which it may not.
                "--disable-admission-plugins=TaintNodesByCondition"));
    flags.addAll(apiServerFlags);
    launch(Component.KUBE_APISERVER, flags);
  }

  /** False if it runs already. */
  private boolean launchControllers() throws InterruptedException {
    if (isRunning(Component.KUBE_CONTROLLER_MANAGER)) {
      return false;
    }
    Path pki = dir.resolve("pki");
    Path kubeconfig = componentKubeconfig(Component.KUBE_CONTROLLER_MANAGER);
    launch(
        Component.KUBE_CONTROLLER_MANAGER,
        List.of(
            "--kubeconfig=" + kubeconfig,
            // One process: an election would only delay the start.
            "--leader-elect=false",
            // No server of its own: nobody asks it, and a port could be lost to another run.
            "--secure-port=0",
            // The defaults (20 and 30) make the start wait seconds for its own requests.
            "--kube-api-qps=200",
            "--kube-api-burst=400",
            // Without it every controller acts as the controller manager, which RBAC gives little.
            "--use-service-account-credentials=true",
            "--service-account-private-key-file=" + pki.resolve("service-accounts.key"),
            "--root-ca-file=" + pki.resolve("ca.crt"),
            "--cluster-signing-cert-file=" + pki.resolve("ca.crt"),
            "--cluster-signing-key-file=" + pki.resolve("ca.key")));
    return true;
  }

  private void awaitControllers() throws InterruptedException {
    awaitExists(
        Component.KUBE_CONTROLLER_MANAGER, "/api/v1/namespaces/default/serviceaccounts/default");
  }

  private void launchScheduler() throws InterruptedException {
    if (isRunning(Component.KUBE_SCHEDULER)) {
      return;
    }
    Path kubeconfig = componentKubeconfig(Component.KUBE_SCHEDULER);
    launch(
        Component.KUBE_SCHEDULER,
        List.of(
            "--kubeconfig=" + kubeconfig,
            "--leader-elect=false",
            "--secure-port=0",
            "--kube-api-qps=200",
            "--kube-api-burst=400"));
  }

  /** False if it runs already. */
  private boolean launchKwok() throws InterruptedException {
    if (isRunning(Component.KWOK)) {
      return false;
    }
    launch(
        Component.KWOK,
        List.of(
            "--kubeconfig=" + kubeconfig(),
            "--config=" + kwokStages(),
            "--manage-all-nodes=true",
            "--node-lease-duration-seconds=40",
            "--cidr=10.244.0.0/16",
            "--node-ip=10.244.0.1"));
    return true;
  }

  private void awaitNodes() throws InterruptedException {
    for (String node : FAKE_NODES) {
      create(
          "/api/v1/nodes",
          """
          {"metadata": {"name": "%s", "labels": {"kubernetes.io/hostname": "%s", "type": "kwok"}}}"""
              .formatted(node, node));
    }
    for (String node : FAKE_NODES) {
      awaitReady(
          Component.KWOK,
          () -> client().get("/api/v1/nodes/" + node).body().contains("KubeletReady"));
    }
  }

  private void launch(Component component, List<String> flags) throws InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(binaries.resolve(component).toString());
    command.addAll(flags);
    try {
      Daemon daemon = Daemon.start(component.binary(), command, log(component));
      daemons.put(component, daemon);
      Files.writeString(
          dir.resolve("pids").resolve(component.binary()), Long.toString(daemon.identity().pid()));
    } catch (IOException e) {
      throw new UncheckedIOException(component + " could not be started", e);
    }
  }

  private void writeAdministratorKubeconfig() throws IOException {
    Kubeconfig.write(kubeconfig(), url(), authority.self().certificatePem(), administrator);
  }

  /** Kubernetes' own roles are bound to these names. */
  private Path componentKubeconfig(Component component) {
    return userKubeconfig("system:" + component.binary(), List.of());
  }

  private Path kwokStages() {
    Path file = dir.resolve("kwok.yaml");
    try (InputStream stages = ControlPlane.class.getResourceAsStream("kwok-stages.yaml")) {
      if (stages == null) {
        throw new IllegalStateException("kwok-stages.yaml is missing in this jar");
      }
      Files.write(file, stages.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return file;
  }

  private void create(String path, String json) throws InterruptedException {
    try {
      ApiServerClient.Answer answer = client().post(path, json);
      // 409: a plane that is upgraded again after kwok died has its nodes already.
      if (answer.status() != 201 && answer.status() != 409) {
        throw new IllegalStateException("POST %s: %s".formatted(path, answer));
      }
    } catch (IOException e) {
      throw new UncheckedIOException("POST " + path, e);
    }
  }

  private void awaitExists(Component maker, String path) throws InterruptedException {
    awaitReady(maker, () -> client().get(path).status() == 200);
  }

  @FunctionalInterface
  private interface Check {
    boolean holds() throws IOException, InterruptedException;
  }

  private void awaitReady(Component component, Check check) throws InterruptedException {
    long end = System.nanoTime() + READY.toNanos();
    while (!holds(check)) {
      if (!isRunning(component)) {
        throw new IllegalStateException(component + " ended;" + endOfLog(component));
      }
      if (System.nanoTime() - end >= 0) {
        throw new IllegalStateException(
            "%s is not ready after %d s;%s"
                .formatted(component, READY.toSeconds(), endOfLog(component)));
      }
      Pause.of(POLL);
    }
  }

  private static boolean holds(Check check) throws InterruptedException {
    try {
      return check.holds();
    } catch (IOException notYet) {
      return false;
    }
  }

  private String endOfLog(Component component) {
    return " the end of its log:\n" + LogTail.indented(log(component), LOG_LINES);
  }

  private Path log(Component component) {
    return dir.resolve("logs").resolve(component.binary() + ".log");
  }

  private synchronized boolean isRunning(Component component) {
    Daemon daemon = daemons.get(component);
    return daemon != null && daemon.isAlive();
  }

  private Daemon daemon(Component component) {
    Daemon daemon = daemons.get(component);
    if (daemon == null) {
      throw new IllegalStateException(component + " was never started");
    }
    return daemon;
  }

  private synchronized ApiServerClient client() {
    if (client == null) {
      client = new ApiServerClient(url(), authority.self().certificate(), administrator);
    }
    return client;
  }

  private void closeClient() {
    if (client != null) {
      client.close();
      client = null;
    }
  }

  private static Component componentOf(Daemon daemon) {
    return Stream.of(Component.values())
        .filter(component -> component.binary().equals(daemon.name()))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("unknown component " + daemon.name()));
  }

  private static boolean accepts(Path socket) throws IOException {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      return channel.connect(UnixDomainSocketAddress.of(socket));
    }
  }

  private static int freePort() {
    for (int attempt = 0; attempt < 1000; attempt++) {
      int candidate = LOWEST_PORT + RANDOM.nextInt(HIGHEST_PORT - LOWEST_PORT + 1);
      try (ServerSocket probe = new ServerSocket(candidate, 1, InetAddress.getLoopbackAddress())) {
        return probe.getLocalPort();
      } catch (IOException taken) {
        // Try another one.
      }
    }
    throw new IllegalStateException(
        "no free port between %d and %d".formatted(LOWEST_PORT, HIGHEST_PORT));
  }

  private static String suffix() {
    byte[] bytes = new byte[4];
    RANDOM.nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }

  private static Path emptyFolder(Path dir) throws IOException {
    Files.createDirectories(
        dir, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    try (Stream<Path> content = Files.list(dir)) {
      String found =
          content.map(Path::getFileName).map(Path::toString).collect(Collectors.joining(", "));
      if (!found.isEmpty()) {
        throw new IOException("%s is not empty: %s".formatted(dir, found));
      }
    }
    return dir;
  }

  static void deleteRecursively(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.deleteIfExists(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
            if (e instanceof NoSuchFileException) {
              return FileVisitResult.CONTINUE;
            }
            throw e;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException e)
              throws IOException {
            if (e != null) {
              throw e;
            }
            Files.deleteIfExists(visited);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
