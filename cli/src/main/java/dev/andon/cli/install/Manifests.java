package dev.andon.cli.install;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/** What an installation consists of, in the order to apply it. */
final class Manifests {
  private static final List<String> BEFORE_CRDS = List.of("install/10-namespaces.yaml");

  private static final List<String> CRDS =
      List.of(
          "crds/workflows.andon.dev.yaml",
          "crds/workflowactions.andon.dev.yaml",
          "crds/workflowrecords.andon.dev.yaml",
          "crds/jobtypes.andon.dev.yaml",
          "crds/workflowpolicies.andon.dev.yaml",
          "crds/tokenbuckets.andon.dev.yaml");

  private static final List<String> AFTER_CRDS =
      List.of(
          "install/20-operator-account.yaml",
          "install/30-operator-roles.yaml",
          "install/31-people-roles.yaml");

  /** Last: they name the kinds, the account and the namespaces. */
  private static final List<String> PROTECTIONS =
      List.of(
          "install/40-stop-second-layer.yaml",
          "install/41-arming.yaml",
          "install/42-operator-only.yaml",
          "install/43-authors.yaml",
          "install/44-actions.yaml",
          "install/45-stop-warning.yaml",
          "install/50-priority.yaml");

  private Manifests() {}

  static List<GenericKubernetesResource> beforeCrds() {
    return read(BEFORE_CRDS);
  }

  static List<GenericKubernetesResource> crds() {
    return read(CRDS);
  }

  static List<GenericKubernetesResource> afterCrds() {
    return read(AFTER_CRDS);
  }

  /** What the API server itself guards, as far as it serves the kinds. */
  static List<GenericKubernetesResource> protections() {
    return read(PROTECTIONS);
  }

  private static List<GenericKubernetesResource> read(List<String> files) {
    return files.stream()
        .map(Manifests::text)
        .flatMap(text -> Arrays.stream(text.split("(?m)^---\\s*$")))
        .filter(
            document -> document.lines().anyMatch(line -> !line.isBlank() && !line.startsWith("#")))
        .map(document -> Serialization.unmarshal(document, GenericKubernetesResource.class))
        .toList();
  }

  private static String text(String file) {
    try (InputStream in = Manifests.class.getClassLoader().getResourceAsStream(file)) {
      if (in == null) {
        throw new IllegalStateException(file + " is missing in the classpath");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
