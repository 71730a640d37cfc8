package dev.andon.proto;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import dev.andon.crds.IntOrPercent;
import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowSpec;
import dev.andon.crds.WorkflowStatus;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Workflows made from whatever components the types have, and messages made from whatever fields
 * the descriptors have: a field added to either is in the tests without anyone naming it there.
 */
final class Generated {
  private final Values values;

  Generated(Values values) {
    this.values = values;
  }

  Workflow workflow() {
    var workflow = new Workflow();
    workflow.setMetadata((ObjectMeta) bean(ObjectMeta.class));
    workflow.setSpec(values.present() ? (WorkflowSpec) value(WorkflowSpec.class) : null);
    workflow.setStatus(values.present() ? (WorkflowStatus) value(WorkflowStatus.class) : null);
    return workflow;
  }

  private @Nullable Object component(RecordComponent component) {
    boolean nullable = component.getAnnotatedType().isAnnotationPresent(Nullable.class);
    return nullable && !values.present() ? null : value(component.getGenericType());
  }

  private Object value(Type type) {
    if (type instanceof ParameterizedType generic) {
      Type[] of = generic.getActualTypeArguments();
      return generic.getRawType() == List.class ? list(of[0]) : map(of[1]);
    }
    if (type == String.class) {
      return values.text();
    } else if (type == Integer.class) {
      return values.number();
    } else if (type == Long.class) {
      return values.bigNumber();
    } else if (type == Boolean.class) {
      return values.flag();
    } else if (type == Instant.class) {
      return values.time();
    } else if (type == IntOrPercent.class) {
      return switch (values.form(3)) {
        case 0 -> IntOrPercent.of(values.number());
        case 1 -> new IntOrPercent(values.number() + "%");
        default -> new IntOrPercent(values.text());
      };
    } else if (type instanceof Class<?> record && record.isRecord()) {
      return record(record);
    } else if (type instanceof Class<?> bean && bean.getName().startsWith("io.fabric8.")) {
      return bean(bean);
    }
    throw new AssertionError("No values for " + type + " yet: say here how they are made");
  }

  private List<Object> list(Type of) {
    var list = new ArrayList<>();
    for (int i = values.size(); i > 0; i--) {
      list.add(value(of));
    }
    return list;
  }

  private Map<String, Object> map(Type of) {
    var map = new LinkedHashMap<String, Object>();
    for (int i = values.size(); i > 0; i--) {
      map.put(values.text(), value(of));
    }
    return map;
  }

  private Object record(Class<?> type) {
    RecordComponent[] components = type.getRecordComponents();
    try {
      Constructor<?> canonical =
          type.getDeclaredConstructor(
              Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new));
      return canonical.newInstance(Arrays.stream(components).map(this::component).toArray());
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  private Object bean(Class<?> type) {
    try {
      Object bean = type.getConstructor().newInstance();
      for (Field field : properties(type)) {
        if (values.present()) {
          Object value =
              field.getName().endsWith("Timestamp")
                  ? values.time().toString()
                  : value(field.getGenericType());
          type.getMethod("set" + capital(field.getName()), field.getType()).invoke(bean, value);
        }
      }
      return bean;
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  /** The properties of one of the client's types that the mapping is answerable for. */
  static List<Field> properties(Class<?> type) {
    return Arrays.stream(type.getDeclaredFields())
        .filter(field -> !Modifier.isStatic(field.getModifiers()))
        .filter(field -> !LEFT_OUT.contains(field.getName()))
        .toList();
  }

  /**
   * managedFields is the API server's own record of who set what; selfLink is no longer served;
   * additionalProperties is what the client's type does not know.
   */
  static final List<String> LEFT_OUT = List.of("managedFields", "selfLink", "additionalProperties");

  static String capital(String name) {
    return Character.toUpperCase(name.charAt(0)) + name.substring(1);
  }

  /** A message with whatever the descriptor of {@code empty} has. */
  @SuppressWarnings("unchecked")
  <M extends Message> M message(M empty) {
    return (M) message(empty.newBuilderForType());
  }

  private Message message(Message.Builder builder) {
    Descriptor type = builder.getDescriptorForType();
    if (type == Timestamp.getDescriptor()) {
      return Times.toProto(values.time());
    }
    for (var oneof : type.getRealOneofs()) {
      FieldDescriptor field = oneof.getField(values.form(oneof.getFieldCount()));
      builder.setField(field, value(builder, field));
    }
    for (FieldDescriptor field : type.getFields()) {
      if (field.getRealContainingOneof() != null) {
        continue;
      }
      if (field.isRepeated()) {
        for (int i = values.size(); i > 0; i--) {
          builder.addRepeatedField(field, value(builder, field));
        }
      } else if (values.present()) {
        builder.setField(field, value(builder, field));
      }
    }
    return builder.build();
  }

  private Object value(Message.Builder in, FieldDescriptor field) {
    return switch (field.getJavaType()) {
      case INT -> values.number();
      case LONG -> values.bigNumber();
      case BOOLEAN -> values.flag();
      case STRING -> values.text();
      case MESSAGE ->
          field.isMapField()
              ? mapEntry(in.newBuilderForField(field))
              : message(in.newBuilderForField(field));
      case FLOAT, DOUBLE, BYTE_STRING, ENUM ->
          throw new AssertionError("No values for " + field + " yet: say here how they are made");
    };
  }

  private Message mapEntry(Message.Builder entry) {
    for (FieldDescriptor field : entry.getDescriptorForType().getFields()) {
      entry.setField(field, value(entry, field));
    }
    return entry.build();
  }
}
