package dev.andon.crds;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** A kind: its Java class, and its definition as {@code crds/} holds it. */
record Crd(Class<? extends CustomResource<?, ?>> type, JsonNode definition) {
  private static final List<Class<? extends CustomResource<?, ?>>> KINDS =
      List.of(
          Workflow.class,
          JobType.class,
          WorkflowPolicy.class,
          TokenBucket.class,
          WorkflowAction.class,
          WorkflowRecord.class);

  static List<Crd> all() {
    return KINDS.stream().map(Crd::of).toList();
  }

  /** The class of an object, by its kind. */
  static Class<? extends CustomResource<?, ?>> kindOf(JsonNode object) {
    return KINDS.stream()
        .filter(kind -> kind.getSimpleName().equals(object.path("kind").asText()))
        .findFirst()
        .orElseThrow();
  }

  static Crd of(Class<? extends CustomResource<?, ?>> type) {
    Path file = folder().resolve(CustomResource.getCRDName(type) + ".yaml");
    return new Crd(type, documents(file).getFirst());
  }

  static Path folder() {
    return Path.of(System.getProperty("ANDON_HOME"), "crds");
  }

  /** The files below {@code examples/}, sorted. */
  static List<Path> examples(String below) {
    try (Stream<Path> files = Files.walk(folder().resolve("examples").resolve(below))) {
      return files.filter(file -> file.toString().endsWith(".yaml")).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static List<String> texts(Path file) {
    try {
      return List.of(Files.readString(file).split("(?m)^---$"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static List<JsonNode> documents(Path file) {
    var yaml = new KubernetesSerialization();
    return texts(file).stream().map(text -> yaml.unmarshal(text, JsonNode.class)).toList();
  }

  JsonNode version() {
    return definition.at("/spec/versions/0");
  }

  JsonNode schema() {
    return version().at("/schema/openAPIV3Schema");
  }

  @Override
  public String toString() {
    return type.getSimpleName();
  }
}
