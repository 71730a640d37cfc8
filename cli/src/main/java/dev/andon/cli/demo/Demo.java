package dev.andon.cli.demo;

import dev.andon.cli.CliException;
import dev.andon.cli.Target;
import dev.andon.cli.demo.Style.Tone;
import dev.andon.cli.install.Installation;
import dev.andon.cli.operator.OperatorProcess;
import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowStatus;
import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.Options;
import dev.andon.examples.fleet.FleetOptions;
import dev.andon.examples.fleet.FleetServer;
import dev.andon.examples.fleet.Summary;
import dev.andon.operator.cluster.ClusterHttp;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The demo from the empty machine to the fleet's own count. */
final class Demo {
  private static final String NAMESPACE = "fleet";
  private static final String NAME = "erase-aap";
  private static final String TYPE = "SatelliteDiskErase";
  private static final int STOP_AFTER = 20;

  /** Long enough for whatever is wrong to show itself. */
  private static final Duration AFTER_THE_END = Duration.ofSeconds(2);

  private static final Duration FRAME = Duration.ofMillis(100);
  private static final Duration LINE = Duration.ofSeconds(1);
  private static final Duration LONGEST = Duration.ofMinutes(10);
  private static final Duration WAITING_SHOWN = Duration.ofSeconds(2);

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("HH:mm:ss.SSS", Locale.ROOT).withZone(ZoneId.systemDefault());

  /**
   * @param stop set the stop part way
   * @param keep leave everything up until a person ends it
   * @param machines how many to erase
   */
  record Settings(boolean stop, boolean keep, int machines, Pace pace) {}

  private final Settings settings;
  private final Screen screen;
  private final InstantSource clock = InstantSource.system();
  private final WorkflowTree tree;

  Demo(Settings settings, Screen screen) {
    this.settings = settings;
    this.screen = screen;
    this.tree = new WorkflowTree(screen.style());
  }

  /**
   * Runs it and cleans up, also if the process is told to end meanwhile.
   *
   * @return 0 if it ended as it should, 1 if not
   */
  int run() throws IOException, InterruptedException {
    Path folder = Files.createTempDirectory("andon-demo-");
    var cleanup = new Thread(() -> delete(folder), "andon-demo-cleanup");
    Runtime.getRuntime().addShutdownHook(cleanup);
    try {
      return run(folder);
    } finally {
      delete(folder);
    }
  }

  /**
   * @param folder for manifests and logs: {@code fleet.log}, {@code operator.log}
   */
  int run(Path folder) throws IOException, InterruptedException {
    title();
    Instant began = clock.instant();
    try (ControlPlane plane = ControlPlane.start(Options.apiServerOnly());
        KubernetesClient client =
            ClusterHttp.client(Target.forPeople(plane.kubeconfig(), null)).build()) {
      var kubectl = new Kubectl(plane.kubectl(), plane.kubeconfig(), folder, screen);
      step("control plane", "etcd and kube-apiserver, on " + plane.url(), began);

      Instant installing = clock.instant();
      var installed = new AtomicInteger();
      new Installation(client, false, done -> installed.incrementAndGet()).run();
      step("andon install", installed + " objects: CRDs, namespaces, account, roles", installing);

      Instant starting = clock.instant();
      try (OperatorProcess operator =
              OperatorProcess.start(operatorsKubeconfig(plane), folder.resolve("operator.log"));
          FleetServer fleet =
              FleetServer.start(
                  FleetOptions.defaults()
                      .withEraseMillis(settings.pace().fromMillis(), settings.pace().toMillis())
                      .withLog(folder.resolve("fleet.log")))) {
        operator.awaitReady();
        step("andon operator", "a process of its own, with the rights of its account", starting);
        step("fleet", "28 sites, 1,700 machines, on " + fleet.uri(), starting);
        DemoManifests.write(
            folder, fleet.uri(), settings.machines(), settings.pace().pauseSeconds());
        if (settings.keep()) {
          howToReach(plane);
        }
        return perform(client, kubectl, plane, fleet);
      }
    }
  }

