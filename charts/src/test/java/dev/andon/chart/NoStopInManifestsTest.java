package dev.andon.chart;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * No manifest of the project contains the ConfigMap of the stop, armed or not: whatever applies one
 * (an install, an upgrade, a sync) would arm what a person has stopped, or stop what runs. Looked
 * through is every YAML and JSON file of the checkout, templates too, and what documents show as
 * such.
 */
class NoStopInManifestsTest {
  private static final String STOP = "emergency-stop";
  private static final Set<String> BUILT = Set.of(".git", "target", "node_modules", ".idea");
  private static final Pattern MANIFEST = Pattern.compile(".*\\.(ya?ml|json|tpl)");
  private static final Pattern FENCED =
      Pattern.compile("^```(?:ya?ml|json)\\s*\\n(.*?)^```", Pattern.DOTALL | Pattern.MULTILINE);
  private static final Pattern DOCUMENTS = Pattern.compile("(?m)^---.*$");

  /** Lines that are a directive and nothing else, comments of templates included. */
  private static final Pattern DIRECTIVE_LINES =
      Pattern.compile("(?ms)^[ \\t]*\\{\\{.*?\\}\\}[ \\t]*$");

  private static final Pattern DIRECTIVE = Pattern.compile("\\{\\{.*?\\}\\}", Pattern.DOTALL);

  @Test
  void no_manifest_contains_the_stop() {
    List<Path> looked = new ArrayList<>();
    List<String> found = new ArrayList<>();
    for (Path file : files()) {
      String name = file.getFileName().toString();
      String text = Checkout.read(file);
      List<String> manifests = new ArrayList<>();
      if (MANIFEST.matcher(name).matches()) {
        manifests.add(text);
      } else if (name.endsWith(".md")) {
        Matcher fenced = FENCED.matcher(text);
        while (fenced.find()) {
          manifests.add(fenced.group(1));
        }
      } else {
        continue;
      }
      looked.add(file);
      if (manifests.stream().anyMatch(NoStopInManifestsTest::containsTheStop)) {
        found.add(Checkout.ROOT.relativize(file).toString());
      }
    }

    assertThat(looked)
        .as("it looks where manifests are")
        .contains(
            Checkout.CLI_INSTALLS.resolve("10-namespaces.yaml"),
            Checkout.CHART.resolve("templates/stop-namespace.yaml"),
            Checkout.CRDS.resolve("workflows.andon.dev.yaml"),
            Checkout.ROOT.resolve("examples/drill/drill.yaml"),
            Checkout.ROOT.resolve("docs/gitops.md"),
            Checkout.ROOT.resolve("README.md"));
    assertThat(found)
        .as(
            "the stop is thrown by people, and in no manifest (docs/gitops.md says why); take the"
                + " ConfigMap emergency-stop out of")
        .isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: emergency-stop, namespace: andon-stop}
        data: {SatelliteDiskErase: go}
        """,
        """
        # something before it
        kind: Namespace
        ---
        kind: ConfigMap
        metadata:
          name: "emergency-stop"
        """,
        """
        {"kind": "List", "items": [{"kind": "ConfigMap", "metadata": {"name": "emergency-stop"}}]}
        """,
        """
        {{- if .Values.armed }}
        apiVersion: v1
        kind: ConfigMap
        metadata:
          name: emergency-stop
          labels:
            {{- include "andon.labels" . | nindent 4 }}
        data:
          {{ .Values.type }}: go
        {{- end }}
        """,
        """
        kind: Kustomization
        configMapGenerator:
        - name: emergency-stop
          literals: [all=go]
        """,
        """
        kind: ConfigMap
        metadata:
          name: emergency-stop
        data:
          broken: {{ yaml
        """
      })
  void one_that_did_would_be_found(String manifest) {
    assertThat(containsTheStop(manifest)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "kind: ConfigMap\nmetadata: {name: something-else}\n",
        // A policy names it as its parameter, a role as what may be patched.
        "kind: ValidatingAdmissionPolicyBinding\nspec: {paramRef: {name: emergency-stop}}\n",
        "spec:\n  ignoreDifferences:\n  - kind: ConfigMap\n    name: emergency-stop\n"
      })
  void what_only_names_it_is_left_alone(String manifest) {
    assertThat(containsTheStop(manifest)).isFalse();
  }

  private static boolean containsTheStop(String manifests) {
    if (!manifests.contains(STOP)) {
      return false;
    }
    String plain = DIRECTIVE_LINES.matcher(manifests).replaceAll("");
    plain = DIRECTIVE.matcher(plain).replaceAll("x");
    for (String document : DOCUMENTS.split(plain)) {
      try {
        if (Checkout.objects(document).stream().anyMatch(NoStopInManifestsTest::isOrHoldsTheStop)) {
          return true;
        }
      } catch (RuntimeException e) {
        // No YAML: then its lines.
        if (document.lines().anyMatch(line -> line.matches("kind:\\s*[\"']?ConfigMap[\"']?\\s*"))
            && document.contains("name: " + STOP)) {
          return true;
        }
      }
    }
    return false;
  }

  private static boolean isOrHoldsTheStop(JsonNode node) {
    if (node.path("kind").asText().equals("ConfigMap")
        && node.path("metadata").path("name").asText().equals(STOP)) {
      return true;
    }
    for (JsonNode generated : node.path("configMapGenerator")) {
      if (generated.path("name").asText().equals(STOP)) {
        return true;
      }
    }
    for (JsonNode child : node) {
      if (isOrHoldsTheStop(child)) {
        return true;
      }
    }
    return false;
  }

  private static List<Path> files() {
    List<Path> files = new ArrayList<>();
    try {
      Files.walkFileTree(
          Checkout.ROOT,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
              return BUILT.contains(folder.getFileName().toString())
                  ? FileVisitResult.SKIP_SUBTREE
                  : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
              if (attributes.isRegularFile()) {
                files.add(file);
              }
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return files;
  }
}
