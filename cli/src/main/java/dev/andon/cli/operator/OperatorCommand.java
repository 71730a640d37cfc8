package dev.andon.cli.operator;

import dev.andon.cli.CliException;
import dev.andon.cli.Target;
import dev.andon.operator.AndonOperator;
import dev.andon.operator.Main;
import dev.andon.operator.cluster.ClusterHttp;
import dev.andon.operator.cluster.ClusterJson;
import dev.andon.operator.leadership.Terms;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code andon operator}. */
@Command(
    name = "operator",
    description = {
      "Run the operator in the foreground, until Ctrl-C.",
      "/healthz, /readyz and /metrics are on --port. What is under way outside when it ends goes"
          + " on, and is taken up by the next one."
    })
public final class OperatorCommand implements Callable<Integer> {
  private static final String API = "andon.dev/v1alpha1";
  private static final int HIGHEST_PORT = 65_535;

  @Spec private CommandSpec spec;
  @Mixin private Target target;

  @Option(
      names = "--port",
      defaultValue = "8080",
      description = "Of health and metrics; 0: a free one (default: ${DEFAULT-VALUE}).")
  private int port;

  @Option(
      names = "--namespace",
      defaultValue = "${env:ANDON_NAMESPACE:-andon-system}",
      description = "Where the secrets of job types and the lease are (default: ${DEFAULT-VALUE}).")
  private String namespace;

  @Option(
      names = "--leader-elect",
      arity = "0..1",
      defaultValue = "true",
      fallbackValue = "true",
      description = {
        "Act only while holding the Lease andon-operator, so that several can run: one acts, the"
            + " others stand by (default: ${DEFAULT-VALUE}).",
        "=false: act at once. Only where no other operator can be running on the cluster."
      })
  private boolean leaderElect;

  @Option(
      names = "--lease-duration",
      paramLabel = "DURATION",
      defaultValue = Terms.LEASE_DURATION,
      description = {
        "How long the others leave a Lease alone that is not renewed, in whole seconds"
            + " (default: ${DEFAULT-VALUE}). The same for all operators of a cluster."
      })
  private String leaseDuration;

  @Option(
      names = "--renew-deadline",
      paramLabel = "DURATION",
      defaultValue = Terms.RENEW_DEADLINE,
      description =
          "How long one that cannot renew its Lease goes on; then it ends (default:"
              + " ${DEFAULT-VALUE}).")
  private String renewDeadline;

  @Option(
      names = "--retry-period",
      paramLabel = "DURATION",
      defaultValue = Terms.RETRY_PERIOD,
      description = "Between renewals of the Lease (default: ${DEFAULT-VALUE}).")
  private String retryPeriod;

  @Option(
      names = "--admission-grace",
      paramLabel = "DURATION",
      defaultValue = AndonOperator.Options.ADMISSION_GRACE,
      description =
          "How long a Workflow may lack what another object can still bring (its JobType, a policy"
              + " that admits it, a ConfigMap) before it is rejected (default: ${DEFAULT-VALUE}).")
  private String admissionGrace;

  @Option(
      names = "--job-create-timeout",
      paramLabel = "DURATION",
      defaultValue = AndonOperator.Options.JOB_CREATE_TIMEOUT,
      description =
          "How long a Job is looked for whose create met no answer: somewhat more than the API"
              + " server's --request-timeout (default: ${DEFAULT-VALUE}).")
  private String jobCreateTimeout;

  /** For a parent that may be killed: its end of the pipe closes however it ends. */
  @Option(names = "--until-stdin-closes", hidden = true)
  private boolean untilStdinCloses;

  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  public OperatorCommand() {}

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (port < 0 || port > HIGHEST_PORT) {
      throw new ParameterException(
          spec.commandLine(), "--port %d: from 0 to %d".formatted(port, HIGHEST_PORT));
    }
    AndonOperator.Options options = options();
    if (untilStdinCloses) {
      Thread.ofPlatform().daemon().name("parent").start(OperatorCommand::endWithStdin);
    }
    Config config = target.forOperator();
    refuseWithoutOurKinds(config);
    Main.run(config, options);
    return 0;
  }

  private AndonOperator.Options options() {
    try {
      Terms terms = Terms.of(leaseDuration, renewDeadline, retryPeriod);
      var alone =
          new AndonOperator.Options(namespace, port).waiting(admissionGrace, jobCreateTimeout);
      return leaderElect ? alone.electing(terms) : alone;
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  /** Asked of discovery, which everybody may read: the operator's account may not read CRDs. */
  private static void refuseWithoutOurKinds(Config main) {
    var config = new ConfigBuilder(main).withRequestRetryBackoffLimit(2).build();
    try (var client =
        ClusterHttp.client(config).withKubernetesSerialization(ClusterJson.complete()).build()) {
      if (client.getApiResources(API) == null) {
        throw new CliException(
            "%s does not serve %s; run andon install first".formatted(main.getMasterUrl(), API));
      }
    }
  }

  private static void endWithStdin() {
    try {
      while (System.in.read() >= 0) {
        // Nobody writes; only the end matters.
      }
    } catch (IOException closed) {
      // That is the end too.
    }
    System.exit(0);
  }
}
