package dev.andon.operator.execution;

import io.fabric8.kubernetes.api.model.ContainerState;
import io.fabric8.kubernetes.api.model.ContainerStateWaiting;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodStatus;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobStatus;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a Job says, and why it does not get on, in the words of status. Pure. How an attempt ended
 * its Pods say: {@link PodEnd}.
 *
 * <p>Reasons people meet: {@code ImagePullBackOff} and what else a kubelet says of a container that
 * cannot start, {@code Unschedulable}, {@code QuotaExceeded}, {@code FailedCreate}, {@code Held}.
 */
final class JobReport {
  private static final Set<String> IMAGE_TROUBLE =
      Set.of("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "ImageInspectError");

  /** A kubelet says so of every container while its Pod is made ready. */
  private static final Set<String> STARTING = Set.of("ContainerCreating", "PodInitializing");

  /** Labels by which something else says when a Job may begin; that of Kueue among them. */
  private static final String QUEUE = "/queue-name";

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

  private static boolean isTrue(Job job, String condition) {
    return has(job, condition, "True");
  }

  private static boolean has(Job job, String condition, String status) {
    return job.getStatus() != null
        && job.getStatus().getConditions().stream()
            .anyMatch(c -> condition.equals(c.getType()) && status.equals(c.getStatus()));
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

  /** Nothing of it begins any more. */
  static boolean isFinished(Job job) {
    return isComplete(job) || isFailed(job);
  }

  /** Whether it was suspended after it was created, which is for good. */
  static boolean isMarked(Job job) {
    return "true".equals(annotations(job).get(JobManifest.SUSPENDED_ANNOTATION));
  }

  /**
   * Whether it was created suspended and not let go since, as far as the Job tells: it is somebody
   * else's to let it go. One that ran, and was suspended, has the mark.
   */
  static boolean isHeld(Job job) {
    return isToBeSuspended(job) && !isFinished(job) && !isMarked(job) && !hasStarted(job);
  }

  /** Whether it was let go, and the Job controller has not seen that yet. */
  static boolean isLetGoJustNow(Job job) {
    return !isToBeSuspended(job) && !hasStarted(job) && has(job, "Suspended", "True");
  }

  static boolean hasStarted(Job job) {
    return job.getStatus() != null && job.getStatus().getStartTime() != null;
  }

  /**
   * Whether its spec is as it was when it was created: one that is suspended always was, then, and
   * has never begun.
   */
  static boolean isAsCreated(Job job) {
    return Long.valueOf(1).equals(job.getMetadata().getGeneration());
  }

  /**
   * When it is past its time, by its own start: of a Job that was held and let go, which began
   * later than its attempt. Empty: it was not, or has no start.
   */
  static Optional<Instant> deadlineAfterHold(Job job) {
    JobStatus status = job.getStatus();
    Long seconds = job.getSpec() == null ? null : job.getSpec().getActiveDeadlineSeconds();
    return status == null
            || status.getStartTime() == null
            || seconds == null
            || !has(job, "Suspended", "False")
        ? Optional.empty()
        : Optional.of(
            OffsetDateTime.parse(status.getStartTime())
                .toInstant()
                .plusSeconds(seconds - JobManifest.LATER_SECONDS));
  }

  /** Who holds a Job that was created suspended, as far as that can be told. */
  static Finding whoHolds(Job job) {
    String manager = job.getSpec().getManagedBy();
    Optional<Map.Entry<String, String>> queue =
        Objects.requireNonNullElse(job.getMetadata().getLabels(), Map.<String, String>of())
            .entrySet()
            .stream()
            .filter(label -> label.getKey().endsWith(QUEUE))
            .findFirst();
    String who =
        queue
            .map(label -> "%s=%s".formatted(label.getKey(), label.getValue()))
            .orElse(
                manager != null
                    ? "spec.managedBy " + manager
                    : "what admission made of it (a queue such as Kueue)");
    return new Finding(
        "Held", "it was created suspended, and begins when it is let go; held by " + who);
  }

  private static Map<String, String> annotations(Job job) {
    return Objects.requireNonNullElse(job.getMetadata().getAnnotations(), Map.of());
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

  /** What a Job that is Failed says of it itself. */
  static String whyFailed(Job job) {
    return job.getStatus().getConditions().stream()
        .filter(c -> "Failed".equals(c.getType()) && "True".equals(c.getStatus()))
        .map(c -> said(c.getReason(), c.getMessage()))
        .findFirst()
        .orElse("without a word");
  }

  /**
   * Why Pods do not get on, as far as they tell themselves: an image that is missing, no node.
   * Empty: nothing says that they don't.
   */
  static Optional<Finding> whyWaiting(List<Pod> pods) {
    List<PodStatus> alive =
        pods.stream()
            .filter(JobReport::isAlive)
            .map(Pod::getStatus)
            .filter(Objects::nonNull)
            .toList();
    return alive.stream()
        .flatMap(
            status ->
                Stream.concat(
                    status.getInitContainerStatuses().stream(),
                    status.getContainerStatuses().stream()))
        .flatMap(container -> waiting(container).stream())
        .findFirst()
        .or(
            () ->
                alive.stream()
                    .flatMap(status -> status.getConditions().stream())
                    .filter(
                        c -> "PodScheduled".equals(c.getType()) && "False".equals(c.getStatus()))
                    .map(
                        c ->
                            new Finding(
                                "Unschedulable",
                                "no node takes its Pod: " + said(null, c.getMessage())))
                    .findFirst());
  }

  /**
   * Why there is no Pod, or a Pod has no container, as the latest warning tells: a quota, a volume
   * that cannot be mounted.
   *
   * @param noPod whether they are about a Job that has no Pod
   */
  static Optional<Finding> whyWaitingByEvents(List<Event> events, boolean noPod) {
    return events.stream()
        .filter(event -> "Warning".equals(event.getType()))
        .max(Comparator.comparing(JobReport::time))
        .map(
            event -> {
              String reason = Objects.requireNonNullElse(event.getReason(), "Waiting");
              String message = said(null, event.getMessage());
              return noPod
                  ? new Finding(
                      message.contains("exceeded quota") ? "QuotaExceeded" : reason,
                      "its Pod cannot be created: " + message)
                  : new Finding(reason, "its Pod does not get on: " + message);
            });
  }

  /** Of the latest time it was seen. */
  private static String time(Event event) {
    String time =
        event.getSeries() != null && event.getSeries().getLastObservedTime() != null
            ? event.getSeries().getLastObservedTime().getTime()
            : event.getLastTimestamp() != null
                ? event.getLastTimestamp()
                : event.getEventTime() != null ? event.getEventTime().getTime() : null;
    return Objects.requireNonNullElse(time, "");
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

  static String said(@Nullable String reason, @Nullable String message) {
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
