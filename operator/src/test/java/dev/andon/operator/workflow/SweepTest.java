package dev.andon.operator.workflow;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.Condition;
import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowStatus;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SweepTest {
  private final List<Workflow> cached = new ArrayList<>();
  private final Set<String> known = new HashSet<>();
  private final List<Workflow> woken = new ArrayList<>();
  private final List<String> gone = new ArrayList<>();
  private final Sweep sweep =
      new Sweep(() -> true, cached::stream, () -> known, woken::add, gone::add);

  @AfterEach
  void close() {
    sweep.close();
  }

  private static Workflow workflow(String uid) {
    var workflow = new Workflow();
    workflow.setMetadata(
        new ObjectMetaBuilder()
            .withNamespace("fleet")
            .withName("erase-aap")
            .withUid(uid)
            .withGeneration(1L)
            .build());
    return workflow;
  }

  private static Workflow finished(String uid) {
    Workflow workflow = workflow(uid);
    var scene = new Scene(Scene.block("a", 1, Scene.sleep("s", "0")));
    scene.step();
    WorkflowStatus status = scene.status;
    assertThat(status.conditions())
        .extracting(Condition::type, Condition::status)
        .contains(org.assertj.core.groups.Tuple.tuple("Finished", "True"));
    workflow.setStatus(status);
    return workflow;
  }

  @Test
  void one_that_was_created_again_under_its_name_is_looked_at_and_the_old_one_forgotten() {
    // Given the framework told of neither the end of the old one nor of the new one.
    known.add("old");
    cached.add(workflow("new"));

    sweep.look();
    assertThat(woken).containsExactly(cached.getFirst());
    assertThat(gone).as("it may be that the watch is only late").isEmpty();

    known.add("new");
    sweep.look();
    assertThat(woken).hasSize(1);
    assertThat(gone).containsExactly("old");
  }

  @Test
  void what_is_decided_about_is_left_alone() {
    known.add("uid");
    cached.add(workflow("uid"));

    sweep.look();
    sweep.look();

    assertThat(woken).isEmpty();
    assertThat(gone).isEmpty();
  }

  @Test
  void what_has_finished_is_not_woken_and_is_forgotten() {
    cached.add(finished("done"));
    sweep.look();
    assertThat(woken).isEmpty();

    known.add("done"); // the answer to its last write was lost
    sweep.look();
    sweep.look();
    assertThat(gone).containsExactly("done");
  }

  @Test
  void one_that_comes_late_is_not_forgotten() {
    known.add("uid");
    sweep.look();
    cached.add(workflow("uid"));
    sweep.look();
    cached.clear();
    sweep.look();

    assertThat(gone).isEmpty();
  }
}
