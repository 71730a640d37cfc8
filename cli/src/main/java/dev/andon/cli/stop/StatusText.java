package dev.andon.cli.stop;

import dev.andon.cli.stop.StatusReport.Alive;
import dev.andon.cli.stop.StatusReport.Key;
import dev.andon.cli.stop.StatusReport.Stop;
import dev.andon.cli.stop.StatusReport.Stopped;
import dev.andon.cli.stop.StatusReport.Waiting;
import dev.andon.operator.protection.Interference;
import dev.andon.operator.protection.Protection;
import dev.andon.operator.protection.Protections;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The report on a terminal: the worst first, nothing wider than a hundred columns. */
final class StatusText {
  private static final int WIDTH = 96;

  private final PrintWriter out;
  private final Instant now;

  StatusText(PrintWriter out, Instant now) {
    this.out = out;
    this.now = now;
  }

  void print(StatusReport report) {
    report.problems().forEach(problem -> wrapped("NOT KNOWN: " + problem));
    stop(report.stop());
    out.println();
    row("Cluster", report.cluster());
    row("Operator", report.operator().text());
    protections(report.protections());
    alive(report);
    waiting(report);
    stopped(report);
  }

  private void stop(Stop stop) {
    switch (stop.state()) {
      case "unknown" ->
          out.println("The stop cannot be read: while that is so, the operator sends nothing.");
      case "missing" ->
          out.println("EVERYTHING IS STOPPED: there is no ConfigMap emergency-stop in andon-stop.");
      case "stopped" -> {
        out.println("EVERYTHING IS STOPPED: " + stop.why() + byAndSince(stop.all()));
        reason(stop.stopReason());
        if (!stop.types().isEmpty()) {
          out.println("Below it, for when that is taken back:");
          stop.types().forEach(this::type);
        }
      }
      default -> {
        if (stop.types().stream().noneMatch(Key::armed)) {
          out.println("EVERYTHING IS STOPPED: no type is armed.");
        } else {
          out.println("ARMED, every other type is stopped:");
        }
        stop.types().forEach(this::type);
        if (stop.armReason() != null) {
          out.println("  the last arming said: " + stop.armReason());
        }
        reason(stop.stopReason());
      }
    }
    if (stop.resourceVersion() != null) {
      out.println(
          "  (andon-stop/emergency-stop at resourceVersion " + stop.resourceVersion() + ")");
    }
  }

  private void reason(@Nullable String reason) {
    if (reason != null) {
      wrapped("  the last stop said: " + reason);
    }
  }

  private void type(Key key) {
    out.println("  %-6s %s%s".formatted(key.value(), key.type(), byAndSince(key)));
  }

  private String byAndSince(@Nullable Key key) {
    if (key == null) {
      return "";
    }
    String by = key.by() == null ? "" : ", by " + key.by();
    Instant since = key.since();
    String age =
        since == null
            ? ""
            : ", written %s ago (%s)"
                .formatted(Printable.age(Duration.between(since, now)), Printable.time(since));
    return age + by;
  }

  private void alive(StatusReport report) {
    if (report.aliveTotal() == 0) {
      row("Alive", report.problems().isEmpty() ? "nothing" : "not known");
      return;
    }
    heading("Alive", report.aliveTotal(), report.alive().size());
    for (Alive alive : report.alive()) {
      Integer attempts = alive.activeAttempts();
      out.println(
          "  %-9s %s  %s  %s%s%s"
              .formatted(
                  alive.phase(),
                  alive.workflow(),
                  alive.type(),
                  alive.progress(),
                  alive.reason().equals(alive.phase()) ? "" : "  " + alive.reason(),
                  attempts == null
                      ? ""
                      : "  " + Printable.count(attempts, "attempt") + " under way"));
    }
  }

