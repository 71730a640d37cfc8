package dev.andon.proto;

import static dev.andon.proto.Present.set;

import dev.andon.workflow.v1.Metadata;
import dev.andon.workflow.v1.OwnerReference;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

final class MetadataMapping {
  private MetadataMapping() {}

  static Metadata toProto(ObjectMeta meta) {
    var m = Metadata.newBuilder();
    set(meta.getNamespace(), m::setNamespace);
    set(meta.getName(), m::setName);
    set(meta.getGenerateName(), m::setGenerateName);
    putAll(meta.getLabels(), m::putLabels);
    putAll(meta.getAnnotations(), m::putAnnotations);
    withoutNulls(meta.getFinalizers()).forEach(m::addFinalizers);
    withoutNulls(meta.getOwnerReferences()).forEach(owner -> m.addOwnerReferences(toProto(owner)));
    set(meta.getUid(), m::setUid);
    set(meta.getResourceVersion(), m::setResourceVersion);
    set(meta.getGeneration(), m::setGeneration);
    set(meta.getCreationTimestamp(), text -> m.setCreationTimestamp(Times.textToProto(text)));
    set(meta.getDeletionTimestamp(), text -> m.setDeletionTimestamp(Times.textToProto(text)));
    set(meta.getDeletionGracePeriodSeconds(), m::setDeletionGracePeriodSeconds);
    return m.build();
  }

  static ObjectMeta fromProto(Metadata m) {
    var meta = new ObjectMeta();
    meta.setNamespace(m.hasNamespace() ? m.getNamespace() : null);
    meta.setName(m.hasName() ? m.getName() : null);
    meta.setGenerateName(m.hasGenerateName() ? m.getGenerateName() : null);
    // Copies: the client changes the collections of an object in place.
    meta.setLabels(new LinkedHashMap<>(m.getLabelsMap()));
    meta.setAnnotations(new LinkedHashMap<>(m.getAnnotationsMap()));
    meta.setFinalizers(new ArrayList<>(m.getFinalizersList()));
    meta.setOwnerReferences(
        new ArrayList<>(
            m.getOwnerReferencesList().stream().map(MetadataMapping::fromProto).toList()));
    meta.setUid(m.hasUid() ? m.getUid() : null);
    meta.setResourceVersion(m.hasResourceVersion() ? m.getResourceVersion() : null);
    meta.setGeneration(m.hasGeneration() ? m.getGeneration() : null);
    meta.setCreationTimestamp(
        m.hasCreationTimestamp() ? Times.textFromProto(m.getCreationTimestamp()) : null);
    meta.setDeletionTimestamp(
        m.hasDeletionTimestamp() ? Times.textFromProto(m.getDeletionTimestamp()) : null);
    meta.setDeletionGracePeriodSeconds(
        m.hasDeletionGracePeriodSeconds() ? m.getDeletionGracePeriodSeconds() : null);
    return meta;
  }

  private static OwnerReference toProto(io.fabric8.kubernetes.api.model.OwnerReference owner) {
    var m = OwnerReference.newBuilder();
    set(owner.getApiVersion(), m::setApiVersion);
    set(owner.getKind(), m::setKind);
    set(owner.getName(), m::setName);
    set(owner.getUid(), m::setUid);
    set(owner.getController(), m::setController);
    set(owner.getBlockOwnerDeletion(), m::setBlockOwnerDeletion);
    return m.build();
  }

  private static io.fabric8.kubernetes.api.model.OwnerReference fromProto(OwnerReference m) {
    var owner = new io.fabric8.kubernetes.api.model.OwnerReference();
    owner.setApiVersion(m.hasApiVersion() ? m.getApiVersion() : null);
    owner.setKind(m.hasKind() ? m.getKind() : null);
    owner.setName(m.hasName() ? m.getName() : null);
    owner.setUid(m.hasUid() ? m.getUid() : null);
    owner.setController(m.hasController() ? m.getController() : null);
    owner.setBlockOwnerDeletion(m.hasBlockOwnerDeletion() ? m.getBlockOwnerDeletion() : null);
    return owner;
  }

  private static <T> List<T> withoutNulls(@Nullable List<T> list) {
    return list == null ? List.of() : list.stream().filter(Objects::nonNull).toList();
  }

  private static void putAll(
      @Nullable Map<String, String> map, BiConsumer<String, String> entries) {
    if (map != null) {
      map.forEach(
          (key, value) -> {
            if (key != null && value != null) {
              entries.accept(key, value);
            }
          });
    }
  }
}
