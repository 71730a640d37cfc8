package dev.andon.operator.stop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.Options;
import dev.andon.operator.FaultyApiServer;
import dev.andon.operator.FaultyApiServer.Fault;
import dev.andon.operator.FaultyApiServer.Request;
import dev.andon.operator.stop.Gate.Entry;
import dev.andon.operator.stop.Latch.Latched;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The stop on a real API server. On one of its own: it deletes the stop's namespace and kills the
 * API server. In which order things happen, and that they do; how fast is for {@code andon bench
 * stop} to tell, and what the gate does at which moment for {@link ApiGateTest}, to the nanosecond.
 */
@Timeout(300)
class StopIT {
  private static final String TYPE = "SatelliteDiskErase";

  private static ControlPlane plane;
  private static KubernetesClient responder;

  private final Ticks ticks = new Ticks();
  private final Counting counting = new Counting(ticks);
  private final Queue<Latched> latched = new ConcurrentLinkedQueue<>();
  private StopControl stop;

  @BeforeAll
  static void up() throws Exception {
    plane = ControlPlane.start(Options.apiServerOnly().withControllers());
    responder = new KubernetesClientBuilder().withConfig(config()).build();
    namespace();
  }

  @AfterAll
  static void down() {
    responder.close();
    plane.close();
  }

  @BeforeEach
  void start() {
    stop(config());
  }

  private void stop(Config config) {
    stop = new StopControl(config, Clock.systemUTC(), ticks, () -> true, counting);
    stop.onLatched(latched::addAll);
  }

  @AfterEach
  void close() throws InterruptedException {
    stop.close();
    // A test that failed halfway would take every later one with it.
    plane.startApiServer();
    await().atMost(Duration.ofSeconds(60)).until(StopIT::namespaceIsActive);
  }

  @Test
  void a_missing_configmap_is_created_empty_and_is_a_stop() throws Exception {
    configMap().delete();
    await().until(() -> configMap().get() == null);
    stop.start();

    await().until(() -> configMap().get() != null);
    ConfigMap created = configMap().get();
    assertThat(created.getData()).isNullOrEmpty();
    assertThat(stop.gate().enter(TYPE))
        .isInstanceOfSatisfying(
            Entry.Refused.class,
            refused -> assertThat(refused.why()).isInstanceOf(StopView.Stopped.class));
    assertThat(stop.synced()).isTrue();
    assertThat(stop.notVisibleSince()).isEmpty();
  }

  @Test
  void a_stop_closes_the_gate_voids_unused_permits_and_latches_what_runs() throws Exception {
    started(Map.of(TYPE, "go"));
    for (int i = 0; i < 30; i++) {
      String uid = "w-" + i;
      patch(TYPE, "go");
      await().pollInterval(Duration.ofMillis(5)).until(() -> isOpen(TYPE));
      assertThat(stop.latch().enroll(uid, TYPE)).isEmpty();
      Permit unused = granted();
      counting.states.clear();

      String revision = patch(TYPE, "stop");
      awaitState(revision);

      assertThat(unused.use()).isFalse();
      assertThat(stop.gate().enter(TYPE))
          .isInstanceOfSatisfying(
              Entry.Refused.class,
              refused ->
                  assertThat(refused.why())
                      .isInstanceOfSatisfying(
                          StopView.Stopped.class,
                          by ->
                              assertThat(by.by().configMapResourceVersion()).isEqualTo(revision)));
      assertThat(stop.latch().latched(uid))
          .get()
          .satisfies(
              by -> {
                assertThat(by.key()).isEqualTo(TYPE);
                assertThat(by.value()).isEqualTo("stop");
                assertThat(by.configMapResourceVersion()).isEqualTo(revision);
                assertThat(by.manager()).isEqualTo("fabric8-kubernetes-client");
              });
      await().pollInterval(Duration.ofMillis(5)).until(() -> told(uid));
    }
    assertThat(latched).hasSize(30);
    assertThat(counting.byWatch.get())
        .as("states that the watch told of before a read, of which there is one a second")
        .isPositive();
  }

