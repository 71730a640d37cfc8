package dev.andon.cli.install;

import dev.andon.cli.Target;
import dev.andon.operator.cluster.ClusterHttp;
import io.fabric8.kubernetes.client.Config;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code andon install}. */
@Command(
    name = "install",
    description = {
      "Put what the operator needs into a cluster: CRDs, namespaces, account, roles, and the"
          + " policies by which the API server itself guards the stop.",
      "Doing it again changes nothing. A fresh installation is stopped until a person arms a"
          + " workflow type; this command never touches the stop itself."
    })
public final class InstallCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private Target target;

  @Option(
      names = "--force-conflicts",
      description = "Take over fields that somebody else set to another value.")
  private boolean forceConflicts;

  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  public InstallCommand() {}

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    Config config = target.forPeople();
    List<String> missing;
    try (var client = ClusterHttp.client(config).build()) {
      missing =
          new Installation(
                  client,
                  forceConflicts,
                  done -> {
                    out.println(done.object() + " " + done.outcome());
                    out.flush();
                  })
              .run();
    }
    out.println();
    out.println("Installed in " + config.getMasterUrl());
    if (!missing.isEmpty()) {
      out.println("This API server does not serve every kind of policy. Not so here:");
      missing.forEach(protection -> out.println("  " + protection));
    }
    out.println(
        "Everything is stopped until a person arms a type. Once the operator runs (andon operator):");
    out.println(
        "  kubectl patch cm emergency-stop -n andon-stop --type merge \\\n"
            + "    -p '{\"metadata\":{\"annotations\":{\"andon.dev/arm-reason\":\"WHY\"}},\"data\":{\"TYPE\":\"go\"}}'");
    out.println("Who may arm, and who is on call to stop, is for you to say:");
    out.println(
        "  kubectl create clusterrolebinding andon-armers --clusterrole=andon-armer --group=GROUP");
    out.println(
        "  kubectl create clusterrolebinding first-responders --clusterrole=first-responder --group=GROUP");
    out.println(
        "Who may start, pause, resume, cancel and resolve the workflows of a namespace, too:");
    out.println(
        "  kubectl create rolebinding workflow-supervisors -n NAMESPACE \\\n"
            + "    --clusterrole=workflow-supervisor --group=GROUP");
    return 0;
  }
}
