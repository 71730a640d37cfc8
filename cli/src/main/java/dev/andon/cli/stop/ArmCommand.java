package dev.andon.cli.stop;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.andon.cli.CliException;
import dev.andon.cli.Target;
import dev.andon.cli.stop.StopConfigMap.Answer;
import dev.andon.crds.RequestedBy;
import dev.andon.crds.Workflow;
import dev.andon.operator.stop.EmergencyStop;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code andon arm}. */
@Command(
    name = "arm",
    description = {
      "Let workflows of a type start again, after showing which ones will.",
      "What was stopped stays stopped: to go on, create a new Workflow with what is left."
          + " 'andon arm all' takes back a stop of everything; types that have no key of their own"
          + " stay stopped.",
      "Exit code 0: armed. 1: not armed.",
    })
public final class ArmCommand implements Callable<Integer> {
  private static final int MOST_SHOWN = 20;
  private static final int MOST_TRIES = 5;
  private static final int LONGEST_REASON = 1_000;

  private final InstantSource clock;
  private final Function<String, Optional<String>> ask;

  @Spec private CommandSpec spec;
  @Mixin private Target target;

  @Parameters(paramLabel = "TYPE", description = "The workflow type, or all.")
  private String type;

  @Option(
      names = "--reason",
      required = true,
      paramLabel = "TEXT",
      description = "Why it is safe now; kept in the ConfigMap.")
  private String reason;

  @Option(names = "--yes", description = "Do not ask. For scripts.")
  private boolean yes;

  public ArmCommand() {
    this(InstantSource.system(), Terminal::ask);
  }

  /**
   * @param ask a question to a person; empty if there is none
   */
  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  ArmCommand(InstantSource clock, Function<String, Optional<String>> ask) {
    this.clock = clock;
    this.ask = ask;
  }