  private int perform(
      KubernetesClient client, Kubectl kubectl, ControlPlane plane, FleetServer fleet)
      throws IOException, InterruptedException {
    screen.say("");
    kubectl.run("apply", "-f", DemoManifests.SETUP);
    screen.say("");
    kubectl.run("apply", "-f", DemoManifests.WORKFLOW);
    try (Sightings sightings = Sightings.of(client, NAMESPACE, NAME, TYPE, clock)) {
      screen.say("");
      showWaiting(sightings);
      screen.keepPicture();
      screen.say("");
      screen.say("Nothing runs: a fresh installation is stopped until a person arms the type.");
      kubectl.run(
          "patch",
          "cm",
          Sightings.STOP,
          "-n",
          Sightings.STOP_NAMESPACE,
          "--type",
          "merge",
          "-p",
          armPatch());
      screen.say("");
      Instant armed = clock.instant();
      if (settings.stop()) {
        showUntilPartWay(sightings, fleet);
        screen.keepPicture();
        screen.say("");
        screen.say("Now somebody pulls the cord.");
        kubectl.run(
            "patch",
            "cm",
            Sightings.STOP,
            "-n",
            Sightings.STOP_NAMESPACE,
            "--type",
            "merge",
            "-p",
            stopPatch());
        screen.say("");
      }
      Workflow ended = showUntilFinished(sightings);
      Duration took = Duration.between(armed, clock.instant());
      screen.keepPicture();
      screen.say("");
      kubectl.run("get", "awf", "-n", NAMESPACE);
      screen.say("");
      boolean good =
          settings.stop()
              ? proveStop(sightings, ended, fleet)
              : proveEnd(sightings, ended, fleet, took);
      if (settings.keep()) {
        waitForPerson(plane);
      }
      return good ? 0 : 1;
    }
  }

  private void title() {
    screen.say(
        screen.style().paint(Tone.STRONG, "andon demo")
            + ": erase the %d machines of site aap, five at a time%s"
                .formatted(settings.machines(), settings.stop() ? ", and stop it part way" : ""));
    screen.say(
        screen
            .style()
            .paint(
                Tone.FAINT,
                "Faster than real: an erase takes %.1f to %.1f s here, and batches are %d s apart."
                    .formatted(
                        settings.pace().fromMillis() / 1000.0,
                        settings.pace().toMillis() / 1000.0,
                        settings.pace().pauseSeconds())));
    screen.say("");
  }

  private void step(String what, String detail, Instant since) {
    screen.say(
        "%s %-15s %s %s"
            .formatted(
                screen.style().paint(Tone.GOOD, screen.style().done()),
                what,
                detail,
                screen.style().paint(Tone.FAINT, "(" + seconds(since, clock.instant()) + ")")));
  }

  /**
   * The rights that andon install gives to the operator's account: not those of the administrator.
   */
  private static Path operatorsKubeconfig(ControlPlane plane) {
    return plane.userKubeconfig(
        "system:serviceaccount:andon-system:andon-operator",
        List.of("system:serviceaccounts", "system:serviceaccounts:andon-system"));
  }

  private static String stopPatch() {
    return "{\"data\":{\"%s\":\"stop\"}}".formatted(TYPE);
  }

  /** To let something go again one has to say why. */
  private static String armPatch() {
    return "{\"metadata\":{\"annotations\":{\"andon.dev/arm-reason\":\"demo\"}},\"data\":{\"%s\":\"go\"}}"
        .formatted(TYPE);
  }

  /** Until the operator has said why nothing runs, and people had time to read it. */
  private void showWaiting(Sightings sightings) throws InterruptedException {
    var lines = new Lines();
    Instant limit = clock.instant().plus(LONGEST);
    while (sightings.workflow().filter(Demo::isJudged).isEmpty()) {
      step(sightings, lines, limit);
    }
    Instant read = clock.instant().plus(WAITING_SHOWN);
    while (clock.instant().isBefore(read)) {
      step(sightings, lines, limit);
    }
  }

