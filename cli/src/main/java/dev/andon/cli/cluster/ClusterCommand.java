package dev.andon.cli.cluster;

import dev.andon.cli.CliException;
import dev.andon.devcluster.ClusterState;
import dev.andon.devcluster.Options;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code andon cluster up|down|status}. */
@Command(
    name = "cluster",
    description = "A real Kubernetes control plane on this machine, of your own.",
    synopsisSubcommandLabel = "COMMAND")
public final class ClusterCommand implements Runnable {
  private final ClusterState state;
  private final InstantSource clock;

  @Spec private CommandSpec spec;

  public ClusterCommand() {
    this(ClusterState.ofThisUser(), InstantSource.system());
  }

  @SuppressWarnings("NullAway.Init") // picocli sets the spec
  ClusterCommand(ClusterState state, InstantSource clock) {
    this.state = state;
    this.clock = clock;
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "up, down or status is missing");
  }

  @Command(
      description = {
        "Start it, or what is missing of it, and print its kubeconfig.",
        "etcd, API server with RBAC, controller manager, scheduler, and two fake nodes (kwok) on"
            + " which Pods seem to run. What cannot be downloaded is built from source, once."
      })
  int up(
      @Option(
              names = "--api-server-only",
              description = "Only etcd and the API server: enough for http job types, and quick.")
          boolean apiServerOnly)
      throws InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    Instant began = clock.instant();
    ClusterState.Up up = state.up(apiServerOnly ? Options.apiServerOnly() : Options.everything());
    out.printf(
        "Kubernetes is up at %s after %.1f s. It goes on until: andon cluster down%n",
        up.url(), Duration.between(began, clock.instant()).toMillis() / 1000.0);
    out.println();
    out.println("export KUBECONFIG=" + up.kubeconfig());
    out.println();
    out.println("Next: andon install, then andon operator.");
    return 0;
  }

  @Command(description = "End it, and delete its data.")
  int down() throws InterruptedException {
    spec.commandLine().getOut().println(state.down() ? "Ended." : "There was none.");
    return 0;
  }

  @Command(description = "Say what runs. Exit code 1 if it is not up and ready.")
  int status() throws InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    switch (state.status()) {
      case ClusterState.Down ignored -> {
        out.println("down; start it with: andon cluster up");
        return 1;
      }
      case ClusterState.Up up -> {
        out.printf("%s at %s%n", up.ready() ? "ready" : "not ready", up.url());
        for (ClusterState.ProcessStatus process : up.processes()) {
          out.printf(
              "  %-25s pid %-8d %s%n",
              process.name(), process.pid(), process.alive() ? "running" : "ended");
        }
        out.println("logs: " + up.logs());
        out.println("export KUBECONFIG=" + up.kubeconfig());
        if (!up.ready()) {
          throw new CliException("cluster: not ready; andon cluster up replaces it by a new one");
        }
        return 0;
      }
    }
  }
}
