package dev.andon.operator.protection;

/**
 * An Event about the stop's ConfigMap.
 *
 * @param warning else it is a Normal one
 * @param reason for programs
 * @param message for people; at most 1,000 characters
 */
record Notice(boolean warning, String reason, String message) {
  private static final int MAX_MESSAGE = 1_000;

  static final String MISSING = "ProtectionMissing";
  static final String IN_PLACE = "ProtectionsInPlace";

  Notice {
    message =
        message.length() <= MAX_MESSAGE ? message : message.substring(0, MAX_MESSAGE - 1) + "…";
  }
}