  @Test
  void the_watch_alone_closes_what_no_read_gets_to_see() throws Exception {
    try (FaultyApiServer between = FaultyApiServer.before(config())) {
      stop.close();
      stop(between.config());
      started(Map.of(TYPE, "go"));
      await().until(() -> isOpen(TYPE));
      assertThat(stop.latch().enroll("w-1", TYPE)).isEmpty();
      Permit unused = granted();

      try (var rule = between.on(Request::isGateRead, new Fault.Held())) {
        String revision = patch(TYPE, "stop");

        await()
            .pollInterval(Duration.ofMillis(5))
            .until(() -> stop.latch().latched("w-1").isPresent());
        assertThat(stop.latch().latched("w-1").orElseThrow().configMapResourceVersion())
            .isEqualTo(revision);
        assertThat(unused.use()).isFalse();
      }
    }
  }

  @Test
  void stop_and_go_at_once_leave_the_running_one_latched_and_let_the_next_pass() throws Exception {
    started(Map.of(TYPE, "go"));
    await().until(() -> isOpen(TYPE));
    for (int i = 0; i < 20; i++) {
      String uid = "w-" + i;
      assertThat(stop.latch().enroll(uid, TYPE)).isEmpty();

      patch(TYPE, "stop");
      patch(TYPE, "go");

      await().pollInterval(Duration.ofMillis(5)).until(() -> stop.latch().latched(uid).isPresent());
      await().pollInterval(Duration.ofMillis(5)).until(() -> isOpen(TYPE));
      passes();
    }
  }

  @Test
  void each_send_has_a_read_that_began_after_it_was_asked_for_and_senders_share_them()
      throws Exception {
    started(Map.of(TYPE, "go"));
    await().until(() -> isOpen(TYPE));
    counting.begun.clear();

    for (int i = 0; i < 50; i++) {
      long asked = System.nanoTime();
      passes();
      assertThat(counting.begun).anyMatch(began -> began - asked > 0);
    }
    assertThat(counting.begun).hasSizeGreaterThanOrEqualTo(50);

    counting.begun.clear();
    AtomicInteger granted = new AtomicInteger();
    List<Thread> senders = new ArrayList<>();
    for (int s = 0; s < 500; s++) {
      senders.add(
          Thread.ofVirtual()
              .start(
                  () -> {
                    try {
                      for (int i = 0; i < 40; i++) {
                        while (!(stop.gate().enter(TYPE) instanceof Entry.Granted)) {
                          // A busy machine lost a read.
                        }
                        granted.incrementAndGet();
                      }
                    } catch (InterruptedException e) {
                      throw new AssertionError(e);
                    }
                  }));
    }
    for (Thread sender : senders) {
      sender.join();
    }
    List<Long> begun = List.copyOf(counting.begun);
    assertThat(granted).hasValue(20_000);
    assertThat(begun.size()).as("reads for them").isBetween(40, 10_000);
  }

  @Test
  void at_rest_it_goes_on_reading_once_a_second() {
    started(Map.of(TYPE, "go"));
    await().until(() -> isOpen(TYPE));
    counting.begun.clear();

    await().until(() -> counting.begun.size() >= 4);

    // The first may have been asked for by what came before.
    List<Long> begun = List.copyOf(counting.begun);
    for (int i = 2; i < begun.size(); i++) {
      assertThat(begun.get(i) - begun.get(i - 1))
          .isGreaterThanOrEqualTo(Duration.ofSeconds(1).toNanos());
    }
  }

  @Test
  void deleting_the_configmap_is_a_stop_and_an_empty_one_takes_its_place() throws Exception {
    started(Map.of(TYPE, "go"));
    await().until(() -> isOpen(TYPE));
    String uid = configMap().get().getMetadata().getUid();
    assertThat(stop.latch().enroll("w-1", TYPE)).isEmpty();
    Permit unused = granted();

    configMap().delete();

    await().pollInterval(Duration.ofMillis(5)).until(() -> !isOpen(TYPE));
    assertThat(unused.use()).isFalse();
    await().until(() -> stop.latch().latched("w-1").isPresent());
    await()
        .until(
            () -> {
              ConfigMap now = configMap().get();
              return now != null && !now.getMetadata().getUid().equals(uid);
            });
    assertThat(configMap().get().getData()).isNullOrEmpty();
    assertThat(stop.gate().view(TYPE)).isInstanceOf(StopView.Stopped.class);
  }

