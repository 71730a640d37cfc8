package dev.andon.examples.fleet;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * The manifests of {@code examples/fleet/manifests}, for those who apply them from Java. Their URLs
 * name the service {@value #PLACEHOLDER}, as it would be inside a cluster; for a fleet anywhere
 * else that text is replaced.
 */
public final class FleetManifests {
  /** The base of every URL in the manifests. */
  public static final String PLACEHOLDER = "http://fleet.fleet.svc:8080";

  /** Namespace, job types, token bucket and policies, in the order to apply them. */
  public static final List<String> SETUP =
      List.of(
          "00-namespace.yaml",
          "10-jobtype-validate-decom.yaml",
          "11-jobtype-disk-erase.yaml",
          "20-tokenbucket.yaml",
          "30-policy-token-first.yaml",
          "31-policy-one-site.yaml",
          "32-policy-only-these-jobs.yaml");

  /** The Workflow. */
  public static final String WORKFLOW = "erase-aap.yaml";

  private FleetManifests() {}

  /**
   * A manifest, one YAML document, with its URLs pointing at a fleet.
   *
   * @param file one of {@link #SETUP}, or {@link #WORKFLOW}
   * @param fleet as {@link FleetServer#uri()} gives it
   */
  public static String read(String file, URI fleet) {
    return read(file).replace(PLACEHOLDER, fleet.toString());
  }

  /** A manifest as it is in the repository. */
  public static String read(String file) {
    try (var in = FleetManifests.class.getResourceAsStream("manifests/" + file)) {
      if (in == null) {
        throw new IllegalArgumentException(
            "file %s: unknown; there are %s and %s".formatted(file, SETUP, WORKFLOW));
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
