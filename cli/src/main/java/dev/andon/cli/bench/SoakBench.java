package dev.andon.cli.bench;

import dev.andon.cli.Pause;
import dev.andon.cli.bench.Report.Row;
import dev.andon.cli.bench.Report.Verdict;
import dev.andon.cli.operator.OperatorProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Looks for what grows: workflows that go on sending and short ones that come, end and are deleted
 * beside them, for a long time, and what the operator holds meanwhile.
 */
final class SoakBench {
  private static final double MIB = 1024.0 * 1024;

  /** Each of those that go on sends once in it. */
  private static final Duration PERIOD = Duration.ofSeconds(100);

  private static final Duration SAMPLE = Duration.ofSeconds(10);
  private static final Duration SHORT_EVERY = Duration.ofSeconds(1);
  private static final Duration SHORT_KEPT = Duration.ofSeconds(30);
  private static final Duration ENDS = Duration.ofMinutes(15);
  private static final int SHORT_STEPS = 3;

  /** What the medians of two quarters of the time may differ by when nothing leaks. */
  private static final double NOISE = 0.03;

  private static final double HANDFUL = 5;

  /**
   * @param workflows that go on sending
   * @param time for which they are looked at, once all of them run
   */
  record Settings(int workflows, Duration time) {}

  /** What the operator holds at one moment; bytes. */
  private record Sample(double resident, double live, double threads, double files) {}

  /** A short workflow, until it is deleted. */
  private record Short(String name, String uid, Instant created) {}

  private final Settings settings;
  private final Consumer<String> screen;
  private final InstantSource clock = InstantSource.system();
  private final List<Row> rows = new ArrayList<>();
  private final List<Sample> samples = new ArrayList<>();
  private final Deque<Short> shorts = new ArrayDeque<>();
  private final Map<String, String> phases = new HashMap<>();
  private int created;

  SoakBench(Settings settings, Consumer<String> screen) {
    this.settings = settings;
    this.screen = screen;
  }

  /**
   * @param folder for the operator's log
   */
  Report run(Path folder) throws Exception {
    Conditions conditions = Conditions.now(clock);
    try (Rig rig = new Rig(folder, clock);
        OperatorProcess operator = rig.operator()) {
      rig.arm(operator);
      rig.submit(settings.workflows(), PERIOD);
      Pause.until(
          "all workflows have sent", ENDS, () -> rig.target().senders() >= settings.workflows());
      // The second send of each goes through code that has run, and finds its caches filled.
      beside(rig, operator, PERIOD);
      samples.clear();
      screen.accept("%,d run, after %s".formatted(settings.workflows(), conditions.since(clock)));
      Duration cpu = operator.cpu();
      beside(rig, operator, settings.time());
      cpu = operator.cpu().minus(cpu);

      held();
      rows.add(
          new Row(
              "its processor time",
              "",
              String.format(
                  Locale.ROOT,
                  "%.1f %% of a core",
                  100.0 * cpu.toMillis() / settings.time().toMillis()),
              Verdict.TOLD));
      Pause.until(
          "the short workflows are Complete",
          ENDS,
          () -> {
            follow(rig);
            return phases.values().stream().filter("Complete"::equals).count() >= created;
          });
      rows.add(
          new Row(
              "short workflows of %d steps that came, ended and were deleted beside them"
                  .formatted(SHORT_STEPS),
              "all Complete",
              "%,d, all Complete".formatted(created),
              Verdict.MET));
      sends(rig.target().sends());
      stop(rig);
      return new Report(conditions.lines(rig, clock), rows);
    }
  }

  /** Short workflows come and go, and the operator is looked at, for so long. */
  private void beside(Rig rig, OperatorProcess operator, Duration time) throws Exception {
    Instant end = clock.instant().plus(time);
    Instant nextShort = clock.instant();
    Instant nextSample = clock.instant();
    while (clock.instant().isBefore(end)) {
      Pause.of(Duration.between(clock.instant(), nextShort));
      nextShort = nextShort.plus(SHORT_EVERY);
      come(rig);
      go(rig);
      follow(rig);
      if (!clock.instant().isBefore(nextSample)) {
        nextSample = nextSample.plus(SAMPLE);
        sample(rig.figures(operator), operator.residentBytes());
      }
    }
  }

