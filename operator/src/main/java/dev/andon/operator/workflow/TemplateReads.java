package dev.andon.operator.workflow;

import dev.andon.crds.JobTypeSpec;
import dev.andon.crds.WorkflowStatus.PinnedJobType;
import dev.andon.operator.execution.TemplateAnswer;
import dev.andon.operator.execution.TemplateTries;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.function.LongSupplier;

/**
 * Asks what the API server says of the pod templates of a workflow's job types, in its namespace,
 * and wakes it when the answer is there. Waits for none itself, and lets no workflow wait for
 * longer than {@link TemplateTries#PATIENCE} at a time.
 */
final class TemplateReads {
  private final Tries tries;
  private final BiConsumer<String, String> wake;
  private final LongSupplier nanos;

  /** Since when it waits, by uid of the workflow. */
  private final Map<String, Long> waits = new ConcurrentHashMap<>();

  /** As {@link TemplateTries#ask}. */
  interface Tries {
    CompletableFuture<TemplateAnswer> ask(
        PinnedJobType version, JobTypeSpec spec, String namespace);
  }

  /** {@code wake}: the workflow of this namespace and name. */
  TemplateReads(Tries tries, BiConsumer<String, String> wake, LongSupplier nanos) {
    this.tries = tries;
    this.wake = wake;
    this.nanos = nanos;
  }

  /**
   * Of the job types used that have a container and were not pinned as they are now.
   *
   * @param versions of those that are objects, by name
   */
  Templates of(
      String uid,
      String namespace,
      String name,
      Collection<String> used,
      Map<String, JobTypeSpec> jobTypes,
      Map<String, PinnedJobType> versions,
      Collection<PinnedJobType> pinned) {
    Set<PinnedJobType> known = new HashSet<>(pinned);
    var findings = new ArrayList<String>();
    var pending = new ArrayList<CompletableFuture<TemplateAnswer>>();
    for (String type : used) {
      JobTypeSpec spec = jobTypes.get(type);
      PinnedJobType version = versions.get(type);
      if (spec != null && version != null && spec.container() != null && !known.contains(version)) {
        CompletableFuture<TemplateAnswer> answer = tries.ask(version, spec, namespace);
        if (!answer.isDone()) {
          pending.add(answer);
        } else if (answer.join() instanceof TemplateAnswer.Wrong wrong) {
          findings.add(
              "job type %s: cannot be run in namespace %s: %s"
                  .formatted(type, namespace, wrong.finding()));
        }
      }
    }
    return new Templates(List.copyOf(findings), awaits(uid, namespace, name, pending));
  }

  private boolean awaits(
      String uid, String namespace, String name, List<CompletableFuture<TemplateAnswer>> pending) {
    if (pending.isEmpty()) {
      waits.remove(uid);
      return false;
    }
    long since = waits.computeIfAbsent(uid, key -> nanos.getAsLong());
    if (nanos.getAsLong() - since >= TemplateTries.PATIENCE.toNanos()) {
      return false;
    }
    pending.forEach(answer -> answer.thenRun(() -> wake.accept(namespace, name)));
    return true;
  }

  /** The workflow is over. */
  void forget(String uid) {
    waits.remove(uid);
  }
}
