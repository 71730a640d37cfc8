package dev.andon.operator.stop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.Options;
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
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The stop on a real API server. On one of its own: it deletes the stop's namespace and kills the
 * API server.
 */
@Timeout(120)
class StopIT {
  private static final String TYPE = "SatelliteDiskErase";

  private static ControlPlane plane;
  private static KubernetesClient responder;

  /**
   * Four times the 2.5 s of the gate, which {@link ApiGateTest} holds to the nanosecond with a
   * clock of its own: here other programs run beside it.
   */
  private static final Duration LONGEST_BLIND = Duration.ofSeconds(10);

  private final Counting counting = new Counting();
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
    stop = StopControl.of(config(), Clock.systemUTC(), counting);
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
  void a_stop_closes_the_gate_within_milliseconds_and_latches_what_runs() throws Exception {
    started(Map.of(TYPE, "go"));
    List<Long> closed = new ArrayList<>();
    List<Long> told = new ArrayList<>();
    List<Long> answered = new ArrayList<>();
    BlockingQueue<Long> toldAt = new LinkedBlockingQueue<>();
    stop.onLatched(newly -> toldAt.add(System.nanoTime()));
    for (int i = 0; i < 120; i++) {
      String uid = "w-" + i;
      patch(TYPE, "go");
      await().pollInterval(Duration.ofMillis(5)).until(() -> isOpen(TYPE));
      assertThat(stop.latch().enroll(uid, TYPE)).isEmpty();
      Permit unused = granted();
      counting.states.clear();

      long sent = System.nanoTime();
      patch(TYPE, "stop");
      answered.add(System.nanoTime() - sent);
      closed.add(counting.states.poll(5, TimeUnit.SECONDS) - sent);
      told.add(toldAt.poll(5, TimeUnit.SECONDS) - sent);

      assertThat(unused.use()).isFalse();
      assertThat(stop.latch().latched(uid))
          .get()
          .satisfies(
              by -> {
                assertThat(by.key()).isEqualTo(TYPE);
                assertThat(by.value()).isEqualTo("stop");
                assertThat(by.manager()).isEqualTo("fabric8-kubernetes-client");
              });
    }
    // The first ones load classes.
    print("from the send of the stop to the responder's answer", answered.subList(20, 120));
    print("from the send of the stop to the gate closed, at rest", closed.subList(20, 120));
    print("from the send of the stop to the listeners told, at rest", told.subList(20, 120));
    assertThat(latched).hasSize(120);
  }

  @Test
  void stop_and_go_at_once_leave_the_running_one_latched_and_let_the_next_pass() throws Exception {
    started(Map.of(TYPE, "go"));
    await().until(() -> isOpen(TYPE));
    int watched = counting.watches.get();
    await().until(() -> counting.watches.get() >= Math.max(1, watched));
    for (int i = 0; i < 20; i++) {
      String uid = "w-" + i;
      assertThat(stop.latch().enroll(uid, TYPE)).isEmpty();

      patch(TYPE, "stop");
      patch(TYPE, "go");

      await().pollInterval(Duration.ofMillis(5)).until(() -> stop.latch().latched(uid).isPresent());
      await().pollInterval(Duration.ofMillis(5)).until(() -> isOpen(TYPE));
      assertThat(granted().use()).isTrue();
    }
  }

