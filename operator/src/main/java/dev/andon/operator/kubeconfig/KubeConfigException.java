package dev.andon.operator.kubeconfig;

import org.jspecify.annotations.Nullable;

/** There is no way to the cluster that was asked for. The message says why, and the way out. */
public final class KubeConfigException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  KubeConfigException(String message) {
    super(message);
  }

  KubeConfigException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
