package dev.andon.operator.ledger;

import dev.andon.crds.Timestamp;
import dev.andon.crds.WorkflowRecord;
import dev.andon.crds.WorkflowRecordSpec;
import dev.andon.crds.WorkflowRecordSpec.WorkflowRef;
import dev.andon.plan.RecordName;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets a spec run once under its namespace and name. A start is, in this order:
 *
 * <ol>
 *   <li>decided, from a Workflow of resourceVersion X;
 *   <li>{@link #open}: its record is created, with X as {@code decidedFrom}. A record that is there
 *       already decides: of another uid, this run is a duplicate;
 *   <li>the status with the start is written, under X;
 *   <li>what it intends begins.
 * </ol>
 *
 * <p>Who dies between 2 and 3 leaves a record and no start. The next one finds it and the Workflow
 * still at X: no status was ever written over it, so nothing has begun, and it goes on with 3. If
 * the Workflow is at another version and has no start, then nobody knows what was lost with its
 * status: it is corrupt, and never run. So before any status without a start is written over X:
 *
 * <ol start="5">
 *   <li>{@link #giveUp}: the record, if there is one, says {@link #GIVEN_UP} in place of X;
 *   <li>the status that waits is written, under X.
 * </ol>
 *
 * <p>Who dies between 5 and 6 leaves a record that says so, whatever version the Workflow is at. It
 * is not deleted: a write of 3 whose answer was lost may still arrive between 5 and 6, and is then
 * a start like any other. The write of 6 is what shuts it out.
 *
 * <p>The process that made the record knows whether it wrote a start: when a person's edit came
 * between 2 and 3 it writes {@code decidedFrom} anew. A person's edit, or a write that arrives
 * late, <em>and</em> the death of the process between 2 and 3 are told from a lost status by
 * nobody: it ends as corrupt, and a new {@code runId} lets the spec run.
 *
 * <p>Thread-safe for different workflows; one workflow is decided about by one thread.
 */
public final class Ledger {
  private static final Logger LOG = LoggerFactory.getLogger(Ledger.class);

  /** In place of a version: the start was given up before the status with it was written. */
  static final String GIVEN_UP = "none";

  private final Records records;

  /**
   * Of workflows without a start: the versions this process tried to make a record for. At each of
   * them it saw that there was no start.
   */
  private final Map<String, Set<String>> tried = new ConcurrentHashMap<>();

  /** The record this process made, as it is kept, by uid. */
  private final Map<String, WorkflowRecord> made = new ConcurrentHashMap<>();

  /** Of workflows without a start: those whose record, if any, is given up. */
  private final Set<String> free = ConcurrentHashMap.newKeySet();

  public Ledger(Records records) {
    this.records = records;
  }

  /** What is known without asking. */
  public LedgerView known(String uid) {
    return free.contains(uid) ? LedgerView.FREE : LedgerView.NOT_ASKED;
  }

  /**
   * Step 2. Only {@link LedgerView.Opened} lets it start.
   *
   * @param facts of the start, without {@code decidedFrom}
   * @param resourceVersion that the status with the start will be written under
   */
  public LedgerView open(WorkflowRecordSpec facts, String resourceVersion) {
    String uid = uid(facts);
    free.remove(uid);
    tried.computeIfAbsent(uid, key -> ConcurrentHashMap.newKeySet()).add(resourceVersion);
    WorkflowRecord record = record(facts, resourceVersion);
    try {
      WorkflowRecord before = made.remove(uid);
      if (before != null) {
        Optional<WorkflowRecord> again = moved(before, facts, resourceVersion);
        if (again.isPresent()) {
          return opened(uid, again.get());
        }
      }
      Optional<WorkflowRecord> created = records.create(record);
      return created.isPresent()
          ? opened(uid, created.get())
          : found(facts, resourceVersion, records.read(record.getMetadata().getName()));
    } catch (RuntimeException e) {
      return unavailable("written", record, e);
    }
  }

  /**
   * Step 5, before a status without a start is written. {@link LedgerView.Free}: it may be; {@link
   * LedgerView.Unavailable}: it may be, to tell so; {@link LedgerView.Opened}: it may not, there
   * is, or may be, a start that could not be given up. Anything else is to be decided upon.
   */
  public LedgerView giveUp(WorkflowRecordSpec facts, String resourceVersion) {
    String uid = uid(facts);
    if (free.contains(uid)) {
      return LedgerView.FREE;
    }
    WorkflowRecord record = record(facts, GIVEN_UP);
    WorkflowRecord existing;
    try {
      existing = records.read(record.getMetadata().getName()).orElse(null);
    } catch (Records.Refused e) {
      return unavailable("read", record, e);
    } catch (RuntimeException e) {
      // There may be one: a status over the version it tells of would make it look like a loss.
      unavailable("read", record, e);
      return LedgerView.OPENED;
    }
    if (existing == null) {
      free.add(uid);
      return LedgerView.FREE;
    }
    LedgerView view = judge(facts, resourceVersion, existing);
    if (!(view instanceof LedgerView.Opened)) {
      return view;
    }
    boolean stands = resourceVersion.equals(existing.getSpec().decidedFrom());
    try {
      made.remove(uid);
      Optional<WorkflowRecord> given = moved(existing, facts, GIVEN_UP);
      if (given.isPresent()) {
        made.put(uid, given.get());
        free.add(uid);
        return LedgerView.FREE;
      }
    } catch (RuntimeException e) {
      LedgerView why = unavailable("changed", record, e);
      // It tells of a version that is gone already: a status over this one makes nothing worse, and
      // can say what is waited for. Else who finds both would take the start for lost.
      return stands ? LedgerView.OPENED : why;
    }
    return LedgerView.OPENED;
  }

  /** The status with the start is written, or was seen; or the workflow is over. */
  public void forget(String uid) {
    tried.remove(uid);
    made.remove(uid);
    free.remove(uid);
  }

  /** The record with another {@code decidedFrom}; empty: it has changed since it was read. */
  private Optional<WorkflowRecord> moved(
      WorkflowRecord before, WorkflowRecordSpec facts, String decidedFrom) {
    if (decidedFrom.equals(before.getSpec().decidedFrom())) {
      return Optional.of(before);
    }
    var anew = record(facts, decidedFrom);
    anew.setMetadata(before.getMetadata());
    return records.replace(anew);
  }

  private LedgerView found(
      WorkflowRecordSpec facts, String resourceVersion, Optional<WorkflowRecord> existing) {
    if (existing.isEmpty()) {
      return new LedgerView.Unavailable("it was there, and is gone; it is tried again");
    }
    LedgerView view = judge(facts, resourceVersion, existing.get());
    if (!(view instanceof LedgerView.Opened)) {
      return view;
    }
    // Of a start decided by this process or by one that is gone: only the version may differ.
    return moved(existing.get(), facts, resourceVersion)
        .map(record -> opened(uid(facts), record))
        .orElseGet(() -> new LedgerView.Unavailable("it has just changed; it is tried again"));
  }

  private LedgerView opened(String uid, WorkflowRecord record) {
    made.put(uid, record);
    return LedgerView.OPENED;
  }

  /** What a record that is there means for a workflow without a start. */
  private LedgerView judge(
      WorkflowRecordSpec facts, String resourceVersion, WorkflowRecord existing) {
    String name = existing.getMetadata().getName();
    String damage = damage(facts, existing);
    if (damage != null) {
      return new LedgerView.Damaged(name, damage);
    }
    WorkflowRecordSpec spec = existing.getSpec();
    String uid = Objects.requireNonNull(Objects.requireNonNull(spec.workflow()).uid());
    if (!uid.equals(uid(facts))) {
      return new LedgerView.Taken(name, uid, spec.startTime(), spec.outcome());
    }
    boolean closed = spec.outcome() != null || spec.completionTime() != null;
    boolean untouched =
        spec.decidedFrom() != null
            && (spec.decidedFrom().equals(resourceVersion)
                || spec.decidedFrom().equals(GIVEN_UP)
                || tried.getOrDefault(uid, Set.of()).contains(spec.decidedFrom()));
    return !closed && untouched ? LedgerView.OPENED : new LedgerView.Begun(name);
  }

  /** What of it cannot be as this operator wrote it, being under this name; null: nothing. */
  private static @Nullable String damage(WorkflowRecordSpec facts, WorkflowRecord existing) {
    WorkflowRecordSpec spec = existing.getSpec();
    if (spec == null || spec.workflow() == null) {
      return "spec.workflow: is missing";
    }
    WorkflowRef is = spec.workflow();
    WorkflowRef ought = Objects.requireNonNull(facts.workflow());
    if (!Objects.equals(is.namespace(), ought.namespace())) {
      return differs("spec.workflow.namespace", is.namespace(), ought.namespace());
    }
    if (!Objects.equals(is.name(), ought.name())) {
      return differs("spec.workflow.name", is.name(), ought.name());
    }
    if (!Objects.equals(is.type(), ought.type())) {
      return differs("spec.workflow.type", is.type(), ought.type());
    }
    if (!Objects.equals(spec.specHash(), facts.specHash())) {
      return differs("spec.specHash", spec.specHash(), facts.specHash());
    }
    if (is.uid() == null || is.uid().isBlank()) {
      return "spec.workflow.uid: is missing";
    }
    if (Timestamp.UNREADABLE.equals(spec.startTime())
        || Timestamp.UNREADABLE.equals(spec.completionTime())) {
      return "spec.startTime, spec.completionTime: one of them is no time";
    }
    return null;
  }

  private static String differs(String field, @Nullable String is, @Nullable String ought) {
    return "%s: is \"%s\", but a record of this name is about \"%s\""
        .formatted(field, Objects.requireNonNullElse(is, ""), ought);
  }

  private static LedgerView unavailable(String what, WorkflowRecord record, RuntimeException e) {
    String message = Objects.requireNonNullElse(e.getMessage(), e.getClass().getSimpleName());
    if (e.getCause() != null && e.getCause().getMessage() != null) {
      // Of what has no answer the client says only that there is none.
      message += " (" + e.getCause().getMessage() + ")";
    }
    LOG.warn(
        "WorkflowRecord {} could not be {}: {}", record.getMetadata().getName(), what, message);
    return new LedgerView.Unavailable("it could not be %s: %s".formatted(what, message));
  }

  private static String uid(WorkflowRecordSpec facts) {
    return Objects.requireNonNull(Objects.requireNonNull(facts.workflow()).uid());
  }

  private static WorkflowRecord record(WorkflowRecordSpec facts, String resourceVersion) {
    WorkflowRef workflow = Objects.requireNonNull(facts.workflow());
    String name =
        RecordName.of(
            Objects.requireNonNull(workflow.namespace()),
            Objects.requireNonNull(workflow.name()),
            Objects.requireNonNull(facts.specHash()));
    var record = new WorkflowRecord();
    record.setMetadata(
        new ObjectMetaBuilder()
            .withName(name)
            .addToLabels(WorkflowRecord.STATE_LABEL, WorkflowRecord.OPEN)
            .build());
    record.setSpec(facts.decidedFrom(resourceVersion));
    return record;
  }
}