  @Test
  void asking_adds_milliseconds_to_a_send_and_shares_reads() throws Exception {
    started(Map.of(TYPE, "go"));
    await().until(() -> isOpen(TYPE));
    counting.reset();

    for (int i = 0; i < 200; i++) {
      assertThat(granted().use()).isTrue();
      await()
          .pollInterval(Duration.ofMillis(40))
          .pollDelay(Duration.ofMillis(40))
          .until(() -> true);
    }
    print("wait at the gate, one sender, 25 sends a second", counting.waits());

    counting.reset();
    long began = System.nanoTime();
    List<Thread> senders = new ArrayList<>();
    for (int s = 0; s < 500; s++) {
      int pause = 300 + s;
      senders.add(
          Thread.ofVirtual()
              .start(
                  () -> {
                    try {
                      for (int i = 0; i < 10; i++) {
                        assertThat(granted().use()).isTrue();
                        await().pollDelay(Duration.ofMillis(pause)).until(() -> true);
                      }
                    } catch (InterruptedException e) {
                      throw new AssertionError(e);
                    }
                  }));
    }
    for (Thread sender : senders) {
      sender.join();
    }
    double seconds = (System.nanoTime() - began) / 1e9;
    print("wait at the gate, 500 senders", counting.waits());
    print("a read", counting.reads());
    System.out.printf(
        "StopIT: %d sends, %d reads in %.1f s: %.1f reads a second%n",
        counting.waits().size(),
        counting.reads().size(),
        seconds,
        counting.reads().size() / seconds);
    assertThat(counting.waits()).hasSize(5_000);
    assertThat(counting.reads().size() / seconds).isLessThan(51);
  }

  @Test
  void at_rest_it_reads_once_a_second() {
    started(Map.of(TYPE, "go"));
    await().until(() -> counting.watches.get() > 0 && isOpen(TYPE));
    await().pollDelay(Duration.ofMillis(1500)).until(() -> true);
    counting.reset();

    await().pollDelay(Duration.ofSeconds(5)).until(() -> true);

    assertThat(counting.reads().size()).isBetween(4, 6);
  }

