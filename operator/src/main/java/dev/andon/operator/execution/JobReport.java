package dev.andon.operator.execution;

import io.fabric8.kubernetes.api.model.ContainerState;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.ContainerStateWaiting;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.PodStatus;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobCondition;
import io.fabric8.kubernetes.api.model.batch.v1.JobStatus;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a Job, its Pods and the Events about it say, in the words of status. Pure.
 *
 * <p>Reasons people meet: {@code ExitCode3} and {@code OOMKilled} of a container, {@code Evicted},
 * {@code ImagePullBackOff} and what else a kubelet says of a container that cannot start, {@code
 * Unschedulable}, {@code QuotaExceeded}, {@code TimedOut}, {@code JobFailed}.
 */
final class JobReport {
  private static final Set<String> IMAGE_TROUBLE =
      Set.of("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "ImageInspectError");

  /** A kubelet says so of every container while its Pod is made ready. */
  private static final Set<String> STARTING = Set.of("ContainerCreating", "PodInitializing");

  /** Where a kubelet, or who evicted the Pod, says why it did not go on. */
  private static final String DISRUPTED = "DisruptionTarget";

  private static final Pattern EXIT_CODE = Pattern.compile("exit code (\\d{1,9})\\b");

  private JobReport() {}

  /**
   * One finding.
   *
   * @param reason CamelCase
   * @param message for people
   * @param exitCode of the container that says so; null: none does
   */
  record Finding(String reason, String message, @Nullable Integer exitCode) {
    Finding(String reason, String message) {
      this(reason, message, null);
    }
  }

  static boolean isTrue(Job job, String condition) {
    return condition(job, condition).isPresent();
  }

  private static Optional<JobCondition> condition(Job job, String type) {
    return job.getStatus() == null
        ? Optional.empty()
        : job.getStatus().getConditions().stream()
            .filter(c -> type.equals(c.getType()) && "True".equals(c.getStatus()))
            .findFirst();
  }

  static boolean isComplete(Job job) {
    return isTrue(job, "Complete");
  }

  static boolean isFailed(Job job) {
    return isTrue(job, "Failed");
  }

  /** Somebody asked for it; whether it has taken effect is another question. */
  static boolean isToBeSuspended(Job job) {
    return job.getSpec() != null && Boolean.TRUE.equals(job.getSpec().getSuspend());
  }

  /**
   * Whether the Job controller has seen that it is suspended: it creates no Pod from then on. Those
   * that there are may still be ending.
   */
  static boolean isSuspended(Job job) {
    return isToBeSuspended(job) && isTrue(job, "Suspended");
  }

  /** Whether its end is near enough to look closer: what a watch is for. */
  static boolean isWorthALook(Job job) {
    return isComplete(job)
        || isFailed(job)
        || isSuspended(job)
        || job.getMetadata().getDeletionTimestamp() != null;
  }

  /**
   * How many of its Pods have not ended, as the Job controller counts them: what it has created it
   * waits to see before it counts. Empty: it doesn't count those that are being deleted, as before
   * Kubernetes 1.29.
   */
  static OptionalInt alive(Job job) {
    JobStatus status = job.getStatus();
    return status == null || status.getTerminating() == null
        ? OptionalInt.empty()
        : OptionalInt.of(
            status.getTerminating() + Objects.requireNonNullElse(status.getActive(), 0));
  }

  /** Whether its containers may still be doing something. */
  static boolean isAlive(Pod pod) {
    String phase = pod.getStatus() == null ? null : pod.getStatus().getPhase();
    return !"Succeeded".equals(phase) && !"Failed".equals(phase);
  }

  /** Why a Job that is Failed is. */
  static Finding whyFailed(Job job, List<Pod> pods) {
    Optional<JobCondition> failed = condition(job, "Failed");
    String jobReason = failed.map(JobCondition::getReason).orElse("");
    if ("DeadlineExceeded".equals(jobReason)) {
      return new Finding("TimedOut", "it did not end within its timeout");
    }
    Optional<Finding> ofPod = pods.stream().flatMap(pod -> whyFailed(pod).stream()).findFirst();
    return ofPod.orElseGet(
        () -> withoutPod(jobReason, failed.map(JobCondition::getMessage).orElse("no message")));
  }

  /** What the Job itself kept of it, by the failure policy of {@link JobManifest}. */
  private static Finding withoutPod(String reason, String message) {
    Matcher matcher = EXIT_CODE.matcher(message);
    Integer exitCode =
        !message.contains(DISRUPTED) && matcher.find() ? Integer.valueOf(matcher.group(1)) : null;
    String finding =
        message.contains(DISRUPTED)
            ? "Evicted"
            : exitCode == null ? "JobFailed" : "ExitCode" + exitCode;
    return new Finding(
        finding,
        "%s: %s; its Pod is gone, and its logs with it"
            .formatted(reason.isEmpty() ? "Failed" : reason, message),
        exitCode);
  }

  /** How a Pod that failed ended: what befell the Pod first, then its containers. */
  static Optional<Finding> whyFailed(Pod pod) {
    PodStatus status = pod.getStatus();
    if (status == null || !"Failed".equals(status.getPhase())) {
      return Optional.empty();
    }
    Optional<PodCondition> disrupted =
        status.getConditions().stream()
            .filter(c -> DISRUPTED.equals(c.getType()) && "True".equals(c.getStatus()))
            .findFirst();
    if ("Evicted".equals(status.getReason()) || disrupted.isPresent()) {
      return Optional.of(
          new Finding(
              "Evicted",
              "its Pod was evicted: "
                  + said(
                      disrupted.map(PodCondition::getReason).orElse(status.getReason()),
                      disrupted.map(PodCondition::getMessage).orElse(status.getMessage()))));
    }
    return containers(status)
        .flatMap(container -> exit(container).stream())
        .findFirst()
        .or(
            () ->
                Optional.of(
                    new Finding(
                        status.getReason() == null ? "PodFailed" : status.getReason(),
                        "its Pod failed: " + said(status.getReason(), status.getMessage()))));
  }

  private static Optional<Finding> exit(ContainerStatus container) {
    ContainerState state = container.getState();
    ContainerStateTerminated end = state == null ? null : state.getTerminated();
    if (end == null || Objects.requireNonNullElse(end.getExitCode(), 0) == 0) {
      return Optional.empty();
    }
    String reason = Objects.requireNonNullElse(end.getReason(), "Error");
    return Optional.of(
        new Finding(
            "Error".equals(reason) ? "ExitCode" + end.getExitCode() : reason,
            "container %s: exit code %d (%s)%s"
                .formatted(
                    container.getName(),
                    end.getExitCode(),
                    reason,
                    end.getMessage() == null || end.getMessage().isBlank()
                        ? ""
                        : ": " + end.getMessage()),
            end.getExitCode()));
  }

  /**
   * Why a Job does not get on, as far as its Pods and the Events about it tell: an image that is
   * missing, no node, no quota. Empty: nothing says that it doesn't.
   */
  static Optional<Finding> whyWaiting(List<Pod> pods, List<Event> events) {
    Optional<Finding> ofContainer =
        pods.stream()
            .filter(JobReport::isAlive)
            .filter(pod -> pod.getStatus() != null)
            .flatMap(pod -> containers(pod.getStatus()))
            .flatMap(container -> waiting(container).stream())
            .findFirst();
    if (ofContainer.isPresent()) {
      return ofContainer;
    }
    Optional<Finding> ofNode =
        pods.stream()
            .filter(JobReport::isAlive)
            .filter(pod -> pod.getStatus() != null)
            .flatMap(pod -> pod.getStatus().getConditions().stream())
            .filter(c -> "PodScheduled".equals(c.getType()) && "False".equals(c.getStatus()))
            .map(
                c ->
                    new Finding(
                        "Unschedulable", "no node takes its Pod: " + said(null, c.getMessage())))
            .findFirst();
    if (ofNode.isPresent() || !pods.isEmpty()) {
      return ofNode;
    }
    return events.stream()
        .filter(event -> "FailedCreate".equals(event.getReason()))
        .reduce((earlier, later) -> later)
        .map(
            event -> {
              String message = said(null, event.getMessage());
              return new Finding(
                  message.contains("exceeded quota") ? "QuotaExceeded" : "FailedCreate",
                  "its Pod cannot be created: " + message);
            });
  }

  private static Optional<Finding> waiting(ContainerStatus container) {
    ContainerState state = container.getState();
    ContainerStateWaiting waiting = state == null ? null : state.getWaiting();
    if (waiting == null || waiting.getReason() == null || STARTING.contains(waiting.getReason())) {
      return Optional.empty();
    }
    return Optional.of(
        new Finding(
            // A kubelet says the one and the other in turn.
            IMAGE_TROUBLE.contains(waiting.getReason()) ? "ImagePullBackOff" : waiting.getReason(),
            "container %s cannot start: %s"
                .formatted(container.getName(), said(waiting.getReason(), waiting.getMessage()))));
  }

  private static Stream<ContainerStatus> containers(PodStatus status) {
    return Stream.concat(
        status.getInitContainerStatuses().stream(), status.getContainerStatuses().stream());
  }

  private static String said(@Nullable String reason, @Nullable String message) {
    if (message == null || message.isBlank()) {
      return reason == null || reason.isBlank() ? "without a word" : reason;
    }
    return reason == null || reason.isBlank() ? message : reason + ": " + message;
  }

  /** One line that keeps its last part, however long the first is. */
  static String line(String what, String whereabouts) {
    String end = "; " + whereabouts;
    int room = Messages.MAX_LENGTH - end.length();
    String plain = Messages.line(what, List.of());
    return Messages.line(
        (plain.length() <= room ? plain : plain.substring(0, Math.max(0, room - 1)) + "…") + end,
        List.of());
  }

  /** Where a person reads what it printed. */
  static String logs(Job job) {
    return "kubectl logs -n %s job/%s"
        .formatted(job.getMetadata().getNamespace(), job.getMetadata().getName());
  }
}
