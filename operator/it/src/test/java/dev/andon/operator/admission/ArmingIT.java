package dev.andon.operator.admission;

import static dev.andon.operator.admission.Guarded.STOP;
import static dev.andon.operator.admission.Guarded.STOPS;
import static dev.andon.operator.admission.Guarded.armingIds;
import static dev.andon.operator.admission.Guarded.stop;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import dev.andon.operator.stop.EmergencyStop;
import dev.andon.operator.stop.StopShapes;
import dev.andon.operator.stop.StopView;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Who may open the stop, that everybody may close it, and that each opening is known from the last.
 */
@RealControlPlane
class ArmingIT {
  private static final String GUARD = "andon-arming-guard";
  private static final String REASON = "\"andon.dev/arm-reason\":\"a test\"";

  private static Guarded cluster;

  @BeforeAll
  static void install(ControlPlane plane) throws Exception {
    cluster = new Guarded(plane);
    cluster.role(
        "it-creates-stop",
        "[{\"apiGroups\":[\"\"],\"resources\":[\"configmaps\"],\"verbs\":[\"create\"]}]");
    cluster.bind("rita", "it-creates-stop");
    cluster.bind("arno", "it-creates-stop");
  }

  @AfterAll
  static void close() {
    cluster.close();
  }

  // --- what may never be refused ----------------------------------------------------------------

  static Stream<Arguments> a_write_that_stops_is_never_refused() {
    return Stream.of(
        stops("delete", api -> api.delete(STOP).succeeded()),
        stops("all: stop", api -> merge(api, "{\"data\":{\"all\":\"stop\"}}")),
        stops("ALL: no", api -> merge(api, "{\"data\":{\"ALL\":\"no\"}}")),
        stops("aLl: nothing", api -> merge(api, "{\"data\":{\"aLl\":\"\"}}")),
        stops("all: garbage", api -> merge(api, "{\"data\":{\"all\":\"\\u0000 {\"}}")),
        stops("each key", api -> merge(api, "{\"data\":{\"A\":\"stop\",\"B\":\"no\"}}")),
        stops("keys removed", api -> merge(api, "{\"data\":{\"A\":null,\"B\":null}}")),
        stops("no data", api -> merge(api, "{\"data\":null}")),
        stops(
            "a strategic merge patch",
            api ->
                api.patch(STOP, Api.STRATEGIC, "{\"data\":{\"A\":\"x\",\"B\":null}}").succeeded()),
        stops(
            "a JSON patch",
            api ->
                api.patch(
                        STOP,
                        Api.JSON_PATCH,
                        """
                        [{"op":"remove","path":"/data/A"},
                         {"op":"replace","path":"/data/B","value":"stop"}]""")
                    .succeeded()),
        stops(
            "server-side apply",
            api ->
                api.patch(
                        STOP + "?fieldManager=rita&force=true",
                        Api.APPLY,
                        stop("", "\"A\":\"stop\",\"B\":\"stop\""))
                    .succeeded()),
        stops(
            "replace, annotations gone",
            api -> api.put(STOP, stop("", "\"A\":\"stop\"")).succeeded()),
        stops("replace with nothing", api -> api.put(STOP, stop("", "")).succeeded()),
        stops("binaryData", api -> merge(api, "{\"binaryData\":{\"x\":\"AA==\"}}")),
        stops("immutable", api -> merge(api, "{\"immutable\":true}")),
        stops(
            "900 KiB of garbage",
            api ->
                merge(
                    api,
                    "{\"data\":{\"A\":\"%s\",\"B\":\"go \"}}"
                        .formatted("go\\n ".repeat(180 << 10)))),
        stops(
            "250 KiB of annotations",
            api ->
                api.put(STOP, stop("\"x\":\"%s\"".formatted("x".repeat(250 << 10)), "\"A\":\"no\""))
                    .succeeded()),
        stops(
            "30,000 annotations",
            api -> api.put(STOP, stop(many("x.%s", "", 30_000), "\"A\":\"no\"")).succeeded()),
        stops(
            "60,000 keys, all of them go",
            api -> api.put(STOP, stop("", many("A%s", "go", 60_000))).succeeded()),
        stops(
            "501 keys, all of them go",
            api -> api.put(STOP, stop("", many("A%s", "go", 500) + ",\"A\":\"go\"")).succeeded()),
        stops(
            "an arming id made up on the way",
            api ->
                merge(
                    api,
                    """
                    {"metadata":{"annotations":{"arming.andon.dev/A":"x"}},
                     "data":{"A":"stop","B":"stop"}}""")));
  }

