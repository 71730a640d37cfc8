package dev.andon.cli.bench;

import dev.andon.cli.Pause;
import dev.andon.cli.bench.Report.Row;
import dev.andon.cli.bench.Report.Verdict;
import dev.andon.cli.bench.Rig.StopWrite;
import dev.andon.cli.operator.OperatorProcess;
import dev.andon.devcluster.Cable;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;

/** Measures the scenarios one after the other, each with the operator and the plane at rest. */
final class StopBench {
  private static final Duration LAST_SEND_P99 = Duration.ofMillis(100);
  private static final Duration LAST_SEND_WORST = Duration.ofMillis(250);
  private static final Duration CLOSED = Duration.ofMillis(25);
  private static final Duration CLOSED_IN_FLOOD = Duration.ofMillis(250);
  private static final Duration ALL_STOPPED = Duration.ofMillis(2500);

  /**
   * The goal of 2.5 s was set where an API server on two cores takes a thousand such writes in 1.6
   * s: on slower cores this is what remains of it.
   */
  private static final double TIMES_PLAIN = 1.6;

  /** As many as the operator writes at the same time. */
  private static final int AT_ONCE = 32;

  private static final Duration WAIT_P50 = Duration.ofMillis(10);
  private static final Duration WAIT_P99 = Duration.ofMillis(50);
  private static final Duration RECORDS_CLOSED = Duration.ofSeconds(10);
  private static final Duration CUT_OFF = Duration.ofMillis(2500);
  private static final double MOST_READS = 50;
  private static final double READS_AT_REST = 1.2;

  /** So few that most find the gate free to read at once. */
  private static final int QUIET_RATE = 25;

  private static final int SUBMITTERS = 16;

  /** Flooded workflows are deleted after so many stops: the bench is to end some day. */
  private static final int STOPS_A_FLOOD = 4;

  private static final Duration FLOOD_BEFORE_STOP = Duration.ofSeconds(2);
  private static final Duration GATE_MEASURED = Duration.ofSeconds(20);
  private static final Duration REST_MEASURED = Duration.ofSeconds(10);
  private static final Duration BETWEEN_STOPS_AT_REST = Duration.ofMillis(1500);
  private static final Duration ALL_RUN = Duration.ofMinutes(5);
  private static final Duration ALL_END = Duration.ofMinutes(5);

  /** Nothing written to any workflow for so long: what comes later would be a new decision. */
  private static final Duration QUIET = Duration.ofMillis(1500);

  private static final int CUT_WORKFLOWS = 200;

  /** Before it ends by itself for want of its lease: it is to be killed while it lives. */
  private static final Duration LOOKED_AT_AFTER_CUT = Duration.ofSeconds(8);

  private static final Duration LOOKED_AT_AFTER_KILL = Duration.ofSeconds(3);

  /**
   * @param workflows how many run when the stop comes
   * @param stops how often each is measured
   * @param rate sends a second of all workflows together
   */
  record Settings(int workflows, int stops, int rate, Set<Scenario> scenarios) {
    Settings {
      scenarios = Set.copyOf(scenarios);
    }

    /** Between two sends of one workflow. */
    Duration period(int count, int ofRate) {
      return Duration.ofSeconds(Math.max(1, Math.round((double) count / ofRate)));
    }
  }

  private final Settings settings;
  private final Consumer<String> screen;
  private final InstantSource clock = InstantSource.system();
  private final List<Row> rows = new ArrayList<>();

  StopBench(Settings settings, Consumer<String> screen) {
    this.settings = settings;
    this.screen = screen;
  }

  /**
   * @param folder for the operator's log
   */
  Report run(Path folder) throws Exception {
    Conditions conditions = Conditions.now(clock);
    try (Rig rig = new Rig(folder, clock)) {
      screen.accept("control plane and andon install: " + conditions.since(clock));
      try (OperatorProcess operator = rig.operator()) {
        if (settings.scenarios().contains(Scenario.REST)) {
          rest(rig, operator);
        }
        if (settings.scenarios().contains(Scenario.RUNNING)) {
          running(rig, operator);
        }
        if (settings.scenarios().contains(Scenario.GATE)) {
          gate(rig, operator);
        }
        if (settings.scenarios().contains(Scenario.FLOOD)) {
          flood(rig, operator);
        }
      }
      if (settings.scenarios().contains(Scenario.CUT)) {
        cut(rig);
      }
      return new Report(conditions.lines(rig, clock), rows);
    }
  }

  // --- stops while nothing runs

