package dev.andon.operator.execution;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
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
    assertThat(JobReport.whyWaiting(List.of(pod(status))))
        .contains(new JobReport.Finding(reason, message));
  }

  @ParameterizedTest
  @CsvSource({
    "{phase: Running}",
    "'{phase: Pending, containerStatuses: [{name: e, state: {waiting: {reason: ContainerCreating}}}]}'",
    "'{phase: Running, containerStatuses: [{name: e, state: {running: {}}}]}'"
  })
  void a_pod_that_gets_on_says_nothing(String status) {
    assertThat(JobReport.whyWaiting(List.of(pod(status)))).isEmpty();
  }

  private static Event event(String yaml) {
    return read(Event.class, yaml);
  }

  @Test
  void the_latest_warning_says_why_there_is_no_pod() {
    Event created = event("{reason: SuccessfulCreate, message: p, type: Normal}");
    Event quota =
        event(
            "{reason: FailedCreate, type: Warning, lastTimestamp: '2026-11-22T08:00:09Z',"
                + " message: 'pods \"p\" is forbidden: exceeded quota: q'}");
    Event account =
        event(
            "{reason: FailedCreate, type: Warning, lastTimestamp: '2026-11-22T08:00:01Z',"
                + " message: 'serviceaccount \"eraser\" not found'}");

    assertThat(JobReport.whyWaitingByEvents(List.of(quota, account, created), true))
        .contains(
            new JobReport.Finding(
                "QuotaExceeded",
                "its Pod cannot be created: pods \"p\" is forbidden: exceeded quota: q"));
    assertThat(JobReport.whyWaitingByEvents(List.of(account), true))
        .contains(
            new JobReport.Finding(
                "FailedCreate", "its Pod cannot be created: serviceaccount \"eraser\" not found"));
    assertThat(JobReport.whyWaitingByEvents(List.of(created), true)).isEmpty();
  }

  @Test
  void the_latest_warning_says_why_a_pod_has_no_container() {
    Event mount =
        event(
            "{reason: FailedMount, type: Warning, series: {count: 3, lastObservedTime: '2026-11-22T08:00:09.000000Z'},"
                + " message: 'configmap \"c\" not found'}");

    assertThat(JobReport.whyWaitingByEvents(List.of(mount), false))
        .contains(
            new JobReport.Finding(
                "FailedMount", "its Pod does not get on: configmap \"c\" not found"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{labels: {kueue.x-k8s.io/queue-name: night}}|{suspend: true}|held by kueue.x-k8s.io/queue-name=night",
        "{}|{suspend: true, managedBy: kueue.x-k8s.io/multikueue}|held by spec.managedBy kueue.x-k8s.io/multikueue",
        "{}|{suspend: true}|held by what admission made of it (a queue such as Kueue)"
      })
  void who_holds_a_job_is_told(String metadata, String spec, String who) {
    Job job = read(Job.class, "metadata: %s\nspec: %s".formatted(metadata, spec));

    assertThat(JobReport.whoHolds(job).message()).endsWith(who);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{}|{suspend: true}|{}|true",
        "{}|{suspend: false}|{}|false",
        "{annotations: {andon.dev/suspended: 'true'}}|{suspend: true}|{}|false",
        "{}|{suspend: true}|{startTime: '2026-11-22T08:00:00Z'}|false"
      })
  void a_job_that_is_held_has_neither_begun_nor_been_suspended(
      String metadata, String spec, String status, boolean held) {
    Job job =
        read(Job.class, "metadata: %s\nspec: %s\nstatus: %s".formatted(metadata, spec, status));

    assertThat(JobReport.isHeld(job)).isEqualTo(held);
  }

  @Test
  void of_a_job_that_was_let_go_the_time_counts_from_its_own_start() {
    String job =
        "spec: {activeDeadlineSeconds: 602}\n"
            + "status: {startTime: '2026-11-22T08:00:00Z', conditions: [{type: Suspended, status: '%s'}]}";

    assertThat(JobReport.deadlineAfterHold(read(Job.class, job.formatted("False"))))
        .contains(Instant.parse("2026-11-22T08:10:00Z"));
    assertThat(JobReport.deadlineAfterHold(read(Job.class, job.formatted("True")))).isEmpty();
    assertThat(
            JobReport.deadlineAfterHold(
                read(Job.class, "status: {startTime: '2026-11-22T08:00:00Z'}")))
        .isEmpty();
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
