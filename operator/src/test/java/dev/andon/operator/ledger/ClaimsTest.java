package dev.andon.operator.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowRecordSpec;
import dev.andon.crds.WorkflowRecordSpec.ContinuedBy;
import dev.andon.crds.WorkflowRecordSpec.WorkflowRef;
import dev.andon.crds.WorkflowStatus;
import dev.andon.operator.ledger.Claim.Standing;
import dev.andon.operator.ledger.Claims.Run;
import dev.andon.plan.RecordName;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Who may go on with a run: one, whatever becomes of Workflows and of the processes that ask. */
class ClaimsTest {
  private static final KubernetesSerialization YAML = new KubernetesSerialization();
  private static final Instant T0 = Instant.parse("2026-01-01T00:00:00Z");

  private static final String STARTED = "startTime: '2026-01-01T00:00:00Z'";

  private static final Run EARLIER = run("first", "a");
  private static final Run ONE = run("one", "b");
  private static final Run OTHER = run("other", "c");

  private final FakeRecords records = new FakeRecords();
  private final Map<String, Workflow> workflows = new HashMap<>();
  private final Ledger ledger = new Ledger(records);
  private final Claims claims =
      new Claims(records, (namespace, name) -> Optional.ofNullable(workflows.get(name)));

  private static Run run(String name, String uid) {
    return new Run("fleet", name, uid, "v1:" + uid.repeat(64));
  }

  private static String record(Run run) {
    return RecordName.of(run.namespace(), run.workflow(), run.specHash());
  }

  private static WorkflowRecordSpec facts(Run run) {
    return FakeRecords.running(
        new WorkflowRef(run.namespace(), run.workflow(), run.uid(), "Erase"),
        run.specHash(),
        null,
        T0);
  }

  /** It is there, and its status is this. */
  private void is(Run run, String status) {
    var workflow = new Workflow();
    workflow.setMetadata(
        new ObjectMetaBuilder().withName(run.workflow()).withUid(run.uid()).build());
    workflow.setStatus(YAML.unmarshal("---\n{" + status + "}", WorkflowStatus.class));
    workflows.put(run.workflow(), workflow);
  }

  private static String finished(String reason) {
    return "conditions: [{type: Finished, status: 'True', reason: " + reason + "}]";
  }

  private void isGone(Run run) {
    workflows.remove(run.workflow());
  }

  private void opensItsRecord(Run run) {
    assertThat(ledger.open(facts(run), "7")).isEqualTo(LedgerView.OPENED);
  }

  private Optional<ContinuedBy> written() {
    return Optional.ofNullable(records.kept.get(record(EARLIER)).getSpec().continuedBy());
  }

  private void assertTaken(Standing standing) {
    assertThat(claims.on(EARLIER, OTHER.uid()))
        .isEqualTo(new Claim.Taken("one", ONE.uid(), record(ONE), standing));
    assertThat(claims.take(EARLIER, OTHER)).isFalse();
    assertThat(written()).get().extracting(ContinuedBy::uid).isEqualTo(ONE.uid());
  }

  private void assertPassesOn() {
    assertThat(claims.on(EARLIER, OTHER.uid())).isEqualTo(Claim.FREE);
    assertThat(claims.take(EARLIER, OTHER)).isTrue();
    assertThat(written()).get().extracting(ContinuedBy::uid).isEqualTo(OTHER.uid());
  }

  @BeforeEach
  void given_a_run_that_ended() {
    opensItsRecord(EARLIER);
    records.close(
        new Closing(
            record(EARLIER),
            EARLIER.uid(),
            "EmergencyStop",
            T0,
            T0,
            null,
            null,
            List.of(),
            List.of(),
            List.of()));
    is(EARLIER, STARTED + ", " + finished("EmergencyStop"));
    is(ONE, "");
    is(OTHER, "");
  }

  @Test
  void nobody_has_claimed_it_at_first() {
    assertThat(claims.on(EARLIER, ONE.uid())).isEqualTo(Claim.FREE);
    assertThat(claims.take(EARLIER, ONE)).isTrue();

    assertThat(written()).contains(new ContinuedBy("one", ONE.uid(), record(ONE)));
    assertThat(records.kept.get(record(EARLIER)).getSpec().outcome()).isEqualTo("EmergencyStop");
  }

  @Test
  void of_two_at_once_one_has_it() {
    // Both have read that it is free.
    records.fault =
        new FakeRecords.Fault() {
          @Override
          public void before(String verb) {
            if (verb.equals("replace")) {
              records.fault = records.noFault();
              assertThat(claims.take(EARLIER, OTHER)).isTrue();
            }
          }

          @Override
          public void after(String verb) {}
        };

    assertThat(claims.take(EARLIER, ONE)).isFalse();

    assertThat(written()).get().extracting(ContinuedBy::uid).isEqualTo(OTHER.uid());
    assertThat(claims.on(EARLIER, ONE.uid()))
        .isEqualTo(new Claim.Taken("other", OTHER.uid(), record(OTHER), Standing.WAITS));
  }

  @Test
  void whoever_died_before_its_start_finds_the_claim_to_be_its_own() {
    assertThat(claims.take(EARLIER, ONE)).isTrue();
    records.calls.clear();

    assertThat(claims.on(EARLIER, ONE.uid())).isEqualTo(Claim.FREE);
    assertThat(claims.take(EARLIER, ONE)).isTrue();
    assertThat(records.calls).as("nothing is written anew").containsOnly("read");
  }

