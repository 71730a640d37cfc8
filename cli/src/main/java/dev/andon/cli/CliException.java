package dev.andon.cli;

import org.jspecify.annotations.Nullable;

/** Something a person has to know or do. The message is all they are shown. */
public final class CliException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public CliException(String message) {
    super(message);
  }

  public CliException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
