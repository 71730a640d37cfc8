package dev.andon.cli.prune;

import dev.andon.cli.Target;
import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowRecord;
import dev.andon.operator.cluster.ClusterHttp;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.PrintWriter;
import java.net.HttpURLConnection;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code andon prune}. */
@Command(
    name = "prune",
    description = {
      "Delete Workflows that finished long ago. Their WorkflowRecords stay: they tell how each ended,"
          + " and keep what ran from running again should it be created again.",
      "What runs, what waits and what has no closed record is never touched."
    })
public final class PruneCommand implements Callable<Integer> {
  private static final long PAGE = 200;

  private final InstantSource clock;

  @Spec private CommandSpec spec;
  @Mixin private Target target;

  @Option(
      names = "--older-than",
      paramLabel = "DURATION",
      required = true,
      description = "How long ago they finished at least, as in 30d, 12h or 1d12h.")
  private String olderThan;

  @Option(
      names = {"-n", "--namespace"},
      paramLabel = "NAME",
      description = "In this namespace (default: that of the context).")
  private @Nullable String namespace;

  @Option(
      names = {"-A", "--all-namespaces"},
      description = "In all namespaces.")
  private boolean all;

  @Option(names = "--dry-run", description = "Only say what would be deleted.")
  private boolean dryRun;

  private int gone;
  private int stay;
  private int failed;

  public PruneCommand() {
    this(InstantSource.system());
  }

  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  PruneCommand(InstantSource clock) {
    this.clock = clock;
  }

  @Override
  public Integer call() {
    if (all && namespace != null) {
      throw new ParameterException(
          spec.commandLine(),
          "--namespace %s and --all-namespaces: one of them".formatted(namespace));
    }
    Instant before = before();
    PrintWriter out = spec.commandLine().getOut();
    try (var client = ClusterHttp.client(target.forPeople()).build()) {
      String next = null;
      do {
        var options = new ListOptionsBuilder().withLimit(PAGE).withContinue(next).build();
        var workflows = client.resources(Workflow.class);
        var page =
            all
                ? workflows.inAnyNamespace().list(options)
                : workflows
                    .inNamespace(Target.namespace(namespace, client.getConfiguration()))
                    .list(options);
        page.getItems().forEach(workflow -> prune(client, workflow, before, out));
        next = page.getMetadata().getContinue();
      } while (next != null && !next.isEmpty());
    }
    out.println(
        "%s %d Workflows; their records stay.%s"
            .formatted(
                dryRun ? "would delete" : "deleted",
                gone,
                stay == 0 ? "" : " %d as old were left, as said above.".formatted(stay)));
    return failed == 0 ? 0 : 1;
  }

  private Instant before() {
    try {
      Duration age = Age.parse(olderThan);
      return clock.instant().minus(age);
    } catch (IllegalArgumentException | DateTimeException | ArithmeticException e) {
      throw new ParameterException(spec.commandLine(), "--older-than: " + e.getMessage(), e);
    }
  }

  private void prune(KubernetesClient client, Workflow workflow, Instant before, PrintWriter out) {
    String name = workflow.getMetadata().getNamespace() + "/" + workflow.getMetadata().getName();
    switch (Pruning.of(workflow, before, record -> read(client, record))) {
      case Pruning.NotYet notYet -> {}
      case Pruning.Stays stays -> {
        stay++;
        out.println("left     %s: %s".formatted(name, stays.why()));
      }
      case Pruning.Goes goes -> {
        String what = "%s (%s at %s)".formatted(name, goes.outcome(), goes.finished());
        try {
          if (!dryRun) {
            delete(client, workflow);
          }
          gone++;
          out.println((dryRun ? "would delete " : "deleted  ") + what);
        } catch (KubernetesClientException e) {
          failed++;
          out.println(
              "FAILED   %s: %s"
                  .formatted(
                      what, e.getStatus() == null ? e.getMessage() : e.getStatus().getMessage()));
        }
      }
    }
    out.flush();
  }

  private static Optional<WorkflowRecord> read(KubernetesClient client, String name) {
    return Optional.ofNullable(client.resources(WorkflowRecord.class).withName(name).get());
  }

  /** This one, as it was looked at: not another of the same name, nor one that has changed. */
  private static void delete(KubernetesClient client, Workflow workflow) {
    try {
      client.resource(workflow).lockResourceVersion().delete();
    } catch (KubernetesClientException e) {
      if (e.getCode() != HttpURLConnection.HTTP_NOT_FOUND) {
        throw e;
      }
    }
  }
}