  @Test
  void a_claim_whose_answer_was_lost_is_one() {
    records.fault =
        new FakeRecords.Fault() {
          @Override
          public void before(String verb) {}

          @Override
          public void after(String verb) {
            if (verb.equals("replace")) {
              records.fault = records.noFault();
              throw new IllegalStateException("connection reset");
            }
          }
        };
    assertThatThrownBy(() -> claims.take(EARLIER, ONE)).hasMessage("connection reset");

    assertThat(claims.take(EARLIER, OTHER)).isFalse();
    assertThat(claims.take(EARLIER, ONE)).isTrue();
  }

  @Test
  void one_that_waits_has_it() {
    claims.take(EARLIER, ONE);

    assertTaken(Standing.WAITS);
  }

  @Test
  void one_that_started_has_it_also_once_it_has_ended() {
    claims.take(EARLIER, ONE);
    opensItsRecord(ONE);
    is(ONE, STARTED);
    assertTaken(Standing.STARTED);

    is(ONE, STARTED + ", " + finished("EmergencyStop"));
    assertTaken(Standing.STARTED);
  }

  @Test
  void one_that_started_and_is_gone_has_it() {
    claims.take(EARLIER, ONE);
    opensItsRecord(ONE);
    isGone(ONE);

    assertTaken(Standing.GONE);
  }

  @Test
  void one_of_the_same_name_is_not_the_one_that_has_it() {
    claims.take(EARLIER, ONE);
    opensItsRecord(ONE);
    is(run("one", "d"), STARTED);

    assertTaken(Standing.GONE);
  }

  @Test
  void it_passes_on_from_one_that_is_gone_and_never_started() {
    claims.take(EARLIER, ONE);
    isGone(ONE);

    assertPassesOn();
  }

  @Test
  void it_passes_on_from_one_that_ended_without_a_start() {
    claims.take(EARLIER, ONE);
    is(ONE, finished("Cancelled"));

    assertPassesOn();
  }

  @Test
  void it_passes_on_from_one_that_was_the_duplicate_of_another() {
    opensItsRecord(new Run("fleet", "one", "d", ONE.specHash()));
    claims.take(EARLIER, ONE);
    is(ONE, finished("DuplicateRun"));

    assertPassesOn();
  }

  @Test
  void it_passes_on_from_one_that_gave_its_start_up_and_ended() {
    claims.take(EARLIER, ONE);
    opensItsRecord(ONE);
    ledger.giveUp(facts(ONE), "7");
    is(ONE, finished("Cancelled"));

    assertPassesOn();
  }

  @Test
  void one_that_gave_its_start_up_and_is_gone_may_have_started_after_all() {
    claims.take(EARLIER, ONE);
    opensItsRecord(ONE);
    ledger.giveUp(facts(ONE), "7");
    isGone(ONE);

    assertTaken(Standing.GONE);
  }

  @Test
  void one_whose_status_lost_its_start_has_it() {
    claims.take(EARLIER, ONE);
    opensItsRecord(ONE);
    is(ONE, finished("CorruptStatus"));
    assertTaken(Standing.LOST);

    ledger.giveUp(facts(ONE), "7");
    assertTaken(Standing.LOST);
  }

  @Test
  void a_claim_that_arrives_late_is_none() {
    claims.take(EARLIER, ONE);
    isGone(ONE);
    // Read by a process that was held up, and written after it has passed on.
    var stale = records.read(record(EARLIER)).orElseThrow();
    assertPassesOn();

    assertThat(records.replace(stale)).isEmpty();
    assertThat(written()).get().extracting(ContinuedBy::uid).isEqualTo(OTHER.uid());
  }

  @Test
  void whoever_started_after_all_is_seen_though_it_was_gone_a_moment_before() {
    claims.take(EARLIER, ONE);
    // Its Workflow is read before its record: what is made in between cannot start any more.
    var order =
        new Claims(
            records,
            (namespace, name) -> {
              records.calls.add("workflow " + name);
              return Optional.empty();
            });
    records.calls.clear();

    assertThat(order.on(EARLIER, OTHER.uid())).isEqualTo(Claim.FREE);

    assertThat(records.calls).containsExactly("read", "workflow one", "read");
  }

  @Test
  void without_its_record_nobody_can_tell() {
    records.kept.clear();

    assertThat(claims.on(EARLIER, ONE.uid()))
        .isEqualTo(new Claim.Untold(record(EARLIER), "is not there"));
    assertThat(claims.take(EARLIER, ONE)).isFalse();
  }

  @Test
  void the_record_of_another_object_of_that_name_does_not_tell() {
    Run again = new Run("fleet", "first", "z", EARLIER.specHash());

    assertThat(claims.on(again, ONE.uid()))
        .isInstanceOfSatisfying(
            Claim.Untold.class,
            untold -> assertThat(untold.why()).contains("is about uid \"a\", and not about z"));
    assertThat(claims.take(again, ONE)).isFalse();
  }

  @Test
  void what_cannot_be_read_claims_nothing() {
    records.fault =
        new FakeRecords.Fault() {
          @Override
          public void before(String verb) {
            throw new IllegalStateException("no answer");
          }

          @Override
          public void after(String verb) {}
        };

    assertThatThrownBy(() -> claims.on(EARLIER, ONE.uid())).hasMessage("no answer");
    assertThatThrownBy(() -> claims.take(EARLIER, ONE)).hasMessage("no answer");
    assertThat(written()).isEmpty();
  }
}
