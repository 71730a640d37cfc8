package dev.andon.operator.execution;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.EventBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class JobReportTest {
  private static <T> T read(Class<T> type, String yaml) {
    try {
      return new YAMLMapper().readValue(yaml, type);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Pod pod(String status) {
    return read(Pod.class, "metadata: {name: p}\nstatus: " + status);
  }

  private static Job failed(String reason, String message) {
    return read(
        Job.class,
        "status: {conditions: [{type: Failed, status: \"True\", reason: %s, message: \"%s\"}]}"
            .formatted(reason, message));
  }

  static Stream<Arguments> ends() {
    return Stream.of(
        Arguments.of(
            "{phase: Failed, containerStatuses: [{name: erase, state: {terminated: {exitCode: 3, reason: Error, message: no disk}}}]}",
            "ExitCode3",
            "container erase: exit code 3 (Error): no disk"),
        Arguments.of(
            "{phase: Failed, containerStatuses: [{name: erase, state: {terminated: {exitCode: 137, reason: OOMKilled}}}]}",
            "OOMKilled",
            "container erase: exit code 137 (OOMKilled)"),
        // Of several the first that failed; those before it did not.
        Arguments.of(
            "{phase: Failed, containerStatuses: [{name: side, state: {terminated: {exitCode: 0}}},"
                + " {name: erase, state: {terminated: {exitCode: 1}}}]}",
            "ExitCode1",
            "container erase: exit code 1 (Error)"),
        Arguments.of(
            "{phase: Failed, initContainerStatuses: [{name: look, state: {terminated: {exitCode: 2, reason: Error}}}],"
                + " containerStatuses: [{name: erase, state: {waiting: {reason: PodInitializing}}}]}",
            "ExitCode2",
            "container look: exit code 2 (Error)"),
        // What befell the Pod before what that did to its containers.
        Arguments.of(
            "{phase: Failed, reason: Evicted, message: low on memory,"
                + " containerStatuses: [{name: erase, state: {terminated: {exitCode: 137, reason: Error}}}]}",
            "Evicted",
            "its Pod was evicted: Evicted: low on memory"),
        Arguments.of(
            "{phase: Failed, conditions: [{type: DisruptionTarget, status: \"True\", reason: PreemptionByScheduler, message: preempted}]}",
            "Evicted",
            "its Pod was evicted: PreemptionByScheduler: preempted"),
        Arguments.of(
            "{phase: Failed, reason: NodeShutdown, message: node shutting down}",
            "NodeShutdown",
            "its Pod failed: NodeShutdown: node shutting down"),
        Arguments.of("{phase: Failed}", "PodFailed", "its Pod failed: without a word"));
  }

  @ParameterizedTest
  @MethodSource("ends")
  void a_failed_pod_says_why(String status, String reason, String message) {
    assertThat(JobReport.whyFailed(failed("BackoffLimitExceeded", "…"), List.of(pod(status))))
        .extracting(JobReport.Finding::reason, JobReport.Finding::message)
        .containsExactly(reason, message);
  }

  @Test
  void a_job_past_its_deadline_timed_out_whatever_its_pod_made_of_that() {
    Pod killed =
        pod(
            "{phase: Failed, containerStatuses: [{name: erase, state: {terminated: {exitCode: 143}}}]}");

    assertThat(JobReport.whyFailed(failed("DeadlineExceeded", "…"), List.of(killed)).reason())
        .isEqualTo("TimedOut");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "BackoffLimitExceeded|Job has reached the specified backoff limit|JobFailed",
        "PodFailurePolicy|Pod fleet/p has condition DisruptionTarget matching FailJob rule at index 0|Evicted",
        "PodFailurePolicy|Container erase for pod fleet/p failed with exit code 3 matching FailJob rule at index 1|ExitCode3"
      })
  void without_its_pod_a_failed_job_says_what_it_kept(
      String jobReason, String message, String reason) {
    assertThat(JobReport.whyFailed(failed(jobReason, message), List.of()))
        .extracting(JobReport.Finding::reason, JobReport.Finding::message)
        .containsExactly(
            reason, jobReason + ": " + message + "; its Pod is gone, and its logs with it");
  }

  @ParameterizedTest
  @CsvSource({"'active: 1, terminating: 0', 1", "'terminating: 1', 1", "'terminating: 0', 0"})
  void pods_that_are_being_deleted_are_alive_until_they_have_ended(String status, int alive) {
    assertThat(JobReport.alive(read(Job.class, "status: {%s}".formatted(status)))).hasValue(alive);
  }

  @Test
  void a_job_controller_that_does_not_count_them_says_nothing_about_what_is_alive() {
    assertThat(JobReport.alive(read(Job.class, "status: {active: 0}"))).isEmpty();
  }

  static Stream<Arguments> waits() {
    return Stream.of(
        Arguments.of(
            "{phase: Pending, containerStatuses: [{name: erase, state: {waiting: {reason: ErrImagePull, message: not found}}}]}",
            "ImagePullBackOff",
            "container erase cannot start: ErrImagePull: not found"),
        Arguments.of(
            "{phase: Pending, containerStatuses: [{name: erase, state: {waiting: {reason: ImagePullBackOff}}}]}",
            "ImagePullBackOff",
            "container erase cannot start: ImagePullBackOff"),
        Arguments.of(
            "{phase: Pending, containerStatuses: [{name: erase, state: {waiting: {reason: CreateContainerConfigError, message: secret s not found}}}]}",
            "CreateContainerConfigError",
            "container erase cannot start: CreateContainerConfigError: secret s not found"),
        Arguments.of(
            "{phase: Pending, conditions: [{type: PodScheduled, status: \"False\", reason: Unschedulable, message: 0/3 nodes}]}",
            "Unschedulable",
            "no node takes its Pod: 0/3 nodes"));
  }

  @ParameterizedTest
  @MethodSource("waits")
  void a_pod_that_cannot_begin_says_why(String status, String reason, String message) {
    assertThat(JobReport.whyWaiting(List.of(pod(status)), List.of()))
        .contains(new JobReport.Finding(reason, message));
  }

  @ParameterizedTest
  @CsvSource({
    "{phase: Running}",
    "'{phase: Pending, containerStatuses: [{name: e, state: {waiting: {reason: ContainerCreating}}}]}'",
    "'{phase: Running, containerStatuses: [{name: e, state: {running: {}}}]}'"
  })
  void a_pod_that_gets_on_says_nothing(String status) {
    assertThat(JobReport.whyWaiting(List.of(pod(status)), List.of())).isEmpty();
  }

  @Test
  void without_a_pod_the_latest_event_says_why_there_is_none() {
    Event created = new EventBuilder().withReason("SuccessfulCreate").withMessage("p").build();
    Event quota =
        new EventBuilder()
            .withReason("FailedCreate")
            .withMessage("pods \"p\" is forbidden: exceeded quota: q")
            .build();

    assertThat(JobReport.whyWaiting(List.of(), List.of(created, quota)))
        .contains(
            new JobReport.Finding(
                "QuotaExceeded",
                "its Pod cannot be created: pods \"p\" is forbidden: exceeded quota: q"));
    assertThat(JobReport.whyWaiting(List.of(), List.of(created))).isEmpty();
  }

  @Test
  void where_the_logs_are_is_never_cut_off() {
    Job job =
        read(
            Job.class,
            "metadata: {namespace: %s, name: %s}".formatted("n".repeat(63), "j".repeat(63)));

    String line = JobReport.line("x".repeat(1_000), JobReport.logs(job));

    assertThat(line)
        .hasSize(256)
        .contains("x…; ")
        .endsWith("; kubectl logs -n %s job/%s".formatted("n".repeat(63), "j".repeat(63)));
  }
}