  /** Part way, with something under way, so that the stop has something to end. */
  private void showUntilPartWay(Sightings sightings, FleetServer fleet)
      throws InterruptedException {
    var lines = new Lines();
    Instant limit = clock.instant().plus(LONGEST);
    while (fleet.summary().begun() < STOP_AFTER || fleet.summary().active() == 0) {
      if (sightings.workflow().filter(Demo::isFinished).isPresent()) {
        return;
      }
      step(sightings, lines, limit);
    }
  }

  private Workflow showUntilFinished(Sightings sightings) throws InterruptedException {
    var lines = new Lines();
    Instant limit = clock.instant().plus(LONGEST);
    while (sightings.workflow().filter(Demo::isFinished).isEmpty()) {
      step(sightings, lines, limit);
    }
    lines.show(sightings);
    return sightings.workflow().orElseThrow();
  }

  private void step(Sightings sightings, Lines lines, Instant limit) throws InterruptedException {
    long changes = sightings.changes();
    lines.show(sightings);
    if (clock.instant().isAfter(limit)) {
      throw new CliException(
          "the workflow has not got further for %d min".formatted(LONGEST.toMinutes()));
    }
    sightings.awaitChange(changes, FRAME);
  }

  private boolean proveEnd(Sightings sightings, Workflow ended, FleetServer fleet, Duration took) {
    Summary summary = fleet.summary();
    boolean good =
        phase(ended).equals("Complete")
            && summary.done() == settings.machines()
            && summary.erasedTwice() == 0
            && summary.askedAgain() == 0;
    verdict(
        good,
        "By the fleet's own count %d of %d machines erased, %d twice, %d at once at most; %d s."
            .formatted(
                summary.done(),
                settings.machines(),
                summary.erasedTwice(),
                summary.mostActive(),
                took.toSeconds()));
    if (!good && sightings.stop().isPresent()) {
      screen.say("Somebody stopped it.");
    } else if (summary.askedAgain() > 0) {
      screen.say("%d erases were asked for again.".formatted(summary.askedAgain()));
    } else if (!good) {
      screen.say("It ended as " + phase(ended) + ", which it should not.");
    }
    return good;
  }

  private boolean proveStop(Sightings sightings, Workflow ended, FleetServer fleet)
      throws InterruptedException {
    // What is begun late would be begun now.
    Instant end = clock.instant().plus(AFTER_THE_END);
    while (clock.instant().isBefore(end)) {
      sightings.awaitChange(sightings.changes(), FRAME);
    }
    Sightings.StopWrite stop =
        sightings
            .stop()
            .orElseThrow(
                () ->
                    new CliException(
                        "the workflow ended as %s before the stop was seen"
                            .formatted(phase(ended))));
    StopProof proof = StopProof.of(stop.seen(), sightings.attemptsAt(stop.revision()), fleet.log());
    Summary summary = fleet.summary();
    screen.say("By the fleet's log:");
    row("stop written", TIME.format(proof.written()));
    row("last erase begun", proof.lastBegun().map(TIME::format).orElse("never") + distance(proof));
    row(
        "begun after it",
        proof.underWay() == 0
            ? Integer.toString(proof.begunAfter())
            : "%d, and %d whose request was on its way"
                .formatted(proof.begunAfter(), proof.underWay()));
    row(
        "under way",
        "%d cancelled, %d came to their end".formatted(proof.cancelledAfter(), proof.doneAfter()));
    row(
        "erased",
        "%d of %d, %d twice".formatted(summary.done(), settings.machines(), summary.erasedTwice()));
    row("final status", phase(ended) + stoppedBy(ended.getStatus()));
    boolean good = proof.holds() && phase(ended).equals("Stopped") && summary.erasedTwice() == 0;
    verdict(
        good,
        good
            ? "Nothing was begun after the stop."
            : "This is not what a stop should do: see the rows above.");
    return good;
  }

