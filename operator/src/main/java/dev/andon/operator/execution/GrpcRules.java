package dev.andon.operator.execution;

import dev.andon.crds.JobTypeSpec;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What the grpc executor requires of a JobType. Pure: for the operator, and for tools offline. */
public final class GrpcRules {
  /**
   * Host or address with a port, alone or as <a
   * href="https://github.com/grpc/grpc/blob/master/doc/naming.md">gRPC writes names of DNS</a>. An
   * address of IPv6 is in brackets.
   */
  private static final Pattern TARGET =
      Pattern.compile(
          "(?:dns:(?:///)?)?(?<address>(?:[A-Za-z0-9](?:[-._A-Za-z0-9]*[A-Za-z0-9])?\\.?|\\[[0-9A-Fa-f:.]+])"
              + ":(?<port>[0-9]{1,5}))");

  private static final int LARGEST_PORT = 65_535;

  private GrpcRules() {}

  /**
   * Everything wrong with the {@code grpc} executor of a JobType, each with its field, its value
   * and the rule. Empty: nothing.
   */
  public static List<String> findings(JobTypeSpec jobType) {
    JobTypeSpec.Grpc grpc = jobType.executor() == null ? null : jobType.executor().grpc();
    if (grpc == null || address(grpc.target()).isPresent()) {
      return List.of();
    }
    return List.of(
        "spec.executor.grpc.target: %s; give host:port or dns:///host:port"
            .formatted(
                grpc.target() == null
                    ? "is missing"
                    : "\"%s\" is no address with a port".formatted(grpc.target())));
  }

  /** Host and port of a target; empty if it has none that can be connected to. */
  static Optional<String> address(@Nullable String target) {
    Matcher matcher = TARGET.matcher(target == null ? "" : target);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    int port = Integer.parseInt(matcher.group("port"));
    return port >= 1 && port <= LARGEST_PORT
        ? Optional.of(matcher.group("address"))
        : Optional.empty();
  }
}
