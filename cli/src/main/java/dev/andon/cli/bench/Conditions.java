package dev.andon.cli.bench;

import dev.andon.cli.operator.OperatorProcess;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;

/**
 * Under which a bench ran: without them a figure says nothing.
 *
 * @param load of the machine before it
 */
record Conditions(Instant began, double load) {
  private static final int FLAGS_SAID = 5;

  static Conditions now(InstantSource clock) {
    return new Conditions(clock.instant(), currentLoad());
  }

  String since(InstantSource clock) {
    return "%d s".formatted(Duration.between(began, clock.instant()).toSeconds());
  }

  /** A line each, at the end of the bench. */
  List<String> lines(Rig rig, InstantSource clock) {
    return List.of(
        "%s, took %s".formatted(began.toString().substring(0, 10), since(clock)),
        String.format(
            Locale.ROOT,
            "%d cores shared by etcd, API server, operator, target and clients; %s %s; JDK %s; load %.1f before,"
                + " %.1f at the end",
            Runtime.getRuntime().availableProcessors(),
            System.getProperty("os.name"),
            System.getProperty("os.arch"),
            Runtime.version(),
            load,
            currentLoad()),
        "Kubernetes %s with GOGC=200, etcd without fsync, operator with %s %s an AOT cache"
            .formatted(
                rig.administrator().getKubernetesVersion().getGitVersion(),
                String.join(" ", Rig.SHIPPED_FLAGS.subList(0, FLAGS_SAID)),
                OperatorProcess.cache().isPresent() ? "and" : "without"),
        "stops written by " + rig.responder());
  }

  private static double currentLoad() {
    return ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
  }
}
