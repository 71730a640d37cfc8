package dev.andon.cli.drill;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.andon.cli.CliException;
import dev.andon.cli.Target;
import dev.andon.cli.drill.Canary.Version;
import dev.andon.cli.stop.ApiServer;
import dev.andon.cli.stop.StopConfigMap;
import dev.andon.cli.stop.StopConfigMap.Answer;
import dev.andon.cli.stop.StopSight;
import dev.andon.cli.stop.StopWrite;
import dev.andon.cli.stop.Terminal;
import dev.andon.cli.stop.TypeName;
import dev.andon.cli.stop.WorkflowRow;
import dev.andon.cli.stop.Workflows;
import dev.andon.crds.Condition;
import dev.andon.crds.WorkflowPolicy;
import dev.andon.crds.WorkflowPolicySpec.RestrictJobTypes;
import dev.andon.operator.stop.EmergencyStop;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code andon drill}. */
@Command(
    name = "drill",
    description = {
      "Try the stop before it is needed: run a canary of a type that only sleeps, stop that type,"
          + " and report how long it took.",
      "The type is really stopped, and stays so. So it refuses where workflows of the type run: use"
          + " a type of its own, such as Drill in examples/drill.",
      "Exit code 0: the stop held. 1: it did not, or the drill could not be held.",
    })
public final class DrillCommand implements Callable<Integer> {
  private static final int STARTS_WANTED = 2;
  private static final String SLEEP = "sleep";
  private static final String MANAGER = "andon-drill";

  private final Function<String, Optional<String>> ask;

  @Spec private CommandSpec spec;
  @Mixin private Target target;

  @Parameters(paramLabel = "TYPE", description = "The workflow type, such as Drill.")
  private String type;

  @Option(
      names = {"-n", "--namespace"},
      paramLabel = "NAME",
      defaultValue = "andon-drill",
      description = "Where the canary runs (default: ${DEFAULT-VALUE}).")
  private String namespace;

