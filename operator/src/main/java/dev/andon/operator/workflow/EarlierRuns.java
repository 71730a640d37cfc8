package dev.andon.operator.workflow;

import dev.andon.crds.Workflow;
import dev.andon.crds.WorkflowStatus;
import dev.andon.operator.cluster.Existence;
import dev.andon.operator.ledger.Claim;
import dev.andon.operator.ledger.Claims;
import dev.andon.operator.ledger.LedgerView;
import dev.andon.operator.ledger.Records;
import dev.andon.plan.SpecHash;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Reads the workflow that another one is to continue, and has it known that it does. */
final class EarlierRuns {
  private final Claims.Workflows workflows;
  private final Claims claims;

  EarlierRuns(KubernetesClient client, Records records) {
    this(
        (namespace, name) ->
            Existence.find(client.resources(Workflow.class).inNamespace(namespace).withName(name)),
        records);
  }

  EarlierRuns(Claims.Workflows workflows, Records records) {
    this.workflows = workflows;
    this.claims = new Claims(records, workflows);
  }

  /**
   * Asks the API server itself, each time that one which has not started is decided about: a cache
   * may hold an object of the same name that is gone, or one that had not ended.
   */
  EarlierRun of(Workflow workflow) {
    String name = workflow.getSpec() == null ? null : workflow.getSpec().continueFrom();
    WorkflowStatus status = workflow.getStatus();
    boolean decided =
        workflow.isMarkedForDeletion()
            || (status != null
                && (status.startTime() != null
                    || Conditions.isTrue(status.conditions(), Conditions.FINISHED)));
    if (name == null || name.isEmpty() || decided) {
      return EarlierRun.NOT_ASKED;
    }
    try {
      return workflows
          .read(workflow.getMetadata().getNamespace(), name)
          .map(one -> found(one, workflow))
          .orElse(EarlierRun.MISSING);
    } catch (RuntimeException e) {
      return new EarlierRun.Unreadable(why(e));
    }
  }

  private EarlierRun found(Workflow one, Workflow workflow) {
    if (one.getSpec() == null) {
      return new EarlierRun.Unreadable("it has no spec");
    }
    boolean started = one.getStatus() != null && one.getStatus().startTime() != null;
    Claim claim =
        started
            ? claims.on(run(one, SpecHash.of(one.getSpec())), workflow.getMetadata().getUid())
            : Claim.FREE;
    return new EarlierRun.Found(one.getMetadata().getUid(), one.getSpec(), one.getStatus(), claim);
  }

  /**
   * Before anything of a start is written that goes on with another run: in the ledger, that it is
   * this one which does. Null: it is, or nothing of the kind is decided. Otherwise what to decide
   * upon: that the ledger could not be reached, or what {@link #of} tells now.
   */
  @Nullable LedgerView claim(Workflow workflow, Decision decision) {
    if (decision.record() == null
        || decision.status() == null
        || decision.status().continued() == null) {
      return null;
    }
    String uid = decision.status().continued().uid();
    String hash = decision.record().specHash();
    try {
      Optional<Workflow> earlier =
          workflows
              .read(
                  workflow.getMetadata().getNamespace(),
                  Objects.requireNonNull(workflow.getSpec().continueFrom()))
              .filter(one -> one.getSpec() != null)
              .filter(one -> Objects.equals(uid, one.getMetadata().getUid()));
      boolean claimed =
          earlier.isPresent()
              && claims.take(
                  run(earlier.get(), SpecHash.of(earlier.get().getSpec())),
                  run(workflow, Objects.requireNonNull(hash)));
      return claimed ? null : LedgerView.NOT_ASKED;
    } catch (RuntimeException e) {
      return new LedgerView.Unavailable(
          "the one of the run that it continues could not be changed: " + why(e));
    }
  }

  private static Claims.Run run(Workflow workflow, String specHash) {
    return new Claims.Run(
        workflow.getMetadata().getNamespace(),
        workflow.getMetadata().getName(),
        workflow.getMetadata().getUid(),
        specHash);
  }

  private static String why(RuntimeException e) {
    return Objects.requireNonNullElse(e.getMessage(), e.getClass().getSimpleName());
  }
}
