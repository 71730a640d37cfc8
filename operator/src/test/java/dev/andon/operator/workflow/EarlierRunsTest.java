package dev.andon.operator.workflow;

import static org.assertj.core.api.Assertions.assertThat;

import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowSpec;
import dev.andon.operator.execution.Outcome;
import dev.andon.operator.ledger.Claim;
import dev.andon.operator.ledger.FakeRecords;
import dev.andon.operator.ledger.Ledger;
import dev.andon.operator.ledger.LedgerView;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Two workflows that are to go on with the same run, from the decision to the claim. */
class EarlierRunsTest {
  private static final String FIRST = "erase";

  private final FakeRecords records = new FakeRecords();
  private final Map<String, Workflow> cluster = new HashMap<>();
  private final EarlierRuns runs =
      new EarlierRuns((namespace, name) -> Optional.ofNullable(cluster.get(name)), records);

  private final Scene first = new Scene(Scene.range("a", 2, 4, Scene.ONCE));
  private Scene second;
  private Scene third;

  @BeforeEach
  void given_a_run_that_was_stopped_and_two_that_are_to_go_on_with_it() {
    new Ledger(records).open(first.step().record(), "7");
    first.stop = Scene.STOPPED;
    first.latched = Scene.STOPPED.by();
    first.step();
    List.copyOf(first.underWay).forEach(key -> first.outcome(key, new Outcome.Cancelled()));
    first.step();
    assertThat(first.status.phase()).isEqualTo("Stopped");
    put(FIRST, first);
    second = continuing("second", "uid-2");
    third = continuing("third", "uid-3");
  }

  private Workflow put(String name, Scene scene) {
    var workflow = new Workflow();
    workflow.setMetadata(
        new ObjectMetaBuilder().withNamespace("fleet").withName(name).withUid(scene.uid).build());
    workflow.setSpec(scene.spec);
    workflow.setStatus(scene.status);
    cluster.put(name, workflow);
    return workflow;
  }

  private Scene continuing(String name, String uid) {
    var scene = new Scene();
    WorkflowSpec s = first.spec;
    scene.spec =
        new WorkflowSpec(
            s.type(), null, null, null, null, null, null, null, FIRST, null, s.blocks());
    scene.uid = uid;
    put(name, scene);
    return scene;
  }

  /** A decision about what is there now. */
  private Decision decide(String name, Scene scene) {
    scene.earlier = runs.of(cluster.get(name));
    return scene.decider.decide(scene.snapshot());
  }

  @Test
  void of_two_that_are_decided_upon_at_once_one_starts_and_the_other_learns_of_it() {
    Decision one = decide("second", second);
    Decision other = decide("third", third);
    assertThat(one.started()).isTrue();
    assertThat(other.started()).isTrue();

    assertThat(runs.claim(cluster.get("second"), one)).as("it may be written").isNull();
    assertThat(runs.claim(cluster.get("third"), other)).isEqualTo(LedgerView.NOT_ASKED);

    Decision again = decide("third", third);
    assertThat(again.status().phase()).isEqualTo("Rejected");
    assertThat(again.record()).isNull();
    assertThat(runs.claim(cluster.get("second"), decide("second", second)))
        .as("decided upon once more, by this process or the next")
        .isNull();
  }

  @Test
  void one_that_has_started_has_it() {
    Decision start = decide("second", second);
    runs.claim(cluster.get("second"), start);
    second.carryOut(start);
    put("second", second);
    assertThat(runs.of(cluster.get("third")))
        .isInstanceOfSatisfying(
            EarlierRun.Found.class,
            found ->
                assertThat(found.claim())
                    .isInstanceOfSatisfying(
                        Claim.Taken.class,
                        taken -> assertThat(taken.standing()).isEqualTo(Claim.Standing.STARTED)));
  }

  @Test
  void one_that_is_gone_before_the_claim_is_not_continued() {
    Decision start = decide("second", second);
    cluster.remove(FIRST);

    assertThat(runs.claim(cluster.get("second"), start)).isEqualTo(LedgerView.NOT_ASKED);
    assertThat(decide("second", second).status().phase()).isEqualTo("Rejected");
  }

  @Test
  void without_an_answer_nothing_starts() {
    Decision start = decide("second", second);
    records.fault =
        new FakeRecords.Fault() {
          @Override
          public void before(String verb) {
            throw new IllegalStateException("no answer");
          }

          @Override
          public void after(String verb) {}
        };

    LedgerView answer = runs.claim(cluster.get("second"), start);

    assertThat(answer)
        .isInstanceOfSatisfying(
            LedgerView.Unavailable.class,
            unavailable -> assertThat(unavailable.why()).contains("no answer"));
    assertThat(runs.of(cluster.get("second"))).isEqualTo(new EarlierRun.Unreadable("no answer"));
    second.ledger = answer;
    assertThat(second.decider.decide(second.snapshot()).started()).isFalse();
  }

  @Test
  void what_continues_nothing_asks_nothing() {
    records.calls.clear();
    var plain = new Scene(Scene.range("a", 2, 4, Scene.ONCE));
    Workflow workflow = put("plain", plain);

    assertThat(runs.of(workflow)).isEqualTo(EarlierRun.NOT_ASKED);
    assertThat(runs.claim(workflow, plain.step())).isNull();

    assertThat(records.calls).isEmpty();
  }
}
