package dev.andon.cli.demo;

import dev.andon.examples.fleet.FleetManifests;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;

/** The manifests of {@code examples/fleet}, as files for kubectl, fitted to this demo. */
final class DemoManifests {
  /** Of site aap. */
  static final int MACHINES = 103;

  static final String SETUP = "setup/";
  static final String WORKFLOW = FleetManifests.WORKFLOW;

  private DemoManifests() {}

  /**
   * @param folder made if need be; kubectl is run in it
   * @param fleet the address that takes the place of the one inside a cluster
   */
  static void write(Path folder, URI fleet, int machines, int pauseSeconds) throws IOException {
    Path setup = Files.createDirectories(folder.resolve(SETUP));
    for (String file : FleetManifests.SETUP) {
      Files.writeString(setup.resolve(file), FleetManifests.read(file, fleet));
    }
    String workflow = FleetManifests.read(WORKFLOW, fleet);
    workflow = replace(workflow, "to: " + MACHINES, "to: " + machines);
    workflow = replace(workflow, "pauseSeconds: 1", "pauseSeconds: " + pauseSeconds);
    Files.writeString(folder.resolve(WORKFLOW), workflow);
  }

  private static String replace(String text, String old, String by) {
    if (!text.contains(old)) {
      throw new IllegalStateException("%s: no \"%s\" in it".formatted(WORKFLOW, old));
    }
    return text.replace(old, by);
  }
}
