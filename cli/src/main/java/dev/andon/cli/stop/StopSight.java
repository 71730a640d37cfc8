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

  /** Value of {@code all} unless it is {@code go}. */
  public Optional<String> allStops() {
    String all = data().get(EmergencyStop.ALL);
    return all == null || all.equals(EmergencyStop.GO)
        ? Optional.empty()
        : Optional.of(Printable.line(all, 60));
  }

  /** Types whose key is {@code go}, whether or not something else closes them. */
  SortedSet<String> going() {
    SortedSet<String> types = new TreeSet<>();
    data()
        .forEach(
            (key, value) -> {
              if (EmergencyStop.GO.equals(value) && !isAll(key)) {
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
              if (!EmergencyStop.GO.equals(value) && !isAll(key)) {
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

  private static boolean isAll(String key) {
    return key.equals(EmergencyStop.ALL);
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
