package dev.andon.operator.execution;

import dev.andon.crds.JobTypeSpec;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.Lifecycle;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What the container executor requires of a JobType beyond its schema. The pod template itself is
 * judged by the API server when a Job is made of it.
 */
public final class ContainerRules {
  private static final String PATH = "spec.executor.container.";

  /** In seconds: longer than an operator takes to restart, or another to take its place. */
  private static final int SHORTEST_TTL = 300;

  private static final String REPEATS =
      " within an attempt; leave it out, and use retry.attempts for more of them";

  private ContainerRules() {}

  /**
   * Everything wrong with the {@code container} executor of a JobType, each with its field, its
   * value and the rule. Empty: nothing.
   */
  public static List<String> findings(JobTypeSpec jobType) {
    JobTypeSpec.Container container = jobType.container();
    if (container == null) {
      return List.of();
    }
    PodTemplateSpec template;
    try {
      template = JobManifest.template(container.template());
    } catch (JobManifest.NoTemplate e) {
      return List.of(PATH + e.getMessage());
    }
    var found = new ArrayList<String>();
    Integer ttl = container.ttlSecondsAfterFinished();
    if (ttl != null && ttl < SHORTEST_TTL) {
      found.add(
          PATH
              + "ttlSecondsAfterFinished: %d is under %d: a Job that is gone before an operator saw how it ended is Unknown; give it more, or leave it out"
                  .formatted(ttl, SHORTEST_TTL));
    }
    String restart = template.getSpec().getRestartPolicy();
    if (restart != null && !restart.equals("Never")) {
      found.add(
          PATH
              + "template.spec.restartPolicy: \"%s\" would repeat work within an attempt; use Never, and retry.attempts for more of them"
                  .formatted(restart));
    }
    unseen("containers", template.getSpec().getContainers(), found);
    unseen("initContainers", template.getSpec().getInitContainers(), found);
    Set<String> args =
        jobType.args().stream()
            .map(JobTypeSpec.Arg::name)
            .filter(Objects::nonNull)
            .collect(Collectors.toSet());
    environment("containers", template.getSpec().getContainers(), args, found);
    environment("initContainers", template.getSpec().getInitContainers(), args, found);
    return List.copyOf(found);
  }

  /**
   * What is dangerous about it, and yet can be run: args that are pasted into a shell script, by
   * {@link ShellExpansion}. Empty: nothing, or no template that could be read.
   */
  public static List<String> shellExpansions(JobTypeSpec jobType) {
    JobTypeSpec.Container container = jobType.container();
    if (container == null) {
      return List.of();
    }
    try {
      return ShellExpansion.findings(jobType, JobManifest.template(container.template()));
    } catch (JobManifest.NoTemplate e) {
      return List.of(); // told by findings
    }
  }

  /**
   * What makes the node end a container, or begin it again, without the outcome showing it: a
   * program that is told to end may well exit with 0. Sidecars may have it, as they are not the
   * work.
   */
  private static void unseen(String field, List<Container> containers, List<String> found) {
    for (int i = 0; i < containers.size(); i++) {
      Container container = containers.get(i);
      boolean isInit = field.equals("initContainers");
      String restart = container.getRestartPolicy();
      if (isInit && "Always".equals(restart)) {
        continue;
      }
      String path = "%stemplate.spec.%s[%d].".formatted(PATH, field, i);
      if (restart != null && !restart.equals("Never")) {
        found.add(path + "restartPolicy: \"%s\" would repeat work".formatted(restart) + REPEATS);
      }
      if (!container.getRestartPolicyRules().isEmpty()) {
        found.add(path + "restartPolicyRules: would repeat work" + REPEATS);
      }
      Lifecycle lifecycle = container.getLifecycle();
      Stream.of(
              container.getLivenessProbe() == null ? null : "livenessProbe",
              container.getStartupProbe() == null ? null : "startupProbe",
              lifecycle == null || lifecycle.getPostStart() == null ? null : "lifecycle.postStart")
          .filter(Objects::nonNull)
          .forEach(
              name ->
                  found.add(
                      path
                          + name
                          + ": its node ends the container when it fails, and an exit with 0 would count as work that is done; leave it out: timeoutSeconds ends what hangs"));
    }
  }

  /** The later of two variables of one name wins: the job would not get its arg. */
  private static void environment(
      String field, List<Container> containers, Set<String> args, List<String> found) {
    for (int i = 0; i < containers.size(); i++) {
      for (EnvVar variable : containers.get(i).getEnv()) {
        if (args.contains(variable.getName())) {
          found.add(
              PATH
                  + "template.spec.%s[%d].env: \"%s\" is the name of an arg too, which is such a variable already; rename one"
                      .formatted(field, i, variable.getName()));
        }
      }
    }
  }
}
