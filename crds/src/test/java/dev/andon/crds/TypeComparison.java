package dev.andon.crds;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Compares schemas with Java types, both ways, and collects where they differ. */
final class TypeComparison {
  private final Set<String> readAsJson;
  private final Set<String> onlyInJava;
  private final List<String> differences = new ArrayList<>();

  /**
   * @param readAsJson paths whose Java type is JsonNode whatever the schema says
   * @param onlyInJava paths of components that the schema does not have
   */
  TypeComparison(Set<String> readAsJson, Set<String> onlyInJava) {
    this.readAsJson = readAsJson;
    this.onlyInJava = onlyInJava;
  }

  List<String> differences() {
    return List.copyOf(differences);
  }

  void compare(String path, JsonNode schema, Type type) {
    if (type instanceof ParameterizedType generic && generic.getRawType() == List.class) {
      expect(path, schema, type, is(schema, "array", null));
      compare(path + "[]", schema.path("items"), generic.getActualTypeArguments()[0]);
    } else if (type instanceof ParameterizedType generic && generic.getRawType() == Map.class) {
      expect(path, schema, type, is(schema, "object", null) && !schema.has("properties"));
      compare(
          path + "{}", schema.path("additionalProperties"), generic.getActualTypeArguments()[1]);
    } else if (type instanceof Class<?> record && record.isRecord() && type != IntOrPercent.class) {
      expect(path, schema, type, is(schema, "object", null));
      components(path, schema.path("properties"), record);
    } else {
      expect(path, schema, type, fits(path, schema, type));
    }
  }

  private boolean fits(String path, JsonNode schema, Type type) {
    if (type == IntOrPercent.class) {
      return schema.path("x-kubernetes-int-or-string").asBoolean() && !schema.has("type");
    } else if (type == JsonNode.class) {
      return readAsJson.contains(path) && is(schema, "object", null);
    } else if (type == String.class) {
      return is(schema, "string", null);
    } else if (type == Instant.class) {
      return is(schema, "string", "date-time");
    } else if (type == Integer.class) {
      return is(schema, "integer", "int32");
    } else if (type == Long.class) {
      return is(schema, "integer", "int64");
    } else if (type == Boolean.class) {
      return is(schema, "boolean", null);
    }
    return false;
  }

  private void components(String path, JsonNode properties, Class<?> record) {
    Map<String, RecordComponent> components = new LinkedHashMap<>();
    for (RecordComponent component : record.getRecordComponents()) {
      components.put(jsonName(component), component);
    }
    for (var property : properties.properties()) {
      String at = path + "." + property.getKey();
      RecordComponent component = components.get(property.getKey());
      if (component == null) {
        differences.add(at + ": is in the schema, but no component of " + record.getSimpleName());
      } else {
        compare(at, property.getValue(), component.getGenericType());
      }
    }
    for (String name : components.keySet()) {
      String at = path + "." + name;
      if (!properties.has(name) && !onlyInJava.contains(at)) {
        differences.add(
            at + ": is a component of " + record.getSimpleName() + ", not of the schema");
      }
    }
  }

  private static String jsonName(RecordComponent component) {
    JsonProperty renamed = component.getAccessor().getAnnotation(JsonProperty.class);
    return renamed == null ? component.getName() : renamed.value();
  }

  private static boolean is(JsonNode schema, String type, String format) {
    return type.equals(schema.path("type").asText())
        && (format == null ? !schema.has("format") : format.equals(schema.path("format").asText()));
  }

  private void expect(String path, JsonNode schema, Type type, boolean fits) {
    if (!fits) {
      differences.add(
          "%s: %s does not fit type %s, format %s"
              .formatted(path, type.getTypeName(), schema.path("type"), schema.path("format")));
    }
  }
}
