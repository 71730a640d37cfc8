package dev.andon.operator.leadership;

/**
 * Not a byte was sent, since this process does not lead. A class of its own: that something was not
 * sent is not to be read from an exception that anything else may throw.
 */
public final class NotLeading extends IllegalStateException {
  private static final long serialVersionUID = 1;

  NotLeading(String message) {
    super(message);
  }
}