  @Option(
      names = "--rearm",
      description = "Arm the type first if it is stopped; needs the right to.")
  private boolean rearm;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      defaultValue = "60",
      description = "How long to wait for the canary to run, and to be Stopped.")
  private int timeout;

  @Option(names = "--yes", description = "Do not ask. For scripts.")
  private boolean yes;

  public DrillCommand() {
    this(Terminal::ask);
  }

  /**
   * @param ask a question to a person; empty if there is none
   */
  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  DrillCommand(Function<String, Optional<String>> ask) {
    this.ask = ask;
  }

  @Override
  public Integer call() throws InterruptedException {
    if (timeout < 1) {
      throw new ParameterException(
          spec.commandLine(), "--timeout %d: at least 1".formatted(timeout));
    }
    String key;
    try {
      key = TypeName.key(type);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
    if (key.equals(EmergencyStop.ALL)) {
      throw new ParameterException(
          spec.commandLine(), "drill all: a drill stops one type; try Drill of examples/drill");
    }
    PrintWriter out = spec.commandLine().getOut();
    try (var api = new ApiServer(target.forPeople())) {
      return drill(api, key, out);
    }
  }

  private int drill(ApiServer api, String key, PrintWriter out) throws InterruptedException {
    var stop = new StopConfigMap(api);
    StopSight sight = sight(stop);
    // Its key could be set to go all the same, and would open it once that is taken back.
    if (sight.fault().isPresent() || sight.allStops().isPresent()) {
      throw new CliException(
          "everything is stopped, so nothing runs that a drill could stop; see andon stop --status");
    }
    boolean arms = !sight.isOpen(key);
    if (arms && !rearm) {
      throw new CliException(
          "%s is not armed, so nothing of it runs that a drill could stop; andon arm %s --reason drill, or andon drill %s --rearm"
              .formatted(key, key, key));
    }
    refuseWhatIsNotHarmless(new Workflows(api).all(), key);
    refuseWithoutPolicy(api, key, arms);
    plan(api, key, arms, out);
    if (!confirmed(key)) {
      out.println("Nothing was done.");
      return 1;
    }
    refuseWhatIsNotHarmless(new Workflows(api).all(), key);
    var write = new StopWrite(stop, out::println, System::nanoTime);
    if (!arms) {
      return hold(api, write, key, new AtomicBoolean(), out);
    }
    // Also when somebody presses Ctrl-C: what a drill has armed is not left so.
    var isArmed = new AtomicBoolean(true);
    var interrupted = new Thread(() -> disarm(write, key, isArmed, out), "andon-drill-disarm");
    Runtime.getRuntime().addShutdownHook(interrupted);
    try {
      arm(stop, sight, key);
      out.println("Armed %s.".formatted(key));
      return hold(api, write, key, isArmed, out);
    } finally {
      // Whatever came of it: an answer that was lost may have been an arming.
      disarm(write, key, isArmed, out);
      Runtime.getRuntime().removeShutdownHook(interrupted);
    }
  }

  private static void disarm(StopWrite write, String key, AtomicBoolean isArmed, PrintWriter out) {
    if (!isArmed.getAndSet(false)) {
      return;
    }
    try {
      if (write.write(key, "drill of type " + key, MANAGER)
          instanceof StopWrite.Outcome.Failed failed) {
        out.println("%s IS STILL ARMED: %s; andon stop %s".formatted(key, failed.why(), key));
      }
    } catch (InterruptedException e) {
      out.println("%s MAY STILL BE ARMED; andon stop %s".formatted(key, key));
      Thread.currentThread().interrupt();
    }
    out.flush();
  }

  private int hold(
      ApiServer api, StopWrite write, String key, AtomicBoolean isArmed, PrintWriter out)
      throws InterruptedException {
    String name =
        "drill-"
            + Long.toString(
                ThreadLocalRandom.current()
                    .nextLong(36L * 36 * 36 * 36 * 36, 36L * 36 * 36 * 36 * 36 * 36),
                36);
    try (Canary canary =
        Canary.create(api.client(), Canary.workflow(namespace, name, key), System::nanoTime)) {
      try {
        return runs(canary, out) ? stopAndReport(write, canary, key, isArmed, out) : 1;
      } finally {
        delete(canary, out);
      }
    } catch (KubernetesClientException e) {
      throw new CliException(
          "the canary %s/%s cannot be created: %s"
              .formatted(
                  namespace,
                  name,
                  e.getStatus() == null ? e.getMessage() : e.getStatus().getMessage()),
          e);
    }
  }

  private StopSight sight(StopConfigMap stop) throws InterruptedException {
    return switch (stop.read()) {
      case Answer.Found found -> new StopSight(found.map());
      case Answer.Missing _ ->
          throw new CliException(
              "there is no ConfigMap emergency-stop: everything is stopped; see andon stop --status");
      case Answer.NoAnswer none -> throw new CliException("the stop cannot be read: " + none.why());
      case Answer.Refused refused ->
          throw new CliException(
              "the stop cannot be read: %d: %s".formatted(refused.code(), refused.message()));
    };
  }

  /** What it would stop, or start, besides its own canary. */
  private static void refuseWhatIsNotHarmless(List<WorkflowRow> all, String key) {
    List<WorkflowRow> alive = of(all, key, WorkflowRow.Stage.ALIVE);
    if (!alive.isEmpty()) {
      throw new CliException(
          "%d workflows of type %s run, and the drill would stop them for good: %s; wait for them, or drill another type, such as Drill of examples/drill"
              .formatted(alive.size(), key, names(alive)));
    }
    List<WorkflowRow> waiting = of(all, key, WorkflowRow.Stage.WAITING);
    if (!waiting.isEmpty()) {
      throw new CliException(
          "%d workflows of type %s wait, and would start and be stopped in the drill: %s; delete them, or drill another type, such as Drill of examples/drill"
              .formatted(waiting.size(), key, names(waiting)));
    }
  }

  private static List<WorkflowRow> of(List<WorkflowRow> all, String key, WorkflowRow.Stage stage) {
    return all.stream().filter(row -> row.type().equals(key) && row.stage() == stage).toList();
  }

  private static String names(List<WorkflowRow> rows) {
    return rows.stream().limit(3).map(WorkflowRow::fullName).collect(Collectors.joining(", "))
        + (rows.size() > 3 ? " ..." : "");
  }

  /** The operator would reject the canary; here it is said what to add. */
  private static void refuseWithoutPolicy(ApiServer api, String key, boolean arms) {
    List<WorkflowPolicy> policies;
    try {
      policies = api.client().resources(WorkflowPolicy.class).list().getItems();
    } catch (KubernetesClientException e) {
      return; // the operator judges it anyway
    }
    boolean admitted = false;
    boolean onlySleeps = false;
    for (WorkflowPolicy policy : policies) {
      var rules = policy.getSpec() == null ? null : policy.getSpec();
      if (rules == null
          || !rules.workflowTypes().contains(key)
          || !Objects.requireNonNullElse(rules.enforcement(), "Deny").equals("Deny")) {
        continue;
      }
      for (int i = 0; i < rules.rules().size(); i++) {
        RestrictJobTypes restrict = rules.rules().get(i).restrictJobTypes();
        if (restrict == null) {
          continue;
        }
        admitted = true;
        onlySleeps |= List.of(SLEEP).equals(restrict.allowed());
        if (!Objects.requireNonNullElse(restrict.allowed(), List.of()).contains(SLEEP)) {
          throw new CliException(
              """
              policy %s does not allow the job type sleep for type %s, and the canary is made of nothing else.
              Either drill a type of its own (examples/drill), or add it to spec.rules[%d].restrictJobTypes.allowed:
                kubectl patch workflowpolicy %s --type json \\
                  -p '[{"op":"add","path":"/spec/rules/%d/restrictJobTypes/allowed/-","value":"sleep"}]'"""
                  .formatted(
                      policy.getMetadata().getName(), key, i, policy.getMetadata().getName(), i));
        }
      }
    }
    if (!admitted) {
      throw new CliException(
          "no policy admits workflows of type %s; for a type of its own: kubectl apply -f examples/drill/drill.yaml, then andon drill Drill --rearm"
              .formatted(key));
    }
    if (arms && !onlySleeps) {
      throw new CliException(
          "%s is stopped, and its workflows can do more than sleep: what anybody submits while a drill has it armed would run; drill it once it is armed (andon arm %s --reason TEXT), or a type of its own, such as Drill of examples/drill"
              .formatted(key, key));
    }
  }

  private void plan(ApiServer api, String key, boolean arms, PrintWriter out) {
    out.println("A drill on " + api.name() + ":");
    int step = 0;
    if (arms) {
      out.println("  %d. arm type %s".formatted(++step, key));
    }
    out.println(
        "  %d. create a Workflow of type %s in namespace %s that only sleeps, and let it run"
            .formatted(++step, key, namespace));
    out.println(
        "  %d. STOP type %s, for real; what anybody submits of it meanwhile is stopped too"
            .formatted(++step, key));
    out.println(
        "  %d. report the times, and delete the Workflow; %s stays stopped".formatted(++step, key));
    out.flush();
  }

  private boolean confirmed(String key) {
    if (yes) {
      return true;
    }
    String word =
        ask.apply("Go ahead? [y/N] ")
            .orElseThrow(
                () ->
                    new ParameterException(
                        spec.commandLine(),
                        "drill %s: nobody can be asked here; --yes does it without asking"
                            .formatted(key)))
            .strip()
            .toLowerCase(Locale.ROOT);
    return word.equals("y") || word.equals("yes");
  }

  private static void arm(StopConfigMap stop, StopSight sight, String key)
      throws InterruptedException {
    ObjectNode patch = JsonNodeFactory.instance.objectNode();
    ObjectNode metadata = patch.putObject("metadata");
    metadata.put("resourceVersion", sight.resourceVersion());
    metadata.putObject("annotations").put(StopSight.ARM_REASON, "drill of type " + key);
    patch.putObject("data").put(key, EmergencyStop.GO);
    switch (stop.patch(patch, MANAGER)) {
      case Answer.Found found when new StopSight(found.map()).isOpen(key) -> {}
      case Answer.Found found ->
          throw new CliException(
              "%s is not open though its key says go: something stops everything; see andon stop --status"
                  .formatted(key));
      case Answer.Refused refused ->
          throw new CliException(
              "%s cannot be armed: %d: %s; somebody with the role andon-armer can: andon arm %s --reason drill"
                  .formatted(key, refused.code(), refused.message(), key));
      case Answer.Missing _ -> throw new CliException("the ConfigMap was deleted meanwhile");
      case Answer.NoAnswer none ->
          throw new CliException(
              "%s: not known whether it is armed: %s".formatted(key, none.why()));
    }
  }

  private boolean runs(Canary canary, PrintWriter out) throws InterruptedException {
    out.println("Canary %s: waiting for it to run.".formatted(canary.fullName()));
    out.flush();
    Optional<Version> running =
        canary.await(v -> v.finished() || v.starts() >= STARTS_WANTED, Duration.ofSeconds(timeout));
    if (running.isPresent() && !running.get().finished()) {
      return true;
    }
    out.println("The drill could not be held: the canary does not run. " + why(canary.versions()));
    return false;
  }

  private int stopAndReport(
      StopWrite write, Canary canary, String key, AtomicBoolean isArmed, PrintWriter out)
      throws InterruptedException {
    long sent = System.nanoTime();
    StopWrite.Outcome outcome = write.write(key, "drill", MANAGER);
    if (!(outcome instanceof StopWrite.Outcome.Written written)) {
      out.println(
          "FAILED: the stop could not be written as one: %s; see andon stop --status"
              .formatted(outcome));
      return 1;
    }
    isArmed.set(false);
    out.println(
        "Stop written, acknowledged after %s (resourceVersion %s)."
            .formatted(millis(written.took()), written.sight().resourceVersion()));
    out.flush();
    boolean _ = canary.await(Version::finished, Duration.ofSeconds(timeout)).isPresent();
    DrillResult result =
        DrillResult.of(canary.versions(), Long.parseLong(written.sight().resourceVersion()), sent);
    out.println("  sends before it          " + result.startsBefore());
    out.println("  sends after it           " + result.startsAfter());
    out.println(
        "  seen in status after     "
            + result.firstSeen().map(DrillCommand::millis).orElse("never"));
    out.println(
        "  Stopped after            " + result.stopped().map(DrillCommand::millis).orElse("never"));
    out.println(
        result.holds()
            ? "PASSED: nothing was sent after the stop."
            : result.startsAfter() > 0
                ? "FAILED: sends were intended after the stop was written."
                : "FAILED: not Stopped within %d s. %s".formatted(timeout, why(canary.versions())));
    out.println(
        "%s is stopped now, and stays so. To arm it: andon arm %s --reason TEXT"
            .formatted(key, key));
    return result.holds() ? 0 : 1;
  }

  private static void delete(Canary canary, PrintWriter out) {
    try {
      canary.delete();
    } catch (KubernetesClientException e) {
      String[] name = canary.fullName().split("/", 2);
      out.println(
          "The canary could not be deleted: kubectl delete awf %s -n %s"
              .formatted(name[1], name[0]));
    }
  }

  /** What the newest version says of itself. */
  private static String why(List<Version> versions) {
    if (versions.isEmpty() || versions.getLast().phase().isEmpty()) {
      return "No operator has looked at it: does one run?";
    }
    Version last = versions.getLast();
    return last.workflow().getStatus().conditions().stream()
        .filter(condition -> "Ready".equals(condition.type()))
        .findFirst()
        .map(condition -> "It is %s: %s".formatted(last.phase(), message(condition)))
        .orElse("It is " + last.phase() + ".");
  }

  private static String message(Condition condition) {
    return "%s: %s".formatted(condition.reason(), condition.message());
  }

  private static String millis(Duration time) {
    return time.toMillis() + " ms";
  }
}
