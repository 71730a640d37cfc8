package dev.andon.crds;

import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Plural;
import io.fabric8.kubernetes.model.annotation.Singular;
import io.fabric8.kubernetes.model.annotation.Version;
import org.jspecify.annotations.Nullable;

/**
 * The ledger: which uid ran which spec, and how it ended. Cluster-scoped; facts are in spec, since
 * a restored backup drops status.
 */
@Group("andon.dev")
@Version("v1alpha1")
@Singular("workflowrecord")
@Plural("workflowrecords")
public class WorkflowRecord extends CustomResource<WorkflowRecordSpec, Void> {
  /** Label: {@link #OPEN} while the run goes on, then {@link #CLOSED}. */
  public static final String STATE_LABEL = "andon.dev/record";

  public static final String OPEN = "open";
  public static final String CLOSED = "closed";

  @Override
  protected @Nullable WorkflowRecordSpec initSpec() {
    return null;
  }

  @Override
  protected @Nullable Void initStatus() {
    return null;
  }
}