  private void rest(Rig rig, OperatorProcess operator) throws Exception {
    List<Duration> closed = new ArrayList<>();
    List<Duration> watched = new ArrayList<>();
    for (int i = 1; i <= settings.stops(); i++) {
      rig.arm(operator);
      // Beyond the operator's read of a state it has just seen.
      Pause.of(BETWEEN_STOPS_AT_REST);
      StopWrite stop = rig.stop();
      Duration took = Duration.between(stop.sent(), rig.awaitSeen(operator, stop.revision()));
      closed.add(took);
      watched.add(Duration.between(stop.sent(), rig.awaitWatched(stop.revision())));
      screen.accept("at rest, stop %d: gate closed %s".formatted(i, ms(took)));
    }
    Figures before = rig.figures(operator);
    Instant from = clock.instant();
    Pause.of(REST_MEASURED);
    double reads = perSecond(rig.figures(operator).reads() - before.reads(), from);
    closedRow("at rest", Distribution.of(closed), CLOSED);
    watchedRow(watched);
    rows.add(
        new Row(
            "gate: reads while nothing waits",
            "1 a second",
            String.format(Locale.ROOT, "%.1f a second", reads),
            reads <= READS_AT_REST ? Verdict.MET : Verdict.MISSED));
  }

  private void closedRow(String when, Distribution closed, Duration goal) {
    rows.add(
        new Row(
            "from the send of the stop to the gate closed, " + when,
            "p99 " + ms(goal),
            closed.toString(),
            met(closed.p99(), goal)));
  }

  private void answeredRow(List<Duration> answered) {
    rows.add(
        new Row(
            "  in which time the API server answers the stop",
            "",
            Distribution.of(answered).toString(),
            Verdict.TOLD));
  }

  /** What no client could be faster than. */
  private void watchedRow(List<Duration> watched) {
    rows.add(
        new Row(
            "  in which time a watch that does nothing else is told of it",
            "",
            Distribution.of(watched).toString(),
            Verdict.TOLD));
  }

  // --- stops while workflows run and send

