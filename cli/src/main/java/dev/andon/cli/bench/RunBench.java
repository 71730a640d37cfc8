package dev.andon.cli.bench;

import dev.andon.cli.CliException;
import dev.andon.cli.Pause;
import dev.andon.cli.bench.Report.Row;
import dev.andon.cli.bench.Report.Verdict;
import dev.andon.cli.operator.OperatorProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Measures what running workflows costs and how long it takes, each scenario twice where it says
 * so: cold, and warm in the same process.
 */
final class RunBench {
  private static final int SUBMITTERS = 16;
  private static final int STEPS = 10;

  private static final int SHORT_WORKFLOWS = 500;
  private static final int LONG_WORKFLOWS = 200;
  private static final int HTTP_WORKFLOWS = 100;
  private static final int ITEMS = 1_700;
  private static final int RANGE = 10_000;
  private static final int HUGE = 100_000;
  private static final int MOST_CONCURRENCY = 2_000;
  private static final int RESIDENT_WORKFLOWS = 1_000;

  /** So that what runs costs the cores little while memory is looked at. */
  private static final Duration RESIDENT_PERIOD = Duration.ofSeconds(100);

  private static final int AT_ONCE = 32;
  private static final Duration ENDS = Duration.ofMinutes(15);
  private static final Duration LOOK = Duration.ofMillis(250);
  private static final Duration SETTLED = Duration.ofSeconds(1);

  /**
   * @param percent of the numbers of workflows and jobs, for a short look
   */
  record Settings(int percent, Set<RunScenario> scenarios) {
    Settings {
      scenarios = Set.copyOf(scenarios);
    }

    int of(int number) {
      return Math.max(1, number * percent / 100);
    }
  }

  /**
   * What running some workflows took.
   *
   * @param took from the first request to the last Complete
   * @param each from a watch telling of the workflow to its Complete
   * @param writes to objects of ours, creating them included
   * @param cpu of the operator
   */
  private record Batch(int workflows, Duration took, Distribution each, long writes, Duration cpu) {
    double perSecond() {
      return workflows / (took.toNanos() / 1e9);
    }

    double writesEach() {
      return (double) writes / workflows;
    }

    double cpuMillisEach() {
      return cpu.toNanos() / 1e6 / workflows;
    }
  }

  private final Settings settings;
  private final Consumer<String> screen;
  private final InstantSource clock = InstantSource.system();
  private final List<Row> rows = new ArrayList<>();
  private int names;

