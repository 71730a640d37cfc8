package dev.andon.policies;

import org.jspecify.annotations.Nullable;

/** What a finding of a policy leads to. */
public enum Enforcement {
  /** The workflow may not run. */
  DENY("Deny"),
  /** It may; people are told. */
  WARN("Warn"),
  /** It may; the finding is in its status and nowhere else. */
  AUDIT("Audit");

  private final String text;

  Enforcement(String text) {
    this.text = text;
  }

  /** As the object spells it. */
  public String text() {
    return text;
  }

  /** Absent is Deny; so is what nobody can read. */
  static Enforcement of(@Nullable String text) {
    for (Enforcement enforcement : values()) {
      if (enforcement.text.equals(text)) {
        return enforcement;
      }
    }
    return DENY;
  }

  static boolean known(@Nullable String text) {
    return text == null || of(text).text.equals(text);
  }
}