  private void running(Rig rig, OperatorProcess operator) throws Exception {
    int n = settings.workflows();
    Duration period = settings.period(n, settings.rate());
    screen.accept(
        "%,d workflows run, each sends once in %d s; then the stop"
            .formatted(n, period.toSeconds()));
    var lastSends = new ArrayList<Duration>();
    var answered = new ArrayList<Duration>();
    var closed = new ArrayList<Duration>();
    var watched = new ArrayList<Duration>();
    var plain = new ArrayList<Duration>();
    var stopped = new ArrayList<Duration>();
    var records = new ArrayList<Duration>();
    var cpu = new ArrayList<Duration>();
    var writes = new ArrayList<Integer>();
    var violations = new ArrayList<String>();
    var rates = new ArrayList<Double>();
    var reads = new ArrayList<Double>();
    var waits = new ArrayList<Figures>();
    int incomplete = 0;
    int intentsAfter = 0;
    for (int i = 1; i <= settings.stops(); i++) {
      long armed = rig.arm(operator);
      rig.submit(n, period);
      Pause.until("all workflows have sent", ALL_RUN, () -> rig.target().senders() >= n);
      Figures before = rig.figures(operator);
      Instant from = clock.instant();
      int sentBefore = rig.target().count();
      // At any moment of the rhythm they may have fallen into.
      Pause.of(period.plusMillis(ThreadLocalRandom.current().nextLong(1000)));
      rates.add(perSecond(rig.target().count() - sentBefore, from));
      Figures now = rig.figures(operator);
      reads.add(perSecond(now.reads() - before.reads(), from));
      waits.add(now);

      Duration cpuBefore = operator.cpu();
      StopWrite stop = rig.stop();
      StopJudgement judged = awaitEnd(rig, armed, stop);
      Pause.until("every record says how it ended", ALL_END, () -> rig.openRecords() == 0);
      records.add(Duration.between(stop.sent(), rig.lastRecord()));
      cpu.add(operator.cpu().minus(cpuBefore));
      Duration gate = Duration.between(stop.sent(), rig.awaitSeen(operator, stop.revision()));
      closed.add(gate);
      answered.add(Duration.between(stop.sent(), stop.answered()));
      watched.add(Duration.between(stop.sent(), rig.awaitWatched(stop.revision())));
      lastSends.addAll(judged.lastSends().values());
      judged.allStopped().ifPresent(stopped::add);
      incomplete += judged.allStopped().isPresent() && judged.stopped() == n ? 0 : 1;
      violations.addAll(judged.violations());
      writes.addAll(judged.writes().values());
      intentsAfter += judged.intentsAfter();
      screen.accept(
          ("stop %d of %d: answered %s, gate closed %s, last send %s; %,d Stopped %s, %s; sends of newer"
                  + " intents: %d")
              .formatted(
                  i,
                  settings.stops(),
                  ms(Duration.between(stop.sent(), stop.answered())),
                  ms(gate),
                  ms(Distribution.of(judged.lastSends().values()).worst()),
                  judged.stopped(),
                  judged
                      .allStopped()
                      .map(t -> "in " + ms(t))
                      .orElse("and %d not".formatted(judged.notStopped())),
                  writesSaid(judged.writes().values()),
                  judged.violations().size()));
      Duration limit = rig.rewriteAll(AT_ONCE);
      plain.add(limit);
      screen.accept("  the same writes by a client that does nothing else: " + ms(limit));
      rig.clear();
    }
    double sendsASecond = rates.stream().mapToDouble(r -> r).average().orElse(0);
    String load = String.format(Locale.ROOT, "%,d running, %.0f sends a second", n, sendsASecond);
    lastSendRows(load, Distribution.of(lastSends));
    rows.add(
        new Row(
            "sends whose intent is newer than the stop, of %d stops".formatted(settings.stops()),
            "0",
            "%d; intents written after it and not sent: %d"
                .formatted(violations.size(), intentsAfter),
            violations.isEmpty() ? Verdict.MET : Verdict.BROKEN));
    closedRow(load, Distribution.of(closed), CLOSED);
    answeredRow(answered);
    watchedRow(watched);
    Distribution all = Distribution.of(stopped);
    rows.add(
        new Row(
            "from the send of the stop to %,d Stopped".formatted(n),
            "%s".formatted(ms(ALL_STOPPED)),
            all + (incomplete > 0 ? "; %d stops did not end all".formatted(incomplete) : ""),
            incomplete > 0
                ? Verdict.BROKEN
                : all.isEmpty() ? Verdict.OPEN : met(all.worst(), ALL_STOPPED)));
    rows.add(
        new Row(
            "  the same writes by a client that does nothing else, %d at a time".formatted(AT_ONCE),
            "",
            Distribution.of(plain).toString(),
            Verdict.TOLD));
    if (!all.isEmpty()) {
      double times = (double) all.p50().toNanos() / Distribution.of(plain).p50().toNanos();
      rows.add(
          new Row(
              "  of which it is so many times as long, at the median",
              String.format(Locale.ROOT, "%.1f", TIMES_PLAIN),
              String.format(Locale.ROOT, "%.2f", times),
              times <= TIMES_PLAIN ? Verdict.MET : Verdict.MISSED));
    }
    rows.add(
        new Row(
            "writes of each workflow from the stop to Stopped",
            "1 where nothing is alive outside",
            writesSaid(writes),
            Verdict.TOLD));
    rows.add(
        new Row(
            "  and processor time of the operator meanwhile",
            "",
            Distribution.of(cpu).toString(),
            Verdict.TOLD));
    Distribution closedRecords = Distribution.of(records);
    rows.add(
        new Row(
            "their records closed",
            ms(RECORDS_CLOSED),
            closedRecords.toString(),
            met(closedRecords.worst(), RECORDS_CLOSED)));
    rows.add(
        new Row(
            "gate: reads with " + load,
            "at most 50 a second",
            String.format(
                Locale.ROOT,
                "%.0f a second at most",
                reads.stream().mapToDouble(r -> r).max().orElse(0)),
            reads.stream().allMatch(r -> r <= MOST_READS) ? Verdict.MET : Verdict.MISSED));
    waitRow(load, waits);
  }

  private void lastSendRows(String load, Distribution lastSends) {
    List<Duration> after = lastSends.sorted().stream().filter(d -> !d.isNegative()).toList();
    rows.add(
        new Row(
            "from the send of the stop to each workflow's last send, " + load,
            "p99 %s, worst %s".formatted(ms(LAST_SEND_P99), ms(LAST_SEND_WORST)),
            "p99 %s, worst %s of %,d"
                .formatted(
                    atLeastZero(lastSends.p99()), atLeastZero(lastSends.worst()), lastSends.size()),
            lastSends.p99().compareTo(LAST_SEND_P99) <= 0
                    && lastSends.worst().compareTo(LAST_SEND_WORST) <= 0
                ? Verdict.MET
                : Verdict.MISSED));
    rows.add(
        new Row(
            "  of which only those that sent after it",
            "",
            Distribution.of(after).toString(),
            Verdict.TOLD));
  }

