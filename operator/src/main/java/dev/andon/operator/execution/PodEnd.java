package dev.andon.operator.execution;

import dev.andon.operator.execution.JobReport.Finding;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerState;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.ManagedFieldsEntry;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.PodStatus;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a Pod says of how its attempt ended. Pure, and the one place of it.
 *
 * <p>The template's own containers decide, by {@link JobManifest#CONTAINERS_ANNOTATION}: neither
 * what admission adds to a Pod nor a sidecar says anything of the work. In this order:
 *
 * <table>
 *   <caption>What a Pod says</caption>
 *   <tr><th>the Pod</th><th>says</th></tr>
 *   <tr><td>has failed, by its node's word, and no own container was ever started</td><td>never begun</td></tr>
 *   <tr><td>has an own container that may still do something</td><td>it goes on</td></tr>
 *   <tr><td>is under DisruptionTarget (evicted, drained, preempted), or was ended by its node as a whole</td><td>not known</td></tr>
 *   <tr><td>has an own container that exited with something else than 0, before it was told to end</td><td>failed</td></tr>
 *   <tr><td>has own containers that all exited with 0, before they were told to end</td><td>succeeded</td></tr>
 *   <tr><td>anything else: an exit after it was told to end says what SIGTERM did, or the work</td><td>not known</td></tr>
 * </table>
 *
 * <p>A Pod is told to end at {@code deletionTimestamp - deletionGracePeriodSeconds}. Both times are
 * in whole seconds, so that an exit in the very second counts for nothing.
 */
final class PodEnd {
  /** Who told a Pod to end; the node itself, which knows what it has started, among them. */
  private static final String DISRUPTED = "DisruptionTarget";

  private static final String BY_ITS_NODE = "TerminationByKubelet";

  /**
   * A node says so of a container that it cannot find, or containerd of one whose process it has
   * lost: exit codes that nobody saw. It may have run.
   */
  private static final Set<String> LOST = Set.of("ContainerStatusUnknown", "Unknown");

  /**
   * A node that begins anew may refuse a Pod that ran before, and forgets its containers in that
   * moment. One that never ran was refused as soon as the node took it up.
   */
  private static final Duration REFUSED_WITHIN = Duration.ofSeconds(5);

  private PodEnd() {}

  /** What one Pod says, or all that an attempt has. */
  sealed interface Says {
    record GoesOn() implements Says {}

    record Succeeded() implements Says {}

    record Failed(Finding why) implements Says {}

    record NeverBegun(Finding why) implements Says {}

    /** It is over, and whether its work is done cannot be told. */
    record NotKnown(String why) implements Says {}
  }

  /**
   * What all Pods of an attempt say together. One that may go on can still do the work; work that
   * is done is done, whatever came of another Pod; and what is not known might be.
   *
   * @param there as they are
   * @param gone as they were last seen
   * @return empty: there is none
   */
  static Optional<Says> of(Collection<Pod> there, Collection<Pod> gone) {
    List<Says> all =
        Stream.concat(there.stream().map(PodEnd::of), gone.stream().map(PodEnd::ofGone)).toList();
    return Stream.of(
            Says.GoesOn.class,
            Says.Succeeded.class,
            Says.NotKnown.class,
            Says.Failed.class,
            Says.NeverBegun.class)
        .flatMap(kind -> all.stream().filter(kind::isInstance))
        .findFirst();
  }

  /**
   * One that no node took up was never begun; of any other the node had the last word, or nobody.
   */
  private static Says ofGone(Pod pod) {
    Says last = of(pod);
    if (!(last instanceof Says.GoesOn)) {
      return last;
    }
    return pod.getSpec() != null && pod.getSpec().getNodeName() == null
        ? new Says.NeverBegun(
            new Finding("PodDeleted", "its Pod was deleted before a node took it up"))
        : new Says.NotKnown("its Pod is gone, and how it ended was not seen");
  }

