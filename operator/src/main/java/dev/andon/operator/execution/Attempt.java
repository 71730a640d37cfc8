package dev.andon.operator.execution;

import dev.andon.crds.JobTypeSpec;
import dev.andon.crds.WorkflowStatus.Armed;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An attempt whose intent is in status, and what is to be done about it.
 *
 * @param runner whose intent it is, who is woken by its outcome and whose stop it obeys
 * @param workflow name of the workflow of the key
 * @param armed the arming the workflow started under; a permit of another one is none of its own
 * @param deadline when it times out
 * @param tries which try of it, from 1: of a container, the number of its Job
 * @param again whether a send before this one may have been carried out. What becomes of this one
 *     then says nothing of that, unless it succeeds
 */
public record Attempt(
    AttemptKey key,
    Runner runner,
    String namespace,
    String workflow,
    String workflowType,
    Armed armed,
    String jobType,
    JobTypeSpec spec,
    Map<String, String> args,
    Instant deadline,
    int tries,
    boolean again,
    Work work) {

  /**
   * The workflow that has it run: that of the key; or one that continues it, and sends again under
   * the same key what nobody knows the outcome of. What tells the target which attempt this is
   * comes from the key, whoever runs it: a target may refuse a key that comes with another request.
   */
  public record Runner(String workflow, String uid) {}

  /** The first try, of the workflow that has it run. */
  public Attempt(
      AttemptKey key,
      String namespace,
      String workflow,
      String workflowType,
      Armed armed,
      String jobType,
      JobTypeSpec spec,
      Map<String, String> args,
      Instant deadline,
      Work work) {
    this(
        key,
        new Runner(workflow, key.uid()),
        namespace,
        workflow,
        workflowType,
        armed,
        jobType,
        spec,
        args,
        deadline,
        1,
        work instanceof Work.Send send && send.again(),
        work);
  }

  /** Whether another workflow sent it before, which this one continues. */
  boolean isOfEarlierRun() {
    return !key.uid().equals(runner.uid());
  }

  /** What is to be done. */
  public sealed interface Work {
    /**
     * Send it: the one kind of work that needs a permit.
     *
     * @param again whether it was sent before, under this key, and nobody knows what became of
     *     that. That this send was never begun, or is refused, then says nothing of the attempt: to
     *     take it for failed would be to do the job once more, under another key
     */
    record Send(boolean again) implements Work {
      public Send() {
        this(false);
      }
    }

    /** It was accepted as this operation: poll it until it ends. */
    record Poll(String operation) implements Work {}

    /** It may have been sent, nobody knows: find out, without sending. */
    record Observe() implements Work {}

    /**
     * It may be under way, and is to end: ask it to, and find out how it ended.
     *
     * @param operation what it was accepted as, if that is known
     */
    record End(@Nullable String operation) implements Work {}
  }
}
