package dev.andon.devcluster;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Also shows that a class can ask for more than the plane that is shared already has. */
@RealControlPlane(controllers = true, scheduler = true, kwok = true)
class FakeNodesIT {
  private static final String JOB =
      """
      apiVersion: batch/v1
      kind: Job
      metadata: {name: job}
      spec:
        backoffLimit: 0
        template:
          metadata: {annotations: {%s}}
          spec:
            restartPolicy: Never
            containers: [{name: main, image: example.com/none}]
      """;

  @Test
  void a_job_is_scheduled_and_completes(ControlPlane plane) throws Exception {
    assertThat(outcome(plane, "", "Complete")).contains("condition met");
  }

  @Test
  void a_job_fails_if_its_pod_is_annotated_so(ControlPlane plane) throws Exception {
    assertThat(outcome(plane, "andon.dev/fake-outcome: fail", "Failed")).contains("condition met");
  }

  @Test
  void a_job_hangs_until_the_annotation_is_removed(ControlPlane plane) throws Exception {
    Kubectl kubectl = Kubectl.of(plane);
    String namespace = plane.freshNamespace();
    create(kubectl, namespace, "andon.dev/fake-outcome: hang");
    assertThat(
            kubectl
                .run("-n", namespace, "wait", "--for=jsonpath={.status.ready}=1", "job/job")
                .output())
        .contains("condition met");

    kubectl.run(
        "-n", namespace, "annotate", "pod", "-l", "job-name=job", "andon.dev/fake-outcome-");

    assertThat(
            kubectl
                .run(
                    "-n", namespace, "wait", "--for=condition=Complete", "job/job", "--timeout=30s")
                .output())
        .contains("condition met");
  }

  private static String outcome(ControlPlane plane, String annotation, String condition)
      throws Exception {
    Kubectl kubectl = Kubectl.of(plane);
    String namespace = plane.freshNamespace();
    create(kubectl, namespace, annotation);
    return kubectl
        .run("-n", namespace, "wait", "--for=condition=" + condition, "job/job", "--timeout=30s")
        .output();
  }

  private static void create(Kubectl kubectl, String namespace, String annotation)
      throws Exception {
    assertThat(
            kubectl.apply(JOB.formatted(annotation), "-n", namespace, "create", "-f", "-").output())
        .contains("created");
  }
}