  static Says of(Pod pod) {
    PodStatus status = pod.getStatus();
    if (status == null) {
      return new Says.GoesOn();
    }
    Own own = Own.of(pod);
    boolean over = !JobReport.isAlive(pod);
    if ("Failed".equals(status.getPhase()) && own.all().noneMatch(PodEnd::mayHaveStarted)) {
      return neverStarted(pod, status);
    }
    if (!over && !(!own.main.isEmpty() && own.main.stream().allMatch(c -> end(c) != null))) {
      return new Says.GoesOn();
    }
    Optional<PodCondition> disrupted = disrupted(status);
    if (disrupted.isPresent()) {
      return new Says.NotKnown("its Pod was evicted: " + whyDisrupted(status, disrupted));
    }
    if ("Failed".equals(status.getPhase()) && isSaid(status.getReason())) {
      // Of the Pod as a whole: its node ended it (Evicted, DeadlineExceeded, Terminated).
      return new Says.NotKnown(
          "its node ended its Pod: " + JobReport.said(status.getReason(), status.getMessage()));
    }
    Optional<Instant> told = toldToEnd(pod);
    Optional<Finding> failed =
        own.all().filter(c -> endedByItself(c, told)).flatMap(c -> exit(c).stream()).findFirst();
    if (failed.isPresent()) {
      return new Says.Failed(failed.get());
    }
    boolean saysNothingOfContainers =
        "Succeeded".equals(status.getPhase()) && own.main.isEmpty() && told.isEmpty();
    if (saysNothingOfContainers
        || (!own.main.isEmpty() && own.main.stream().allMatch(c -> endedByItself(c, told)))) {
      return new Says.Succeeded();
    }
    return new Says.NotKnown(
        told.isPresent()
            ? "its Pod was told to end at %s, and ended after that".formatted(told.get())
            : "its Pod failed: " + JobReport.said(status.getReason(), status.getMessage()));
  }

  /** Whether an own container was started; what a sidecar does is nothing of the work. */
  static boolean wasStarted(Pod pod) {
    return pod.getStatus() != null && Own.of(pod).all().anyMatch(PodEnd::wasStarted);
  }

  /**
   * Whether all that still runs of it is what admission added, which ends when it is told to and
   * not by itself. A sidecar of Kubernetes (an init container that restarts) its node ends.
   */
  static boolean onlyStrangersRun(Pod pod) {
    Own own = Own.of(pod);
    return JobReport.isAlive(pod)
        && pod.getStatus().getContainerStatuses().stream()
            .anyMatch(c -> !own.main.contains(c) && end(c) == null);
  }

  /** Statuses of the containers that count. */
  private record Own(List<ContainerStatus> init, List<ContainerStatus> main) {
    static Own of(Pod pod) {
      Set<String> names = names(pod);
      PodStatus status = pod.getStatus();
      return new Own(
          of(status.getInitContainerStatuses(), names), of(status.getContainerStatuses(), names));
    }

    private static List<ContainerStatus> of(List<ContainerStatus> statuses, Set<String> names) {
      return statuses.stream().filter(c -> names.contains(c.getName())).toList();
    }

    /** Of a Pod without the annotation all but sidecars. */
    private static Set<String> names(Pod pod) {
      ObjectMeta meta = pod.getMetadata();
      String annotation =
          meta == null || meta.getAnnotations() == null
              ? null
              : meta.getAnnotations().get(JobManifest.CONTAINERS_ANNOTATION);
      if (annotation != null) {
        return new HashSet<>(List.of(annotation.split(",", -1)));
      }
      PodSpec spec = pod.getSpec();
      Set<String> sidecars =
          spec == null
              ? Set.of()
              : spec.getInitContainers().stream()
                  .filter(c -> "Always".equals(c.getRestartPolicy()))
                  .map(Container::getName)
                  .collect(Collectors.toSet());
      return Stream.concat(
              pod.getStatus().getInitContainerStatuses().stream(),
              pod.getStatus().getContainerStatuses().stream())
          .map(ContainerStatus::getName)
          .filter(name -> !sidecars.contains(name))
          .collect(Collectors.toSet());
    }

    Stream<ContainerStatus> all() {
      return Stream.concat(init.stream(), main.stream());
    }
  }

  private static boolean mayHaveStarted(ContainerStatus container) {
    return wasStarted(container) || end(container) != null;
  }

  private static boolean wasStarted(ContainerStatus container) {
    return Boolean.TRUE.equals(container.getStarted())
        || Objects.requireNonNullElse(container.getRestartCount(), 0) > 0
        || hasBegun(container.getState())
        || hasBegun(container.getLastState());
  }