  private void waiting(StatusReport report) {
    if (report.waitingTotal() == 0) {
      return;
    }
    heading("Waiting to start", report.waitingTotal(), report.waiting().size());
    for (Waiting waiting : report.waiting()) {
      out.println(
          "  %s  %s  %s  %s, %s old"
              .formatted(
                  waiting.workflow(),
                  waiting.type(),
                  waiting.jobs().isEmpty() ? "" : waiting.jobs() + " jobs",
                  waiting.reason().isEmpty() ? "not looked at yet" : waiting.reason(),
                  age(waiting.created())));
    }
  }

  private void stopped(StatusReport report) {
    if (report.stoppedTotal() == 0) {
      return;
    }
    heading("Stopped in the last 24 h", report.stoppedTotal(), report.stopped().size());
    for (Stopped stopped : report.stopped()) {
      int unknown = stopped.unknownJobs() == null ? 0 : stopped.unknownJobs();
      out.println(
          "  %s  %s  %s  %s ago%s"
              .formatted(
                  stopped.workflow(),
                  stopped.type(),
                  stopped.progress(),
                  age(stopped.time()),
                  unknown == 0 ? "" : "  " + Printable.count(unknown, "job") + " UNKNOWN"));
      wrapped(
          "      %s%s%s"
              .formatted(
                  stopped.key() == null
                      ? ""
                      : "%s was %s".formatted(stopped.key(), said(stopped.value())),
                  stopped.by() == null ? "" : ", by " + stopped.by(),
                  stopped.reason() == null ? "" : ": " + stopped.reason()));
    }
  }

  /** What protects is a number; what does not is told, with what to do. */
  private void protections(Protections protections) {
    long inPlace =
        protections.all().stream().filter(p -> p.state() == Protection.State.IN_PLACE).count();
    row(
        "Protected",
        "%d of %d protections are in place".formatted(inPlace, protections.all().size()));
    List<Protection> unknown =
        protections.all().stream().filter(p -> p.state() == Protection.State.UNKNOWN).toList();
    if (!unknown.isEmpty()) {
      item(
          "?",
          "not known: %s: %s"
              .formatted(
                  unknown.stream().map(Protection::name).collect(Collectors.joining(", ")),
                  unknown.getFirst().found()));
    }
    // Most often one thing helps against all of it: it is told once.
    SequencedSet<String> remedies = new LinkedHashSet<>();
    for (Protection protection : protections.all()) {
      if (protection.isMissing()) {
        item(
            "!",
            "%s: %s. %s".formatted(protection.name(), protection.found(), protection.meaning()));
        remedies.add(protection.remedy());
      }
    }
    remedies.forEach(remedy -> item(">", remedy));
    for (Interference other : protections.interferences()) {
      item("!", "%s: %s".formatted(other.configuration(), other.message()));
      item(">", other.remedy());
    }
    for (String notVisible : protections.notVisible()) {
      item("?", "not known: " + notVisible);
    }
  }

  private void item(String mark, String text) {
    if (!text.isBlank()) {
      wrapped("        %s %s".formatted(mark, text));
    }
  }

  private static String said(@Nullable String value) {
    if (value == null) {
      return "\"\"";
    }
    return value.startsWith("(") ? value : '"' + value + '"';
  }

  private String age(@Nullable Instant since) {
    return since == null ? "?" : Printable.age(Duration.between(since, now));
  }

  private void heading(String what, int total, int shown) {
    out.println();
    out.println(
        shown < total ? "%s: %d, here are %d".formatted(what, total, shown) : what + ": " + total);
  }

  private void row(String name, String value) {
    wrapped("%-10s%s".formatted(name, value));
  }

  /** Words on as many lines as they need, those after the first indented. */
  private void wrapped(String text) {
    String rest = text;
    while (rest.length() > WIDTH) {
      int at = rest.lastIndexOf(' ', WIDTH);
      if (at <= 10) {
        break;
      }
      out.println(rest.substring(0, at));
      rest = "          " + rest.substring(at + 1);
    }
    out.println(rest);
  }
}
