package dev.andon.cli.act;

import dev.andon.cli.CliException;
import dev.andon.cli.Pause;
import dev.andon.cli.Target;
import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowAction;
import dev.andon.crds.WorkflowActionSpec;
import dev.andon.crds.WorkflowActionStatus;
import dev.andon.operator.cluster.ClusterHttp;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * Creates a WorkflowAction for the workflow as it is now, by its uid, and waits for the operator's
 * answer. Exit code 0: applied; 1: refused, or not answered in time.
 */
abstract class ActCommand implements Callable<Integer> {
  private static final Duration POLL = Duration.ofMillis(100);

  /** Names have at most 253 characters; so much is left for what follows the workflow's. */
  private static final int NAME_KEPT = 220;

  @Spec protected CommandSpec spec;
  @Mixin private Target target;

  @Parameters(index = "0", paramLabel = "WORKFLOW", description = "Its name.")
  private String workflow;

  @Option(
      names = {"-n", "--namespace"},
      paramLabel = "NAME",
      description = "Where it is (default: the namespace of the context).")
  private @Nullable String namespace;

  @Option(
      names = "--reason",
      required = true,
      paramLabel = "TEXT",
      description = "Why, for those who read the record later.")
  private String reason;

  @Option(
      names = "--timeout",
      defaultValue = "30",
      paramLabel = "SECONDS",
      description = "How long to wait for the operator's answer (default: ${DEFAULT-VALUE}).")
  private int timeout;

  private final String verb;

  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  ActCommand(String verb) {
    this.verb = verb;
  }

  /** What only a Resolve says. */
  record Resolution(String block, String indexes, String outcome) {}

  /** Null but of a Resolve. */
  @Nullable Resolution resolution() {
    return null;
  }

  @Override
  public Integer call() throws Exception {
    if (reason.isBlank()) {
      throw new ParameterException(spec.commandLine(), "--reason: is blank; say why");
    }
    if (timeout < 0) {
      throw new ParameterException(spec.commandLine(), "--timeout " + timeout + ": at least 0");
    }
    Resolution resolution = resolution();
    Config config = target.forPeople();
    String in = Target.namespace(namespace, config);
    try (var client = ClusterHttp.client(config).build()) {
      WorkflowAction action = create(client, in, resolution);
      WorkflowActionStatus answer = answer(client, action);
      if (!"Applied".equals(answer.phase())) {
        throw new CliException("%s: %s".formatted(answer.phase(), answer.message()));
      }
      PrintWriter out = spec.commandLine().getOut();
      out.println("%s: %s".formatted(answer.phase(), answer.message()));
    }
    return 0;
  }

  private WorkflowAction create(
      KubernetesClient client, String in, @Nullable Resolution resolution) {
    Workflow found = client.resources(Workflow.class).inNamespace(in).withName(workflow).get();
    if (found == null) {
      throw new CliException(
          "namespace %s has no Workflow %s; kubectl get awf -A shows those there are"
              .formatted(in, workflow));
    }
    var action = new WorkflowAction();
    action.setMetadata(
        new ObjectMetaBuilder().withNamespace(in).withName(name(workflow, verb)).build());
    action.setSpec(
        new WorkflowActionSpec(
            workflow,
            found.getMetadata().getUid(),
            verb,
            null,
            resolution == null ? null : resolution.block(),
            null,
            resolution == null ? null : resolution.indexes(),
            resolution == null ? null : resolution.outcome(),
            reason,
            null));
    return client.resource(action).create();
  }

  /** Its end is random: creating it again after a lost answer meets itself, and nobody else's. */
  static String name(String workflow, String verb) {
    String kept =
        workflow.length() <= NAME_KEPT ? workflow : workflow.substring(0, NAME_KEPT) + "x";
    return "%s-%s-%s"
        .formatted(
            kept,
            verb.toLowerCase(Locale.ROOT),
            HexFormat.of().toHexDigits(new SplittableRandom().nextLong()));
  }

  private WorkflowActionStatus answer(KubernetesClient client, WorkflowAction action)
      throws InterruptedException {
    String in = action.getMetadata().getNamespace();
    String name = action.getMetadata().getName();
    long end = System.nanoTime() + Duration.ofSeconds(timeout).toNanos();
    while (true) {
      WorkflowAction now =
          client.resources(WorkflowAction.class).inNamespace(in).withName(name).get();
      if (now == null) {
        throw new CliException(
            "WorkflowAction %s was deleted before it was answered".formatted(name));
      }
      WorkflowActionStatus status = now.getStatus();
      if (status != null && status.phase() != null) {
        return status;
      }
      if (System.nanoTime() - end >= 0) {
        throw new CliException(
            "no operator has answered within %d s. It will be applied once one runs: kubectl delete workflowaction %s -n %s takes it back; kubectl get workflowaction %s -n %s shows the answer"
                .formatted(timeout, name, in, name, in));
      }
      Pause.of(POLL);
    }
  }
}
