package dev.andon.operator.execution;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.andon.operator.execution.PodEnd.Says;
import io.fabric8.kubernetes.api.model.Pod;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Times are seconds after 08:00. A Pod was told to end at its deletion less 30 s of grace. */
class PodEndTest {
  /** Told to end at 08:00:20. */
  private static final String DELETED =
      "deletionTimestamp: '2026-11-22T08:00:50Z', deletionGracePeriodSeconds: 30";

  private static Pod pod(String metadata, String spec, String status) {
    try {
      return new YAMLMapper()
          .readValue(
              """
              metadata: {name: p, annotations: {andon.dev/containers: "look,erase"}, %s}
              spec: %s
              status: %s
              """
                  .formatted(metadata, spec, status),
              Pod.class);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Pod pod(String metadata, String status) {
    return pod(metadata, "{nodeName: n}", status);
  }

  private static String exited(String name, int code, int second) {
    return "{name: %s, state: {terminated: {exitCode: %d, finishedAt: '2026-11-22T08:00:%02dZ'}}}"
        .formatted(name, code, second);
  }

  private static String running(String name) {
    return "{name: %s, state: {running: {startedAt: '2026-11-22T08:00:00Z'}}}".formatted(name);
  }

  private static String waiting(String name) {
    return "{name: %s, state: {waiting: {reason: ContainerCreating}}}".formatted(name);
  }

  private static String failedReason(Says says) {
    assertThat(says).isInstanceOf(Says.Failed.class);
    return ((Says.Failed) says).why().reason();
  }

  // --- exits

  @ParameterizedTest
  @CsvSource({"Succeeded, 0", "Failed, 3"})
  void an_exit_of_its_own_counts(String phase, int code) {
    Says says =
        PodEnd.of(
            pod(
                "",
                "{phase: %s, containerStatuses: [%s]}"
                    .formatted(phase, exited("erase", code, 10))));

    if (code == 0) {
      assertThat(says).isEqualTo(new Says.Succeeded());
    } else {
      assertThat(failedReason(says)).isEqualTo("ExitCode3");
      assertThat(((Says.Failed) says).why().exitCode()).isEqualTo(3);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "19, 0, Succeeded",
    "19, 3, Failed",
    // In the very second nobody knows which came first.
    "20, 0, NotKnown",
    "20, 3, NotKnown",
    "40, 0, NotKnown",
    "40, 143, NotKnown"
  })
  void an_exit_counts_if_it_came_before_the_pod_was_told_to_end(int second, int code, String says) {
    Pod pod =
        pod(
            DELETED,
            "{phase: %s, containerStatuses: [%s]}"
                .formatted(code == 0 ? "Succeeded" : "Failed", exited("erase", code, second)));

    assertThat(PodEnd.of(pod).getClass().getSimpleName()).isEqualTo(says);
  }

  @Test
  void a_failure_before_it_was_told_to_end_counts_whatever_the_others_made_of_that() {
    String statuses = exited("look", 3, 10) + ", " + exited("erase", 143, 30);

    assertThat(
            failedReason(
                PodEnd.of(
                    pod(DELETED, "{phase: Failed, containerStatuses: [%s]}".formatted(statuses)))))
        .isEqualTo("ExitCode3");
  }

  @Test
  void an_exit_without_a_time_counts_for_nothing_once_it_was_told_to_end() {
    String status =
        "{phase: Succeeded, containerStatuses: [{name: erase, state: {terminated: {exitCode: 0}}}]}";

    assertThat(PodEnd.of(pod(DELETED, status))).isInstanceOf(Says.NotKnown.class);
    assertThat(PodEnd.of(pod("", status))).isEqualTo(new Says.Succeeded());
  }

  @ParameterizedTest
  @CsvSource({"137, ContainerStatusUnknown", "255, Unknown"})
  void a_container_that_was_lost_has_not_ended_by_itself(int code, String reason) {
    Pod pod =
        pod(
            "",
            "{phase: Failed, containerStatuses: [{name: erase, state: {terminated: {exitCode: %d, reason: %s}}}]}"
                .formatted(code, reason));

    assertThat(PodEnd.of(pod)).isInstanceOf(Says.NotKnown.class);
    assertThat(PodEnd.wasStarted(pod)).as("nor was it seen to have begun").isFalse();
  }

  @ParameterizedTest
  @CsvSource({"DeadlineExceeded, 0", "DeadlineExceeded, 143", "Terminated, 0"})
  void no_exit_counts_of_a_pod_that_its_node_ended(String reason, int code) {
    assertThat(
            PodEnd.of(
                pod(
                    "",
                    "{phase: Failed, reason: %s, containerStatuses: [%s]}"
                        .formatted(reason, exited("erase", code, 10)))))
        .isEqualTo(new Says.NotKnown("its node ended its Pod: " + reason));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 3, 143})
  void no_exit_under_a_disruption_counts(int code) {
    Pod pod =
        pod(
            "",
            "{phase: %s, conditions: [{type: DisruptionTarget, status: 'True', reason: EvictionByEvictionAPI, message: drained}], containerStatuses: [%s]}"
                .formatted(code == 0 ? "Succeeded" : "Failed", exited("erase", code, 10)));

    assertThat(PodEnd.of(pod))
        .isEqualTo(new Says.NotKnown("its Pod was evicted: EvictionByEvictionAPI: drained"));
  }

  @Test
  void a_disruption_that_did_not_come_says_nothing() {
    Pod pod =
        pod(
            "",
            "{phase: Succeeded, conditions: [{type: DisruptionTarget, status: 'False'}], containerStatuses: [%s]}"
                .formatted(exited("erase", 0, 10)));

    assertThat(PodEnd.of(pod)).isEqualTo(new Says.Succeeded());
  }

  @Test
  void a_node_low_on_memory_evicts() {
    assertThat(
            PodEnd.of(
                pod(
                    "",
                    "{phase: Failed, reason: Evicted, message: low on memory, containerStatuses: [%s]}"
                        .formatted(exited("erase", 137, 10)))))
        .isEqualTo(new Says.NotKnown("its node ended its Pod: Evicted: low on memory"));
  }

  @Test
  void what_the_kernel_ended_for_its_memory_failed_by_that_name() {
    assertThat(
            failedReason(
                PodEnd.of(
                    pod(
                        "",
                        "{phase: Failed, containerStatuses: [{name: erase, state: {terminated: {exitCode: 137, reason: OOMKilled}}}]}"))))
        .isEqualTo("OOMKilled");
  }

  // --- the template's own containers

  @ParameterizedTest
  @CsvSource({"Failed, 143", "Succeeded, 0", "Failed, 1"})
  void what_admission_added_has_no_say(String phase, int code) {
    String statuses = exited("istio-proxy", code, 12) + ", " + exited("erase", 0, 10);

    assertThat(
            PodEnd.of(pod("", "{phase: %s, containerStatuses: [%s]}".formatted(phase, statuses))))
        .isEqualTo(new Says.Succeeded());
  }

  @Test
  void nor_does_it_have_where_the_work_failed() {
    String status =
        "{phase: Failed, initContainerStatuses: [%s], containerStatuses: [%s]}"
            .formatted(exited("proxy", 137, 12), exited("erase", 3, 10));

    assertThat(failedReason(PodEnd.of(pod("", status)))).isEqualTo("ExitCode3");
  }

  @Test
  void it_may_run_on_when_the_work_has_ended() {
    Pod pod =
        pod(
            "",
            "{phase: Running, containerStatuses: [%s, %s]}"
                .formatted(running("istio-proxy"), exited("erase", 0, 10)));

    assertThat(PodEnd.of(pod)).isEqualTo(new Says.Succeeded());
    assertThat(PodEnd.onlyStrangersRun(pod)).isTrue();
  }

  @Test
  void a_sidecar_of_kubernetes_is_ended_by_its_node() {
    Pod pod =
        pod(
            "",
            "{phase: Running, initContainerStatuses: [%s], containerStatuses: [%s]}"
                .formatted(running("proxy"), exited("erase", 0, 10)));

    assertThat(PodEnd.onlyStrangersRun(pod)).isFalse();
  }

  @Test
  void the_work_goes_on_while_one_of_its_own_containers_does() {
    assertThat(
            PodEnd.of(
                pod(
                    "",
                    "{phase: Running, containerStatuses: [%s, %s]}"
                        .formatted(exited("erase", 3, 10), running("look")))))
        .isEqualTo(new Says.GoesOn());
  }

  @Test
  void an_init_container_of_its_own_that_fails_is_a_failure() {
    assertThat(
            failedReason(
                PodEnd.of(
                    pod(
                        "",
                        "{phase: Failed, initContainerStatuses: [%s], containerStatuses: [%s]}"
                            .formatted(exited("look", 2, 10), waiting("erase"))))))
        .isEqualTo("ExitCode2");
  }

  @Test
  void one_that_admission_added_kept_the_work_from_beginning() {
    assertThat(
            PodEnd.of(
                pod(
                    "",
                    "{phase: Failed, initContainerStatuses: [%s], containerStatuses: [%s]}"
                        .formatted(exited("istio-init", 2, 10), waiting("erase")))))
        .isInstanceOf(Says.NeverBegun.class);
  }

  // --- never begun

  @ParameterizedTest
  @ValueSource(
      strings = {"OutOfpods", "OutOfcpu", "NodeAffinity", "UnexpectedAdmissionError", "Preempting"})
  void a_pod_its_node_refused_has_not_begun(String reason) {
    assertThat(PodEnd.of(pod("", "{phase: Failed, reason: %s, message: no}".formatted(reason))))
        .isInstanceOfSatisfying(
            Says.NeverBegun.class,
            never -> {
              assertThat(never.why().reason()).isEqualTo(reason);
              assertThat(never.why().message())
                  .isEqualTo(
                      "its Pod failed before a container of it was started: " + reason + ": no");
            });
  }

  @ParameterizedTest
  @CsvSource({
    "TerminationByKubelet, n, NeverBegun",
    // Others than its node don't know what it has started.
    "DeletionByPodGC, n, NotKnown",
    "DeletionByTaintManager, n, NotKnown",
    "EvictionByEvictionAPI, n, NotKnown",
    // No node ever had it.
    "PreemptionByScheduler, , NeverBegun"
  })
  void of_one_that_was_disrupted_its_node_knows_whether_it_had_begun(
      String by, String node, String says) {
    Pod pod =
        pod(
            "",
            node == null ? "{}" : "{nodeName: %s}".formatted(node),
            "{phase: Failed, conditions: [{type: DisruptionTarget, status: 'True', reason: %s}], containerStatuses: [%s]}"
                .formatted(by, waiting("erase")));

    assertThat(PodEnd.of(pod).getClass().getSimpleName()).isEqualTo(says);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "started: true",
        "restartCount: 1",
        "lastState: {terminated: {exitCode: 1}}",
        "state: {running: {}}"
      })
  void one_that_had_a_container_started_has_begun(String status) {
    assertThat(
            PodEnd.of(
                pod(
                    "",
                    "{phase: Failed, reason: OutOfcpu, containerStatuses: [{name: erase, %s}]}"
                        .formatted(status))))
        .isInstanceOf(Says.NotKnown.class);
  }