  private static boolean hasBegun(@Nullable ContainerState state) {
    return state != null
        && (state.getRunning() != null
            || (state.getTerminated() != null
                && !LOST.contains(
                    Objects.requireNonNullElse(state.getTerminated().getReason(), ""))));
  }

  /** Others than its node may write that a Pod has failed, without knowing what it has started. */
  private static Says neverStarted(Pod pod, PodStatus status) {
    Optional<PodCondition> disrupted = disrupted(status);
    boolean taken = pod.getSpec() == null || pod.getSpec().getNodeName() != null;
    if (taken && disrupted.isPresent() && !BY_ITS_NODE.equals(disrupted.get().getReason())) {
      return new Says.NotKnown(
          "its Pod was evicted, and its node did not say whether it had begun: "
              + whyDisrupted(status, disrupted));
    }
    String said = JobReport.said(status.getReason(), status.getMessage());
    if (wasRefusedLate(pod, status)) {
      return new Says.NotKnown("its node refused its Pod, which may have run before: " + said);
    }
    return new Says.NeverBegun(
        new Finding(
            status.getReason() == null ? "PodFailed" : status.getReason(),
            "its Pod failed before a container of it was started: " + said));
  }

  private static boolean wasRefusedLate(Pod pod, PodStatus status) {
    Optional<Instant> taken = time(status.getStartTime());
    return status.getContainerStatuses().isEmpty()
        && taken.isPresent()
        && pod.getMetadata() != null
        && pod.getMetadata().getManagedFields().stream()
            .filter(entry -> "status".equals(entry.getSubresource()))
            .map(ManagedFieldsEntry::getTime)
            .flatMap(time -> time(time).stream())
            .anyMatch(time -> time.isAfter(taken.get().plus(REFUSED_WITHIN)));
  }

  private static boolean isSaid(@Nullable String text) {
    return text != null && !text.isBlank();
  }

  private static Optional<PodCondition> disrupted(PodStatus status) {
    return status.getConditions().stream()
        .filter(c -> DISRUPTED.equals(c.getType()) && "True".equals(c.getStatus()))
        .findFirst();
  }

  private static String whyDisrupted(PodStatus status, Optional<PodCondition> disrupted) {
    return JobReport.said(
        disrupted.map(PodCondition::getReason).orElse(status.getReason()),
        disrupted.map(PodCondition::getMessage).orElse(status.getMessage()));
  }

  /** When it was told to end; empty: it was not. */
  private static Optional<Instant> toldToEnd(Pod pod) {
    ObjectMeta meta = pod.getMetadata();
    return meta == null
        ? Optional.empty()
        : time(meta.getDeletionTimestamp())
            .map(
                t ->
                    t.minusSeconds(
                        Objects.requireNonNullElse(meta.getDeletionGracePeriodSeconds(), 0L)));
  }

  private static @Nullable ContainerStateTerminated end(ContainerStatus container) {
    return container.getState() == null ? null : container.getState().getTerminated();
  }

  private static boolean endedByItself(ContainerStatus container, Optional<Instant> told) {
    ContainerStateTerminated end = end(container);
    if (end == null || LOST.contains(Objects.requireNonNullElse(end.getReason(), ""))) {
      return false;
    }
    return told.isEmpty()
        || time(end.getFinishedAt()).filter(at -> at.isBefore(told.get())).isPresent();
  }

  private static Optional<Finding> exit(ContainerStatus container) {
    ContainerStateTerminated end = end(container);
    int code = end == null ? 0 : Objects.requireNonNullElse(end.getExitCode(), 0);
    if (end == null || code == 0) {
      return Optional.empty();
    }
    String reason = Objects.requireNonNullElse(end.getReason(), "Error");
    return Optional.of(
        new Finding(
            "Error".equals(reason) ? "ExitCode" + code : reason,
            "container %s: exit code %d (%s)%s"
                .formatted(
                    container.getName(),
                    code,
                    reason,
                    end.getMessage() == null || end.getMessage().isBlank()
                        ? ""
                        : ": " + end.getMessage()),
            code));
  }

  private static Optional<Instant> time(@Nullable String text) {
    try {
      return text == null || text.isEmpty()
          ? Optional.empty()
          : Optional.of(OffsetDateTime.parse(text).toInstant());
    } catch (DateTimeParseException e) {
      return Optional.empty();
    }
  }
}
