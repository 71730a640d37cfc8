package dev.andon.operator.ledger;

import dev.andon.crds.WorkflowRecord;
import dev.andon.crds.WorkflowRecordSpec;
import dev.andon.crds.WorkflowRecordSpec.WorkflowRef;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Records in memory, with the API server's rules of names and versions, and its failures. */
public final class FakeRecords implements Records {
  /** What is known of a run while it runs. */
  static WorkflowRecordSpec running(
      WorkflowRef workflow, String hash, @Nullable String decidedFrom, Instant start) {
    return new WorkflowRecordSpec(
        workflow,
        hash,
        null,
        decidedFrom,
        start,
        null,
        null,
        null,
        null,
        null,
        List.of(),
        List.of(),
        List.of(),
        null);
  }

  private static final KubernetesSerialization JSON = new KubernetesSerialization();

  /** Before and after each write: what a test lets happen there. */
  public interface Fault {
    void before(String verb);

    void after(String verb);
  }

  public final Map<String, WorkflowRecord> kept = new ConcurrentSkipListMap<>();
  public final List<String> calls = new CopyOnWriteArrayList<>();

  public Fault fault = noFault();

  /** Nothing happens there. */
  public Fault noFault() {
    return new Fault() {
      @Override
      public void before(String verb) {}

      @Override
      public void after(String verb) {}
    };
  }

  private int version = 100;

  private static WorkflowRecord copy(WorkflowRecord record) {
    return JSON.clone(record);
  }

  private synchronized <R> R call(String verb, java.util.function.Supplier<R> work) {
    calls.add(verb);
    fault.before(verb);
    R result = work.get();
    fault.after(verb);
    return result;
  }

  private WorkflowRecord keep(WorkflowRecord record) {
    WorkflowRecord stored = copy(record);
    stored.setMetadata(
        new ObjectMetaBuilder(stored.getMetadata()).withResourceVersion("" + version++).build());
    kept.put(stored.getMetadata().getName(), stored);
    return copy(stored);
  }

  @Override
  public Optional<WorkflowRecord> create(WorkflowRecord record) {
    return call(
        "create",
        () ->
            kept.containsKey(record.getMetadata().getName())
                ? Optional.empty()
                : Optional.of(keep(record)));
  }

  @Override
  public Optional<WorkflowRecord> read(String name) {
    return call("read", () -> Optional.ofNullable(kept.get(name)).map(FakeRecords::copy));
  }

  private boolean same(WorkflowRecord record) {
    WorkflowRecord is = kept.get(record.getMetadata().getName());
    return is != null
        && Objects.equals(
            is.getMetadata().getResourceVersion(), record.getMetadata().getResourceVersion());
  }

  @Override
  public Optional<WorkflowRecord> replace(WorkflowRecord record) {
    return call("replace", () -> same(record) ? Optional.of(keep(record)) : Optional.empty());
  }

  @Override
  public boolean delete(WorkflowRecord record) {
    return call(
        "delete",
        () -> {
          boolean same = same(record);
          if (same) {
            kept.remove(record.getMetadata().getName());
          }
          return same;
        });
  }

  @Override
  public void close(Closing closing) {
    call(
        "close",
        () -> {
          WorkflowRecord is = kept.get(closing.record());
          if (is != null
              && closing.uid().equals(is.getSpec().workflow().uid())
              && WorkflowRecord.OPEN.equals(
                  is.getMetadata().getLabels().get(WorkflowRecord.STATE_LABEL))) {
            WorkflowRecordSpec s = is.getSpec();
            var closed = new WorkflowRecord();
            closed.setMetadata(
                new ObjectMetaBuilder(is.getMetadata())
                    .addToLabels(WorkflowRecord.STATE_LABEL, WorkflowRecord.CLOSED)
                    .build());
            closed.setSpec(
                new WorkflowRecordSpec(
                    s.workflow(),
                    s.specHash(),
                    s.runId(),
                    s.decidedFrom(),
                    closing.startTime(),
                    closing.completionTime(),
                    closing.outcome(),
                    s.requestedBy(),
                    closing.jobs(),
                    closing.stoppedBy(),
                    closing.policies(),
                    closing.jobTypes(),
                    closing.actions(),
                    s.continuedBy()));
            keep(closed);
          }
          return true;
        });
  }

  @Override
  public void open(Consumer<List<WorkflowRecord>> page) {
    page.accept(
        call(
            "list",
            () ->
                kept.values().stream()
                    .filter(
                        r ->
                            WorkflowRecord.OPEN.equals(
                                r.getMetadata().getLabels().get(WorkflowRecord.STATE_LABEL)))
                    .map(FakeRecords::copy)
                    .toList()));
  }

  public WorkflowRecord only() {
    if (kept.size() != 1) {
      throw new AssertionError("records: " + kept.keySet());
    }
    return kept.values().iterator().next();
  }

  /** Somebody with the operator's rights writes into it. */
  public void tamper(WorkflowRecordSpec spec) {
    WorkflowRecord record = copy(only());
    record.setSpec(spec);
    keep(record);
  }
}
