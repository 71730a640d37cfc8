package dev.andon.operator.stop;

import dev.andon.crds.WorkflowStatus.Armed;
import java.util.function.BooleanSupplier;

/** Permits for tests of what sends: only a gate makes them otherwise. */
public final class TestPermits {
  private static final StopView.Open VIEW = new StopView.Open("uid-1", "", "1");

  /** The arming that these permits are of. */
  public static final Armed ARMED = new Armed("uid-1", "");

  private TestPermits() {}

  /** Good for one send, for as long as the test runs. */
  public static Permit good() {
    return new Permit(VIEW, () -> true);
  }

  /** Good while the supplier says so. */
  public static Permit goodWhile(BooleanSupplier stillGood) {
    return new Permit(VIEW, stillGood);
  }
}
