package dev.andon.operator.ledger;

import dev.andon.crds.Condition;
import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowRecord;
import dev.andon.crds.WorkflowRecordSpec;
import dev.andon.crds.WorkflowRecordSpec.ContinuedBy;
import dev.andon.crds.WorkflowRecordSpec.WorkflowRef;
import dev.andon.crds.WorkflowStatus;
import dev.andon.operator.ledger.Claim.Standing;
import dev.andon.plan.RecordName;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Lets a run be continued once. Who does is in the record of that run, and stays there when
 * Workflows go: what a second one did once more would be done twice. It is written under the
 * record's resourceVersion, as part of a start, before the record of the one that starts: of two at
 * once, one is written.
 *
 * <p>Who dies between that and the start has the claim still: the same uid finds it to be its own.
 * A claim passes on only from one that has done nothing and never will: it has ended without a
 * start, or is gone, so that no status with a start can be written over it any more; and
 * <em>then</em> the ledger knows no run of it.
 */
public final class Claims {
  private final Records records;
  private final Workflows workflows;

  /** The Workflows there are. */
  @FunctionalInterface
  public interface Workflows {
    /** The newest there is, never from a cache. Throws if that cannot be known. */
    Optional<Workflow> read(String namespace, String name);
  }

  /**
   * A run by what its record is named after.
   *
   * @param specHash of its spec
   */
  public record Run(String namespace, String workflow, String uid, String specHash) {
    String record() {
      return RecordName.of(namespace, workflow, specHash);
    }
  }

  public Claims(Records records, Workflows workflows) {
    this.records = records;
    this.workflows = workflows;
  }

  /**
   * Whether {@code by} may go on with the run, as the API server has it now. Throws as {@link
   * Records} do.
   *
   * @param by its uid
   */
  public Claim on(Run run, String by) {
    return judge(run, by, records.read(run.record()));
  }

  /**
   * Writes down that it is {@code by} that goes on with the run. False: it is not, or it cannot be
   * told; {@link #on} tells, asked anew. Throws as {@link Records} do.
   */
  public boolean take(Run run, Run by) {
    Optional<WorkflowRecord> read = records.read(run.record());
    if (!(judge(run, by.uid(), read) instanceof Claim.Free)) {
      return false;
    }
    WorkflowRecord record = read.orElseThrow();
    var claim = new ContinuedBy(by.workflow(), by.uid(), by.record());
    if (claim.equals(record.getSpec().continuedBy())) {
      return true;
    }
    record.setSpec(record.getSpec().continuedBy(claim));
    return records.replace(record).isPresent();
  }

  private Claim judge(Run run, String by, Optional<WorkflowRecord> read) {
    WorkflowRecordSpec spec = read.map(WorkflowRecord::getSpec).orElse(null);
    if (spec == null) {
      return new Claim.Untold(run.record(), "is not there");
    }
    WorkflowRef about = spec.workflow();
    if (about == null || !run.uid().equals(about.uid())) {
      return new Claim.Untold(
          run.record(),
          "is about uid \"%s\", and not about %s"
              .formatted(about == null ? "" : about.uid(), run.uid()));
    }
    ContinuedBy other = spec.continuedBy();
    if (other == null || by.equals(other.uid())) {
      return Claim.FREE;
    }
    if (other.workflow() == null || other.uid() == null || other.record() == null) {
      return new Claim.Untold(
          run.record(), "has a spec.continuedBy without workflow, uid or record");
    }
    Standing standing = standing(run.namespace(), other);
    return standing == null
        ? Claim.FREE
        : new Claim.Taken(other.workflow(), other.uid(), other.record(), standing);
  }

  /** Null: it has done nothing and never will. */
  private @Nullable Standing standing(String namespace, ContinuedBy other) {
    Workflow there =
        workflows
            .read(namespace, Objects.requireNonNull(other.workflow()))
            .filter(w -> Objects.equals(w.getMetadata().getUid(), other.uid()))
            .orElse(null);
    WorkflowStatus status = there == null ? null : there.getStatus();
    if (status != null && status.startTime() != null) {
      return Standing.STARTED;
    }
    Optional<Condition> finished = status == null ? Optional.empty() : status.finished();
    if (there != null && finished.isEmpty()) {
      return Standing.WAITS;
    }
    // Only now: a record that is made from here on is of a start that cannot be written.
    Optional<WorkflowRecord> own = records.read(Objects.requireNonNull(other.record()));
    boolean mayHaveRun =
        own.isPresent()
            && !isOfAnother(own.get(), other.uid())
            && !(finished.isPresent() && gaveUp(finished.get(), own.get()));
    return !mayHaveRun ? null : there == null ? Standing.GONE : Standing.LOST;
  }

  private static boolean isOfAnother(WorkflowRecord record, @Nullable String uid) {
    return record.getSpec() != null
        && record.getSpec().workflow() != null
        && record.getSpec().workflow().uid() != null
        && !Objects.equals(uid, record.getSpec().workflow().uid());
  }

  /**
   * Its start was given up, and its last status, without a start, has been written since: that shut
   * out a start that was under way. See {@link Ledger}.
   */
  private static boolean gaveUp(Condition finished, WorkflowRecord own) {
    return !"CorruptStatus".equals(finished.reason())
        && own.getSpec() != null
        && Ledger.GIVEN_UP.equals(own.getSpec().decidedFrom());
  }
}
