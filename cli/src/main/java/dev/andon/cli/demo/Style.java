package dev.andon.cli.demo;

/**
 * How text looks on a terminal.
 *
 * @param colour whether escape sequences are understood and wanted
 * @param unicode whether more than ASCII can be shown
 */
record Style(boolean colour, boolean unicode) {
  static final Style PLAIN = new Style(false, false);

  /** What a line is about. */
  enum Tone {
    STRONG("1"),
    FAINT("2"),
    GOOD("32"),
    BUSY("36"),
    WAIT("33"),
    BAD("1;31");

    private final String code;

    Tone(String code) {
      this.code = code;
    }
  }

  String paint(Tone tone, String text) {
    return colour && !text.isEmpty() ? "\033[" + tone.code + "m" + text + "\033[0m" : text;
  }

  /** A bar of {@code width} characters, {@code done} of {@code total} of them full. */
  String bar(int done, int total, int width) {
    int full = total == 0 ? width : Math.toIntExact((long) width * done / total);
    return unicode
        ? "━".repeat(full) + paint(Tone.FAINT, "─".repeat(width - full))
        : "[" + "#".repeat(full) + ".".repeat(width - full) + "]";
  }

  String done() {
    return unicode ? "✔" : "+";
  }

  String failed() {
    return unicode ? "✖" : "x";
  }

  String busy() {
    return unicode ? "▶" : ">";
  }

  String later() {
    return unicode ? "·" : "-";
  }

  /** Before a child that has siblings after it, or none. */
  String branch(boolean last) {
    if (unicode) {
      return last ? "└─ " : "├─ ";
    }
    return last ? "`- " : "|- ";
  }

  /** Before what hangs below such a child. */
  String below(boolean last) {
    if (last) {
      return "   ";
    }
    return unicode ? "│  " : "|  ";
  }
}
