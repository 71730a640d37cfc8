package dev.andon.operator.stop;

import dev.andon.crds.WorkflowStatus.StoppedBy;
import dev.andon.operator.cluster.Revision;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.FieldsV1;
import io.fabric8.kubernetes.api.model.ManagedFieldsEntry;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What one sight of ConfigMap {@code emergency-stop} says of every workflow type.
 *
 * <p>Open for a type is: the ConfigMap exists, is not being deleted, is not immutable, has no
 * binaryData and at most 500 keys; its key for the type is exactly {@code go}; {@code all}, in any
 * case of its letters, is absent or exactly {@code go}. Everything else is a stop seen.
 *
 * <p>Keeps only what a judgement needs, so that sights of a ConfigMap stuffed with a megabyte are
 * small. Immutable.
 */
public final class EmergencyStop {
  public static final String NAMESPACE = "andon-stop";
  public static final String NAME = "emergency-stop";

  /** The only value that opens. */
  public static final String GO = "go";

  /** The key that closes every type at once; in any case of its letters: {@link #isAll}. */
  public static final String ALL = "all";

  public static final int MAX_KEYS = 500;
  public static final String STOP_REASON = "andon.dev/stop-reason";

  /** Followed by the workflow type: the arming, written by an admission policy. */
  public static final String ARMING = "arming.andon.dev/";

  private static final int MAX_VALUE = 64;
  private static final int MAX_REASON = 256;
  private static final int MAX_SAID = 20;

  private final Sight sight;

  /** Closes every type, whatever the keys say; null when the keys decide. */
  private final @Nullable String fault;

  private final Set<String> open;

  /** Keys that are not {@code go}, with their value fit to print. */
  private final Map<String, String> closed;

  /** The key {@code all}, as it is spelt, that closes every type; null where there is none. */
  private final @Nullable String closedByAll;

  private final Map<String, String> managers;
  private final Map<String, String> armings;
  private final @Nullable String faultManager;
  private final @Nullable String reason;

  private EmergencyStop(
      Sight sight,
      @Nullable String fault,
      @Nullable String faultManager,
      Set<String> open,
      Map<String, String> closed,
      Map<String, String> managers,
      Map<String, String> armings,
      @Nullable String reason) {
    this.sight = sight;
    this.fault = fault;
    this.faultManager = faultManager;
    this.open = open;
    this.closed = closed;
    this.closedByAll =
        closed.keySet().stream()
            .filter(EmergencyStop::isAll)
            .max(Comparator.naturalOrder())
            .orElse(null);
    this.managers = managers;
    this.armings = armings;
    this.reason = reason;
  }

  /** The ConfigMap as it was read or as a watch event carried it. */
  public static EmergencyStop of(ConfigMap configMap) {
    return of(configMap, false);
  }

  /** A watch said that it was deleted; {@code last} carries the revision of the deletion. */
  public static EmergencyStop deleted(ConfigMap last) {
    return of(last, true);
  }

  /** The API server said that there is none. */
  public static EmergencyStop missing() {
    return faulty(Sight.MISSING, "(the ConfigMap is missing)", null, null);
  }