  @Override
  public Integer call() throws InterruptedException {
    if (reason.isBlank()) {
      throw new ParameterException(spec.commandLine(), "--reason '': say why it is safe now");
    }
    String key;
    try {
      key = TypeName.key(type);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
    PrintWriter out = spec.commandLine().getOut();
    try (var api = new ApiServer(target.forPeople())) {
      return arm(api, key, out);
    }
  }

  private int arm(ApiServer api, String key, PrintWriter out) throws InterruptedException {
    var stop = new StopConfigMap(api);
    var workflows = new Workflows(api);
    out.println("On " + api.name());
    for (int attempt = 1; attempt <= MOST_TRIES; attempt++) {
      StopSight sight = sight(stop, api);
      SortedSet<String> opens = opens(sight, key);
      if (opens.isEmpty() && !isStoppedByAll(sight, key)) {
        return nothingToOpen(sight, key, out);
      }
      show(workflows, key, opens, out);
      if (!confirmed(key, opens)) {
        out.println("Nothing was armed.");
        return 1;
      }
      switch (stop.patch(patch(sight, key), "andon-arm/" + Person.name())) {
        case Answer.Found found -> {
          return armed(new StopSight(found.map()), key, opens, out);
        }
        case Answer.Refused refused when refused.code() == 409 -> {
          out.println();
          out.println("Somebody has changed the ConfigMap since it was shown; nothing was armed.");
          if (yes) {
            throw new CliException("not armed: it may be a new stop; look, then run it again");
          }
          out.println("This is how it stands now:");
        }
        case Answer.Refused refused -> throw new CliException(refusal(key, refused));
        case Answer.Missing _ ->
            throw new CliException("not armed: the ConfigMap has just been deleted");
        case Answer.NoAnswer none ->
            throw new CliException(
                "it is not known whether %s is armed: %s; look: andon stop --status"
                    .formatted(key, none.why()));
      }
    }
    throw new CliException(
        "not armed: the ConfigMap has changed %d times meanwhile".formatted(MOST_TRIES));
  }

  /**
   * The ConfigMap as it is now.
   *
   * @throws CliException if nothing can be armed in it; it says what to do
   */
  private static StopSight sight(StopConfigMap stop, ApiServer api) throws InterruptedException {
    StopSight sight =
        switch (stop.read()) {
          case Answer.Found found -> new StopSight(found.map());
          case Answer.NoAnswer none ->
              throw new CliException(
                  "the stop cannot be read: %s; %s".formatted(none.why(), api.name()));
          case Answer.Refused refused ->
              throw new CliException(
                  "the stop cannot be read: %d: %s".formatted(refused.code(), refused.message()));
          case Answer.Missing _ ->
              throw new CliException(
                  """
                  there is no ConfigMap emergency-stop in namespace andon-stop, so everything is stopped.
                  The operator creates it, empty, within seconds. If it does not: does it run?
                    kubectl get pods -n andon-system
                    kubectl create cm emergency-stop -n andon-stop      # empty, which is a stop too
                  Then arm again.""");
        };
    sight
        .fault()
        .ifPresent(
            fault -> {
              throw new CliException(
                  """
                  nothing can be armed: %s, which stops everything.
                  The way out is a new one: delete it, and the operator creates it again, empty.
                    kubectl get cm emergency-stop -n andon-stop -o yaml     # what was armed, to arm it again
                    kubectl delete cm emergency-stop -n andon-stop
                  Then arm each type anew."""
                      .formatted(fault.replaceAll("[()]", "")));
            });
    return sight;
  }

  private static boolean isStoppedByAll(StopSight sight, String key) {
    return key.equals(EmergencyStop.ALL) && sight.allStops().isPresent();
  }

  /** The types that will be open and are not. */
  private static SortedSet<String> opens(StopSight sight, String key) {
    if (key.equals(EmergencyStop.ALL)) {
      return sight.allStops().isPresent() ? sight.going() : new TreeSet<>();
    }
    return sight.allStops().isPresent() || sight.isOpen(key)
        ? new TreeSet<>()
        : new TreeSet<>(Set.of(key));
  }

  private static int nothingToOpen(StopSight sight, String key, PrintWriter out) {
    if (key.equals(EmergencyStop.ALL)) {
      out.println("Nothing to take back: no stop of everything is set (key \"all\").");
      out.println(
          sight.going().isEmpty()
              ? "No type is armed. Arm them one by one: andon arm TYPE --reason TEXT"
              : "Armed are " + String.join(", ", sight.going()) + ".");
      return 0;
    }
    if (sight.isOpen(key)) {
      out.println(key + " is armed already; nothing was written.");
      return 0;
    }
    String by =
        sight
            .closedByAll()
            .flatMap(sight::writer)
            .map(writer -> ", by " + writer.manager())
            .orElse("");
    String why = sight.annotation(EmergencyStop.STOP_REASON).map(text -> ": " + text).orElse("");
    out.println(
        "NOT ARMED: everything is stopped: %s%s%s".formatted(sight.allStops().orElse(""), by, why));
    out.println("While that stands, no type can be armed. If it is over, take it back first:");
    out.println("  andon arm all --reason TEXT");
    if (sight.going().contains(key)) {
      out.println("That opens " + key + " too: its own key says go.");
    }
    return 1;
  }

  private void show(Workflows workflows, String key, SortedSet<String> opens, PrintWriter out)
      throws InterruptedException {
    if (opens.isEmpty()) {
      out.println("This takes back the stop of everything. No type has go, so none becomes open.");
      return;
    }
    out.println("This opens: " + String.join(", ", opens));
    List<WorkflowRow> all;
    try {
      all = workflows.all();
    } catch (CliException e) {
      throw new CliException(
          "not armed: what would start cannot be shown: %s; the role first-responder may see it"
              .formatted(e.getMessage()),
          e);
    }
    List<WorkflowRow> waiting =
        all.stream()
            .filter(row -> opens.contains(row.type()))
            .filter(row -> row.stage() == WorkflowRow.Stage.WAITING)
            .toList();
    List<WorkflowRow> starting =
        waiting.stream()
            .filter(WorkflowRow::waitsForTheStop)
            .sorted(Comparator.comparing(row -> Objects.toString(row.created(), "")))
            .toList();
    if (starting.isEmpty()) {
      out.println("No workflow waits for it.");
    } else {
      out.println(
          "At that moment %s:"
              .formatted(
                  starting.size() == 1
                      ? "1 waiting workflow will start"
                      : starting.size() + " waiting workflows will start"));
      starting.stream().limit(MOST_SHOWN).forEach(row -> out.println(line(workflows, row)));
      if (starting.size() > MOST_SHOWN) {
        out.println("  and %d more".formatted(starting.size() - MOST_SHOWN));
      }
      out.println("One that should not start: kubectl delete awf NAME -n NAMESPACE");
    }
    if (waiting.size() > starting.size()) {
      out.println(
          "%s for something else too: %s."
              .formatted(
                  waiting.size() - starting.size() == 1
                      ? "1 more waits"
                      : waiting.size() - starting.size() + " more wait",
                  waiting.stream()
                      .filter(row -> !row.waitsForTheStop())
                      .map(WorkflowRow::reason)
                      .distinct()
                      .sorted()
                      .collect(Collectors.joining(", "))));
    }
    List<WorkflowRow> alive =
        all.stream()
            .filter(row -> opens.contains(row.type()) && row.stage() == WorkflowRow.Stage.ALIVE)
            .toList();
    if (!alive.isEmpty()) {
      out.println(
          "STILL ALIVE from before: %s. What is Stopping ends as Stopped. So does what is Running or Paused, if andon-arming-ids is in place (andon stop --status); else it GOES ON:"
              .formatted(Printable.count(alive.size(), "workflow")));
      alive.stream()
          .limit(MOST_SHOWN)
          .forEach(row -> out.println("  %s  %s".formatted(row.fullName(), row.phase())));
    }
    warnOfUnknownType(workflows, key, all, out);
    out.flush();
  }

  private String line(Workflows workflows, WorkflowRow row) {
    String by =
        workflows
            .find(row)
            .map(Workflow::getSpec)
            .map(workflow -> workflow.requestedBy())
            .map(RequestedBy::username)
            .map(name -> ", requested by " + Printable.line(name, 60))
            .orElse("");
    String age =
        row.created() == null
            ? ""
            : ", %s old".formatted(Printable.age(Duration.between(row.created(), clock.instant())));
    return "  %s  %s%s%s%s"
        .formatted(
            row.fullName(),
            row.type(),
            row.jobs().isEmpty() ? "" : ", " + row.jobs() + " jobs",
            age,
            by);
  }

  private static void warnOfUnknownType(
      Workflows workflows, String key, List<WorkflowRow> rows, PrintWriter out) {
    if (key.equals(EmergencyStop.ALL)) {
      return;
    }
    SortedSet<String> known;
    try {
      known = workflows.knownTypes(rows);
    } catch (KubernetesClientException e) {
      return;
    }
    if (!known.contains(key)) {
      out.println("WARNING: no workflow and no policy has the type " + key + ".");
      NearMisses.of(key, known).forEach(near -> out.println("  did you mean " + near + "?"));
    }
  }

  private boolean confirmed(String key, SortedSet<String> opens) {
    if (yes) {
      return true;
    }
    spec.commandLine().getOut().flush();
    String answer =
        ask.apply(
                opens.isEmpty()
                    ? "Take the stop of everything back? [y/N] "
                    : "Arm %s now? [y/N] ".formatted(String.join(", ", opens)))
            .orElseThrow(
                () ->
                    new ParameterException(
                        spec.commandLine(),
                        "arm %s: nobody can be asked here; --yes arms without asking"
                            .formatted(key)));
    String word = answer.strip().toLowerCase(Locale.ROOT);
    return word.equals("y") || word.equals("yes");
  }

  /** Under the resourceVersion that was shown: what was looked at is what is armed. */
  private ObjectNode patch(StopSight sight, String key) {
    ObjectNode patch = JsonNodeFactory.instance.objectNode();
    ObjectNode metadata = patch.putObject("metadata");
    metadata.put("resourceVersion", sight.resourceVersion());
    ObjectNode annotations = metadata.putObject("annotations");
    annotations.put(StopSight.ARM_REASON, Printable.line(reason, LONGEST_REASON));
    ObjectNode data = patch.putObject("data");
    boolean stopsRemain;
    if (key.equals(EmergencyStop.ALL)) {
      sight.allKeysThatClose().forEach(data::putNull);
      stopsRemain = !sight.stopped().isEmpty();
    } else {
      data.put(key, EmergencyStop.GO);
      stopsRemain = sight.stopped().keySet().stream().anyMatch(other -> !other.equals(key));
    }
    if (!stopsRemain) {
      // The reason of a stop that is over would be given for the next one.
      annotations.putNull(EmergencyStop.STOP_REASON);
    }
    return patch;
  }

  private static int armed(StopSight sight, String key, SortedSet<String> opens, PrintWriter out) {
    List<String> open = opens.stream().filter(sight::isOpen).toList();
    if (open.size() < opens.size()) {
      throw new CliException(
          "the API server took the write, and %s not open: who changes it? kubectl get cm emergency-stop -n andon-stop -o yaml --show-managed-fields"
              .formatted(
                  opens.stream()
                          .filter(type -> !open.contains(type))
                          .collect(Collectors.joining(", "))
                      + (opens.size() - open.size() == 1 ? " is" : " are")));
    }
    out.println(
        open.isEmpty()
            ? "The stop of everything is taken back at resourceVersion %s; no type is armed."
                .formatted(sight.resourceVersion())
            : "ARMED: %s at resourceVersion %s."
                .formatted(String.join(", ", open), sight.resourceVersion()));
    out.println(
        key.equals(EmergencyStop.ALL)
            ? "To stop everything again:  andon stop"
            : "To stop it again:  andon stop " + key);
    return 0;
  }

  private static String refusal(String key, Answer.Refused refused) {
    String refusal =
        "not armed; the API server answered %d: %s".formatted(refused.code(), refused.message());
    if (refused.code() != 403 && refused.code() != 422) {
      return refusal;
    }
    return refusal
        + """

        Arming %s needs the role andon-armer: to patch the ConfigMap, and the verb resume on
        emergencystops.andon.dev. Ask somebody who has it, or have it given to you by an administrator:
          kubectl create clusterrolebinding andon-armer-NAME --clusterrole=andon-armer --user=NAME"""
            .formatted(key);
  }
}
