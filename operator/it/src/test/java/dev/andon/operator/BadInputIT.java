package dev.andon.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.andon.devcluster.ControlPlane;
import dev.andon.devcluster.RealControlPlane;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What people get wrong: the answer names it, and nothing is run. */
@RealControlPlane
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BadInputIT {
  private Cluster cluster;
  private String namespace;

  @BeforeAll
  void given_an_operator(ControlPlane plane) throws Exception {
    cluster = new Cluster(plane);
    namespace = plane.freshNamespace();
    cluster.apply(
        """
        apiVersion: andon.dev/v1alpha1
        kind: JobType
        metadata: {name: erase}
        spec:
          args:
          - {name: site, required: true, pattern: "[a-z]{3}", description: site code}
          - {name: machine, required: true}
          executor: {http: {url: "http://127.0.0.1:9/sites/{site}/{machine}"}}
        ---
        apiVersion: andon.dev/v1alpha1
        kind: JobType
        metadata: {name: later}
        spec:
          executor: {approval: {groups: [sre]}}
        """);
    policy("naps", "Nap", "- restrictJobTypes: {allowed: [sleep, erase, later]}");
    policy("twice-yes", "Twice", "- restrictJobTypes: {allowed: [sleep]}");
    policy("twice-no", "Twice", "- limits: {maxJobs: 1}");
    policy(
        "vacuous",
        "Vacuous",
        "- restrictJobTypes: {allowed: [sleep]}\n  - sameArgs: {jobType: erase, args: [Site]}");
    cluster.operator();
    cluster.stopConfigMap(Map.of("Nap", "go", "Twice", "go", "Vacuous", "go", "Unguarded", "go"));
  }

  private void policy(String name, String type, String rules) {
    cluster.apply(
        """
        apiVersion: andon.dev/v1alpha1
        kind: WorkflowPolicy
        metadata: {name: %s}
        spec:
          workflowTypes: [%s]
          rules:
          %s
        """
            .formatted(name, type, rules));
  }

  @AfterAll
  void tear_down() throws Exception {
    cluster.close();
  }

  private void apply(String name, String type, String blocks) {
    cluster.apply(
        """
        apiVersion: andon.dev/v1alpha1
        kind: Workflow
        metadata: {name: %s, namespace: %s}
        spec:
          type: %s
          blocks: %s
        """
            .formatted(name, namespace, type, blocks));
  }

  static Stream<Arguments> rejected() {
    String nap = "{name: nap, type: sleep, args: {seconds: '0'}}";
    return Stream.of(
        Arguments.of(
            "unknown-job-type",
            "Nap",
            "[{name: a, jobs: [{name: nap, type: disk-erase}]}]",
            "InvalidSpec",
            "spec.blocks[0].jobs[0].type: unknown job type \"disk-erase\""),
        Arguments.of(
            "unknown-arg",
            "Nap",
            "[{name: a, jobs: [{name: nap, type: erase, args: {site: aap, machin: x, machine: m1}}]}]",
            "InvalidSpec",
            "spec.blocks[0].jobs[0].args.machin: unknown argument; erase takes machine, site"),
        Arguments.of(
            "arg-in-capitals",
            "Nap",
            "[{name: a, jobs: [{name: nap, type: erase, args: {Site: aap, machine: m1}}]}]",
            "InvalidSpec",
            "args.Site: unknown argument"),
        Arguments.of(
            "missing-arg",
            "Nap",
            "[{name: a, jobs: [{name: nap, type: erase, args: {site: aap}}]}]",
            "InvalidSpec",
            "spec.blocks[0].jobs[0].args.machine: is missing; erase requires it"),
        Arguments.of(
            "arg-against-pattern",
            "Nap",
            "[{name: a, jobs: [{name: nap, type: erase, args: {site: AAP, machine: m1}}]}]",
            "InvalidSpec",
            "\"AAP\" does not match the pattern [a-z]{3} of erase (site code)"),
        Arguments.of(
            "empty-machine",
            "Nap",
            "[{name: a, jobs: [{name: nap, type: erase, args: {site: aap, machine: ''}}]}]",
            "InvalidSpec",
            "args.machine: is empty"),
        Arguments.of(
            "executor-of-later",
            "Nap",
            "[{name: a, jobs: [{name: nap, type: later}]}]",
            "InvalidSpec",
            "has no executor this version can run"),
        Arguments.of(
            "no-policy",
            "Unguarded",
            "[{name: a, jobs: [" + nap + "]}]",
            "PolicyDenied",
            "Unguarded"),
        Arguments.of(
            "one-of-two-denies",
            "Twice",
            "[{name: a, jobs: [" + nap + ", {name: more, type: sleep, args: {seconds: '0'}}]}]",
            "PolicyDenied",
            "policy twice-no: limits"),
        Arguments.of(
            "vacuous-policy",
            "Vacuous",
            "[{name: a, jobs: [" + nap + "]}]",
            "PolicyDenied",
            "policy vacuous"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("rejected")
  void it_is_rejected_with_an_answer_and_nothing_is_run(
      String name, String type, String blocks, String reason, String message) {
    apply(name, type, blocks);
    cluster.kubectl(
        "wait", "--for=condition=Finished", "awf/" + name, "-n", namespace, "--timeout=60s");

    assertThat(cluster.reason(namespace, name)).isEqualTo(reason);
    assertThat(
            cluster.get(
                "workflow", namespace, name, "{.status.conditions[?(@.type=='Ready')].message}"))
        .contains(message);
    assertThat(cluster.get("workflow", namespace, name, "{.status.phase}")).isEqualTo("Rejected");
    assertThat(cluster.get("workflow", namespace, name, "{.status.starts}")).isIn("", "0");
  }

  @Test
  void a_policy_that_guards_nothing_says_so() {
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () ->
                assertThat(
                        cluster.get(
                            "workflowpolicy",
                            null,
                            "vacuous",
                            "{.status.conditions[?(@.type=='Ready')].reason}"))
                    .isEqualTo("Vacuous"));
  }

  @Test
  void a_job_type_this_version_cannot_run_says_so() {
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () ->
                assertThat(
                        cluster.get(
                            "jobtype",
                            null,
                            "later",
                            "{.status.conditions[?(@.type=='Ready')].reason}"))
                    .isEqualTo("UnsupportedExecutor"));
  }

  static Stream<Arguments> notGo() {
    return Stream.of(
        Arguments.of("key-missing", null, null),
        Arguments.of("capital", "Go", null),
        Arguments.of("trailing-blank", "go ", null),
        Arguments.of("empty", "", null),
        Arguments.of("all-stop", "go", "stop"),
        Arguments.of("all-capital", "go", "GO"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("notGo")
  void anything_but_go_is_a_stop(String name, String value, String all) {
    var data = new HashMap<String, String>();
    data.put("Nap", value);
    data.put("all", all);
    cluster.stopConfigMap(data);
    try {
      apply(name, "Nap", "[{name: a, jobs: [{name: nap, type: sleep, args: {seconds: '0'}}]}]");

      await()
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(
              () -> assertThat(cluster.reason(namespace, name)).isEqualTo("EmergencyStop"));
      assertThat(cluster.get("workflow", namespace, name, "{.status.phase}")).isEqualTo("Pending");
      assertThat(cluster.get("workflow", namespace, name, "{.status.starts}")).isIn("", "0");
    } finally {
      data.put("Nap", "go");
      data.put("all", null);
      cluster.stopConfigMap(data);
    }
    cluster.kubectl(
        "wait", "--for=condition=Complete", "awf/" + name, "-n", namespace, "--timeout=60s");
  }

  @Test
  void without_the_config_map_nothing_starts_and_it_comes_back_empty() {
    cluster.kubectl("delete", "cm", "emergency-stop", "-n", "andon-stop");
    try {
      apply(
          "no-configmap",
          "Nap",
          "[{name: a, jobs: [{name: nap, type: sleep, args: {seconds: '0'}}]}]");

      await()
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(
              () ->
                  assertThat(cluster.reason(namespace, "no-configmap")).isEqualTo("EmergencyStop"));
      await()
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(
              () ->
                  assertThat(
                          cluster
                              .tryKubectl(
                                  null,
                                  "get",
                                  "cm",
                                  "emergency-stop",
                                  "-n",
                                  "andon-stop",
                                  "-o",
                                  "jsonpath={.data}")
                              .output())
                      .as("no key, so nothing is armed")
                      .isEmpty());
    } finally {
      cluster.stopConfigMap(Map.of("Nap", "go", "Twice", "go", "Vacuous", "go", "Unguarded", "go"));
    }
  }
}
