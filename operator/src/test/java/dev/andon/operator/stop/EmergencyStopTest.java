package dev.andon.operator.stop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.WorkflowStatus.StoppedBy;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.FieldsV1;
import io.fabric8.kubernetes.api.model.ManagedFieldsEntry;
import io.fabric8.kubernetes.api.model.ManagedFieldsEntryBuilder;
import java.util.HashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class EmergencyStopTest {
  private static final String TYPE = "SatelliteDiskErase";

  static Stream<Arguments> everything_but_go_is_a_stop() {
    Map<String, String> manyKeys = keys(500);
    manyKeys.put(TYPE, "go");
    Map<String, String> sixtyThousand = keys(60_000);
    sixtyThousand.put(TYPE, "go");
    return Stream.of(
        Arguments.of("no data", configMap(b -> b.withData(null)), TYPE, "(no such key)"),
        Arguments.of("empty data", configMap(b -> b), TYPE, "(no such key)"),
        Arguments.of(
            "other keys only", configMap(b -> b.addToData("Other", "go")), TYPE, "(no such key)"),
        Arguments.of(
            "the key in another case",
            configMap(b -> b.addToData("satellitediskerase", "go")),
            TYPE,
            "(no such key)"),
        Arguments.of("stop", configMap(b -> b.addToData(TYPE, "stop")), TYPE, "stop"),
        Arguments.of("Go", configMap(b -> b.addToData(TYPE, "Go")), TYPE, "Go"),
        Arguments.of("go and a space", configMap(b -> b.addToData(TYPE, "go ")), TYPE, "go "),
        Arguments.of(
            "go and a newline", configMap(b -> b.addToData(TYPE, "go\n")), TYPE, "go\\u000a"),
        Arguments.of("an empty value", configMap(b -> b.addToData(TYPE, "")), TYPE, ""),
        Arguments.of(
            "a null value",
            configMap(
                b -> {
                  Map<String, String> data = new HashMap<>();
                  data.put(TYPE, null);
                  return b.withData(data);
                }),
            TYPE,
            ""),
        Arguments.of(
            "all: stop",
            configMap(b -> b.addToData(TYPE, "go").addToData("all", "stop")),
            "all",
            "stop"),
        Arguments.of(
            "all: empty", configMap(b -> b.addToData(TYPE, "go").addToData("all", "")), "all", ""),
        Arguments.of(
            "all: Go", configMap(b -> b.addToData(TYPE, "go").addToData("all", "Go")), "all", "Go"),
        Arguments.of(
            "all: go, and no key for the type",
            configMap(b -> b.addToData("all", "go")),
            TYPE,
            "(no such key)"),
        Arguments.of(
            "binaryData",
            configMap(b -> b.addToData(TYPE, "go").addToBinaryData("x", "AA==")),
            TYPE,
            "(the ConfigMap has binaryData)"),
        Arguments.of(
            "immutable",
            configMap(b -> b.addToData(TYPE, "go").withImmutable(true)),
            TYPE,
            "(the ConfigMap is immutable)"),
        Arguments.of(
            "501 keys",
            configMap(b -> b.withData(manyKeys)),
            TYPE,
            "(the ConfigMap has 501 keys, at most 500)"),
        Arguments.of(
            "60,001 keys",
            configMap(b -> b.withData(sixtyThousand)),
            TYPE,
            "(the ConfigMap has 60001 keys, at most 500)"),
        Arguments.of(
            "900 KiB of garbage",
            configMap(b -> b.addToData(TYPE, "go\u0000x".repeat(230_400))),
            TYPE,
            "go\\u0000x".repeat(7)),
        Arguments.of(
            "being deleted",
            configMap(
                b ->
                    b.addToData(TYPE, "go")
                        .editMetadata()
                        .withDeletionTimestamp("2026-11-22T08:00:00Z")
                        .endMetadata()),
            TYPE,
            "(the ConfigMap is being deleted)"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void everything_but_go_is_a_stop(String name, ConfigMap configMap, String key, String value) {
    StopView view = EmergencyStop.of(configMap).view(TYPE);

    StoppedBy by = stoppedBy(view);
    assertThat(by.key()).isEqualTo(key);
    assertThat(by.value()).startsWith(value).hasSizeLessThanOrEqualTo(64);
    if (value.length() < 50) {
      assertThat(by.value()).isEqualTo(value);
    }
    assertThat(by.configMapResourceVersion()).isEqualTo("42");
  }

  static Stream<StopShapes.Shape> every_shape_is_open_or_is_not() {
    return StopShapes.all();
  }

  /** The API server's judgement of the same shapes: SecondLayerIT. */
  @ParameterizedTest
  @MethodSource
  void every_shape_is_open_or_is_not(StopShapes.Shape shape) {
    assertThat(EmergencyStop.of(shape.configMap()).view(StopShapes.TYPE) instanceof StopView.Open)
        .isEqualTo(shape.open());
  }

  @Test
  void missing_is_a_stop() {
    assertThat(stoppedBy(EmergencyStop.missing().view(TYPE)))
        .isEqualTo(new StoppedBy(TYPE, "(the ConfigMap is missing)", null, null, null));
  }

  @Test
  void deleted_is_a_stop_even_if_it_said_go_until_then() {
    ConfigMap open = configMap(b -> b.addToData(TYPE, "go"));

    assertThat(stoppedBy(EmergencyStop.deleted(open).view(TYPE)).value())
        .isEqualTo("(the ConfigMap was deleted)");
  }

  @Test
  void a_configmap_without_metadata_is_no_reason_to_break() {
    ConfigMap bare = new ConfigMapBuilder().build();

    assertThat(EmergencyStop.of(bare).view(TYPE)).isInstanceOf(StopView.Stopped.class);
  }

  @Test
  void go_for_the_type_is_open_for_it_alone() {
    EmergencyStop stop =
        EmergencyStop.of(
            configMap(
                b ->
                    b.addToData(TYPE, "go")
                        .editMetadata()
                        .addToAnnotations("arming.andon.dev/" + TYPE, "a-7")
                        .endMetadata()));

    assertThat(stop.view(TYPE)).isEqualTo(new StopView.Open("uid-1", "a-7", "42"));
    assertThat(stop.view("Other")).isInstanceOf(StopView.Stopped.class);
  }

  @Test
  void all_go_in_any_case_and_the_type_go_is_open() {
    EmergencyStop stop =
        EmergencyStop.of(
            configMap(b -> b.addToData(TYPE, "go").addToData("all", "go").addToData("All", "go")));

    assertThat(stop.view(TYPE)).isEqualTo(new StopView.Open("uid-1", "", "42"));
    assertThat(stop.closedByAll()).isEmpty();
    assertThat(stop.says()).isEqualTo("open: " + TYPE);
  }

  @ParameterizedTest
  @ValueSource(strings = {"all", "All", "ALL", "aLl", "alL", "AlL", "ALl", "aLL"})
  void all_in_any_case_closes_every_type_and_is_named_as_it_is_spelt(String all) {
    EmergencyStop stop =
        EmergencyStop.of(configMap(b -> b.addToData(TYPE, "go").addToData(all, "stop")));

    assertThat(stop.view(TYPE))
        .isInstanceOfSatisfying(
            StopView.Stopped.class,
            stopped -> {
              assertThat(stopped.by().key()).isEqualTo(all);
              assertThat(stopped.by().value()).isEqualTo("stop");
            });
    assertThat(stop.closedByAll()).contains(all);
    assertThat(stop.says()).isEqualTo("nothing is open, %s is \"stop\"".formatted(all));
  }

  @Test
  void of_several_that_close_every_type_the_usual_spelling_is_named() {
    EmergencyStop stop =
        EmergencyStop.of(
            configMap(
                b ->
                    b.addToData(TYPE, "go")
                        .addToData("ALL", "stop")
                        .addToData("all", "no")
                        .addToData("All", "x")));

    assertThat(stop.closedByAll()).contains("all");
  }

  @Test
  void exactly_500_keys_are_allowed_and_empty_binary_data_is_none() {
    Map<String, String> keys = keys(499);
    keys.put(TYPE, "go");

    assertThat(
            EmergencyStop.of(
                    configMap(b -> b.withData(keys).withBinaryData(Map.of()).withImmutable(false)))
                .view(TYPE))
        .isInstanceOf(StopView.Open.class);
  }

  @Test
  void all_is_never_a_type() {
    EmergencyStop stop =
        EmergencyStop.of(configMap(b -> b.addToData("all", "go").addToData("All", "go")));

    assertThat(stop.view("all")).isInstanceOf(StopView.Stopped.class);
    assertThat(stop.view("All")).isInstanceOf(StopView.Stopped.class);
  }

  @Test
  void a_stop_names_its_key_its_reason_and_the_newest_manager_of_that_key() {
    EmergencyStop stop =
        EmergencyStop.of(
            configMap(
                b ->
                    b.addToData(TYPE, "stop")
                        .addToData("Other", "halt")
                        .editMetadata()
                        .addToAnnotations(
                            "andon.dev/stop-reason", "smoke\nin hall 3 " + "x".repeat(400))
                        .addToManagedFields(
                            manages("kubectl-create", "2026-11-22T08:00:00Z", TYPE),
                            manages("responder", "2026-11-22T09:00:00Z", TYPE),
                            manages("elsewhere", "2026-11-22T10:00:00Z", "Other"))
                        .endMetadata()));

    StoppedBy by = stoppedBy(stop.view(TYPE));

    assertThat(by.manager()).isEqualTo("responder");
    assertThat(by.reason()).startsWith("smoke\\u000ain hall 3 xxx").endsWith("…").hasSize(256);
    assertThat(stoppedBy(stop.view("Other")).manager()).isEqualTo("elsewhere");
    assertThat(stoppedBy(stop.view("Third")).manager()).isNull();
  }

  @Test
  void what_is_printed_moves_no_cursor_and_is_bounded() {
    assertThat(EmergencyStop.printable("\u001b[2Jgo\u202e", 64)).isEqualTo("\\u001b[2Jgo\\u202e");
    assertThat(EmergencyStop.printable("x".repeat(64), 64)).isEqualTo("x".repeat(64));
    assertThat(EmergencyStop.printable("x".repeat(65), 64)).isEqualTo("x".repeat(63) + "…");
    assertThat(EmergencyStop.printable("\ud83d", 64)).isEqualTo("\\ud83d");
    assertThat(EmergencyStop.printable("🛑".repeat(40), 64)).isEqualTo("🛑".repeat(31) + "…");
  }

  private static StoppedBy stoppedBy(StopView view) {
    assertThat(view).isInstanceOf(StopView.Stopped.class);
    return ((StopView.Stopped) view).by();
  }

  private static Map<String, String> keys(int count) {
    Map<String, String> keys = new HashMap<>();
    IntStream.range(0, count).forEach(i -> keys.put("key-" + i, "go"));
    return keys;
  }

  private static ManagedFieldsEntry manages(String manager, String time, String key) {
    FieldsV1 fields = new FieldsV1();
    fields.setAdditionalProperty("f:data", Map.of(".", Map.of(), "f:" + key, Map.of()));
    return new ManagedFieldsEntryBuilder()
        .withManager(manager)
        .withTime(time)
        .withFieldsV1(fields)
        .build();
  }

  private static ConfigMap configMap(UnaryOperator<ConfigMapBuilder> with) {
    return with.apply(
            new ConfigMapBuilder()
                .withNewMetadata()
                .withNamespace("andon-stop")
                .withName("emergency-stop")
                .withUid("uid-1")
                .withResourceVersion("42")
                .endMetadata())
        .build();
  }

  static Stream<Arguments> closings() {
    EmergencyStop none = EmergencyStop.missing();
    EmergencyStop empty = of(Map.of());
    EmergencyStop armed = of(Map.of("A", "go", "B", "go"));
    EmergencyStop stopped = of(Map.of("A", "stop", "B", "go"));
    EmergencyStop all = of(Map.of("A", "stop", "B", "go", "All", "stop"));
    return Stream.of(
        Arguments.of("armed, and nothing seen before", null, armed, false),
        Arguments.of("all: go is no closing", null, of(Map.of("A", "go", "all", "go")), false),
        Arguments.of("stopped, and nothing seen before", null, stopped, true),
        Arguments.of("all stopped, and nothing seen before", null, all, true),
        Arguments.of("empty, and nothing seen before", null, empty, true),
        Arguments.of("missing, and nothing seen before", null, none, true),
        Arguments.of("a type is stopped", armed, stopped, true),
        Arguments.of("a key is taken away", armed, of(Map.of("A", "go")), true),
        Arguments.of("all, where one was stopped", stopped, all, true),
        Arguments.of(
            "a stop that says something else", stopped, of(Map.of("A", "no", "B", "go")), true),
        Arguments.of("deleted", armed, none, true),
        Arguments.of("deleted, where nothing was open", empty, none, true),
        Arguments.of("created empty after it was deleted", none, empty, false),
        Arguments.of("armed again", stopped, armed, false),
        Arguments.of("all taken away", all, stopped, false),
        Arguments.of(
            "another is armed", stopped, of(Map.of("A", "stop", "B", "go", "C", "go")), false),
        Arguments.of("the same", stopped, of(Map.of("A", "stop", "B", "go")), false));
  }

  private static EmergencyStop of(Map<String, String> data) {
    return EmergencyStop.of(configMap(b -> b.withData(data)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void closings(String what, EmergencyStop before, EmergencyStop now, boolean closes) {
    assertThat(now.closesMoreThan(before)).isEqualTo(closes);
  }

  @Test
  void open_are_the_types_that_say_go_and_none_where_all_or_a_fault_closes_them() {
    assertThat(of(Map.of("A", "go", "B", "stop", "all", "go")).openTypes()).containsExactly("A");
    assertThat(of(Map.of("A", "go", "ALL", "stop")).openTypes()).isEmpty();
    assertThat(EmergencyStop.missing().openTypes()).isEmpty();
  }
}