  private static String atLeastZero(Duration duration) {
    return duration.isNegative() ? "before it" : ms(duration);
  }

  private void waitRow(String load, List<Figures> seen) {
    Duration median = p50(seen, figures -> figures.gateWait("0.5"));
    Duration worst = worst(seen, figures -> figures.gateWait("0.99"));
    rows.add(
        new Row(
            "gate: wait added to a send, " + load,
            "p50 %s, p99 %s".formatted(ms(WAIT_P50), ms(WAIT_P99)),
            "p50 %s, p99 %s".formatted(ms(median), ms(worst)),
            median.compareTo(WAIT_P50) <= 0 && worst.compareTo(WAIT_P99) <= 0
                ? Verdict.MET
                : Verdict.MISSED));
    rows.add(
        new Row(
            "  of which the read itself takes",
            "",
            "p50 %s, p99 %s"
                .formatted(
                    ms(p50(seen, figures -> figures.gateRead("0.5"))),
                    ms(worst(seen, figures -> figures.gateRead("0.99")))),
            Verdict.TOLD));
  }

  private static Duration p50(List<Figures> seen, Function<Figures, Duration> figure) {
    return Distribution.of(seen.stream().map(figure).toList()).p50();
  }

  private static Duration worst(List<Figures> seen, Function<Figures, Duration> figure) {
    return Distribution.of(seen.stream().map(figure).toList()).worst();
  }

  private static String writesSaid(Collection<Integer> writes) {
    if (writes.isEmpty()) {
      return "no writes";
    }
    long one = writes.stream().filter(w -> w == 1).count();
    return String.format(
        Locale.ROOT,
        "%,d writes: 1 for %,d, %d at most",
        writes.stream().mapToInt(w -> w).sum(),
        one,
        writes.stream().mapToInt(w -> w).max().orElse(0));
  }

  /**
   * Until all are Stopped and nothing is written any more, or it takes too long.
   *
   * @param armed revision since which they were created: a watch may tell of older ones late
   */
  private StopJudgement awaitEnd(Rig rig, long armed, StopWrite stop) throws Exception {
    List<Version> history = new ArrayList<>();
    Instant limit = clock.instant().plus(ALL_END);
    while (true) {
      awaitQuiet(rig);
      rig.watch().drain().stream()
          .filter(version -> version.revision() > armed)
          .forEach(history::add);
      StopJudgement judged =
          StopJudgement.of(stop.sent(), stop.revision(), history, rig.target().sends());
      if (judged.allStopped().isPresent() || clock.instant().isAfter(limit)) {
        return judged;
      }
    }
  }

  /** Until nothing is written any more. */
  private void awaitQuiet(Rig rig) throws Exception {
    Pause.of(QUIET);
    Pause.until(
        "nothing is written to workflows any more",
        ALL_END,
        () -> Duration.between(rig.watch().last(), clock.instant()).compareTo(QUIET) > 0);
  }

  // --- what the gate costs a send

  private void gate(Rig rig, OperatorProcess operator) throws Exception {
    int n = Math.min(settings.workflows(), 4 * QUIET_RATE);
    rig.arm(operator);
    Duration period = settings.period(n, QUIET_RATE);
    rig.submit(n, period);
    Pause.until("all workflows have sent", ALL_RUN, () -> rig.target().senders() >= n);
    int before = rig.target().count();
    Instant from = clock.instant();
    Pause.of(GATE_MEASURED);
    double sends = perSecond(rig.target().count() - before, from);
    Figures figures = rig.figures(operator);
    waitRow(
        String.format(Locale.ROOT, "%d running, %.0f sends a second", n, sends), List.of(figures));
    StopWrite _ = rig.stop();
    awaitQuiet(rig);
    rig.clear();
  }

  // --- stops while clients submit as fast as the API server takes it