  @Test
  void deleting_the_configmap_is_a_stop_and_an_empty_one_takes_its_place() throws Exception {
    started(Map.of(TYPE, "go"));
    await().until(() -> isOpen(TYPE));
    String uid = configMap().get().getMetadata().getUid();
    assertThat(stop.latch().enroll("w-1", TYPE)).isEmpty();
    long sent = System.nanoTime();

    configMap().delete();

    await().pollInterval(Duration.ofMillis(1)).until(() -> !isOpen(TYPE));
    System.out.printf("StopIT: delete to closed: %.1f ms%n", (System.nanoTime() - sent) / 1e6);
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
          public void stopSeen(Function<String, StopView> view) {}

          @Override
          public void viewChanged() {
            changes.incrementAndGet();
          }
        });
    Permit unused = granted();

    plane.stopApiServer();
    long gone = System.nanoTime();

    assertThat(stop.gate().enter(TYPE))
        .isInstanceOfSatisfying(
            Entry.Refused.class,
            refused -> assertThat(refused.why()).isInstanceOf(StopView.NotVisible.class));
    await()
        .pollInterval(Duration.ofMillis(10))
        .until(() -> stop.gate().view(TYPE) instanceof StopView.NotVisible);
    System.out.printf(
        "StopIT: API server killed to not visible: %.0f ms%n", (System.nanoTime() - gone) / 1e6);
    assertThat(Duration.ofNanos(System.nanoTime() - gone)).isLessThan(LONGEST_BLIND);
    assertThat(unused.use()).isFalse();
    await().until(() -> changes.get() > 0);
    assertThat(stop.notVisibleSince()).isPresent();

    int watches = counting.watches.get();
    plane.startApiServer();
    long back = System.nanoTime();
    await().pollInterval(Duration.ofMillis(10)).until(() -> isOpen(TYPE));
    System.out.printf(
        "StopIT: API server ready to open again: %.0f ms%n", (System.nanoTime() - back) / 1e6);
    assertThat(granted().use()).isTrue();
    assertThat(stop.latch().latched("w-1")).as("not visible is not stop").isEmpty();

    // And the watch has come back: a stop is seen long before the next read of the second.
    await().pollDelay(Duration.ofSeconds(4)).until(() -> isOpen(TYPE));
    List<Long> closed = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      patch(TYPE, "go");
      await().until(() -> isOpen(TYPE));
      counting.states.clear();
      long sent = System.nanoTime();
      patch(TYPE, "stop");
      closed.add(counting.states.poll(5, TimeUnit.SECONDS) - sent);
    }
    print("from the send of the stop to the gate closed, after a restart", closed);
    Collections.sort(closed);
    assertThat(closed.get(5)).isLessThan(500_000_000L);
    assertThat(counting.watches.get()).isGreaterThanOrEqualTo(watches);
  }

  @Test
  void a_connection_that_lives_and_says_nothing_is_found_out() throws Exception {
    try (SwallowingProxy proxy = new SwallowingProxy(plane.url().getPort())) {
      stop.close();
      Config behindProxy =
          new ConfigBuilder(config()).withMasterUrl("https://127.0.0.1:" + proxy.port()).build();
      stop = StopControl.of(behindProxy, Clock.systemUTC(), counting);
      stop.onLatched(latched::addAll);
      started(Map.of(TYPE, "go"));
      await().until(() -> isOpen(TYPE));
      assertThat(stop.latch().enroll("w-1", TYPE)).isEmpty();
      Permit unused = granted();

      proxy.swallow();
      long sent = System.nanoTime();
      patch(TYPE, "stop");

      await().pollInterval(Duration.ofMillis(5)).until(() -> !isOpen(TYPE));
      assertThat(Duration.ofNanos(System.nanoTime() - sent)).isLessThan(LONGEST_BLIND);
      assertThat(unused.use()).isFalse();
      await().until(() -> stop.latch().latched("w-1").isPresent());
      System.out.printf(
          "StopIT: silent connections, stop to latched by a read: %.0f ms%n",
          (System.nanoTime() - sent) / 1e6);
      int watches = counting.watches.get();
      await().atMost(Duration.ofSeconds(60)).until(() -> counting.watches.get() > watches);
      System.out.printf(
          "StopIT: silent connections, stop to a new watch: %.0f ms%n",
          (System.nanoTime() - sent) / 1e6);
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

  private Permit granted() throws InterruptedException {
    Entry entry = stop.gate().enter(TYPE);
    assertThat(entry).isInstanceOf(Entry.Granted.class);
    return ((Entry.Granted) entry).permit();
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

  private static void patch(String key, String value) {
    configMap()
        .patch(
            PatchContext.of(PatchType.JSON_MERGE),
            "{\"data\":{\"%s\":\"%s\"}}".formatted(key, value));
  }

  private static Config config() {
    return new ConfigBuilder(Config.fromKubeconfig(plane.kubeconfig().toFile()))
        .withHttp2Disable(true)
        .build();
  }

  private static void print(String what, List<Long> nanos) {
    List<Long> sorted = nanos.stream().sorted().toList();
    Function<Double, Double> at =
        q -> sorted.get((int) Math.min(sorted.size() - 1, q * sorted.size())) / 1e6;
    System.out.printf(
        "StopIT: %s: p50 %.1f, p90 %.1f, p99 %.1f, worst %.1f ms (%d)%n",
        what, at.apply(0.5), at.apply(0.9), at.apply(0.99), sorted.getLast() / 1e6, sorted.size());
  }

  private static final class Counting implements StopMetrics {
    final AtomicInteger watches = new AtomicInteger();

    /** When the gate had taken in a new state. */
    final BlockingQueue<Long> states = new LinkedBlockingQueue<>();

    private final Queue<Long> reads = new ConcurrentLinkedQueue<>();
    private final Queue<Long> waits = new ConcurrentLinkedQueue<>();

    void reset() {
      reads.clear();
      waits.clear();
    }

    List<Long> reads() {
      return List.copyOf(reads);
    }

    List<Long> waits() {
      return List.copyOf(waits);
    }

    @Override
    public void read(Duration took) {
      reads.add(took.toNanos());
    }

    @Override
    public void entered(Duration waited, boolean granted) {
      waits.add(waited.toNanos());
    }

    @Override
    public void stateSeen(String resourceVersion, Instant at) {
      states.add(System.nanoTime());
    }

    @Override
    public void watchStarted() {
      watches.incrementAndGet();
    }
  }
}
