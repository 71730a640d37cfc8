package dev.andon.operator.workflow;

import dev.andon.crds.WorkflowSpec;
import dev.andon.crds.WorkflowSpec.ConfigMapKeyRef;
import dev.andon.plan.Sha256;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Reads the ConfigMaps that unfinished workflows take items from, each by its name: the operator
 * needs {@code get}, and neither lists nor watches what is not its own. A change is seen by the
 * first decision that is later by {@link Decider#LOOK_AGAIN}.
 */
final class ItemReads {
  private final KubernetesClient client;
  private final Duration lookAgain;

  /** By uid of the workflow. */
  private final Map<String, Map<ConfigMapKeyRef, Read>> reads = new ConcurrentHashMap<>();

  /**
   * What was read of one key.
   *
   * @param list of the content that spec means, since it was first seen
   * @param changed what is wrong with the ConfigMap; null: nothing
   * @param absent whether that is that there is none, or none of its keys
   * @param resourceVersion of what was judged
   */
  private record Read(
      @Nullable List<String> list,
      @Nullable String changed,
      boolean absent,
      @Nullable String resourceVersion,
      Instant time) {}

  ItemReads(KubernetesClient client, Duration lookAgain) {
    this.client = client;
    this.lookAgain = lookAgain;
  }

  /**
   * What the workflow's ConfigMaps hold.
   *
   * @param again whether to look again at what is known already, if that is old
   */
  Items of(String uid, String namespace, WorkflowSpec spec, Instant now, boolean again) {
    List<ConfigMapKeyRef> refs = refs(spec);
    if (refs.isEmpty()) {
      return Items.NONE;
    }
    Map<ConfigMapKeyRef, Read> known = reads.computeIfAbsent(uid, key -> new ConcurrentHashMap<>());
    Map<ConfigMapKeyRef, List<String>> lists = new HashMap<>();
    List<String> changed = new ArrayList<>();
    List<String> absent = new ArrayList<>();
    for (ConfigMapKeyRef ref : refs) {
      Read read =
          known.compute(
              ref,
              (key, last) ->
                  last != null && (!again || isNew(last, now))
                      ? last
                      : read(namespace, ref, last, now));
      if (read.list() != null) {
        lists.put(ref, read.list());
      }
      if (read.changed() != null) {
        changed.add(read.changed());
        if (read.absent()) {
          absent.add(read.changed());
        }
      }
    }
    return new Items(lists, changed, absent);
  }

  /** The workflow is over. */
  void forget(String uid) {
    reads.remove(uid);
  }

  /** Those that are complete; what is missing in others is a finding about spec. */
  private static List<ConfigMapKeyRef> refs(WorkflowSpec spec) {
    List<ConfigMapKeyRef> refs = new ArrayList<>();
    for (var block : spec.blocks()) {
      var ref = block.forEach() == null ? null : block.forEach().configMapKeyRef();
      if (ref != null && ref.name() != null && ref.key() != null && ref.sha256() != null) {
        refs.add(ref);
      }
    }
    return refs;
  }

  /** A clock that was set back makes nothing new for longer. */
  private boolean isNew(Read last, Instant now) {
    Duration age = Duration.between(last.time(), now);
    return !age.isNegative() && age.compareTo(lookAgain) < 0;
  }

  private Read read(String namespace, ConfigMapKeyRef ref, @Nullable Read last, Instant now) {
    List<String> list = last == null ? null : last.list();
    String changedBefore = last == null ? null : last.changed();
    ConfigMap configMap;
    try {
      configMap = client.configMaps().inNamespace(namespace).withName(ref.name()).get();
    } catch (KubernetesClientException e) {
      // What is known by its hash needs no ConfigMap; and it is not known to be another now.
      return new Read(
          list,
          list != null && changedBefore == null
              ? null
              : "ConfigMap %s cannot be read: %s".formatted(ref.name(), e.getMessage()),
          false,
          null,
          now);
    }
    if (configMap == null) {
      return new Read(
          list,
          "there is no ConfigMap %s; create it with the content that has sha256 %s"
              .formatted(ref.name(), ref.sha256()),
          true,
          null,
          now);
    }
    String version = configMap.getMetadata().getResourceVersion();
    if (last != null && last.resourceVersion() != null && last.resourceVersion().equals(version)) {
      return new Read(list, last.changed(), last.absent(), version, now);
    }
    String content = configMap.getData() == null ? null : configMap.getData().get(ref.key());
    if (content == null) {
      return new Read(
          list,
          "ConfigMap %s has no key %s in data; put the content there that has sha256 %s"
              .formatted(ref.name(), ref.key(), ref.sha256()),
          true,
          version,
          now);
    }
    String hash = Sha256.hex(content);
    if (!Objects.equals(hash, ref.sha256())) {
      return new Read(
          list,
          "key %s of ConfigMap %s: the content has sha256 %s, and spec says %s; put back what was there, or create a Workflow for what is there now"
              .formatted(ref.key(), ref.name(), hash, ref.sha256()),
          false,
          version,
          now);
    }
    return new Read(list == null ? Lines.of(content) : list, null, false, version, now);
  }
}