  private static EmergencyStop of(ConfigMap configMap, boolean deleted) {
    ObjectMeta meta = Objects.requireNonNullElseGet(configMap.getMetadata(), ObjectMeta::new);
    Map<String, String> data = Objects.requireNonNullElse(configMap.getData(), Map.of());
    List<ManagedFieldsEntry> managed =
        Objects.requireNonNullElse(meta.getManagedFields(), List.of());
    Map<String, String> annotations = Objects.requireNonNullElse(meta.getAnnotations(), Map.of());
    @Nullable String reason = annotations.get(STOP_REASON);
    reason = reason == null ? null : printable(reason, MAX_REASON);
    Sight sight =
        new Sight(
            Objects.requireNonNullElse(meta.getUid(), ""),
            Objects.requireNonNullElse(meta.getResourceVersion(), ""),
            deleted);

    if (deleted) {
      return faulty(sight, "(the ConfigMap was deleted)", null, reason);
    }
    if (meta.getDeletionTimestamp() != null) {
      return faulty(sight, "(the ConfigMap is being deleted)", null, reason);
    }
    if (Boolean.TRUE.equals(configMap.getImmutable())) {
      return faulty(
          sight, "(the ConfigMap is immutable)", lastManagerOf(managed, "f:immutable"), reason);
    }
    if (configMap.getBinaryData() != null && !configMap.getBinaryData().isEmpty()) {
      return faulty(
          sight, "(the ConfigMap has binaryData)", lastManagerOf(managed, "f:binaryData"), reason);
    }
    if (data.size() > MAX_KEYS) {
      return faulty(
          sight,
          "(the ConfigMap has %d keys, at most %d)".formatted(data.size(), MAX_KEYS),
          lastManagerOf(managed, "f:data"),
          reason);
    }

    Set<String> open = new HashSet<>();
    Map<String, String> closed = new HashMap<>();
    Map<String, String> managers = new HashMap<>();
    data.forEach(
        (key, value) -> {
          if (GO.equals(value)) {
            open.add(key);
            return;
          }
          closed.put(key, value == null ? "" : printable(value, MAX_VALUE));
          String manager = lastManagerOf(managed, "f:data", "f:" + key);
          if (manager != null) {
            managers.put(key, manager);
          }
        });
    Map<String, String> armings = new HashMap<>();
    annotations.forEach(
        (key, value) -> {
          if (key.startsWith(ARMING) && value != null) {
            armings.put(key.substring(ARMING.length()), value);
          }
        });
    return new EmergencyStop(sight, null, null, open, closed, managers, armings, reason);
  }

  private static EmergencyStop faulty(
      Sight sight, String fault, @Nullable String manager, @Nullable String reason) {
    return new EmergencyStop(sight, fault, manager, Set.of(), Map.of(), Map.of(), Map.of(), reason);
  }

  /**
   * Open or Stopped, never NotVisible. {@link StoppedBy#key} is the key that was not {@code go}:
   * {@code all} as it is spelt, or the type itself, also where the whole ConfigMap is at fault; its
   * value is then words in parentheses. Values are cut at 64 characters, the reason at 256, control
   * characters escaped.
   */
  public StopView view(String workflowType) {
    // No type is called so (a workflow of that type is invalid): its key means something else.
    if (fault == null && !isAll(workflowType)) {
      if (closedByAll != null) {
        return stopped(
            closedByAll, closed.getOrDefault(closedByAll, ""), managers.get(closedByAll));
      }
      if (open.contains(workflowType)) {
        return new StopView.Open(
            sight.uid(), armings.getOrDefault(workflowType, ""), sight.resourceVersion());
      }
      return stopped(
          workflowType,
          closed.getOrDefault(workflowType, "(no such key)"),
          managers.get(workflowType));
    }
    return stopped(workflowType, fault == null ? "(no workflow type)" : fault, faultManager);
  }

  /** Whether the key is {@code all}, in any case: it closes every type, and names none. */
  public static boolean isAll(String key) {
    return key.equalsIgnoreCase(ALL);
  }

  /**
   * The key that closes every type, as it is spelt, if there is one: {@code all} in any case, and
   * not {@code go}. Where there are several, the one with most small letters at its front.
   */
  public Optional<String> closedByAll() {
    return Optional.ofNullable(closedByAll);
  }

  /** The types that are open, no other than these. */
  public Set<String> openTypes() {
    return fault == null && closedByAll == null
        ? open.stream().filter(key -> !isAll(key)).collect(Collectors.toUnmodifiableSet())
        : Set.of();
  }

  /**
   * Whether somebody has closed something since {@code before}: a type that was open, or more than
   * was closed by then, such as {@code all} where its type was stopped already. Without {@code
   * before}: whether anything is closed by more than never having been opened.
   */
  public boolean closesMoreThan(@Nullable EmergencyStop before) {
    if (before == null) {
      return fault != null || !closed.isEmpty() || openTypes().isEmpty();
    }
    return (fault != null && before.fault == null)
        || closed.entrySet().stream()
            .anyMatch(key -> !key.getValue().equals(before.closed.get(key.getKey())))
        || !openTypes().containsAll(before.openTypes());
  }

