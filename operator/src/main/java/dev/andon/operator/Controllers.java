package dev.andon.operator;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.javaoperatorsdk.operator.Operator;
import io.javaoperatorsdk.operator.api.config.ControllerConfigurationOverrider;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.processing.Controller;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * JOSDK's controllers in the two steps of a standby: first their informers, which fill and stay up
 * to date; then, once this process leads, what they have seen is processed. The same steps as
 * {@link Operator#start} takes with JOSDK's own leader election, which is not used: it compares
 * wall clocks of two machines, and finds out late that it has lost.
 */
final class Controllers implements AutoCloseable {
  private final Operator operator;
  private final List<Controller<?>> controllers = new ArrayList<>();
  private boolean closed; // guarded by this

  /** {@code operator}: configured, and not to be started by anyone. */
  Controllers(Operator operator) {
    this.operator = operator;
  }

  <P extends HasMetadata> void register(
      Reconciler<P> reconciler, Consumer<ControllerConfigurationOverrider<P>> configuration) {
    controllers.add((Controller<?>) operator.register(reconciler, configuration));
  }

  /**
   * Returns once everything is read that decisions are made from.
   *
   * @throws io.javaoperatorsdk.operator.OperatorException when something cannot be read
   */
  void synchronise() {
    try {
      all(controller -> controller.start(false));
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /** Begins to decide. */
  synchronized void process() {
    if (!closed) {
      all(Controller::startEventProcessing);
    }
  }

  boolean healthy() {
    return controllers.stream()
        .allMatch(c -> c.getControllerHealthInfo().unhealthyEventSources().isEmpty());
  }

  /** Decides nothing more; what is being decided gets the time the operator is configured with. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
    }
    all(Controller::stop);
    operator.stop();
  }

  private void all(Consumer<Controller<?>> step) {
    Function<Controller<?>, Void> task =
        controller -> {
          step.accept(controller);
          return null;
        };
    operator
        .getConfigurationService()
        .getExecutorServiceManager()
        .boundedExecuteAndWaitForAllToComplete(
            controllers.stream(), task, c -> "controller " + c.getConfiguration().getName());
  }
}
