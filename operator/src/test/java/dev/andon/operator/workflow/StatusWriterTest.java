package dev.andon.operator.workflow;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowStatus;
import dev.andon.operator.workflow.StatusWriter.Written;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.StatusBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class StatusWriterTest {
  private static final String REFUSED =
      "workflows.andon.dev \"erase\" is forbidden: ValidatingAdmissionPolicy 'andon-stop-starts' with"
          + " binding 'andon-stop-starts' denied request: emergency stop: Erase is not open"
          + " (emergency-stop at resourceVersion 12)";

  @Test
  void a_conflict_or_an_object_that_is_gone_is_decided_again() {
    assertThat(StatusWriter.refusal(answer(409, "the object has been modified")))
        .contains(Written.DECIDE_AGAIN);
    assertThat(
            StatusWriter.refusal(
                new KubernetesClientException(
                    new StatusBuilder()
                        .withCode(404)
                        .withReason("NotFound")
                        .withNewDetails()
                        .withName("erase")
                        .endDetails()
                        .build())))
        .contains(Written.DECIDE_AGAIN);
  }

  /** Each would be followed by the next at once, for every workflow. */
  @Test
  void a_proxys_404_is_an_error_and_backs_off() {
    assertThat(StatusWriter.refusal(answer(404, "no such page"))).isEqualTo(Optional.empty());
  }

  @Test
  void the_second_layer_of_the_stop_is_told_from_other_refusals() {
    assertThat(StatusWriter.refusal(answer(422, REFUSED))).contains(Written.INTENTS_REFUSED);
    assertThat(StatusWriter.refusal(answer(403, REFUSED))).contains(Written.INTENTS_REFUSED);
    assertThat(
            StatusWriter.refusal(
                answer(
                    422, "ValidatingAdmissionPolicy 'policy-of-others' denied: andon-stop-starts")))
        .isEqualTo(Optional.empty());
    assertThat(StatusWriter.refusal(answer(403, "cannot update workflows/status")))
        .isEqualTo(Optional.empty());
    assertThat(StatusWriter.refusal(answer(500, REFUSED))).isEqualTo(Optional.empty());
  }

  /** As the next look would, to no other end but a write. */
  @Test
  void a_status_is_written_only_if_it_says_something_else() {
    var writer = new StatusWriter(new KubernetesSerialization(), new OwnWrites(System::nanoTime));
    var scene = new Scene(Scene.block("a", 1, Scene.job("x", Scene.CALL)));
    scene.step();
    WorkflowStatus decided = scene.status;
    scene.throughJson();
    var workflow = new Workflow();

    assertThat(writer.differs(workflow, decided)).as("there is none").isTrue();
    workflow.setStatus(scene.status);
    assertThat(writer.differs(workflow, decided)).as("the same, read back").isFalse();
    assertThat(writer.differs(workflow, scene.status)).isFalse();
    for (String field : new String[] {"phase", "progress", "currentBlock", "specHash"}) {
      assertThat(writer.differs(workflow, Scene.with(decided, field, "other"))).as(field).isTrue();
    }
    assertThat(writer.differs(workflow, Scene.with(decided, "starts", 2))).isTrue();
  }

  @Test
  void a_copy_has_the_status_it_is_given_and_the_rest_of_the_object() {
    var scene = new Scene(Scene.block("a", 1, Scene.job("x", Scene.CALL)));
    scene.step();
    var workflow = new Workflow();
    workflow.setSpec(scene.spec);
    workflow.setMetadata(new ObjectMetaBuilder().withName("erase").build());

    Workflow copy = StatusWriter.copy(workflow, workflow.getMetadata(), scene.status);

    assertThat(copy.getStatus()).isSameAs(scene.status);
    assertThat(copy.getSpec()).isSameAs(scene.spec);
    assertThat(copy.getMetadata().getName()).isEqualTo("erase");
    assertThat(workflow.getStatus()).isNull();
  }

  private static KubernetesClientException answer(int code, String message) {
    return new KubernetesClientException(
        new StatusBuilder().withCode(code).withMessage(message).build());
  }
}