  RunBench(Settings settings, Consumer<String> screen) {
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
      apiServerAlone(rig);
      Instant start = clock.instant();
      OperatorProcess operator = rig.operator();
      try {
        ready(Duration.between(start, clock.instant()));
        rig.arm(operator);
        for (RunScenario scenario : RunScenario.values()) {
          if (settings.scenarios().contains(scenario)) {
            operator = run(scenario, rig, operator);
            rig.clear();
          }
        }
      } finally {
        operator.close();
      }
      return new Report(conditions.lines(rig, clock), rows);
    }
  }

  /** Returns the operator that runs afterwards. */
  private OperatorProcess run(RunScenario scenario, Rig rig, OperatorProcess operator)
      throws Exception {
    switch (scenario) {
      case THROUGHPUT -> throughput(rig, operator);
      case STEPS -> steps(rig, operator);
      case HTTP -> http(rig, operator);
      case FANOUT -> fanOut(rig, operator);
      case RANGE -> range(rig, operator, settings.of(RANGE), Duration.ofSeconds(2), 8_000);
      case HUGE -> range(rig, operator, settings.of(HUGE), null, 600_000);
      case RESTART -> {
        return restart(rig, operator);
      }
    }
    return operator;
  }

  /** What everything else is to be compared with on this machine. */
  private void apiServerAlone(Rig rig) throws Exception {
    int n = settings.of(SHORT_WORKFLOWS);
    rig.createStop();
    Instant from = clock.instant();
    rig.submit(names("alone", n, name -> RunLoad.steps(name, STEPS, "0")), SUBMITTERS);
    Duration created = Duration.between(from, clock.instant());
    Duration written = rig.rewriteAll(AT_ONCE);
    Duration warm = rig.rewriteAll(AT_ONCE);
    rig.clear();
    double four = n / ((created.toNanos() + 3.0 * warm.toNanos()) / 1e9);
    rows.add(
        new Row(
            "the API server alone, with the same workflows and no operator",
            "",
            String.format(
                Locale.ROOT,
                "%.0f creates a second, then %.0f and %.0f status writes; a create and three writes for"
                    + " %.0f workflows a second",
                n / (created.toNanos() / 1e9),
                n / (written.toNanos() / 1e9),
                n / (warm.toNanos() / 1e9),
                four),
            Verdict.TOLD));
    screen.accept(rows.getLast().what() + ": " + rows.getLast().seen());
  }

  private void ready(Duration took) {
    rows.add(
        new Row(
            "from the start of the operator's process to ready",
            "1.3 s",
            Distribution.millis(took),
            met(took.compareTo(Duration.ofMillis(1300)) <= 0)));
  }

  private void throughput(Rig rig, OperatorProcess operator) throws Exception {
    int n = settings.of(SHORT_WORKFLOWS);
    for (boolean warm : new boolean[] {false, true}) {
      Batch batch =
          batch(
              rig,
              operator,
              names("short", n, name -> RunLoad.steps(name, STEPS, "0")),
              SUBMITTERS);
      String what =
          "%,d workflows of %d steps of 0 s, %d clients submit, %s"
              .formatted(n, STEPS, SUBMITTERS, warm ? "warm" : "cold");
      row(what, warm ? "150/s" : "80/s", "%.0f/s", batch.perSecond(), warm ? 150 : 80, true);
      row("  API writes a workflow", "4", "%.1f", batch.writesEach(), 4.05, false);
      row(
          "  processor time of the operator a workflow",
          warm ? "5 ms" : "10 ms",
          "%.1f ms",
          batch.cpuMillisEach(),
          warm ? 5 : 10,
          false);
      rig.clear();
    }
  }

  private void steps(Rig rig, OperatorProcess operator) throws Exception {
    int n = settings.of(LONG_WORKFLOWS);
    Batch batch =
        batch(rig, operator, names("long", n, name -> RunLoad.steps(name, STEPS, "1")), SUBMITTERS);
    rows.add(
        new Row(
            "%,d workflows of %d steps of 1 s at once".formatted(n, STEPS),
            "p50 10.5 s, worst 11 s",
            batch.each().toString(),
            met(
                batch.each().p50().compareTo(Duration.ofMillis(10_500)) <= 0
                    && batch.each().worst().compareTo(Duration.ofSeconds(11)) <= 0)));
    tell(rows.getLast());
    row("  API writes a workflow", "14", "%.1f", batch.writesEach(), 14, false);
    row(
        "  processor time of the operator a workflow",
        "20 ms",
        "%.1f ms",
        batch.cpuMillisEach(),
        20,
        false);
  }

  private void http(Rig rig, OperatorProcess operator) throws Exception {
    int n = settings.of(HTTP_WORKFLOWS);
    rig.target().clear();
    long writes = ApiWrites.count(rig.administrator());
    for (String workflow : names("http", n, name -> RunLoad.sends(name, STEPS))) {
      Batch _ = batch(rig, operator, List.of(workflow), 1);
    }
    double each = (double) (ApiWrites.count(rig.administrator()) - writes) / n;
    Map<String, List<Instant>> sends =
        rig.target().sends().stream()
            .collect(
                Collectors.groupingBy(
                    SendLog.Send::uid,
                    Collectors.mapping(SendLog.Send::arrived, Collectors.toList())));
    List<Duration> gaps = new ArrayList<>();
    sends
        .values()
        .forEach(
            arrivals ->
                IntStream.range(1, arrivals.size())
                    .mapToObj(i -> Duration.between(arrivals.get(i - 1), arrivals.get(i)))
                    .forEach(gaps::add));
    Distribution gap = Distribution.of(gaps);
    rows.add(
        new Row(
            "%,d workflows of %d http jobs, one after the other: from job to job"
                .formatted(n, STEPS),
            "p50 25 ms",
            gap.toString(),
            met(gap.p50().compareTo(Duration.ofMillis(25)) <= 0)));
    tell(rows.getLast());
    row("  API writes a workflow", "15", "%.1f", each, 15, false);
  }

  private void fanOut(Rig rig, OperatorProcess operator) throws Exception {
    int n = settings.of(ITEMS);
    for (boolean warm : new boolean[] {false, true}) {
      String name = name("items");
      Batch batch =
          batch(
              rig,
              operator,
              List.of(RunLoad.items(name, n, Math.min(n, MOST_CONCURRENCY), "1")),
              1);
      row(
          "one workflow, %,d items of 1 s, all at once, %s".formatted(n, warm ? "warm" : "cold"),
          "1.6 s",
          "%.2f s",
          batch.took().toNanos() / 1e9,
          1.6,
          false);
      row(
          "  processor time of the operator",
          "600 ms",
          "%.0f ms",
          batch.cpuMillisEach(),
          600,
          false);
      row("  its status at the end", "16 KB", "%.0f bytes", rig.statusBytes(name), 16_000, false);
    }
  }

  private void range(
      Rig rig,
      OperatorProcess operator,
      int n,
      @org.jspecify.annotations.Nullable Duration goal,
      int bytes)
      throws Exception {
    String name = name("range");
    Batch batch =
        batch(
            rig, operator, List.of(RunLoad.range(name, n, Math.min(n, MOST_CONCURRENCY), "0")), 1);
    rows.add(
        new Row(
            "one workflow, range of %,d items of 0 s".formatted(n),
            goal == null ? "it runs" : Distribution.millis(goal),
            "%s; %d writes, %s of processor time"
                .formatted(
                    Distribution.millis(batch.took()),
                    batch.writes(),
                    Distribution.millis(batch.cpu())),
            met(goal == null || batch.took().compareTo(goal) <= 0)));
    tell(rows.getLast());
    row(
        "  the whole object at the end",
        "%,d bytes".formatted(bytes),
        "%.0f bytes",
        rig.objectBytes(name),
        bytes,
        false);
  }

  private OperatorProcess restart(Rig rig, OperatorProcess operator) throws Exception {
    int n = settings.of(RESIDENT_WORKFLOWS);
    rig.target().clear();
    rig.submit(n, RESIDENT_PERIOD);
    Pause.until("all workflows have sent", ENDS, () -> rig.target().senders() >= n);
    Pause.of(RESIDENT_PERIOD.dividedBy(4));
    row(
        "%,d running: memory resident".formatted(n),
        "165 MiB",
        "%.0f MiB",
        operator.residentBytes() / (1024.0 * 1024),
        165,
        false);
    operator.close();
    int before = rig.target().count();
    Instant start = clock.instant();
    OperatorProcess next = rig.operator();
    try {
      Duration ready = Duration.between(start, clock.instant());
      Pause.until("the operator leads", ENDS, () -> rig.figures(next).value("andon_leading") == 1);
      Instant leads = clock.instant();
      Pause.until("something is sent", ENDS, () -> rig.target().count() > before);
      Instant sent = rig.target().sends().get(before).arrived();
      Duration first = Duration.between(leads, sent);
      row(
          "  restarted under them: from leading to the first send",
          "2 s",
          "%.2f s",
          Math.max(0, first.toNanos() / 1e9),
          2,
          false);
      rows.add(new Row("  ready after its start", "", Distribution.millis(ready), Verdict.TOLD));
      rig.stop();
      return next;
    } catch (Exception | Error e) {
      next.close();
      throw e;
    }
  }

  // --- one batch

  private Batch batch(Rig rig, OperatorProcess operator, List<String> workflows, int submitters)
      throws Exception {
    rig.watch().drain();
    long before = rig.revision();
    long writes = ApiWrites.count(rig.administrator());
    Duration cpu = operator.cpu();
    Instant from = clock.instant();
    rig.submit(workflows, submitters);
    var first = new HashMap<String, Instant>();
    var complete = new HashMap<String, Instant>();
    Pause.until(
        "all workflows have ended",
        ENDS,
        () -> {
          Pause.of(workflows.size() > 1 ? LOOK : Duration.ZERO);
          for (Version version : rig.watch().drain()) {
            if (version.revision() <= before) {
              continue; // told late of those that ran before
            }
            first.putIfAbsent(version.uid(), version.seen());
            switch (version.phase()) {
              case "Complete" -> complete.putIfAbsent(version.uid(), version.seen());
              case "Failed", "Rejected", "Stopped" ->
                  throw new CliException("a workflow of the bench ended " + version.phase());
              default -> {
                // Goes on.
              }
            }
          }
          return complete.size() == workflows.size();
        });
    Instant last = complete.values().stream().max(Comparator.naturalOrder()).orElseThrow();
    if (workflows.size() > 1) {
      Pause.of(SETTLED);
    }
    return new Batch(
        workflows.size(),
        Duration.between(from, last),
        Distribution.of(
            complete.entrySet().stream()
                .map(e -> Duration.between(first.get(e.getKey()), e.getValue()))
                .toList()),
        ApiWrites.count(rig.administrator()) - writes,
        operator.cpu().minus(cpu));
  }

  private String name(String what) {
    return what + "-" + ++names;
  }

  private List<String> names(String what, int count, Function<String, String> workflow) {
    return IntStream.range(0, count).mapToObj(_ -> workflow.apply(name(what))).toList();
  }

  private void row(
      String what, String goal, String format, double seen, double limit, boolean atLeast) {
    rows.add(
        new Row(
            what,
            goal,
            String.format(Locale.ROOT, format, seen),
            met(atLeast ? seen >= limit : seen <= limit)));
    tell(rows.getLast());
  }

  private void tell(Row row) {
    screen.accept(row.what() + ": " + row.seen());
  }

  private static Verdict met(boolean met) {
    return met ? Verdict.MET : Verdict.MISSED;
  }
}
