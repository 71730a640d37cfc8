package dev.andon.cli.stop;

import dev.andon.cli.CliException;
import dev.andon.cli.Target;
import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowStatus;
import dev.andon.operator.stop.EmergencyStop;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.SortedSet;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code andon stop}. */
@Command(
    name = "stop",
    description = {
      "Stop everything, or every workflow of one type. Now.",
      "Writes first, and then shows what is still alive. What it stops does not resume by itself,"
          + " ever. With kubectl alone: docs/emergency-stop.md.",
      "Exit code 0: the stop is written, and nothing is alive any more. 1: not so, or not known; nor"
          + " where no workflow and no policy has the type, which is a typing error.",
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  andon stop                        everything",
      "  andon stop SatelliteDiskErase     one type",
      "  andon stop --status               what is armed, stopped, alive and protected",
    })
public final class StopCommand implements Callable<Integer> {
  private static final int MOST_SHOWN = 10;
  private static final int LONGEST_REASON = 1_000;

  private final InstantSource clock;

  @Spec private CommandSpec spec;
  @Mixin private Target target;

  @Parameters(
      arity = "0..1",
      paramLabel = "TYPE",
      description = "The workflow type; left out: all of them.")
  private @Nullable String type;

  @Option(
      names = "--reason",
      paramLabel = "TEXT",
      description = "Why; those it stops will say so (default: that you did it).")
  private @Nullable String reason;

