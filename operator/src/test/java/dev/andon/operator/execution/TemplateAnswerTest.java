package dev.andon.operator.execution;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.operator.execution.LoopbackServer.Reply;
import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.api.model.StatusBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Which refusals say something of the template, and which of something else. */
class TemplateAnswerTest {
  private static final String INVALID =
      "Job.batch \"erase-x\" is invalid: spec.template.spec.containers[0].volumeMounts[0].name: Not found: \"data\"";

  private static final String UNKNOWN_FIELD =
      "Job in version \"v1\" cannot be handled as a Job: strict decoding error: unknown field \"spec.template.spec.containers[0].imagee\"";

  private final LoopbackServer api = new LoopbackServer();

  @AfterEach
  void close() throws IOException {
    api.close();
  }

  private static Status status(int code, String reason, String message) {
    return new StatusBuilder()
        .withApiVersion("v1")
        .withKind("Status")
        .withStatus("Failure")
        .withCode(code)
        .withReason(reason)
        .withMessage(message)
        .build();
  }

  private static Status about(String kind, Status status) {
    return new StatusBuilder(status)
        .withNewDetails()
        .withGroup("batch")
        .withKind(kind)
        .withName("erase-x")
        .endDetails()
        .build();
  }

  private TemplateAnswer tryIt() throws Exception {
    try (KubernetesClient client =
        new KubernetesClientBuilder()
            .withConfig(
                new ConfigBuilder(Config.empty())
                    .withMasterUrl(api.url("/"))
                    .withRequestRetryBackoffLimit(0)
                    .withRequestTimeout(300)
                    .build())
            .build()) {
      return new JobDryRun(client).tryToCreate(job());
    }
  }

  private static Job job() throws Exception {
    return JobManifest.toTry(
        "erase-by-pod",
        JobManifestTest.type(
            """
            args: [{name: machine, required: true}]
            executor:
              container:
                template:
                  metadata: {labels: {app: erase, andon.dev/workflow-type: Other}}
                  spec:
                    restartPolicy: OnFailure
                    containers: [{name: erase, imagee: x}]
            """),
        "fleet");
  }

  static Stream<Arguments> what_the_api_server_says_of_the_template() {
    return Stream.of(
        Arguments.of(about("Job", status(422, "Invalid", INVALID)), INVALID),
        Arguments.of(status(400, "BadRequest", UNKNOWN_FIELD), UNKNOWN_FIELD));
  }

  @ParameterizedTest
  @MethodSource
  void what_the_api_server_says_of_the_template(Status status, String words) throws Exception {
    api.always(Reply.json(status.getCode(), Serialization.asJson(status)));

    assertThat(tryIt())
        .isEqualTo(new TemplateAnswer.Wrong("spec.executor.container.template: " + words));
  }

  static Stream<Status> what_is_said_of_something_else() {
    String webhook = "admission webhook \"jobs.example\" denied the request: ";
    String policy =
        "jobs.batch \"erase-x\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no Jobs here";
    return Stream.of(
        status(403, "Forbidden", "jobs.batch \"erase-x\" is forbidden: exceeded quota: none"),
        status(403, "Forbidden", "jobs.batch is forbidden: User \"x\" cannot create resource"),
        status(403, "Forbidden", "violates PodSecurity \"restricted:latest\""),
        about("jobs", status(422, "Invalid", policy)),
        about("jobs", status(403, "Forbidden", policy)),
        status(400, "BadRequest", webhook + "no"),
        status(400, "BadRequest", webhook + UNKNOWN_FIELD),
        about("Job", status(422, "Invalid", webhook + INVALID)),
        status(400, "BadRequest", "admission webhook \"jobs.example\" does not support dry run"),
        status(400, "BadRequest", "the server rejected our request for an unknown reason"),
        status(422, "Invalid", INVALID),
        about("Pod", status(422, "Invalid", "Pod \"erase-x\" is invalid: spec: Required value")),
        about("Job", status(409, "AlreadyExists", "jobs.batch \"erase-x\" already exists")),
        status(404, "NotFound", "namespaces \"fleet\" not found"),
        status(429, "TooManyRequests", "too many requests, please try again later."),
        status(401, "Unauthorized", "Unauthorized"),
        about("Job", status(500, "InternalError", INVALID)),
        status(500, "InternalError", "failed calling webhook \"jobs.example\": EOF"),
        status(504, "Timeout", "request did not complete within the allotted timeout"));
  }

  @ParameterizedTest
  @MethodSource
  void what_is_said_of_something_else(Status status) throws Exception {
    api.always(Reply.json(status.getCode(), Serialization.asJson(status)));

    assertThat(tryIt()).isInstanceOf(TemplateAnswer.Untold.class);
  }

  static Stream<Reply> no_answer() {
    return Stream.of(
        new Reply.Hang(), new Reply.Drop(), Reply.text(422, INVALID), Reply.text(400, "no"));
  }

  @ParameterizedTest
  @MethodSource
  void no_answer(Reply reply) throws Exception {
    api.always(reply);

    assertThat(tryIt()).isInstanceOf(TemplateAnswer.Untold.class);
    assertThat(api.requests("POST")).hasSize(1);
  }

  @Test
  void it_is_a_dry_run_and_strict_about_fields() throws Exception {
    api.answering(request -> Reply.json(201, request.body()));

    assertThat(tryIt()).isEqualTo(new TemplateAnswer.Sound());
    assertThat(api.requests("POST"))
        .singleElement()
        .satisfies(
            request ->
                assertThat(request.target())
                    .startsWith("/apis/batch/v1/namespaces/fleet/jobs?")
                    .contains("dryRun=All", "fieldValidation=Strict"));
  }

  @Test
  void the_job_is_an_attempts_but_for_what_a_stop_knows_it_by() throws Exception {
    Job job = job();

    assertThat(job.getMetadata().getLabels()).isEmpty();
    assertThat(job.getMetadata().getOwnerReferences()).isEmpty();
    assertThat(job.getSpec().getTemplate().getMetadata().getLabels())
        .isEqualTo(Map.of("app", "erase"));
    assertThat(job.getSpec().getPodFailurePolicy()).isNotNull();
    assertThat(job.getSpec().getActiveDeadlineSeconds()).isEqualTo(602);
    assertThat(job.getSpec().getTemplate().getSpec().getRestartPolicy()).isEqualTo("Never");
    assertThat(job.getSpec().getTemplate().getSpec().getContainers())
        .singleElement()
        .satisfies(
            container -> {
              assertThat(container.getEnv()).extracting("name").containsExactly("machine");
              assertThat(container.getAdditionalProperties()).containsKey("imagee");
            });
  }

  @Test
  void a_long_list_of_errors_is_cut() {
    String icon = "\uD83D\uDED1";
    var status = about("Job", status(422, "Invalid", INVALID + icon.repeat(1_000)));

    var wrong = (TemplateAnswer.Wrong) TemplateAnswer.ofRefusal(422, status, "");

    assertThat(wrong.finding()).hasSizeLessThan(1_100).endsWith(icon + "…");
  }
}
