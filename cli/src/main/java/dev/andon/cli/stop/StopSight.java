package dev.andon.cli.stop;

import dev.andon.operator.stop.EmergencyStop;
import dev.andon.operator.stop.StopView;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ManagedFieldsEntry;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What the ConfigMap says, by the operator's own rules, and who said it. */
public final class StopSight {
  public static final String ARM_REASON = "andon.dev/arm-reason";

  private final ConfigMap map;
  private final EmergencyStop stop;

  /** Who wrote a key last, as far as the API server knows. */
  public record Writer(String manager, @Nullable Instant time) {}

  public StopSight(ConfigMap map) {
    this.map = map;
    this.stop = EmergencyStop.of(map);
  }

  public boolean isOpen(String type) {
    return stop.view(type) instanceof StopView.Open;
  }

  /** What closes every type whatever the keys say, in words in parentheses. */
  public Optional<String> fault() {
    return stop.fault();
  }

  public String resourceVersion() {
    return Objects.requireNonNullElse(map.getMetadata().getResourceVersion(), "");
  }

  /** The key {@code all}, as it is spelt, that closes every type; empty if none does. */
  public Optional<String> closedByAll() {
    return stop.closedByAll();
  }

  /** That key and its value, as {@code all is "stop"}. */
  public Optional<String> allStops() {
    return closedByAll().map(key -> "%s is \"%s\"".formatted(key, valueOf(key)));
  }

  /** The value of a key, fit to print. */
  String valueOf(String key) {
    return Printable.line(data().getOrDefault(key, ""), 60);
  }

  /** Every key {@code all}, in whatever case, that is not {@code go}. */
  SortedSet<String> allKeysThatClose() {
    SortedSet<String> keys = new TreeSet<>();
    data()
        .forEach(
            (key, value) -> {
              if (EmergencyStop.isAll(key) && !EmergencyStop.GO.equals(value)) {
                keys.add(key);
              }
            });
    return keys;
  }

  /** Types whose key is {@code go}, whether or not something else closes them. */
  SortedSet<String> going() {
    SortedSet<String> types = new TreeSet<>();
    data()
        .forEach(
            (key, value) -> {
              if (EmergencyStop.GO.equals(value) && !EmergencyStop.isAll(key)) {
                types.add(key);
              }
            });
    return types;
  }

  /** Types whose key is there and not {@code go}, with its value. */
  TreeMap<String, String> stopped() {
    TreeMap<String, String> types = new TreeMap<>();
    data()
        .forEach(
            (key, value) -> {
              if (!EmergencyStop.GO.equals(value) && !EmergencyStop.isAll(key)) {
                types.put(Printable.line(key, 63), Printable.line(value, 60));
              }
            });
    return types;
  }

  Optional<String> annotation(String name) {
    return Optional.ofNullable(map.getMetadata().getAnnotations())
        .map(annotations -> annotations.get(name))
        .filter(text -> !text.isBlank())
        .map(text -> Printable.line(text, 300));
  }

  Optional<Writer> writer(String key) {
    Writer newest = null;
    List<ManagedFieldsEntry> managed =
        Objects.requireNonNullElse(map.getMetadata().getManagedFields(), List.of());
    for (ManagedFieldsEntry entry : managed) {
      if (!owns(entry, key)) {
        continue;
      }
      Instant time = Workflows.time(Objects.requireNonNullElse(entry.getTime(), ""));
      boolean newer =
          newest == null
              || (time != null && (newest.time() == null || !time.isBefore(newest.time())));
      if (newer) {
        newest =
            new Writer(
                Printable.line(Objects.requireNonNullElse(entry.getManager(), "?"), 60), time);
      }
    }
    return Optional.ofNullable(newest);
  }

  private Map<String, String> data() {
    return Objects.requireNonNullElse(map.getData(), Map.of());
  }

  private static boolean owns(ManagedFieldsEntry entry, String key) {
    return entry.getFieldsV1() != null
        && entry.getFieldsV1().getAdditionalProperties().get("f:data") instanceof Map<?, ?> data
        && data.containsKey("f:" + key);
  }
}
