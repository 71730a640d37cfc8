package dev.andon.operator.stop;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import java.util.HashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * ConfigMaps, and whether they are open for {@link #TYPE}: one table for both judges, the
 * operator's own and the API server's admission policies.
 */
public final class StopShapes {
  public static final String TYPE = "SatelliteDiskErase";

  /** As an API server takes it. */
  public record Shape(String name, ConfigMap configMap, boolean open) {
    @Override
    public String toString() {
      return name;
    }
  }

  private StopShapes() {}

  public static Stream<Shape> all() {
    return Stream.of(
        open("go", b -> b.addToData(TYPE, "go")),
        open("go, and all: go", b -> b.addToData(TYPE, "go").addToData("all", "go")),
        open(
            "go, and all in every case go",
            b -> b.addToData(TYPE, "go").addToData("All", "go").addToData("aLL", "go")),
        open(
            "go, and keys that only contain all",
            b -> b.addToData(TYPE, "go").addToData("Alle", "stop").addToData("all.", "stop")),
        open("go, and another stopped", b -> b.addToData(TYPE, "go").addToData("Other", "stop")),
        open("go, and immutable: false", b -> b.addToData(TYPE, "go").withImmutable(false)),
        open("go, and empty binaryData", b -> b.addToData(TYPE, "go").withBinaryData(Map.of())),
        open("go among 500 keys", b -> b.withData(keys(499)).addToData(TYPE, "go")),
        open(
            "go beside 900 KiB of something else",
            b -> b.addToData(TYPE, "go").addToData("notes", "x".repeat(900 << 10))),
        open(
            "go beside keys that are no type",
            b ->
                b.addToData(TYPE, "go")
                    .addToData("-x", "go")
                    .addToData("_", "go")
                    .addToData("x".repeat(253), "go")),
        stopped("no data", b -> b),
        stopped("other keys only", b -> b.addToData("Other", "go")),
        stopped("the key in another case", b -> b.addToData("satellitediskerase", "go")),
        stopped("stop", b -> b.addToData(TYPE, "stop")),
        stopped("Go", b -> b.addToData(TYPE, "Go")),
        stopped("go and a space", b -> b.addToData(TYPE, "go ")),
        stopped("go and a newline", b -> b.addToData(TYPE, "go\n")),
        stopped("gogo", b -> b.addToData(TYPE, "gogo")),
        stopped("an empty value", b -> b.addToData(TYPE, "")),
        stopped("900 KiB of garbage", b -> b.addToData(TYPE, "go x".repeat(230_400))),
        stopped("all: stop", b -> b.addToData(TYPE, "go").addToData("all", "stop")),
        stopped("all: empty", b -> b.addToData(TYPE, "go").addToData("all", "")),
        stopped("all: Go", b -> b.addToData(TYPE, "go").addToData("all", "Go")),
        stopped("All: stop", b -> b.addToData(TYPE, "go").addToData("All", "stop")),
        stopped("ALL: empty", b -> b.addToData(TYPE, "go").addToData("ALL", "")),
        stopped(
            "all: go, and aLl: Go",
            b -> b.addToData(TYPE, "go").addToData("all", "go").addToData("aLl", "Go")),
        stopped("all: go, and no key for the type", b -> b.addToData("all", "go")),
        stopped(
            "go, but in binaryData", b -> b.addToBinaryData(TYPE, "Z28=").addToData("Other", "go")),
        stopped("go, and binaryData", b -> b.addToData(TYPE, "go").addToBinaryData("x", "AA==")),
        stopped("go, and immutable", b -> b.addToData(TYPE, "go").withImmutable(true)),
        stopped("go among 501 keys", b -> b.withData(keys(500)).addToData(TYPE, "go")),
        stopped("go among 60,001 keys", b -> b.withData(keys(60_000)).addToData(TYPE, "go")));
  }

  public static Map<String, String> keys(int count) {
    Map<String, String> keys = new HashMap<>();
    IntStream.range(0, count).forEach(i -> keys.put("k" + Integer.toString(i, 36), "go"));
    return keys;
  }

  private static Shape open(String name, UnaryOperator<ConfigMapBuilder> with) {
    return new Shape(name, configMap(with), true);
  }

  private static Shape stopped(String name, UnaryOperator<ConfigMapBuilder> with) {
    return new Shape(name, configMap(with), false);
  }

  private static ConfigMap configMap(UnaryOperator<ConfigMapBuilder> with) {
    return with.apply(
            new ConfigMapBuilder()
                .withNewMetadata()
                .withNamespace(EmergencyStop.NAMESPACE)
                .withName(EmergencyStop.NAME)
                .endMetadata())
        .build();
  }
}