  /** A node that begins anew forgets the containers of what it refuses. */
  @ParameterizedTest
  @CsvSource({"'2026-11-22T08:00:05Z', NeverBegun", "'2026-11-22T08:00:20Z', NotKnown"})
  void one_that_was_refused_long_after_it_was_taken_up_may_have_run(String refused, String says) {
    Pod pod =
        pod(
            "managedFields: [{manager: kubelet, subresource: status, time: '%s'}]"
                .formatted(refused),
            "{phase: Failed, reason: UnexpectedAdmissionError, startTime: '2026-11-22T08:00:00Z'}");

    assertThat(PodEnd.of(pod).getClass().getSimpleName()).isEqualTo(says);
  }

  // --- gone

  @Test
  void a_pod_that_is_gone_says_what_was_last_seen_of_it() {
    Pod ended =
        pod(
            DELETED,
            "{phase: Succeeded, containerStatuses: [%s]}".formatted(exited("erase", 0, 10)));
    Pod ran = pod(DELETED, "{phase: Running, containerStatuses: [%s]}".formatted(running("erase")));
    Pod pending = pod(DELETED, "{phase: Pending}");
    Pod nowhere = pod(DELETED, "{}", "{phase: Pending}");

    assertThat(PodEnd.of(List.of(), List.of(ended))).contains(new Says.Succeeded());
    assertThat(PodEnd.of(List.of(), List.of(ran)))
        .contains(new Says.NotKnown("its Pod is gone, and how it ended was not seen"));
    assertThat(PodEnd.of(List.of(), List.of(pending))).containsInstanceOf(Says.NotKnown.class);
    assertThat(PodEnd.of(List.of(), List.of(nowhere))).containsInstanceOf(Says.NeverBegun.class);
    assertThat(PodEnd.of(List.of(ran), List.of())).contains(new Says.GoesOn());
  }