  /** For a log: what is open, or why nothing is. */
  String says() {
    if (fault != null) {
      return "nothing is open " + fault;
    }
    if (closedByAll != null) {
      return "nothing is open, %s is \"%s\"".formatted(closedByAll, closed.get(closedByAll));
    }
    List<String> types = open.stream().filter(key -> !isAll(key)).sorted().limit(MAX_SAID).toList();
    return types.isEmpty()
        ? "nothing is open"
        : "open: %s%s".formatted(String.join(", ", types), open.size() > MAX_SAID ? ", …" : "");
  }

  private StopView.Stopped stopped(String key, String value, @Nullable String manager) {
    @Nullable String revision = sight.resourceVersion().isEmpty() ? null : sight.resourceVersion();
    return new StopView.Stopped(new StoppedBy(key, value, revision, manager, reason));
  }

  /**
   * What closes every type whatever the keys say, in words in parentheses; empty if they decide.
   */
  public Optional<String> fault() {
    return Optional.ofNullable(fault);
  }

  Sight sight() {
    return sight;
  }

  boolean isMissing() {
    return sight.equals(Sight.MISSING);
  }

  /** Tells one state of the ConfigMap from another. */
  record Sight(String uid, String resourceVersion, boolean gone) {
    static final Sight MISSING = new Sight("", "", true);

    /** Whether both say the same of the world: how it was learned that it is gone is no matter. */
    boolean sameState(Sight other) {
      return equals(other) || (gone && other.gone);
    }

    /** Whether it is known to be of an earlier revision. */
    boolean isOlderThan(Sight other) {
      Optional<Revision> own = Revision.of(resourceVersion);
      Optional<Revision> others = Revision.of(other.resourceVersion);
      return own.isPresent() && others.isPresent() && own.get().compareTo(others.get()) < 0;
    }

    /** Whether it says a revision that can be compared. */
    boolean hasRevision() {
      return Revision.of(resourceVersion).isPresent();
    }
  }

  /**
   * Who wrote a field last, as far as the API server knows: the manager of the newest entry that
   * owns it.
   */
  private static @Nullable String lastManagerOf(
      List<ManagedFieldsEntry> managed, String... fieldPath) {
    @Nullable String manager = null;
    String newest = "";
    for (ManagedFieldsEntry entry : managed) {
      // RFC 3339 in UTC as the API server writes it: sorts as text.
      String time = Objects.requireNonNullElse(entry.getTime(), "");
      if (owns(entry.getFieldsV1(), fieldPath) && time.compareTo(newest) >= 0) {
        newest = time;
        manager = entry.getManager();
      }
    }
    return manager == null ? null : printable(manager, 128);
  }

  private static boolean owns(@Nullable FieldsV1 fields, String... path) {
    @Nullable Object at = fields == null ? null : fields.getAdditionalProperties();
    for (String step : path) {
      at = at instanceof Map<?, ?> map ? map.get(step) : null;
    }
    return at != null;
  }

  /** Fit for a log, a terminal and a status: one line, nothing that moves a cursor, bounded. */
  static String printable(String text, int max) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      i += Character.charCount(c);
      String one =
          switch (Character.getType(c)) {
            case Character.CONTROL,
                Character.FORMAT,
                Character.SURROGATE,
                Character.LINE_SEPARATOR,
                Character.PARAGRAPH_SEPARATOR ->
                String.format(Locale.ROOT, "\\u%04x", c);
            default -> Character.toString(c);
          };
      if (out.length() + one.length() > max - 1 && i < text.length()) {
        return out.append('…').toString();
      }
      if (out.length() + one.length() > max) {
        return out.append('…').toString();
      }
      out.append(one);
    }
    return out.toString();
  }
}