  @Test
  void a_configmap_that_waits_for_a_finalizer_is_a_stop() {
    started(Map.of(TYPE, "go"));
    await().until(() -> isOpen(TYPE));
    configMap()
        .edit(
            c ->
                new ConfigMapBuilder(c)
                    .editMetadata()
                    .addToFinalizers("x.dev/held")
                    .endMetadata()
                    .build());

    configMap().delete();

    await().until(() -> stop.gate().view(TYPE) instanceof StopView.Stopped);
    configMap()
        .edit(
            c ->
                new ConfigMapBuilder(c)
                    .editMetadata()
                    .withFinalizers(List.of())
                    .endMetadata()
                    .build());
    await().until(() -> configMap().get() != null);
  }

  @Test
  void a_deleted_namespace_is_a_stop_and_stays_one_until_it_is_there_again() throws Exception {
    started(Map.of(TYPE, "go"));
    await().until(() -> isOpen(TYPE));

    responder.namespaces().withName(EmergencyStop.NAMESPACE).delete();

    // The namespace controller waits five seconds by itself, and backs off after a restart of the
    // API server.
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> stop.gate().view(TYPE) instanceof StopView.Stopped);
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> responder.namespaces().withName(EmergencyStop.NAMESPACE).get() == null);
    assertThat(stop.gate().view(TYPE)).isInstanceOf(StopView.Stopped.class);
    namespace();
    await().until(() -> configMap().get() != null);
    assertThat(configMap().get().getData()).isNullOrEmpty();
    patch(TYPE, "go");
    await().until(() -> isOpen(TYPE));
  }

  @Test
  void without_the_api_server_nothing_is_visible_and_afterwards_it_is_open_again()
      throws Exception {
    started(Map.of(TYPE, "go"));
    await().until(() -> isOpen(TYPE));
    assertThat(stop.latch().enroll("w-1", TYPE)).isEmpty();
    AtomicInteger changes = new AtomicInteger();
    stop.addListener(
        new StopListener() {
          @Override
          public void stopSeen(EmergencyStop stop) {}

          @Override
          public void viewChanged() {
            changes.incrementAndGet();
          }
        });
    Permit unused = granted();

    plane.stopApiServer();

    assertThat(stop.gate().enter(TYPE))
        .isInstanceOfSatisfying(
            Entry.Refused.class,
            refused -> assertThat(refused.why()).isInstanceOf(StopView.NotVisible.class));
    await()
        .pollInterval(Duration.ofMillis(10))
        .until(() -> stop.gate().view(TYPE) instanceof StopView.NotVisible);
    assertThat(unused.use()).isFalse();
    await().until(() -> changes.get() > 0);
    assertThat(stop.notVisibleSince()).isPresent();

    int watches = counting.watches.get();
    plane.startApiServer();
    await().pollInterval(Duration.ofMillis(10)).until(() -> isOpen(TYPE));
    passes();
    assertThat(stop.latch().latched("w-1")).as("not visible is not stop").isEmpty();

    // And a watch has come back, which tells of changes before a read does, of one a second.
    await().until(() -> counting.watches.get() > watches);
    int byWatch = counting.byWatch.get();
    await()
        .until(
            () -> {
              patch(TYPE, "go");
              awaitState(patch(TYPE, "stop"));
              return counting.byWatch.get() > byWatch;
            });
  }

  @Test
  void a_connection_that_lives_and_says_nothing_is_found_out() throws Exception {
    try (SwallowingProxy proxy = new SwallowingProxy(plane.url().getPort())) {
      stop.close();
      Config behindProxy =
          new ConfigBuilder(config()).withMasterUrl("https://127.0.0.1:" + proxy.port()).build();
      stop(behindProxy);
      started(Map.of(TYPE, "go"));
      await().until(() -> isOpen(TYPE));
      assertThat(stop.latch().enroll("w-1", TYPE)).isEmpty();
      Permit unused = granted();

      int watches = counting.watches.get();
      proxy.swallow();
      String revision = patch(TYPE, "stop");

      await().pollInterval(Duration.ofMillis(5)).until(() -> !isOpen(TYPE));
      assertThat(unused.use()).isFalse();
      await().until(() -> stop.latch().latched("w-1").isPresent());
      assertThat(stop.latch().latched("w-1").orElseThrow().configMapResourceVersion())
          .isEqualTo(revision);
      await().until(() -> counting.watches.get() > watches);
    }
  }

  @Test
  void what_may_not_read_the_configmap_sees_nothing() throws Exception {
    Config nobody = Config.fromKubeconfig(plane.userKubeconfig("nobody", List.of()).toFile());
    try (StopControl blind = StopControl.of(nobody, Clock.systemUTC(), StopMetrics.none())) {
      blind.start();

      assertThat(blind.gate().enter(TYPE))
          .isInstanceOfSatisfying(
              Entry.Refused.class,
              refused ->
                  assertThat(refused.why())
                      .isInstanceOfSatisfying(
                          StopView.NotVisible.class,
                          why -> assertThat(why.why()).contains("403").contains("nobody")));
      assertThat(blind.synced()).isFalse();
    }
  }

  private void started(Map<String, String> data) {
    ConfigMap wanted =
        new ConfigMapBuilder()
            .withNewMetadata()
            .withNamespace(EmergencyStop.NAMESPACE)
            .withName(EmergencyStop.NAME)
            .endMetadata()
            .withData(data)
            .build();
    // Created anew: an update that carries no managedFields can end their upkeep for good.
    configMap().delete();
    responder.resource(wanted).create();
    stop.start();
    await().until(() -> counting.watches.get() > 0 && stop.synced());
  }

  private boolean isOpen(String type) {
    return stop.gate().view(type) instanceof StopView.Open;
  }

  /** The gate is open; a read that a busy machine lost is asked for again. */
  private Permit granted() {
    Entry entry = await().until(() -> stop.gate().enter(TYPE), Entry.Granted.class::isInstance);
    return ((Entry.Granted) entry).permit();
  }

  private void passes() {
    await().pollInterval(Duration.ofMillis(5)).until(() -> granted().use());
  }

  private static void namespace() {
    responder
        .resource(
            new NamespaceBuilder()
                .withNewMetadata()
                .withName(EmergencyStop.NAMESPACE)
                .endMetadata()
                .build())
        .create();
  }

  private static boolean namespaceIsActive() {
    Namespace found = responder.namespaces().withName(EmergencyStop.NAMESPACE).get();
    if (found == null) {
      namespace();
    }
    return found != null && found.getMetadata().getDeletionTimestamp() == null;
  }

  private static Resource<ConfigMap> configMap() {
    return responder.configMaps().inNamespace(EmergencyStop.NAMESPACE).withName(EmergencyStop.NAME);
  }

  /** The revision of the ConfigMap afterwards. */
  private static String patch(String key, String value) {
    return configMap()
        .patch(
            PatchContext.of(PatchType.JSON_MERGE),
            "{\"data\":{\"%s\":\"%s\"}}".formatted(key, value))
        .getMetadata()
        .getResourceVersion();
  }

  /** Until the gate, and then the latch, have taken in this state. */
  private void awaitState(String revision) throws InterruptedException {
    String state;
    do {
      state = counting.states.poll(1, TimeUnit.MINUTES);
      assertThat(state).as("the state at %s is seen", revision).isNotNull();
    } while (!state.equals(revision));
  }

  private boolean told(String uid) {
    return latched.stream().anyMatch(one -> one.uid().equals(uid));
  }

  private static Config config() {
    return new ConfigBuilder(Config.fromKubeconfig(plane.kubeconfig().toFile()))
        .withHttp2Disable(true)
        .build();
  }

  private static final class Counting implements StopMetrics {
    final AtomicInteger watches = new AtomicInteger();

    /** Revisions of states, each when the gate had first taken it in. */
    final BlockingQueue<String> states = new LinkedBlockingQueue<>();

    /** How many of them came by the watch first. */
    final AtomicInteger byWatch = new AtomicInteger();

    /** When reads that saw something began, by the gate's own clock. */
    final Queue<Long> begun = new ConcurrentLinkedQueue<>();

    private final Ticks ticks;

    Counting(Ticks ticks) {
      this.ticks = ticks;
    }

    @Override
    public void read(Duration took) {
      // Told by the thread that has just taken the time at which the read ended.
      begun.add(ticks.last() - took.toNanos());
    }

    @Override
    public void stateSeen(String resourceVersion, Instant at) {
      if (!Thread.currentThread().getName().equals("andon-gate")) {
        byWatch.incrementAndGet();
      }
      states.add(resourceVersion);
    }

    @Override
    public void watchStarted() {
      watches.incrementAndGet();
    }
  }
}