  private static String distance(StopProof proof) {
    return proof
        .toLastBegun()
        .map(
            distance ->
                distance.isPositive()
                    ? "  %d ms after it".formatted(distance.toMillis())
                    : "  %d ms before it".formatted(-distance.toMillis()))
        .orElse("");
  }

  private static String stoppedBy(@Nullable WorkflowStatus status) {
    if (status == null || status.stoppedBy() == null) {
      return "";
    }
    var by = status.stoppedBy();
    String manager = by.manager() == null ? "" : ", written by " + by.manager();
    String reason = by.reason() == null ? "" : ": " + by.reason();
    return ", %s jobs; %s is \"%s\"%s%s"
        .formatted(status.progress(), by.key(), by.value(), manager, reason);
  }

  private void row(String name, String value) {
    screen.say("  %-18s %s".formatted(name, value));
  }

  private void verdict(boolean good, String text) {
    Style style = screen.style();
    screen.say(
        style.paint(
            good ? Tone.GOOD : Tone.BAD, (good ? style.done() : style.failed()) + " " + text));
  }

  private void howToReach(ControlPlane plane) throws InterruptedException {
    screen.say("");
    screen.say("In another terminal:");
    screen.say("  export KUBECONFIG=" + plane.kubeconfig());
    screen.say("  alias kubectl=" + plane.kubectl());
  }

  private void waitForPerson(ControlPlane plane) throws InterruptedException, IOException {
    howToReach(plane);
    screen.say("  kubectl get awf -n fleet -o wide          # and -w to watch");
    screen.say("  kubectl describe awf erase-aap -n fleet");
    screen.say("  kubectl get jobtypes,workflowpolicies,tokenbuckets");
    screen.say("Stop everything, or one type; then let it go again (it resumes nothing):");
    screen.say(
        "  kubectl patch cm emergency-stop -n andon-stop --type merge -p '{\"data\":{\"all\":\"stop\"}}'");
    screen.say(
        "  kubectl patch cm emergency-stop -n andon-stop --type merge -p '{\"data\":{\"SatelliteDiskErase\":\"stop\"}}'");
    screen.say(
        "  kubectl patch cm emergency-stop -n andon-stop --type merge -p '" + armPatch() + "'");
    screen.say("");
    screen.say("Enter or Ctrl-C ends it all and cleans up.");
    if (System.in.read() < 0) {
      // Nobody can press Enter: until a signal comes.
      new CountDownLatch(1).await();
    }
  }

  private static boolean isFinished(Workflow workflow) {
    return workflow.getStatus() != null && workflow.getStatus().finished().isPresent();
  }

  private static String phase(Workflow workflow) {
    return workflow.getStatus() == null
        ? "Pending"
        : Objects.requireNonNullElse(workflow.getStatus().phase(), "Pending");
  }

  private static boolean isJudged(Workflow workflow) {
    return workflow.getStatus() != null && !workflow.getStatus().conditions().isEmpty();
  }

  private static String seconds(Instant from, Instant to) {
    return "%.1f s".formatted(Duration.between(from, to).toMillis() / 1000.0);
  }

  private static void delete(Path folder) {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    } catch (IOException e) {
      // Temporary files of our own: the system deletes what we could not.
    }
  }

  /** On a terminal every frame; in a log a line if it says something new, one a second at most. */
  private final class Lines {
    private final Instant began = clock.instant();
    private String last = "";
    private Instant nextLine = Instant.MIN;

    void show(Sightings sightings) {
      Instant now = clock.instant();
      sightings
          .workflow()
          .ifPresent(
              workflow -> {
                if (screen.isTerminal()) {
                  screen.draw(tree.render(workflow, now));
                } else if (!now.isBefore(nextLine) || isFinished(workflow)) {
                  String line = tree.line(workflow, now);
                  if (!line.equals(last)) {
                    screen.say("%4d s  %s".formatted(began.until(now).toSeconds(), line));
                    last = line;
                    nextLine = now.plus(LINE);
                  }
                }
              });
    }
  }
}
