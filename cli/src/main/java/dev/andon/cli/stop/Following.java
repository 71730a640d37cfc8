package dev.andon.cli.stop;

import dev.andon.cli.CliException;
import dev.andon.cli.Pause;
import dev.andon.operator.stop.EmergencyStop;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.InstantSource;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/** Looks at what is still alive after a stop, a line whenever that changes. */
final class Following {
  private static final Duration PAUSE = Duration.ofMillis(500);
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("HH:mm:ss", Locale.ROOT).withZone(ZoneId.systemDefault());

  private final Workflows workflows;
  private final PrintWriter out;
  private final InstantSource clock;
  private final LongSupplier nanoTime;

  Following(Workflows workflows, PrintWriter out, InstantSource clock, LongSupplier nanoTime) {
    this.workflows = workflows;
    this.out = out;
    this.clock = clock;
    this.nanoTime = nanoTime;
  }

  /**
   * Returns when nothing of it is alive, or the time is over, with those that still are.
   *
   * @param key a workflow type, or {@code all}
   * @throws CliException if that could not be seen to the end
   */
  List<WorkflowRow> untilNothingIsAlive(String key, Duration limit) throws InterruptedException {
    long end = nanoTime.getAsLong() + limit.toNanos();
    String last = "";
    while (true) {
      List<WorkflowRow> rows;
      try {
        rows = workflows.all().stream().filter(row -> concerns(key, row)).toList();
      } catch (CliException e) {
        if (nanoTime.getAsLong() - end >= 0) {
          throw e;
        }
        last = say(last, Objects.toString(e.getMessage(), ""));
        rest();
        continue;
      }
      List<WorkflowRow> alive =
          rows.stream().filter(row -> row.stage() == WorkflowRow.Stage.ALIVE).toList();
      last = say(last, line(rows));
      if (alive.isEmpty() || nanoTime.getAsLong() - end >= 0) {
        return alive;
      }
      rest();
    }
  }

  static boolean concerns(String key, WorkflowRow row) {
    return key.equals(EmergencyStop.ALL) || key.equals(row.type());
  }

  private String say(String last, String line) {
    if (!line.equals(last)) {
      out.println("  " + TIME.format(clock.instant()) + "  " + line);
      out.flush();
    }
    return line;
  }

  /** {@code 2 Running, 1 Stopping, 7 Stopped, 3 waiting}: only what bears on a stop. */
  private static String line(List<WorkflowRow> rows) {
    Map<String, Long> phases =
        rows.stream()
            .filter(
                row ->
                    row.stage() == WorkflowRow.Stage.ALIVE
                        || row.stage() == WorkflowRow.Stage.STOPPED)
            .collect(
                Collectors.groupingBy(WorkflowRow::phase, TreeMap::new, Collectors.counting()));
    long waiting = rows.stream().filter(row -> row.stage() == WorkflowRow.Stage.WAITING).count();
    String known =
        phases.entrySet().stream()
            .map(phase -> phase.getValue() + " " + phase.getKey())
            .collect(Collectors.joining(", "));
    String line = known.isEmpty() ? "nothing runs" : known;
    return waiting == 0 ? line : line + ", " + waiting + " waiting to start";
  }

  private static void rest() throws InterruptedException {
    Pause.of(PAUSE);
  }
}
