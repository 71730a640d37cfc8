package dev.andon.chart;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Where things are in the checkout that these tests run in. */
final class Checkout {
  static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
  static final Path CHART = ROOT.resolve("charts/andon");
  static final Path CRDS = ROOT.resolve("crds");
  static final Path CRD_COPIES = CHART.resolve("files/crds");
  static final Path INSTALL_COPIES = CHART.resolve("files/install");
  static final Path CLI_INSTALLS = ROOT.resolve("cli/src/main/resources/install");

  private static final YAMLMapper YAML = new YAMLMapper();

  private Checkout() {}

  /** The CRDs of a folder, by file name. */
  static SortedMap<String, String> crds(Path folder) {
    SortedMap<String, String> found = new TreeMap<>();
    for (Path file : files(folder, ".yaml")) {
      found.put(file.getFileName().toString(), read(file));
    }
    return found;
  }

  static List<Path> files(Path folder, String suffix) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(f -> f.toString().endsWith(suffix)).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Every document that isn't empty. */
  static List<JsonNode> objects(String yaml) {
    List<JsonNode> objects = new ArrayList<>();
    try (MappingIterator<JsonNode> documents = YAML.readerFor(JsonNode.class).readValues(yaml)) {
      documents.forEachRemaining(
          document -> {
            if (document != null && document.isObject()) {
              objects.add(document);
            }
          });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return objects;
  }
}