  private void flood(Rig rig, OperatorProcess operator) throws Exception {
    List<Duration> closed = new ArrayList<>();
    List<Duration> watched = new ArrayList<>();
    List<Duration> answered = new ArrayList<>();
    List<Double> taken = new ArrayList<>();
    List<KubernetesClient> clients = rig.submitters(SUBMITTERS);
    try {
      for (int done = 0; done < settings.stops(); ) {
        int here = Math.min(STOPS_A_FLOOD, settings.stops() - done);
        rig.arm(operator);
        var over = new AtomicBoolean();
        var submitted = new AtomicInteger();
        List<Thread> threads = new ArrayList<>();
        for (KubernetesClient client : clients) {
          threads.add(Thread.ofVirtual().start(() -> submit(rig, client, over, submitted)));
        }
        try {
          for (int i = 0; i < here; i++) {
            if (i > 0) {
              rig.arm(operator);
            }
            int before = submitted.get();
            Instant from = clock.instant();
            Pause.of(FLOOD_BEFORE_STOP);
            taken.add(perSecond(submitted.get() - before, from));
            StopWrite stop = rig.stop();
            Duration took = Duration.between(stop.sent(), rig.awaitSeen(operator, stop.revision()));
            closed.add(took);
            answered.add(Duration.between(stop.sent(), stop.answered()));
            watched.add(Duration.between(stop.sent(), rig.awaitWatched(stop.revision())));
            done++;
            screen.accept(
                "flooded, stop %d: answered %s, gate closed %s"
                    .formatted(done, ms(Duration.between(stop.sent(), stop.answered())), ms(took)));
          }
        } finally {
          over.set(true);
          for (Thread thread : threads) {
            thread.join();
          }
        }
        awaitQuiet(rig);
        rig.clear();
      }
    } finally {
      clients.forEach(KubernetesClient::close);
    }
    closedRow(
        String.format(
            Locale.ROOT,
            "%d clients submit %.0f workflows a second",
            SUBMITTERS,
            taken.stream().mapToDouble(t -> t).average().orElse(0)),
        Distribution.of(closed),
        CLOSED_IN_FLOOD);
    answeredRow(answered);
    watchedRow(watched);
  }

  private void submit(
      Rig rig, KubernetesClient client, AtomicBoolean over, AtomicInteger submitted) {
    while (!over.get()) {
      rig.create(client, Duration.ofSeconds(10));
      submitted.incrementAndGet();
    }
  }

  // --- the operator cut off, and killed

  private void cut(Rig rig) throws Exception {
    int n = Math.min(settings.workflows(), CUT_WORKFLOWS);
    Duration period = settings.period(n, settings.rate());
    try (var cable = new Cable(rig.plane().url().getPort());
        OperatorProcess operator = rig.operator(cable)) {
      rig.arm(operator);
      rig.submit(n, period);
      Pause.until("all workflows have sent", ALL_RUN, () -> rig.target().senders() >= n);
      Pause.of(period);
      int before = rig.target().count();
      Instant from = clock.instant();
      Pause.of(period);
      double rate = perSecond(rig.target().count() - before, from);
      Instant cut = clock.instant();
      cable.cut();
      Pause.of(LOOKED_AT_AFTER_CUT);
      Duration last =
          rig.target().sends().stream()
              .map(send -> Duration.between(cut, send.arrived()))
              .max(Comparator.naturalOrder())
              .orElseThrow();
      screen.accept("operator cut off: last send " + atLeastZero(last));
      rows.add(
          new Row(
              String.format(
                  Locale.ROOT,
                  "operator cut off from the API server, %d running, %.0f sends a second: last send",
                  n,
                  rate),
              "within " + ms(CUT_OFF),
              atLeastZero(last),
              last.compareTo(CUT_OFF) <= 0 ? Verdict.MET : Verdict.BROKEN));
      operator.kill();
      killed(rig, rig.target().count());
    }
  }

  private void killed(Rig rig, int sentBefore) throws Exception {
    StopWrite _ = rig.stop();
    SecondLayer.Seen seen = SecondLayer.tried(rig);
    Pause.of(LOOKED_AT_AFTER_KILL);
    int sent = rig.target().count() - sentBefore;
    screen.accept("operator killed, then the stop: " + seen.said());
    rows.add(
        new Row(
            "operator killed (kill -9), then the stop: Jobs and Pods the API server takes of its account",
            "0",
            "%s; sends: %d".formatted(seen.said(), sent),
            sent > 0 || seen.taken()
                ? (seen.layerMissing() ? Verdict.OPEN : Verdict.BROKEN)
                : Verdict.MET));
  }

  // --- words and numbers

  private static Verdict met(Duration seen, Duration goal) {
    return seen.compareTo(goal) <= 0 ? Verdict.MET : Verdict.MISSED;
  }

  private double perSecond(double count, Instant from) {
    return count / (Duration.between(from, clock.instant()).toNanos() / 1e9);
  }

  private static String ms(Duration duration) {
    return Distribution.millis(duration);
  }
}