  private void come(Rig rig) throws IOException {
    String name = "short-" + ++created;
    String uid = rig.submit(RunLoad.steps(name, SHORT_STEPS, "0"));
    shorts.addLast(new Short(name, uid, clock.instant()));
  }

  /** Only of those that have ended: where much else runs that may take longer. */
  private void go(Rig rig) {
    Instant since = clock.instant().minus(SHORT_KEPT);
    while (!shorts.isEmpty()
        && shorts.getFirst().created().isBefore(since)
        && "Complete".equals(phases.get(shorts.getFirst().uid()))) {
      rig.delete(shorts.removeFirst().name());
    }
  }

  private void follow(Rig rig) {
    for (Version version : rig.watch().drain()) {
      phases.put(version.uid(), version.phase());
    }
  }

  private void sample(Figures figures, long resident) {
    Sample sample =
        new Sample(
            resident,
            figures.value("jvm_gc_live_data_size_bytes"),
            figures.value("jvm_threads_live_threads"),
            figures.value("process_files_open_files"));
    samples.add(sample);
    screen.accept(
        String.format(
            Locale.ROOT,
            "resident %.1f MiB, live heap %.1f MiB, %.0f threads, %.0f open files",
            sample.resident() / MIB,
            sample.live() / MIB,
            sample.threads(),
            sample.files()));
  }

  private void held() {
    long minutes = settings.time().toMinutes();
    held(
        "%,d running for %d minutes: resident, MiB".formatted(settings.workflows(), minutes),
        "at most 165, flat",
        samples.stream().map(s -> s.resident() / MIB).toList(),
        165);
    held(
        "  of the heap, what a full collection leaves, MiB",
        "flat",
        // 0 before the first full collection.
        samples.stream().map(s -> s.live() / MIB).filter(live -> live > 0).toList(),
        Double.MAX_VALUE);
    held("  threads", "flat", samples.stream().map(Sample::threads).toList(), Double.MAX_VALUE);
    held("  open files", "flat", samples.stream().map(Sample::files).toList(), Double.MAX_VALUE);
  }

  private void held(String what, String goal, List<Double> values, double most) {
    if (values.isEmpty()) {
      rows.add(new Row(what, goal, "nothing measured", Verdict.OPEN));
      return;
    }
    var series = new Series(values);
    boolean flat = series.growth() <= Math.max(HANDFUL, NOISE * series.most());
    rows.add(
        new Row(
            what,
            goal,
            String.format(
                Locale.ROOT,
                "%s; most %.0f, from the first to the last quarter %+.1f",
                series.course(),
                series.most(),
                series.growth()),
            flat && series.most() <= most ? Verdict.MET : Verdict.MISSED));
  }

  private void sends(List<SendLog.Send> sends) {
    Set<String> keys = new HashSet<>();
    Map<String, Instant> last = new HashMap<>();
    long twice = 0;
    Duration longest = Duration.ZERO;
    for (SendLog.Send send : sends) {
      twice += keys.add(send.key()) ? 0 : 1;
      Instant before = last.put(send.uid(), send.arrived());
      if (before != null && Duration.between(before, send.arrived()).compareTo(longest) > 0) {
        longest = Duration.between(before, send.arrived());
      }
    }
    rows.add(
        new Row(
            "sent twice under one key",
            "0",
            "%d of %,d".formatted(twice, sends.size()),
            twice == 0 ? Verdict.MET : Verdict.BROKEN));
    rows.add(
        new Row(
            "longest pause between two sends of a workflow that sends every %d s"
                .formatted(PERIOD.toSeconds()),
            Distribution.millis(PERIOD.plus(SAMPLE)),
            Distribution.millis(longest),
            longest.compareTo(PERIOD.plus(SAMPLE)) <= 0 ? Verdict.MET : Verdict.MISSED));
  }

  private void stop(Rig rig) throws Exception {
    Instant sent = rig.stop().sent();
    Pause.until(
        "all workflows are Stopped",
        ENDS,
        () -> {
          follow(rig);
          return phases.values().stream().filter("Stopped"::equals).count() == settings.workflows();
        });
    rows.add(
        new Row(
            "then a stop: until %,d are Stopped".formatted(settings.workflows()),
            "",
            Distribution.millis(Duration.between(sent, clock.instant())),
            Verdict.TOLD));
  }
}