  @Test
  void of_several_pods_the_one_that_may_have_done_it_decides() {
    Pod done =
        pod("", "{phase: Succeeded, containerStatuses: [%s]}".formatted(exited("erase", 0, 10)));
    Pod failed =
        pod("", "{phase: Failed, containerStatuses: [%s]}".formatted(exited("erase", 3, 10)));
    Pod refused = pod("", "{phase: Failed, reason: OutOfcpu}");
    Pod evicted =
        pod(
            "",
            "{phase: Failed, reason: Evicted, containerStatuses: [%s]}"
                .formatted(exited("erase", 137, 10)));

    assertThat(PodEnd.of(List.of(refused, failed, done), List.of())).contains(new Says.Succeeded());
    assertThat(PodEnd.of(List.of(refused, failed, evicted), List.of()))
        .containsInstanceOf(Says.NotKnown.class);
    assertThat(PodEnd.of(List.of(refused, failed), List.of()))
        .containsInstanceOf(Says.Failed.class);
    assertThat(PodEnd.of(List.of(), List.of())).isEmpty();
  }

  @Test
  void one_without_a_status_goes_on() {
    assertThat(PodEnd.of(new Pod())).isEqualTo(new Says.GoesOn());
  }

  @Test
  void a_pod_that_succeeded_and_says_nothing_of_its_containers_has() {
    assertThat(PodEnd.of(pod("", "{phase: Succeeded}"))).isEqualTo(new Says.Succeeded());
    assertThat(PodEnd.of(pod(DELETED, "{phase: Succeeded}"))).isInstanceOf(Says.NotKnown.class);
  }
}
