package dev.andon.devcluster;

import java.util.List;

/** A binary of the control plane could not be had. The message says what was tried, and why not. */
public final class BinaryUnavailableException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  BinaryUnavailableException(Component component, List<String> tried) {
    super(
        """
        %s is needed and could not be had. Tried, in this order:
          - %s
        What helps, any one of:
          - install Go 1.26 or newer (https://go.dev/dl) and try again: it is then built from source;
          - a network that reaches the release hosts named above;
          - put the binary into a folder and name that folder in KUBEBUILDER_ASSETS."""
            .formatted(component, String.join("\n  - ", tried)));
  }
}
