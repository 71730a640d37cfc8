package dev.andon.cli.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What was measured: for people on a terminal, and as Markdown.
 *
 * @param conditions under which, a line each
 */
record Report(List<String> conditions, List<Row> rows) {

  /** How what was seen compares with the goal. */
  enum Verdict {
    /** As it should be. */
    MET,
    /** Slower than it should be. */
    MISSED,
    /** What must never happen has happened. */
    BROKEN,
    /** There is no goal for it. */
    TOLD,
    /** It was not measured. */
    OPEN;

    @Override
    public String toString() {
      return this == TOLD ? "" : name().toLowerCase(Locale.ROOT);
    }
  }

  /** One figure. */
  record Row(String what, String goal, String seen, Verdict verdict) {}

  Report {
    conditions = List.copyOf(conditions);
    rows = List.copyOf(rows);
  }

  /** Whether nothing happened that must never happen. */
  boolean holds() {
    return rows.stream().noneMatch(row -> row.verdict() == Verdict.BROKEN);
  }

  String text() {
    var text = new StringBuilder();
    for (Row row : rows) {
      text.append(row.what()).append('\n');
      if (!row.goal().isEmpty()) {
        text.append("    goal  ").append(row.goal()).append('\n');
      }
      text.append("    seen  ").append(row.seen());
      text.append(row.verdict() == Verdict.TOLD ? "" : "  -> " + row.verdict()).append("\n");
    }
    text.append('\n');
    conditions.forEach(line -> text.append(line).append('\n'));
    return text.toString();
  }

  String markdown() {
    List<String> lines = new ArrayList<>();
    lines.add("| what | goal | seen | |");
    lines.add("|---|---|---|---|");
    rows.forEach(
        row ->
            lines.add(
                "| %s | %s | %s | %s |"
                    .formatted(
                        cell(row.what()), cell(row.goal()), cell(row.seen()), row.verdict())));
    lines.add("");
    conditions.forEach(line -> lines.add("- " + line));
    return String.join("\n", lines) + "\n";
  }

  private static String cell(String text) {
    return text.replace("|", "\\|").replace("\n", " ");
  }
}
