package dev.andon.proto;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import dev.andon.crds.IntOrPercent;
import dev.andon.crds.Workflow;
import java.lang.reflect.Field;
import java.lang.reflect.RecordComponent;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What an object or a message says, as one line a value: {@code spec.blocks[0].jobs[1].args{site}}
 * = {@code aap}. Both say the same if and only if their lines are the same, so that two fields
 * exchanged on the way there and again on the way back do not pass for a mapping.
 *
 * <p>What is present without a value in it (an empty record, an empty list that could have been
 * absent) has a line of its own.
 */
final class Leaves {
  private final Map<String, Object> lines = new TreeMap<>();

  private Leaves() {}

  static Map<String, Object> of(Workflow workflow) {
    var leaves = new Leaves();
    leaves.value("metadata", workflow.getMetadata());
    leaves.value("spec", workflow.getSpec());
    leaves.value("status", workflow.getStatus());
    return leaves.lines;
  }

  static Map<String, Object> of(Message message) {
    var leaves = new Leaves();
    leaves.message("", message);
    return leaves.lines;
  }

  private void value(String path, @Nullable Object value) {
    switch (value) {
      case null -> {}
      case IntOrPercent number -> lines.put(path, number.text());
      case Record record -> record(path, record);
      case List<?> list -> list(path, list);
      case Map<?, ?> map -> map.forEach((key, of) -> value(path + "{" + key + "}", of));
      case Timestamp time -> lines.put(path, Times.fromProto(time));
      case Message message -> message(path, message);
      case Object bean when bean.getClass().getName().startsWith("io.fabric8.") -> bean(path, bean);
      default -> lines.put(path, value);
    }
  }

  private void list(String path, List<?> list) {
    for (int i = 0; i < list.size(); i++) {
      value(path + "[" + i + "]", list.get(i));
    }
  }

  private void record(String path, Record record) {
    lines.put(path, "present");
    for (RecordComponent component : record.getClass().getRecordComponents()) {
      String at = path + "." + component.getName();
      try {
        Object value = component.getAccessor().invoke(record);
        if (value instanceof List
            && component.getAnnotatedType().isAnnotationPresent(Nullable.class)) {
          lines.put(at, "present");
        }
        value(at, value);
      } catch (ReflectiveOperationException e) {
        throw new AssertionError(e);
      }
    }
  }

  private void bean(String path, Object bean) {
    lines.put(path, "present");
    for (Field field : Generated.properties(bean.getClass())) {
      try {
        Object value =
            bean.getClass().getMethod("get" + Generated.capital(field.getName())).invoke(bean);
        boolean time = value != null && field.getName().endsWith("Timestamp");
        value(path + "." + field.getName(), time ? Instant.parse((String) value) : value);
      } catch (ReflectiveOperationException e) {
        throw new AssertionError(e);
      }
    }
  }

  private void message(String path, Message message) {
    if (message instanceof dev.andon.workflow.v1.IntOrPercent number) {
      lines.put(
          path,
          switch (number.getValueCase()) {
            case NUMBER -> Integer.toString(number.getNumber());
            case PERCENT -> number.getPercent() + "%";
            case TEXT -> number.getText();
            case VALUE_NOT_SET -> "";
          });
      return;
    }
    if (!path.isEmpty()) {
      lines.put(path, "present");
    }
    for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
      // The line of an element does not say that a message is around the list: the object has none.
      boolean aroundList = message.getDescriptorForType().getName().endsWith("List");
      String at = aroundList ? path : (path.isEmpty() ? "" : path + ".") + field.getJsonName();
      if (field.isMapField()) {
        for (Object entry : (List<?>) message.getField(field)) {
          List<FieldDescriptor> keyAndValue = ((Message) entry).getDescriptorForType().getFields();
          Object key = ((Message) entry).getField(keyAndValue.get(0));
          value(at + "{" + key + "}", ((Message) entry).getField(keyAndValue.get(1)));
        }
      } else if (field.isRepeated() || message.hasField(field)) {
        value(at, message.getField(field));
      }
    }
  }
}