  private static Arguments stops(String name, Consumer<Api> write) {
    return Arguments.of(Named.of(name, write));
  }

  @ParameterizedTest
  @MethodSource
  void a_write_that_stops_is_never_refused(Consumer<Api> write) {
    // Given
    cluster.armed("A", "B");

    // When somebody who may stop and not arm does so
    write.accept(cluster.responder);

    // Then
    assertThat(cluster.read().view("A")).isInstanceOf(StopView.Stopped.class);
    assertThat(cluster.read().view("B")).isInstanceOf(StopView.Stopped.class);
    // And nothing of it can be armed again with what is left of the old arming
    JsonNode left = cluster.admin.get(STOP).body();
    assertThat(armingIds(left).size()).isZero();
  }

  static Stream<Arguments> a_write_that_stops_one_and_leaves_another_open_is_never_refused() {
    String rest = many("T%s", "go", 499);
    return Stream.of(
        stops("one key", api -> merge(api, "{\"data\":{\"A\":\"stop\"}}")),
        stops("replace", api -> api.put(STOP, stop("", rest)).succeeded()),
        stops(
            "replace, ids made up",
            api -> api.put(STOP, stop("\"arming.andon.dev/T0\":\"x\"", rest)).succeeded()),
        stops(
            "no room for ids",
            api ->
                api.put(STOP, stop("\"x\":\"%s\"".formatted("x".repeat(255 << 10)), rest))
                    .succeeded()),
        stops(
            "30,000 annotations",
            api -> api.put(STOP, stop(many("x.%s", "", 30_000), rest)).succeeded()));
  }

  @ParameterizedTest
  @MethodSource
  void a_write_that_stops_one_and_leaves_another_open_is_never_refused(Consumer<Api> write) {
    // Given 500 open types
    cluster.missing();
    cluster.admin.post(STOPS, stop(REASON, many("T%s", "go", 499) + ",\"A\":\"go\"")).succeeded();

    write.accept(cluster.responder);

    assertThat(cluster.read().view("A")).isInstanceOf(StopView.Stopped.class);
    assertThat(cluster.read().view("T0"))
        .isInstanceOfSatisfying(
            StopView.Open.class, open -> assertThat(open.armingId()).isIn("created", ""));
  }

  @Test
  void deleting_all_of_them_at_once_is_a_stop_too() {
    cluster.armed("A");

    cluster.admin.delete(STOPS).succeeded();

    assertThat(cluster.read().view("A")).isInstanceOf(StopView.Stopped.class);
  }

  @Test
  void a_stop_needs_no_word_of_why_and_what_stays_closed_can_be_written_by_whoever_may() {
    cluster.missing();
    cluster.operator.post(STOPS, stop("", "")).succeeded();

    merge(cluster.responder, "{\"data\":{\"A\":\"stop\",\"all\":\"go\"}}");
    merge(cluster.responder, "{\"data\":{\"A\":\"go\",\"all\":\"no\"}}");
    merge(cluster.responder, "{\"data\":{\"all\":\"no\",\"notes\":\"who did this?\"}}");

    assertThat(cluster.read().view("A")).isInstanceOf(StopView.Stopped.class);
  }

  // --- what is an arming
  // --------------------------------------------------------------------------

  static Stream<Arguments> an_arming_needs_the_right_and_a_reason() {
    String a = "\"A\":\"go\"";
    return Stream.of(
        arming("a key set to go", stop("", "\"A\":\"stop\""), stop("", a)),
        arming("a key added", stop("", "\"B\":\"stop\""), stop("", "\"B\":\"stop\"," + a)),
        arming("all removed", stop("", a + ",\"all\":\"stop\""), stop("", a)),
        arming("ALL removed", stop("", a + ",\"ALL\":\"stop\",\"all\":\"go\""), stop("", a)),
        arming("all set to go", stop("", a + ",\"all\":\"\""), stop("", a + ",\"all\":\"go\"")),
        arming(
            "binaryData removed",
            stop("", a).replace("\"data\"", "\"binaryData\":{\"x\":\"AA==\"},\"data\""),
            stop("", a)),
        arming("keys removed", stop("", many("T%s", "x", 500) + "," + a), stop("", a)),
        arming(
            "stops one, arms another",
            stop("", "\"A\":\"no\",\"B\":\"stop\""),
            stop("", a + ",\"B\":\"stop\",\"all\":\"go\"")),
        arming("the ConfigMap created anew", null, stop("", a)));
  }

