package dev.andon.operator.execution;

import dev.andon.crds.JobTypeSpec;
import java.util.List;
import java.util.stream.Stream;

/** What is wrong with the executor of a JobType, whichever it is. */
public final class ExecutorRules {
  private ExecutorRules() {}

  /** Each finding with its field, its value and the rule. Empty: nothing. */
  public static List<String> findings(JobTypeSpec jobType) {
    return Stream.of(
            HttpRules.findings(jobType),
            ContainerRules.findings(jobType),
            GrpcRules.findings(jobType))
        .flatMap(List::stream)
        .toList();
  }
}