  @Option(
      names = "--wait",
      arity = "0..1",
      defaultValue = "true",
      fallbackValue = "true",
      paramLabel = "BOOLEAN",
      description = "--wait=false: return once it is written.")
  private boolean wait;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      defaultValue = "30",
      description = "How long to look at what is still alive (default: ${DEFAULT-VALUE}).")
  private int timeout;

  @Option(names = "--status", description = "Write nothing; show how things stand.")
  private boolean status;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      description = "With --status: json.")
  private @Nullable String output;

  public StopCommand() {
    this(InstantSource.system());
  }

  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  StopCommand(InstantSource clock) {
    this.clock = clock;
  }

  @Override
  public Integer call() throws InterruptedException {
    boolean json = "json".equals(output);
    if (output != null && !json) {
      throw new ParameterException(spec.commandLine(), "--output %s: json".formatted(output));
    }
    if (output != null && !status) {
      throw new ParameterException(spec.commandLine(), "--output: only with --status");
    }
    if (timeout < 0) {
      throw new ParameterException(
          spec.commandLine(), "--timeout %d: at least 0".formatted(timeout));
    }
    String key;
    try {
      key = TypeName.key(type);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
    PrintWriter out = spec.commandLine().getOut();
    Config config = target.forPeople();
    try (var api = new ApiServer(config)) {
      if (status) {
        var report = StatusReport.of(api, type == null ? null : key, clock.instant());
        if (json) {
          out.println(report.json());
        } else {
          new StatusText(out, clock.instant()).print(report);
        }
        out.flush();
        return report.problems().isEmpty() ? 0 : 1;
      }
      return stop(api, key, out);
    }
  }

  private int stop(ApiServer api, String key, PrintWriter out) throws InterruptedException {
    boolean everything = key.equals(EmergencyStop.ALL);
    out.println(
        "Stopping %s on %s".formatted(everything ? "EVERYTHING" : "type " + key, api.name()));
    out.flush();
    var stop = new StopConfigMap(api);
    var write =
        new StopWrite(
            stop,
            line -> {
              out.println(line);
              out.flush();
            },
            System::nanoTime);
    return switch (write.write(key, reason(), "andon-stop/" + Person.name())) {
      case StopWrite.Outcome.Written written -> {
        out.println(
            "WRITTEN after %d ms: %s \"stop\" at resourceVersion %s."
                .formatted(
                    written.took().toMillis(),
                    everything ? "all is" : key + " is",
                    written.sight().resourceVersion()));
        out.println(
            everything
                ? "From here on nothing of any type is sent or started."
                : "From here on nothing of this type is sent or started.");
        yield follow(api, key, written.sight().resourceVersion(), out);
      }
      case StopWrite.Outcome.IsStopAlready already -> {
        out.println("IT IS A STOP: " + already.why() + ".");
        yield follow(api, key, "", out);
      }
      case StopWrite.Outcome.Missing missing -> {
        if (!isInstalled(api, out)) {
          yield 1;
        }
        out.println(
            "IT IS A STOP ALREADY: there is no ConfigMap emergency-stop, which stops every type.");
        yield follow(api, key, "", out);
      }
      case StopWrite.Outcome.Failed failed -> {
        failed(api, key, failed, spec.commandLine().getErr());
        yield 1;
      }
    };
  }

  private String reason() {
    String text =
        reason == null || reason.isBlank()
            ? "andon stop by %s, no reason given".formatted(Person.nameAndHost())
            : reason;
    return Printable.line(text, LONGEST_REASON);
  }

  /**
   * @param revision of the stop; "" if it was one before
   */
  private int follow(ApiServer api, String key, String revision, PrintWriter out)
      throws InterruptedException {
    var workflows = new Workflows(api);
    if (!wait) {
      return warnOfUnknownType(workflows, key, out) ? 1 : 0;
    }
    List<WorkflowRow> alive;
    try {
      out.println("What is alive:");
      out.flush();
      alive =
          new Following(workflows, out, clock, System::nanoTime)
              .untilNothingIsAlive(key, Duration.ofSeconds(timeout));
    } catch (CliException e) {
      out.println();
      out.println("The stop holds. What is still alive cannot be seen: " + e.getMessage());
      out.println("Somebody who may look: kubectl get awf -A");
      return 1;
    }
    if (warnOfUnknownType(workflows, key, out)) {
      return 1;
    }
    if (alive.isEmpty()) {
      if (unknownJobs(api, key, revision, out)) {
        return 1;
      }
      out.println("Nothing is alive.");
      out.println();
      out.println("What stopped, and by what:  andon stop --status");
      return 0;
    }
    stillAlive(api, alive, out);
    return 1;
  }

  /**
   * A workflow is Stopped, too, when what it had under way was asked to end and never said that it
   * did.
   *
   * @return whether there is such a job, among those that this stop ended
   */
  private static boolean unknownJobs(ApiServer api, String key, String revision, PrintWriter out) {
    List<Workflow> stopped;
    try {
      stopped =
          api.client().resources(Workflow.class).inAnyNamespace().list().getItems().stream()
              .filter(w -> endedBy(w, key, revision) && unknown(w) > 0)
              .toList();
    } catch (KubernetesClientException e) {
      out.println("Whether jobs are left of which nobody knows could not be seen.");
      return false;
    }
    if (stopped.isEmpty()) {
      return false;
    }
    out.println(
        "Nothing is known to be alive. OF %s NOBODY KNOWS: asked to end, and never said so. They may go on at the target:"
            .formatted(
                Printable.count(stopped.stream().mapToInt(StopCommand::unknown).sum(), "job")));
    stopped.stream()
        .limit(MOST_SHOWN)
        .forEach(
            w ->
                out.println(
                    "  %s/%s  %d: kubectl describe awf %s -n %s"
                        .formatted(
                            w.getMetadata().getNamespace(),
                            w.getMetadata().getName(),
                            unknown(w),
                            w.getMetadata().getName(),
                            w.getMetadata().getNamespace())));
    out.println("What to do about them: docs/emergency-stop.md, \"Still alive\".");
    return true;
  }

  private static boolean endedBy(Workflow workflow, String key, String revision) {
    WorkflowStatus status = workflow.getStatus();
    return status != null
        && status.stoppedBy() != null
        && workflow.getSpec() != null
        && (key.equals(EmergencyStop.ALL) || key.equals(workflow.getSpec().type()))
        && (revision.isEmpty() || revision.equals(status.stoppedBy().configMapResourceVersion()));
  }

  private static int unknown(Workflow workflow) {
    WorkflowStatus status = workflow.getStatus();
    Integer unknown = status == null || status.jobs() == null ? null : status.jobs().unknown();
    return unknown == null ? 0 : unknown;
  }

  private void stillAlive(ApiServer api, List<WorkflowRow> alive, PrintWriter out) {
    out.println();
    out.println(
        "STILL ALIVE after %d s: %s. Nothing new is sent; what was under way may go on:"
            .formatted(timeout, Printable.count(alive.size(), "workflow")));
    alive.stream()
        .limit(MOST_SHOWN)
        .forEach(
            row ->
                out.println(
                    "  %s  %s  %s  %s"
                        .formatted(row.fullName(), row.phase(), row.progress(), row.reason())));
    if (alive.size() > MOST_SHOWN) {
      out.println("  and %d more: kubectl get awf -A".formatted(alive.size() - MOST_SHOWN));
    }
    boolean unnoticed = alive.stream().anyMatch(row -> !row.phase().equals("Stopping"));
    if (unnoticed) {
      out.println("Not all of them are Stopping: no operator has seen this stop in their place.");
      out.println("  operator: " + OperatorSign.of(api, clock.instant()).text());
    }
    out.println("What to do about what is alive: docs/emergency-stop.md, \"Still alive\".");
  }

  /**
   * A typing error stops nothing, and must not look as if it did.
   *
   * @return whether nothing here has that type
   */
  private static boolean warnOfUnknownType(Workflows workflows, String key, PrintWriter out)
      throws InterruptedException {
    if (key.equals(EmergencyStop.ALL)) {
      return false;
    }
    SortedSet<String> known;
    try {
      known = workflows.knownTypes(workflows.all());
    } catch (CliException | KubernetesClientException e) {
      out.println(
          "Whether there is a type %s could not be checked: %s"
              .formatted(key, Printable.line(Objects.toString(e.getMessage(), ""), 200)));
      return false;
    }
    if (known.contains(key)) {
      return false;
    }
    out.println();
    out.println("WARNING: NO WORKFLOW AND NO POLICY HAS THE TYPE " + key + ".");
    out.println("Nothing that runs was stopped by this. Is it spelt as in kubectl get awf -A?");
    NearMisses.of(key, known).forEach(near -> out.println("  did you mean   andon stop " + near));
    out.println("  everything     andon stop");
    out.println("  the types here are " + (known.isEmpty() ? "none" : String.join(", ", known)));
    return true;
  }

  /** A stop on the wrong cluster must not look like one. */
  private static boolean isInstalled(ApiServer api, PrintWriter out) throws InterruptedException {
    boolean installed =
        !(api.get("/apis/andon.dev/v1alpha1", "application/json")
                instanceof ApiServer.Reply.Some some
            && some.code() == 404);
    if (!installed) {
      out.println();
      out.println("NOTHING WAS STOPPED: there is no Andon on this cluster.");
      out.println("Is it the right one? kubectl config get-contexts; andon stop --context NAME");
    }
    return installed;
  }

  private static void failed(
      ApiServer api, String key, StopWrite.Outcome.Failed failed, PrintWriter err) {
    err.println();
    err.println(
        failed.code() == 0
            ? "NOT KNOWN TO BE STOPPED: " + failed.why()
            : "NOT STOPPED: the API server answered %d: %s".formatted(failed.code(), failed.why()));
    switch (failed.code()) {
      case 0 -> {
        err.println(
            "While nobody can read the stop the operator sends nothing either; what is under way");
        err.println("goes on. Try from another machine, or on a node of the control plane:");
        err.println("  " + StopWrite.kubectl(key));
      }
      case 401 -> {
        err.println("These credentials are not accepted. Others, or another --context:");
        err.println("  " + StopWrite.kubectl(key));
      }
      case 403 -> {
        err.println(
            "Ask anybody with the role first-responder, or cluster-admin, to run this now:");
        err.println("  " + StopWrite.kubectl(key));
        err.println("and afterwards to give you the right to (their name for you: see above):");
        err.println(
            "  kubectl create clusterrolebinding first-responder-NAME --clusterrole=first-responder"
                + " --user=NAME");
      }
      default -> {
        err.println("Deleting the ConfigMap stops every type, and is asked other questions:");
        err.println(
            "  kubectl delete cm %s -n %s".formatted(EmergencyStop.NAME, EmergencyStop.NAMESPACE));
      }
    }
    err.println("More ways: docs/emergency-stop.md, \"If the stop cannot be written\".");
    err.println("This was " + api.name());
    err.flush();
  }
}