  private static Arguments arming(String name, String before, String after) {
    return Arguments.of(name, before, after);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void an_arming_needs_the_right_and_a_reason(String name, String before, String after) {
    cluster.missing();
    if (before != null) {
      cluster.admin.post(STOPS, before).succeeded();
    }
    String reasoned = after.replace("\"annotations\":{", "\"annotations\":{" + REASON);
    String blank =
        after.replace("\"annotations\":{", "\"annotations\":{\"andon.dev/arm-reason\":\" \\n\"");

    assertThat(write(cluster.responder, before, reasoned).refusedBy(GUARD).message())
        .contains("A go", "resume", "rita");
    assertThat(write(cluster.armer, before, after).refusedBy(GUARD).message())
        .contains("andon.dev/arm-reason");
    write(cluster.armer, before, blank).refusedBy(GUARD);
    assertThat(cluster.read().view("A")).isInstanceOf(StopView.Stopped.class);

    write(cluster.armer, before, reasoned).succeeded();
    assertThat(cluster.read().view("A")).isInstanceOf(StopView.Open.class);
  }

  private static Api.Answer write(Api by, String before, String after) {
    return before == null ? by.post(STOPS, after) : by.put(STOP, after);
  }

  @Test
  void every_way_to_patch_is_an_arming_too() {
    cluster.armed();
    String annotated =
        "{\"metadata\":{\"annotations\":{%s}},\"data\":{\"A\":\"go\"}}".formatted(REASON);

    for (String type : List.of(Api.MERGE, Api.STRATEGIC)) {
      cluster.responder.patch(STOP, type, annotated).refusedBy(GUARD);
    }
    cluster
        .responder
        .patch(
            STOP, Api.JSON_PATCH, "[{\"op\":\"add\",\"path\":\"/data\",\"value\":{\"A\":\"go\"}}]")
        .refusedBy(GUARD);
    cluster
        .responder
        .patch(STOP + "?fieldManager=rita&force=true", Api.APPLY, stop(REASON, "\"A\":\"go\""))
        .refusedBy(GUARD);
    assertThat(cluster.read().view("A")).isInstanceOf(StopView.Stopped.class);
  }

  @Test
  void whoever_only_creates_workflows_may_neither_stop_nor_arm() {
    cluster.armed("A");
    try (Api nobody = cluster.as("nina")) {
      assertThat(nobody.patch(STOP, Api.MERGE, "{\"data\":{\"A\":\"stop\"}}").code())
          .isEqualTo(403);
    }
    assertThat(cluster.read().view("A")).isInstanceOf(StopView.Open.class);
  }

  @Test
  void a_configmap_of_that_name_elsewhere_and_another_in_that_namespace_are_nobodys_business()
      throws Exception {
    String elsewhere = "/api/v1/namespaces/%s/configmaps".formatted(cluster.freshNamespace());
    String body = "{\"metadata\":{\"name\":\"emergency-stop\"},\"data\":{\"A\":\"go\"}}";

    JsonNode created = cluster.admin.post(elsewhere, body).succeeded().body();
    assertThat(armingIds(created).size()).isZero();
    cluster.admin.post(STOPS + "?dryRun=All", body.replace("emergency-stop", "other")).succeeded();
  }

  // --- ids
  // ----------------------------------------------------------------------------------------

  @Test
  void every_arming_has_an_id_of_its_own() {
    cluster.armed("A");
    Set<String> seen = new HashSet<>();
    seen.add(idOf("A"));

    for (int i = 0; i < 10; i++) {
      merge(cluster.responder, "{\"data\":{\"A\":\"stop\"}}");
      assertThat(armingIds(cluster.admin.get(STOP).body()).size()).isZero();
      merge(cluster.armer, "{\"data\":{\"A\":\"go\"}}");
      assertThat(seen.add(idOf("A"))).as("new: %s among %s", idOf("A"), seen).isTrue();
    }
  }

  @Test
  void a_configmap_created_anew_has_another_uid() {
    JsonNode first = cluster.armed("A");
    JsonNode second = cluster.armed("A");

    assertThat(second.at("/metadata/uid")).isNotEqualTo(first.at("/metadata/uid"));
    assertThat(idOf("A")).isNotEmpty();
  }

  @Test
  void what_stays_open_keeps_its_id_whatever_the_client_does_to_it() {
    cluster.armed("A");
    merge(cluster.armer, "{\"data\":{\"B\":\"go\"}}");
    String a = idOf("A");
    String b = idOf("B");
    assertThat(a).isNotEmpty().isNotEqualTo(b);

    // When annotations are dropped, removed, or made up
    cluster.responder.put(STOP, stop("", "\"A\":\"go\",\"B\":\"go\"")).succeeded();
    merge(cluster.responder, "{\"metadata\":{\"annotations\":null}}");
    merge(cluster.responder, "{\"metadata\":{\"annotations\":{\"arming.andon.dev/A\":\"mine\"}}}");
    cluster
        .responder
        .patch(
            STOP,
            Api.JSON_PATCH,
            "[{\"op\":\"remove\",\"path\":\"/metadata/annotations/arming.andon.dev~1B\"}]")
        .succeeded();
    cluster
        .responder
        .patch(
            STOP + "?fieldManager=rita&force=true",
            Api.APPLY,
            stop("\"arming.andon.dev/A\":\"mine\"", "\"A\":\"go\",\"B\":\"go\""))
        .succeeded();

    // Then
    assertThat(idOf("A")).isEqualTo(a);
    assertThat(idOf("B")).isEqualTo(b);
  }

  @Test
  void an_old_id_cannot_be_kept_across_a_stop() {
    cluster.armed("A");
    String old = idOf("A");

    cluster
        .armer
        .put(STOP, stop("\"arming.andon.dev/A\":\"%s\"".formatted(old), "\"A\":\"stop\""))
        .succeeded();
    cluster
        .armer
        .put(STOP, stop(REASON + ",\"arming.andon.dev/A\":\"%s\"".formatted(old), "\"A\":\"go\""))
        .succeeded();

    assertThat(idOf("A")).isNotEqualTo(old);
  }

  @Test
  void not_even_among_more_annotations_than_can_be_looked_at() {
    cluster.armed("A");
    String old = "\"arming.andon.dev/A\":\"%s\"".formatted(idOf("A"));
    String stuffing = many("x.%s", "", 30_000);

    cluster.armer.put(STOP, stop(old + "," + stuffing, "\"A\":\"stop\"")).succeeded();
    cluster.armer.put(STOP, stop(REASON + "," + old + "," + stuffing, "\"A\":\"go\"")).succeeded();

    assertThat(idOf("A")).isEmpty();
  }

  @Test
  void all_stopped_and_let_go_is_another_arming_of_each() {
    cluster.armed("A", "B");
    merge(cluster.responder, "{\"data\":{\"all\":\"stop\"}}");
    merge(cluster.armer, "{\"data\":{\"all\":null}}");

    assertThat(idOf("A")).isNotEqualTo("created");
    assertThat(idOf("B")).isNotEqualTo("created");
  }

  @Test
  void longest_type_and_odd_keys_break_nothing() {
    String longest = "A".repeat(63);
    JsonNode armed =
        cluster.armed(longest, "a.b_c-D", "-x", "_", "x-", "B".repeat(64), "C".repeat(253), "All");

    Map<String, String> ids = new TreeMap<>();
    armingIds(armed).fields().forEachRemaining(id -> ids.put(id.getKey(), id.getValue().asText()));
    assertThat(ids).containsOnlyKeys(longest, "a.b_c-D");
  }

  @Test
  void five_hundred_types_have_an_id_each() {
    String data =
        IntStream.range(0, 500)
            .mapToObj(i -> "\"%s%03d\":\"go\"".formatted("T".repeat(60), i))
            .collect(Collectors.joining(","));
    cluster.missing();

    JsonNode armed = cluster.admin.post(STOPS, stop(REASON, data)).succeeded().body();

    assertThat(armingIds(armed).size()).isEqualTo(500);
  }

  /**
   * Random histories of the ConfigMap by three people, against what this test holds to be right.
   */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void any_history_has_the_armings_and_ids_it_should(long seed) {
    Random random = new Random(seed);
    List<String> types = List.of("A", "B", "C", "Z".repeat(63));
    List<String> keys = Stream.concat(types.stream(), Stream.of("all", "All", "-x")).toList();
    List<String> values = Arrays.asList("go", "go", "go", "stop", "Go", null);
    cluster.missing();
    ConfigMap now = null;
    Map<String, String> ids = new TreeMap<>();
    Set<String> used = new HashSet<>();

    for (int step = 0; step < 60; step++) {
      ConfigMap next = next(now, random, keys, values);
      boolean reason = random.nextInt(4) > 0;
      boolean mayArm = random.nextBoolean();
      Map<String, String> annotations = new HashMap<>();
      if (reason) {
        annotations.put("andon.dev/arm-reason", "seed " + seed);
      }
      if (random.nextInt(3) == 0) {
        // Whatever a client makes of them, old ones among them
        types.forEach(
            type ->
                annotations.put(
                    EmergencyStop.ARMING + type,
                    used.stream().skip(random.nextInt(used.size() + 1)).findFirst().orElse("x")));
      }
      next.getMetadata().setAnnotations(annotations);
      Set<String> before = now == null ? Set.of() : open(now, types);
      Set<String> after = open(next, types);
      Set<String> armed = new TreeSet<>(after);
      armed.removeAll(before);
      String what =
          "seed %d step %d: %s -> %s, arms %s".formatted(seed, step, before, next.getData(), armed);

      String body = Serialization.asJson(next);
      Api by = mayArm ? cluster.armer : cluster.responder;
      Api.Answer answer = now == null ? by.post(STOPS, body) : by.put(STOP, body);

      boolean expected = armed.isEmpty() || (mayArm && reason);
      assertThat(answer.accepted()).as("%s: %s", what, answer.message()).isEqualTo(expected);
      if (!expected) {
        continue;
      }
      if (now == null) {
        used.clear();
        ids.clear();
      }
      Map<String, String> got = new TreeMap<>();
      armingIds(answer.body())
          .fields()
          .forEachRemaining(id -> got.put(id.getKey(), id.getValue().asText()));
      assertThat(got.keySet()).as(what).isEqualTo(after);
      for (String type : after) {
        if (armed.contains(type)) {
          assertThat(used).as("%s: %s anew", what, type).doesNotContain(got.get(type) + type);
        } else {
          assertThat(got).as(what).containsEntry(type, ids.get(type));
        }
      }
      got.forEach((type, id) -> used.add(id + type));
      ids.clear();
      ids.putAll(got);
      now = Serialization.unmarshal(answer.body().toString(), ConfigMap.class);
      if (random.nextInt(12) == 0) {
        cluster.responder.delete(STOP).succeeded();
        now = null;
      }
    }
  }

  private static ConfigMap next(
      ConfigMap now, Random random, List<String> keys, List<String> values) {
    Map<String, String> data =
        new HashMap<>(now == null || now.getData() == null ? Map.of() : now.getData());
    Map<String, String> binary =
        new HashMap<>(now == null || now.getBinaryData() == null ? Map.of() : now.getBinaryData());
    if (data.size() > 100) {
      data.keySet().removeIf(key -> key.startsWith("k"));
    }
    for (int i = random.nextInt(3); i >= 0; i--) {
      String value = values.get(random.nextInt(values.size()));
      String key = keys.get(random.nextInt(keys.size()));
      if (value == null) {
        data.remove(key);
      } else {
        data.put(key, value);
      }
    }
    switch (random.nextInt(12)) {
      case 0 -> binary.put("x", "AA==");
      case 1, 2, 3 -> binary.clear();
      case 4 -> data.putAll(StopShapes.keys(500));
      default -> {}
    }
    return new ConfigMapBuilder()
        .withNewMetadata()
        .withNamespace(EmergencyStop.NAMESPACE)
        .withName(EmergencyStop.NAME)
        .endMetadata()
        .withData(data)
        .withBinaryData(binary)
        .build();
  }

  private static Set<String> open(ConfigMap configMap, List<String> types) {
    EmergencyStop stop = EmergencyStop.of(configMap);
    return types.stream()
        .filter(type -> stop.view(type) instanceof StopView.Open)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static String many(String key, String value, int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> "\"%s\":\"%s\"".formatted(key.formatted(Integer.toString(i, 36)), value))
        .collect(Collectors.joining(","));
  }

  private static void merge(Api api, String patch) {
    api.patch(STOP, Api.MERGE, patch).succeeded();
  }

  private static String idOf(String type) {
    return armingIds(cluster.admin.get(STOP).body()).path(type).asText();
  }
}
