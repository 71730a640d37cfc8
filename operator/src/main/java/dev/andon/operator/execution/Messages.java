package dev.andon.operator.execution;

import java.util.Collection;
import java.util.Locale;

/** What status says to people: one line, at most 256 characters, no secrets. */
final class Messages {
  static final int MAX_LENGTH = 256;

  /** Shorter parts of a secret are words such as "Bearer"; to hide those would hide the message. */
  private static final int SHORTEST_SECRET = 6;

  private Messages() {}

  /** One line of printable characters, cut to {@link #MAX_LENGTH}, with secrets made unreadable. */
  static String line(String text, Collection<String> secrets) {
    String hidden = text;
    for (String secret : secrets) {
      hidden = hide(hidden, secret);
      for (String part : secret.split("[\\s:,;=]+", -1)) {
        hidden = hide(hidden, part);
      }
    }
    // Formatting characters too (category Cf): they turn text around on a terminal.
    String plain = hidden.replaceAll("[\\p{Cntrl}\\p{Cf}\\p{Zl}\\p{Zp}\\p{Cs}\\s]+", " ").strip();
    return plain.length() <= MAX_LENGTH ? plain : cut(plain, MAX_LENGTH - 1) + "…";
  }

  private static String hide(String text, String secret) {
    return secret.length() < SHORTEST_SECRET ? text : text.replace(secret, "***");
  }

  /** Never through the middle of a surrogate pair. */
  private static String cut(String text, int length) {
    return text.substring(
        0, Character.isHighSurrogate(text.charAt(length - 1)) ? length - 1 : length);
  }

  /** What an exception says of itself, its class where it says nothing. */
  static String of(Throwable fault) {
    String message = fault.getMessage();
    return message == null || message.isBlank()
        ? fault.getClass().getSimpleName().replaceAll("Exception$", "").toLowerCase(Locale.ROOT)
        : message;
  }
}
